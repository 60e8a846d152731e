"""The undefined dynamic symbols, found by the hash table.

No table says how many dynamic symbols there are. DT_HASH has their number by chance; DT_GNU_HASH
covers only the last ones, mostly those that are defined, and says nothing when it is empty.

https://flapenguin.me/elf-dt-gnu-hash
"""

from __future__ import annotations

import struct

from minify.elf.dynamic import Dynamic, Tag
from minify.elf.elffile import ElfError

_MOST_SYMBOLS = 1 << 20
_MOST_IMPORTS = 1 << 17
_MOST_TEXT = 24 << 20
_STEP = 1 << 14

# The two machines whose DT_HASH has words of 64 bits.
_WIDE_HASH = {22, 0x9026}  # s390x, alpha


def imports(dynamic: Dynamic) -> frozenset[str]:
    """The names of all undefined dynamic symbols; ElfError for tables that cannot be."""
    table = dynamic.table(Tag.SYMTAB)
    if table is None:
        return frozenset()
    count = _count(dynamic)
    if count > _MOST_SYMBOLS:
        raise ElfError(f"has {count:,} dynamic symbols")
    return _names(dynamic, _undefined(dynamic, table[0], count))


def _count(dynamic: Dynamic) -> int:
    """How many symbols must be looked at, the first, empty one included."""
    gnu = dynamic.table(Tag.GNU_HASH)
    if gnu is not None:
        first, last = _hashed(dynamic, gnu[0])
        if last is not None:
            return last + 1
        # GNU ld writes 1 into an empty hash table, however many symbols there are.
        if first > 1:
            return first
    old = dynamic.table(Tag.HASH)
    if old is not None:
        is_wide = dynamic.layout.bits == 64 and dynamic.layout.machine in _WIDE_HASH
        return _words(dynamic, old[0], 2, "Q" if is_wide else "I")[1]
    return _room(dynamic)


def _hashed(dynamic: Dynamic, offset: int) -> tuple[int, int | None]:
    """The first symbol that the GNU hash table covers, and the last; None if it has none."""
    buckets, first, bloom, _ = _words(dynamic, offset, 4)
    if buckets > _MOST_SYMBOLS or bloom > _MOST_SYMBOLS:
        raise ElfError(f"has a hash table of {buckets:,} buckets and {bloom:,} filter words")
    offset += 16 + bloom * dynamic.layout.bits // 8
    last = max(_words(dynamic, offset, buckets), default=0)
    if last < max(first, 1):
        return first, None
    end = _chain_end(dynamic, offset + (buckets + last - first) * 4, _MOST_SYMBOLS - last)
    return first, last + end


def _chain_end(dynamic: Dynamic, offset: int, most: int) -> int:
    """How far from `offset` the hash chain ends: at the first word that is odd."""
    for start in range(0, most, _STEP):
        room = (dynamic.window.size - offset) // 4 - start
        for index, word in enumerate(_words(dynamic, offset + start * 4, min(_STEP, room))):
            if word & 1:
                return start + index
        if room <= _STEP:
            break
    raise ElfError("has a hash chain without an end")


def _room(dynamic: Dynamic) -> int:
    """As many symbols as fit before the next table, whichever that is."""
    start = dynamic.value(Tag.SYMTAB)
    table = dynamic.table(Tag.SYMTAB)
    if start is None or table is None:
        return 0
    end = min((a for a in dynamic.addresses if a > start), default=start + table[1])
    return min(end - start, table[1], _MOST_SYMBOLS * 16) // (
        24 if dynamic.layout.bits == 64 else 16
    )


def _undefined(dynamic: Dynamic, offset: int, count: int) -> set[int]:
    """The string indices of symbols that are in no section."""
    is_64 = dynamic.layout.bits == 64
    # The name, the section; the rest is skipped.
    symbol = struct.Struct(dynamic.layout.order + ("I2xH16x" if is_64 else "I10xH"))
    _, strings = dynamic.string_table()
    found: set[int] = set()
    for start in range(1, count, _STEP):
        size = min(_STEP, count - start) * symbol.size
        data = dynamic.window.at(offset + start * symbol.size, size)
        for name, section in symbol.iter_unpack(data):
            if name >= strings:
                return found  # what follows the table is not part of it
            if not section:
                found.add(name)
        if len(found) > _MOST_IMPORTS:
            raise ElfError(f"has more than {_MOST_IMPORTS:,} undefined symbols")
    return found


def _names(dynamic: Dynamic, indices: set[int]) -> frozenset[str]:
    offset, size = dynamic.string_table()
    found: set[str] = set()
    total = 0
    # In order, so that each part of the string table is read once.
    for index in sorted(indices):
        name = dynamic.window.string(offset + index, offset + size)
        total += len(name)
        if total > _MOST_TEXT:
            raise ElfError(f"has undefined symbols of more than {_MOST_TEXT:,} characters")
        found.add(name)
    found.discard("")
    return frozenset(found)


def _words(dynamic: Dynamic, offset: int, count: int, form: str = "I") -> tuple[int, ...]:
    words = struct.Struct(f"{dynamic.layout.order}{count}{form}")
    return words.unpack(dynamic.window.at(offset, words.size))
