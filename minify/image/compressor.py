"""How a layer's tar is compressed, on all cores and to the same bytes on any machine.

    with compressor(Compression.GZIP) as pack:
        stored = pack.compress(plain) + pack.flush()

What is cut apart for the threads depends on the bytes alone, never on how many threads there are,
which is first or how the caller's calls are cut: docs/decisions/0002-compression.md.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from zlib_ng.zlib_ng import DEFLATED, Z_FINISH, Z_SYNC_FLUSH, compressobj, crc32, crc32_combine

from minify.image.compression import Compression

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# The layer is read and hashed three times as fast as one thread compresses it: more would wait.
_MOST_THREADS = 4

_GZIP_LEVEL = 5
_GZIP_BLOCK = 1 << 20
# No more than this is ever referred back to: https://www.rfc-editor.org/rfc/rfc1951, section 2.
_GZIP_WINDOW = 1 << 15
# No flags, no time, no hint at the level, and of no known operating system.
_GZIP_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
# One that is compressed and one that waits, so that no thread does.
_GZIP_BLOCKS_EACH = 2

_ZSTD_LEVEL = 9
# The library's own choice is 16 MiB, which takes 70 MB a thread for 1% of the size.
_ZSTD_JOB = 1 << 22
_ZSTD_INPUT = 1 << 18


class Compressor(Protocol):
    """Turns plain bytes into stored ones, the same on every machine."""

    def compress(self, data: bytes, /) -> bytes:
        """Takes the next bytes; gives what is ready of the stored ones, which may be nothing."""

    def flush(self) -> bytes:
        """The rest. Nothing may follow."""


@contextmanager
def compressor(compression: Compression, threads: int | None = None) -> Iterator[Compressor]:
    """A fresh compressor at the level minify writes with; its header names no time or file.

    The output is a function of the bytes alone. `threads` are as many as there are cores, four at
    most; they have ended when the context is left, in whatever way that is.
    """
    threads = threads or min(os.cpu_count() or 1, _MOST_THREADS)
    if compression is Compression.GZIP:
        pool = ThreadPoolExecutor(threads, "compressor")
        try:
            yield _Gzip(pool, threads * _GZIP_BLOCKS_EACH)
        finally:
            pool.shutdown(cancel_futures=True)
    elif compression is Compression.ZSTD:
        yield _Zstd(threads)
    else:
        yield _Plain()


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


class _Blocks:
    """Cuts what comes in pieces of any size into blocks of one size."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._waiting = bytearray()

    def add(self, data: bytes) -> Iterator[bytes]:
        """The blocks that are full now."""
        self._waiting += data
        while len(self._waiting) >= self._size:
            yield bytes(self._waiting[: self._size])
            del self._waiting[: self._size]

    def rest(self) -> bytes:
        """What filled no block; shorter than one, and maybe empty."""
        return bytes(self._waiting)


class _Deflated(NamedTuple):
    """A block as it is stored, and what the trailer has to know of it."""

    stored: bytes
    crc: int
    size: int


def _deflated(block: bytes, before: bytes, flush: int) -> _Deflated:
    """One block by a compressor of its own, which knows the window `before` it."""
    pack = compressobj(_GZIP_LEVEL, DEFLATED, -15, zdict=before)
    stored = pack.compress(block) + pack.flush(flush)
    return _Deflated(stored, crc32(block), len(block))


class _Gzip:
    """One gzip member of blocks that were compressed side by side.

    A block ends with an empty stored one (a sync flush), so that the next begins at a whole byte.
    Only a few blocks are held at a time: a caller who is faster waits for the oldest.
    """

    def __init__(self, pool: ThreadPoolExecutor, most: int) -> None:
        """`most` blocks are under way at a time."""
        self._pool = pool
        self._most = most
        self._under_way: deque[Future[_Deflated]] = deque()
        self._blocks = _Blocks(_GZIP_BLOCK)
        self._window = b""
        self._crc = 0
        self._size = 0
        self._header = _GZIP_HEADER

    def compress(self, data: bytes, /) -> bytes:
        return b"".join(self._compressed(data))

    def flush(self) -> bytes:
        self._start(self._blocks.rest(), Z_FINISH)
        rest = b"".join(self._done(0))
        trailer = self._crc.to_bytes(4, "little") + (self._size % (1 << 32)).to_bytes(4, "little")
        return rest + trailer

    def _compressed(self, data: bytes) -> Iterator[bytes]:
        for block in self._blocks.add(data):
            self._start(block, Z_SYNC_FLUSH)
            yield from self._done(self._most)

    def _start(self, block: bytes, flush: int) -> None:
        self._under_way.append(self._pool.submit(_deflated, block, self._window, flush))
        self._window = block[-_GZIP_WINDOW:]

    def _done(self, most: int) -> Iterator[bytes]:
        """What is stored next, until only `most` blocks are still under way."""
        yield self._header
        self._header = b""
        while len(self._under_way) > most:
            done = self._under_way.popleft().result()
            self._crc = crc32_combine(self._crc, done.crc, done.size)
            self._size += done.size
            yield done.stored


class _Zstd:
    """One zstd frame. The library's threads give the same for any number of them but none."""

    def __init__(self, threads: int) -> None:
        self._pack = zstd.ZstdCompressor(
            options={
                zstd.CompressionParameter.compression_level: _ZSTD_LEVEL,
                zstd.CompressionParameter.nb_workers: threads,
                zstd.CompressionParameter.job_size: _ZSTD_JOB,
            }
        )
        # That its jobs are cut by bytes alone is nowhere promised, so it gets them in one way only.
        self._blocks = _Blocks(_ZSTD_INPUT)

    def compress(self, data: bytes, /) -> bytes:
        return b"".join([self._pack.compress(block) for block in self._blocks.add(data)])

    def flush(self) -> bytes:
        return self._pack.compress(self._blocks.rest()) + self._pack.flush()
