"""The programs that ENTRYPOINT and CMD start, by the names and with the words they are given.

A script of theirs that ends with `exec program …` starts that one too.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from minify.analyzers.walks import runs_of
from minify.closure import Context
from minify.closure.commandline import SWITCHES, called, innermost
from minify.filetree import ImagePath
from minify.filetree.path import basename
from minify.shell import Ending, Likelihood, Run

_MOST_WORDS = 1 << 10
_LONGEST_TEXT = 1 << 16
_VERSION = re.compile(r"[-_.]?\d[\d.]*$")
_ENDS_COMMAND = frozenset(("; & | && || ;; ( )").split())


@dataclass(frozen=True, slots=True)
class Started:
    """A program of the command line, or of a script that it starts."""

    path: ImagePath
    names: frozenset[str]
    """What it is called by and what its file is called, without versions: `php-fpm` of 8.2."""
    arguments: tuple[str, ...] = ()


def plain_name(path: str) -> str:
    """A program's name without its directory and version: `apache` of /usr/sbin/apache2."""
    return _VERSION.sub("", called(path)[:256])


def started(context: Context) -> tuple[Started, ...]:
    """The programs of ENTRYPOINT and CMD; those that only HEALTHCHECK runs are not among them."""
    lines = tuple(line for one in context.command_lines for line in _lines(one))
    found: dict[ImagePath, Started] = {}
    for line in lines:
        for program in _on(line, context):
            found.setdefault(program.path, program)
    for program in _gone_on_as(context):
        found.setdefault(program.path, program)
    checked = {plain_name(word) for line in _lines(context.config.healthcheck) for word in line}
    for path in context.programs:
        name = plain_name(path)
        if path not in found and name not in checked and path not in context.kept_programs:
            found[path] = Started(path, frozenset((name,)))
    own = [found[path] for path in context.programs if path in found]
    own += [program for path, program in found.items() if path not in context.programs]
    return tuple(dict.fromkeys(own))


def _gone_on_as(context: Context) -> Iterator[Started]:
    """The programs that the configuration's scripts become whatever happens, behind heads.

    Those that run a program as another account are heads that end this.
    """
    for line in context.command_lines:
        ends = [run for run in runs_of(line, context) if run.ending in (Ending.EXEC, Ending.LAST)]
        for run in ends:
            is_sure = run.likelihood >= Likelihood.USUALLY or _is_only_end(run, ends)
            if run.ending is Ending.EXEC and is_sure:
                yield from behind_heads(tuple(text or "" for text in run.texts), context)


def _is_only_end(run: Run, ends: Sequence[Run]) -> bool:
    """Whether a script ends with this command, of whose words some have several values.

    `exec named -u named $OPTIONS` is one command, whether a file sets `OPTIONS` or not.
    """
    ways = [one for one in ends if one.path == run.path]
    is_one = all(one.line == run.line and one.texts[:1] == run.texts[:1] for one in ways)
    return is_one and len(ways) > 1


def behind_heads(words: tuple[str, ...], context: Context) -> Iterator[Started]:
    """The program that a command's heads go on as, unless it is as another account."""
    words = innermost(words, SWITCHES)
    command = context.command(words[0]) if words and words[0] else None
    if command is not None and called(words[0]) not in SWITCHES:
        yield _program(words[:_MOST_WORDS], 0, command.entry.path)


def _lines(argv: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The command line itself, and the shell texts among its words, split."""
    words = tuple(argv[:_MOST_WORDS])
    yield words
    for word in words:
        if " " in word and len(word) <= _LONGEST_TEXT:
            yield _split(word)[:_MOST_WORDS]


def _split(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.shlex(text, posix=True, punctuation_chars=True))
    except ValueError:
        return tuple(text.split())


def _on(line: Sequence[str], context: Context) -> Iterator[Started]:
    for at, word in enumerate(line):
        command = context.command(word) if word and "\0" not in word else None
        if command is None or command.entry.path not in context.programs:
            continue
        yield _program(line, at, command.entry.path)


def _program(line: Sequence[str], at: int, path: ImagePath) -> Started:
    """The program at the word `at`, with the words up to the end of its command."""
    end = next((i for i in range(at, len(line)) if line[i] in _ENDS_COMMAND), len(line))
    names = frozenset((plain_name(line[at]), plain_name(basename(path))))
    return Started(path, names, tuple(line[at + 1 : end]))


def option_values(arguments: Sequence[str], options: Sequence[str]) -> Iterator[str]:
    """The values of `options` on a command line: `-u x`, `-ux`, `--user x`, `--user=x`."""
    for at, word in enumerate(arguments):
        for option in options:
            if word == option and at + 1 < len(arguments):
                yield arguments[at + 1]
            elif option.startswith("--") and word.startswith(f"{option}="):
                yield word[len(option) + 1 :]
            elif len(option) == 2 and word.startswith(option) and len(word) > 2:
                yield word[2:]
