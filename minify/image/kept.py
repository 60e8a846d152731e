"""Programs and libraries of compressed layers, kept plain in a temporary file.

They are what is read again and again: their tables, the texts in them, and at last all of them
when the layer is written. What is not kept is decompressed anew, from a seek point on.

    room = Room()                            # one for all layers of an image
    kept = Contents(room)                    # one for each
    if kept.wants(first_bytes, size):
        kept.add(offset, first_bytes)        # as long as it says that there was room
    data = kept.read(offset, size)           # None: it is not there
"""

from __future__ import annotations

import os
import tempfile
from bisect import bisect_right
from dataclasses import dataclass

from minify.errors import OutputError
from minify.image.blob import Spool

_MAGIC = b"\x7fELF"
# Less is decompressed in no time, and there could be any number of them.
_LEAST = 1 << 14
_MOST = 1 << 30
# Downloads and the result have to fit into the same directory.
_SHARE = 4


class Room:
    """How much may be kept for an image: 1 GiB, or a quarter of what is free if that is less."""

    def __init__(self, most: int = _MOST) -> None:
        self.left = min(most, _free() // _SHARE)
        self._spool: Spool | None = None

    def add(self, data: bytes) -> int | None:
        """Where `data` begins in the file; None if there is no room for it."""
        if len(data) > self.left:
            return None
        try:
            if self._spool is None:
                self._spool = Spool("programs and libraries")
            start = self._spool.size
            self._spool.write(data)
        except OutputError:
            self.left = 0  # whoever cannot do without a file will say so
            return None
        self.left -= len(data)
        return start

    def read_at(self, offset: int, size: int) -> bytes:
        """The `size` bytes from `offset` of the file, which are there."""
        assert self._spool is not None
        return self._spool.read_at(offset, size)


def _free() -> int:
    """The free bytes where temporary files go; 0 if that cannot be told."""
    try:
        state = os.statvfs(tempfile.gettempdir())
    except OSError:
        return 0
    return state.f_bavail * state.f_frsize


@dataclass(slots=True)
class _Run:
    """Bytes that lie together, in the tar and in the file."""

    start: int
    place: int
    size: int

    def is_before(self, start: int, place: int) -> bool:
        """Whether what begins there goes on where this ends, in both."""
        return (self.start + self.size, self.place + self.size) == (start, place)


class Contents:
    """What is kept of one layer, by its place in the plain tar."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._starts: list[int] = []
        self._runs: list[_Run] = []

    def wants(self, first: bytes, size: int) -> bool:
        """Whether a content of `size` bytes that begins with `first` is one to be kept."""
        return first.startswith(_MAGIC) and _LEAST <= size <= self._room.left

    def add(self, offset: int, data: bytes) -> bool:
        """Keeps `data`, which begins at `offset`, behind all that is there; False: no room."""
        place = self._room.add(data)
        if place is None:
            return False
        if self._runs and self._runs[-1].is_before(offset, place):
            self._runs[-1].size += len(data)
        else:
            self._starts.append(offset)
            self._runs.append(_Run(offset, place, len(data)))
        return True

    def read(self, offset: int, size: int) -> bytes | None:
        """The `size` bytes from `offset`; None if not all of them are kept."""
        index = bisect_right(self._starts, offset) - 1
        if index < 0:
            return None
        run = self._runs[index]
        within = offset - run.start
        if within + size > run.size:
            return None
        return self._room.read_at(run.place + within, size)
