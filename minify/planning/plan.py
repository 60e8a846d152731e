"""What a plan is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from minify.closure import Gap, KeepSet, Level
from minify.filetree import Entry
from minify.identity import Identity
from minify.image import ImageConfig
from minify.planning.advice import Advice
from minify.planning.configuration import ConfigChange


class ChangeKind(Enum):
    """What a change of an entry is for."""

    ADDED = "added"
    """The source does not have it."""
    ACCOUNTS = "accounts"
    """Only the accounts that are needed."""
    GIVEN = "given"
    """It becomes the user's, since the program writes to it."""
    OPENED = "opened"
    """The user's group may read it."""
    SETUID = "setuid"
    CAPABILITY = "capability"
    WORLD_WRITABLE = "world-writable"
    TEMPORARY = "temporary"
    """A directory for temporary files has mode 1777."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was changed on purpose."""

    kind: ChangeKind
    text: str
    """Old and new, and why: `mode 4755 → 0755: setuid stripped`."""


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """One entry of the result."""

    entry: Entry
    """As it will be written."""
    content: bytes | None = None
    """New content; None where it is the source's."""
    changes: tuple[Change, ...] = ()
    """What was added or changed on purpose; empty where it is exactly as in the source."""

    @property
    def change(self) -> str:
        """All changes as one line; empty where there is none."""
        return "; ".join(change.text for change in self.changes)


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
class LevelSize:
    """About how much an image of one level holds."""

    level: Level
    bytes: int
    is_chosen: bool


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
    config_changes: tuple[ConfigChange, ...]
    """What the configuration has otherwise than the source's, the user's own edits included."""
    gaps: tuple[Gap, ...]
    """What could not be followed or will not work: of the closure, the identity and the plan."""
    warnings: tuple[str, ...]
    """What the user of minify should know, the identity's first."""
    advice: Advice
    """How the result fits a hardened runtime."""
    levels: tuple[LevelSize, ...] = ()
    """What each level would give; empty where no library's imports are followed."""

    @property
    def changes(self) -> tuple[PlannedEntry, ...]:
        """What is not exactly as the source has it."""
        return tuple(planned for planned in self.entries if planned.changes)
