"""What the words of a script name: files, and directories of the application's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from minify.analyzers.scripts.lookup import matches
from minify.analyzers.scripts.place import Place
from minify.closure import Context, Finding, Grade, Need, places
from minify.filetree.path import joined
from minify.shell import Value
from minify.shell.values import LONGEST

# A program may be named in the middle of a text: in assignments, as a default, in a document.
_PATH = re.compile(r"(?<![\w./}$])(?:/[\w.@+-]++){2,}+")
_MOST_ITEMS = 32


def programs_in(text: str, place: Place, context: Context) -> Iterator[Finding]:
    """Programs whose absolute paths stand anywhere in a text of a script."""
    for path in dict.fromkeys(_PATH.findall(text)):
        if found := context.executable(path):
            yield Need(found.path, place.reason("script.path", f"names {path}"), Grade.HARD)


def named(value: Value, place: Place, context: Context, *, is_use: bool) -> Iterator[Finding]:
    """What a word of a script names. Only what is used brings directories."""
    text = value.text
    if text is None:
        yield from _named_in_part(value, place, context, is_use=is_use)
    elif text and "\n" not in text and "\0" not in text:
        for item in dict.fromkeys(_items(text)):
            yield from _path(item, place, context, is_use=is_use and item == text)


def _items(text: str) -> list[str]:
    """What may be paths in a word: itself, an option's value, the items of a list."""
    value = text.partition("=")[2] if "=" in text else ""
    items = [text, value, *text.split()] if " " in text else [text, value]
    if ":" in text:
        items += (value or text).split(":")
    return [item.removeprefix("@") for item in items[:_MOST_ITEMS] if item]


def _path(text: str, place: Place, context: Context, *, is_use: bool) -> Iterator[Finding]:
    if len(text) > LONGEST or text.startswith("-"):
        return
    where: tuple[str, ...]
    if "/" in text:
        where = (place.directory or context.workdir, context.workdir, place.beside)
    elif place.directory and not places.is_distributions(place.directory, context.tree):
        where = (place.directory,)
    else:
        return
    for path in dict.fromkeys(joined(directory, text) for directory in where):
        yield from _existing(path, text, place, context, is_use=is_use)


def _existing(
    path: str, written: str, place: Place, context: Context, *, is_use: bool
) -> Iterator[Finding]:
    entry = context.tree.resolve(path).entry
    if entry is None:
        return
    reason = place.reason("script.path", f"names {written}")
    if context.tree.file(path):
        is_program = path.startswith("/") and written == path and context.executable(path)
        yield Need(path, reason, Grade.HARD if is_program else Grade.SOFT)
    elif is_use and is_own_directory(path, context):
        yield Need(path, reason, whole_tree=True)


def is_own_directory(path: str, context: Context) -> bool:
    """Whether a directory is the application's and nobody else's."""
    directory = context.tree.directory(path)
    if directory is None or places.is_distributions(directory.path, context.tree):
        return False
    return context.is_first_party(directory.path)


def _named_in_part(
    value: Value, place: Place, context: Context, *, is_use: bool
) -> Iterator[Finding]:
    """Files that match what is known of a path; else the application's directory above them."""
    if "/" in value.end and not value.beginning and place.beside != "/":
        # `$DIR/templates/x`: most often what is unknown is where the script itself is.
        beside = joined(place.beside, value.end.lstrip("/"))
        if context.tree.file(beside):
            yield Need(beside, place.reason("script.path", f"names {value.shown}"))
    directory = value.beginning.rpartition("/")[0]
    if not directory.startswith("/") or not is_use:
        return
    reason = place.reason("script.path", f"names {value.shown}")
    found = [path for path in matches(value, context) if context.tree.file(path)]
    yield from (Need(path, reason) for path in found)
    if not found and is_own_directory(directory, context):
        yield Need(directory, reason, whole_tree=True)
