"""What is not likely enough to stay, and what it would have cost."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from minify.closure.finding import Likelihood, Need, Reason
from minify.closure.keepset import LeftOut
from minify.filetree import Entry, FileTree, ImagePath, Kind, Resolution


class Unlikely:
    """Takes needs that are less likely than the user wants, and tells of them in the end."""

    def __init__(self, tree: FileTree, least: Likelihood) -> None:
        self._tree = tree
        self._least = least
        self._taken: dict[ImagePath, dict[Reason, Likelihood]] = {}
        self._trees: set[ImagePath] = set()

    def takes(self, need: Need, found: Resolution) -> bool:
        """Whether `need` is not to be followed; `found` is where its path leads."""
        if need.likelihood >= self._least:
            return False
        if found.entry is not None:
            path = found.entry.path
            self._taken.setdefault(path, {})[need.reason] = need.likelihood
            if need.whole_tree:
                self._trees.add(path)
        return True

    def left_out(self, kept: AbstractSet[ImagePath]) -> tuple[LeftOut, ...]:
        """What was taken and is not `kept` for another reason; nothing is counted twice."""
        counted: set[ImagePath] = set()
        inodes: set[tuple[int, int]] = set()
        found = []
        for path in sorted(self._taken):
            entries = [e for e in self._below(path) if e.path not in kept and e.path not in counted]
            counted.update(entry.path for entry in entries)
            if not entries:
                continue
            by_place = {
                (entry.layer, entry.offset): entry.size
                for entry in entries
                if entry.kind is Kind.FILE and (entry.layer, entry.offset) not in inodes
            }
            inodes.update(by_place)
            reasons = self._taken[path]
            found.append(
                LeftOut(
                    path=path,
                    likelihood=max(reasons.values()),
                    reasons=tuple(sorted(reasons)),
                    bytes=sum(by_place.values()),
                    files=len(entries),
                )
            )
        return tuple(found)

    def _below(self, path: ImagePath) -> Iterator[Entry]:
        yield self._tree[path]
        if path in self._trees:
            yield from self._tree.below(path)
