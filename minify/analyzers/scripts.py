"""Scripts: the `#!` line, and the commands of a shell script by their words.

Only a script that is surely run counts (HARD). That is the most valuable single rule of all:
without it a string in a library pulls in a helper script, and that a whole language runtime.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from minify.closure import Context, Finding, Gap, Grade, Missing, Need, Reason, places, shellwords
from minify.closure.commandline import (
    MULTI_CALL,
    SHELLS,
    called,
    inner_command,
    shell_call,
    switch_user_text,
)
from minify.closure.shellwords import BUILTINS, Command
from minify.filetree import Entry
from minify.filetree.path import decoded, joined, parent

_LARGEST_SCRIPT = 1 << 20
_LONGEST_LINE = 256  # BINPRM_BUF_SIZE: the kernel reads no more of a `#!` line
_MOST_HEADS = 16
_MOST_TEXTS = 4
_PATH_ASSIGNMENT = re.compile(r"\bPATH=(\"[^\"\n]*+\"|[^\s;&|]++)")
_FUNCTION = re.compile(r"^[ \t]*+(?:function[ \t]++)?([\w.-]++)[ \t]*+\(\)", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*+#.*$", re.MULTILINE)
_PATH = re.compile(r"(?<![\w./}])(?:/[\w.@+-]++){2,}+")
_DIRECTORY = re.compile(r"/[\w.@+-]++(?:/[\w.@+-]++)*+/?")
_ALL_OF = re.compile(r"(/[\w.@+-]++(?:/[\w.@+-]++)*+)/\*(?:\.[\w*]++)?")
_DEFAULT = re.compile(r"\$\{(\w{1,64}+):?[-=]\"?([\w./+-]{1,200}+)\"?\}")
_VARIABLE = re.compile(r"\$(?:\w++|\{\w++\})")
_SCRIPTS = (".sh", ".envsh", ".bash")
# What CMD or the user gives, which is a root of its own.
_POSITIONAL = frozenset(("$@", "$*", "$1", "${@}", "${1}"))


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    if grade is not Grade.HARD:
        return
    if context.tree.read(entry, 2) != b"#!":
        if entry.path in context.scripts and not context.is_elf(entry):
            yield from _shell_script(entry, context)
        return
    line = decoded(context.tree.read(entry, _LONGEST_LINE).partition(b"\n")[0])
    words = line[2:].strip(" \t").split(None, 1)
    if not words:
        return
    reason = Reason("script.interpreter", entry.path, line.strip())
    yield _interpreter(words[0], reason, context)
    shell = called(words[0])
    if shell == "env" and len(words) > 1:
        shell = _command_of_env(words[1])
        yield _found_by_env(shell, reason, context)
    if called(shell) in SHELLS | MULTI_CALL:
        yield from _shell_script(entry, context)
    elif called(shell):
        detail = (
            f"{entry.path} is a script for {called(shell)}: what it runs and opens is not followed"
        )
        yield Gap(Reason("script.unread", entry.path, detail), "keep what it runs with --keep")


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
    depth: int = 0
    """How many texts within texts it is in."""
    paths: tuple[str, ...] = ()
    """Directories that the text adds to PATH."""
    directories: tuple[str, ...] = ()
    """Directories whose files the text goes through."""

    def __str__(self) -> str:
        return f"{self.script.path}:{self.line}"

    def reason(self, rule: str, what: str) -> Reason:
        return Reason(rule, self.script.path, f"{self} {what}")


def _shell_script(entry: Entry, context: Context, depth: int = 0) -> Iterator[Finding]:
    if entry.size > _LARGEST_SCRIPT:
        # A self-extracting archive: the shell text is a small part of it.
        detail = f"{entry.path} is a shell script of {entry.size:,} bytes and was not read"
        yield Gap(Reason("script.unread", entry.path, detail), "keep what it runs with --keep")
        return
    text = decoded(context.tree.read(entry))
    yield from _text(text, entry, context, depth)
    yield from _named_paths(text, _Place(entry, 1), context)


def _text(text: str, entry: Entry, context: Context, depth: int) -> Iterator[Finding]:
    """The commands of a shell text, which stands in `entry`."""
    paths = tuple(_assigned_paths(text))
    functions = frozenset(_FUNCTION.findall(text))
    commands = tuple(shellwords.commands(text))
    defaults = _defaults(text)
    unknown: set[str] = set()
    for command in commands:
        place = _Place(entry, command.line, depth, paths, tuple(_directories(commands)))
        name = command.name
        if not shellwords.is_literal(name) and name not in unknown | _POSITIONAL:
            unknown.add(name)
            yield from _by_default(name, defaults.get(name.strip("${}"), ()), place, context)
            yield from _dynamic(name, place, context)
        if name not in functions:
            yield from _command(command, place, context)


def _directories(commands: Sequence[Command]) -> Iterator[str]:
    """The directories whose files a text goes through: `for f in /x/*.sh`, `find /x | while …`."""
    for command in commands:
        words = command.words[1:]
        if command.name in ("find", "ls"):
            yield from (word for word in words if _DIRECTORY.fullmatch(word))
        yield from (match[1] for word in words if (match := _ALL_OF.fullmatch(word)))


def _found_scripts(what: str, place: _Place, context: Context) -> Iterator[Finding]:
    """The scripts in the directories that a text goes through: it runs or reads what is there."""
    for directory in dict.fromkeys(place.directories):
        entry = context.tree.directory(directory)
        if entry is None or places.is_shared(entry.path, context.tree):
            continue
        for name in context.tree.children(entry.path):
            path = f"{entry.path}/{name}"
            file = context.tree.file(path)
            is_script = file is not None and (file.is_executable or name.endswith(_SCRIPTS))
            if file is not None and is_script:
                reason = place.reason("script.directory", f"{what} what is in {directory}")
                yield Need(path, reason, Grade.HARD)
                if not context.is_elf(file) and context.tree.read(file, 2) != b"#!":
                    yield from _shell_script(file, context, place.depth + 1)


def _assigned_paths(text: str) -> Iterator[str]:
    """The directories that a text puts into PATH by their names."""
    for value in _PATH_ASSIGNMENT.findall(text):
        yield from (part for part in value.strip("\"'").split(":") if part.startswith("/"))


def _defaults(text: str) -> Mapping[str, tuple[str, ...]]:
    """What variables hold unless somebody sets them: `${CLI:=redis-cli}`."""
    found: dict[str, dict[str, None]] = {}
    for name, value in _DEFAULT.findall(text):
        found.setdefault(name, {})[value] = None
    return {name: tuple(values) for name, values in found.items()}


def _by_default(
    name: str, commands: Iterable[str], place: _Place, context: Context
) -> Iterator[Finding]:
    """The commands that a variable's name is by default."""
    for command in commands:
        found = context.command(command)
        if found is not None:
            reason = place.reason("script.command", f"runs {name}, which is {command} by default")
            yield Need(found.path, reason, Grade.HARD)


