"""What becomes the user's, and what its group may read: `Identity.given` and `opened`, carried out.

All names of an inode have one owner, so either all of them change or none does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import ancestors
from minify.identity import Given, Identity
from minify.identity.state import may_be_given
from minify.planning.plan import Change, ChangeKind, PlannedEntry

Planned = Mapping[ImagePath, PlannedEntry]


def owned(entry: Entry, uid: int, gid: int) -> Entry:
    """`entry` with other numbers; the names that stood for the old ones go."""
    uname = entry.uname if uid == entry.uid else ""
    gname = entry.gname if gid == entry.gid else ""
    return replace(entry, uid=uid, gid=gid, uname=uname, gname=gname)


def as_users(entry: Entry, identity: Identity) -> Entry:
    """`entry` as the user's own; of an arbitrary one, group 0 may do what the owner may."""
    if not identity.is_arbitrary:
        return owned(entry, identity.uid, identity.gid)
    mode = entry.mode | (entry.mode & 0o700) >> 3
    return replace(owned(entry, identity.uid, 0), mode=mode)


def difference(old: Entry, new: Entry) -> str:
    """What owner and mode were and are: `owner 0:0 → 33:33, mode 0777 → 0775`."""
    parts = []
    if old.uid != new.uid:
        parts.append(f"owner {old.uid}:{old.gid} → {new.uid}:{new.gid}")
    elif old.gid != new.gid:
        parts.append(f"group {old.gid} → {new.gid}")
    if old.mode != new.mode:
        parts.append(f"mode {old.mode:04o} → {new.mode:04o}")
    return ", ".join(parts)


def changed(item: PlannedEntry, entry: Entry, kind: ChangeKind, why: str) -> PlannedEntry:
    """`item` as `entry`, with one change more, or itself if nothing differs."""
    if entry == item.entry:
        return item
    change = Change(kind, f"{difference(item.entry, entry)}: {why}")
    return replace(item, entry=entry, changes=(*item.changes, change))


def new_directories(identity: Identity, planned: Planned, tree: FileTree) -> Iterator[PlannedEntry]:
    """The directories that become the user's and are not planned yet, as they are before that."""
    for given in identity.given:
        existing = tree.get(given.path)
        if given.path in planned:
            continue
        if existing is None:
            assert given.is_new, given
            change = Change(ChangeKind.ADDED, "added: a directory that the program writes to")
            yield PlannedEntry(Entry(given.path, Kind.DIRECTORY, 0o755), changes=(change,))
        elif existing.kind is Kind.DIRECTORY:
            yield PlannedEntry(existing)


def given(planned: Planned, identity: Identity, tree: FileTree) -> dict[ImagePath, PlannedEntry]:
    """What becomes the user's, of `planned`.

    Never devices, links and what has a privilege in `tree`, the source, nor an inode of which
    another name stays outside.
    """
    theirs = {path for path in planned if _is_given(path, _by_path(identity.given))}
    outside = {planned[path].entry.link_group for path in planned.keys() - theirs} - {None}
    found = {}
    for path in sorted(theirs):
        item = planned[path]
        if may_be_given(tree.get(path) or item.entry) and item.entry.link_group not in outside:
            entry = as_users(item.entry, identity)
            found[path] = changed(item, entry, ChangeKind.GIVEN, "written to")
    return found


def _by_path(given: Iterable[Given]) -> Mapping[ImagePath, Given]:
    return {item.path: item for item in given}


def _is_given(path: ImagePath, by_path: Mapping[ImagePath, Given]) -> bool:
    if path in by_path:
        return True
    return any(above in by_path and by_path[above].is_tree for above in ancestors(path))


def opened(planned: Planned, identity: Identity) -> dict[ImagePath, PlannedEntry]:
    """What the user's group may now read or enter, of `planned`; the owner stays."""
    found: dict[ImagePath, PlannedEntry] = {}
    names = _names(planned)
    for wanted in identity.opened:
        if wanted.path not in planned:
            continue
        group = planned[wanted.path].entry.link_group
        for path in (wanted.path,) if group is None else names[group]:
            item = found.get(path, planned[path])
            gid = 0 if identity.is_arbitrary else wanted.gid
            mode = item.entry.mode | wanted.mode & 0o070
            entry = replace(owned(item.entry, item.entry.uid, gid), mode=mode)
            why = f"named by {wanted.reason.by}"
            found[path] = changed(item, entry, ChangeKind.OPENED, why)
    return found


def _names(planned: Planned) -> Mapping[int, tuple[ImagePath, ...]]:
    """The names of each inode that has several."""
    found: dict[int, list[ImagePath]] = {}
    for path, item in planned.items():
        if item.entry.link_group is not None:
            found.setdefault(item.entry.link_group, []).append(path)
    return {group: tuple(paths) for group, paths in found.items()}
