"""Whose each entry is once what is given and opened has changed hands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.identity.identity import Given, Opened


def may_be_given(entry: Entry) -> bool:
    """Not devices, and nothing that has a privilege which would become the user's."""
    if entry.kind not in (Kind.FILE, Kind.DIRECTORY):
        return False
    is_privileged = entry.kind is Kind.FILE and entry.mode & 0o6000
    return not is_privileged and all(name != "security.capability" for name, _ in entry.xattrs)


def given_paths(
    given: Iterable[Given], kept: Mapping[ImagePath, object], tree: FileTree
) -> frozenset[ImagePath]:
    """Every path of the source that becomes the user's: those `given`, and what is kept in trees.

    All names of an inode among `kept`, or none: they have one owner.
    """
    found: set[ImagePath] = set()
    for item in given:
        if item.path in tree:
            found.add(item.path)
        if item.is_tree:
            found.update(entry.path for entry in tree.below(item.path) if entry.path in kept)
    found = {path for path in found if may_be_given(tree[path])}
    groups = {tree[path].link_group for path in found} - {None}
    if groups:
        groups &= {tree[path].link_group for path in kept if path not in found}
    return frozenset(path for path in found if tree[path].link_group not in groups)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Owner and mode of entries in the result, as far as the user decides them."""

    uid: int
    gid: int
    paths: frozenset[ImagePath] = frozenset()
    """What is the user's."""
    opened: Mapping[ImagePath, Opened] | None = None
    is_arbitrary: bool = False
    """Whether the group may do what the owner may, with all that is the user's."""

    def of(self, entry: Entry) -> Entry:
        """`entry` as it will be."""
        if entry.path in self.paths:
            mode = _group_as_owner(entry.mode) if self.is_arbitrary else entry.mode
            return replace(entry, uid=self.uid, gid=self.gid, mode=mode)
        opened = (self.opened or {}).get(entry.path)
        return entry if opened is None else replace(entry, gid=opened.gid, mode=opened.mode)


def _group_as_owner(mode: int) -> int:
    return mode | (mode & 0o700) >> 3
