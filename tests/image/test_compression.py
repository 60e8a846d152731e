from __future__ import annotations

import gzip
import io
import random
import sys
from collections.abc import Callable, Sequence

import pytest
from filetree.kit import unhurried
from hypothesis import given
from hypothesis import strategies as st

from minify.errors import ImageError
from minify.image.blob import BytesBlob
from minify.image.compression import (
    Compression,
    SeekPoints,
    detect,
    plain_stream,
)
from minify.image.compressor import compressor

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def _plain(size: int) -> bytes:
    """Bytes that compress by half or so, the same in each run."""
    source = random.Random(size)  # noqa: S311 (no secret)
    words = [source.randbytes(source.randint(1, 40)) for _ in range(200)]
    out = io.BytesIO()
    while out.tell() < size:
        out.write(source.choice(words))
        out.write(source.randbytes(6))
    return out.getvalue()[:size]


def gzipped(data: bytes, level: int = 6) -> bytes:
    return gzip.compress(data, level, mtime=0)


PLAIN = _plain(3_000_000)

SKIPPABLE = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"12345"


def _parts(data: bytes, size: int) -> Sequence[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def _gzip_members(data: bytes, size: int) -> bytes:
    return b"".join(gzipped(part, 6) for part in _parts(data, size))


def _zstd_frames(data: bytes, size: int) -> bytes:
    return b"".join(SKIPPABLE + zstd.compress(part) for part in _parts(data, size)) + SKIPPABLE


STORED: dict[str, Callable[[], bytes]] = {
    "plain": lambda: PLAIN,
    "gzip": lambda: gzipped(PLAIN, 6),
    "gzip, stored blocks": lambda: gzipped(PLAIN, 0),
    "gzip, a few members": lambda: _gzip_members(PLAIN, 700_000),
    "gzip, a member every 3,000 bytes": lambda: _gzip_members(PLAIN, 3_000),
    "gzip, empty members": lambda: gzipped(b"") + gzipped(PLAIN) + gzipped(b""),
    "gzip, header fields": lambda: _gzip_with_fields(PLAIN),
    "zstd": lambda: zstd.compress(PLAIN),
    "zstd, frames and skippable ones": lambda: _zstd_frames(PLAIN, 500_000),
    "our gzip": lambda: _compressed(PLAIN, Compression.GZIP),
    "our zstd": lambda: _compressed(PLAIN, Compression.ZSTD),
    "our plain": lambda: _compressed(PLAIN, Compression.NONE),
}


def _gzip_with_fields(data: bytes) -> bytes:
    """A file name, a comment and an extra field in the header, as RFC 1952 has them."""
    header = b"\x1f\x8b\x08\x1c" + bytes(6) + b"\x04\0extr" + b"name\0" + b"comment\0"
    return header + gzipped(data)[10:]


def _compressed(data: bytes, compression: Compression) -> bytes:
    with compressor(compression) as one:
        return b"".join([one.compress(part) for part in _parts(data, 100_000)]) + one.flush()


@pytest.fixture(params=list(STORED), scope="module")
def stored(request: pytest.FixtureRequest) -> bytes:
    return STORED[request.param]()


def test_read_in_order_gives_the_plain_bytes(stored: bytes) -> None:
    stream = plain_stream(BytesBlob(stored).open(), "layer 0")
    parts = []
    while part := stream.read(77_777):
        parts.append(part)
    assert b"".join(parts) == PLAIN
    assert stream.tell() == len(PLAIN)
    assert stream.read(1) == b""


def test_read_at_any_place_gives_the_plain_bytes_there(stored: bytes) -> None:
    stream = plain_stream(BytesBlob(stored).open(), "layer 0")
    source = random.Random(1)  # noqa: S311 (no secret)
    for _ in range(150):
        start = source.randrange(len(PLAIN) + 10)
        size = source.choice([0, 1, 512, 70_000, 600_000])
        stream.seek(start)
        assert stream.tell() == start
        assert stream.read(size) == PLAIN[start : start + size]
        assert stream.tell() == min(start + size, max(start, len(PLAIN)))


def test_reading_beyond_the_end_gives_nothing_and_harms_nothing(stored: bytes) -> None:
    stream = plain_stream(BytesBlob(stored).open(), "layer 0")
    for start in (len(PLAIN) + 1, len(PLAIN), len(PLAIN) + 100_000, 1 << 40):
        stream.seek(start)
        assert stream.read(10) == b""
    stream.seek(5)
    assert stream.read(10) == PLAIN[5:15]


@unhurried
@given(st.lists(st.tuples(st.integers(0, 70_000), st.integers(0, 70_000)), max_size=8))
def test_any_order_of_reads_gives_the_plain_bytes(reads: list[tuple[int, int]]) -> None:
    plain = PLAIN[:65_000]
    for data in (_gzip_members(plain, 9_000), _zstd_frames(plain, 9_000)):
        stream = plain_stream(BytesBlob(data).open(), "layer 0")
        for start, size in reads:
            stream.seek(start)
            assert stream.read(size) == plain[start : start + size]


# Damage.

SMALL = PLAIN[:20_000]
DAMAGEABLE = {
    "gzip": gzipped(SMALL),
    "gzip members": _gzip_members(SMALL, 6_000),
    "zstd": zstd.compress(SMALL, options={zstd.CompressionParameter.checksum_flag: 1}),
}


def _all(data: bytes) -> bytes:
    stream = plain_stream(BytesBlob(data).open(), "layer 0")
    parts = []
    while part := stream.read(4096):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("data", list(DAMAGEABLE.values()), ids=list(DAMAGEABLE))
def test_a_cut_is_never_taken_for_the_end(data: bytes) -> None:
    ends = {0, len(data)}
    if data is DAMAGEABLE["gzip members"]:
        parts = [len(gzipped(part)) for part in _parts(SMALL, 6_000)]
        ends |= {sum(parts[:count]) for count in range(len(parts))}
    for cut in sorted({*range(6, len(data), 41), *range(len(data) - 12, len(data))} - ends):
        with pytest.raises(ImageError, match=r"layer 0 is (truncated|damaged): "):
            _all(data[:cut])


@pytest.mark.parametrize("data", list(DAMAGEABLE.values()), ids=list(DAMAGEABLE))
def test_a_changed_byte_is_found_or_changes_nothing(data: bytes) -> None:
    for place in range(4, len(data), 17):
        damaged = bytearray(data)
        damaged[place] ^= 0x20
        try:
            found = _all(bytes(damaged))
        except ImageError as error:
            assert str(error).startswith("layer 0 is ")  # noqa: PT017 (either is right)
        else:
            assert found == SMALL, place


@pytest.mark.parametrize("data", list(DAMAGEABLE.values()), ids=list(DAMAGEABLE))
@pytest.mark.parametrize("garbage", [b"\0", b"x", bytes(512), b"\x1f\x8b", b"\x28\xb5\x2f"])
def test_garbage_after_the_end_is_refused(data: bytes, garbage: bytes) -> None:
    with pytest.raises(ImageError, match=r"layer 0 is (truncated|damaged): "):
        _all(data + garbage)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzipped(SMALL)[:500], "layer 0 is truncated: its gzip stream ends after 500 stored"),
        (zstd.compress(SMALL)[:500], "layer 0 is truncated: its zstd stream ends after 500 stored"),
        (
            gzipped(b"a") + b"bc",
            "no gzip follow the end of its gzip stream at stored byte 21",
        ),
        (b"\x1f\x8b\x08\xff" + bytes(99), "layer 0 is damaged: its gzip stream: Error -3"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 99, "layer 0 is damaged: its zstd stream: "),
    ],
    ids=["cut gzip", "cut zstd", "bytes after gzip", "no gzip", "no zstd"],
)
def test_the_error_names_layer_and_damage(data: bytes, message: str) -> None:
    with pytest.raises(ImageError) as caught:
        _all(data)
    assert message in str(caught.value)


