"""Layers: tars written entry by entry, and the difference of two root filesystems."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

EPOCH = 1_700_000_000
"""The mtime of everything made here, and SOURCE_DATE_EPOCH for what others make."""


class LayerWriter:
    """An uncompressed layer; parent directories come from the layers below or are made here."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def file(
        self,
        path: str,
        content: bytes | Path,
        *,
        mode: int = 0o644,
        owner: tuple[int, int] = (0, 0),
    ) -> None:
        data = content.read_bytes() if isinstance(content, Path) else content
        member = _member(path, tarfile.REGTYPE, mode, owner)
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))

    def directory(self, path: str, *, mode: int = 0o755, owner: tuple[int, int] = (0, 0)) -> None:
        self._tar.addfile(_member(path, tarfile.DIRTYPE, mode, owner))

    def symlink(self, path: str, target: str) -> None:
        member = _member(path, tarfile.SYMTYPE, 0o777, (0, 0))
        member.linkname = target
        self._tar.addfile(member)

    def whiteout(self, path: str) -> None:
        """Hides `path` of the layers below."""
        parent, _, name = path.rpartition("/")
        self.file(f"{parent}/.wh.{name}", b"", mode=0)


def _member(path: str, kind: bytes, mode: int, owner: tuple[int, int]) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path.lstrip("/"))
    member.type = kind
    member.mode = mode
    member.uid, member.gid = owner
    member.mtime = EPOCH
    return member


def open_layer(path: Path) -> tarfile.TarFile:
    """A new layer at `path`, to be closed by the caller."""
    return tarfile.open(path, "w", format=tarfile.PAX_FORMAT, encoding="utf-8")


def write_difference(lower: Path, upper: Path, out: Path) -> None:
    """Writes the layer which makes the root filesystem `upper` out of `lower`, both plain tars."""
    with tarfile.open(lower, "r:") as below, tarfile.open(upper, "r:") as above:
        old = {name: _identity(below, member) for name, member in _members(below)}
        new = dict(_members(above))
        identities = {name: _identity(above, member) for name, member in new.items()}
        changed = {name for name in new if identities[name] != old.get(name)}
        # An engine applies a layer by itself: a hard link's target must be in the same layer.
        links = {name: _name(m.linkname) for name, m in new.items() if m.islnk()}
        changed |= {target for name, target in links.items() if name in changed}
        with open_layer(out) as tar:
            writer = LayerWriter(tar)
            for name in sorted(old.keys() - new.keys()):
                parent = name.rpartition("/")[0]
                if parent in new or not parent:
                    writer.whiteout(name)
            for name, member in new.items():
                if name in changed:
                    content = above.extractfile(member) if member.isreg() else None
                    tar.addfile(member, content)


def _members(tar: tarfile.TarFile) -> Iterator[tuple[str, tarfile.TarInfo]]:
    for member in tar:
        name = _name(member.name)
        if name:
            yield name, member


def _name(path: str) -> str:
    return path.removeprefix("./").removeprefix(".").strip("/")


def _identity(tar: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[object, ...]:
    content = tar.extractfile(member) if member.isreg() else None
    digest = hashlib.sha256(content.read()).digest() if content else b""
    owner = (member.uid, member.gid, member.mode, member.mtime)
    return (member.type, member.linkname, owner, member.devmajor, member.devminor, digest)
