"""Programs and libraries are decompressed once; the same bytes are read wherever they lie."""

from __future__ import annotations

import gzip
import os
import random

import pytest

from minify.image import Digest, Layer
from minify.image.blob import BytesBlob, Stream
from minify.image.kept import Contents, Room

MAGIC = b"\x7fELF"


def _program(seed: int, size: int) -> bytes:
    return MAGIC + random.Random(seed).randbytes(size - len(MAGIC))  # noqa: S311 (no secret)


def test_what_was_added_is_read_at_its_place_in_the_tar() -> None:
    kept = Contents(Room())
    assert kept.add(512, b"abcdef")
    assert kept.add(518, b"ghi")
    assert kept.add(2048, b"xyz")
    assert [kept.read(*at) for at in ((512, 9), (516, 4), (520, 1), (2048, 3))] == [
        b"abcdefghi",
        b"efgh",
        b"i",
        b"xyz",
    ]
    assert [kept.read(*at) for at in ((511, 2), (520, 2), (1000, 1), (2050, 2))] == [None] * 4


def test_two_layers_share_one_room() -> None:
    room = Room(10)
    one, other = Contents(room), Contents(room)
    assert one.add(0, b"1234")
    assert other.add(0, b"abcd")
    assert not one.add(4, b"567")
    assert one.add(4, b"56")
    assert (one.read(0, 4), one.read(4, 2), other.read(0, 4)) == (b"1234", b"56", b"abcd")


def test_only_programs_that_there_is_room_for_are_wanted() -> None:
    kept = Contents(Room(1 << 20))
    sizes = (100, 1 << 14, 1 << 20, (1 << 20) + 1)
    assert [kept.wants(MAGIC, size) for size in sizes] == [False, True, True, False]
    assert not kept.wants(b"#!/bin/sh", 1 << 14)


def test_a_full_disk_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    full = os.open("/dev/full", os.O_RDWR)
    monkeypatch.setattr(os, "dup", lambda _: full)
    room = Room(100)
    assert not Contents(room).add(0, b"some bytes")
    assert room.left == 0


class _Counting:
    """A blob that says how many of its bytes were read."""

    def __init__(self, data: bytes) -> None:
        self._blob = BytesBlob(data)
        self.read_bytes = 0

    def open(self) -> Stream:
        return _CountingStream(self, self._blob.open())

    def check_unchanged(self) -> None:
        return None


class _CountingStream:
    def __init__(self, blob: _Counting, stream: Stream) -> None:
        self._blob = blob
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._blob.read_bytes += len(data)
        return data

    def seek(self, offset: int, /) -> None:
        self._stream.seek(offset)

    def tell(self) -> int:
        return self._stream.tell()


def _layer(plain: bytes) -> tuple[Layer, _Counting]:
    blob = _Counting(gzip.compress(plain, 1, mtime=0))
    return Layer(blob, "layer 1 of 1", Digest.of(plain)), blob


@pytest.mark.parametrize("room", [None, Room(0), Room(300_000), Room()])
def test_a_layer_reads_the_same_with_any_room(room: Room | None) -> None:
    programs = [_program(seed, 200_000) for seed in range(4)]
    plain = b"".join(bytes(512) + program + b"text" * 128 for program in programs)
    layer, _ = _layer(plain)
    stream = layer.open(room=room)
    for program in programs:
        assert stream.read(512) == bytes(512)
        stream.skip(len(program) + 512)
    stream.verify()
    source = random.Random(1)  # noqa: S311 (no secret)
    for _ in range(100):
        start, size = source.randrange(len(plain)), source.randrange(100_000)
        stream.seek(start)
        assert stream.read(size) == plain[start : start + size]
        assert stream.tell() == min(start + size, len(plain))


def test_a_kept_program_is_not_decompressed_again() -> None:
    program = _program(1, 3_000_000)
    layer, blob = _layer(program + bytes(1024))
    stream = layer.open(room=Room())
    stream.skip(len(program))
    stream.verify()
    blob.read_bytes = 0
    stream.seek(1_000_000)
    assert stream.read(1_500_000) == program[1_000_000:2_500_000]
    assert blob.read_bytes == 0
