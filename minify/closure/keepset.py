"""What stays and why."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from minify.closure.finding import (
    Gap,
    Grade,
    Likelihood,
    Missing,
    NeedsRoot,
    Reason,
    RunsAs,
    Writes,
)
from minify.filetree import ImagePath

_Step: TypeAlias = tuple[ImagePath, Reason]
"""A path, and a reason that it is kept for."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Why one path stays, all reasons sorted, and the strongest grade among them."""

    grade: Grade
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that may be opened, and is not likely enough for the user."""

    path: ImagePath
    """A file, a link, or a directory with what is below it."""
    likelihood: Likelihood
    """The greatest of any reason."""
    reasons: tuple[Reason, ...]
    bytes: int
    """What its files would have cost, each inode once; what they need in turn is not counted."""
    files: int
    """How many entries that are not kept for another reason."""


@dataclass(frozen=True, slots=True)
class Excluded:
    """Something in a directory that is kept whole otherwise: version control data, a cache."""

    path: ImagePath
    """A file, a link, or a directory with what is below it."""
    reasons: tuple[Reason, ...]
    """Why all else in the directory stays, sorted."""
    bytes: int
    """What its files would have cost, each inode once."""
    files: int
    """How many entries that are not kept for another reason."""


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
    left_out: tuple[LeftOut, ...] = ()
    """Sorted by path; nothing of it is kept for another reason."""
    excluded: tuple[Excluded, ...] = ()
    """The same of what is no part of a directory that is kept whole."""
    unreached: tuple[Excluded, ...] = ()
    """The same of directories of libraries: what no import reaches, or whatever else decides it."""
    unread: Mapping[ImagePath, Reason] = field(default_factory=dict)
    """Files that are not kept of packages that are, and why."""

    def why(self, path: ImagePath) -> tuple[_Step, ...]:
        """The chain from `path` back to a root: each path and a reason that it is kept for.

        Empty if `path` is not kept. It is the shortest one; of what is surely used, all of it is.
        """
        kept = self.kept.get(path)
        if kept is None:
            return ()
        chain = self._chain(path, kept.grade) or self._chain(path, Grade.SOFT)
        return chain or ((path, kept.reasons[0]),)

    def _chain(self, path: ImagePath, grade: Grade) -> tuple[_Step, ...]:
        """The shortest chain of paths of at least `grade`; empty if there is none."""
        asks_for: dict[ImagePath, _Step] = {}
        queue = deque((path,))
        while queue:
            here = queue.popleft()
            for reason in self.kept[here].reasons:
                by = ImagePath(reason.by)
                if by not in self.kept:
                    return (*_steps(path, here, asks_for), (here, reason))
                if by != path and by not in asks_for and self.kept[by].grade >= grade:
                    asks_for[by] = (here, reason)
                    queue.append(by)
        return ()


def _steps(
    path: ImagePath, last: ImagePath, asks_for: Mapping[ImagePath, _Step]
) -> tuple[_Step, ...]:
    """The way from `path` to `last`, without the last step."""
    found = []
    while last != path:
        found.append(asks_for[last])
        last = asks_for[last][0]
    return tuple(reversed(found))
