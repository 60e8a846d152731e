"""Damaged and hostile files: a result or one kind of error, and never much work."""

from __future__ import annotations

import random
import struct
import tracemalloc
from collections.abc import Callable

import pytest
from filetree.kit import file, tree_of

from elf.lab import Lab, entry
from minify.elf import ElfError, ElfFile, Loader
from minify.elf.ldconfig import parse_cache
from minify.elf.reader import read_elf
from minify.errors import ImageError

_MOST_READ = 129 << 20


class Counted:
    """A stream over bytes that counts what is read of it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self.read_bytes = 0

    def read(self, size: int, /) -> bytes:
        data = self._data[self._position : self._position + size]
        self._position += len(data)
        self.read_bytes += len(data)
        return data

    def seek(self, offset: int, /) -> None:
        self._position = offset

    def tell(self) -> int:
        return self._position


def outcome(data: bytes) -> tuple[ElfFile | str | None, int]:
    """What reading gives, an error as its text, and how many bytes were read for it."""
    stream = Counted(data)
    try:
        return read_elf(stream, len(data)), stream.read_bytes
    except ElfError as error:
        return str(error), stream.read_bytes


def test_truncated_file_gives_a_record_or_an_error(lab: Lab) -> None:
    data = lab.library("libx.so").read_bytes()
    for size in range(0, len(data), 3):
        outcome(data[:size])


def _elf64(size: int, tables: dict[int, int], blobs: dict[int, bytes]) -> bytes:
    """A library of `size` bytes mapped at 0, with a dynamic section of `tables` at 0x1000."""
    data = bytearray(size)
    data[:16] = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    data[16:64] = header
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in tables.items()) + bytes(16)
    data[64:120] = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, size, size, 4096)
    data[120:176] = struct.pack("<IIQQQQQQ", 2, 4, 4096, 4096, 4096, len(dynamic), 0, 8)
    data[4096 : 4096 + len(dynamic)] = dynamic
    for offset, blob in blobs.items():
        data[offset : offset + len(blob)] = blob
    return bytes(data)


_STRTAB, _SYMTAB, _STRSZ, _HASH, _GNU_HASH = 5, 6, 10, 4, 0x6FFFFEF5
_NEEDED, _SONAME, _RPATH = 1, 14, 15
_VERDEF, _VERDEFNUM, _VERNEED, _VERNEEDNUM = range(0x6FFFFFFC, 0x70000000)
_MIB = 1 << 20


def _overlapping_names() -> bytes:
    """Each of 100,000 symbols has a name that is the end of one of 60 KiB."""
    symbols = b"".join(struct.pack("<IBBHQQ", n % 60000, 0, 0, 0, 0, 0) for n in range(100_000))
    tables = {_STRTAB: 0x2000, _STRSZ: 61440, _SYMTAB: _MIB, _HASH: 0x1800}
    blobs = {0x1800: struct.pack("<II", 1, 100_000), 0x2000: b"a" * 61000, _MIB: symbols}
    return _elf64(8 * _MIB, tables, blobs)


def _many_symbols() -> bytes:
    tables = {_STRTAB: 0x2000, _STRSZ: 4096, _SYMTAB: _MIB, _HASH: 0x1800}
    return _elf64(32 * _MIB, tables, {0x1800: struct.pack("<II", 1, 1_000_000)})


def _endless_chain() -> bytes:
    tables = {_STRTAB: 0x2000, _STRSZ: 4096, _SYMTAB: _MIB, _GNU_HASH: 0x1800}
    hashed = struct.pack("<IIII", 1, 1, 1, 0) + bytes(8) + struct.pack("<I", 1)
    return _elf64(32 * _MIB, tables, {0x1800: hashed})


def _huge_buckets() -> bytes:
    tables = {_STRTAB: 0x2000, _STRSZ: 4096, _SYMTAB: _MIB, _GNU_HASH: 0x1800}
    return _elf64(32 * _MIB, tables, {0x1800: struct.pack("<IIII", 2**32 - 1, 1, 2**32 - 1, 0)})


def _version_loop() -> bytes:
    """Records whose lists of versions are one and the same."""
    tables = {_STRTAB: 0x2000, _STRSZ: 4096, _VERNEED: 0x8000, _VERNEEDNUM: 4096}
    records = b"".join(struct.pack("<HHIII", 1, 65535, 0, 16, 16) for _ in range(4096))
    return _elf64(_MIB, tables, {0x8000: records})


def _many_tags() -> bytes:
    return _elf64(_MIB, dict.fromkeys(range(100, 40_000), 1), {})


def _long_list(text: bytes = b"a" * 65000, count: int = 20_000) -> bytes:
    """A library that needs the ends of `text`, and searches the whole of it."""
    dynamic = {_STRTAB: 0x80000, _STRSZ: 65536, _RPATH: 0}
    data = bytearray(_elf64(_MIB, dynamic, {0x80000: text}))
    needed = b"".join(struct.pack("<QQ", 1, len(text) - n) for n in range(count))
    data[4096 + 48 : 4096 + 48 + len(needed)] = needed
    data[120 + 32 : 120 + 40] = struct.pack("<Q", 48 + len(needed))
    return bytes(data)


@pytest.mark.parametrize(
    "build",
    [
        _overlapping_names,
        _many_symbols,
        _endless_chain,
        _huge_buckets,
        _version_loop,
        _many_tags,
        _long_list,
    ],
)
def test_hostile_tables_cost_little(build: Callable[[], bytes]) -> None:
    data = build()
    tracemalloc.start()
    try:
        _, read_bytes = outcome(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read_bytes < _MOST_READ
    assert peak < 100 << 20


def _versioned(soname: str, count: int, *, needs: bool) -> bytes:
    """A library that needs, or defines, `count` versions of a library."""
    names = b"".join(b"V_%04d\0" % number for number in range(count))
    start = len(soname) + 2
    strings = b"\0" + soname.encode() + b"\0" + names
    at = [start + 7 * number for number in range(count)]
    if needs:
        records = struct.pack("<HHIII", 1, count, 1, 16, 0)
        records += b"".join(struct.pack("<IHHII", 0, 0, 0, name, 16) for name in at)
    else:
        records = b"".join(
            struct.pack("<HHHHIII", 1, 0, 0, 1, 0, 20, 28) + struct.pack("<II", name, 0)
            for name in at
        )
    tables = {_STRTAB: 0x40000, _STRSZ: len(strings), _NEEDED if needs else _SONAME: 1}
    tables |= {_VERNEED: 0x8000, _VERNEEDNUM: 1} if needs else {_VERDEF: 0x8000, _VERDEFNUM: count}
    return _elf64(_MIB, tables, {0x8000: records, 0x40000: strings})


def test_many_unmet_versions_are_told_in_part() -> None:
    needing = _versioned("libx.so", 4095, needs=True)
    having = _versioned("libx.so", 4095, needs=False).replace(b"V_", b"W_")
    members = [file("usr/lib64/needing.so", needing), file("usr/lib64/libx.so", having)]
    tree = tree_of(members)
    loader = Loader(tree, {})
    links = loader.load_library(entry(tree, "/usr/lib64/needing.so"))
    assert len(links.unmet) == 100
    assert {(one.need.file, one.found) for one in links.unmet} == {
        ("libx.so", "/usr/lib64/libx.so")
    }
    same = _versioned("libx.so", 4095, needs=False)
    tree = tree_of([members[0], file("usr/lib64/libx.so", same)])
    assert Loader(tree, {}).load_library(entry(tree, "/usr/lib64/needing.so")).unmet == ()


def test_huge_sparse_file_is_read_in_small_parts(lab: Lab) -> None:
    data = lab.library("libx.so").read_bytes()
    found, read_bytes = outcome(data + bytes(64 << 20))
    assert isinstance(found, ElfFile)
    assert read_bytes <= 4 * 65536


def test_library_by_two_names_in_itself_ends(lab: Lab) -> None:
    """A ring of needs."""
    lab.library("L/liba.so")
    lab.library("L/libb.so", ["L/liba.so"], flags=[lab.rpath("L")])
    lab.library("L/liba.so", ["L/libb.so"], flags=[lab.rpath("L")])
    lab.program("prog", ["L/liba.so"], flags=[lab.rpath("L")])
    lab.check("prog", {"liba.so": "L/liba.so", "libb.so": "L/libb.so"})


def test_too_many_places_are_refused() -> None:
    text = b"/a:" * 2000 + b"libx" * 500
    tree = tree_of([file("libx.so", _long_list(text, 1500))])
    with pytest.raises(ImageError, match="in more than 200,000 places: a hostile file is refused"):
        Loader(tree, {}).load_library(entry(tree, "/libx.so"))


def test_interpreter_full_of_slashes_is_searched_quickly(lab: Lab) -> None:
    path = lab.program("prog", flags=["-Wl,-dynamic-linker,/ld"])
    for content in (
        b"/" * _MIB,
        b"/lib/" * 200_000,
        b"/a" * 500_000 + b"/ld.so.cache\0",
        b"\0/lib:" * 99,
    ):
        tree = tree_of([file("prog", path.read_bytes(), mode=0o755), file("ld", content)])
        links = Loader(tree, {}).load(entry(tree, "/prog"))
        assert [one.name for one in links.missing] == ["libc.so.6"]


def test_mutated_cache_gives_a_cache_or_none(lab: Lab) -> None:
    data = bytearray(b"glibc-ld.so.cache1.1" + struct.pack("<II", 3, 60) + bytes([2]) + bytes(19))
    start = len(data) + 3 * 24
    for n in range(3):
        data += struct.pack("<iIIIQ", 0x303, start + 4 * n, start + 20, 0, 0)
    data += b"lib\0lib\0lib\0lib\0lib\0/usr/lib/lib\0" + bytes(30)
    cache = parse_cache(bytes(data))
    assert cache is not None
    assert len(cache.get("lib")) == 3
    seeded = random.Random(7)  # noqa: S311
    for _ in range(4000):
        changed = bytearray(data)
        for _ in range(seeded.randint(1, 3)):
            changed[seeded.randrange(20, len(data))] = seeded.choice([0, 1, 0x7F, 0x80, 0xFF])
        parse_cache(bytes(changed[: seeded.randrange(len(data))]))
        parse_cache(bytes(changed))
    assert lab.root.is_dir()


def test_cache_with_overlapping_strings_is_refused() -> None:
    count = 50_000
    data = b"glibc-ld.so.cache1.1" + struct.pack("<II", count, 0) + bytes([2]) + bytes(19)
    start = len(data) + count * 24
    entries = (
        struct.pack("<iIIIQ", 0x303, start + n % 4000, start + n, 0, 0) for n in range(count)
    )
    assert parse_cache(data + b"".join(entries) + b"a" * count + b"\0") is None