def _dynamic(name: str, place: _Place, context: Context) -> Iterator[Finding]:
    """A command whose name the shell makes up; `$dir/helper` is told by its last component."""
    beside = f"{parent(place.script.path)}/{called(name)}"
    last = called(name)
    found = context.executable(beside) or context.command(last)
    if "/" in name and shellwords.is_literal(last) and found:
        yield Need(found.path, place.reason("script.command", f"runs {name}"), Grade.HARD)
    elif _VARIABLE.fullmatch(name) and place.directories and place.depth < _MOST_TEXTS:
        yield from _found_scripts("runs", place, context)
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
    for number in range(_MOST_HEADS):
        if number or words[0] not in BUILTINS:
            # What a head runs is a file, even if the shell has a builtin of that name.
            yield from _program(words[0], place, context)
        inner = inner_command(called(words[0]), words[1:])
        if not inner:
            break
        words = inner
    yield from _inner_text(words, place, context)
    for word in command.words[1:]:
        yield from _path(word, place, context, Grade.SOFT)
        yield from _operand_command(word, place, context)


def _inner_text(words: Sequence[str], place: _Place, context: Context) -> Iterator[Finding]:
    """The shell text that a command is given: `sh -c '…'`, `su -c '…'`, `eval '…'`."""
    name = called(words[0])
    text = switch_user_text(name, words[1:])
    if name in SHELLS:
        text = shell_call(words[1:]).text
    elif name == "eval":
        text = " ".join(words[1:])
    if text and place.depth < _MOST_TEXTS:
        yield from _text(text, place.script, context, place.depth + 1)


def _sourced(word: str, place: _Place, context: Context) -> Iterator[Finding]:
    """A file that is read with `.`: most have no `#!`, and are shell text all the same."""
    is_literal = shellwords.is_literal(word)
    beside = f"{parent(place.script.path)}/{called(word)}"
    path = joined(context.workdir, word) if is_literal else beside
    file = context.tree.file(path)
    if file is not None and "/" in word:
        yield Need(path, place.reason("script.path", f"reads {word}"), Grade.HARD)
        if place.depth < _MOST_TEXTS and context.tree.read(file, 2) != b"#!":
            yield from _shell_script(file, context, place.depth + 1)
    elif _VARIABLE.fullmatch(word) and place.directories and place.depth < _MOST_TEXTS:
        yield from _found_scripts("reads", place, context)
    elif not is_literal:
        reason = place.reason("script.dynamic", f"reads {word!r}, which is only known at run time")
        yield Gap(reason, "keep what it reads with --keep")


def _program(name: str, place: _Place, context: Context) -> Iterator[Finding]:
    added = () if "/" in name else (f"{directory}/{name}" for directory in place.paths)
    found = context.command(name) or next(filter(None, map(context.executable, added)), None)
    if found:
        yield Need(found.path, place.reason("script.command", f"runs {name}"), Grade.HARD)


def _operand_command(word: str, place: _Place, context: Context) -> Iterator[Finding]:
    """A word among the operands that is a command's name."""
    found = context.command(word) if shellwords.may_be_command(word) else None
    if found:
        yield Need(found.path, place.reason("script.word", f"has the word {word}"))


def _path(word: str, place: _Place, context: Context, grade: Grade) -> Iterator[Finding]:
    """A path in a script: a file, or a directory of the application's."""
    if "/" not in word or not shellwords.is_literal(word):
        return
    beside = parent(place.script.path)
    for path in dict.fromkeys((joined(context.workdir, word), joined(beside, word))):
        entry = context.tree.resolve(path).entry
        if entry is None:
            continue
        reason = place.reason("script.path", f"names {word}")
        if context.tree.file(path):
            yield Need(path, reason, grade)
        elif context.is_first_party(entry.path) and not places.is_shared(entry.path, context.tree):
            yield Need(path, reason, whole_tree=True)
