"""Privileges that a file gives to whoever finds it: none that the program does not surely use.

setuid and setgid bits, file capabilities, and what everybody may write to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from minify.closure import Gap, Grade, KeepSet, Reason, places
from minify.closure.finding import EVERYBODY
from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.identity import Accounts, Identity
from minify.planning.capabilities import XATTR, attribute, file_capabilities, parsed
from minify.planning.ownership import Planned, as_users, changed, owned
from minify.planning.plan import Change, ChangeKind, PlannedEntry

SETUID, SETGID = 0o4000, 0o2000
_EVERYBODY_WRITES = 0o002
_STICKY = 0o1000

_FOR_DATA = ("/home", "/media", "/mnt", "/opt", "/run", "/srv", "/tmp", "/var/")  # noqa: S108


@dataclass(frozen=True, slots=True)
class Hardening:
    """What decides about privileges."""

    keep: KeepSet
    identity: Identity
    tree: FileTree
    keep_setuid: bool
    others: tuple[tuple[int, int], ...]
    """Owner and group of the accounts that a program of root changes to, as far as known."""
    is_anybody: bool
    """Whether it may change to accounts that are not known."""

    @classmethod
    def of(
        cls, keep: KeepSet, identity: Identity, tree: FileTree, *, keep_setuid: bool
    ) -> Hardening:
        names = {finding.account for finding in keep.runs_as} if identity.uid == 0 else set()
        accounts = Accounts.of(tree)
        found = {name: accounts.account(name) for name in names}
        others = {(a.uid, a.gid) for a in found.values() if a is not None and a.uid != 0}
        is_anybody = EVERYBODY in names or None in found.values()
        return cls(keep, identity, tree, keep_setuid, tuple(sorted(others)), is_anybody)

    @property
    def is_run_by_others(self) -> bool:
        """Whether anything runs as another user than root."""
        return self.identity.uid != 0 or bool(self.others) or self.is_anybody

    @property
    def has_one_writer(self) -> bool:
        """Whether it is known who has to be able to write what everybody could."""
        return self.identity.uid != 0 or (len(self.others) <= 1 and not self.is_anybody)


def hardened(planned: Planned, how: Hardening) -> dict[ImagePath, PlannedEntry]:
    """Of `planned`, what loses a privilege."""
    hard = _hard_inodes(planned, how.keep)
    found = {}
    for path, item in planned.items():
        new = item
        if item.entry.kind is Kind.FILE:
            is_hard = _inode(item.entry) in hard
            new = _without_setuid(_without_capabilities(new, how, is_hard=is_hard), how)
        if is_open(item.entry) and how.has_one_writer:
            new = _closed(new, how)
        if new is not item:
            found[path] = new
    return found


def is_open(entry: Entry) -> bool:
    """Whether everybody may write to a file, or remove others' files from a directory."""
    if entry.kind is Kind.DIRECTORY:
        return bool(entry.mode & _EVERYBODY_WRITES) and not entry.mode & _STICKY
    return entry.kind is Kind.FILE and bool(entry.mode & _EVERYBODY_WRITES)


def hardening_gaps(before: Planned, after: Planned, how: Hardening) -> Iterator[Gap]:
    """What the program surely uses and will not work, since it lost its privilege."""
    for path, item in after.items():
        kept = how.keep.kept.get(path)
        if kept is None or kept.grade is not Grade.HARD or path not in before:
            continue
        old, kinds = before[path].entry, {change.kind for change in item.changes}
        if ChangeKind.SETUID in kinds and _loses(old, how):
            detail = f"{path} has lost its {_bits(old.mode)} bit: whoever runs it stays who he is"
            yield Gap(Reason("hardening.setuid", path, detail), "keep it with --keep-setuid")
        if ChangeKind.CAPABILITY in kinds and how.is_run_by_others:
            detail = f"{path} has lost its capabilities, which are malformed"
            yield Gap(Reason("hardening.capability", path, detail), "set them again with setcap")


def hardening_warnings(planned: Iterable[PlannedEntry], how: Hardening) -> Iterator[str]:
    """What is left open, since nobody knows who has to write to it."""
    for item in planned:
        if is_open(item.entry) and not how.has_one_writer:
            yield (
                f"{item.entry.path} ({item.entry.mode:04o}) is still writable by everybody: the"
                " image runs as root and as others, and which of them writes to it is not known"
            )


def _loses(old: Entry, how: Hardening) -> bool:
    """Whether the bits made a difference: root is root without them."""
    return how.is_run_by_others or old.uid != 0 or bool(old.mode & SETGID and old.gid != 0)


def _bits(mode: int) -> str:
    names = [name for bit, name in ((SETUID, "setuid"), (SETGID, "setgid")) if mode & bit]
    return " and ".join(names)


def _inode(entry: Entry) -> int | ImagePath:
    return entry.path if entry.link_group is None else entry.link_group


def _hard_inodes(planned: Planned, keep: KeepSet) -> set[int | ImagePath]:
    """The inodes that the program surely uses by one of their names."""
    kept: Mapping[ImagePath, Grade] = {path: found.grade for path, found in keep.kept.items()}
    return {_inode(item.entry) for path, item in planned.items() if kept.get(path) is Grade.HARD}


def _without_setuid(item: PlannedEntry, how: Hardening) -> PlannedEntry:
    mode = item.entry.mode
    if how.keep_setuid or not mode & (SETUID | SETGID):
        return item
    entry = replace(item.entry, mode=mode & ~(SETUID | SETGID))
    return changed(item, entry, ChangeKind.SETUID, f"{_bits(mode)} stripped")


def _without_capabilities(item: PlannedEntry, how: Hardening, *, is_hard: bool) -> PlannedEntry:
    value = attribute(item.entry)
    if value is None:
        return item
    found = file_capabilities(item.entry)
    if found is not None and is_hard and how.is_run_by_others:
        return item
    text = f"{XATTR} {found} dropped" if found is not None else _malformed(value)
    xattrs = tuple(pair for pair in item.entry.xattrs if pair[0] != XATTR)
    change = Change(ChangeKind.CAPABILITY, text)
    entry = replace(item.entry, xattrs=xattrs)
    return replace(item, entry=entry, changes=(*item.changes, change))


def _malformed(value: bytes) -> str:
    try:
        parsed(value)
    except ValueError as error:
        return f"{XATTR} dropped: malformed: {error}"
    raise AssertionError(value)


def _closed(item: PlannedEntry, how: Hardening) -> PlannedEntry:
    """`item` without everybody's right to write; whoever has to write becomes its owner."""
    entry = replace(item.entry, mode=item.entry.mode & ~_EVERYBODY_WRITES)
    is_privileged = bool(entry.kind is Kind.FILE and entry.mode & (SETUID | SETGID))
    if not is_privileged and attribute(entry) is None and not _is_systems(entry, how.tree):
        if how.identity.uid != 0:
            entry = as_users(entry, how.identity)
        elif how.others:
            entry = owned(entry, *how.others[0])
    return changed(item, entry, ChangeKind.WORLD_WRITABLE, "was writable by everybody")


def _is_systems(entry: Entry, tree: FileTree) -> bool:
    """Whether it is a directory of everybody, and none where programs write: never given away."""
    if entry.kind is not Kind.DIRECTORY or not places.is_shared(entry.path, tree):
        return False
    return not entry.path.startswith(_FOR_DATA)
