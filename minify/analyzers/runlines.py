"""Every command line that something of an image runs, with who runs it and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from minify.analyzers.walks import configuration_runs, surveyed, walks
from minify.closure import CONFIG, Context, Grade, KeepSet, Reason
from minify.closure.innercommands import UNKNOWN, command_lines
from minify.closure.shellfiles import Scripts, is_shell_script
from minify.filetree import Entry, Kind
from minify.shell import Run, Script, Survey, parse
from minify.shell.syntax import Literal, Simple, Statement, Word

_LARGEST_SCRIPT = 1 << 20
START = 512
"""Bytes of a script's beginning, which hold its `#!` line."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """A command line, with `UNKNOWN` in words that are not known."""

    words: tuple[str, ...]
    by: str
    """The file that it stands in, or the configuration."""
    detail: str
    directory: str = ""
    """The working directory, where it is known to be another than WORKDIR."""


def of_configuration(context: Context) -> Iterator[RunLine]:
    """Those of ENTRYPOINT and CMD, of the scripts that they start, and of HEALTHCHECK."""
    for runs in configuration_runs(context).values():
        yield from _lines(runs)
    config = context.config
    test = config.healthcheck
    line = (*config.shell, *test[1:]) if test[:1] == ("CMD-SHELL",) else test[1:]
    if line:
        words = tuple(Word((Literal(word, is_quoted=True),), 1) for word in line)
        yield from _walked(Script((Statement(Simple(words), 1),)), CONFIG, context)


def of_text(text: str, by: str, context: Context) -> Iterator[RunLine]:
    """Those of a shell text that stands in a file that is no script."""
    script = parse(text.encode("utf-8", "replace"))
    if isinstance(script, Script):
        yield from _walked(script, by, context)


def surely_run(keep: KeepSet, context: Context) -> Iterator[tuple[Entry, bytes]]:
    """The scripts that are surely run, each with its beginning."""
    for path, kept in keep.kept.items():
        entry = context.tree.get(path)
        if kept.grade is not Grade.HARD or entry is None or entry.size > _LARGEST_SCRIPT:
            continue
        if not entry.is_executable and path not in context.scripts:
            continue
        start = context.tree.read(entry, START)
        if start[:2] == b"#!" or path in context.scripts:
            yield entry, start


def of_script(entry: Entry, context: Context) -> Iterator[RunLine]:
    """Those of a shell script that the ones of the configuration do not come to."""
    found = surveyed(entry, context) if is_shell_script(entry, context) else None
    if not isinstance(found, Survey):
        return
    known = {run.line for run in configuration_runs(context).get(entry.path, ())}
    yield from _lines(run for run in found.runs if run.line not in known)


def _walked(script: Script, by: str, context: Context) -> Iterator[RunLine]:
    for walked in walks(script, by, None, context, Scripts(context)):
        yield from _lines(walked.runs)


def _lines(runs: Iterable[Run]) -> Iterator[RunLine]:
    for run in runs:
        where = run.shown if run.path == CONFIG else f"{run.shown} at line {run.line}"
        for line in command_lines(run.words):
            words = _without_exec([UNKNOWN if w.text is None else w.text for w in line.words])
            if words:
                yield RunLine(words, run.path, where, run.directory or "")


def _without_exec(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(words[1:] if words[:1] == ["exec"] else words)


def may_start(reason: Reason, context: Context) -> bool:
    """Whether a reason for an interpreter may be that a file starts it."""
    entry = context.tree.get(reason.by)
    is_name = reason.rule in ("link", "parent", "script.word") or reason.rule.startswith("elf.")
    return entry is not None and entry.kind is Kind.FILE and not is_name
