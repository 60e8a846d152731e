"""What is decided about the user of the result; `choice` decides it, the plan carries it out."""

from __future__ import annotations

from dataclasses import dataclass

from minify.closure import Gap, Reason
from minify.filetree import ImagePath


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user of minify says about the user of the image."""

    user: str | None = None
    """`NAME`, `UID`, either with `:GROUP`, or `keep`; None: minify chooses."""
    writable: tuple[str, ...] = ()
    """Paths in the image that the user shall be able to write to."""
    keep_shadow: bool = False
    """Whether /etc/shadow and /etc/gshadow stay, with the lines of the accounts that stay."""
    arbitrary_uid: bool = False
    """Whether the image shall run under any number with group 0, as OpenShift starts it."""


@dataclass(frozen=True, slots=True)
class Given:
    """A path that becomes the user's, since the program writes to it.

    A directory that the image has is in the result for it, even if nothing else keeps it.
    """

    path: ImagePath
    reason: Reason
    is_tree: bool
    """Whether all that is kept below it becomes the user's too."""
    is_new: bool = False
    """Whether it is a directory that the image does not have and the plan makes."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A path that the program writes to, as root did, and that the user cannot."""

    path: str
    reason: Reason
    """The evidence that it is written to."""
    why: str
    """Why it is not given, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that only its owner could read, or a directory above one, opened to the user's group.

    Its owner stays; nobody else gains anything.
    """

    path: ImagePath
    gid: int
    mode: int
    reason: Reason
    """Why the program reads it."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A user that was considered and cannot run the program."""

    user: str
    """A name, or a number where there is none."""
    refusals: tuple[str, ...]
    """What it cannot do, a sentence each; never empty."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The user of the result, its account files, and what becomes its own."""

    user: str
    """The value of USER; empty as the source has it for root."""
    uid: int
    gid: int
    why: str
    """A sentence for the summary."""
    passwd: tuple[str, ...] | None
    """The lines of /etc/passwd; None to leave the source's as it is."""
    group: tuple[str, ...] | None
    is_changed: bool
    """Whether the user is another than the source's."""
    gaps: tuple[Gap, ...] = ()
    """What is kept and cannot be read by a user that the source did not have."""
    name: str = ""
    """The name of the account; empty for a number without one."""
    groups: frozenset[int] = frozenset()
    """All groups that the process will have, the primary one included."""
    shadow: tuple[str, ...] | None = None
    """The lines of /etc/shadow; None where it is not asked for."""
    gshadow: tuple[str, ...] | None = None
    rejected: tuple[Rejected, ...] = ()
    """Who was considered before, best first."""
    given: tuple[Given, ...] = ()
    """Sorted by path."""
    withheld: tuple[Withheld, ...] = ()
    opened: tuple[Opened, ...] = ()
    home: str | None = None
    """The value to set HOME to in the configuration; None to leave it alone."""
    warnings: tuple[str, ...] = ()
    """What the user of minify should know: a HOME that is another, a VOLUME with another owner."""
    is_arbitrary: bool = False
    """Whether what is given has group 0 and its group may do what its owner may."""

    @property
    def owns_state(self) -> bool:
        """Whether what the program writes must be given to the user."""
        return self.is_changed and self.uid != 0
