"""A program of PyInstaller in one file: an archive behind an ELF file, which it unpacks to run.

The libraries in the archive are loaded from where they are unpacked, and want others of the image;
the modules in it are read for what they read outside. What else the program does is not followed.

https://pyinstaller.org/en/stable/advanced-topics.html#carchive
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from minify.closure import Context, Finding, Gap, Grade, Need, Reason
from minify.elf.elffile import ElfError
from minify.filetree import Entry
from minify.filetree.path import decoded
from minify.python import bytecode, standard_library
from minify.python.archive import needed_by

_MAGIC = b"MEI\014\013\012\013\016"
_COOKIE = struct.Struct("!8sIIII64s")
_ITEM = struct.Struct("!IIIIBc")
_TAIL = 1 << 16
_LARGEST_TABLE = 16 << 20
_LARGEST_ITEM = 128 << 20
_LARGEST_IN_ALL = 1 << 30
_MOST_ITEMS = 20_000
_RULE = "python.packed"

# What modules read outside, beside what the standard library's own table has.
_OUTSIDE: Mapping[str, tuple[str, ...]] = {
    "ssl": ("/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/usr/lib/ssl", "/etc/pki/tls"),
    "zoneinfo": ("/usr/share/zoneinfo",),
    **standard_library.OUTSIDE,
}


@dataclass(frozen=True, slots=True)
class _Item:
    name: str
    kind: str
    """`b` for a library, `z` for the archive of modules."""
    start: int
    size: int
    is_compressed: bool


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    """The needs of what a program has packed in itself."""
    if grade is not Grade.HARD or not _is_program(entry, context):
        return
    items = tuple(_items(entry, context))
    if not items:
        return
    detail = f"{entry.path} unpacks a Python program: what it reads and runs is not followed"
    yield Gap(Reason("python.packed", entry.path, detail), "keep what it needs with --keep")
    packed = {item.name.rpartition("/")[2] for item in items}
    names: set[str] = set()
    left = _LARGEST_IN_ALL
    for item in items:
        if item.kind not in "bz":
            continue
        content = _content(item, entry, context)
        left -= len(content)
        if left < 0:
            return
        if item.kind == "z":
            names.update(bytecode.texts(content[_table_of(content) :]))
        else:
            yield from _needed(item, content, packed, entry, context)
    for name, paths in _OUTSIDE.items():
        for path in context.existing(paths) if name in names else ():
            yield Need(path, Reason(_RULE, entry.path, f"{name} uses it"), whole_tree=True)


def _is_program(entry: Entry, context: Context) -> bool:
    try:
        elf = context.elf(entry)
    except ElfError:
        return False
    return elf is not None and elf.interpreter is not None


def _needed(
    item: _Item, content: bytes, packed: set[str], entry: Entry, context: Context
) -> Iterator[Finding]:
    for name in needed_by(content):
        loaded = context.loader.load_name(name, entry) if name not in packed else None
        if loaded is not None and loaded.objects:
            detail = f"{item.name} in {entry.path} needs {name}"
            yield Need(loaded.objects[0].path, Reason(_RULE, entry.path, detail), Grade.HARD)


def _items(entry: Entry, context: Context) -> Iterator[_Item]:
    """What is in the archive; nothing if there is none, or if it is damaged."""
    start = max(0, entry.size - _TAIL)
    tail = _read(entry, start, _TAIL, context)
    at = tail.rfind(_MAGIC)
    if at < 0 or len(tail) - at < _COOKIE.size:
        return
    _, length, table_at, table_size, *_ = _COOKIE.unpack_from(tail, at)
    base = start + at + _COOKIE.size - length
    if base < 0 or not 0 < table_size <= _LARGEST_TABLE:
        return
    table = _read(entry, base + table_at, table_size, context)
    yield from islice(_rows(table, base), _MOST_ITEMS)


def _rows(table: bytes, base: int) -> Iterator[_Item]:
    at = 0
    while at + _ITEM.size <= len(table):
        whole, offset, size, _, is_compressed, kind = _ITEM.unpack_from(table, at)
        if whole <= _ITEM.size:
            return
        name = decoded(table[at + _ITEM.size : at + whole].partition(b"\0")[0])
        if size <= _LARGEST_ITEM:
            yield _Item(name, decoded(kind), base + offset, size, bool(is_compressed))
        at += whole


def _content(item: _Item, entry: Entry, context: Context) -> bytes:
    data = _read(entry, item.start, item.size, context)
    if not item.is_compressed:
        return data
    try:
        return zlib.decompressobj().decompress(data, _LARGEST_ITEM)
    except zlib.error:
        return b""


def _table_of(modules: bytes) -> int:
    """Where the table of an archive of modules begins: behind its magic and Python's own."""
    return int.from_bytes(modules[8:12], "big") if modules[:4] == b"PYZ\0" else 0


def _read(entry: Entry, start: int, size: int, context: Context) -> bytes:
    stream = context.tree.open(entry)
    stream.seek(start)
    found = io.BytesIO()
    while size > 0 and (piece := stream.read(min(size, 1 << 20))):
        found.write(piece)
        size -= len(piece)
    return found.getvalue()
