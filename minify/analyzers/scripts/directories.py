"""Directories that a script goes through, and files that it reads by names that they give."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from minify.analyzers.scripts.lookup import matches
from minify.analyzers.scripts.place import Place
from minify.closure import Context, places
from minify.closure.innercommands import command_lines, name_of
from minify.filetree import Entry, Kind
from minify.filetree.path import basename, joined
from minify.shell import Survey, Value
from minify.shell.values import Known, Source

_GOING = frozenset("find ls run-parts".split())
_SCRIPTS = (".sh", ".envsh", ".bash", ".ash", ".ksh", ".env")
_MOST_SCRIPTS = 500


def gone_through(found: Survey, context: Context) -> Iterator[str]:
    """The directories whose files a script goes through: `for f in /x/*.sh`, `find /x`."""
    seen: dict[str, None] = {}
    for run in found.runs:
        for line in command_lines(run.words):
            if name_of(line.words) in _GOING:
                seen.update(dict.fromkeys(filter(_is_absolute, (w.shown for w in line.words[1:]))))
    for one in found.named:
        if directory := _globbed(one.value):
            seen[directory] = None
    real: dict[str, None] = {}
    for path in seen:
        entry = context.tree.directory(path or "/")
        if entry is not None and not places.is_distributions(entry.path, context.tree):
            real[entry.path] = None
    yield from real


def _is_absolute(text: str) -> bool:
    return text.startswith("/")


def _globbed(value: Value) -> str | None:
    """`/x` of `/x/*.sh`; None of what is no pattern in one directory."""
    parts = value.parts
    is_pattern = len(parts) > 1 and any(getattr(p, "source", None) is Source.PATTERN for p in parts)
    directory, slash, _ = value.beginning.rpartition("/")
    if not is_pattern or not slash or not directory.startswith("/"):
        return None
    rest = "".join(part.text for part in parts[1:] if isinstance(part, Known))
    return None if "/" in rest else directory


def scripts(directory: str, context: Context) -> Iterator[Entry]:
    """The scripts and programs in a directory and below it."""
    entry = context.tree.directory(directory)
    if entry is None:
        return
    for found in islice(context.tree.below(entry.path), _MOST_SCRIPTS):
        file = context.tree.file(found.path) if found.kind is not Kind.DIRECTORY else None
        if file is not None and (file.is_executable or basename(found.path).endswith(_SCRIPTS)):
            yield found


def read_files(word: Value, place: Place, context: Context) -> list[str]:
    """The files that a word names which a shell reads as its own text."""
    text = word.text
    if text is not None:
        return _named_by(text, place, context)
    last = word.end.rpartition("/")[2]
    if "/" in word.end and last:
        beside = (joined(place.beside, word.end.lstrip("/")), f"{place.beside}/{last}")
        there = [path for path in beside if context.tree.file(path)]
        return there[:1] or _ending(word.end, context)
    return [path for path in matches(word, context) if context.tree.file(path)]


def _named_by(text: str, place: Place, context: Context) -> list[str]:
    if not text or "\0" in text:
        return []
    where = [place.absolute(text, context), joined(place.beside, text)]
    if "/" not in text:
        where += [f"{directory}/{text}" for directory in context.config.search_path]
    return [path for path in dict.fromkeys(where) if context.tree.file(path)][:1]


def _ending(end: str, context: Context) -> list[str]:
    """The one file of the application whose path ends so."""
    suffix = f"/{end.lstrip('/')}"
    if suffix.count("/") < 2:
        return []
    found = [path for path in context.tree.entries if path.endswith(suffix)]
    own = [path for path in found if context.is_first_party(path)]
    return [str(path) for path in own] if len(own) == 1 else []
