"""What a user may do with a file, by its mode bits alone: no capability, no ACL.

https://man7.org/linux/man-pages/man7/path_resolution.7.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from minify.closure import Gap, Grade, KeepSet, Kept, Reason
from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import ROOT, ancestors, parent
from minify.identity.identity import Opened
from minify.identity.ownership import Ownership, may_be_given

READ, WRITE, EXECUTE = 4, 2, 1

ANY_UID = -1
"""A number that owns nothing in the image."""

# Rules that keep a path because it will be executed.
_EXECUTED = frozenset(
    """
    config.cmd config.entrypoint config.healthcheck elf.interpreter script.command
    script.interpreter
    """.split()
)

# Rules by which an executable file, if it is surely needed, will be run too.
_EXECUTED_IF_EXECUTABLE = frozenset("config-file config.operand config.env script.path".split())

# Rules that keep what the application itself consists of, and what its configuration names.
_APPLICATION = frozenset(
    "app.directory config-file config-file.read config.env config.operand".split()
)

# Rules that keep a path on the way to another, and settings of whoever works in a shell.
_BROUGHT = frozenset("link parent shell.home".split())

# Rules that keep what something mentions, most often a library, which others may use it for: only
# root adds to /var/log/btmp.
_MENTIONED = frozenset("pam strings.directory strings.file".split())

# Secrets of accounts are nobody's but root's, whatever names them.
_ROOTS_OWN = frozenset(
    f"/etc/{name}{suffix}" for name in ("shadow", "gshadow", "sudoers") for suffix in ("", "-")
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and all its groups, as the kernel sees a process."""

    uid: int
    gids: frozenset[int]

    def may(self, entry: Entry, wanted: int) -> bool:
        """Whether the mode bits grant all of `wanted`; root may all but execute at will."""
        if self.uid == 0:
            return wanted != EXECUTE or entry.kind is Kind.DIRECTORY or bool(entry.mode & 0o111)
        if entry.uid == self.uid:
            granted = entry.mode >> 6
        elif entry.gid in self.gids:
            granted = entry.mode >> 3
        else:
            granted = entry.mode
        return granted & wanted == wanted


class _Use(Enum):
    """What the program does with a kept path, as far as it is known."""

    NONE = "nothing that is known"
    READ = "reads"
    EXECUTE = "executes"
    HELP = "reads or executes"
    """A helper of the application, whose users are not known."""


@dataclass(frozen=True, slots=True)
class Access:
    """How the program fares as some user."""

    refusals: tuple[str, ...]
    """What it cannot do and needs to, in order of the paths; empty: it can run."""
    opened: tuple[Opened, ...]
    """What is opened to the user's group so that it can, sorted by path."""


def access(users: Iterable[Credentials], owner: Ownership, keep: KeepSet, tree: FileTree) -> Access:
    """Whether all of `users` can use every hard path and all of the application's own files.

    `owner` says what will belong to them, and which group things are opened to. What is executed
    is never opened, nor what has a privilege; what only `--keep` asks for is no part of it.
    """
    check = _Check(tuple(users), owner, keep, tree)
    for path, kept in keep.kept.items():
        use = _use(tree[path], kept)
        if use is not _Use.NONE:
            check.path(tree[path], kept, use)
    opened = tuple(check.opened[path] for path in sorted(check.opened))
    return Access(tuple(check.refusals), opened)


def unreadable(
    users: Sequence[Credentials],
    owner: Ownership,
    keep: KeepSet,
    tree: FileTree,
    *,
    is_as_before: bool = False,
) -> Iterator[Gap]:
    """A gap for each kept file that one of `users` cannot read, and that need not be needed.

    With `is_as_before` the program was such a user in the source too, as soon as it was started:
    what it could not read there is not missed, but what its scripts had read as root is.
    """
    barriers = Barriers(users, owner, tree)
    closed: set[ImagePath] = set()
    for path in keep.kept:
        entry = tree[path]
        if entry.kind is not Kind.FILE or entry.mode & 0o111 or _is_roots_own(path):
            continue
        barrier = barriers.above(path)
        if barrier is None and barriers.may(entry, READ):
            continue
        if not _is_missed(path, keep, is_as_before=is_as_before):
            continue
        if barrier is not None and barrier.path not in closed:
            closed.add(barrier.path)
            detail = f"{barrier.path} has files that are kept, but {barriers.who} cannot enter it"
            yield _unreadable(owner.of(barrier), detail)
        elif barrier is None:
            detail = f"{path} is kept, but {barriers.who} cannot read it"
            yield _unreadable(owner.of(entry), detail)


