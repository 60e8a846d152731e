"""What each level would give, as near as one closure more can say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from minify.closure import KeepSet, Level, Need, Pruning
from minify.filetree import FileTree, ImagePath
from minify.planning.plan import LevelSize, Size


def level_sizes(
    tree: FileTree, keeps: Mapping[Level, KeepSet], prunings: Mapping[Level, Pruning], chosen: Level
) -> tuple[LevelSize, ...]:
    """The size of each level; of one without a closure in `keeps` from those of another.

    What such a level adds or leaves out counts by itself, and what that needs in turn does not.
    """
    found = []
    for level in Level:
        if level in keeps:
            size = _size(tree, keeps[level].kept)
        else:
            other = next(one for one in keeps if one is not Level.SAFE)
            own, others = _named(tree, prunings[level]), _named(tree, prunings[other])
            size = _size(tree, (keeps[other].kept.keys() - (others - own)) | own)
        found.append(LevelSize(level, size, level is chosen))
    return tuple(found)


def _size(tree: FileTree, paths: Iterable[ImagePath]) -> int:
    return Size.of(tree[path] for path in sorted(paths)).bytes


def _named(tree: FileTree, pruning: Pruning) -> frozenset[ImagePath]:
    """The files that findings name one by one."""
    needs = (one for one in pruning.findings if isinstance(one, Need) and not one.whole_tree)
    entries = (tree.resolve(need.path).entry for need in needs)
    return frozenset(entry.path for entry in entries if entry is not None)
