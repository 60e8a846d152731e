"""One command that a manager starts."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from minify.closure import Context, Reason
from minify.filetree.path import joined

STARTS = "manager.starts"
"""The rule of what a manager is told to start."""

_LONGEST = 1 << 14
_MOST_WORDS = 1 << 10
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Job:
    """A command line, and who says so."""

    argv: tuple[str, ...]
    reason: Reason

    @classmethod
    def of(cls, argv: tuple[str, ...], by: str) -> Job:
        shown = " ".join(argv)[:_SHOWN]
        return cls(argv[:_MOST_WORDS], Reason(STARTS, by, f"starts {shown}"))


def plain(text: str, by: str) -> Iterator[Job]:
    """The job of a command line that no shell reads."""
    argv = split(text)
    if argv:
        yield Job.of(argv, by)


def shell(text: str, by: str) -> Iterator[Job]:
    """The job of a text that `/bin/sh` reads."""
    if text.strip() and len(text) <= _LONGEST and "\0" not in text:
        yield Job.of(("/bin/sh", "-c", text.strip()), by)


def split(text: str) -> tuple[str, ...]:
    """The words of a command line, quotes honoured where they are balanced."""
    if len(text) > _LONGEST or "\0" in text:
        return ()
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())


def runnable(path: str, by: str, context: Context) -> Iterator[Job]:
    """The job of a file that is executed, if it can be."""
    if context.executable(path):
        yield Job.of((path,), by)


def inside(directory: str, context: Context) -> Iterator[str]:
    """The paths of what is in a directory, sorted; nothing if there is none."""
    entry = context.tree.directory(joined(context.workdir, directory))
    for name in context.tree.children(entry.path) if entry else ():
        yield f"{entry.path}/{name}" if entry else ""
