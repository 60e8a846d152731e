"""A blob that is read while another thread still writes it.

    arrival = Arrival(descriptor.size, "layer 1 of 3")
    blob = ArrivingBlob(arrival)           # at once; a read waits for its bytes
    arrival.write(data)                    # in the other thread
    arrival.end()                          # the bytes are what they should be
    arrival.fail(error)                    # or they never will: what every read raises from then on

Bytes are only ever appended, so that nobody sees one that is replaced later, and the last of them
is given to nobody before `end`: whoever has read a blob to its end has read the right one.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from minify.errors import ImageError, MinifyError
from minify.image.blob import Spool, Stream


class Arrival:
    """`size` bytes on their way into a temporary file; one thread writes, any number read."""

    def __init__(self, size: int, name: str) -> None:
        """`name` is what messages call the bytes. OutputError if there is no room for a file."""
        self.size = size
        self._name = name
        self._spool = Spool(name)
        self._changed = threading.Condition()
        self._is_whole = False
        self._failure: BaseException | None = None

    @property
    def reached(self) -> int:
        """How many bytes have been written."""
        return self._spool.size

    @property
    def has_failed(self) -> bool:
        """Whether the rest will never come."""
        return self._failure is not None

    def write(self, data: bytes) -> None:
        """Appends `data`; OutputError if there is no room for it."""
        with self._changed:
            self._spool.write(data)
            self._changed.notify_all()

    def end(self) -> None:
        """All bytes are there, and are what they should be."""
        assert self.reached == self.size, (self.reached, self.size)
        with self._changed:
            self._is_whole = True
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """The rest will never come; nothing happens to what is whole or has failed already."""
        with self._changed:
            if not self._is_whole and self._failure is None:
                self._failure = _without_frames(error)
                self._changed.notify_all()

    def wait(self, end: int) -> None:
        """Returns when the bytes up to `end` may be read; raises what it failed with."""
        if self._is_whole or (end < min(self.reached, self.size) and self._failure is None):
            return
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._is_whole
                    or self._failure is not None
                    or end <= min(self.reached, self.size - 1)
                )
            )
        if self._failure is not None:
            raise _without_frames(self._failure)

    def read_at(self, offset: int, size: int) -> bytes:
        """The `size` bytes from `offset`, which are waited for; fewer at the end of all."""
        end = min(offset + size, self.size)
        self.wait(end)
        if offset >= end:
            return b""
        try:
            return self._spool.read_at(offset, end - offset)
        except OSError as error:
            raise ImageError(f"{self._name} cannot be read: {error.strerror}") from error


def _without_frames(error: BaseException) -> BaseException:
    """A user's error anew: frames would hold the temporary file, and readers have their own."""
    return type(error)(*error.lines) if isinstance(error, MinifyError) else error


@dataclass(frozen=True, slots=True)
class ArrivingBlob:
    """What arrives, as a blob."""

    arrival: Arrival

    @property
    def size(self) -> int:
        """In bytes, also of those that are not there yet."""
        return self.arrival.size

    def open(self) -> Stream:
        return _ArrivingStream(self.arrival)

    def check_unchanged(self) -> None:
        """Waits for all of it; raises what it failed with if it is not what it should be."""
        self.arrival.wait(self.size)


class _ArrivingStream:
    def __init__(self, arrival: Arrival) -> None:
        self._arrival = arrival
        self._position = 0

    def read(self, size: int, /) -> bytes:
        data = self._arrival.read_at(self._position, size)
        self._position += len(data)
        return data

    def seek(self, offset: int, /) -> None:
        self._position = offset

    def tell(self) -> int:
        return self._position
