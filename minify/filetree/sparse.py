"""GNU's sparse files: in which runs the stored bytes belong.

Four formats are in use: the old header's own, and three that PAX records or a map in front of the
data describe. tarfile reads them all but cannot write one back, so an image's sparse files are
expanded when they are kept.

https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from typing import Protocol

from minify.filetree.paxrecords import SPARSE_PAIRS, Records

_BLOCK = 512
_MOST_RUNS = 100_000
_LARGEST = 1 << 43  # 8 TiB, the largest file of ext4's with 2 KiB blocks

_SIGNS = ("GNU.sparse.major", "GNU.sparse.size", "GNU.sparse.map", SPARSE_PAIRS)

Runs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Where a file's bytes are in the tar, and how large the file is."""

    size: int
    offset: int
    runs: Runs | None
    map_in_header: bool
    """Whether the map stands before the stored size begins to count, as in the old format."""


class Source(Protocol):
    """The part of a tar stream that is used here."""

    def read(self, size: int, /) -> bytes: ...
    def tell(self) -> int: ...


def is_described(records: Records) -> bool:
    """Whether a PAX header makes the file a sparse one."""
    return bool(records) and any(keyword in records for keyword in _SIGNS)


def content(source: Source, kind: bytes, block: bytes, records: Records, stored: int) -> Content:
    """The content of the file whose header was just read, `stored` bytes of which follow.

    Reads the map if it stands in the archive, and nothing else. ValueError for a map that is none.
    """
    if kind == tarfile.GNUTYPE_SPARSE:
        runs, size = _old_format(source, block)
        start = source.tell()
        return Content(size, start, _checked(runs, size, stored), map_in_header=True)
    start = source.tell()
    if not is_described(records):
        return Content(stored, start, None, map_in_header=False)
    size = _number(records.get("GNU.sparse.realsize") or records.get("GNU.sparse.size", ""))
    version = records.get("GNU.sparse.major", ""), records.get("GNU.sparse.minor", "")
    if version == ("1", "0"):
        runs = _map_before_data(source)
        stored -= source.tell() - start
    elif version not in (("", ""), ("0", "0"), ("0", "1")):
        raise ValueError(f"its format is {'.'.join(version)}, which is unknown")
    else:
        text = records.get("GNU.sparse.map") or records.get(SPARSE_PAIRS, "")
        runs = _pairs([_number(item) for item in text.split(",")] if text else [])
    offset = source.tell()
    return Content(size, offset, _checked(runs, size, stored), map_in_header=False)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise ValueError(f"{text[:40]!r} is no number")
    return int(text)


def _pairs(numbers: list[int]) -> Runs:
    if len(numbers) % 2:
        raise ValueError("its map has an odd count of numbers")
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _old_format(source: Source, block: bytes) -> tuple[Runs, int]:
    """Four runs in the header, 21 in each block that follows while one says so."""
    try:
        size = tarfile.nti(block[483:495])  # type: ignore[attr-defined]
        numbers = _old_numbers(block[386:482])
        more = block[482]
        while more:
            block = source.read(_BLOCK)
            if len(block) < _BLOCK or len(numbers) > 2 * _MOST_RUNS:
                raise ValueError("its map is truncated or too long")
            numbers += _old_numbers(block[:504])
            more = block[504]
    except tarfile.HeaderError as error:
        raise ValueError(str(error)) from error
    return _pairs(numbers), size


def _old_numbers(data: bytes) -> list[int]:
    numbers: list[int] = []
    for start in range(0, len(data), 24):
        if not data[start + 12]:
            break  # an unused slot
        fields = data[start : start + 12], data[start + 12 : start + 24]
        numbers += map(tarfile.nti, fields)  # type: ignore[attr-defined]
    return numbers


def _map_before_data(source: Source) -> Runs:
    """Format 1.0: a count, then that many pairs, a line each, padded to whole blocks."""
    lines: list[bytes] = []
    rest = b""
    wanted = 1
    while len(lines) < wanted:
        block = source.read(_BLOCK)
        if len(block) < _BLOCK:
            raise ValueError("its map is truncated")
        *whole, rest = (rest + block).split(b"\n")
        lines += whole
        if lines:
            runs = _number(lines[0].decode("latin-1"))
            if runs > _MOST_RUNS:
                raise ValueError(f"its map has {runs:,} runs")
            wanted = 1 + 2 * runs
        if len(rest) > _BLOCK:
            raise ValueError("its map has no lines")
    return _pairs([_number(line.decode("latin-1")) for line in lines[1:wanted]])


def _checked(runs: Runs, size: int, stored: int) -> Runs:
    """`runs` if they are in order, within the file, and as long as what is stored."""
    if not 0 <= size <= _LARGEST:
        raise ValueError(f"its size is {size:,}")
    end = 0
    for offset, length in runs:
        if length < 0 or offset < end or offset + length > size:
            raise ValueError("its runs overlap or leave the file")
        end = offset + length
    total = sum(length for _, length in runs)
    if total != stored or len(runs) > _MOST_RUNS:
        raise ValueError(f"its runs have {total:,} bytes, {stored:,} are stored")
    return runs
