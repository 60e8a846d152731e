"""Bounded random access to a file of which little is wanted."""

from __future__ import annotations

from minify.elf.elffile import ElfError
from minify.filetree.path import decoded
from minify.image.blob import Stream

# A seek in a compressed layer costs more than 64 KiB do, and most of a library's tables are
# within the first 64 KiB.
_BLOCK = 1 << 16
_MOST_BLOCKS = 64
# Against tables that are made to be read over and over. libLLVM's take 9 MiB.
_MOST_READ = 128 << 20


class Window:
    """`at(offset, size)` of a file, checked against its size; keeps at most 4 MiB."""

    def __init__(self, stream: Stream, size: int) -> None:
        self.size = size
        self._stream = stream
        self._blocks: dict[int, bytes] = {}
        self._read = 0

    def at(self, offset: int, size: int) -> bytes:
        """Exactly the `size` bytes from `offset`; ElfError if the file has not so many."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise ElfError(f"wants {size:,} bytes at {offset:#x}; the file has {self.size:,}")
        if size > _BLOCK:
            return self._fetch(offset, size)
        data = b""
        while len(data) < size:
            number, start = divmod(offset + len(data), _BLOCK)
            data += self._block(number)[start : start + size - len(data)]
        return data

    def string(self, offset: int, end: int) -> str:
        """The text from `offset` to the next NUL, which must come before `end`."""
        data = b""
        while offset + len(data) < min(end, self.size):
            number, start = divmod(offset + len(data), _BLOCK)
            piece = self._block(number)[start : start + end - offset - len(data)]
            head, nul, _ = piece.partition(b"\0")
            data += head
            if nul:
                return decoded(data)
            if len(data) > _BLOCK:
                break
        raise ElfError(f"has a string at {offset:#x} that does not end")

    def _block(self, number: int) -> bytes:
        block = self._blocks.get(number)
        if block is None:
            if len(self._blocks) == _MOST_BLOCKS:
                self._blocks.clear()
            offset = number * _BLOCK
            block = self._fetch(offset, min(_BLOCK, self.size - offset))
            self._blocks[number] = block
        return block

    def _fetch(self, offset: int, size: int) -> bytes:
        self._read += size
        if self._read > _MOST_READ:
            raise ElfError(f"has tables of more than {_MOST_READ:,} bytes")
        self._stream.seek(offset)
        data = self._stream.read(size)
        if len(data) < size:
            raise ElfError(f"ends at {offset + len(data):,} of {self.size:,} bytes")
        return data
