"""What is not likely enough to stay, and what it would have cost."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from minify.closure.cost import costs
from minify.closure.finding import Likelihood, Need, Reason
from minify.closure.keepset import LeftOut
from minify.filetree import FileTree, ImagePath, Resolution


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
        trees = {path: path in self._trees for path in self._taken}
        return tuple(
            LeftOut(
                path=path,
                likelihood=max(self._taken[path].values()),
                reasons=tuple(sorted(self._taken[path])),
                bytes=size,
                files=files,
            )
            for path, size, files in costs(trees, kept, self._tree)
        )
