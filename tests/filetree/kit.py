"""Layers, trees and images in a few words, and a merged tree as a dict of short strings.

    tree = tree_of(
        ["bin -> usr/bin", "usr/bin/", file("usr/bin/sh", "#!", mode=0o755)],
        [whiteout("bin"), "b => usr/bin/sh"],
    )
    assert shown(tree) == {
        "/b": "file 0755 '#!' #1",
        "/usr": "dir 0755",
        "/usr/bin": "dir 0755",
        "/usr/bin/sh": "file 0755 '#!' #1",
    }

A member is a `Member` or a string: `name/` is a directory, `name -> target` a symbolic link,
`name => target` a hard link, `name: content` a file, `name` alone an empty one. What a member does
not say is what most members have: mode 0755 or 0644, owner 0:0, mtime 0.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hypothesis import HealthCheck, settings

from minify.filetree import Entry, FileTree, Kind
from minify.image import Digest, Image, ImageConfig, Layer
from minify.image.blob import BytesBlob
from minify.image.jsontext import Json

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For property tests: a busy machine, or hypothesis' first run on it, is no failure."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a tar archive."""

    name: str
    type: bytes = tarfile.REGTYPE
    content: bytes = b""
    target: str = ""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    uname: str = ""
    gname: str = ""
    mtime: str = "0"
    device: tuple[int, int] = (0, 0)
    records: Mapping[str, str] = field(default_factory=dict)
    """More PAX records."""

    def tarinfo(self) -> tarfile.TarInfo:
        info = tarfile.TarInfo(self.name)
        info.type, info.linkname, info.size = self.type, self.target, len(self.content)
        info.mode, info.uid, info.gid = self.mode, self.uid, self.gid
        info.uname, info.gname = self.uname, self.gname
        info.mtime = int(self.mtime.partition(".")[0])
        info.devmajor, info.devminor = self.device
        exact = {"mtime": self.mtime} if "." in self.mtime else {}
        info.pax_headers = {**exact, **self.records}
        return info


Members = Iterable[Member | str]
Dialect = Literal[0, 1, 2]
"""`tarfile.USTAR_FORMAT`, `GNU_FORMAT` or `PAX_FORMAT`."""


def file(
    name: str,
    content: str | bytes = b"",
    *,
    mode: int = 0o644,
    uid: int = 0,
    gid: int = 0,
    mtime: str = "0",
    xattrs: Mapping[str, str] | None = None,
) -> Member:
    """A regular file; a text's content is its UTF-8."""
    data = content.encode() if isinstance(content, str) else content
    records = {f"SCHILY.xattr.{key}": value for key, value in (xattrs or {}).items()}
    return Member(name, content=data, mode=mode, uid=uid, gid=gid, mtime=mtime, records=records)


def directory(
    name: str, *, mode: int = 0o755, uid: int = 0, gid: int = 0, mtime: str = "0"
) -> Member:
    return Member(name, tarfile.DIRTYPE, mode=mode, uid=uid, gid=gid, mtime=mtime)


def symlink(name: str, target: str) -> Member:
    return Member(name, tarfile.SYMTYPE, target=target, mode=0o777)


def hardlink(name: str, target: str) -> Member:
    return Member(name, tarfile.LNKTYPE, target=target)


def fifo(name: str) -> Member:
    return Member(name, tarfile.FIFOTYPE)


def character(name: str, major: int, minor: int) -> Member:
    return Member(name, tarfile.CHRTYPE, device=(major, minor))


def block(name: str, major: int, minor: int) -> Member:
    return Member(name, tarfile.BLKTYPE, device=(major, minor))


def whiteout(name: str) -> Member:
    """The mark that hides `name` of lower layers."""
    above, slash, last = name.rpartition("/")
    return Member(f"{above}{slash}.wh.{last}", mode=0)


