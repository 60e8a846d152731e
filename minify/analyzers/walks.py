"""Walks through the shell scripts of an image, and the programs that they go on as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from minify.analyzers.shellscripts import Scripts
from minify.closure import CONFIG, Context
from minify.closure.commandline import called, inner_command
from minify.filetree import ImagePath
from minify.shell import Ending, Likelihood, Run, Script, Surroundings, Walk, walk
from minify.shell.syntax import Literal, Simple, Statement, Word

_MOST_HEADS = 16
_GOES_ON = frozenset((Ending.EXEC, Ending.BACKGROUND))


def configuration_walks(context: Context, scripts: Scripts) -> tuple[Walk, Walk]:
    """What the command of ENTRYPOINT and CMD runs, as root and as another user."""
    config = context.config
    argv = ("exec", *config.entrypoint, *config.cmd)
    words = tuple(Word((Literal(word, is_quoted=True),), 1) for word in argv)
    script = Script((Statement(Simple(words), 1),))
    return walks(script, CONFIG, (), context, scripts)


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
        environment=context.config.env,
        arguments=arguments,
        directory=context.workdir,
        finder=scripts,
    )
    return walk(script, around), walk(script, replace(around, is_root=False))


def programs_gone_on_as(context: Context) -> tuple[ImagePath, ...]:
    """The programs that the configuration's scripts become, or start and leave running.

    They are what the image is for, as much as a program that ENTRYPOINT names.
    """
    if not (context.config.entrypoint or context.config.cmd):
        return ()
    found: dict[ImagePath, None] = {}
    for walked in configuration_walks(context, Scripts(context)):
        for run in walked.runs:
            if run.ending in _GOES_ON and run.likelihood >= Likelihood.PERHAPS:
                found.update(dict.fromkeys(_programs(run, context)))
    return tuple(path for path in found if path not in context.programs)


def _programs(run: Run, context: Context) -> Iterator[ImagePath]:
    """The program of a command and those behind its heads: of `gosu app server` the last."""
    texts = [text or "" for text in run.texts]
    for _ in range(_MOST_HEADS):
        inner = inner_command(called(texts[0]), texts[1:]) if texts else None
        if not inner:
            break
        texts = list(inner)
    command = context.command(texts[0]) if texts and texts[0] else None
    if command is not None:
        yield command.entry.path
