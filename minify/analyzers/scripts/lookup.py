"""Programs by the names that scripts call them by: PATH as ENV sets it and as the script does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from minify.analyzers.scripts.place import Place
from minify.closure import Context, places
from minify.closure.analyzer import Command
from minify.closure.environments import is_marked
from minify.closure.patterns import glob
from minify.filetree import ImagePath
from minify.filetree.path import basename, joined
from minify.shell import Source, Value
from minify.shell.values import Known, Unknown

_UNKNOWN = "\0"
_MOST_MATCHES = 64
_MOST_STARS = 6
_FEWEST_LETTERS = 2
_STARS = re.compile(r"\*+")
_MAGIC = re.compile(r"([*?\[])")
# What prints the path of a command that it is given.
_PRINTED = re.compile(r"\b(?:which|command -v|type -[pP]|readlink -f|realpath) ([\w./+-]++)")
_SILENT = re.compile(
    r"\$\((?:mkdir|rm|rmdir|cp|mv|ln|touch|chmod|chown|test|true|:) ?[^|;&<>`()]*+\)"
)
_POSITIONAL = re.compile(r"\$\{?[@*#\d]")


def search_path(paths: Sequence[Value], context: Context) -> Iterator[tuple[str, ...]]:
    """The directories of each PATH, absolute, as far as they are known."""
    for path in paths:
        text = "".join(p.text if isinstance(p, Known) else _UNKNOWN for p in path.parts)
        items = (item or "." for item in text.split(":"))
        yield tuple(joined(context.workdir, item) for item in items if _UNKNOWN not in item)


def programs(name: Value, place: Place, paths: Sequence[Value], context: Context) -> list[Command]:
    """What a command's name may start; several where it depends, none if nothing is found."""
    text = name.text
    if text is None:
        return _by_part(name, place, context)
    if not text or _UNKNOWN in text:
        return []
    if is_marked(text):
        found = context.command(text)
        return [found] if found else []
    if "/" in text:
        found = context.executable(place.absolute(text, context))
        if found is None and not text.startswith("/"):
            found = context.executable(joined(place.beside, text))
        return [found] if found else []
    return _in_search_path(text, paths, context)


def _in_search_path(name: str, paths: Sequence[Value], context: Context) -> list[Command]:
    found: dict[str, Command] = {}
    for directories in search_path(paths, context):
        for directory in directories:
            command = context.executable(f"{directory.rstrip('/')}/{name}")
            if command is not None:
                found.setdefault(command.path, command)
                break
    command = context.command(name)
    if command is not None and not found:
        found[command.path] = command
    is_known = all(path.text is not None for path in paths)
    if not found and not is_known:
        found.update((c.path, c) for c in _unique(name, context))
    return list(found.values())


def _by_part(name: Value, place: Place, context: Context) -> list[Command]:
    """The program of a name that is known in part: `$dir/helper`, `/opt/app/run-$mode`."""
    if name.shown.startswith("$(") and name.shown.endswith(")"):
        return [c for one in _PRINTED.findall(name.shown) if (c := context.command(one))]
    slash, last = name.end.rfind("/"), name.end.rpartition("/")[2]
    if slash >= 0 and last:
        # The known end with as many directories as it has: `$HOME/bin/x` is not any `x`.
        beside = (joined(place.beside, name.end.lstrip("/")), f"{place.beside}/{last}")
        there = next(filter(None, map(context.executable, beside)), None)
        found = there or context.command(last)
        return [found] if found else _unique(name.end.lstrip("/"), context)
    return [c for path in matches(name, context) if (c := context.executable(path))]


def _unique(suffix: str, context: Context) -> list[Command]:
    """The one executable whose path ends with `suffix`, one of the application's first."""
    every = context.remembered("executables by name", lambda: _by_name(context))
    ending = f"/{suffix}"
    found = [path for path in every.get(suffix.rpartition("/")[2], ()) if path.endswith(ending)]
    own = [path for path in found if context.is_first_party(path)]
    for candidates in (own, found):
        if len(candidates) == 1:
            command = context.executable(candidates[0])
            return [command] if command else []
    return []


def _by_name(context: Context) -> dict[str, list[ImagePath]]:
    found: dict[str, list[ImagePath]] = {}
    for path, entry in context.tree.entries.items():
        if entry.is_executable:
            found.setdefault(basename(path), []).append(path)
    return found


def matches(value: Value, context: Context) -> list[str]:
    """The paths of the image that a value which is known in part may be, if they are few.

    The directory that it begins with must be known; in one of everybody's, names are told apart by
    how they begin.
    """
    directory, _, start = value.beginning.rpartition("/")
    if not directory.startswith("/"):
        return []
    if len(start) < _FEWEST_LETTERS and places.is_shared(directory, context.tree):
        return []
    parts = (
        _MAGIC.sub(r"[\1]", part.text) if isinstance(part, Known) else "*" for part in value.parts
    )
    pattern = _STARS.sub("*", "".join(parts))
    if pattern.count("*") > _MOST_STARS or "\0" in pattern:
        return []
    found = []
    for path in glob(context.tree, pattern):
        found.append(path)
        if len(found) > _MOST_MATCHES:
            return []
    return found


def prints_nothing(value: Value) -> bool:
    """Whether a value is the output of a command that has none: `if ! $(mkdir -p x)`."""
    return _SILENT.fullmatch(value.shown) is not None


def is_users(value: Value) -> bool:
    """Whether a value is what the user gives, or names of files that are there then."""
    unknown = [part for part in value.parts if isinstance(part, Unknown)]
    return any(
        part.source in (Source.LIST, Source.PATTERN) or _POSITIONAL.match(part.written)
        for part in unknown
    )
