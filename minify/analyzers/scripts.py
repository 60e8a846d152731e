"""Scripts: the `#!` line, and the commands of a shell script by their words.

Only a script that is surely run counts (HARD). That is the most valuable single rule of all:
without it a string in a library pulls in a helper script, and that a whole language runtime.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from minify.closure import Context, Finding, Gap, Grade, Missing, Need, Reason, places, shellwords
from minify.closure.commandline import MULTI_CALL, SHELLS, inner_command
from minify.closure.shellwords import BUILTINS, Command
from minify.filetree import Entry
from minify.filetree.path import decoded, joined, parent

_LARGEST_SCRIPT = 1 << 20
_LONGEST_LINE = 256  # BINPRM_BUF_SIZE: the kernel reads no more of a `#!` line
_MOST_HEADS = 16
_FUNCTION = re.compile(r"^[ \t]*+(?:function[ \t]++)?([\w.-]++)[ \t]*+\(\)", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*+#.*$", re.MULTILINE)
_PATH = re.compile(r"(?<![\w./}])(?:/[\w.@+-]++){2,}+")
# What CMD or the user gives, which is a root of its own.
_POSITIONAL = frozenset(("$@", "$*", "$1", "${@}", "${1}"))


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    if grade is not Grade.HARD or context.tree.read(entry, 2) != b"#!":
        return
    line = decoded(context.tree.read(entry, _LONGEST_LINE).partition(b"\n")[0])
    words = line[2:].strip(" \t").split(None, 1)
    if not words:
        return
    reason = Reason("script.interpreter", entry.path, line.strip())
    yield _interpreter(words[0], reason, context)
    shell = _name(words[0])
    if shell == "env" and len(words) > 1:
        shell = _command_of_env(words[1])
        yield _found_by_env(shell, reason, context)
    if _name(shell) in SHELLS | MULTI_CALL:
        yield from _shell_script(entry, context)
    elif _name(shell):
        detail = (
            f"{entry.path} is a script for {_name(shell)}: what it runs and opens is not followed"
        )
        yield Gap(Reason("script.unread", entry.path, detail), "keep what it runs with --keep")


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _interpreter(written: str, reason: Reason, context: Context) -> Finding:
    path = joined("/", written)
    entry = context.tree.resolve(path).entry
    if entry is None or context.executable(path):
        # What is missing is said by whoever follows the need, with the link that leads nowhere.
        return Need(path, reason, Grade.HARD)
    hint = f"it is a {entry.kind.value} of mode {entry.mode:04o}, which cannot be executed"
    return Missing(written, reason, Grade.HARD, (entry.path,), hint)


def _command_of_env(arguments: str) -> str:
    """The command that `env` runs; the kernel gives it all in one argument, so -S is needed."""
    try:
        words = shlex.split(arguments.removeprefix("-S"))
    except ValueError:
        words = arguments.split()
    found = inner_command("env", words)
    return found[0] if found else ""


def _found_by_env(name: str, reason: Reason, context: Context) -> Finding:
    found = context.command(name)
    if found is not None:
        return Need(found.path, reason, Grade.HARD)
    return Missing(name, reason, Grade.HARD, context.config.search_path)


@dataclass(frozen=True, slots=True)
class _Place:
    """A line of a script."""

    script: Entry
    line: int

    def __str__(self) -> str:
        return f"{self.script.path}:{self.line}"

    def reason(self, rule: str, what: str) -> Reason:
        return Reason(rule, self.script.path, f"{self} {what}")


def _shell_script(entry: Entry, context: Context) -> Iterator[Finding]:
    if entry.size > _LARGEST_SCRIPT:
        # A self-extracting archive: the shell text is a small part of it.
        detail = f"{entry.path} is a shell script of {entry.size:,} bytes and was not read"
        yield Gap(Reason("script.unread", entry.path, detail), "keep what it runs with --keep")
        return
    text = decoded(context.tree.read(entry))
    functions = frozenset(_FUNCTION.findall(text))
    unknown: set[str] = set()
    for command in shellwords.commands(text):
        place = _Place(entry, command.line)
        name = command.name
        if not shellwords.is_literal(name) and name not in unknown | _POSITIONAL:
            unknown.add(name)
            yield from _dynamic(name, place, context)
        if name not in functions:
            yield from _command(command, place, context)
    yield from _named_paths(text, _Place(entry, 1), context)


def _dynamic(name: str, place: _Place, context: Context) -> Iterator[Finding]:
    """A command whose name the shell makes up; `$dir/helper` is told by its last component."""
    beside = f"{parent(place.script.path)}/{_name(name)}"
    last = _name(name)
    found = context.executable(beside) or context.command(last)
    if "/" in name and shellwords.is_literal(last) and found:
        yield Need(found.path, place.reason("script.command", f"runs {name}"), Grade.HARD)
    elif "$" in name or "`" in name:  # else a pattern of `case`
        reason = place.reason("script.dynamic", f"runs {name!r}, which is only known at run time")
        yield Gap(reason, "keep what it runs with --keep")


def _named_paths(text: str, place: _Place, context: Context) -> Iterator[Finding]:
    """Absolute paths anywhere in a script: in assignments, as defaults in `${X:-/usr/sbin/x}`."""
    for path in dict.fromkeys(_PATH.findall(_COMMENT.sub("", text))):
        if found := context.executable(path):
            reason = Reason("script.path", place.script.path, f"{place.script.path} names {path}")
            yield Need(found.path, reason, Grade.HARD)


def _command(command: Command, place: _Place, context: Context) -> Iterator[Finding]:
    words = command.words
    if words[0] in (".", "source") and len(words) > 1:
        yield from _sourced(words[1], place, context)
    for _ in range(_MOST_HEADS):
        if words[0] not in BUILTINS:
            yield from _program(words[0], place, context)
        inner = inner_command(_name(words[0]), words[1:])
        if not inner:
            break
        words = inner
    for word in command.words[1:]:
        yield from _path(word, place, context, Grade.SOFT)
        yield from _operand_command(word, place, context)


def _sourced(word: str, place: _Place, context: Context) -> Iterator[Finding]:
    if shellwords.is_literal(word):
        yield from _path(word, place, context, Grade.HARD)
        return
    beside = f"{parent(place.script.path)}/{_name(word)}"
    if "/" in word and context.tree.file(beside):
        yield Need(beside, place.reason("script.path", f"reads {word}"), Grade.HARD)
    else:
        reason = place.reason("script.dynamic", f"reads {word!r}, which is only known at run time")
        yield Gap(reason, "keep what it reads with --keep")


def _program(name: str, place: _Place, context: Context) -> Iterator[Finding]:
    if found := context.command(name):
        yield Need(found.path, place.reason("script.command", f"runs {name}"), Grade.HARD)


def _operand_command(word: str, place: _Place, context: Context) -> Iterator[Finding]:
    """A word among the operands that is a command's name: `find -exec rm`, `command -v curl`."""
    if "/" in word or not shellwords.is_literal(word) or len(word) < 2 or word in BUILTINS:
        return
    if found := context.command(word):
        yield Need(found.path, place.reason("script.word", f"has the word {word}"))


def _path(word: str, place: _Place, context: Context, grade: Grade) -> Iterator[Finding]:
    """A path in a script: a file, or a directory of the application's."""
    if "/" not in word or not shellwords.is_literal(word):
        return
    workdir = joined("/", context.config.workdir)
    beside = parent(place.script.path)
    for path in dict.fromkeys((joined(workdir, word), joined(beside, word))):
        entry = context.tree.resolve(path).entry
        if entry is None:
            continue
        reason = place.reason("script.path", f"names {word}")
        if context.tree.file(path):
            yield Need(path, reason, grade)
        elif context.is_first_party(entry.path) and not places.is_shared(entry.path, context.tree):
            yield Need(path, reason, whole_tree=True)