def _is_missed(path: ImagePath, keep: KeepSet, *, is_as_before: bool) -> bool:
    """Whether a reason to keep a path says that the program reads it."""
    return any(
        reason.rule not in _BROUGHT
        and (not is_as_before or reason.rule.startswith(("script.", "user.")))
        and (reason.rule not in _MENTIONED or _names(reason, keep))
        for reason in keep.kept[path].reasons
    )


def _names(reason: Reason, keep: KeepSet) -> bool:
    """Whether it is what the image is for that mentions something, not what that brings."""
    asking = keep.kept.get(ImagePath(reason.by))
    if asking is None or _is_executed(reason.by, keep):
        return True
    # A directory that is kept whole asks for what is in it.
    above = (one for one in asking.reasons if one.rule == reason.rule and one.by != reason.by)
    return any(one.by not in keep.kept or _is_executed(one.by, keep) for one in above)


def _is_executed(path: str, keep: KeepSet) -> bool:
    return any(one.rule in _EXECUTED for one in keep.kept[ImagePath(path)].reasons)


def _unreadable(entry: Entry, what: str) -> Gap:
    reason = Reason("identity.unreadable", entry.path, f"{what} ({owner_and_mode(entry)})")
    return Gap(reason, "change its owner or mode in the source image, or use --user")


class Barriers:
    """What keeps `users` from a path in the result; each directory is looked at once."""

    def __init__(self, users: Sequence[Credentials], owner: Ownership, tree: FileTree) -> None:
        self._users = users
        self._owner = owner
        self._tree = tree
        self._first: dict[ImagePath, Entry | None] = {}

    @property
    def who(self) -> str:
        """The users in a word."""
        return "a user with group 0" if len(self._users) > 1 else f"{self._users[0].uid}"

    def may(self, entry: Entry, wanted: int) -> bool:
        """Whether all of the users may, as the entry will be."""
        theirs = self._owner.of(entry)
        return all(user.may(theirs, wanted) for user in self._users)

    def above(self, path: ImagePath) -> Entry | None:
        """The first directory on the way to `path` that cannot be entered."""
        return self._inside(parent(path)) if path != ROOT else None

    def _inside(self, directory: ImagePath) -> Entry | None:
        if directory in self._first:
            return self._first[directory]
        for here in (*reversed(ancestors(directory)), directory):
            if here not in self._first:
                above = self._first[parent(here)] if here != ROOT else None
                entry = self._tree[here]
                closed = None if self.may(entry, EXECUTE) else entry
                self._first[here] = above or closed
        return self._first[directory]


def owner_and_mode(entry: Entry) -> str:
    """`0:0 0700`."""
    return f"{entry.uid}:{entry.gid} {entry.mode:04o}"


def _use(entry: Entry, kept: Kept) -> _Use:
    rules = {reason.rule for reason in kept.reasons}
    if rules == {"user.keep"}:
        return _Use.NONE
    if kept.grade is Grade.HARD:
        if rules & _EXECUTED or (entry.is_executable and rules & _EXECUTED_IF_EXECUTABLE):
            return _Use.EXECUTE
        return _Use.READ
    if _is_roots_own(entry.path):
        return _Use.NONE
    if rules & _APPLICATION:
        return _Use.HELP if entry.is_executable else _Use.READ
    is_packaged = "package.data" in rules and entry.path.startswith("/etc/")
    return _Use.READ if is_packaged and not entry.is_executable else _Use.NONE


