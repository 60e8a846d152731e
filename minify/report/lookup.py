"""What a user means who asks for a path of an image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

from minify.closure.patterns import glob, is_glob
from minify.filetree import Entry, FileTree, ImagePath, links
from minify.filetree.path import ROOT, basename, child
from minify.report.explanation import Explanation

_SHOWN = 8
# difflib takes some microseconds a name.
_MOST_COMPARED = 20_000
_CLOSE = 0.7


@dataclass(frozen=True, slots=True)
class Found:
    """One path that was asked for."""

    asked: str
    """As it was written."""
    hops: tuple[Entry, ...]
    """The links crossed on the way, the first one first."""
    entry: Entry
    """Where it leads; a link that leads nowhere, or is in a loop, is itself the end."""
    others: tuple[ImagePath, ...] = ()
    """More paths of that name, where only a name was asked for."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """What was asked for and is no path of the image, or is several."""

    asked: str
    problem: str
    """What is wrong with it, and what is close to it."""
    candidates: tuple[ImagePath, ...] = ()
    """The paths that a name may mean, sorted."""


def looked_up(asked: str, explanation: Explanation) -> tuple[Found, ...] | Unclear:
    """Where `asked` leads: an absolute path, the end of one (`libz.so.1`, `bin/app`), or a glob.

    A glob gives all its matches, and of a link the link itself; anything else gives one path.
    """
    exact = _exact(asked, explanation)
    if isinstance(exact, Found):
        return (exact,)
    if exact.candidates or not is_glob(asked):
        return exact
    return tuple(_matches(asked, explanation.tree)) or Unclear(
        asked, "nothing in the image matches"
    )


def _matches(asked: str, tree: FileTree) -> Iterator[Found]:
    """What a glob matches, each path once; one that is not absolute is the end of a path."""
    seen: set[ImagePath] = set()
    for path in glob(tree, asked if asked.startswith("/") else f"/**/{asked}"):
        found = tree.resolve(path, follow_last=False)
        if found.entry is not None and found.entry.path not in seen:
            seen.add(found.entry.path)
            yield Found(asked, found.hops, found.entry)


def _exact(asked: str, explanation: Explanation) -> Found | Unclear:
    if asked.startswith("/"):
        return _at(asked, explanation) or Unclear(asked, _not_there(asked, explanation.tree))
    return _named(asked, explanation)


def _at(path: str, explanation: Explanation) -> Found | None:
    """What is at an absolute path of the source, or of the result where it adds one."""
    tree = explanation.tree
    resolved = tree.resolve(path)
    if resolved.entry is not None:
        return Found(path, resolved.hops, resolved.entry)
    last = tree.resolve(path, follow_last=False)
    if last.entry is not None:
        return Found(path, last.hops, last.entry)
    planned = {item.entry.path: item.entry for item in explanation.result.plan.entries}
    added = links.resolve(planned, path)
    return Found(path, added.hops, added.entry) if added.entry is not None else None


def _named(asked: str, explanation: Explanation) -> Found | Unclear:
    """The path whose end is `asked`: what PATH finds first, else the only one."""
    wanted = asked.strip("/")
    if not wanted:
        return Unclear(asked, "expected a path in the image, a name or a glob")
    tree = explanation.tree
    paths = sorted(path for path in tree.entries if path.endswith(f"/{wanted}"))
    command = _command(wanted, explanation)
    if command is not None:
        others = (path for path in paths if tree.resolve(path).entry != command.entry)
        return Found(asked, command.hops, command.entry, tuple(others))
    by_end = {tree.resolve(path).stopped_at: path for path in reversed(paths)}
    if len(by_end) == 1:
        (path,) = by_end.values()
        resolved = tree.resolve(path)
        entry = resolved.entry
        return Found(asked, resolved.hops if entry else (), entry or tree[path])
    if paths:
        problem = f"the image has {len(paths):,} of that name; say which with its whole path"
        return Unclear(asked, problem, tuple(paths))
    return Unclear(asked, _not_there(asked, tree))


def _command(name: str, explanation: Explanation) -> Found | None:
    """The program that `name` starts."""
    if "/" in name:
        return None
    for directory in explanation.result.plan.config.search_path:
        resolved = explanation.tree.resolve(f"{directory}/{name}")
        if directory.startswith("/") and resolved.entry and resolved.entry.is_executable:
            return Found(name, resolved.hops, resolved.entry)
    return None


def _not_there(asked: str, tree: FileTree) -> str:
    near = similar(asked, tree)
    hint = f"; close to it: {_listed(near)}" if near else ""
    return f"the image has no such path{_stop(asked, tree)}{hint}"


def _stop(asked: str, tree: FileTree) -> str:
    """How far a path leads, where links make that something else than what was asked."""
    if not asked.startswith("/"):
        return ""
    found = tree.resolve(asked)
    if not found.hops:
        return ""
    last = found.hops[-1]
    how = "is a loop of links" if found.is_loop else f"leads to {last.target}"
    return f" ({last.path} {how}; {found.stopped_at} is not there)"


def similar(asked: str, tree: FileTree) -> tuple[str, ...]:
    """A few paths that may have been meant: the same name elsewhere, else names that are close."""
    name = asked.rstrip("/").rpartition("/")[2]
    same = sorted(path for path in tree.entries if basename(path) == name)
    if same or not name:
        return tuple(same)
    directory = _deepest(asked, tree)
    siblings = islice(tree.children(directory), _MOST_COMPARED)
    beside = get_close_matches(name, siblings, cutoff=_CLOSE)
    if beside:
        return tuple(child(directory, near) for near in beside)
    close = get_close_matches(name, _names_like(name, tree), cutoff=_CLOSE)
    return tuple(sorted(path for path in tree.entries if basename(path) in close))


def _deepest(asked: str, tree: FileTree) -> ImagePath:
    """The last directory that a path leads through."""
    found = tree.resolve(asked) if asked.startswith("/") else None
    if found is None:
        return ROOT
    above = tree.directory(found.stopped_at.rpartition("/")[0] or "/")
    return above.path if above else ROOT


def _names_like(name: str, tree: FileTree) -> list[str]:
    """Names of about the same length, sorted, no more than can be compared."""
    names = {basename(path) for path in tree.entries}
    return sorted(other for other in names if abs(len(other) - len(name)) <= 3)[:_MOST_COMPARED]


def _listed(paths: Iterable[str]) -> str:
    every = list(paths)
    more = f" and {len(every) - _SHOWN:,} more" if len(every) > _SHOWN else ""
    return f"{', '.join(every[:_SHOWN])}{more}"


def pattern(path: str) -> str:
    """A glob that matches `path` and can be printed; `?` stands for what does not print."""
    shown = (
        f"[{char}]" if char in "*?[" else char if char.isprintable() and char != "\\" else "?"
        for char in path
    )
    return "".join(shown)
