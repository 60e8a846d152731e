"""Every error that a user can cause, each with the exit code of the process.

    MinifyError
    ├── UsageError       2  the command line asks for something that cannot be
    ├── ClosureError     3  the program's needs are not all in the image
    ├── ImageError       4  the image cannot be read: not found, refused, damaged, hostile
    ├── OutputError      5  the output cannot be written
    └── CheckError       6  a check that the user asked for did not pass

A message names the thing, what was found, what was expected and, where it is known, the next
step. Text from an image stays raw here; it is escaped where it is printed (`report.escape`), so a
message of several lines is several arguments, and never one with newlines of its own. A fault of
minify's own is no `MinifyError`: it keeps its traceback and ends with exit code 1.
"""

from __future__ import annotations

from shlex import quote
from typing import ClassVar


class MinifyError(Exception):
    """Base of all errors that a user can cause; `exit_code` is the process's."""

    exit_code: ClassVar[int]

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.lines = lines

    def __str__(self) -> str:
        return "\n".join(self.lines)


def option(flag: str, value: str) -> str:
    """How a message names an option: quoted for a shell, so that an empty value can be seen."""
    return f"{flag} {quote(value)}"


class UsageError(MinifyError):
    """The request itself is wrong: an unknown transport, flags that exclude each other."""

    exit_code = 2


class ClosureError(MinifyError):
    """A hard need cannot be met, or there is no application; nothing was written."""

    exit_code = 3


class ImageError(MinifyError):
    """The image cannot be read: not found, refused, damaged or hostile."""

    exit_code = 4


class OutputError(MinifyError):
    """The output cannot be written; nothing of it was left behind."""

    exit_code = 5


class CheckError(MinifyError):
    """A check that the user asked for (`--strict`) did not pass; nothing was written."""

    exit_code = 6
