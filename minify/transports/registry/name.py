"""What a registry's reference names: `nginx` is docker.io/library/nginx:latest, as for docker.

https://github.com/distribution/reference/blob/main/normalize.go
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace

from minify.errors import UsageError
from minify.image.digest import Digest
from minify.image.reference import Reference, checked_name

DOCKER_HUB = "docker.io"

# Docker Hub's registry does not answer under the name that its images have.
_ADDRESSES = {DOCKER_HUB: "registry-1.docker.io"}
_ALIASES = {"index.docker.io": DOCKER_HUB, "registry-1.docker.io": DOCKER_HUB}


@dataclass(frozen=True, slots=True)
class RegistryName:
    """A repository of a registry, and a manifest in it."""

    host: str
    """With its port, as images are named: `docker.io`, `localhost:5000`."""
    repository: str
    tag: str
    """Empty if the manifest is named by digest."""
    digest: Digest | None = None

    @property
    def address(self) -> str:
        """Where the registry answers: host and port."""
        return _ADDRESSES.get(self.host, self.host)

    @property
    def manifest(self) -> str:
        """The manifest as the protocol names it; the digest, where there is one."""
        return str(self.digest or self.tag)

    def at(self, digest: Digest) -> RegistryName:
        """The manifest of that digest in the same repository."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.host}/{self.repository}{tag}{f'@{self.digest}' if self.digest else ''}"

    @classmethod
    def of(cls, reference: Reference) -> RegistryName:
        """What the reference's location names; UsageError if it is no name or a wrong digest."""
        name, at, digest = checked_name(reference.location).partition("@")
        host, repository = _split_host(name)
        last = repository.rpartition("/")[2]
        _, colon, tag = last.partition(":")
        repository = repository.removesuffix(f"{colon}{tag}")
        if host == DOCKER_HUB and "/" not in repository:
            repository = f"library/{repository}"
        try:
            parsed = Digest.parse(digest) if at else None
        except ValueError as error:
            raise UsageError(f"{reference}: {error}") from error
        return cls(host, repository, tag or ("" if parsed else "latest"), parsed)

    @classmethod
    def of_output(cls, reference: Reference) -> RegistryName:
        """The same for what is to be written, which is named by its tag alone."""
        name = cls.of(reference)
        if name.digest is not None:
            raise UsageError(
                f"{reference}: an output has no digest in its name, it follows from the content;"
                f" say docker://{replace(name, tag=name.tag or 'latest', digest=None)}"
            )
        return name


def _split_host(name: str) -> tuple[str, str]:
    """The first component is a host if it could be no other: by a dot, a port, a capital."""
    first, slash, rest = name.partition("/")
    is_host = any(letter in first for letter in ".:[") or first == "localhost"
    if slash and (is_host or first != first.lower()):
        return _ALIASES.get(first, first), rest
    return DOCKER_HUB, name


def hostname(address: str) -> str:
    """The host in `host:port`, without the brackets of an IPv6 address."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0]


def is_loopback(address: str) -> bool:
    """Whether the host in `host:port` can only be this machine; names are not looked up."""
    host = hostname(address).rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
