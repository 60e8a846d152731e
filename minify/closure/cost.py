"""What it would have cost to keep what is not kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from minify.filetree import Entry, FileTree, ImagePath, Kind


def costs(
    trees: Mapping[ImagePath, bool], kept: AbstractSet[ImagePath], tree: FileTree
) -> Iterator[tuple[ImagePath, int, int]]:
    """The bytes and entries of each path that are not `kept`; nothing is counted twice.

    `trees` says of each path whether what is below it counts too. A path of which all is kept is
    not among the results.
    """
    counted: set[ImagePath] = set()
    inodes: set[tuple[int, int]] = set()
    for path in sorted(trees):
        below = _below(path, tree) if trees[path] else (tree[path],)
        entries = [e for e in below if e.path not in kept and e.path not in counted]
        counted.update(entry.path for entry in entries)
        by_place = {
            (entry.layer, entry.offset): entry.size
            for entry in entries
            if entry.kind is Kind.FILE and (entry.layer, entry.offset) not in inodes
        }
        inodes.update(by_place)
        if entries:
            yield path, sum(by_place.values()), len(entries)


def _below(path: ImagePath, tree: FileTree) -> Iterator[Entry]:
    yield tree[path]
    yield from tree.below(path)
