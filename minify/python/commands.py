"""What a command line tells Python to run: a script, a module, a text.

https://docs.python.org/3/using/cmdline.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from minify.filetree.path import decoded
from minify.python.finder import NAME
from minify.python.layout import PROGRAM

_WITH_VALUE = "WXQ"
_LONG_WITH_VALUE = frozenset(("--check-hash-based-pycs",))
_SHEBANG = re.compile(rb"#![ \t]*+([^\r\n]++)")
# What installers write where the path is too long for the kernel, or has a space in it.
_LONG_SHEBANG = re.compile(rb"#![ \t]*+/bin/sh\r?\n'''exec' \"?([^\s\"]++)")
_REFERENCE = re.compile(rf"({NAME.pattern})(?::[^\W\d][\w.]{{0,200}}(?:\(.{{0,200}}\))?)?")
_SUFFIXED = (".py", ".pyc", ".pyz", ".pyw")


class EntryKind(Enum):
    SCRIPT = "script"
    MODULE = "module"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that an interpreter is started for."""

    kind: EntryKind
    value: str
    """The path as it is written, the module's name, or the text."""
    operands: tuple[str, ...] = ()


def entry_of(arguments: Sequence[str]) -> Entry | None:
    """What the words after the interpreter's name start; None if nothing, as for `--version`."""
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in _LONG_WITH_VALUE:
            rest = rest[1:]
        elif word == "--":
            break
        elif word.startswith("--"):
            continue
        elif len(word) > 1 and word.startswith("-"):
            for at, letter in enumerate(word[1:], 2):
                value = word[at:] or (rest[0] if rest else "")
                if letter in "cm":
                    kind = EntryKind.TEXT if letter == "c" else EntryKind.MODULE
                    operands = rest if word[at:] else rest[1:]
                    return Entry(kind, value, tuple(operands)) if value else None
                if letter in _WITH_VALUE:
                    rest = rest if word[at:] else rest[1:]
                    break
        elif word == "-":
            return None
        else:
            return Entry(EntryKind.SCRIPT, word, tuple(rest))
    return Entry(EntryKind.SCRIPT, rest[0], tuple(rest[1:])) if rest else None


def interpreter_in(content: bytes) -> str:
    """The Python that a script's first line names, as it is written; empty if it names none.

    Behind `env` it is a name without a directory.
    """
    long = _LONG_SHEBANG.match(content)
    if long is not None:
        return decoded(long[1]) if is_python(decoded(long[1])) else ""
    found = _SHEBANG.match(content)
    words = decoded(found[1]).split() if found else []
    if words and words[0].endswith("/env"):
        words = [word for word in words[1:] if word[:1] != "-" and "=" not in word]
    return words[0] if words and is_python(words[0]) else ""


def is_python(word: str) -> bool:
    """Whether a program that is called so is an interpreter."""
    return PROGRAM.fullmatch(word.rpartition("/")[2]) is not None


def references(words: Sequence[str]) -> Iterator[str]:
    """The modules that operands may name: `shop.wsgi:app`, `--app=shop`, `-A shop.celery`."""
    for word in words:
        value = word.partition("=")[2] if word.startswith("-") else word
        found = _REFERENCE.fullmatch(value) if len(value) <= 500 else None
        if found is not None and not value.endswith(_SUFFIXED):
            yield found[1]
