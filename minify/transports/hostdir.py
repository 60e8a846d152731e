"""A directory of the host, read below its own descriptor and never through a link.

Every path is walked one component at a time with O_NOFOLLOW, so that neither a link in the
directory nor one that is put there meanwhile leads out of it, and at most two descriptors are open
at once, however deep it goes.
"""

from __future__ import annotations

import os
import posixpath
import stat
import weakref
from pathlib import Path

from minify.errors import ImageError

_DIRECTORY = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY | os.O_NOFOLLOW
# O_NONBLOCK: the entry may have become a FIFO since it was looked at.
_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY
_MOST_HOPS = 40


class HostDirectory:
    """An open directory; paths are relative to it, as the bytes that the system has."""

    def __init__(self, path: Path, name: str) -> None:
        """Opens `path`, which may be a link itself. ImageError if it is no directory."""
        self.name = name
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        except NotADirectoryError as error:
            raise ImageError(
                f"{name}: {path} is no directory; expected a root filesystem. For an archive say"
                f" docker-archive:{path} or oci-archive:{path}"
            ) from error
        except OSError as error:
            raise ImageError(f"{name}: {path} cannot be opened: {error.strerror}") from error
        weakref.finalize(self, os.close, self._fd)

    def status(self) -> os.stat_result:
        """The directory's own status."""
        return os.fstat(self._fd)

    def open_directory(self, path: bytes) -> int:
        """A descriptor of the directory at `path`, empty for this one; OSError if it is none."""
        fd = os.dup(self._fd)
        for part in path.split(b"/") if path else ():
            try:
                inner = os.open(part, _DIRECTORY, dir_fd=fd)
            finally:
                os.close(fd)
            fd = inner
        return fd

    def open_file(self, path: bytes) -> int:
        """A descriptor of what is at `path` if it is no link; OSError if it cannot be had."""
        parent, name = posixpath.split(path)
        fd = self.open_directory(parent)
        try:
            return os.open(name, _FILE, dir_fd=fd)
        finally:
            os.close(fd)

    def resolve(self, path: bytes) -> bytes | None:
        """The regular file that `path` leads to, links taken as inside; None if there is none."""
        wanted = path.split(b"/")[::-1]
        done: list[bytes] = []
        hops = 0
        while wanted:
            part = wanted.pop()
            if part == b"..":
                del done[-1:]
            elif part not in (b"", b"."):
                target = self._link(b"/".join([*done, part]))
                if target is None:
                    done.append(part)
                    continue
                hops += 1
                if hops > _MOST_HOPS:
                    return None
                wanted += target.split(b"/")[::-1]
                if target.startswith(b"/"):
                    done.clear()
        return b"/".join(done) if self._is_file(b"/".join(done)) else None

    def _status_of(self, path: bytes) -> tuple[int, bytes | None]:
        """The mode of what is at `path`, and its target if it is a link."""
        parent, name = posixpath.split(path)
        fd = self.open_directory(parent)
        try:
            mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
            return mode, os.readlink(name, dir_fd=fd) if stat.S_ISLNK(mode) else None
        finally:
            os.close(fd)

    def _link(self, path: bytes) -> bytes | None:
        try:
            return self._status_of(path)[1]
        except OSError:
            return None

    def _is_file(self, path: bytes) -> bool:
        try:
            return stat.S_ISREG(self._status_of(path)[0])
        except OSError:
            return False
