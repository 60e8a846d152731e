"""What a user may do with a file, by its mode bits alone: no capability, no ACL.

https://man7.org/linux/man-pages/man7/path_resolution.7.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from minify.closure import Grade, KeepSet
from minify.filetree import Entry, ImagePath, Kind
from minify.filetree.path import ancestors

READ, WRITE, EXECUTE = 4, 2, 1

# Rules that keep a path because it will be executed.
_EXECUTED = frozenset(
    """
    config.cmd config.entrypoint config.healthcheck elf.interpreter script.command
    script.interpreter
    """.split()
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


def refusals(user: Credentials, keep: KeepSet, entries: Mapping[ImagePath, Entry]) -> Iterator[str]:
    """What keeps `user` from running the program: a line for each hard path it cannot use."""
    closed: set[ImagePath] = set()
    for path, kept in keep.kept.items():
        if kept.grade is not Grade.HARD:
            continue
        for above in ancestors(path):
            if above not in closed and not user.may(entries[above], EXECUTE):
                closed.add(above)
                yield f"{above} cannot be entered ({_owner_and_mode(entries[above])})"
        entry = entries[path]
        is_run = any(reason.rule in _EXECUTED for reason in kept.reasons)
        if entry.kind is Kind.FILE and is_run and not user.may(entry, EXECUTE):
            yield f"{path} cannot be executed ({_owner_and_mode(entry)})"
        # The kernel loads a program that its user may execute and not read.
        elif entry.kind is Kind.FILE and not is_run and not user.may(entry, READ):
            yield f"{path} cannot be read ({_owner_and_mode(entry)})"


def _owner_and_mode(entry: Entry) -> str:
    return f"{entry.uid}:{entry.gid} {entry.mode:04o}"
