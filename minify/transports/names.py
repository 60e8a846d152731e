"""Image names as docker writes them: `app`, `docker.io/library/app:latest` are one.

https://github.com/distribution/reference/blob/main/normalize.go
"""

from __future__ import annotations

from dataclasses import dataclass

from minify.errors import UsageError
from minify.image.reference import Reference, checked_name

_HUB = ("docker.io/", "index.docker.io/")
_OFFICIAL = "library/"


@dataclass(frozen=True, slots=True)
class TaggedName:
    """A repository in its short form (`app`, `host:5000/app`) and a tag."""

    repository: str
    tag: str

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"

    @property
    def full(self) -> str:
        """With host and namespace, as containerd keeps names: `docker.io/library/app:1`."""
        first, slash, _ = self.repository.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            return str(self)
        return f"docker.io/{'' if slash else _OFFICIAL}{self}"


def tagged(text: str) -> TaggedName:
    """The name that `text` writes, without its digest; the tag is `latest` if there is none."""
    name, _, _ = text.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # that colon stood before a port
        repository, tag = name, "latest"
    for prefix in _HUB:
        if repository.startswith(prefix):
            repository = repository.removeprefix(prefix).removeprefix(_OFFICIAL)
    return TaggedName(repository, tag)


def output_name(text: str, reference: Reference) -> TaggedName:
    """The name to give to an image; UsageError if `text` is none, or one that nobody can set."""
    checked_name(text)
    if "@" in text:
        raise UsageError(
            f"{reference}: an output has no digest in its name, it follows from the content;"
            f" say {tagged(text)}"
        )
    return tagged(text)


def is_id(text: str) -> bool:
    """Whether `text` is an image id in full, as docker prints it, or its 64 digits."""
    digits = text.removeprefix("sha256:")
    return len(digits) == 64 and not digits.strip("0123456789abcdef")
