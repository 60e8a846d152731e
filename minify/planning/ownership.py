"""What becomes the user's, and what its group may read: `Identity.given` and `opened`, carried out.

All names of an inode have one owner, so either all of them change or none does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.identity import Identity
from minify.identity.ownership import Ownership, given_paths
from minify.planning.plan import Change, ChangeKind, PlannedEntry

Planned = Mapping[ImagePath, PlannedEntry]

_GROUP = 0o070


def owned(entry: Entry, uid: int, gid: int) -> Entry:
    """`entry` with other numbers; the names that stood for the old ones go."""
    uname = entry.uname if uid == entry.uid else ""
    gname = entry.gname if gid == entry.gid else ""
    return replace(entry, uid=uid, gid=gid, uname=uname, gname=gname)


def as_users(entry: Entry, identity: Identity) -> Entry:
    """`entry` as the user's own; of an arbitrary one, group 0 may do what the owner may."""
    paths = frozenset((entry.path,))
    owner = Ownership(identity.uid, identity.gid, paths, is_arbitrary=identity.is_arbitrary)
    theirs = owner.of(entry)
    return replace(owned(entry, theirs.uid, theirs.gid), mode=theirs.mode)


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
    """The directories that become the user's and are not planned yet: new ones are its own."""
    for given in identity.given:
        existing = tree.get(given.path)
        if given.path in planned:
            continue
        if existing is None:
            assert given.is_new, given
            entry = as_users(Entry(given.path, Kind.DIRECTORY, 0o755), identity)
            text = f"added: a directory of {entry.uid}:{entry.gid}: written to"
            yield PlannedEntry(entry, changes=(Change(ChangeKind.ADDED, text),))
        elif existing.kind is Kind.DIRECTORY:
            yield PlannedEntry(existing)


def given(planned: Planned, identity: Identity, tree: FileTree) -> dict[ImagePath, PlannedEntry]:
    """What becomes the user's, of `planned` and of `tree`, the source."""
    kept = {path: item for path, item in planned.items() if path in tree}
    found = {}
    for path in sorted(given_paths(identity.given, kept, tree)):
        item = planned.get(path)
        if item is not None:
            entry = as_users(item.entry, identity)
            found[path] = changed(item, entry, ChangeKind.GIVEN, "written to")
    return found


def opened(planned: Planned, identity: Identity) -> dict[ImagePath, PlannedEntry]:
    """What the user's group may now read or enter, of `planned`; the owner stays."""
    found = {}
    for wanted in identity.opened:
        item = planned.get(wanted.path)
        if item is not None:
            mode = item.entry.mode & ~_GROUP | wanted.mode & _GROUP
            entry = replace(owned(item.entry, item.entry.uid, wanted.gid), mode=mode)
            why = f"named by {wanted.reason.by}"
            found[wanted.path] = changed(item, entry, ChangeKind.OPENED, why)
    return found
