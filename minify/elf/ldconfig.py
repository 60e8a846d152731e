"""What ldconfig reads and writes: ld.so.conf and ld.so.cache.

ld.so reads the cache only. The configuration says where ldconfig would look, so it serves to tell
the user why a library is not found, never to find one.

https://sourceware.org/git/?p=glibc.git;a=blob;f=sysdeps/generic/dl-cache.h
"""

from __future__ import annotations

import fnmatch
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from minify.filetree import Entry, FileTree, Kind
from minify.filetree.path import decoded, joined

_OLD = b"ld.so-1.7.0"
_OLD_HEADER = 16
_OLD_ENTRY = 12
_NEW = b"glibc-ld.so.cache1.1"
_NEW_HEADER = 48
_NEW_ENTRY = 24
_EXTENSIONS = 0xEAA42174
_HWCAPS_SECTION = 1
_HWCAP_EXTENSION = 1 << 30
"""In the upper half of an entry's hwcap: the lower half is an index into the list of names."""
_ORDERS = {0: "<>", 2: "<", 3: ">"}
_LONGEST_PATH = 4096

_LARGEST_CACHE = 32 << 20
_LARGEST_CONF = 1 << 20
_MOST_FILES = 1000
_MOST_DIRECTORIES = 1000
_MOST_PATTERNS = 100


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One library that ldconfig has found."""

    soname: str
    path: str
    flags: int
    """Its type and machine, as `machine.Machine.cache_flags`."""
    level: str = ""
    """What the processor must have for it, in words: `glibc-hwcaps/x86-64-v3`; empty if nothing."""


@dataclass(frozen=True, slots=True)
class Cache:
    """An ld.so.cache; entries in its order, which is not that of their levels."""

    entries: tuple[CacheEntry, ...]
    _by_soname: Mapping[str, list[CacheEntry]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, list[CacheEntry]] = {}
        for entry in self.entries:
            found.setdefault(entry.soname, []).append(entry)
        object.__setattr__(self, "_by_soname", MappingProxyType(found))

    def get(self, soname: str) -> tuple[CacheEntry, ...]:
        """All entries for `soname`, of whatever machine."""
        return tuple(self._by_soname.get(soname, ()))


class _DamagedError(Exception):
    """The bytes are no cache; ld.so would do without."""


def read_cache(tree: FileTree, entry: Entry) -> Cache | None:
    """The cache in a file; None if ld.so could not use it."""
    if entry.size > _LARGEST_CACHE:
        return None
    return parse_cache(tree.read(entry))


def parse_cache(data: bytes) -> Cache | None:
    """The cache in `data`, in the old format, the new one, or both; None if it is damaged."""
    try:
        if data.startswith(_NEW):
            return Cache(tuple(_new_entries(data, 0)))
        if not data.startswith(_OLD):
            return None
        (count,) = _unpack("<I", data, 12)
        # The new format follows where old readers look for the strings.
        start = (_OLD_HEADER + count * _OLD_ENTRY + 7) // 8 * 8
        if data.startswith(_NEW, start):
            return Cache(tuple(_new_entries(data, start)))
        return Cache(tuple(_old_entries(data, count)))
    except _DamagedError:
        return None


def _old_entries(data: bytes, count: int) -> Iterator[CacheEntry]:
    start = _OLD_HEADER + count * _OLD_ENTRY
    strings = _Strings(data)
    for flags, soname, path in _records("<iII", data, _OLD_HEADER, count):
        yield CacheEntry(strings.at(start + soname), strings.at(start + path), flags)


def _new_entries(file: bytes, start: int) -> Iterator[CacheEntry]:
    data = file[start:]
    order = _order(data)
    (count,) = _unpack(order + "I", data, 20)
    strings = _Strings(data)
    (extensions,) = _unpack(order + "I", data, 32)
    # Behind an old table, strings are counted from the new table's start, these from the file's.
    levels = _levels(file, extensions, order, strings)
    records = _records(order + "iIIIQ", data, _NEW_HEADER, count)
    for flags, soname, path, _, hwcap in records:
        level = _level(hwcap, levels)
        yield CacheEntry(strings.at(soname), strings.at(path), flags, level)


def _order(data: bytes) -> str:
    """The byte order: stated since glibc 2.33; before that, the one in which the count fits."""
    if len(data) < _NEW_HEADER:
        raise _DamagedError
    for order in _ORDERS.get(data[28] & 3, ""):
        if _unpack(order + "I", data, 20)[0] * _NEW_ENTRY <= len(data):
            return order
    raise _DamagedError


def _level(hwcap: int, levels: tuple[str, ...]) -> str:
    if not hwcap:
        return ""
    if hwcap >> 32 != _HWCAP_EXTENSION:
        return f"hwcap {hwcap:#x}"
    index = hwcap & 0xFFFFFFFF
    return f"glibc-hwcaps/{levels[index]}" if index < len(levels) else f"hwcap {hwcap:#x}"


def _levels(data: bytes, start: int, order: str, strings: _Strings) -> tuple[str, ...]:
    """The names of glibc-hwcaps subdirectories, from the extension directory at `start`."""
    if not start:
        return ()
    magic, count = _unpack(order + "II", data, start)
    if magic != _EXTENSIONS:
        return ()
    for tag, _, offset, size in _records(order + "IIII", data, start + 8, count):
        if tag == _HWCAPS_SECTION:
            names = _records(order + "I", data, offset, size // 4)
            return tuple(strings.at(name) for (name,) in names)
    return ()


class _Strings:
    """Strings by offset, each decoded once; bounded, for entries may share and overlap them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._known: dict[int, str] = {}
        self._left = 4 * len(data)

    def at(self, offset: int) -> str:
        known = self._known.get(offset)
        if known is None:
            end = self._data.find(b"\0", offset, offset + _LONGEST_PATH)
            self._left -= end - offset
            if end < 0 or self._left < 0:
                raise _DamagedError
            known = self._known[offset] = decoded(self._data[offset:end])
        return known


