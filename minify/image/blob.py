"""Stored bytes that can be opened any number of times, wherever they lie.

Every medium ends here: a region of a file on the host. A stream from a daemon is spooled to an
unnamed temporary file first. Reads go through `os.pread`, so that any number of streams share one
descriptor.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from minify.errors import ImageError, OutputError


class Stream(Protocol):
    """Bytes with a position, read from the start."""

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes, fewer only at the end."""

    def seek(self, offset: int, /) -> None:
        """Moves to `offset` bytes from the start; beyond the end, reads give nothing."""

    def tell(self) -> int:
        """The position, in bytes from the start."""


class Blob(Protocol):
    """Bytes that can be opened any number of times; each stream has its own position."""

    def open(self) -> Stream: ...

    def check_unchanged(self) -> None:
        """Raises ImageError if the bytes may have changed since the blob was made.

        Of a blob that is still on its way: if they are not what they should be, once all are there.
        """


class SizedBlob(Blob, Protocol):
    """A blob whose number of bytes is known."""

    @property
    def size(self) -> int: ...


class HostFile:
    """An open file of the host, closed when the last blob in it is forgotten."""

    def __init__(self, fd: int, name: str) -> None:
        """Takes the descriptor over; `name` is what messages call the file."""
        self.fd = fd
        self.name = name
        self._identity = self._state()
        weakref.finalize(self, os.close, fd)

    @classmethod
    def open(cls, path: Path, name: str) -> HostFile:
        """The regular file at `path`; OSError if it cannot be opened."""
        # O_NONBLOCK: a FIFO would otherwise wait for a writer for ever.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return cls(fd, name)

    @property
    def size(self) -> int:
        """The size in bytes when the file was opened."""
        return self._identity[0]

    def _state(self) -> tuple[int, int]:
        status = os.fstat(self.fd)
        return status.st_size, status.st_mtime_ns

    def check_unchanged(self) -> None:
        """Raises ImageError if size or mtime differ from when the file was opened."""
        if self._state() != self._identity:
            raise ImageError(f"{self.name} was changed while it was read; run minify again")


@dataclass(frozen=True, slots=True)
class FileBlob:
    """The `size` bytes from `offset` of a host file."""

    file: HostFile
    offset: int
    size: int

    @classmethod
    def whole(cls, file: HostFile) -> FileBlob:
        return cls(file, 0, file.size)

    def open(self) -> Stream:
        return _FileStream(self)

    def check_unchanged(self) -> None:
        self.file.check_unchanged()


@dataclass(frozen=True, slots=True)
class BytesBlob:
    """A blob in memory: configs, manifests, tests."""

    data: bytes

    def open(self) -> Stream:
        return _BytesStream(self.data)

    def check_unchanged(self) -> None:
        return None


class _FileStream:
    def __init__(self, blob: FileBlob) -> None:
        self._blob = blob
        self._position = 0

    def read(self, size: int, /) -> bytes:
        blob = self._blob
        size = min(size, blob.size - self._position)
        if size <= 0:
            return b""
        try:
            data = os.pread(blob.file.fd, size, blob.offset + self._position)
            if len(data) < size:
                data = self._read_on(data, size)
        except OSError as error:
            raise ImageError(f"{blob.file.name} cannot be read: {error.strerror}") from error
        self._position += size
        return data

    def _read_on(self, data: bytes, size: int) -> bytes:
        """`pread` may give less than asked for: 2 GiB at most on Linux, and nothing at the end."""
        blob = self._blob
        while len(data) < size:
            at = blob.offset + self._position + len(data)
            more = os.pread(blob.file.fd, size - len(data), at)
            if not more:
                raise ImageError(f"{blob.file.name} was shortened while it was read")
            data += more
        return data

    def seek(self, offset: int, /) -> None:
        self._position = offset

    def tell(self) -> int:
        return self._position


class _BytesStream:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def read(self, size: int, /) -> bytes:
        data = self._data[self._position : self._position + size]
        self._position += len(data)
        return data

    def seek(self, offset: int, /) -> None:
        self._position = offset

    def tell(self) -> int:
        return self._position


def read_all(blob: Blob, *, limit: int, name: str) -> bytes:
    """All bytes of a small blob; ImageError if it is larger than `limit` bytes."""
    data = blob.open().read(limit + 1)
    if len(data) > limit:
        raise ImageError(f"{name} is larger than {limit:,} bytes, which no such document is")
    return data


class Spool:
    """An unnamed temporary file that grows, is read back, and is gone when it is forgotten."""

    def __init__(self, name: str) -> None:
        """`name` is what messages call the bytes in it. OutputError if there is no room."""
        self._name = name
        self._directory = tempfile.gettempdir()
        try:
            with tempfile.TemporaryFile(prefix="minify-") as temporary:
                self._fd = os.dup(temporary.fileno())
        except OSError as error:
            raise self._no_room(error) from error
        weakref.finalize(self, os.close, self._fd)
        self.size = 0

    def write(self, data: bytes) -> None:
        """Appends `data`; OutputError if there is no room for it."""
        view = memoryview(data)
        while view:
            try:
                written = os.pwrite(self._fd, view, self.size)
            except OSError as error:
                raise self._no_room(error) from error
            self.size += written
            view = view[written:]

    def read_at(self, offset: int, size: int) -> bytes:
        """The `size` bytes from `offset`, fewer at the end of what was written."""
        return os.pread(self._fd, size, offset)

    def blob(self) -> FileBlob:
        """What was written so far, as a blob that lives on without this spool."""
        return FileBlob.whole(HostFile(os.dup(self._fd), self._name))

    def _no_room(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self._directory}: the temporary file for {self._name} cannot be written:"
            f" {error.strerror}; set TMPDIR to a directory with more room"
        )


def spooled(chunks: Iterable[bytes], name: str) -> FileBlob:
    """The bytes of `chunks` in a temporary file, for media that can be read only once."""
    spool = Spool(name)
    for chunk in chunks:
        spool.write(chunk)
    return spool.blob()
