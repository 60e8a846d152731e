"""Command lines of a file as a shell text, each on the line where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from minify.closure import Context
from minify.closure.patterns import glob
from minify.filetree import Entry
from minify.filetree.path import decoded, joined

LARGEST = 1 << 18
MOST_FILES = 256
_COMMENT = re.compile(r"(?:^|\s)#[^'\"]*+$")


@dataclass(slots=True)
class Text:
    """A shell text that grows; what is added stands on its line, or after the last one."""

    _lines: dict[int, list[str]] = field(default_factory=dict)

    def add(self, line: int, command: str) -> None:
        """A command, which nothing waits for; `line` counts from 1."""
        plain = _COMMENT.sub("", command.replace("\n", " ")).strip().rstrip("&;").strip()
        if plain:
            self._lines.setdefault(line, []).append(f"{{ {plain}; }} &")

    def assign(self, line: int, assignment: str) -> None:
        """A variable that the commands after it see."""
        self._lines.setdefault(line, []).append(assignment)

    def __str__(self) -> str:
        last = max(self._lines, default=0)
        return "\n".join(" ".join(self._lines.get(line, ())) for line in range(1, last + 1))


@dataclass(frozen=True, slots=True)
class File:
    """A file of configuration."""

    path: str
    """As it was found, through links."""
    entry: Entry
    lines: tuple[str, ...]


def files(paths: Iterable[str], context: Context) -> Iterator[File]:
    """The text files among `paths`, which may be globs and directories; each once."""
    seen: set[str] = set()
    for pattern in paths:
        for path in glob(context.tree, pattern):
            for one in _files_at(path, context):
                if one not in seen and len(seen) < MOST_FILES:
                    seen.add(one)
                    yield from _file(one, context)


def _files_at(path: str, context: Context) -> Iterator[str]:
    directory = context.tree.directory(path)
    if directory is None:
        yield path
        return
    yield from (f"{path.rstrip('/')}/{name}" for name in context.tree.children(directory.path))


def _file(path: str, context: Context) -> Iterator[File]:
    entry = context.tree.file(path)
    if entry is None or entry.size > LARGEST:
        return
    data = context.tree.read(entry)
    if b"\0" not in data:
        yield File(path, entry, tuple(decoded(data).split("\n")))


def told(values: Iterable[str], usual: str, context: Context) -> tuple[str, ...]:
    """The files that options name, below WORKDIR; the usual ones if they name none."""
    named = tuple(joined(context.workdir, value) for value in values if value)
    return named or tuple(joined(context.workdir, one) for one in usual.split())
