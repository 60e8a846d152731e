"""What was made last of an image's files, in a bounded room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Recent(Generic[_Value]):
    """The values that were asked for last; the oldest go where all are more than `room` allows.

    One value stays whatever its size is.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: dict[str, tuple[int, _Value]] = {}
        self._total = 0

    def of(self, key: str, size: int, make: Callable[[], _Value]) -> _Value:
        """The value of `key`, made if it is not here; `size` is what it takes of the room."""
        found = self._kept.pop(key, None)
        if found is None:
            found = size, make()
            self._total += size
        self._kept[key] = found
        while self._total > self._room and len(self._kept) > 1:
            self._total -= self._kept.pop(next(iter(self._kept)))[0]
        return found[1]
