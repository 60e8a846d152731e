"""How a layer's tar is compressed, told by its first bytes; and how it is read at any place.

Media types lie (docker's archives name none, old ones call a gzip `layer.tar`), the magic numbers
do not. Which libraries and why: docs/decisions/0002-compression.md. How one is written:
minify/image/compressor.py.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, cast

from zlib_ng.zlib_ng import decompressobj
from zlib_ng.zlib_ng import error as ZlibError  # noqa: N812 (a class, whatever its name)

from minify.errors import ImageError
from minify.image.blob import Spool, Stream

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK = 1 << 18

_GZIP_READ = 1 << 15
# Of what is decompressed to reach a place, half of this is in vain.
_GZIP_STEP = 1 << 17


class Compression(StrEnum):
    """The compressions of the image specifications."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


_MAGIC = {
    b"\x1f\x8b\x08": Compression.GZIP,
    b"\x28\xb5\x2f\xfd": Compression.ZSTD,
    **{bytes([0x50 + low, 0x2A, 0x4D, 0x18]): Compression.ZSTD for low in range(16)},
}
# Named so that the refusal can say what the user has.
_FOREIGN_MAGIC = {b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x1f\x9d": "compress"}


def detect(first_bytes: bytes, name: str) -> Compression:
    """The compression that the first six bytes show; ImageError for one no image may use."""
    for magic, compression in _MAGIC.items():
        if first_bytes.startswith(magic):
            return compression
    for magic, foreign in _FOREIGN_MAGIC.items():
        if first_bytes.startswith(magic):
            raise ImageError(
                f"{name} is compressed with {foreign}; expected a plain tar, gzip or zstd"
            )
    return Compression.NONE


@dataclass(frozen=True, slots=True)
class SeekPoints:
    """Where a gzip stream can be taken up again. Each point takes 52 KB of memory."""

    spacing: int = 1 << 19
    """How many plain bytes they are apart at first; a going back costs half of that on average."""
    most: int = 256
    """When there are more, every second one goes and the spacing doubles."""


def plain_stream(stored: Stream, name: str, points: SeekPoints = SeekPoints()) -> Stream:
    """The decompressed bytes of `stored`, readable at any place that was once reached.

    The stored bytes are read in order, each once, until the end has been reached; only going
    back reads them again. Damage raises ImageError with `name`.
    """
    compression = detect(stored.read(6), name)
    stored.seek(0)
    if compression is Compression.GZIP:
        return GzipStream(stored, name, points)
    if compression is Compression.ZSTD:
        return _ZstdStream(stored, name)
    return stored


class GzipStream:
    """A gzip file with copies of the decompressor's state as seek points.

    Their number has a bound, and so memory has one for any size of layer.
    """

    def __init__(self, stored: Stream, name: str, points: SeekPoints) -> None:
        self._stored = stored
        self._name = name
        self._spacing = points.spacing
        self._most_points = points.most
        self._points = [_Point(0, 0, _gzip_decompressor())]
        self._position = 0
        self._restart(self._points[0])

    def _restart(self, point: _Point) -> None:
        self._decompressor = point.state.copy()
        self._stored_offset = point.stored_offset  # of the first byte not consumed
        self._tail = b""  # what was read from there on already
        self._buffer = b""
        self._buffer_end = point.offset

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, /) -> None:
        self._position = offset

    def read(self, size: int, /) -> bytes:
        start = self._position
        if start < self._buffer_end - len(self._buffer) or start > self._buffer_end:
            self._go_near(start)
        skip = start - (self._buffer_end - len(self._buffer))
        if len(self._buffer) - skip < size:
            self._fill(skip, size)
            skip = 0
        data = self._buffer[skip : skip + size]
        if len(self._buffer) > 2 * CHUNK:
            self._buffer = self._buffer[skip + size :]  # not a whole file once more
        self._position += len(data)
        return data

    def _fill(self, skip: int, size: int) -> None:
        """Makes the buffer start `skip` bytes later and hold `size` bytes, if there are so many."""
        parts = [self._buffer[skip:]]
        missing = size - len(parts[0])
        while missing > 0 and (part := self._decompress()):
            parts.append(part)
            missing -= len(part)
            self._buffer_end += len(part)
        self._buffer = b"".join(parts)

    def _go_near(self, offset: int) -> None:
        """Makes the buffer hold the byte at `offset`, or be empty at the end of the bytes."""
        point = self._points[bisect_right(self._points, offset, key=lambda p: p.offset) - 1]
        if offset < self._buffer_end or point.offset > self._buffer_end:
            self._restart(point)
        while self._buffer_end <= offset:
            self._buffer = self._decompress()
            self._buffer_end += len(self._buffer)
            if not self._buffer:
                # Beyond the end: an empty buffer there reads as nothing.
                self._buffer_end = max(self._buffer_end, offset)
                return

    def _decompress(self) -> bytes:
        """The next decompressed bytes, empty only at the end of the last gzip member."""
        while True:
            if self._decompressor.eof and not self._next_member():
                return b""
            self._remember()
            at = self._stored_offset + len(self._tail)
            self._stored.seek(at)
            stored = self._tail or self._stored.read(_GZIP_READ)
            try:
                data = self._decompressor.decompress(stored, _GZIP_STEP)
            except ZlibError as error:  # type: ignore[misc]  # the stubs call it an object
                raise ImageError(f"{self._name} is damaged: its gzip stream: {error}") from error
            self._tail = self._decompressor.unconsumed_tail
            unused = len(self._decompressor.unused_data)
            self._stored_offset += len(stored) - len(self._tail) - unused
            if data:
                return data
            if not stored and not self._decompressor.eof:
                raise ImageError(
                    f"{self._name} is truncated: its gzip stream ends after"
                    f" {self._stored_offset:,} stored bytes without its end marker"
                )

    def _next_member(self) -> bool:
        """A gzip file is any number of members (RFC 1952, 2.2); eStargz has one a file."""
        self._tail = b""
        self._stored.seek(self._stored_offset)
        start = self._stored.read(2)
        if not start:
            return False
        if start != b"\x1f\x8b":
            raise ImageError(
                f"{self._name} is damaged: bytes that are no gzip follow the end of its gzip"
                f" stream at stored byte {self._stored_offset:,}"
            )
        self._decompressor = _gzip_decompressor()
        return True

    def _remember(self) -> None:
        if self._buffer_end - self._points[-1].offset < self._spacing:
            return
        state = self._decompressor.copy()
        self._points.append(_Point(self._buffer_end, self._stored_offset, state))
        if len(self._points) > self._most_points:
            self._points = self._points[::2]
            self._spacing *= 2


