"""The user's `--keep` and `--drop` globs.

`*` and `?` stay within one component, `**` crosses them, and a pattern that matches a directory
means all that is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from minify.closure.analyzer import Context
from minify.closure.finding import USER, Finding, Grade, Need, Reason
from minify.errors import UsageError, option
from minify.filetree import FileTree, ImagePath, Kind
from minify.filetree.path import ROOT, ancestors, child

_MAGIC = re.compile(r"[*?\[]")


def is_glob(text: str) -> bool:
    """Whether `text` has a wildcard."""
    return _MAGIC.search(text) is not None


def glob(tree: FileTree, pattern: str) -> Iterator[str]:
    """The paths in `tree` that match the absolute `pattern`, sorted by component.

    They are as the pattern writes them, links among their directories included, so that whoever
    needs one finds it by that path. `**` does not go through links.
    """
    parts = [part for part in pattern.split("/") if part]
    yield from _glob(tree, "", parts)


def _glob(tree: FileTree, written: str, parts: Sequence[str]) -> Iterator[str]:
    """The matches of `parts` below the directory that is written `written`."""
    found = [written]
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1
        if part == "**":
            found = [path for above in found for path in _all_below(tree, above, is_last=is_last)]
        else:
            found = [path for above in found for path in _matches(tree, above, part)]
        if not is_last:
            found = _distinct(tree, found)
    yield from dict.fromkeys(path or "/" for path in found)


def _distinct(tree: FileTree, written: Iterable[str]) -> list[str]:
    """`written` with one path for each directory: links to themselves would multiply them."""
    by_directory: dict[ImagePath, str] = {}
    for path in written:
        entry = tree.directory(path or "/")
        if entry is not None:
            by_directory.setdefault(entry.path, path)
    return list(by_directory.values())


def _all_below(tree: FileTree, written: str, *, is_last: bool) -> Iterator[str]:
    """What `**` stands for: all below as the last component, else the directories, itself too."""
    directory = tree.directory(written or "/")
    if directory is None:
        return
    if not is_last:
        yield written
    cut = 0 if directory.path == ROOT else len(directory.path)
    for entry in tree.below(directory.path):
        if is_last or entry.kind is Kind.DIRECTORY:
            yield f"{written}{entry.path[cut:]}"


def _matches(tree: FileTree, written: str, part: str) -> Iterator[str]:
    directory = tree.directory(written or "/")
    if directory is None:
        return
    if not is_glob(part):
        if tree.get(child(directory.path, part)) is not None or part == "..":
            yield f"{written}/{part}"
        return
    for name in tree.children(directory.path):
        if fnmatchcase(name, part):
            yield f"{written}/{name}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One glob of the user's and the flag that gave it, for messages."""

    flag: str
    pattern: str

    @property
    def has_wildcard(self) -> bool:
        return is_glob(self.pattern)

    def matches(self, tree: FileTree) -> tuple[str, ...]:
        """The paths that match, as they are written; UsageError if there is none."""
        if not self.pattern.startswith("/"):
            raise UsageError(
                f"{option(self.flag, self.pattern)}: a pattern is an absolute path in the image,"
                " with * ? [] within a name and ** across directories"
            )
        found = tuple(glob(tree, self.pattern))
        if not found:
            raise UsageError(f"{option(self.flag, self.pattern)}: nothing in the image matches")
        return found


def keep_findings(globs: Sequence[str], tree: FileTree) -> Iterator[Finding]:
    """A need for each match of the `--keep` globs; what is in a matched directory comes too."""
    for written in globs:
        pattern = Pattern("--keep", written)
        reason = Reason("user.keep", USER, f"--keep {written}")
        for path in pattern.matches(tree):
            # A wildcard may meet a dangling link, which nobody asked for by name.
            is_there = tree.resolve(path).entry is not None or not pattern.has_wildcard
            yield Need(path, reason, Grade.HARD if is_there else Grade.SOFT, whole_tree=True)


def kept_programs(globs: Sequence[str], context: Context) -> Iterator[ImagePath]:
    """The programs that `--keep` names one by one: what is in an image to be run as well."""
    for written in globs:
        command = None if is_glob(written) else context.executable(written)
        if command is not None and context.is_elf(command.entry):
            yield command.entry.path


class Dropped:
    """Whether a path is dropped by the user's `--drop` globs: matched, or below a match."""

    def __init__(self, globs: Sequence[str], tree: FileTree) -> None:
        """UsageError if a glob matches nothing."""
        written = (path for glob in globs for path in Pattern("--drop", glob).matches(tree))
        found = (tree.resolve(path, follow_last=False).entry for path in written)
        self._paths = {entry.path for entry in found if entry is not None}

    def __call__(self, path: ImagePath) -> bool:
        if not self._paths:
            return False
        return path in self._paths or any(above in self._paths for above in ancestors(path))
