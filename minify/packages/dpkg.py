"""dpkg's database.

https://man7.org/linux/man-pages/man5/deb-control.5.html
https://wiki.debian.org/DpkgTricks
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from minify.filetree import FileTree, ImagePath, Kind, image_path
from minify.filetree.path import decoded
from minify.packages.package import Package

_STATUS = "/var/lib/dpkg/status"
_INFO = ImagePath("/var/lib/dpkg/info")
_LARGEST = 64 << 20
_SEPARATOR = re.compile(r"[,|]")


def read(tree: FileTree) -> Iterator[Package]:
    """The installed packages; none where there is no database."""
    status = tree.file(_STATUS)
    if status is None or status.size > _LARGEST:
        return
    for paragraph in decoded(tree.read(status)).split("\n\n"):
        fields = _fields(paragraph)
        name = fields.get("package", "")
        if name and fields.get("status", "").endswith(" installed"):
            source = fields.get("source", "").partition(" ")[0] or name
            paths = _paths(tree, name, fields.get("architecture", ""))
            yield Package(name, fields.get("version", ""), source, paths, _depends(fields))


def _fields(paragraph: str) -> dict[str, str]:
    lines = (line.partition(":") for line in paragraph.split("\n") if line[:1] not in (" ", "\t"))
    return {key.lower(): value.strip() for key, _, value in lines}


def _depends(fields: dict[str, str]) -> tuple[str, ...]:
    """The names in Depends and Pre-Depends, without versions and architectures."""
    text = f"{fields.get('pre-depends', '')},{fields.get('depends', '')}"
    names = (one.strip().partition(" ")[0].partition(":")[0] for one in _SEPARATOR.split(text))
    return tuple(dict.fromkeys(name for name in names if name))


def _paths(tree: FileTree, name: str, architecture: str) -> tuple[ImagePath, ...]:
    for stem in (name, f"{name}:{architecture}"):
        entry = tree.get(f"{_INFO}/{stem}.list") if "/" not in stem else None
        if entry is not None and entry.kind is Kind.FILE and entry.size <= _LARGEST:
            lines = decoded(tree.read(entry)).split("\n")
            return tuple(path for line in lines if (path := _path(line)) is not None)
    return ()


def _path(line: str) -> ImagePath | None:
    try:
        path = image_path(line)
    except ValueError:
        return None
    return path if line.startswith("/") and line != "/." else None
