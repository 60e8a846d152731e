"""What shows that a program is an interpreter."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from minify.analyzers.commands import operands
from minify.analyzers.interpreters.languages import has_search_path, is_data, suffix_of
from minify.analyzers.interpreters.libraries import has_library_in
from minify.analyzers.runtimes import is_runtime
from minify.closure import Context
from minify.closure.commandline import MULTI_CALL, SHELLS, called, inner_command, innermost
from minify.filetree import Entry
from minify.filetree.path import decoded

_LONGEST_LINE = 256
_LOOKED_AT = 4096


@dataclass(frozen=True, slots=True)
class Evidence:
    """A program that is an interpreter."""

    program: Entry
    text: str
    """What shows it, as the end of a sentence."""
    suffix: str
    """The suffix of the script's name without its dot; empty if it has none, or one of data."""


def evidence(entry: Entry, context: Context) -> Iterator[Evidence]:
    """What a file that is surely used shows: by its `#!` line, or by the operands it is given."""
    if context.tree.read(entry, 2) == b"#!":
        program = _of_script(entry, context)
        if program is not None:
            suffix = suffix_of(entry.path)
            text = f"since {entry.path} begins with #!"
            yield Evidence(program, text, "" if is_data(suffix) else suffix)
    elif entry.is_executable and _may_be_unknown(entry, context):
        yield from _by_operands(entry, context)


def _may_be_unknown(entry: Entry, context: Context) -> bool:
    """Whether a file is a program that no table has."""
    name = called(entry.path)
    if name in SHELLS | MULTI_CALL or is_runtime(name) or inner_command(name, ()) is not None:
        return False
    return context.is_elf(entry)


def _of_script(script: Entry, context: Context) -> Entry | None:
    """The unknown program that the `#!` line of a script names, be it through `env`."""
    line = decoded(context.tree.read(script, _LONGEST_LINE).partition(b"\n")[0])
    words = innermost(_split(line[2:].strip()))
    found = context.command(words[0]) if words else None
    is_unknown = found is not None and _may_be_unknown(found.entry, context)
    return found.entry if found is not None and is_unknown else None


def _split(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())


def _by_operands(program: Entry, context: Context) -> Iterator[Evidence]:
    """A text of the application's among the operands, in a language that the program's library has.

    Configuration is no script: nginx, redis and haproxy are given texts too.
    """
    for path in operands(context).get(program.path, ()):
        entry = context.tree.file(path)
        if entry is None or entry.path == program.path or not _is_text(entry, context):
            continue
        suffix = suffix_of(entry.path)
        begins = context.tree.read(entry, 2) == b"#!"
        if is_data(suffix) and not begins and suffix:
            continue
        if has_library_in(program, suffix, context) or has_search_path(program, context):
            yield Evidence(program, f"since it is given {entry.path}", suffix)


def _is_text(entry: Entry, context: Context) -> bool:
    if not context.is_first_party(entry.path):
        return False
    beginning = context.tree.read(entry, _LOOKED_AT)
    return bool(beginning) and b"\0" not in beginning
