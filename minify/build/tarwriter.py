"""Tar members as layers have them, written with the stdlib's `tarfile`.

PAX format throughout, as docker and containerd write it; a member that plain ustar can express has
no extended header.
"""

from __future__ import annotations

import tarfile

from minify.filetree import Entry, Kind
from minify.filetree.path import ImagePath

BLOCK = 512
END = bytes(2 * BLOCK)
"""The end marker: two zero blocks, and no padding to a record, as Go's writer does it."""

_TYPES = {
    Kind.FILE: tarfile.REGTYPE,
    Kind.DIRECTORY: tarfile.DIRTYPE,
    Kind.SYMLINK: tarfile.SYMTYPE,
    Kind.CHARACTER: tarfile.CHRTYPE,
    Kind.BLOCK: tarfile.BLKTYPE,
    Kind.FIFO: tarfile.FIFOTYPE,
    Kind.HARDLINK: tarfile.LNKTYPE,
}


def header(entry: Entry, first_name: ImagePath | None = None) -> bytes:
    """The header block or blocks of `entry`.

    `first_name` makes it a hard link to that earlier member; then it has no content.
    """
    info = tarfile.TarInfo(_member_name(entry.path))
    info.type = tarfile.LNKTYPE if first_name else _TYPES[entry.kind]
    info.linkname = _member_name(first_name) if first_name else entry.target
    info.size = 0 if first_name else entry.size
    info.mode = entry.mode
    info.uid, info.gid = entry.uid, entry.gid
    info.uname, info.gname = entry.uname, entry.gname
    info.devmajor, info.devminor = entry.device
    seconds, dot, _ = entry.mtime.partition(".")
    info.mtime = int(seconds)
    # A link's inode has been described by its first name; writers of layers repeat nothing either.
    xattrs = () if first_name else entry.xattrs
    records = {f"SCHILY.xattr.{name}": value for name, value in xattrs}
    if dot:
        # tarfile's own mtime is a float, which has no room for nanoseconds.
        records["mtime"] = entry.mtime
    info.pax_headers = records
    # The encoding is stated since the default is the locale's.
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def padding(size: int) -> bytes:
    """The zeros between `size` bytes of content and the next header."""
    return bytes(-size % BLOCK)


def _member_name(path: ImagePath) -> str:
    return path[1:] or "./"
