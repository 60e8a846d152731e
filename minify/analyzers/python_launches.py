"""What starts Python in an image: the command line, the scripts it runs, scripts with a `#!`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from minify.analyzers.runlines import (
    START,
    RunLine,
    may_start,
    of_configuration,
    of_script,
    surely_run,
)
from minify.closure import CONFIG, USER, Context, Grade, KeepSet, Reason
from minify.closure.innercommands import UNKNOWN
from minify.filetree import ImagePath
from minify.filetree.path import basename, joined, parent
from minify.python import Entry, EntryKind, Installation, entry_of, installation
from minify.python.commands import interpreter_in, is_python


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


def _of_configuration(context: Context) -> Iterator[Launch]:
    for line in of_configuration(context):
        yield from _started(line, context)


def _of_scripts(keep: KeepSet, context: Context) -> Iterator[Launch]:
    """Scripts that are surely run: Python's own, and what those of a shell run."""
    for entry, start in surely_run(keep, context):
        if python := _interpreter_in(start, context):
            script = Entry(EntryKind.SCRIPT, entry.path)
            line = RunLine((entry.path,), entry.path, f"#! of {entry.path}")
            yield from _launch(python, script, line, context)
        else:
            for line in of_script(entry, context):
                yield from _started(line, context)


def _started(line: RunLine, context: Context) -> Iterator[Launch]:
    """What one command line starts."""
    name, rest = line.words[0], line.words[1:]
    command = context.command(name) if name and UNKNOWN not in name else None
    if command is None:
        return
    entry, python = None, command.path
    if is_python(name):
        entry = entry_of(rest)
    elif python := _interpreter_in(context.tree.read(command.entry, START), context):
        entry = Entry(EntryKind.SCRIPT, command.path, rest)
    if entry is not None and entry.value:
        yield from _launch(python, entry, line, context)


def _interpreter_in(start: bytes, context: Context) -> str:
    """The path of the Python that a script's beginning names; empty if it names none."""
    name = interpreter_in(start)
    found = context.command(name) if name else None
    return found.path if found is not None else ""


def _launch(python: str, entry: Entry, line: RunLine, context: Context) -> Iterator[Launch]:
    env, workdir = context.config.env, context.workdir
    found = context.remembered(
        ("python.installation", python), lambda: installation(context.tree, python, env, workdir)
    )
    if found is not None:
        yield Launch(found, entry, line.by, line.detail, line.directory)


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
            if path not in programs or any(_starts(why, path, context) for why in starting):
                found.add(path)
        elif name.startswith("libpython"):
            users = {why.by for why in kept.reasons if why.rule == "elf.needed"}
            if any(not is_python(basename(ImagePath(user))) for user in users):
                found |= programs
    return frozenset(found)


def _starts(reason: Reason, program: ImagePath, context: Context) -> bool:
    """Whether a reason for an interpreter may be that something starts it."""
    # An environment's own files say which interpreter it was made with: pipx has one, too.
    beside = f"{parent(ImagePath(reason.by))}/pyvenv.cfg" if reason.by.startswith("/") else ""
    if context.tree.file(beside) is not None or not may_start(reason, context):
        return False
    if reason.rule != "config-file":
        return True
    # What comes with the interpreter tells others of it: binfmt.d does.
    own = context.packages.owners(program)
    return not own & context.packages.owners(ImagePath(reason.by))
