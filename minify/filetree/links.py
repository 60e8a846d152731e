"""Path resolution as the kernel does it, with every link crossed on the way.

https://man7.org/linux/man-pages/man7/path_resolution.7.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from minify.filetree.entry import Entry, Kind
from minify.filetree.path import ROOT, ImagePath, child, parent

MOST_LINKS = 40
"""The kernel follows no more symbolic links than this in one resolution."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a path leads. `entry` is None when it leads nowhere; `stopped_at` says how far."""

    requested: str
    hops: tuple[Entry, ...]
    """Every symbolic link crossed, directory links included, in order."""
    entry: Entry | None
    stopped_at: ImagePath
    """The path of `entry`; of the first thing missing, or no directory, when there is none."""
    is_loop: bool = False


def resolve(
    entries: Mapping[ImagePath, Entry], path: str, *, follow_last: bool = True
) -> Resolution:
    """Resolves the absolute `path`, `..` included.

    With `follow_last` off a link in the last place is itself the result.
    """
    direct = entries.get(ImagePath(path))
    if direct is not None and (direct.kind is not Kind.SYMLINK or not follow_last):
        # Keys have no link among their parents, so nothing can be crossed.
        return Resolution(path, (), direct, direct.path)
    return _walk(entries, path, follow_last=follow_last)


def _walk(entries: Mapping[ImagePath, Entry], path: str, *, follow_last: bool) -> Resolution:
    here = ROOT
    hops: list[Entry] = []
    stack = _reversed_components(path)
    must_be_directory = _names_a_directory(path)
    while stack:
        name = stack.pop()
        if name == "..":
            here = parent(here)
            continue
        here = child(here, name)
        entry = entries.get(here)
        if entry is None:
            return Resolution(path, tuple(hops), None, here)
        is_last = not stack
        if entry.kind is Kind.SYMLINK and (follow_last or must_be_directory or not is_last):
            hops.append(entry)
            if len(hops) > MOST_LINKS:
                return Resolution(path, tuple(hops), None, here, is_loop=True)
            here = ROOT if entry.target.startswith("/") else parent(here)
            stack += _reversed_components(entry.target)
            must_be_directory |= is_last and _names_a_directory(entry.target)
        elif entry.kind is not Kind.DIRECTORY and (not is_last or must_be_directory):
            return Resolution(path, tuple(hops), None, here)
    return Resolution(path, tuple(hops), entries[here], here)


def _names_a_directory(path: str) -> bool:
    """Whether `path` can lead to nothing but a directory, and through a link in its last place."""
    return path.endswith(("/", "/.")) or path == "."


def _reversed_components(path: str) -> list[str]:
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]
