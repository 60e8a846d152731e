"""What is written: the same bytes for any number of threads, readable by all, nothing left over."""

from __future__ import annotations

import gzip
import hashlib
import sys
import threading
from functools import cache

import pytest

from minify.image.compression import Compression
from minify.image.compressor import compressor

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BLOCK = 1 << 20
COMPRESSED = (Compression.GZIP, Compression.ZSTD)


@cache
def _plain(size: int) -> bytes:
    """Bytes that compress well and differ from block to block, the same everywhere."""
    lines = (
        hashlib.sha256(str(number * number % 997).encode()).digest() + number.to_bytes(4)
        for number in range(size // 36 + 1)
    )
    return b"".join(lines)[:size]


LARGE = 6 * BLOCK + 12_345


def _written(
    data: bytes, compression: Compression, threads: int | None = None, cut: int = 100_000
) -> bytes:
    parts = [data[start : start + cut] for start in range(0, len(data), cut)]
    with compressor(compression, threads) as one:
        return b"".join([one.compress(part) for part in parts]) + one.flush()


def _unpacked(stored: bytes, compression: Compression) -> bytes:
    """By the standard library."""
    if compression is Compression.GZIP:
        return gzip.decompress(stored)
    return zstd.decompress(stored) if compression is Compression.ZSTD else stored


@pytest.mark.parametrize("compression", COMPRESSED)
def test_any_number_of_threads_gives_the_same_bytes(compression: Compression) -> None:
    one = _written(_plain(LARGE), compression, 1)
    assert _unpacked(one, compression) == _plain(LARGE)
    for threads in (2, 4, 9, None):
        assert _written(_plain(LARGE), compression, threads) == one


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize("cut", [512, 1 << 18, BLOCK, 3 * BLOCK + 1, LARGE])
def test_what_is_written_does_not_depend_on_how_it_is_cut(
    compression: Compression, cut: int
) -> None:
    written = _written(_plain(LARGE), compression, 2, cut)
    assert written == _written(_plain(LARGE), compression, 2)


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize(
    "size", [0, 1, (1 << 15) - 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 4 * BLOCK + 1]
)
def test_any_size_is_read_by_others(compression: Compression, size: int) -> None:
    data = _plain(LARGE)[:size]
    assert _unpacked(_written(data, compression), compression) == data


def test_these_bytes_are_written_on_every_machine() -> None:
    """They change with the compressor's version only: that is a line in CHANGELOG.md."""
    written = hashlib.sha256(_written(_plain(LARGE), Compression.GZIP)).hexdigest()
    assert written == "9fa55b70947f58d1c858800817d4b58705ec9ead977cd97b2732ac8c4c1d5847"


def test_a_gzip_is_one_member_that_names_no_time_and_no_system() -> None:
    written = _written(_plain(LARGE), Compression.GZIP)
    assert written[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    assert int.from_bytes(written[-4:], "little") == LARGE


def test_a_block_refers_to_what_is_before_it() -> None:
    """What is repeated across a cut costs next to nothing, as in a stream that was not cut."""
    noise = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(1000))
    data = bytes(BLOCK - len(noise)) + noise
    alone = len(_written(data, Compression.GZIP))
    assert len(_written(data + noise, Compression.GZIP)) < alone + 1000


def test_only_a_few_blocks_are_held() -> None:
    noise = hashlib.shake_128(b"").digest(BLOCK)
    with compressor(Compression.GZIP, 2) as one:
        for fed in range(1, 13):
            given = len(one.compress(noise))
            assert given >= (BLOCK if fed > 4 else 0), fed
        one.flush()


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_no_thread_stays_after_an_error(
    compression: Compression, error: type[BaseException]
) -> None:
    def broken_off() -> None:
        with compressor(compression) as one:
            one.compress(_plain(LARGE))
            raise error

    before = threading.active_count()
    with pytest.raises(error):
        broken_off()
    assert threading.active_count() == before


def test_no_thread_stays_after_the_end() -> None:
    before = threading.active_count()
    _written(_plain(LARGE), Compression.GZIP)
    assert threading.active_count() == before
