"""The tables that a dynamic section leads to, found by address as ld.so finds them.

Section headers are not used: stripped files have none, and ld.so does not look at them.

https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from minify.elf.elffile import ElfError, VersionNeed
from minify.elf.window import Window

_MOST_ENTRIES = 1 << 16
_MOST_VERSIONS = 1 << 12
_MOST_TEXT = 4 << 20
_VER_FLG_WEAK = 2


class Tag(IntEnum):
    """The dynamic tags that are read."""

    NEEDED = 1
    HASH = 4
    STRTAB = 5
    SYMTAB = 6
    STRSZ = 10
    SONAME = 14
    RPATH = 15
    RUNPATH = 29
    GNU_HASH = 0x6FFFFEF5
    DEPAUDIT = 0x6FFFFEFB
    AUDIT = 0x6FFFFEFC
    VERSYM = 0x6FFFFFF0
    FLAGS_1 = 0x6FFFFFFB
    VERDEF = 0x6FFFFFFC
    VERDEFNUM = 0x6FFFFFFD
    VERNEED = 0x6FFFFFFE
    VERNEEDNUM = 0x6FFFFFFF
    AUXILIARY = 0x7FFFFFFD
    FILTER = 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of the file that is mapped at `address`."""

    address: int
    offset: int
    size: int
    """Bytes in the file."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which way the file's words are written, and where its addresses lie."""

    bits: int
    order: str
    """What `struct` calls the byte order."""
    machine: int
    segments: tuple[Segment, ...]

    def place(self, address: int) -> tuple[int, int]:
        """The file's offset for `address`, and the bytes from there to its segment's end."""
        for segment in self.segments:
            within = address - segment.address
            if 0 <= within < segment.size:
                return segment.offset + within, segment.size - within
        raise ElfError(f"has a table at address {address:#x}, which no segment holds")


class Dynamic:
    """A dynamic section: entries in order, and the strings that they name."""

    def __init__(self, window: Window, layout: Layout, offset: int, size: int) -> None:
        self.window = window
        self.layout = layout
        entry = struct.Struct(layout.order + ("qQ" if layout.bits == 64 else "iI"))
        if size > _MOST_ENTRIES * entry.size:
            raise ElfError(f"has a dynamic section of {size:,} bytes")
        data = window.at(offset, size - size % entry.size)
        self._strings: dict[int, str] = {}
        self._text_left = _MOST_TEXT
        self._values: dict[int, list[int]] = {}
        for tag, value in entry.iter_unpack(data):
            if tag == 0:
                break
            self._values.setdefault(tag, []).append(value)

    def all(self, tag: Tag) -> list[int]:
        """The values of every entry of this tag, in order."""
        return self._values.get(tag, [])

    def value(self, tag: Tag) -> int | None:
        """The value of the last entry of this tag, which is the one that ld.so keeps."""
        values = self.all(tag)
        return values[-1] if values else None

    def table(self, tag: Tag) -> tuple[int, int] | None:
        """Offset of the table that `tag` points to, and the bytes to its segment's end."""
        address = self.value(tag)
        return None if address is None else self.layout.place(address)

    def strings(self, tag: Tag) -> tuple[str, ...]:
        """The strings that all entries of this tag name, in order."""
        return tuple(self.string(value) for value in self.all(tag))

    def text(self, tag: Tag) -> str | None:
        """The string that the last entry of this tag names."""
        value = self.value(tag)
        return None if value is None else self.string(value)

    def string_table(self) -> tuple[int, int]:
        """Offset and size of the string table; ElfError if there is none."""
        table = self.table(Tag.STRTAB)
        size = self.value(Tag.STRSZ)
        if table is None or size is None:
            raise ElfError("has no string table")
        offset, room = table
        return offset, min(size, room)

    def string(self, index: int) -> str:
        """The string at `index` of the string table."""
        known = self._strings.get(index)
        if known is None:
            offset, size = self.string_table()
            if index >= size:
                raise ElfError(f"names string {index:#x} of {size:#x}")
            known = self._strings[index] = self.window.string(offset + index, offset + size)
            self._text_left -= len(known)
            if self._text_left < 0:
                raise ElfError(f"names strings of more than {_MOST_TEXT:,} characters")
        return known

    @property
    def addresses(self) -> tuple[int, ...]:
        """All values that may be addresses: where some other table starts."""
        return tuple(value for values in self._values.values() for value in values)


def versions_needed(dynamic: Dynamic) -> tuple[VersionNeed, ...]:
    """What DT_VERNEED asks for, in the file's order."""
    found: list[VersionNeed] = []
    for offset, (_, count, file, first, _) in _chain(dynamic, Tag.VERNEED, "HHIII"):
        name = dynamic.string(file)
        for _, (_, flags, _, version, _) in _walk(dynamic, offset + first, count, "IHHII"):
            need = VersionNeed(name, dynamic.string(version), bool(flags & _VER_FLG_WEAK))
            found.append(need)
            if len(found) > _MOST_VERSIONS:
                raise ElfError(f"needs more than {_MOST_VERSIONS:,} symbol versions")
    return tuple(found)


def versions_defined(dynamic: Dynamic) -> frozenset[str] | None:
    """The versions in DT_VERDEF, the file's own name among them; None if there is none."""
    if dynamic.value(Tag.VERDEF) is None:
        return None
    found: set[str] = set()
    for offset, fields in _chain(dynamic, Tag.VERDEF, "HHHHIII"):
        (name,) = _unpack(dynamic, offset + fields[5], "I")
        found.add(dynamic.string(name))
    return frozenset(found)


_COUNTED_BY = {Tag.VERNEED: Tag.VERNEEDNUM, Tag.VERDEF: Tag.VERDEFNUM}


def _chain(dynamic: Dynamic, tag: Tag, form: str) -> Iterator[tuple[int, tuple[int, ...]]]:
    table = dynamic.table(tag)
    count = dynamic.value(_COUNTED_BY[tag])
    if table is None or count is None:
        return
    if count > _MOST_VERSIONS:
        raise ElfError(f"has {count:,} version records")
    yield from _walk(dynamic, table[0], count, form)


def _walk(
    dynamic: Dynamic, offset: int, count: int, form: str
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Records whose last word is the distance to the next, 0 in the last one."""
    for _ in range(count):
        fields = _unpack(dynamic, offset, form)
        yield offset, fields
        if not fields[-1]:
            return
        offset += fields[-1]


def _unpack(dynamic: Dynamic, offset: int, form: str) -> tuple[int, ...]:
    record = struct.Struct(dynamic.layout.order + form)
    return record.unpack(dynamic.window.at(offset, record.size))
