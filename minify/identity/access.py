"""What a user may do with a file, by its mode bits alone: no capability, no ACL.

https://man7.org/linux/man-pages/man7/path_resolution.7.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from minify.closure import Gap, Grade, KeepSet, Reason
from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import ancestors, is_within
from minify.identity.state import may_be_given

READ, EXECUTE = 4, 1

# Rules that keep a path because it will be executed.
_EXECUTED = frozenset(
    """
    config.cmd config.entrypoint config.healthcheck elf.interpreter script.command
    script.interpreter
    """.split()
)


# Rules that keep what the application itself consists of, and what its configuration names.
_APPLICATION = frozenset("app.directory config-file config.operand config.workdir".split())


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


@dataclass(frozen=True, slots=True)
class Needed:
    """What a user has to be able to use."""

    keep: KeepSet
    tree: FileTree
    given: tuple[ImagePath, ...] = ()
    """Directories that will belong to whatever user is chosen."""

    def is_given(self, path: ImagePath) -> bool:
        """Whether the plan will make the user its owner; not so for an inode of several names."""
        entry = self.tree[path]
        is_plain = entry.link_group is None and may_be_given(entry)
        return is_plain and any(is_within(path, place) for place in self.given)


def refusals(user: Credentials, needed: Needed) -> Iterator[str]:
    """What keeps `user` from running the program: a line for each hard path it cannot use.

    The application's own files count as hard ones do; what only `--keep` asks for is no part of it.
    """
    entries = needed.tree.entries
    closed: set[ImagePath] = set()
    for path, kept in needed.keep.kept.items():
        rules = {reason.rule for reason in kept.reasons}
        is_needed = kept.grade is Grade.HARD or not rules.isdisjoint(_APPLICATION)
        if not is_needed or rules == {"user.keep"} or needed.is_given(path):
            continue
        entry = entries[path]
        directories = [path] if entry.kind is Kind.DIRECTORY else []
        for above in (*reversed(ancestors(path)), *directories):
            if above in closed or needed.is_given(above) or user.may(entries[above], EXECUTE):
                continue
            closed.add(above)
            yield f"{above} cannot be entered ({_owner_and_mode(entries[above])})"
        if entry.kind is Kind.FILE:
            is_run = bool(rules & _EXECUTED) or ("config.operand" in rules and entry.is_executable)
            yield from _file_refusals(user, entry, needed, is_run=is_run)


def unreadable(user: Credentials, needed: Needed) -> Iterator[Gap]:
    """A gap for each kept file that `user` cannot read, and that need not be needed."""
    for path in needed.keep.kept:
        entry = needed.tree[path]
        if entry.kind is not Kind.FILE or needed.is_given(path) or user.may(entry, READ):
            continue
        if not entry.mode & 0o111:
            detail = f"{path} is kept, but {user.uid} cannot read it ({_owner_and_mode(entry)})"
            hint = "change its owner or mode in the source image, or use --user"
            yield Gap(Reason("identity.unreadable", path, detail), hint)


def _file_refusals(
    user: Credentials, entry: Entry, needed: Needed, *, is_run: bool
) -> Iterator[str]:
    # The kernel loads a program that its user may execute and not read; a script it cannot.
    is_elf = is_run and needed.tree.read(entry, 4) == b"\x7fELF"
    if is_run and not user.may(entry, EXECUTE):
        yield f"{entry.path} cannot be executed ({_owner_and_mode(entry)})"
    elif not is_elf and not user.may(entry, READ):
        yield f"{entry.path} cannot be read ({_owner_and_mode(entry)})"


def _owner_and_mode(entry: Entry) -> str:
    return f"{entry.uid}:{entry.gid} {entry.mode:04o}"
