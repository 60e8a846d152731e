"""What the configuration starts: ENTRYPOINT, CMD, HEALTHCHECK, and the directories it names.

Commands are looked up as the runtime does it: PATH of the image's ENV, WORKDIR for a relative name.
https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config.md#process
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from minify.closure import places, shellwords
from minify.closure.analyzer import Context
from minify.closure.finding import CONFIG, Finding, Gap, Grade, Missing, Need, Reason, Writes
from minify.closure.shellwords import BUILTINS, Command
from minify.errors import ClosureError
from minify.filetree import Entry, FileTree, ImagePath
from minify.filetree.path import ROOT, basename, joined
from minify.image import ImageConfig
from minify.packages import Packages

_SHELLS = frozenset("sh ash bash dash fish ksh zsh busybox".split())
_INTERPRETERS = re.compile(
    r"(python|pypy|node|nodejs|ruby|irb|perl|php|lua|R|ghci|jshell|psql)[\d.]*"
)
_INIT = frozenset("init systemd runit-init openrc-init".split())

# Programs that set something up and become the command in their arguments.
_EXEC_HEADS = frozenset(
    """
    catatonit chpst chroot dumb-init env gosu ionice nice nohup numactl runuser setpriv setsid
    stdbuf su-exec taskset timeout tini tini-static
    """.split()
)
_WITHOUT_WORKDIR = frozenset((".git", ".hg", ".svn", "__pycache__"))


@dataclass(frozen=True, slots=True)
class Roots:
    """Where the closure starts."""

    findings: tuple[Finding, ...]
    programs: tuple[ImagePath, ...]
    """The executables that ENTRYPOINT, CMD and HEALTHCHECK start, in this order."""


def find_roots(
    tree: FileTree, config: ImageConfig, packages: Packages, *, is_kept_by_user: bool
) -> Roots:
    """The roots that the configuration states.

    ClosureError if it starts no application: then there is nothing that the image is for. With
    `is_kept_by_user` the user has said with `--keep` what that is, and a bare shell may do.
    """
    context = Context.of(tree, config, packages, ())
    _check_application(context, is_kept_by_user=is_kept_by_user)
    finder = _Finder(context)
    findings = tuple(finder.findings())
    return Roots(findings, tuple(dict.fromkeys(finder.programs)))


def _check_application(context: Context, *, is_kept_by_user: bool) -> None:
    config = context.config
    argv = (*config.entrypoint, *config.cmd)
    advice = "name the program with --entrypoint, or what else must stay with --keep"
    if not argv or not argv[0]:
        raise ClosureError(f"{config.name}: neither ENTRYPOINT nor CMD is set: {advice}")
    if is_kept_by_user:
        return
    name = argv[0].rpartition("/")[2]
    entry = context.command(argv[0])
    real = basename(entry.path) if entry else name
    has_operand = any(not word.startswith("-") for word in argv[1:])
    starts = f"{config.name}: the command is {' '.join(argv)!r}"
    if name in _INIT or real in _INIT:
        raise ClosureError(f"{starts}, an init system, whose services cannot be followed: {advice}")
    if has_operand:
        return
    if name in _SHELLS:
        raise ClosureError(f"{starts}, a shell with nothing to run: {advice}")
    if _INTERPRETERS.fullmatch(name):
        only_options = all(option in ("-i", "-u", "-q") for option in argv[1:])
        if only_options:
            raise ClosureError(f"{starts}, an interpreter with nothing to run: {advice}")


class _Finder:
    def __init__(self, context: Context) -> None:
        self._context = context
        self.programs: list[ImagePath] = []

    def findings(self) -> Iterator[Finding]:
        config = self._context.config
        named = "ENTRYPOINT" if config.entrypoint else "CMD"
        yield from self._argv((*config.entrypoint, *config.cmd), named)
        test = config.healthcheck
        if test[:1] == ("CMD-SHELL",):
            yield from self._argv((*config.shell, *test[1:]), "HEALTHCHECK")
        elif test:
            yield from self._argv(test[1:], "HEALTHCHECK")
        yield from self._directories()
        yield from self._environment()

    def _argv(self, argv: Sequence[str], named: str) -> Iterator[Finding]:
        """The needs of one command line, `argv` as the runtime gets it."""
        if not argv:
            return
        reason = Reason(f"config.{named.lower()}", CONFIG, f"{named} {' '.join(argv)}")
        program = self._context.command(argv[0])
        if program is None:
            yield self._not_found(argv[0], reason)
            return
        self.programs.append(program.path)
        yield Need(self._found_at(argv[0]), reason, Grade.HARD)
        if _is_shell_form(argv, self._context.config):
            yield from self._shell_text(argv[2], reason)
            return
        rest = argv[1:]
        is_head = basename(program.path) in _EXEC_HEADS or argv[0].rpartition("/")[2] in _EXEC_HEADS
        if is_head or not self._context.is_elf(program):
            rest = yield from self._inner_command(rest, reason)
        yield from chain.from_iterable(self._operand(word, reason) for word in rest)

    def _inner_command(
        self, words: Sequence[str], reason: Reason
    ) -> Generator[Finding, None, Sequence[str]]:
        """The command among the operands of a head or a script; gives back what follows it."""
        for index, word in enumerate(words):
            program = self._context.command(word) if word and not word.startswith("-") else None
            if program is not None:
                self.programs.append(program.path)
                yield Need(self._found_at(word), reason, Grade.HARD)
                return words[index + 1 :]
        return words

    def _found_at(self, name: str) -> str:
        """The path, links included, by which the runtime finds the command `name`."""
        found = (path for path in self._context.candidates(name) if self._is_program(path))
        return next(found)

    def _is_program(self, path: str) -> bool:
        entry = self._context.tree.file(path)
        return entry is not None and entry.is_executable

    def _not_found(self, name: str, reason: Reason) -> Missing:
        candidates = self._context.candidates(name)
        there = (self._context.tree.file(path) for path in candidates)
        file = next((entry for entry in there if entry is not None), None)
        hint = (
            f"{file.path} is there, but its mode {file.mode:04o} lets nobody run it" if file else ""
        )
        looked = candidates if "/" in name else self._context.config.search_path
        return Missing(name, reason, Grade.HARD, tuple(looked), hint)

    def _shell_text(self, text: str, reason: Reason) -> Iterator[Finding]:
        found = list(shellwords.commands(text))
        external = [c for c in found if c.name not in BUILTINS]
        for command in found:
            yield from self._shell_command(command, reason, is_only=[command] == external)

    def _shell_command(
        self, command: Command, reason: Reason, *, is_only: bool
    ) -> Iterator[Finding]:
        if command.name not in BUILTINS:
            if not shellwords.is_literal(command.name):
                detail = f"{reason.detail}: the command {command.name!r} is only known at run time"
                yield Gap(Reason("shell.dynamic", CONFIG, detail), "keep what it runs with --keep")
            elif (program := self._context.command(command.name)) is not None:
                self.programs.append(program.path)
                yield Need(self._found_at(command.name), reason, Grade.HARD)
            else:
                grade = Grade.HARD if is_only else Grade.SOFT
                missing = self._not_found(command.name, reason)
                yield Missing(missing.name, reason, grade, missing.looked, missing.hint)
        yield from chain.from_iterable(self._operand(word, reason) for word in command.words[1:])

    def _operand(self, word: str, reason: Reason) -> Iterator[Finding]:
        """Files and directories of the image that an operand, or the value of an option, names."""
        tree, workdir = self._context.tree, joined("/", self._context.config.workdir)
        for text in dict.fromkeys((word, word.partition("=")[2] if word[:1] == "-" else word)):
            path = joined(workdir, text)
            entry = tree.resolve(path).entry if text and "\0" not in text else None
            if entry is None or text.startswith("-"):
                continue
            operand = Reason("config.operand", CONFIG, f"{reason.detail}: operand {text}")
            if tree.file(path):
                yield Need(path, operand, Grade.HARD)
                yield from self._script_directory(entry, operand)
            elif "/" in text and not places.is_shared(entry.path, tree):
                yield Need(path, operand, Grade.SOFT, whole_tree=True)

    def _script_directory(self, script: Entry, reason: Reason) -> Iterator[Finding]:
        """The directory of a file that is run: its application, unless it is everybody's."""
        directory = script.path.rpartition("/")[0] or "/"
        if self._context.is_elf(script) or not self._context.is_first_party(script.path):
            return
        if not places.is_shared(directory, self._context.tree) and not directory.startswith(
            "/etc/"
        ):
            yield from self._application(
                directory, Reason("app.directory", script.path, reason.detail)
            )

    def _application(self, directory: str, reason: Reason) -> Iterator[Finding]:
        """All of an application's directory but version control data and caches."""
        entry = self._context.tree.directory(directory)
        if entry is None:
            return
        yield Need(directory, reason)
        for name in self._context.tree.children(entry.path):
            if name not in _WITHOUT_WORKDIR:
                yield Need(f"{entry.path}/{name}", reason, whole_tree=True)

    def _directories(self) -> Iterator[Finding]:
        config, tree = self._context.config, self._context.tree
        workdir = joined("/", config.workdir)
        reason = Reason("config.workdir", CONFIG, f"WORKDIR {config.workdir}")
        found = tree.directory(workdir)
        if found is not None and found.path != ROOT:
            # Where it is missing the runtime makes it.
            yield Need(workdir, reason, Grade.HARD)
            if not places.is_shared(found.path, tree) and not found.path.startswith("/home"):
                yield from self._application(workdir, reason)
        for volume in config.volumes:
            entry = tree.directory(joined("/", volume))
            if entry is not None:
                reason = Reason("config.volume", CONFIG, f"VOLUME {volume}")
                yield Need(joined("/", volume), reason, whole_tree=True)
                yield Writes(entry.path, reason)

    def _environment(self) -> Iterator[Finding]:
        for name, value in self._context.config.env.items():
            if value.startswith("/") and self._context.tree.file(value):
                yield Need(value, Reason("config.env", CONFIG, f"ENV {name}={value}"))


def _is_shell_form(argv: Sequence[str], config: ImageConfig) -> bool:
    if len(argv) < 3:
        return False
    if tuple(argv[: len(config.shell)]) == config.shell and len(config.shell) == 2:
        return True
    return argv[0].rpartition("/")[2] in _SHELLS and argv[1] in ("-c", "-ec", "-lc", "-xc")
