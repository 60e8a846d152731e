"""The programs that the configuration and its scripts start, and the paths that each is given."""

from __future__ import annotations

import re
from collections.abc import Mapping

from minify.analyzers.walks import configuration_runs
from minify.closure import Context
from minify.closure.commandline import innermost
from minify.filetree import ImagePath
from minify.filetree.path import joined

_MOST_WORDS = 1 << 10


def operands(context: Context) -> Mapping[ImagePath, tuple[str, ...]]:
    """The paths that each program of the configuration, or of its scripts, is given."""
    return context.remembered("operands of programs", lambda: _every_operand(context))


def _every_operand(context: Context) -> Mapping[ImagePath, tuple[str, ...]]:
    found: dict[ImagePath, dict[str, None]] = {}
    for runs in configuration_runs(context).values():
        for run in runs:
            words = innermost(tuple(text or "" for text in run.texts[:_MOST_WORDS]))
            command = context.command(words[0]) if words and words[0] else None
            if command is not None:
                where = run.directory or context.workdir
                paths = (joined(where, _value(word)) for word in words[1:] if _value(word))
                found.setdefault(command.entry.path, {}).update(dict.fromkeys(paths))
    return {program: tuple(paths) for program, paths in found.items()}


_OPTION = re.compile(r"-[^=]*+=(.*+)", re.DOTALL)


def _value(word: str) -> str:
    """What may be a path in a word: itself, or the value of an option."""
    match = _OPTION.fullmatch(word)
    value = match[1] if match else word
    return "" if "\0" in value or value.startswith("-") else value
