"""How much of a language's library stays, and what says so in the place of whole trees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from minify.closure.analyzer import Context
from minify.closure.finding import Finding
from minify.closure.keepset import KeepSet
from minify.filetree import ImagePath


class Level(Enum):
    """What stays of the libraries of a language whose imports are followed."""

    SAFE = "safe"
    """All of the runtime and every package."""
    BALANCED = "balanced"
    """What imports reach, by whole packages and by modules of the standard library."""
    TIGHT = "tight"
    """What imports reach, by modules; of a package, the data too."""


@dataclass(frozen=True, slots=True)
class Pruning:
    """What an analyzer of a language decides once the rest of the closure is known."""

    directories: frozenset[ImagePath] = frozenset()
    """Trees that are kept whole end at these: what stays below them is among the findings."""
    findings: tuple[Finding, ...] = ()
    scripts: frozenset[ImagePath] = frozenset()
    """Those whose imports it has followed."""
    idle: frozenset[ImagePath] = frozenset()
    """Shell scripts of libraries that nothing of what is followed names."""
    spared: tuple[str, ...] = ()
    """Why all that is installed stays, a sentence for each runtime that is not followed."""

    @classmethod
    def of(cls, prunings: Iterable[Pruning]) -> Pruning:
        """What several say together."""
        found = tuple(prunings)
        return cls(
            frozenset().union(*(one.directories for one in found)),
            tuple(finding for one in found for finding in one.findings),
            frozenset().union(*(one.scripts for one in found)),
            frozenset().union(*(one.idle for one in found)),
            tuple(sentence for one in found for sentence in one.spared),
        )


class Pruner(Protocol):
    """Says what of a language's trees stays. `keep` is the closure with all of them."""

    def __call__(self, keep: KeepSet, context: Context, level: Level, /) -> Pruning: ...
