"""Scripts: the `#!` line, and the commands of a shell script by their words.

Only a script that is surely run counts (HARD). That is the most valuable single rule of all:
without it a string in a library pulls in a helper script, and that a whole language runtime.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from minify.closure import Context, Finding, Gap, Grade, Missing, Need, Reason, places, shellwords
from minify.closure.shellwords import BUILTINS, Command
from minify.filetree import Entry
from minify.filetree.path import decoded, joined, parent

_SHELLS = frozenset("sh ash bash dash ksh busybox".split())
_LARGEST_SCRIPT = 4 << 20
_LONGEST_LINE = 256  # BINPRM_BUF_SIZE: the kernel reads no more of a `#!` line


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    if grade is not Grade.HARD or context.tree.read(entry, 2) != b"#!":
        return
    line = decoded(context.tree.read(entry, _LONGEST_LINE).partition(b"\n")[0])
    words = line[2:].strip().split(None, 1)
    if not words:
        return
    reason = Reason("script.interpreter", entry.path, line.strip())
    yield Need(joined("/", words[0]), reason, Grade.HARD)
    shell = words[0]
    if _name(words[0]) == "env" and len(words) > 1:
        shell = _command_of_env(words[1])
        yield from _found_by_env(shell, reason, context)
    if _name(shell) in _SHELLS:
        yield from _shell_script(entry, context)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _command_of_env(arguments: str) -> str:
    """The command that `env` runs; the kernel gives it all in one argument, so -S is needed."""
    try:
        words = shlex.split(arguments)
    except ValueError:
        words = arguments.split()
    rest = [word for word in words if not word.startswith("-") and "=" not in word]
    return rest[0] if rest else ""


def _found_by_env(name: str, reason: Reason, context: Context) -> Iterator[Finding]:
    for candidate in context.candidates(name) if name else ():
        entry = context.tree.file(candidate)
        if entry is not None and entry.is_executable:
            yield Need(candidate, reason, Grade.HARD)
            return
    yield Missing(name, reason, Grade.HARD, context.config.search_path)


def _shell_script(entry: Entry, context: Context) -> Iterator[Finding]:
    if entry.size > _LARGEST_SCRIPT:
        # A self-extracting archive: the shell text is a small part of it.
        detail = f"{entry.path} is a shell script of {entry.size:,} bytes and was not read"
        yield Gap(Reason("script.unread", entry.path, detail), "keep what it runs with --keep")
        return
    text = decoded(context.tree.read(entry))
    for command in shellwords.commands(text):
        yield from _command(command, entry, context)


def _command(command: Command, script: Entry, context: Context) -> Iterator[Finding]:
    where = f"{script.path}:{command.line}"
    if command.name in (".", "source") and len(command.words) > 1:
        yield from _path(command.words[1], where, script, context, Grade.HARD)
    elif command.name not in BUILTINS:
        yield from _program(command.name, where, script, context)
    if command.name in ("exec", "eval") and command.words[1:2] == ("$@",):
        return  # what CMD or the user gives, which is a root of its own
    for word in command.words[1:]:
        yield from _path(word, where, script, context, Grade.SOFT)
        yield from _operand_command(word, where, script, context)


def _program(name: str, where: str, script: Entry, context: Context) -> Iterator[Finding]:
    if name in ("$@", "$1", "$*"):
        return
    if not shellwords.is_literal(name):
        detail = f"{where} runs {name!r}, which is only known at run time"
        yield Gap(Reason("script.dynamic", script.path, detail), "keep what it runs with --keep")
        return
    for candidate in context.candidates(name):
        entry = context.tree.file(candidate)
        if entry is not None and entry.is_executable:
            yield Need(
                candidate, Reason("script.command", script.path, f"{where} runs {name}"), Grade.HARD
            )
            return


def _operand_command(word: str, where: str, script: Entry, context: Context) -> Iterator[Finding]:
    """A word among the operands that is a command's name: `xargs rm`, `command -v curl`."""
    if "/" in word or not shellwords.is_literal(word) or len(word) < 2 or word in BUILTINS:
        return
    for candidate in context.candidates(word):
        entry = context.tree.file(candidate)
        if entry is not None and entry.is_executable:
            yield Need(
                candidate, Reason("script.word", script.path, f"{where} has the word {word}")
            )
            return


def _path(
    word: str, where: str, script: Entry, context: Context, grade: Grade
) -> Iterator[Finding]:
    """A path in a script: a file, or a directory of the application's."""
    if "/" not in word or not shellwords.is_literal(word):
        return
    path = joined(context.config.workdir, word)
    if not path.startswith("/"):
        path = joined(parent(script.path), word)
    entry = context.tree.resolve(path).entry
    if entry is None:
        return
    reason = Reason("script.path", script.path, f"{where} names {word}")
    if context.tree.file(path):
        yield Need(path, reason, grade)
    elif context.is_first_party(entry.path) and not places.is_shared(entry.path, context.tree):
        yield Need(path, reason, whole_tree=True)
