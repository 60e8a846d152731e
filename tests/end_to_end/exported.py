"""What an engine itself makes of an image's layers: its files, with owners, modes, capabilities."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from images.engines import Engine

CAPABILITY = "SCHILY.xattr.security.capability"


@dataclass(frozen=True, slots=True)
class File:
    """One entry; links to the same file have its content."""

    kind: bytes
    """As in tarfile; a hard link is a regular file."""
    mode: int
    uid: int
    gid: int
    mtime: float
    """0 where the engine makes it anew in each container."""
    target: str
    """Of a symbolic link."""
    digest: str
    """Of a regular file; empty of all else."""
    has_capability: bool

    def __str__(self) -> str:
        """`755 0:0`, and whether it has a file capability: what tests of access are about."""
        shown = f"{self.mode:o} {self.uid}:{self.gid}"
        return f"{shown} capability" if self.has_capability else shown


def exported(docker: Engine, image: str) -> Mapping[str, File]:
    """All that is in a container of `image`, by absolute path."""
    with _export(docker, image) as tar:
        return {f"/{member.name.rstrip('/')}": _file(tar, member) for member in tar}


def content_of(docker: Engine, image: str, path: str) -> str:
    """The text of one file; KeyError if it is not there."""
    with _export(docker, image) as tar:
        file = tar.extractfile(path.lstrip("/"))
        assert file is not None, path
        return file.read().decode()


def names_in(docker: Engine, image: str, path: str) -> set[str]:
    """The names of an account file: passwd, group, shadow."""
    lines = content_of(docker, image, path).splitlines()
    return {line.partition(":")[0] for line in lines}


@contextmanager
def _export(docker: Engine, image: str) -> Iterator[tarfile.TarFile]:
    identity = docker("create", "--network", "none", image)
    try:
        with tempfile.TemporaryDirectory() as directory:
            out = Path(directory) / "files.tar"
            command = ["docker", "export", "--output", os.fspath(out), identity]
            subprocess.run(command, env=docker.environment(), check=True, capture_output=True)
            with tarfile.open(out) as tar:
                yield tar
    finally:
        docker("rm", "--volumes", identity)


def _file(tar: tarfile.TarFile, member: tarfile.TarInfo) -> File:
    content = tar.extractfile(member) if member.isreg() or member.islnk() else None
    return File(
        kind=tarfile.REGTYPE if member.islnk() else member.type,
        mode=member.mode & 0o7777,  # docker puts the kind into it
        uid=member.uid,
        gid=member.gid,
        # An engine creates these anew in each container, and the directories which hold them.
        mtime=0 if member.isdir() or _is_of_the_engine(member.name) else member.mtime,
        target=member.linkname if member.issym() else "",
        digest=hashlib.sha256(content.read()).hexdigest() if content else "",
        has_capability=CAPABILITY in member.pax_headers,
    )


def _is_of_the_engine(name: str) -> bool:
    return name.startswith(("dev/", "proc", "sys")) or name in {
        ".dockerenv",
        "etc/hostname",
        "etc/hosts",
        "etc/mtab",
        "etc/resolv.conf",
    }
