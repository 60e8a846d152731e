"""What stays and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from minify.closure.finding import Gap, Grade, Missing, NeedsRoot, Reason, RunsAs, Writes
from minify.filetree import ImagePath


@dataclass(frozen=True, slots=True)
class Kept:
    """Why one path stays, all reasons sorted, and the strongest grade among them."""

    grade: Grade
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class KeepSet:
    """The closure's result. All sequences are sorted, whatever the order of the visit."""

    kept: Mapping[ImagePath, Kept]
    missing: tuple[Missing, ...]
    """Hard needs that cannot be met; the image is refused unless this is empty."""
    gaps: tuple[Gap, ...]
    runs_as: tuple[RunsAs, ...]
    writes: tuple[Writes, ...]
    overruled: Mapping[ImagePath, Kept]
    """What the user dropped although it is needed."""
    needs_root: tuple[NeedsRoot, ...] = ()

    def why(self, path: ImagePath) -> tuple[tuple[ImagePath, Reason], ...]:
        """The chain from `path` back to a root: each path and the first reason it is kept for.

        Empty if `path` is not kept. Reasons are chosen so that the chain does not go in a circle.
        """
        chain: list[tuple[ImagePath, Reason]] = []
        seen: set[str] = set()
        here: ImagePath | None = path
        while here is not None and here in self.kept and here not in seen:
            seen.add(here)
            reasons = self.kept[here].reasons
            reason = next((r for r in reasons if r.by not in seen), reasons[0])
            chain.append((here, reason))
            here = ImagePath(reason.by) if reason.by in self.kept else None
        return tuple(chain)
