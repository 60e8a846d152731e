"""What one row of the table is: what shows that something is opened, and what that is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from minify.closure import Context, Likelihood
from minify.filetree import Entry


class Scope(Enum):
    """In whose files a rule's evidence counts."""

    ANY = "any"
    FIRST_PARTY = "first-party"
    """The application's own: its packages', or no package's."""
    OTHERS = "others"
    """All but the application's own: mostly the same rule with a lesser likelihood."""


@dataclass(frozen=True, slots=True)
class Calls:
    """A program or library that imports one of these functions.

    A static program imports none: there `strings` that the functions leave in it are the evidence,
    in Go programs as well.
    """

    functions: frozenset[str]
    strings: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Library:
    """A library of that name that is kept, whatever loads it; wheels add a hash to the name."""

    name: re.Pattern[str]

    def matches(self, filename: str) -> bool:
        return self.name.fullmatch(filename) is not None


@dataclass(frozen=True, slots=True)
class Program:
    """A program of that name that is kept."""

    name: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Contains:
    """A program that has one of these texts in it, as one has that is linked statically."""

    strings: tuple[bytes, ...]


Trigger: TypeAlias = Calls | Library | Program | Contains

Finder: TypeAlias = Callable[[Entry, Context], Iterable[str]]
"""Gives patterns, as in `Rule.keeps`, that something in the image names."""


def _nothing(entry: Entry, context: Context) -> Iterable[str]:  # noqa: ARG001
    return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. Two rows may have one trigger, for what is certain and for what is guessed."""

    name: str
    trigger: Trigger
    likelihood: Likelihood
    evidence: str
    """Ends the reason that is printed: `calls system: commands are run by a shell`."""
    cost: str
    """The bytes of what it names in a tree of Debian 12 that has it, or that none was measured."""
    keeps: tuple[str, ...] = ()
    """Globs: absolute, or `@/` for the directories of libraries, in which the first that has a
    match counts, that of the file which shows the evidence, or of its C library, before the usual
    ones. With a slash at the end: all that is in it too.
    """
    finds: Finder = field(default=_nothing)
    """What else it keeps: globs that are named by configuration or in the file."""
    scope: Scope = Scope.ANY


def calls(functions: str, *strings: bytes) -> Calls:
    """The trigger of functions, listed as words."""
    return Calls(frozenset(functions.split()), strings)


def library(*names: str) -> Library:
    """The trigger of libraries; each name is a regular expression without `lib` and `.so`."""
    return Library(
        re.compile(rf"lib(?:{'|'.join(names)})(?:-[0-9a-f]{{8}})?\.so(?:\.[\w.]{{1,40}})?")
    )


def program(*names: str) -> Program:
    """The trigger of programs; each name is a regular expression."""
    return Program(re.compile("|".join(names)))


def module(*names: str) -> Library:
    """The trigger of modules whose names do not begin with `lib`."""
    return Library(re.compile(rf"(?:{'|'.join(names)})\.so"))
