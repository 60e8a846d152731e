"""What the user typed for IMAGE or `-o`, parsed once.

The grammar is that of containers-transports(5), which skopeo, podman and buildah share:
https://github.com/containers/image/blob/main/docs/containers-transports.5.md
A name without a transport is a daemon's or a registry's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from minify.errors import UsageError


class Transport(StrEnum):
    """The media that an image comes from or goes to; the value is the written prefix."""

    NAME = ""
    DOCKER_DAEMON = "docker-daemon"
    REGISTRY = "docker"
    DOCKER_ARCHIVE = "docker-archive"
    OCI = "oci"
    OCI_ARCHIVE = "oci-archive"
    ROOTFS = "rootfs"


# Transports of skopeo's that minify does not have, and what to do instead.
_REFUSED = {
    "dir": "copy it first: skopeo copy dir:PATH oci:PATH2:latest, or name a root filesystem"
    " with rootfs:/path",
    "containers-storage": "save it first: podman save --format oci-archive -o image.tar NAME, then"
    " oci-archive:image.tar; or start podman's socket and set DOCKER_HOST",
    "ostree": "copy it first: skopeo copy ostree:… oci:PATH:latest",
    "sif": "copy it first: skopeo copy sif:PATH oci:PATH2:latest",
    "tarball": "name an image with docker-archive:file.tar, or a root filesystem with rootfs:/path",
    "docker-tar": "say docker-archive:file.tar",
    "oci-dir": "say oci:directory",
}

# https://github.com/distribution/reference/blob/main/reference.go; hosts are looser here.
_NAME = re.compile(
    r"""(?:(?:[a-zA-Z0-9][a-zA-Z0-9.-]*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?
        [a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*
        (?P<tag>:[\w][\w.-]{0,127})?
        (?P<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?""",
    re.VERBOSE | re.ASCII,
)

# `go.tar`, `go.tar:name:tag`. All but some of these are names that a registry would take.
_ARCHIVE = re.compile(r".*\.(?:tar(?:\.(?:gz|zst|xz|bz2))?|tgz|tzst)(?::[^/]*)?", re.IGNORECASE)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
# Between `docker-archvie` (0.93), a slip, and `docker-machine` (0.86), an image.
_LIKENESS_OF_A_SLIP = 0.9
_LIKENESS = 0.75


@dataclass(frozen=True, slots=True)
class Reference:
    """A transport and what stands after its prefix."""

    transport: Transport
    location: str

    def __str__(self) -> str:
        if self.transport is Transport.NAME:
            return self.location
        slashes = "//" if self.transport is Transport.REGISTRY else ""
        return f"{self.transport}:{slashes}{self.location}"

    @classmethod
    def parse(cls, text: str) -> Reference:
        """The reference that `text` writes; UsageError names what is wrong with it."""
        prefix, colon, rest = text.partition(":")
        if colon and prefix in _REFUSED:
            raise UsageError(f"{text}: minify has no transport {prefix!r}; {_REFUSED[prefix]}")
        if not colon or prefix not in set(Transport) - {""} or _is_tagged_name(prefix, rest):
            _check_meant_as_name(text)
            return cls(Transport.NAME, checked_name(text))
        transport = Transport(prefix)
        if transport is Transport.REGISTRY:
            rest = rest.removeprefix("//")
        if not rest:
            raise UsageError(f"{text}: nothing stands after {prefix}:; {_usage(transport)}")
        return cls(transport, rest)


def _is_tagged_name(prefix: str, rest: str) -> bool:
    """Whether `docker:20.10` and the like mean an image of that name.

    skopeo asks for `docker://`; without the slashes `docker` is an image's name, and there is an
    official image called so.
    """
    return prefix == Transport.REGISTRY and not rest.startswith("//")


def _check_meant_as_name(text: str) -> None:
    """UsageError for a name that is more likely a transport misspelt, or an archive without one.

    `docker-daemon:` before it says that the name is meant all the same.
    """
    prefix, colon, rest = text.partition(":")
    meant = _misspelt(prefix, rest) if colon else None
    if meant is not None:
        slashes = "//" if meant is Transport.REGISTRY else ""
        raise UsageError(
            f"{text}: {prefix}: is no transport; did you mean {meant}:{slashes}?{_as_name(text)}"
        )
    if _ARCHIVE.fullmatch(text) and "://" not in text:
        path = _archive_path(text)
        raise UsageError(
            f"{text}: a path is no image name; say docker-archive:{path} or oci-archive:{path}"
            f"{_as_name(text)}"
        )


def _as_name(text: str) -> str:
    is_name = _NAME.fullmatch(text) is not None
    return f" (for an image of that name, docker-daemon:{text})" if is_name else ""


def _misspelt(prefix: str, rest: str) -> Transport | None:
    """The transport that `prefix` is meant to be; None for the name of an image or a host.

    The short ones are too close to real images (`ocis:7`): with a tag behind them they are names.
    """
    could_be_name = _TAG.fullmatch(rest) or _NAME.fullmatch(f"{prefix}:{rest}")
    likeness = _LIKENESS_OF_A_SLIP if could_be_name else _LIKENESS
    known = [transport.value for transport in Transport if transport]
    close = get_close_matches(prefix.lower().replace("_", "-"), known, 1, likeness)
    if not close or (could_be_name and "-" not in close[0]):
        return None
    return Transport(close[0])


def _archive_path(text: str) -> str:
    """The path in a reference to an archive, behind a word that is none (`file:go.tar`)."""
    prefix, colon, rest = text.partition(":")
    is_path = prefix.startswith(("/", ".", "~")) or _ARCHIVE.fullmatch(prefix) is not None
    is_host = "/" in rest and _NAME.fullmatch(text) is not None
    return text if not colon or is_path or is_host else rest


def checked_name(text: str) -> str:
    """`text` if it is an image's name as a registry takes it; UsageError says why it is none."""
    if _NAME.fullmatch(text):
        return text
    if not text:
        raise UsageError("the image's name is empty")
    if text.startswith(("/", "./", "../", "~")):
        raise UsageError(
            f"{text}: a path is no image name; say docker-archive:{text}, oci-archive:{text},"
            f" oci:{text} or rootfs:{text}"
        )
    if re.fullmatch(r"[0-9A-Fa-f]+", text):  # an id in capitals is still an id to no medium
        raise UsageError(f"{text}: an image id is written in lower-case hex digits")
    if text.lower() != text and _NAME.fullmatch(text.lower()):
        raise UsageError(f"{text}: an image's name is written in lower case: {text.lower()}")
    raise UsageError(f"{text}: this is no image name; expected [host/]name[:tag][@digest]")


def _usage(transport: Transport) -> str:
    usage = {
        Transport.DOCKER_DAEMON: "docker-daemon:name:tag",
        Transport.REGISTRY: "docker://host/name:tag",
        Transport.DOCKER_ARCHIVE: "docker-archive:file.tar[:name:tag]",
        Transport.OCI: "oci:directory[:tag]",
        Transport.OCI_ARCHIVE: "oci-archive:file.tar[:tag]",
        Transport.ROOTFS: "rootfs:/path",
    }
    return f"expected {usage[transport]}"
