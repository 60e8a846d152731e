"""The texts that Cython 3.2 and later pack together in an extension: joined, and mostly compressed.

All texts of a module stand in one block without anything between them, first those that are no
names; their lengths are another array, of four bytes each. The block is plain, zlib, bz2, zstd or
Cython's own kind of LZSS, which has no header: that one is found by trying. Where the lengths begin
nobody says either: they are those that put certain texts, which every module has, where they are.

https://github.com/cython/cython/blob/master/Cython/Compiler/Code.py, generate_pystring_constants;
Cython/Utility/StringTools.c, DecompressString_LZSS.
"""

from __future__ import annotations

import bz2
import re
import sys
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# What every module has among its texts, and nowhere else. The length of the first is sought.
_ALWAYS = (b"cline_in_traceback", b"__main__", b"__name__")
_WRITTEN = re.compile(rb"\0cython_runtime\0|\0__pyx_capi__\0")
_PLAIN = re.compile(rb"\0(?:__test__|__main__|cline_in_traceback)\0")
_STREAM = re.compile(rb"\x78[\x01\x5e\x9c\xda]|BZh[1-9]1AY&SY|\x28\xb5\x2f\xfd")
# The first three bytes have no earlier place to be taken from: a flag for each, and a text's bytes.
# The first of them may be a constant of one byte, which is any.
_LZSS = re.compile(
    rb"[%s](?=[\0-\xff][\t\n\r\x20-\x7e\x80-\xff]{2})" % re.escape(bytes(range(7, 256, 8))),
    re.DOTALL,
)
SOURCES = (".pyx", ".pxd", ".pxi")
LARGEST_SOURCE = 4 << 20
"""Bytes."""
_MOST_STREAMS = 1_000
_MOST_HEADERS = 100_000
"""A program of 17 MB has thousands of two bytes that zlib might begin with."""
_TRIED = 512
_MOST_PLACES = 20_000
_MOST_TEXTS = 50_000
_MOST_STEPS = 1_000_000
_LARGEST = 4 << 20
_MOST_INFLATED = 32 << 20
_CHECKED = 96
_LONGEST_TEXT = 1 << 20
_SHORT = 2_000
_LONGEST_NAME = 40
_RUN = re.compile(rb"[\t\n\x20-\x7e]++")
_NAMES = re.compile(r"[A-Za-z_][\w.]++")
# What Cython itself has in every module; its parts are names of modules too.
_WRITERS_OWN = re.compile(rb"asyncio\.coroutines")


def is_written(content: bytes) -> bool:
    """Whether an extension is Cython's."""
    return _WRITTEN.search(content) is not None


def is_packed(content: bytes) -> bool:
    """Whether an extension is Cython's, and its texts are not found each by itself."""
    return is_written(content) and _PLAIN.search(content) is None


def packed_texts(content: bytes) -> tuple[str, ...]:
    """The texts of the extension `content`, in their order; empty if they cannot be found.

    Of a short block whose lengths are not found, which compilers write into the code, these are all
    the names that stand in it anywhere.
    """
    lengths = _words(content)
    short: tuple[str, ...] = ()
    for block in _blocks(content):
        found = _split(block, lengths)
        if found:
            return found
        short = short or _anywhere(block)
    return short


def _blocks(content: bytes) -> Iterator[bytes]:
    """What may be all texts, the surest first."""
    if _is_texts(content):
        yield content
    inflated = 0
    for start in islice(_streams(content), _MOST_STREAMS):
        piece = memoryview(content)[start : start + _LARGEST]
        try:
            block = _INFLATE[bytes(piece[:1])](piece)
        except (zlib.error, zstd.ZstdError, OSError, EOFError, ValueError):
            continue
        inflated += len(block)
        if _is_texts(block):
            yield block
        if inflated > _MOST_INFLATED:
            break
    yield from _repeating(content)


def _streams(content: bytes) -> Iterator[int]:
    """Where something compressed may begin; what is zlib's header by chance mostly fails soon."""
    for match in islice(_STREAM.finditer(content), _MOST_HEADERS):
        start = match.start()
        if match[0].startswith(b"\x78"):
            try:
                zlib.decompressobj().decompress(content[start : start + _TRIED], _TRIED)
            except zlib.error:
                continue
        yield start


def _repeating(content: bytes) -> Iterator[bytes]:
    """What Cython's LZSS may have packed."""
    steps = 0
    for match in _LZSS.finditer(content):
        start = match.start()
        if content[start - 1] and start % 16:
            continue  # another constant's end or a compiler's alignment is before it
        found = len(_unpacked(content, start, _CHECKED))
        steps += found + 1
        if found >= _CHECKED:
            block = _unpacked(content, start, _LARGEST, only_text=False)
            steps += len(block)
            if _is_texts(block):
                yield block
        if steps > _MOST_STEPS:
            return


