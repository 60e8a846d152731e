"""The programs that the configuration and its scripts start, and the paths that each is given."""

from __future__ import annotations

import re
from collections.abc import Mapping

from minify.analyzers.walks import runs_of
from minify.closure import Context
from minify.closure.commandline import innermost
from minify.filetree import ImagePath
from minify.filetree.path import joined

_MOST_WORDS = 1 << 10


def operands(context: Context) -> Mapping[ImagePath, tuple[str, ...]]:
    """The paths that each program of the command lines, or of their scripts, is given."""
    key = ("operands of programs", context.lines)
    return context.remembered(key, lambda: _every_operand(context))


def _every_operand(context: Context) -> Mapping[ImagePath, tuple[str, ...]]:
    found: dict[ImagePath, dict[str, None]] = {}
    for line in context.command_lines:
        for run in runs_of(line, context):
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
