"""What a file says itself of the libraries that it opens while it runs: `.note.dlopen`.

A note is a JSON array of objects; the first edition of the specification had a single object. The
section is allocated, so a PT_NOTE segment holds it and section headers are not needed. No loader
reads it: a note that is wrong makes no program fail, so it is no error but a fault that is told.

https://uapi-group.org/specifications/specs/elf_dlopen_metadata/
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

from minify.elf.elffile import DlopenNote, ElfError, Priority
from minify.elf.window import Window

_OWNER = b"FDO\0"
_TYPE = 0x407C0C0A
_LARGEST_SEGMENT = 1 << 20
_LARGEST_NOTE = 1 << 16
_MOST_RECORDS = 1 << 12
# libsystemd-shared has some forty, with three names at most.
_MOST_NOTES = 500
_MOST_SONAMES = 20
_LONGEST = 1000


class _FaultError(Exception):
    """A note, or the segment it is in, is not as it is specified; the text says how."""


class Notes:
    """The notes of one file: `read` each segment, then look at `found` and `fault`."""

    def __init__(self, window: Window, order: str) -> None:
        """`order` is what `struct` calls the byte order."""
        self._window = window
        self._header = struct.Struct(f"{order}III")
        self._records = 0
        self.found: list[DlopenNote] = []
        self.fault = ""

    def read(self, offset: int, size: int, alignment: int) -> None:
        """Takes the notes of a PT_NOTE segment; the first fault ends it."""
        try:
            for data in self._descriptions(offset, size, 8 if alignment == 8 else 4):
                self._take(data)
        except (_FaultError, ElfError) as error:
            self.fault = self.fault or str(error)

    def _take(self, data: bytes) -> None:
        for note in _parsed(data):
            if len(self.found) == _MOST_NOTES:
                raise _FaultError(f"it names more than {_MOST_NOTES} libraries")
            self.found.append(note)

    def _descriptions(self, offset: int, size: int, alignment: int) -> Iterator[bytes]:
        """What is in the segment's records of this kind."""
        end = offset + min(size, _LARGEST_SEGMENT)
        while offset + self._header.size <= end:
            self._records += 1
            if self._records > _MOST_RECORDS:
                raise _FaultError(f"there are more than {_MOST_RECORDS:,} notes")
            owner, length, kind = self._header.unpack(self._window.at(offset, self._header.size))
            start = _aligned(offset + self._header.size + owner, alignment)
            if kind == _TYPE and owner == len(_OWNER):
                name = self._window.at(offset + self._header.size, owner)
                if name == _OWNER:
                    yield self._description(start, length, end)
            offset = _aligned(start + length, alignment)

    def _description(self, start: int, length: int, end: int) -> bytes:
        if length > _LARGEST_NOTE or start + length > end:
            raise _FaultError(f"it has {length:,} bytes")
        return self._window.at(start, length)


def _aligned(offset: int, alignment: int) -> int:
    return (offset + alignment - 1) // alignment * alignment


def _parsed(data: bytes) -> Iterator[DlopenNote]:
    try:
        value = json.loads(data.rstrip(b"\0").decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        # What Python says of it differs from one version to the next.
        raise _FaultError("it is no JSON, or has a key twice") from error
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            raise _FaultError("it is no list of objects")
        yield _note(item)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _note(item: dict[str, object]) -> DlopenNote:
    names = item.get("soname")
    sonames = [names] if isinstance(names, str) else names
    if not isinstance(sonames, list) or not 0 < len(sonames) <= _MOST_SONAMES:
        raise _FaultError("`soname` is no list of names")
    try:
        # Without a priority, the specification says, it is recommended.
        priority = Priority(item.get("priority", Priority.RECOMMENDED.value))
    except ValueError as error:
        raise _FaultError("`priority` is none of those that there are") from error
    return DlopenNote(
        tuple(_text("soname", name, least=1) for name in sonames),
        priority,
        _text("feature", item.get("feature", "")),
        _text("description", item.get("description", "")),
    )


def _text(key: str, value: object, *, least: int = 0) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise _FaultError(f"`{key}` is no text")
    if not least <= len(value) <= _LONGEST:
        raise _FaultError(f"`{key}` has {len(value):,} characters")
    return value
