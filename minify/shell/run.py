"""What a walk is given and what it finds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from minify.shell.syntax import Script, Word
from minify.shell.values import Likelihood, Value

PRINTED = re.compile(r"\$\((?:which|command -v|type -[pP]) ([\w./+-]++)\)")
"""The path of the command that is its first group, as a shell would print it."""


class Ending(Enum):
    """Whether a command is the last of the script."""

    NONE = "none"
    LAST = "last"
    """Nothing follows it."""
    EXEC = "exec"
    """It takes the script's place."""
    EXIT = "exit"
    """It is `exit` itself."""
    BACKGROUND = "background"
    """The script does not wait for it."""


@dataclass(frozen=True, slots=True)
class Redirected:
    """A redirection and the file it names."""

    operator: str
    target: Value


@dataclass(frozen=True, slots=True)
class Run:
    """One command that may run."""

    words: tuple[Value, ...]
    """Its name and operands; empty where only a redirection is left (`> file`)."""
    path: str
    """The script that it stands in."""
    line: int
    directory: str | None
    """The working directory; None if it is not known."""
    likelihood: Likelihood
    """How sure it is that the script comes here."""
    redirections: tuple[Redirected, ...] = ()
    is_tolerated: bool = False
    """Whether the script goes on if it fails, and says so: `|| true`, `if`, `!`, a pipe."""
    stops: bool = False
    """Whether the script ends if it fails: `set -e`, `|| exit`."""
    ending: Ending = Ending.NONE
    search: tuple[Value, ...] = ()
    """What PATH may be where it runs."""
    is_open: bool = False
    """Whether a file that was not read may have defined a function of its name."""
    written: tuple[Word, ...] = ()
    """The command as it stands in the script: the same for all runs of one."""

    @property
    def name(self) -> str:
        """The command's name without its directory; empty if it is not known."""
        text = self.words[0].text if self.words else None
        return (text or "").rpartition("/")[2]

    @property
    def texts(self) -> tuple[str | None, ...]:
        """The words as far as they are known; of `$(which name)` as the command, the name."""
        texts = tuple(word.text for word in self.words)
        if texts[:1] == (None,) and (printed := PRINTED.fullmatch(self.words[0].shown)):
            return (printed[1], *texts[1:])
        return texts

    @property
    def shown(self) -> str:
        return " ".join(word.shown for word in self.words)


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk has found."""

    runs: tuple[Run, ...]
    trouble: str = ""
    """Why it ended before the script did; empty if it did not."""


@dataclass(frozen=True, slots=True)
class Called:
    """A script that a command starts or reads."""

    path: str
    """Empty for the text of `sh -c`, which stands where its command does."""
    script: Script
    arguments: tuple[Value, ...] = ()
    name: Value | None = None
    """What `$0` is, where it is not the path."""


class Finder(Protocol):
    """Knows which files are scripts."""

    def started(self, words: tuple[Value, ...], directory: str | None, /) -> tuple[Called, ...]:
        """The shell scripts that a command line starts, itself or through a shell."""

    def reads_text(self, words: tuple[Value, ...], /) -> bool:
        """Whether a command line starts a shell that reads what it is given as its input."""

    def sourced(self, path: str, /) -> Script | None:
        """The shell text in the file at an absolute path."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a script finds when it starts."""

    is_root: bool
    path: str = "-"
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] | None = None
    """`$1` and so on; None if nobody knows them."""
    directory: str = "/"
    finder: Finder | None = None


@dataclass(frozen=True, slots=True)
class Here:
    """Where in a script the walk is: what encloses the statement."""

    path: str
    likelihood: Likelihood = Likelihood.SURELY
    """How sure it is that the enclosing branch runs."""
    is_tolerated: bool = False
    is_chained: bool = False
    """Whether it stands before `&&`: its failure skips the rest and nothing else."""
    is_guarded: bool = False
    """Whether it stands before `|| exit`, or before an `&&` on which all that follows depends."""
    is_contained: bool = False
    """Whether it is in a script whose failure does not end the one that started it."""
    is_tail: bool = True
    """Whether nothing follows the enclosing list."""
    is_background: bool = False
    depth: int = 0
    line: int = 0
    written: tuple[Word, ...] = ()
    """The words of the command that is looked at."""
    outer: tuple[Word, ...] = ()
    """Those of the `eval` whose text is one command, and the same one however it is made up."""
    text_line: int = 0
    """The line of the text that is run, where that is a word of a command; else 0."""
    functions: tuple[str, ...] = ()
    """The functions that were called to come here."""
    scripts: tuple[str, ...] = ()
    """The scripts that were started to come here."""

    @property
    def without_place(self) -> Here:
        """It as far as it decides what a command there means."""
        return replace(
            self, line=0, text_line=0, depth=0, written=(), outer=(), functions=(), scripts=()
        )
