"""Texts that Cython packs, in each of its ways."""

import bz2
import sys
import zlib
from array import array
from collections.abc import Callable, Sequence

import pytest

from minify.filetree import ImagePath
from minify.python import Module, ModuleKind
from minify.python.cython import is_packed, packed_texts
from minify.python.imports import imports_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXTS = """
    a%text packed.pyx __annotate__ __main__ __module__ __name__ asyncio.coroutines
    cline_in_traceback entities html.entities saxutils uuid xml.sax xml.sax
""".split()
BLOCK = "".join(TEXTS).encode() + b"\x80\x01\xd8\0\x04" * 60


def extension(block: bytes, texts: Sequence[str] = (), *, is_big: bool = False) -> bytes:
    """What a linker would make of it, as far as it is read."""
    lengths = array("I", map(len, texts))
    if is_big != (sys.byteorder == "big"):
        lengths.byteswap()
    head = b"\x7fELF\x02" + (b"\x02" if is_big else b"\x01")
    content = head.ljust(64, b"\0") + b"\0cython_runtime\0".ljust(32, b"\0")
    content += (1 << 24).to_bytes(4, "little") + lengths.tobytes() + b"\xff" * 4
    return content + b"\0" * (-len(content) % 16 or 16) + block + b"\0PyInit_fast\0"


def lzss(block: bytes) -> bytes:
    """Literals, and where a place repeats what ends right before it, that once."""
    items = []
    at = 0
    while at < len(block):
        if at >= 5 and block[at - 5 : at] == block[at : at + 5]:
            items.append((False, bytes((0, 2))))
            at += 5
        else:
            items.append((True, block[at : at + 1]))
            at += 1
    out = b""
    for start in range(0, len(items), 8):
        group = items[start : start + 8]
        flags = sum(1 << number for number, (is_plain, _) in enumerate(group) if is_plain)
        out += bytes((flags,)) + b"".join(text for _, text in group)
    return out


@pytest.mark.parametrize("pack", [bytes, zlib.compress, bz2.compress, zstd.compress, lzss])
@pytest.mark.parametrize("order", ["little", "big"])
def test_texts_are_split_by_their_lengths(pack: Callable[[bytes], bytes], order: str) -> None:
    content = extension(pack(BLOCK), TEXTS, is_big=order == "big")
    assert is_packed(content)
    found = packed_texts(content)
    start = found.index("a%text")
    assert found[start : start + len(TEXTS)] == tuple(TEXTS)


def test_packed_texts_may_begin_with_any_byte() -> None:
    found = packed_texts(extension(lzss(b"\0" + BLOCK), ["\0", *TEXTS]))
    assert "html.entities" in found


def test_short_block_without_lengths_gives_what_may_be_a_name() -> None:
    found = packed_texts(extension(BLOCK))
    assert {"html.entities", "uuid", "xml.sax", "saxutils"} <= set(found)


def test_texts_by_themselves_are_not_packed() -> None:
    assert not is_packed(b"\x7fELF\0cython_runtime\0__test__\0json\0")
    assert not is_packed(b"\x7fELF\0__test\0json\0")


def test_what_cannot_be_read_is_opaque() -> None:
    module = Module("fast", ModuleKind.EXTENSION, ImagePath("/fast.so"))
    assert imports_of(module, extension(b"\xf0" * 4000)).is_opaque
    assert not imports_of(module, extension(zlib.compress(BLOCK), TEXTS)).is_opaque
    library = extension(b"\xf0" * 4000).replace(b"PyInit_", b"PyLong_")
    assert not imports_of(module, library).is_opaque


@pytest.mark.parametrize(
    "hostile",
    [
        zlib.compress(b"\0" * (64 << 20)),
        b"\x78\x9c" * 100_000,
        b"\xffaaaaaaaa" * 100_000,
        b"cline_in_traceback__main____name__" * 30_000,
    ],
    ids=["bomb", "headers", "lzss", "pivots"],
)
def test_hostile_blocks_end_soon(hostile: bytes) -> None:
    packed_texts(extension(hostile, ["x" * 18] * 20_000))