def opaque(name: str) -> Member:
    """The mark that hides what lower layers have in the directory `name`."""
    return Member(f"{name}/.wh..wh..opq", mode=0)


def member(described: Member | str) -> Member:
    """The member that a string describes."""
    if isinstance(described, Member):
        return described
    for sign, make in ((" -> ", symlink), (" => ", hardlink), (": ", file)):
        name, found, rest = described.partition(sign)
        if found:
            return make(name, rest)
    return directory(described) if described.endswith("/") else file(described)


def tar_of(members: Members, *, dialect: Dialect = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive of `members`, in their order, with its end marker and no more."""
    out = io.BytesIO()
    for described in members:
        one = member(described)
        info = one.tarinfo()
        out.write(info.tobuf(dialect, "utf-8", "surrogateescape"))
        out.write(one.content + bytes(-len(one.content) % 512))
    return out.getvalue() + bytes(1024)


def layer_of(data: bytes, number: int = 0, *, plain: bytes | None = None) -> Layer:
    """A layer that is stored as `data` and can be verified; `plain` is its tar if compressed."""
    diff_id = Digest.of(data if plain is None else plain)
    return Layer(BytesBlob(data), f"layer {number}", diff_id, Digest.of(data), len(data))


def layers_of(*layers: Members) -> tuple[Layer, ...]:
    return tuple(layer_of(tar_of(members), number) for number, members in enumerate(layers))


def tree_of(*layers: Members) -> FileTree:
    """The merged tree of layers with these members, the oldest first."""
    return FileTree.from_layers(layers_of(*layers))


def image_of(run: Mapping[str, Json], *layers: Members) -> Image:
    """An image for linux/amd64 with `run` as its config's `config` object."""
    made = layers_of(*layers)
    config = ImageConfig.new(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in made]},
        },
        "test: the config",
    )
    return Image("test", config, made)


def shown(tree: FileTree) -> dict[str, str]:
    """Every path of `tree` and what is there; the root only if it is not the usual one."""
    whole: dict[str, str] = {
        path: described(entry, tree) for path, entry in sorted(tree.entries.items())
    }
    if whole["/"] == "dir 0755":
        del whole["/"]
    return whole


_SHORT = {
    Kind.FILE: "file",
    Kind.DIRECTORY: "dir",
    Kind.SYMLINK: "link",
    Kind.HARDLINK: "hard link",
    Kind.CHARACTER: "char",
    Kind.BLOCK: "block",
    Kind.FIFO: "fifo",
}


def described(entry: Entry, tree: FileTree | None = None) -> str:
    """An entry in a few words; a file's content comes from `tree`.

    The mode, but of links; the owner unless it is 0:0; a device's numbers; the content; where a
    link points; `@` and the mtime unless it is 0; xattrs; `#` and the number of the link group.
    """
    parts = [_SHORT[entry.kind], *_owner(entry)]
    if entry.kind in (Kind.CHARACTER, Kind.BLOCK):
        parts.append("{},{}".format(*entry.device))
    if entry.kind is Kind.FILE and tree is not None:
        parts.append(_text(tree.read(entry)))
    if entry.target:
        parts.append(f"-> {entry.target}")
    if entry.mtime != "0":
        parts.append(f"@{entry.mtime}")
    parts += [f"{name}={value!r}" for name, value in entry.xattrs]
    if entry.link_group is not None:
        parts.append(f"#{entry.link_group}")
    return " ".join(parts)


def _owner(entry: Entry) -> Sequence[str]:
    parts = []
    if entry.kind is not Kind.SYMLINK:
        parts.append(f"{entry.mode:04o}")
    if (entry.uid, entry.gid) != (0, 0):
        parts.append(f"{entry.uid}:{entry.gid}")
    if entry.uname or entry.gname:
        parts.append(f"({entry.uname}:{entry.gname})")
    return parts


def _text(content: bytes) -> str:
    return repr(content.decode("utf-8", "surrogateescape"))
