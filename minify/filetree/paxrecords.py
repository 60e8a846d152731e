"""The records of a PAX extended header: length, a space, keyword=value, a newline.

https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_03
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

from minify.filetree.path import decoded

Records: TypeAlias = dict[str, str]

_LENGTH = re.compile(rb"([1-9][0-9]{0,8}) ")
_TIME = re.compile(r"-?[0-9]{1,19}(\.[0-9]{0,40})?")
_XATTR = "SCHILY.xattr."

SPARSE_PAIRS = "GNU.sparse.pairs"
"""Where the repeated `GNU.sparse.offset` and `.numbytes` of format 0.0 are gathered."""


def parse(data: bytes, into: Records) -> None:
    """Adds the records in `data`; a later one of the same keyword wins.

    An empty value takes a record back, as POSIX says. ValueError if anything is not exactly a
    record.
    """
    position = 0
    while position < len(data):
        match = _LENGTH.match(data, position)
        if match is None:
            raise ValueError("has a record without a length")
        end = position + int(match[1])
        if end > len(data) or data[end - 1 : end] != b"\n" or end <= match.end():
            raise ValueError("has a record whose length is wrong")
        keyword, equals, value = data[match.end() : end - 1].partition(b"=")
        if not equals or not keyword or b"\0" in keyword:
            raise ValueError("has a record that is no keyword=value")
        _put(into, decoded(keyword), decoded(value))
        position = end


def _put(records: Records, keyword: str, value: str) -> None:
    if keyword in ("GNU.sparse.offset", "GNU.sparse.numbytes"):
        records[SPARSE_PAIRS] = ",".join(filter(None, (records.get(SPARSE_PAIRS), value)))
    elif value or keyword.startswith(_XATTR):
        records[keyword] = value
    else:
        records.pop(keyword, None)


def xattrs(records: Records) -> tuple[tuple[str, str], ...]:
    """Names and values of the extended attributes, sorted by name."""
    if not records:
        return ()
    found = (item for item in records.items() if item[0].startswith(_XATTR))
    return tuple(sorted((name.removeprefix(_XATTR), value) for name, value in found))


@lru_cache(maxsize=4096)  # an image has few
def checked_time(text: str) -> str:
    """`text` if it is a decimal number of seconds that fits 64 bits; ValueError otherwise."""
    if not _TIME.fullmatch(text) or abs(int(text.partition(".")[0])) >= 2**63:
        raise ValueError(f"has {text[:40]!r} as its time")
    return text
