"""What analyzers say: values, collected only by the solver."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, IntEnum
from typing import TypeAlias

from minify.filetree import ImagePath

CONFIG = "the image's configuration"
"""The `by` of what no file of the image asks for."""

USER = "the command line"
"""The `by` of what the user asked for."""

UNKNOWN_INTERPRETER = "runtime.unknown"
"""The rule of the library of an interpreter that no other rule knows; the report tells it."""


class Grade(IntEnum):
    """How sure it is that the program uses something.

    HARD: it surely does, and without it the image is refused. SOFT: data, configuration, plug-ins;
    ELF needs are followed from it, `#!` lines and language runtimes are not.
    """

    SOFT = 0
    HARD = 1


class Likelihood(IntEnum):
    """How likely it is that something which no table of the program names is opened at all.

    The user says with `--keep-dlopen` how much is enough; what is less is left out and told.
    """

    GUESSED = 0
    """Something looks like it: a string, a plug-in for what the user may ask for."""
    LIKELY = 1
    """It usually is, and depends on what the program is used for."""
    CERTAIN = 2
    """Configuration says so, or the documented behaviour of what is called or linked."""


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """Why something is kept, or asked for: `Reason("elf.needed", "/usr/bin/app", "libz.so.1")`."""

    rule: str
    by: str
    """The path that asks, or `CONFIG` or `USER`."""
    detail: str


@dataclass(frozen=True, slots=True)
class Need:
    """Keep this. The path is absolute and may cross links; they are kept too."""

    path: str
    reason: Reason
    grade: Grade = Grade.SOFT
    whole_tree: bool = False
    """Keep everything below it as well, as SOFT."""
    likelihood: Likelihood = Likelihood.CERTAIN
    without: tuple[str, ...] = ()
    """Ends of paths, with their first slash, of what stays out of a whole tree (`/.git`)."""


@dataclass(frozen=True, slots=True)
class ByName:
    """A file of which it is known what names it: a directory kept whole does not bring it.

    That it is used all the same is guessed. What the user keeps is kept.
    """

    path: ImagePath
    """Where it is, no link on the way."""
    reason: Reason


@dataclass(frozen=True, slots=True)
class Missing:
    """Something is asked for that is not there: HARD refuses the image, SOFT becomes a gap."""

    name: str
    """What is missing, as it was asked for: a soname, a command, a path."""
    reason: Reason
    grade: Grade
    looked: tuple[str, ...] = ()
    """Where it was looked for, in order."""
    hint: str = ""

    @property
    def search(self) -> str:
        """Where it was looked for, as the end of a sentence; empty if that is not known."""
        return f"; looked in {', '.join(self.looked)}" if self.looked else ""


EVERYBODY = "*"
"""The account of a `RunsAs` for a program that lets anybody log in: su, sudo, sshd."""


@dataclass(frozen=True, slots=True)
class RunsAs:
    """An account that the program changes to (HARD) or only looks up (SOFT)."""

    account: str
    """A name or a number, as it was written; or `EVERYBODY`."""
    reason: Reason
    grade: Grade = Grade.SOFT


class Written(Enum):
    """What a program does at a path that it writes to."""

    TREE = "tree"
    """A directory, with all that is in it, is the program's; it makes it if it is not there."""
    FILE = "file"
    """It writes this file, and makes it if it is not there."""
    REPLACED = "replaced"
    """It puts another file in its place (`sed -i`, `mv`) or removes it."""


@dataclass(frozen=True, slots=True)
class Writes:
    """A path that the program writes to; it need not be there."""

    path: str
    reason: Reason
    what: Written = Written.TREE


@dataclass(frozen=True, slots=True)
class NeedsRoot:
    """Something that surely happens and that only root can do."""

    reason: Reason
    unless: str = ""
    """For whom it is no obstacle: `chown app` as `app`. An account by name or number, with a group
    behind a colon (`app:web`), or a group alone (`:web`)."""


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Something that could not be followed, or that is broken in the source already."""

    reason: Reason
    hint: str = ""


def told(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """`gaps` sorted, each once though several rules say it, and naming the file it is about."""
    named: dict[tuple[str, str, str], Gap] = {}
    for gap in sorted(gaps):
        reason = gap.reason
        if reason.by not in (CONFIG, USER) and reason.by not in reason.detail:
            reason = replace(reason, detail=f"{reason.by}: {reason.detail}")
        named.setdefault((reason.by, reason.detail, gap.hint), replace(gap, reason=reason))
    return tuple(named.values())


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that nobody reads of something that stays otherwise; another finding may keep it."""

    path: ImagePath
    reason: Reason


Finding: TypeAlias = Need | ByName | Missing | RunsAs | Writes | NeedsRoot | Gap | Unread
