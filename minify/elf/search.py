"""Where ld.so looks for a name: the terms that glibc's rules and musl's share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from minify.elf.elffile import ElfFile
from minify.elf.interpreter import Interpreter
from minify.elf.machine import Machine
from minify.filetree import Entry, Resolution


@dataclass(frozen=True, slots=True)
class Requester:
    """An object of a process, which asks for others."""

    path: str
    """Absolute; by which it was found, so that links on the way count for $ORIGIN."""
    entry: Entry
    elf: ElfFile
    loader: Requester | None
    """The object that asked for this one; None for the program, or a library by itself."""
    is_program: bool = False

    @property
    def origin(self) -> str:
        """What $ORIGIN stands for: a program's real directory, the one a library was found in."""
        path = self.entry.path if self.is_program else self.path
        return path.rpartition("/")[0] or "/"

    @property
    def program(self) -> Requester | None:
        """The program at the end of the chain; None if this is a library by itself."""
        *_, last = self.chain
        return last if last.is_program else None

    @property
    def chain(self) -> Iterator[Requester]:
        """This object, the one that asked for it, and so on, up to the program."""
        here: Requester | None = self
        while here is not None:
            yield here
            here = here.loader


@dataclass(frozen=True, slots=True)
class Request:
    """A name that an object, or the environment, asks for."""

    name: str
    tag: str
    """In human words: `DT_NEEDED`, `LD_PRELOAD`."""
    is_optional: bool = False
    """Whether ld.so goes on without it."""
    needs_setuid: bool = False
    """Whether a bare name is looked for without the cache, and only a setuid file will do."""
    is_opened: bool = False
    """Whether a running object opens it: what it needs in turn is not that object's affair."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A path that is tried."""

    path: str
    level: str = ""
    """What only some processors have, so that others go on: `glibc-hwcaps/x86-64-v3`."""


@dataclass(frozen=True, slots=True)
class Place:
    """One directory, or the cache, with the paths that are tried there, in order."""

    where: str
    how: str
    """In human words: `RUNPATH $ORIGIN/../lib`, `ld.so.cache`, `default path`."""
    candidates: tuple[Candidate, ...]


class Verdict(Enum):
    """What ld.so does with a file of the right name."""

    TAKE = "take"
    SKIP = "skip"
    """It looks on."""
    STOP = "stop"
    """It ends with an error."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and why it is not to take the file."""

    verdict: Verdict
    why: str = ""


TAKEN = Judgement(Verdict.TAKE)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is the same for all that one process loads."""

    interpreter: Interpreter
    machine: Machine
    env: Mapping[str, str] = field(hash=False)
    directory: str
    """The working directory, absolute, for names that are relative."""
    is_secure: bool
    """AT_SECURE: the program is setuid, setgid or has capabilities, so `env` is not trusted."""

    def variable(self, name: str) -> str:
        """A variable of the environment; empty if it is not set or not trusted."""
        return "" if self.is_secure else self.env.get(name, "")


class Search(Protocol):
    """The rules of one ld.so for one process."""

    @property
    def consulted(self) -> tuple[Resolution, ...]:
        """The files that it reads to know where to look, of those that exist."""

    def preloads(self, program: Requester) -> Iterator[tuple[Request, Requester]]:
        """What is loaded before all that the program asks for, and on whose behalf."""

    def auditors(self, program: Requester) -> Iterator[tuple[Request, Requester]]:
        """What is loaded in namespaces of its own, and on whose behalf."""

    @property
    def checks_versions(self) -> bool:
        """Whether the objects must define the symbol versions that others need of them."""

    def is_known(self, name: str, known: AbstractSet[str]) -> bool:
        """Whether something loaded, which goes by the names in `known`, satisfies `name`."""

    def names(self, name: str, path: str, elf: ElfFile) -> tuple[str, ...]:
        """The names by which an object, asked for as `name`, is known once it is loaded."""

    def requests(self, elf: ElfFile) -> Iterator[Request]:
        """What an object asks for, in the order in which it is loaded."""

    def opener(self, caller: Requester) -> Requester:
        """On whose behalf a name is looked for that `caller` gives to dlopen."""

    def places(self, request: Request, requester: Requester) -> Iterator[Place]:
        """Where a name is looked for, in order."""

    def judgement(self, elf: ElfFile | None, requester: Requester) -> Judgement:
        """What happens with a file that is found; `elf` is None if it is no ELF file."""


MOST_ELEMENTS = 1000
"""Of a list of directories; more are for nothing but to keep us busy."""
