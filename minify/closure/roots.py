"""What the configuration starts: ENTRYPOINT, CMD, HEALTHCHECK, and the directories it names.

Commands are looked up as the runtime does it: PATH of the image's ENV, WORKDIR for a relative name.
https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config.md#process
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from minify.closure import commandline, places
from minify.closure.analyzer import Context
from minify.closure.application import application, application_of
from minify.closure.commandline import ShellCall
from minify.closure.environment import environment
from minify.closure.finding import CONFIG, Finding, Gap, Grade, Missing, Need, Reason, Writes
from minify.closure.shellfiles import Sources
from minify.errors import ClosureError, ImageError
from minify.filetree import Entry, ImagePath
from minify.filetree.path import ROOT, encoded, joined
from minify.shell import Run, ShellError, Surroundings, Survey, parse, survey
from minify.shell.builtins import NAMES

_INTERPRETERS = re.compile(r"(python|pypy|node|nodejs|ruby|irb|perl|php|lua|R|ghci|jshell)[\d.]*")
_INIT = frozenset(
    """
    init systemd /sbin/init /usr/sbin/init /bin/systemd /lib/systemd/systemd
    /usr/lib/systemd/systemd openrc-init runit-init
    """.split()
)
_DEEPEST = 64
_HOME_OF_ROOT = ImagePath("/root")


@dataclass(frozen=True, slots=True)
class Roots:
    """Where the closure starts."""

    findings: tuple[Finding, ...]
    programs: tuple[ImagePath, ...]
    """The executables that ENTRYPOINT, CMD and HEALTHCHECK start, in this order."""
    scripts: tuple[ImagePath, ...]
    """Files that a shell is told to read, whatever their first line says."""


def find_roots(context: Context, *, may_be_idle: bool) -> Roots:
    """The roots that the context's configuration states. Its `programs` are not looked at.

    ClosureError if it starts no application: then there is nothing that the image is for. With
    `may_be_idle` the user has said with `--keep` what that is, and a bare shell may do.
    """
    config = context.config
    argv = config.argv
    advice = "name the program with --entrypoint, or what else must stay with --keep"
    if not argv or not argv[0]:
        raise ClosureError(f"{config.name}: neither ENTRYPOINT nor CMD is set: {advice}")
    finder = _Finder(context)
    findings = list(finder.command(argv, "ENTRYPOINT" if config.entrypoint else "CMD"))
    idle = [_why_idle(innermost) for innermost in finder.innermost]
    if idle and all(idle) and not may_be_idle:
        raise ClosureError(f"{config.name}: the command is {' '.join(argv)!r}, {idle[0]}: {advice}")
    findings += [*finder.healthcheck(), *finder.directories(), *environment(context)]
    programs = tuple(dict.fromkeys(finder.programs))
    return Roots(tuple(findings), programs, tuple(dict.fromkeys(finder.scripts)))


def command_roots(lines: Iterable[tuple[tuple[str, ...], Reason]], context: Context) -> Roots:
    """The roots that command lines state which a program of the image is told to start.

    What is missing is no reason to refuse: whoever starts them goes on.
    """
    finder = _Finder(context)
    found = (finding for argv, why in lines for finding in finder.started(argv, why))
    findings = tuple(
        replace(one, grade=Grade.SOFT) if isinstance(one, Missing) else one for one in found
    )
    return Roots(findings, tuple(finder.programs), tuple(finder.scripts))


def _why_idle(argv: Sequence[str]) -> str:
    """Why a command line is no application; empty if it is one."""
    if not argv:
        return "which goes on to run nothing"
    name = commandline.called(argv[0])
    if argv[0] in _INIT and len(argv) == 1:
        return "an init system, whose services cannot be followed"
    if argv[0].endswith("/systemd") or name == "systemd":
        return "an init system, whose services cannot be followed"
    if name in commandline.MULTI_CALL:
        return _why_idle(argv[1:]) if len(argv) > 1 else "a shell with nothing to run"
    if name in commandline.SHELLS and commandline.shell_call(argv[1:]) == ShellCall():
        return "a shell with nothing to run"
    if _INTERPRETERS.fullmatch(name) and all(word in ("-i", "-u", "-q") for word in argv[1:]):
        return "an interpreter with nothing to run"
    return ""


class _Finder:
    """Follows command lines; `programs` and `innermost` are complete when its results are used."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.programs: list[ImagePath] = []
        self.scripts: list[ImagePath] = []
        self._depth = 0
        self._checks = False
        """Whether the command is a check of health, which needs its own file and no more."""
        self.innermost: list[tuple[str, ...]] = []
        """The commands that stand at the end of each chain of heads and shells."""

    def command(self, argv: Sequence[str], named: str) -> Iterator[Finding]:
        """The needs of one command line, `argv` as the runtime gets it."""
        reason = Reason(f"config.{named.lower()}", CONFIG, f"{named} {' '.join(argv)}")
        yield from self._command(tuple(argv), reason, Grade.HARD)

    def started(self, argv: tuple[str, ...], reason: Reason) -> Iterator[Finding]:
        """The needs of a command line that a program of the image starts."""
        yield from self._command(argv, reason, Grade.SOFT)

    def healthcheck(self) -> Iterator[Finding]:
        config = self._context.config
        test = config.healthcheck
        self._checks = True
        if test[:1] == ("CMD-SHELL",):
            yield from self.command((*config.shell, *test[1:]), "HEALTHCHECK")
        elif test[:1] == ("CMD",) and test[1:]:
            yield from self.command(test[1:], "HEALTHCHECK")
        self._checks = False

    def _command(self, argv: tuple[str, ...], reason: Reason, grade: Grade) -> Iterator[Finding]:
        """The needs of `argv`, and of what it goes on to run. `grade` is for what is missing."""
        if self._depth > _DEEPEST:
            raise ImageError(
                f"{reason.detail[:200]}: commands within commands without end: refused"
            )
        self._depth += 1
        yield from self._found_command(argv, reason, grade)
        self._depth -= 1

    def _found_command(
        self, argv: tuple[str, ...], reason: Reason, grade: Grade
    ) -> Iterator[Finding]:
        found = self._context.command(argv[0])
        if found is None:
            yield self._not_found(argv[0], reason, grade)
            self.innermost.append(argv)
            return
        self.programs.append(found.entry.path)
        yield Need(found.path, reason, Grade.HARD)
        name = commandline.called(argv[0])
        if name in commandline.MULTI_CALL and len(argv) > 1:
            yield from self._program(argv[1], argv[1:], reason, found.entry)
        else:
            yield from self._program(name, argv, reason, found.entry)

    def _program(
        self, name: str, argv: tuple[str, ...], reason: Reason, entry: Entry
    ) -> Iterator[Finding]:
        """What a program called `name` does with its arguments."""
        if name in commandline.SHELLS:
            yield from self._shell(argv, reason)
            return
        text = commandline.switch_user_text(name, argv[1:])
        if text is not None:
            yield Need(self._shell_path(argv), reason, Grade.HARD)
            yield from self._shell_text(text, reason)
            return
        inner = commandline.inner_command(name, argv[1:])
        if inner is not None:
            if inner:
                yield from self._command(inner, reason, Grade.HARD)
            else:
                self.innermost.append(())
            return
        rest = argv[1:]
        self.innermost.append(argv)
        is_command = bool(rest) and rest[0][:1] != "-" and self._context.command(rest[0])
        if is_command and not self._context.is_elf(entry):
            # Most scripts go on to run their arguments, if those are a command.
            yield from self._command(rest, reason, Grade.HARD)
            return
        for word in rest:
            yield from self._operand(word, reason)
            yield from self._operand_command(word, reason)

    def _shell_path(self, argv: Sequence[str]) -> str:
        """The shell that `su` starts: that of `-s`, else the usual one."""
        for index, word in enumerate(argv[:-1]):
            if word in ("-s", "--shell"):
                return argv[index + 1]
        return "/bin/sh"

    def _shell(self, argv: tuple[str, ...], reason: Reason) -> Iterator[Finding]:
        call = commandline.shell_call(argv[1:])
        if call.text is not None:
            yield from self._shell_text(call.text, reason, call.operands)
            return
        self.innermost.append(argv)
        words = (call.script, *call.operands) if call.script else call.operands
        path = joined(self._context.workdir, call.script) if call.script else ""
        script = self._context.tree.file(path) if path else None
        if script is not None:
            self.scripts.append(script.path)
        yield from chain.from_iterable(self._operand(word, reason) for word in words)

    def _shell_text(
        self, text: str, reason: Reason, operands: tuple[str, ...] = ()
    ) -> Iterator[Finding]:
        script = parse(encoded(text))
        if isinstance(script, ShellError):
            detail = f"{reason.detail}: it cannot be read as shell text: {script.what}"
            yield Gap(Reason("shell.unread", CONFIG, detail), "keep what it runs with --keep")
            self.innermost.append(("sh", "-c", text))
            return
        found = survey(script, self._surroundings(operands))
        read = (self._context.tree.file(path) for path in found.scripts if path != CONFIG)
        self.scripts += [entry.path for entry in read if entry is not None]
        yield from self._commands(found, text, reason)

    def _surroundings(self, operands: tuple[str, ...]) -> Surroundings:
        context = self._context
        return Surroundings(
            is_root=True,
            path=CONFIG,
            environment=context.environment,
            arguments=operands[1:],  # the first is `$0`
            directory=context.workdir,
            finder=Sources(context),
        )

    def _commands(self, found: Survey, text: str, reason: Reason) -> Iterator[Finding]:
        """The needs of the commands in a shell text, of what it reads too."""
        runs = [run for run in found.runs if run.path == CONFIG and run.words]
        words = {word for run in runs for word in run.words}
        for one in found.named:
            if one.path == CONFIG and one.value not in words and not one.is_assigned:
                yield from self._operand(one.value.shown, reason)
        external = [run for run in runs if run.words[0].text not in NAMES]
        names = [self._found_name(run) for run in external]
        if not external:
            self.innermost.append(("sh", "-c", text))
        is_alone = len(external) == 1 or not any(names)
        unset = {(one.line, one.following): one.written for one in found.unset}
        for run, name in zip(external, names, strict=True):
            written = run.words[0].text or ""
            before = unset.get((run.line, run.words[0]))
            if not name and (not written or before):
                yield self._dynamic(before or run.words[0].shown, reason)
                continue
            is_certain = is_alone and not run.is_open
            argv = (name or written, *(word.shown for word in run.words[1:]))
            yield from self._command(argv, reason, Grade.HARD if is_certain else Grade.SOFT)
        for run in runs:
            if run not in external:
                for word in run.words[1:]:
                    yield from self._operand(word.shown, reason)

    def _dynamic(self, written: str, reason: Reason) -> Gap:
        self.innermost.append((written,))
        detail = f"{reason.detail}: the command {written!r} is only known at run time"
        return Gap(Reason("shell.dynamic", CONFIG, detail), "keep what it runs with --keep")

    def _found_name(self, run: Run) -> str:
        """The name by which a command is found, where the text is by then; empty if it is not."""
        name = run.words[0].text or ""
        if "/" in name:
            path = joined(run.directory or self._context.workdir, name)
            return path if self._context.executable(path) else ""
        for search in run.search:
            for directory in (search.text or "").split(":"):
                beginning = joined(self._context.workdir, directory)
                if name and self._context.executable(f"{beginning}/{name}"):
                    is_usual = directory in self._context.config.search_path
                    return name if is_usual else f"{beginning}/{name}"
        return name if name and self._context.command(name) else ""

    def _not_found(self, name: str, reason: Reason, grade: Grade) -> Missing:
        candidates = self._context.candidates(name)
        there = (self._context.tree.file(path) for path in candidates)
        file = next((entry for entry in there if entry is not None), None)
        hint = (
            f"{file.path} is there, but its mode {file.mode:04o} lets nobody run it" if file else ""
        )
        if not hint and grade is Grade.HARD:
            near = self._context.close_commands(name)
            hint = f"close to it: {', '.join(near)}" if near else ""
        looked = candidates if "/" in name else self._context.config.search_path
        return Missing(name, reason, grade, tuple(looked), hint)

    def _operand_command(self, word: str, reason: Reason) -> Iterator[Finding]:
        """An operand that is a command's name, for a wrapper that is in no table."""
        may_be = len(word) > 1 and "/" not in word and word not in NAMES
        found = self._context.command(word) if may_be else None
        if found is not None:
            detail = f"{reason.detail}: the operand {word} is a command's name"
            own = self._context.is_first_party(found.entry.path)
            yield Need(
                found.path,
                Reason("config.operand", CONFIG, detail),
                Grade.HARD if own else Grade.SOFT,
            )

    def _operand(self, word: str, reason: Reason) -> Iterator[Finding]:
        """Files and directories of the image that an operand, or the value of an option, names."""
        tree = self._context.tree
        for text in _named_in(word):
            path = joined(self._context.workdir, text)
            entry = tree.resolve(path).entry
            if entry is None:
                continue
            operand = Reason("config.operand", CONFIG, f"{reason.detail}: operand {text}")
            if tree.file(path):
                yield Need(path, operand, Grade.HARD)
                yield from self._script_directory(entry, operand)
            elif "/" in text and not places.is_distributions(entry.path, tree):
                yield from application(path, operand)

    def _script_directory(self, script: Entry, reason: Reason) -> Iterator[Finding]:
        """The application that a script which is run came with, unless that is everybody's."""
        if self._checks or self._context.is_elf(script):
            return
        if self._context.is_first_party(script.path):
            directory = application_of(script.path, self._context.tree)
            if directory:
                detail = Reason("app.directory", script.path, reason.detail)
                yield from application(directory, detail)

    def directories(self) -> Iterator[Finding]:
        config, tree = self._context.config, self._context.tree
        workdir = self._context.workdir
        reason = Reason("config.workdir", CONFIG, f"WORKDIR {config.workdir}")
        found = tree.directory(workdir)
        if found is not None and found.path != ROOT:
            # Where it is missing the runtime makes it.
            yield Need(workdir, reason, Grade.HARD)
            if not places.is_distributions(found.path, tree):
                yield from application(workdir, reason)
            elif found.path == _HOME_OF_ROOT:
                yield from self._home_of_root(reason)
        for volume in config.volumes:
            entry = tree.directory(joined("/", volume))
            if entry is not None:
                reason = Reason("config.volume", CONFIG, f"VOLUME {volume}")
                yield Need(joined("/", volume), reason, whole_tree=True)
                yield Writes(entry.path, reason)

    def _home_of_root(self, reason: Reason) -> Iterator[Finding]:
        """What was put there on purpose: the rest of a home begins with a dot."""
        for name in self._context.tree.children(_HOME_OF_ROOT):
            if not name.startswith("."):
                yield from application(f"{_HOME_OF_ROOT}/{name}", reason)


def _named_in(word: str) -> Iterator[str]:
    """What may be paths in an operand: itself, an option's value, the items of a list, `dir/*`."""
    value = word.partition("=")[2] if word[:1] == "-" else word
    items = [value, *value.split(":")] if ":" in value else [value]
    for item in dict.fromkeys(items):
        path = item.removeprefix("@").removesuffix("/*")
        if path and not path.startswith("-"):
            yield path
