"""What a plan is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from minify.closure import KeepSet
from minify.filetree import Entry
from minify.identity import Identity
from minify.image import ImageConfig


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """One entry of the result."""

    entry: Entry
    """As it will be written."""
    content: bytes | None = None
    """New content; None where it is the source's."""
    change: str = ""
    """What was added or changed on purpose; empty where it is exactly as in the source."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much an image or a plan holds."""

    bytes: int
    """Content of all files, each inode once."""
    files: int
    """Entries of all kinds, directories included."""

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Size:
        total, number = 0, 0
        groups: set[int] = set()
        for entry in entries:
            number += 1
            if entry.link_group is not None:
                if entry.link_group in groups:
                    continue
                groups.add(entry.link_group)
            total += entry.size
        return cls(total, number)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be written."""

    entries: tuple[PlannedEntry, ...]
    """Sorted by path, so every directory comes before what is in it."""
    config: ImageConfig
    """Complete but for the layer's diff_id, which only the built layer has."""
    keep: KeepSet
    identity: Identity
    source: Size
    size: Size

    @property
    def changes(self) -> tuple[PlannedEntry, ...]:
        """What is not exactly as the source has it."""
        return tuple(planned for planned in self.entries if planned.change)
