"""One name in a filesystem, with all that a layer's tar says of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from minify.filetree.path import ImagePath


class Kind(Enum):
    """What an entry is. HARDLINK stands in single layers only; a merged tree has what it names."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    CHARACTER = "character device"
    BLOCK = "block device"
    FIFO = "fifo"
    HARDLINK = "hard link"


IMPLIED = -1
"""The `layer` of a directory that no layer has, but that the names of others imply."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A name, and the inode behind it."""

    path: ImagePath
    kind: Kind
    mode: int
    """The permission bits with setuid, setgid and sticky; no file type."""
    uid: int = 0
    gid: int = 0
    uname: str = ""
    gname: str = ""
    mtime: str = "0"
    """Seconds since 1970 in decimal, as exact as the layer has them."""
    xattrs: tuple[tuple[str, str], ...] = ()
    """Names and values, sorted; bytes that are no UTF-8 by surrogateescape."""
    target: str = ""
    """Where a symbolic link points, as written; a hard link's path."""
    device: tuple[int, int] = (0, 0)
    """Major and minor number."""
    link_group: int | None = None
    """The same for all names of one inode; None if no layer gave it a second name."""
    size: int = 0
    """Bytes of content, holes included; 0 for all but files."""
    layer: int = IMPLIED
    """The number of the layer that has the content, 0 the oldest."""
    offset: int = 0
    """Where the content starts in that layer's plain tar."""
    sparse: tuple[tuple[int, int], ...] | None = None
    """For a GNU sparse file, offset and size of each run of data, which are stored end to end."""

    @property
    def is_executable(self) -> bool:
        """Whether somebody may execute it."""
        return self.kind is Kind.FILE and bool(self.mode & 0o111)
