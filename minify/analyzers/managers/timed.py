"""Jobs by the clock: cron of any make, anacron, supercronic. See crontab(5)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from minify.analyzers.directives import text_of
from minify.analyzers.managers.job import Job, inside, runnable, shell
from minify.analyzers.started import Started
from minify.closure import Context
from minify.filetree import Entry
from minify.filetree.path import joined

_OF_THE_SYSTEM = ("/etc/crontab", "/etc/anacrontab")
_OF_USERS = ("/var/spool/cron/crontabs", "/var/spool/cron", "/etc/crontabs", "/var/spool/fcron")
_PERIODS = ("15min", "hourly", "daily", "weekly", "monthly")
# They tend the machine's packages and disks, which no image has.
_HOUSEKEEPING = frozenset(
    """
    apt aptitude bsdmainutils dpkg e2fsprogs locate man-db mdadm mlocate plocate
    popularity-contest
    """.split()
)
_NAMES = "mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_FIELD = rf"(?:[\d*/,?~#LW-]|{_NAMES})++"
# anacron's lines begin with days, minutes and a name.
_BEFORE = rf"[ \t]*+(?:@\w++|(?:{_FIELD}[ \t]++){{5}}|\d++[ \t]++\d++[ \t]++\S++)[ \t]*+"
_SYSTEM_LINE = re.compile(rf"{_BEFORE}(?:-?[a-z_][\w.-]*+[ \t]++)?(.+)", re.IGNORECASE)
# Some have seconds or years as well.
_OWN_LINE = re.compile(rf"[ \t]*+(?:@\w++[ \t]++|(?:{_FIELD}[ \t]++){{5,7}}+)(.+)", re.IGNORECASE)
_INPUT = re.compile(r"(?<!\\)%.*", re.DOTALL)


def cron(name: str, program: Started, context: Context) -> Iterator[Job]:  # noqa: ARG001
    """The lines of all tables, and what is in the directories of periods."""
    for path in (*_OF_THE_SYSTEM, *inside("/etc/cron.d", context)):
        yield from _table(path, _SYSTEM_LINE, context)
    for directory in (*_OF_USERS, *_told(program)):
        for path in inside(directory, context):
            yield from _table(path, _OWN_LINE, context)
    for period in _PERIODS:
        for directory in (f"/etc/cron.{period}", f"/etc/periodic/{period}"):
            for path in inside(directory, context):
                if not _is_housekeeping(path, context):
                    yield from runnable(path, directory, context)


def of_file(name: str, program: Started, context: Context) -> Iterator[Job]:  # noqa: ARG001
    """Supercronic and yacron read the tables that they are given, without a user's column."""
    for word in program.arguments:
        if not word.startswith("-"):
            yield from _table(joined(context.workdir, word), _OWN_LINE, context)


def _told(program: Started) -> Iterator[str]:
    """`crond -c DIRECTORY` of BusyBox."""
    for option, value in zip(program.arguments, program.arguments[1:], strict=False):
        if option == "-c":
            yield value


def _table(path: str, line: re.Pattern[str], context: Context) -> Iterator[Job]:
    entry = context.tree.file(path)
    if entry is None or _is_housekeeping(entry.path, context):
        return
    for text in _lines(entry, context):
        match = line.fullmatch(text)
        if match:
            command = _INPUT.sub("", match[1]).replace("\\%", "%")
            yield from shell(command, entry.path)


def _lines(entry: Entry, context: Context) -> Iterator[str]:
    for raw in text_of(entry, context.tree).split("\n"):
        text = raw.strip()
        if text and not text.startswith("#"):
            yield text


def _is_housekeeping(path: str, context: Context) -> bool:
    entry = context.tree.file(path)
    return entry is not None and bool(context.packages.owners(entry.path) & _HOUSEKEEPING)
