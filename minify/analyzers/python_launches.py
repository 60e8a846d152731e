"""What starts Python in an image: the command line, the scripts it runs, scripts with a `#!`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from minify.analyzers.walks import configuration_runs, walks
from minify.closure import CONFIG, USER, Context, Grade, KeepSet, Reason
from minify.closure.innercommands import UNKNOWN, command_lines
from minify.closure.shellfiles import Scripts, Texts, is_shell_script, syntax_tree
from minify.filetree import Entry as File
from minify.filetree import ImagePath, Kind
from minify.filetree.path import basename, joined
from minify.python import Entry, EntryKind, Installation, entry_of, installation
from minify.python.commands import interpreter_in, is_python
from minify.shell import Run, Script, Surroundings
from minify.shell.survey import survey
from minify.shell.syntax import Literal, Simple, Statement, Word

_LARGEST_SCRIPT = 1 << 20
_START = 512


@dataclass(frozen=True, slots=True)
class Launch:
    """One thing that an interpreter is started for."""

    installation: Installation
    entry: Entry
    by: str
    """The file that starts it, or the configuration."""
    detail: str
    directory: str = ""
    """The working directory, where it is known to be another than WORKDIR."""

    @property
    def first(self) -> str:
        """The directory that Python puts first into its path, where a script decides it."""
        if self.entry.kind is not EntryKind.SCRIPT:
            return self.directory
        return self.entry.value.rpartition("/")[0] if self.entry.value.startswith("/") else ""

    def path(self, workdir: str) -> str:
        """The absolute path of a script."""
        return joined(self.directory or workdir, self.entry.value)


def launches(keep: KeepSet, context: Context) -> tuple[Launch, ...]:
    """Everything that surely kept files start, once each."""
    found = (*_of_configuration(context), *_of_scripts(keep, context))
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a command line stands."""

    by: str
    detail: str
    directory: str = ""


def _of_configuration(context: Context) -> Iterator[Launch]:
    config = context.config
    for runs in configuration_runs(context).values():
        yield from _of_runs(runs, context)
    test = config.healthcheck
    line = (*config.shell, *test[1:]) if test[:1] == ("CMD-SHELL",) else test[1:]
    words = tuple(Word((Literal(word, is_quoted=True),), 1) for word in line)
    if words:
        checked = Script((Statement(Simple(words), 1),))
        for walked in walks(checked, CONFIG, None, context, Scripts(context)):
            yield from _of_runs(walked.runs, context)


def _of_scripts(keep: KeepSet, context: Context) -> Iterator[Launch]:
    """Scripts that are surely run: Python's own, and what those of a shell run."""
    for path, kept in keep.kept.items():
        entry = context.tree.get(path)
        if kept.grade is not Grade.HARD or entry is None or entry.size > _LARGEST_SCRIPT:
            continue
        if not entry.is_executable and path not in context.scripts:
            continue
        start = context.tree.read(entry, _START)
        if start[:2] != b"#!" and path not in context.scripts:
            continue
        if python := _interpreter_in(start, context):
            script = Entry(EntryKind.SCRIPT, path)
            yield from _launch(python, script, _Place(path, f"#! of {path}"), context)
        elif is_shell_script(entry, context):
            yield from _of_runs(_surveyed(entry, context), context)


def _surveyed(entry: File, context: Context) -> Iterator[Run]:
    """The commands of a shell script that those of the configuration do not come to."""
    script = syntax_tree(entry, context)
    if not isinstance(script, Script):
        return
    around = Surroundings(
        is_root=True,
        path=entry.path,
        environment=context.config.env,
        directory=context.workdir,
        finder=Texts(context),
    )
    known = {run.line for run in configuration_runs(context).get(entry.path, ())}
    yield from (run for run in survey(script, around).runs if run.line not in known)


def _of_runs(runs: Iterable[Run], context: Context) -> Iterator[Launch]:
    for run in runs:
        where = run.shown if run.path == CONFIG else f"{run.shown} at line {run.line}"
        place = _Place(run.path, where, run.directory or "")
        for line in command_lines(run.words):
            words = [UNKNOWN if word.text is None else word.text for word in line.words]
            yield from _started(words, place, context)


def _started(words: Sequence[str], place: _Place, context: Context) -> Iterator[Launch]:
    """What one command line starts."""
    rest = tuple(words[1:] if words[:1] == ["exec"] else words)
    command = context.command(rest[0]) if rest and rest[0] and UNKNOWN not in rest[0] else None
    if command is None:
        return
    entry, python = None, command.path
    if is_python(rest[0]):
        entry = entry_of(rest[1:])
    elif python := _interpreter_in(context.tree.read(command.entry, _START), context):
        entry = Entry(EntryKind.SCRIPT, command.path, rest[1:])
    if entry is not None and entry.value:
        yield from _launch(python, entry, place, context)


def _interpreter_in(start: bytes, context: Context) -> str:
    """The path of the Python that a script's beginning names; empty if it names none."""
    name = interpreter_in(start)
    found = context.command(name) if name else None
    return found.path if found is not None else ""


def _launch(python: str, entry: Entry, place: _Place, context: Context) -> Iterator[Launch]:
    env, workdir = context.config.env, context.workdir
    found = context.remembered(
        ("python.installation", python), lambda: installation(context.tree, python, env, workdir)
    )
    if found is not None:
        yield Launch(found, entry, place.by, place.detail, place.directory)


def unexplained(keep: KeepSet, known: Sequence[Launch], context: Context) -> frozenset[ImagePath]:
    """Interpreters that something starts for what nobody sees, or that are part of a program."""
    explained = {CONFIG, USER, *(launch.by for launch in known)}
    explained |= {launch.path(context.workdir) for launch in known}
    programs = {launch.installation.program for launch in known}
    found: set[ImagePath] = set()
    for path, kept in keep.kept.items():
        name = basename(path)
        entry = context.tree.get(path)
        if kept.grade is not Grade.HARD or entry is None:
            continue
        if is_python(name) and entry.is_executable:
            starting = (why for why in kept.reasons if why.by not in {path, *explained})
            if path not in programs or any(_starts(why, context) for why in starting):
                found.add(path)
        elif name.startswith("libpython"):
            users = {why.by for why in kept.reasons if why.rule == "elf.needed"}
            if any(not is_python(basename(ImagePath(user))) for user in users):
                found |= programs
    return frozenset(found)


def _starts(reason: Reason, context: Context) -> bool:
    """Whether a reason for an interpreter may be that a file starts it."""
    entry = context.tree.get(reason.by)
    is_name = reason.rule in ("link", "parent", "script.word") or reason.rule.startswith("elf.")
    # An environment's own file says which interpreter it was made with.
    is_name = is_name or reason.by.endswith("/pyvenv.cfg")
    return entry is not None and entry.kind is Kind.FILE and not is_name
