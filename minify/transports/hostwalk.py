"""The entries of a host's directory as tar headers, in an order that is the same for the same tree.

Headers carry what an image keeps: mode, owner ids, mtime to the nanosecond, file capabilities and
`user.` attributes, hard links. Names of owners are the host's and stay out; so do other attributes
(`security.selinux`, ACLs, `trusted.overlay.`), which belong to the host's policy and mounts.
"""

from __future__ import annotations

import os
import posixpath
import stat
import tarfile
from collections.abc import Iterator
from typing import NamedTuple

from minify.errors import ImageError
from minify.transports.hostdir import HostDirectory

# No program can open a longer path; a deeper tree is made to take for ever.
_LONGEST_PATH = 4_096

_TYPES = {
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
}


class Found(NamedTuple):
    """One entry as it was found."""

    path: bytes
    """Relative to the directory; empty for the directory itself."""
    header: bytes
    size: int
    """The bytes of content that follow the header."""
    changed: int
    """The inode's ctime in nanoseconds: any change to the file changes it."""
    is_listed: bool
    """Whether it is a directory whose entries follow."""


class Walk:
    """Finds the entries below a directory.

    Sockets are left out, since a tar cannot hold them. A directory that must not be listed is shown
    as empty: this user's programs could not have used what is in it. On `pseudo` devices nothing is
    opened: a directory there is shown as an empty one, any other file as an empty file.
    """

    def __init__(self, root: HostDirectory, pseudo: frozenset[int]) -> None:
        self._root = root
        self._pseudo = pseudo
        self._first_names: dict[tuple[int, int], bytes] = {}  # of files with several

    def entries(self) -> Iterator[Found]:
        """All entries: the directory, then those in it by name, then what is below each."""
        yield self._root_entry()
        pending = [b""]
        while pending:
            inner = []
            for found in self._listed(pending.pop()):
                yield found
                if found.is_listed:
                    inner.append(found.path)
            pending += reversed(inner)

    def again(self, path: bytes) -> Found | None:
        """The entry at `path` as it is now; None if it is no longer there."""
        if not path:
            return self._root_entry()
        parent, name = posixpath.split(path)
        try:
            fd = self._root.open_directory(parent)
        except OSError:
            return None
        try:
            return self._entry(fd, parent, name)
        finally:
            os.close(fd)

    def _root_entry(self) -> Found:
        status = self._root.status()
        if status.st_dev in self._pseudo:
            raise ImageError(
                f"{self._root.name} lies on a pseudo file system; expected a root filesystem"
            )
        # "./" and not "": and with these bytes the tar is not taken for a compressed one.
        return self._found(b"", tarfile.TarInfo("./"), status)

    def _listed(self, parent: bytes) -> Iterator[Found]:
        try:
            fd = self._root.open_directory(parent)
        except OSError:  # not for this user, or no longer a directory
            return
        try:
            for name in _sorted_names(fd):
                found = self._entry(fd, parent, name)
                if found is not None:
                    yield found
        finally:
            os.close(fd)

    def _entry(self, directory: int, parent: bytes, name: bytes) -> Found | None:
        """None for a socket, and for what has gone since the directory was listed."""
        path = posixpath.join(parent, name)
        if len(path) >= _LONGEST_PATH:
            raise ImageError(
                f"{self._root.name}: a path of {len(path):,} bytes below"
                f" /{os.fsdecode(path[:60])}… is longer than any program can open"
            )
        info = tarfile.TarInfo(path.decode("utf-8", "surrogateescape"))
        try:
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                target = os.readlink(name, dir_fd=directory)
                info.linkname = target.decode("utf-8", "surrogateescape")
        except OSError:
            return None
        if stat.S_ISSOCK(status.st_mode):
            return None
        if status.st_dev in self._pseudo:
            return _shown_empty(path, info, stat.S_IFMT(status.st_mode))
        if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
            # The calls take no dir_fd; the magic link is the directory itself, whatever its path.
            info.pax_headers = _attributes(b"/proc/self/fd/%d/%b" % (directory, name))
        return self._found(path, info, status)

    def _found(self, path: bytes, info: tarfile.TarInfo, status: os.stat_result) -> Found:
        kind = stat.S_IFMT(status.st_mode)
        info.type = _TYPES[kind]
        info.mode = stat.S_IMODE(status.st_mode)
        info.uid, info.gid = status.st_uid, status.st_gid
        info.mtime, fraction = divmod(status.st_mtime_ns, 1_000_000_000)
        if fraction:
            info.pax_headers = {**info.pax_headers, "mtime": _seconds(status.st_mtime_ns)}
        if kind in (stat.S_IFCHR, stat.S_IFBLK):
            info.devmajor, info.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
        if kind == stat.S_IFREG:
            info.size = status.st_size
        if kind != stat.S_IFDIR and status.st_nlink > 1:
            first = self._first_names.setdefault((status.st_dev, status.st_ino), path)
            if first != path:
                info.type, info.size = tarfile.LNKTYPE, 0
                info.linkname = first.decode("utf-8", "surrogateescape")
        return Found(path, _header(info), info.size, status.st_ctime_ns, kind == stat.S_IFDIR)


def _sorted_names(directory: int) -> list[bytes]:
    """The names in an open directory, by their bytes; none if it must not be listed."""
    try:
        return sorted(map(os.fsencode, os.listdir(directory)))
    except OSError:
        return []


def _shown_empty(path: bytes, info: tarfile.TarInfo, kind: int) -> Found | None:
    """What stands for a mount point of the kernel's: nothing in it is the image's."""
    if kind not in (stat.S_IFDIR, stat.S_IFREG):
        return None
    info.type = _TYPES[kind]
    info.mode = 0o755 if kind == stat.S_IFDIR else 0o644
    return Found(path, _header(info), 0, 0, is_listed=False)


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _seconds(nanoseconds: int) -> str:
    """A pax time: seconds with as many digits after the point as there are."""
    sign = "-" if nanoseconds < 0 else ""
    whole, fraction = divmod(abs(nanoseconds), 1_000_000_000)
    return f"{sign}{whole}.{fraction:09}".rstrip("0")


def _attributes(path: bytes) -> dict[str, str]:
    """The attributes of the file at `path` that an image keeps, as pax records."""
    records = {}
    for key in sorted(_attribute_names(path)):
        is_own = key.startswith("user.") and not key.startswith("user.overlay.")
        if is_own or key == "security.capability":
            try:
                value = os.getxattr(path, key, follow_symlinks=False)
            except OSError:  # not for this user, as the content is not
                continue
            name = os.fsencode(key).decode("utf-8", "surrogateescape")
            records[f"SCHILY.xattr.{name}"] = value.decode("utf-8", "surrogateescape")
    return records


def _attribute_names(path: bytes) -> list[str]:
    try:
        return os.listxattr(path, follow_symlinks=False)
    except OSError:  # the file system has none, or the file has gone
        return []
