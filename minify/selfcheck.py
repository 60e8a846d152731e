"""The finished image, read again from its own bytes before anybody sees it.

A difference here is a fault of minify's own, so it is an assertion and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from minify.closure import Analyzer, Context, Finding, Grade, solve
from minify.filetree import Entry, FileTree, ImagePath
from minify.filetree.path import ROOT
from minify.image import Image
from minify.planning import Plan
from minify.progress import SILENT, Progress


def check_content(image: Image, plan: Plan, progress: Progress = SILENT) -> FileTree:
    """The tree of the built image: its digests match, and it holds exactly what was planned."""
    tree = FileTree.from_layers(image.layers, progress)
    planned = {item.entry.path: item for item in plan.entries}
    found = {path: entry for path, entry in tree.entries.items() if entry.layer >= 0}
    assert found.keys() == planned.keys(), sorted(found.keys() ^ planned.keys())[:10]
    for path, item in planned.items():
        assert _described(found[path]) == _described(item.entry), (found[path], item.entry)
        if item.content is not None:
            assert tree.read(found[path]) == item.content, path
    assert _groups(found.values()) == _groups(item.entry for item in plan.entries)
    return tree


def _described(entry: Entry) -> Entry:
    """All of an entry but where its bytes lie."""
    return replace(entry, layer=0, offset=0, sparse=None, link_group=None)


def _groups(entries: Iterable[Entry]) -> set[frozenset[ImagePath]]:
    """Which paths are names of one inode."""
    groups: dict[int, set[ImagePath]] = {}
    for entry in entries:
        if entry.link_group is not None:
            groups.setdefault(entry.link_group, set()).add(entry.path)
    return {frozenset(paths) for paths in groups.values() if len(paths) > 1}


def check_closure(
    roots: Iterable[Finding],
    analyzers: Sequence[Analyzer],
    context: Context,
    plan: Plan,
) -> None:
    """Resolves the built image's hard needs from its own bytes: all are met.

    `context` and `roots` are those of the built image, `plan` is what it was built from. Where the
    user dropped something that is needed there is nothing to check.
    """
    if plan.keep.overruled:
        return
    again = solve(roots, analyzers, context)
    assert not again.missing, again.missing
    hard = {path for path, kept in again.kept.items() if kept.grade is Grade.HARD}
    # By path and not by grade: without its package database, the slim image shows less of what is
    # the distribution's, so a soft need may have become a hard one.
    planned = {item.entry.path for item in plan.entries} | {ROOT}
    assert hard <= planned, sorted(hard - planned)[:10]