def _is_roots_own(path: ImagePath) -> bool:
    return path in _ROOTS_OWN or path.startswith("/etc/sudoers.d/")


def _application_reason(kept: Kept) -> Reason:
    """The reason that says best why the program reads it."""
    rules = {*_EXECUTED, *_APPLICATION}
    return next((reason for reason in kept.reasons if reason.rule in rules), kept.reasons[0])


class _Check:
    """Goes through the paths that are needed and collects what stands in the way."""

    def __init__(
        self, users: tuple[Credentials, ...], owner: Ownership, keep: KeepSet, tree: FileTree
    ) -> None:
        self.refusals: list[str] = []
        self.opened: dict[ImagePath, Opened] = {}
        self._users = users
        self._owner = replace(owner, opened=self.opened)
        self._keep = keep
        self._tree = tree
        self._entered: set[tuple[ImagePath, _Use]] = set()
        self._names: dict[int, list[ImagePath]] = {}

    def path(self, entry: Entry, kept: Kept, use: _Use) -> None:
        """Checks that `entry` can be reached and used; directories come before what is in them."""
        reason = _application_reason(kept)
        if entry.kind is Kind.DIRECTORY:
            self._enter(entry, READ | EXECUTE, reason, use)
        for above in reversed(ancestors(entry.path)):
            self._enter(self._tree[above], EXECUTE, reason, use)
        if entry.kind is Kind.FILE:
            self._use_file(entry, reason, use)

    def _may(self, entry: Entry, wanted: int) -> bool:
        theirs = self._owner.of(entry)
        return all(user.may(theirs, wanted) for user in self._users)

    def _enter(self, directory: Entry, opening: int, reason: Reason, use: _Use) -> None:
        """Checks that a directory can be entered; `opening` is what it is opened for if not."""
        if (directory.path, use) in self._entered:
            return
        self._entered.add((directory.path, use))
        if self._may(directory, EXECUTE):
            return
        if use is not _Use.READ or not self._open(directory, opening, reason):
            self._refuse(f"{directory.path} cannot be entered", directory)

    def _use_file(self, entry: Entry, reason: Reason, use: _Use) -> None:
        if use is _Use.HELP:
            if not self._may(entry, READ) and not self._may(entry, EXECUTE):
                self._refuse(f"{entry.path} cannot be executed", entry)
        elif use is _Use.EXECUTE and not self._may(entry, EXECUTE):
            self._refuse(f"{entry.path} cannot be executed", entry)
        elif not self._may(entry, READ) and not self._is_readable(entry, reason, use):
            self._refuse(f"{entry.path} cannot be read", entry)

    def _is_readable(self, entry: Entry, reason: Reason, use: _Use) -> bool:
        if use is _Use.READ:
            return self._open(entry, READ, reason)
        # The kernel loads a program that its user may execute and not read; a script it cannot.
        return self._tree.read(entry, 4) == b"\x7fELF"

    def _open(self, entry: Entry, wanted: int, reason: Reason) -> bool:
        """Opens an entry, by all its names, to the group; whether that is right and of use."""
        is_ours = entry.path in self._owner.paths
        if is_ours or _is_roots_own(entry.path) or not may_be_given(entry):
            return False
        if any(user.uid == entry.uid for user in self._users):
            return False  # An owner is denied what its own bits do not grant.
        gid = self._owner.gid
        # What another group could do is nothing to this one.
        kept = entry.mode if entry.gid == gid else entry.mode & ~0o070
        for name in self._all_names(entry):
            self.opened[name] = Opened(name, gid, kept | wanted << 3, reason)
        return True

    def _all_names(self, entry: Entry) -> Sequence[ImagePath]:
        """The kept names of an inode."""
        if entry.link_group is None:
            return (entry.path,)
        if not self._names:
            for path in self._keep.kept:
                group = self._tree[path].link_group
                if group is not None:
                    self._names.setdefault(group, []).append(path)
        return self._names[entry.link_group]

    def _refuse(self, what: str, entry: Entry) -> None:
        self.refusals.append(f"{what} ({owner_and_mode(entry)})")
