"""What each level would give, from two closures."""

from __future__ import annotations

from filetree.kit import file, tree_of

from minify.closure import KeepSet, Kept, Level, Need, Pruning, Reason
from minify.closure.finding import Grade
from minify.filetree import ImagePath
from minify.planning import LevelSize, level_sizes

TREE = tree_of([file(name, b"x" * size) for name, size in (("a", 1), ("b", 10), ("c", 100))])
REASON = Reason("python.import", "/a", "")


def keep(*paths: str) -> KeepSet:
    kept = {ImagePath(path): Kept(Grade.SOFT, (REASON,)) for path in paths}
    return KeepSet(kept, (), (), (), (), {})


def naming(*paths: str) -> Pruning:
    return Pruning(frozenset(), tuple(Need(path, REASON) for path in paths))


PRUNINGS = {Level.BALANCED: naming("/a", "/b"), Level.TIGHT: naming("/a")}


def test_safe_is_exact_and_tight_is_less_by_what_it_does_not_name() -> None:
    keeps = {Level.SAFE: keep("/a", "/b", "/c"), Level.BALANCED: keep("/a", "/b")}
    assert level_sizes(TREE, keeps, PRUNINGS, Level.BALANCED) == (
        LevelSize(Level.SAFE, 111, is_chosen=False),
        LevelSize(Level.BALANCED, 11, is_chosen=True),
        LevelSize(Level.TIGHT, 1, is_chosen=False),
    )


def test_balanced_is_more_by_what_it_names() -> None:
    keeps = {Level.SAFE: keep("/a", "/b", "/c"), Level.TIGHT: keep("/a")}
    sizes = level_sizes(TREE, keeps, PRUNINGS, Level.TIGHT)
    assert [item.bytes for item in sizes] == [111, 11, 1]