def _unpack(form: str, data: bytes, offset: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, data, offset)
    except struct.error as error:
        raise _DamagedError from error


def _records(form: str, data: bytes, offset: int, count: int) -> Iterator[tuple[int, ...]]:
    size = struct.calcsize(form) * count
    if offset + size > len(data):
        raise _DamagedError
    return struct.iter_unpack(form, data[offset : offset + size])


@dataclass(frozen=True, slots=True)
class ConfiguredDirectory:
    """A directory that ldconfig is told to look in, and the file that tells it."""

    directory: str
    conf: str


def configured_directories(
    tree: FileTree, conf: str = "/etc/ld.so.conf"
) -> tuple[ConfiguredDirectory, ...]:
    """The directories that `conf` and the files it includes name, in order."""
    found: list[ConfiguredDirectory] = []
    waiting = [conf]
    seen: set[str] = set()
    patterns = 0
    while waiting and len(seen) < _MOST_FILES and len(found) < _MOST_DIRECTORIES:
        name = waiting.pop(0)
        entry = tree.file(name)
        if name in seen or entry is None:
            continue
        seen.add(name)
        for words in _lines(tree, entry):
            if words[0] == "include":
                patterns += len(words) - 1
                if patterns <= _MOST_PATTERNS:
                    waiting += _included(tree, name.rpartition("/")[0], words[1:])
            elif words[0].startswith("/"):
                # An old way to state the libraries' type follows an equals sign.
                found.append(ConfiguredDirectory(words[0].partition("=")[0], name))
    return tuple(found[:_MOST_DIRECTORIES])


def _lines(tree: FileTree, entry: Entry) -> Iterator[list[str]]:
    """The words of each line that has some."""
    for line in decoded(tree.read(entry, _LARGEST_CONF)).splitlines():
        if words := line.partition("#")[0].split():
            yield words


def _included(tree: FileTree, directory: str, patterns: list[str]) -> list[str]:
    return [path for word in patterns for path in _matching(tree, joined(directory, word))]


def _matching(tree: FileTree, pattern: str) -> tuple[str, ...]:
    """The paths that a glob pattern matches, sorted."""
    paths = [""]
    for part in pattern.strip("/").split("/"):
        if not any(sign in part for sign in "*?["):
            paths = [f"{path}/{part}" for path in paths]
            continue
        paths = [
            f"{path}/{name}"
            for path in paths
            for name in _names(tree, path or "/")
            if fnmatch.fnmatchcase(name, part) and (part[0] == "." or name[0] != ".")
        ]
    return tuple(paths)


def _names(tree: FileTree, directory: str) -> tuple[str, ...]:
    entry = tree.resolve(directory).entry
    return tree.children(entry.path) if entry and entry.kind is Kind.DIRECTORY else ()