# Detection.


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (b"", Compression.NONE),
        (b"etc/", Compression.NONE),
        (b"\x1f\x8b\x08\0\0\0", Compression.GZIP),
        (b"\x1f\x8bname", Compression.NONE),
        (b"\x28\xb5\x2f\xfd\0\0", Compression.ZSTD),
        (b"\x50\x2a\x4d\x18\0\0", Compression.ZSTD),
        (b"\x5f\x2a\x4d\x18\0\0", Compression.ZSTD),
        (b"\x60\x2a\x4d\x18\0\0", Compression.NONE),
    ],
)
def test_compression_is_told_by_the_first_bytes(first: bytes, expected: Compression) -> None:
    assert detect(first, "layer 0") is expected


@pytest.mark.parametrize(
    ("first", "name"),
    [(b"BZh91A", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x1f\x9d\x90", "compress")],
)
def test_compressions_that_no_image_may_use_are_named(first: bytes, name: str) -> None:
    with pytest.raises(ImageError, match=f"layer 0 is compressed with {name}; expected a plain"):
        detect(first, "layer 0")


# Seek points.


@pytest.mark.parametrize("member_size", [len(PLAIN), 5_000])
@pytest.mark.parametrize("points", [SeekPoints(1, 3), SeekPoints(1 << 16, 8), SeekPoints(1, 1)])
def test_with_few_seek_points_any_place_can_be_read(member_size: int, points: SeekPoints) -> None:
    stored = BytesBlob(_gzip_members(PLAIN, member_size)).open()
    stream = plain_stream(stored, "layer 0", points)
    assert stream.read(len(PLAIN) + 1) == PLAIN
    source = random.Random(2)  # noqa: S311 (no secret)
    for _ in range(60):
        start = source.randrange(len(PLAIN))
        stream.seek(start)
        assert stream.read(100) == PLAIN[start : start + 100]


def test_going_back_reads_from_the_nearest_point_only() -> None:
    stored = _Counting(gzipped(PLAIN))
    stream = plain_stream(stored, "layer 0", SeekPoints(1 << 18))
    stream.read(len(PLAIN))
    stored.count = 0
    stream.seek(len(PLAIN) - 400_000)
    stream.read(1)
    assert 0 < stored.count < stored.size // 4


class _Counting:
    """A stream that counts the bytes which are read."""

    def __init__(self, data: bytes) -> None:
        self._stream = BytesBlob(data).open()
        self.size = len(data)
        self.count = 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self.count += len(data)
        return data

    def seek(self, offset: int, /) -> None:
        self._stream.seek(offset)

    def tell(self) -> int:
        return self._stream.tell()
