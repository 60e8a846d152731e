"""Walks through the shell scripts of an image, and the programs that they go on as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from minify.closure import CONFIG, Context
from minify.closure.commandline import innermost
from minify.closure.recent import Recent
from minify.closure.shellfiles import SCRIPTS_KEPT, Scripts, Texts, syntax_tree
from minify.filetree import Entry, ImagePath
from minify.shell import (
    Ending,
    Likelihood,
    Run,
    Script,
    ShellError,
    Surroundings,
    Survey,
    Value,
    Walk,
    survey,
    walk,
)
from minify.shell.parser import LARGEST
from minify.shell.run import PRINTED
from minify.shell.syntax import Literal, Simple, Statement, Word

_GOES_ON = frozenset((Ending.EXEC, Ending.BACKGROUND))


@dataclass(frozen=True, slots=True)
class Configured:
    """What the command of ENTRYPOINT and CMD runs, through the scripts that it starts."""

    as_root: Walk
    as_other: Walk
    unread: Mapping[str, ShellError]
    """The scripts among them that could not be parsed."""


def configuration_walks(context: Context) -> Configured:
    """The walks from the command of ENTRYPOINT and CMD, as root and as another user."""
    return _remembered_walks(context.config.argv, context)


def _remembered_walks(argv: tuple[str, ...], context: Context) -> Configured:
    return context.remembered(("walks", argv), lambda: _line_walks(argv, context))


def _line_walks(argv: tuple[str, ...], context: Context) -> Configured:
    scripts = Scripts(context)
    words = tuple(Word((Literal(word, is_quoted=True),), 1) for word in ("exec", *argv))
    script = Script((Statement(Simple(words), 1),))
    as_root, as_other = walks(script, CONFIG, (), context, scripts)
    return Configured(as_root, as_other, scripts.unread)


def configuration_runs(context: Context) -> Mapping[str, tuple[Run, ...]]:
    """The commands that the command lines come to, by the script that they stand in.

    Those that managers of processes start are among the lines.
    """
    return context.remembered(("runs", context.lines), lambda: _by_script(context))


def runs_of(argv: tuple[str, ...], context: Context) -> tuple[Run, ...]:
    """The commands that a command line comes to, itself among them."""
    walked = _remembered_walks(argv, context)
    return tuple(dict.fromkeys((*walked.as_root.runs, *walked.as_other.runs)))


def _by_script(context: Context) -> Mapping[str, tuple[Run, ...]]:
    found: dict[str, dict[Run, None]] = {}
    for argv in context.command_lines:
        for run in runs_of(argv, context):
            found.setdefault(run.path, {})[run] = None
    return {path: tuple(runs) for path, runs in found.items()}


def walks(
    script: Script,
    path: str,
    arguments: tuple[str, ...] | None,
    context: Context,
    scripts: Scripts | None,
) -> tuple[Walk, Walk]:
    """What a script runs, as root and as another user."""
    around = Surroundings(
        is_root=True,
        path=path,
        environment=context.environment,
        arguments=arguments,
        directory=context.workdir,
        finder=scripts,
    )
    return walk(script, around), walk(script, replace(around, is_root=False))


def surveyed(entry: Entry, context: Context) -> Survey | ShellError | None:
    """All commands of a shell script, on every branch; None for a binary."""
    surveys = context.remembered(surveyed, lambda: Recent[Survey | ShellError | None](SCRIPTS_KEPT))
    return surveys.of(entry.path, min(entry.size, LARGEST), lambda: _survey(entry, context))


def _survey(entry: Entry, context: Context) -> Survey | ShellError | None:
    script = syntax_tree(entry, context)
    if not isinstance(script, Script):
        return script
    around = Surroundings(
        is_root=True,
        path=entry.path,
        environment=context.environment,
        directory=context.workdir,
        finder=Texts(context),
    )
    return survey(script, around)


def programs_gone_on_as(context: Context) -> tuple[ImagePath, ...]:
    """The programs that the configuration's scripts become, or start and leave running.

    They are what the image is for, as much as a program that ENTRYPOINT names.
    """
    argv = context.config.argv
    found = programs_of((argv,), context) if argv else ()
    return tuple(path for path in found if path not in context.programs)


def programs_of(lines: tuple[tuple[str, ...], ...], context: Context) -> tuple[ImagePath, ...]:
    """The programs that command lines' scripts become, or start and leave running."""
    found: dict[ImagePath, None] = {}
    for argv in lines:
        for run in runs_of(argv, context):
            if run.ending in _GOES_ON and run.likelihood >= Likelihood.PERHAPS:
                found.update(dict.fromkeys(_programs(run, context)))
    return tuple(found)


def programs_run(context: Context) -> tuple[ImagePath, ...]:
    """The programs that the configuration's scripts may run, whether they go on after it or not."""
    found: dict[ImagePath, None] = {}
    for line in context.command_lines:
        for run in runs_of(line, context):
            if run.likelihood >= Likelihood.PERHAPS:
                found.update(dict.fromkeys(_programs(run, context)))
    return tuple(found)


def _text(word: Value) -> str:
    """A word as far as it is known; of `$(command -v server)` it is the name."""
    printed = PRINTED.fullmatch(word.shown) if word.text is None else None
    return printed[1] if printed else word.text or ""


def _programs(run: Run, context: Context) -> Iterator[ImagePath]:
    """The program of a command and those behind its heads: of `gosu app server` the last."""
    texts = innermost(tuple(map(_text, run.words)))
    command = context.command(texts[0]) if texts and texts[0] else None
    if command is not None:
        yield command.entry.path
