"""A directory of the host as the tar it would be, made up while it is read.

Only where each member begins is remembered. A member's header is made again, and its content read,
when somebody reads there; if the file has changed in between, that is an ImageError and never a
mixture of both.
"""

from __future__ import annotations

import tarfile
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from os import close, fsdecode, fstat
from stat import S_ISREG
from typing import NamedTuple

from minify.errors import ImageError
from minify.image.blob import FileBlob, HostFile, Stream
from minify.transports.hostdir import HostDirectory
from minify.transports.hostwalk import Walk

_END = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class HostTar:
    """A blob: the tar of a directory. Its streams share one walk, which goes as far as needed."""

    index: _Index

    @classmethod
    def of(cls, root: HostDirectory, pseudo: frozenset[int]) -> HostTar:
        """The tar of all below `root`; `pseudo` are the `st_dev` of what must not be read."""
        return cls(_Index(root, pseudo))

    def open(self) -> Stream:
        return _TarStream(self.index)

    def check_unchanged(self) -> None:
        """Nothing to compare: each content is compared with its header when it is read."""


class _Place(NamedTuple):
    """Where a member's header and content begin in the tar, and how long the content is."""

    header: int
    content: int
    size: int


class _Index:
    """Where the members lie, as far as the walk has come; a host has millions of files."""

    def __init__(self, root: HostDirectory, pseudo: frozenset[int]) -> None:
        self._root = root
        self._walk = Walk(root, pseudo)
        self._entries = self._walk.entries()
        self._headers = array("q")
        self._contents = array("q")
        self._sizes = array("q")
        self._changed = array("q")
        self._paths: list[bytes] = []
        self._newest = b""  # the header found last, which is the one read next
        self._is_whole = False
        self.end = 0
        """Where the last member that was found ends."""

    def member_at(self, offset: int) -> int | None:
        """The number of the member that holds the byte at `offset`; None behind the last one."""
        while self.end <= offset and not self._is_whole:
            self._find_next()
        return bisect_right(self._headers, offset) - 1 if offset < self.end else None

    def place(self, number: int) -> _Place:
        return _Place(self._headers[number], self._contents[number], self._sizes[number])

    def header(self, number: int) -> bytes:
        """A member's header; ImageError if the file is no longer what was indexed."""
        if number == len(self._paths) - 1:
            return self._newest
        found = self._walk.again(self._paths[number])
        length = self._contents[number] - self._headers[number]
        if (
            found is None
            or found.changed != self._changed[number]
            or len(found.header) != length
            or found.size != self._sizes[number]
        ):
            raise self._changed_error(number)
        return found.header

    def open_content(self, number: int) -> HostFile:
        """The file; ImageError if it cannot be read or is no longer what was indexed."""
        try:
            fd = self._root.open_file(self._paths[number])
        except OSError as error:
            raise ImageError(
                f"{self._name(number)} cannot be read: {error.strerror}; run minify as a user who"
                " may read it"
            ) from error
        status = fstat(fd)
        indexed = self._sizes[number], self._changed[number]
        if not S_ISREG(status.st_mode) or (status.st_size, status.st_ctime_ns) != indexed:
            close(fd)
            raise self._changed_error(number)
        return HostFile(fd, self._name(number))

    def _changed_error(self, number: int) -> ImageError:
        return ImageError(f"{self._name(number)} was changed while it was read; run minify again")

    def _name(self, number: int) -> str:
        return f"{self._root.name}: /{fsdecode(self._paths[number])}"

    def _find_next(self) -> None:
        found = next(self._entries, None)
        if found is None:
            self._is_whole = True
            return
        self._headers.append(self.end)
        self._contents.append(self.end + len(found.header))
        self._sizes.append(found.size)
        self._changed.append(found.changed)
        self._paths.append(found.path)
        self._newest = found.header
        padding = -found.size % tarfile.BLOCKSIZE
        self.end += len(found.header) + found.size + padding


class _TarStream:
    def __init__(self, index: _Index) -> None:
        self._index = index
        self._position = 0
        self._content: tuple[int, HostFile, Stream] | None = None  # of the member read last

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, /) -> None:
        self._position = offset

    def read(self, size: int, /) -> bytes:
        parts = []
        while size > 0 and (part := self._next_part(size)):
            parts.append(part)
            size -= len(part)
            self._position += len(part)
        return b"".join(parts)

    def _next_part(self, size: int) -> bytes:
        """Up to `size` bytes that lie in one header, one content or one padding."""
        number = self._index.member_at(self._position)
        if number is None:
            start = self._position - self._index.end
            return _END[start : start + size]
        place = self._index.place(number)
        if self._position < place.content:
            start = self._position - place.header
            return self._index.header(number)[start : start + size]
        offset = self._position - place.content
        if offset < place.size:
            return self._read_content(number, offset, min(size, place.size - offset))
        return bytes(min(size, -place.size % tarfile.BLOCKSIZE - (offset - place.size)))

    def _read_content(self, number: int, offset: int, size: int) -> bytes:
        if self._content is None or self._content[0] != number:
            file = self._index.open_content(number)
            self._content = number, file, FileBlob.whole(file).open()
        _, file, stream = self._content
        stream.seek(offset)
        data = stream.read(size)
        file.check_unchanged()
        return data