class _Point(NamedTuple):
    """Where a gzip stream can be taken up: a plain offset, the stored one, and zlib's state."""

    offset: int
    stored_offset: int
    state: _Decompressor


class _Decompressor(Protocol):
    """The part of zlib's decompression object that is used here."""

    eof: bool
    unconsumed_tail: bytes
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...
    def copy(self) -> _Decompressor: ...


def _gzip_decompressor() -> _Decompressor:
    return cast("_Decompressor", decompressobj(wbits=31))


class _ZstdStream:
    """A zstd file, spooled in plain as it is read: zstd's state cannot be copied."""

    def __init__(self, stored: Stream, name: str) -> None:
        self._stored = stored
        self._name = name
        self._decompressor = zstd.ZstdDecompressor()
        self._spool = Spool(f"the plain tar of {name}")
        self._position = 0
        self._stored_size = 0
        self._at_end = False

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, /) -> None:
        self._position = offset

    def read(self, size: int, /) -> bytes:
        while not self._at_end and self._spool.size < self._position + size:
            self._decompress()
        data = self._spool.read_at(self._position, size)
        self._position += len(data)
        return data

    def _decompress(self) -> None:
        try:
            self._decompress_step()
        except zstd.ZstdError as error:
            raise ImageError(f"{self._name} is damaged: its zstd stream: {error}") from error

    def _decompress_step(self) -> None:
        stored = b""
        if self._decompressor.eof:
            # The next frame; skippable ones included.
            stored = self._decompressor.unused_data or self._read_stored()
            if not stored:
                self._at_end = True
                return
            self._decompressor = zstd.ZstdDecompressor()
        elif self._decompressor.needs_input:
            stored = self._read_stored()
            if not stored:
                raise ImageError(
                    f"{self._name} is truncated: its zstd stream ends after"
                    f" {self._stored_size:,} stored bytes in mid-frame"
                )
        self._spool.write(self._decompressor.decompress(stored, CHUNK))

    def _read_stored(self) -> bytes:
        data = self._stored.read(CHUNK)
        self._stored_size += len(data)
        return data