def _is_texts(block: bytes) -> bool:
    return all(text in block for text in _ALWAYS)


_INFLATE: Mapping[bytes, Callable[[memoryview], bytes]] = {
    b"\x78": lambda piece: zlib.decompressobj().decompress(piece, _LARGEST),
    b"B": lambda piece: bz2.BZ2Decompressor().decompress(piece, _LARGEST),
    b"\x28": lambda piece: zstd.ZstdDecompressor().decompress(piece, _LARGEST),
}


def _unpacked(content: bytes, start: int, most: int, *, only_text: bool = True) -> bytes:
    """What Cython's LZSS gives from `start`, until `most` bytes, or the first that cannot be."""
    out = bytearray()
    at, flags = start, 1
    try:
        while len(out) < most:
            if flags == 1:
                flags = content[at] | 0x100
                at += 1
            if flags & 1:
                if only_text and out and content[at] < 0x20 and content[at] not in b"\t\n\r":
                    break
                out.append(content[at])
                at += 1
            else:
                distance, length, at = _reference(content, at)
                begin = len(out) - distance - length
                if begin < 0:
                    break
                out += out[begin : begin + length]
            flags >>= 1
    except IndexError:
        pass  # the end of the file
    return bytes(out)


def _reference(content: bytes, at: int) -> tuple[int, int, int]:
    """How far before the end what is repeated ends, its length, and the place of the next item."""
    low, high = content[at], content[at + 1]
    if not low & 0x80:
        return low, high + 3, at + 2
    if not high & 0x80:
        return 0x80 + ((high << 2 & 0x180) | low & 0x7F), (high & 0x1F) + 3, at + 2
    return 0x80 + ((high & 0x7F) << 7 | low & 0x7F), content[at + 2] + 3, at + 3


def _words(content: bytes) -> array[int]:
    """The content as numbers of four bytes, in the byte order that its ELF header says."""
    words = array("I", content[: len(content) & ~3])
    is_little = content[5:6] != b"\x02"
    if is_little != (sys.byteorder == "little"):
        words.byteswap()
    return words


def _split(block: bytes, lengths: array[int]) -> tuple[str, ...]:
    """The texts of a block, by the lengths that fit it; empty if none do."""
    places = tuple(_places(block, _ALWAYS[0]))
    steps = 0
    for index in _indices(lengths, len(_ALWAYS[0])):
        for place in places:
            found = _texts_around(block, lengths, index, place)
            if set(_ALWAYS) <= {text for _, text in found}:
                return tuple(text.decode("utf-8", "replace") for _, text in found)
            steps += len(found)
            if steps > _MOST_STEPS:
                return ()
    return ()


def _indices(lengths: array[int], length: int) -> Iterator[int]:
    """Where a length may be among others: they are no great numbers."""
    index = -1
    for _ in range(_MOST_PLACES):
        try:
            index = lengths.index(length, index + 1)
        except ValueError:
            return
        yield index


def _anywhere(block: bytes) -> tuple[str, ...]:
    """Every name that a part of the texts around the first known one may be."""
    place = block.find(_ALWAYS[0])
    around = block[max(0, place - _SHORT) : place + _SHORT]
    run = next((m[0] for m in _RUN.finditer(around) if _ALWAYS[0] in m[0]), b"")
    run = _WRITERS_OWN.sub(b" ", run)
    if not all(text in run for text in _ALWAYS) or len(run) > _SHORT:
        return ()
    found: dict[str, None] = {}
    for names in _NAMES.findall(run.decode("ascii")):
        for start in range(len(names)):
            for end in range(start + 2, min(len(names), start + _LONGEST_NAME) + 1):
                found[names[start:end]] = None
    return tuple(found)


def _places(block: bytes, text: bytes) -> Iterator[int]:
    """Where a text is, but where it is one by itself."""
    at = block.find(text)
    number = 0
    while at >= 0 and number < 8:
        number += 1
        yield at
        at = block.find(text, at + 1)


def _texts_around(
    block: bytes, lengths: array[int], index: int, place: int
) -> list[tuple[int, bytes]]:
    """The texts before and after the one at `place`, whose length is at `index`."""
    before: list[tuple[int, bytes]] = []
    start = place
    for number in range(index - 1, max(-1, index - _MOST_TEXTS), -1):
        length = lengths[number]
        if not 0 < length <= min(start, _LONGEST_TEXT):
            break
        before.append((start - length, block[start - length : start]))
        start -= length
    after: list[tuple[int, bytes]] = []
    start = place
    for number in range(index, min(len(lengths), index + _MOST_TEXTS)):
        length = lengths[number]
        if not 0 < length <= min(len(block) - start, _LONGEST_TEXT):
            break
        after.append((start, block[start : start + length]))
        start += length
    return [*reversed(before), *after]
