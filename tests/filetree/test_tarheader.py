"""Headers, as tarfile reads them."""

from __future__ import annotations

import tarfile
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from filetree.kit import unhurried
from minify.filetree.tarheader import read_header

_NUMBERS = st.integers(-(2**40), 2**60) | st.integers(0, 0o777)
_TEXTS = st.text("a/ö\udcff", max_size=30) | st.text("ab/", min_size=90, max_size=120)


@st.composite
def _blocks(draw: st.DrawFn) -> bytes:
    """A header, or nearly one, whose checksum is right unless it was drawn too."""
    info = tarfile.TarInfo(draw(_TEXTS))
    info.type = draw(st.sampled_from([bytes([kind]) for kind in b"\x000123456789xgLKSVDZ"]))
    info.linkname, info.uname, info.gname = draw(_TEXTS)[:99], draw(_TEXTS)[:30], draw(_TEXTS)[:30]
    info.mode, info.uid, info.gid = draw(st.integers(0, 0o7777)), 7, draw(st.integers(0, 2**33))
    info.size, info.mtime = draw(st.integers(0, 2**40)), draw(_NUMBERS)
    info.devmajor, info.devminor = draw(st.integers(0, 99)), draw(st.integers(0, 99))
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")[-512:])
    if draw(st.booleans()):
        block[257:265] = b"ustar\x0000"
        block[345:500] = draw(st.binary(max_size=155)).ljust(155, b"\0")
    for at, value in draw(st.lists(st.tuples(st.integers(0, 511), st.integers(0, 255)))):
        block[at] = value
    if draw(st.integers(0, 4)):
        block[148:156] = b" " * 8
        total = sum(block)
        if draw(st.booleans()):
            total -= 256 * sum(byte >= 0x80 for byte in block)  # as signed bytes
        block[148:156] = tarfile.itn(total, 8, tarfile.GNU_FORMAT)  # type: ignore[attr-defined]
    return bytes(block)


def _as_tarfile_reads_it(block: bytes) -> Any:
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return None
    name = info.name
    if block[257:265] == b"ustar  \0":
        # It takes GNU's old times for a part of the name.
        name = block[:100].partition(b"\0")[0].decode("utf-8", "surrogateescape")
    return (
        name.strip("/"),
        (info.mode, info.uid, info.gid, info.size, info.mtime),
        tarfile.AREGTYPE if block[156:157] == tarfile.AREGTYPE else info.type,
        (info.linkname, info.uname, info.gname),
        (info.devmajor, info.devminor),
    )


@unhurried
@given(_blocks())
def test_headers_are_read_as_tarfile_reads_them(block: bytes) -> None:
    expected = _as_tarfile_reads_it(block)
    try:
        header = read_header(block)
    except ValueError:
        assert expected is None
        return
    assert expected == (
        header.name.strip("/"),
        header[1:6],
        header.type,
        header[7:10],
        header.device,
    )
