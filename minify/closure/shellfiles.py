"""Which files of an image are shell scripts, and which one a command starts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from minify.closure.analyzer import Context
from minify.closure.commandline import (
    MULTI_CALL,
    SHELLS,
    SWITCHES,
    called,
    inner_command,
    shell_call,
)
from minify.closure.innercommands import Text, reads_input, texts
from minify.closure.recent import Recent
from minify.filetree import Entry
from minify.filetree.path import decoded, encoded, joined
from minify.shell import Called, Script, ShellError, Value, parse
from minify.shell.parser import LARGEST

_UNKNOWN = "\0"  # for a word that is not known; no argument can hold it
_MOST_HEADS = 16
_SHEBANG = re.compile(rb"#![ \t]*+(\S++)(?:[ \t]++([^\n]*+))?")
_LONGEST_LINE = 256
SCRIPTS_KEPT = 1 << 19
"""Bytes of the scripts whose trees stay in memory: they take a hundred times as much."""
_LARGEST_TOTAL = 2 << 20
"""Bytes of all scripts that one walk may come to; their trees take a hundred times as much."""


def is_shell_script(entry: Entry, context: Context) -> bool:
    """Whether the first line names a shell, or the configuration gives the file to one."""
    if entry.path in context.scripts:
        return True
    match = _SHEBANG.match(context.tree.read(entry, _LONGEST_LINE))
    if match is None:
        return False
    words = decoded(match[1] + b" " + (match[2] or b"")).split()
    # Heads may come before it: env, an init (`#!/usr/bin/dumb-init /bin/sh`).
    names = (called(word) for word in words if "=" not in word and word[:1] != "-")
    first = next(names, "")
    return first in SHELLS | MULTI_CALL or (
        inner_command(first, ["x"]) is not None and next(names, "") in SHELLS
    )


def syntax_tree(entry: Entry, context: Context) -> Script | ShellError | None:
    """The syntax tree of a shell script, or why it has none; None for a binary."""
    if context.tree.read(entry, 4) == b"\x7fELF":
        return None
    trees = context.remembered(syntax_tree, lambda: Recent[Script | ShellError](SCRIPTS_KEPT))
    size = min(entry.size, LARGEST)
    return trees.of(entry.path, size, lambda: parse(context.tree.read(entry, LARGEST + 1)))


class Scripts:
    """The shell scripts that one walk comes to."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._read: dict[str, Script | ShellError | None] = {}
        self._total = 0

    @property
    def unread(self) -> dict[str, ShellError]:
        """The scripts that a walk came to and that could not be parsed."""
        return {p: found for p, found in self._read.items() if isinstance(found, ShellError)}

    def started(self, words: tuple[Value, ...], directory: str | None) -> tuple[Called, ...]:
        found = self._started(words, directory)
        return (found,) if found is not None else ()

    def _started(self, words: tuple[Value, ...], directory: str | None) -> Called | None:
        """The script that a command line starts; not one that another user runs."""
        for _ in range(_MOST_HEADS):
            if not words or (name := words[0].text) is None:
                return None
            texts = [_UNKNOWN if word.text is None else word.text for word in words]
            short = called(name)
            if short in MULTI_CALL and len(words) > 1:
                words = words[1:]
                continue
            if short in SHELLS and self._context.command(name):
                return self._by_shell(words, texts, directory)
            if short in SWITCHES or short == "chroot":
                return None
            inner = inner_command(short, texts[1:])
            if inner is None:
                return self._file(self._path(name, directory), words[1:])
            if not inner or tuple(texts[-len(inner) :]) != inner:
                return None
            words = words[-len(inner) :]
        return None

    def reads_text(self, words: tuple[Value, ...], /) -> bool:
        return reads_input(words)

    def sourced(self, path: str) -> Script | None:
        entry = self._context.tree.file(path)
        return self.script(entry) if entry is not None else None

    def script(self, entry: Entry) -> Script | None:
        """The syntax tree of a file; None if it has none."""
        found = self.read(entry)
        return found if isinstance(found, Script) else None

    def read(self, entry: Entry) -> Script | ShellError | None:
        """The syntax tree of a shell script, or why it has none; None for a binary."""
        if entry.path not in self._read:
            self._read[entry.path] = self._parsed(entry)
        return self._read[entry.path]

    def _parsed(self, entry: Entry) -> Script | ShellError | None:
        self._total += min(entry.size, LARGEST)
        if self._total > _LARGEST_TOTAL:
            return ShellError(0, f"it is one of scripts with more than {_LARGEST_TOTAL:,} bytes")
        return syntax_tree(entry, self._context)

    def _path(self, name: str, directory: str | None) -> str:
        return joined(directory or self._context.workdir, name) if "/" in name else name

    def _file(self, path: str, arguments: tuple[Value, ...]) -> Called | None:
        command = self._context.command(path)
        if command is None or not is_shell_script(command.entry, self._context):
            return None
        script = self.script(command.entry)
        return Called(command.entry.path, script, arguments) if script else None

    def _by_shell(
        self, words: tuple[Value, ...], texts: Sequence[str], directory: str | None
    ) -> Called | None:
        """What `sh file` and `sh -c text` start."""
        call = shell_call(texts[1:])
        operands = words[len(words) - len(call.operands) :]
        if call.text is not None:
            script = parse(encoded(call.text)) if _UNKNOWN not in call.text else None
            # The word after the text is `$0`.
            return Called("", script, operands[1:]) if isinstance(script, Script) else None
        if call.script is None or _UNKNOWN in call.script:
            return None
        entry = self._context.tree.file(joined(directory or self._context.workdir, call.script))
        found = self.script(entry) if entry is not None else None
        return Called(entry.path, found, operands) if entry and found else None


class Sources:
    """The files that a script reads as its own text. What it starts is left to itself."""

    def __init__(self, context: Context) -> None:
        self._scripts = Scripts(context)

    def started(self, words: tuple[Value, ...], directory: str | None, /) -> tuple[Called, ...]:
        del words, directory
        return ()

    def reads_text(self, words: tuple[Value, ...], /) -> bool:
        return reads_input(words)

    def sourced(self, path: str) -> Script | None:
        return self._scripts.sourced(path)


class Texts(Sources):
    """The texts too that a script gives to shells: `sh -c`, `su -c`, `watch`, awk's `system`."""

    def started(self, words: tuple[Value, ...], _: str | None, /) -> tuple[Called, ...]:
        return tuple(filter(None, map(_called_text, texts(words))))


def _called_text(text: Text) -> Called | None:
    script = parse(encoded(text.text))
    if isinstance(script, ShellError):
        return None
    return Called("", script, text.operands, text.name)
