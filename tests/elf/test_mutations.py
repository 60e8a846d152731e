"""Thousands of damaged ELF files: a result or one kind of error each, for little work and memory.

The fields that are changed are those that a loader follows: the header, the program headers, the
dynamic section and whatever it leads to. They get what hurts most: extremes, the file's own size,
other tables' places (so that tables overlap) and their own (so that they loop).
"""

from __future__ import annotations

import random
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from filetree.kit import Member, file, tree_of

from elf.cross import linked
from elf.lab import MUSL, OLD, Lab, entry
from elf.test_hostile import outcome
from elf.test_notes import BPF, assembled
from minify.elf import ElfError, ElfFile, Loader
from minify.errors import ImageError

_EXTREMES = (
    *(0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000),
    *(0xFFFFFFF0, 0xFFFFFFFF, 2**32, 2**48, 2**63 - 1, 2**63, 2**64 - 4096, 2**64 - 1),
)
# Of a damaged file of a few kilobytes, or the C library: what is read, and what is held.
_MOST_READ = 8 << 20
_MOST_MEMORY = 32 << 20


@dataclass(frozen=True, slots=True)
class Field:
    offset: int
    width: int


class Anatomy:
    """Where the fields of a sound file are that a loader follows, and what they lead to."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._is_64 = data[4] == 2
        self.order: Literal["little", "big"] = "little" if data[5] == 1 else "big"
        self.fields: list[Field] = []
        self.pointers: list[Field] = []
        """Fields that say where a table is."""
        self.places: list[int] = []
        """Offsets and addresses of tables."""
        self._loads: list[tuple[int, int, int]] = []
        self._header()

    def _header(self) -> None:
        size, entry_size, where, count = (64, 56, 32, 56) if self._is_64 else (52, 32, 28, 44)
        self.fields += [Field(offset, 2) for offset in range(16, size, 2)]
        start = self._pointer(where)
        for number in range(self._number(count, 2)):
            self._segment(start + number * entry_size, entry_size)

    def _segment(self, at: int, size: int) -> None:
        self._words(at, size)
        kind = self._number(at, 4)
        offset, address = (self._pointer(at + n) for n in ((8, 16) if self._is_64 else (4, 8)))
        length = self._number(at + (32 if self._is_64 else 16), 8 if self._is_64 else 4)
        if kind == _PT_LOAD:
            self._loads.append((address, offset, length))
        elif kind == _PT_DYNAMIC:
            self._dynamic(offset, length)
        elif kind == _PT_NOTE:
            self._words(offset, length)

    def _dynamic(self, offset: int, length: int) -> None:
        word = 8 if self._is_64 else 4
        self._words(offset, length)
        for at in range(offset + word, offset + length, 2 * word):
            value = self._pointer(at)
            for address, start, size in self._loads:
                if address <= value < address + size:
                    self.places.append(start + value - address)
                    self._words(start + value - address, 160)

    def _words(self, offset: int, size: int) -> None:
        end = min(offset + size, len(self._data))
        self.fields += [Field(at, 4) for at in range(offset, end - 3, 4)]

    def _pointer(self, offset: int) -> int:
        field = Field(offset, 8 if self._is_64 else 4)
        self.pointers.append(field)
        self.places.append(self._number(offset, field.width))
        return self.places[-1]

    def _number(self, offset: int, width: int) -> int:
        return int.from_bytes(self._data[offset : offset + width], self.order)


_PT_LOAD, _PT_DYNAMIC, _PT_NOTE = 1, 2, 4


def mutations(data: bytes, seed: int, count: int) -> Iterator[bytes]:
    """The same files each time."""
    seeded = random.Random(seed)  # noqa: S311 (a test must repeat itself)
    anatomy = Anatomy(data)
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(seeded.choice([1, 1, 1, 2, 3, 5, 8])):
            field = seeded.choice(seeded.choice([anatomy.fields, anatomy.pointers]))
            value = _hurtful(seeded, anatomy, field, len(data)) % (1 << 8 * field.width)
            part = value.to_bytes(field.width, anatomy.order)
            changed[field.offset : field.offset + field.width] = part
        cut = seeded.choice([len(data)] * 9 + [seeded.randrange(len(data))])
        yield bytes(changed[:cut])


def _hurtful(seeded: random.Random, anatomy: Anatomy, field: Field, size: int) -> int:
    return seeded.choice(
        [
            seeded.choice(_EXTREMES),
            seeded.choice(anatomy.places) + seeded.choice([0, 0, 0, 1, 4, 8, -8]),
            field.offset,
            size - seeded.choice([0, 1, 8, 16]),
            seeded.randrange(size),
            seeded.getrandbits(64),
        ]
    )


def _library(lab: Lab, name: str, *flags: str, code: str = "") -> bytes:
    lab.write("script", "V1 { global: one; }; V2 { global: two; } V1;")
    source = '#include <stdio.h>\nint one(void) { return puts(""); } int two(void) { return 2; }'
    script = f"-Wl,--version-script={lab.root}/script"
    return lab.library(name, code=source + code, flags=[script, *flags]).read_bytes()


def _program(lab: Lab, *flags: str) -> bytes:
    _library(lab, "L/libv.so")
    code = "int one(void); int two(void); int main(void) { return one() + two(); }"
    return lab.program(
        "prog", ["L/libv.so"], flags=[lab.rpath("L"), *flags], code=code
    ).read_bytes()


def _assembled(lab: Lab, target: str) -> bytes:
    needed = linked(target, lab.root / "libneeded.so", ["-shared", "-soname", "libneeded.so.1"])
    flags = ["-shared", "-soname", "libx.so.2", "-rpath", "/a:$ORIGIN", "--hash-style=both"]
    flags += ["-f", "libaux.so", "--audit", "a.so:b.so", "--no-as-needed", str(needed)]
    source = ".globl undefined\n.globl defined\ndefined:\n.data\n.dc.a undefined\n"
    return linked(target, lab.root / "libx.so", flags, source + assembled(BPF)).read_bytes()


BASES: dict[str, Callable[[Lab], bytes]] = {
    "program": _program,
    "fixed program with RPATH": lambda lab: _program(lab, "-no-pie", OLD),
    "static program": lambda lab: lab.program("prog", flags=["-static-pie"]).read_bytes(),
    "musl's program": lambda lab: Lab(lab.root, MUSL).program("prog").read_bytes(),
    "library": lambda lab: _library(lab, "libx.so"),
    "library with the old hash table": lambda lab: _library(
        lab, "libx.so", "-Wl,--hash-style=sysv"
    ),
    "library for x86_64 with notes": lambda lab: _assembled(lab, "x86_64"),
    "library for i386": lambda lab: _assembled(lab, "i386"),
    "library for aarch64": lambda lab: _assembled(lab, "aarch64"),
    "library for s390x": lambda lab: _assembled(lab, "s390x"),
    "the C library": lambda _: Path("/lib/x86_64-linux-gnu/libc.so.6").read_bytes(),
}


def _loaded(data: bytes, others: Sequence[Member]) -> str:
    """What comes of the file as a program, or a library: in a word."""
    tree = tree_of([file("prog", data, mode=0o755), *others])
    loader = Loader(tree, {"LD_LIBRARY_PATH": "/L"})
    try:
        links = loader.load(entry(tree, "/prog"))
    except ElfError:
        return "error"
    except ImageError:
        return "refused"  # for too many places to look in
    return "unmet" if links.missing or links.unmet else "loaded"


def _check(lab: Lab, base: str, count: int) -> Counter[str]:
    """How often reading and loading ended in what."""
    data = BASES[base](lab)
    others = [file("L/libv.so", _library(lab, "L/libv.so"))]
    ends: Counter[str] = Counter()
    for number, mutated in enumerate(mutations(data, 20260, count)):
        tracemalloc.start()
        try:
            found, read_bytes = outcome(mutated)
            ends[_loaded(mutated, others)] += 1
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        ends["record" if isinstance(found, ElfFile) else "no record"] += 1
        assert read_bytes < _MOST_READ, number
        assert peak < _MOST_MEMORY + 4 * len(data), number
    return ends


@pytest.mark.parametrize("base", BASES)
def test_damaged_file_gives_a_result_or_one_kind_of_error(lab: Lab, base: str) -> None:
    ends = _check(lab, base, 40)
    assert ends["record"] > 5, ends
    assert ends["no record"] > 0, ends


@pytest.mark.long
@pytest.mark.parametrize("base", BASES)
def test_all_damaged_files_give_a_result_or_one_kind_of_error(lab: Lab, base: str) -> None:
    ends = _check(lab, base, 400)
    assert ends["record"] > 50, ends
    assert ends["no record"] > 20, ends
