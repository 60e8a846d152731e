"""What the managers of an image start, as shell texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from minify.analyzers.managers import directories, files
from minify.analyzers.managers.files import Reader
from minify.analyzers.managers.text import Text
from minify.closure import Context, Finding, Gap, Grade, Need, Reason
from minify.closure.commandline import called, inner_command
from minify.filetree import ImagePath
from minify.filetree.path import encoded
from minify.shell import Run, Script, parse

CONFIGURATION, TREE = "manager.configuration", "manager.directory"
_MOST_HEADS = 16
_VERSION = re.compile(r"[-_.]?\d[\d.]*+$")

_Lister = Callable[[Sequence[str], Context], tuple[list[str], list[str]]]

_BY_FILES: Mapping[str, Reader] = {
    "supervisord": files.supervisor,
    **dict.fromkeys(("cron", "crond", "cronie", "anacron"), files.cron),
    **dict.fromkeys(
        "foreman honcho goreman hivemind overmind forego shoreman".split(), files.procfile
    ),
    **dict.fromkeys(("inetd", "openbsd-inetd", "inetutils-inetd"), files.inetd),
    "xinetd": files.xinetd,
    "monit": files.monit,
}
_BY_DIRECTORIES: Mapping[str, _Lister] = {
    **dict.fromkeys("runsvdir runsvdir-start runsv runit runit-init".split(), directories.services),
    **dict.fromkeys(
        "svscan svscanboot supervise s6-svscan s6-supervise".split(), directories.services
    ),
    **dict.fromkeys(("cron", "crond", "cronie"), directories.cron),
    "my_init": directories.my_init,
    "init": directories.overlay,
}


@dataclass(frozen=True, slots=True)
class Managed:
    """The commands that one file of a manager's configuration states, or its directories hold."""

    by: ImagePath
    """The file; the manager's program for directories."""
    script: Script
    """Each command in the background, on its line of the file."""
    findings: tuple[Finding, ...]
    """What the manager itself reads."""


def programs_of(run: Run) -> Iterator[tuple[str, ...]]:
    """The command lines in a command, heads peeled off one by one: `tini -- cron -f`, `cron -f`."""
    words = tuple(text or "" for text in run.texts)
    for _ in range(_MOST_HEADS):
        if words and words[0]:
            yield words
        inner = inner_command(called(words[0]), words[1:]) if words else None
        if not inner:
            return
        words = inner


def managed(runs: Iterable[Run], context: Context) -> tuple[Managed, ...]:
    """What the managers among the commands `runs` start."""
    found: dict[ImagePath, list[Managed]] = {}
    for run in runs:
        for words in programs_of(run):
            # A manager that is a script may be given to its interpreter.
            starts = ((words[at], words[at + 1 :]) for at in range(min(2, len(words))))
            for one in chain.from_iterable(_managed(*start, context) for start in starts):
                if one not in found.setdefault(one.by, []):
                    found[one.by].append(one)
    return tuple(one for several in found.values() for one in several)


def _managed(word: str, arguments: Sequence[str], context: Context) -> Iterator[Managed]:
    name = _VERSION.sub("", called(word)[:256]) or called(word)
    if name not in _BY_FILES and name not in _BY_DIRECTORIES:
        return
    command = context.command(word)
    if command is None:
        return
    program = command.entry.path
    if name in _BY_FILES:
        for file, text in _BY_FILES[name](arguments, context):
            reason = Reason(CONFIGURATION, program, f"{name} reads what to start from it")
            yield from _made(file.entry.path, text, (Need(file.path, reason),))
    if name in _BY_DIRECTORIES:
        programs, trees = _BY_DIRECTORIES[name](arguments, context)
        text = Text()
        for line, path in enumerate(programs, 1):
            text.add(line, f"'{path}'" if "'" not in path else "")
        kept = (
            Need(path, Reason(TREE, program, f"{name} goes through it"), whole_tree=True)
            for path in trees
        )
        run = (
            Need(path, Reason(TREE, program, f"{name} runs it"), Grade.HARD) for path in programs
        )
        yield from _made(program, text, (*kept, *run))


def _made(by: ImagePath, text: Text, findings: tuple[Finding, ...]) -> Iterator[Managed]:
    script = parse(encoded(str(text)))
    if isinstance(script, Script):
        yield Managed(by, script, findings)
        return
    detail = f"{by}:{script.line} names commands that cannot be read as the shell's: {script.what}"
    gap = Gap(Reason(CONFIGURATION, by, detail), "keep what they run with --keep")
    yield Managed(by, Script(()), (*findings, gap))
