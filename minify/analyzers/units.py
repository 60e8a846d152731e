"""What the init system would do for the application's service: systemd units and tmpfiles.d.

Nothing of that runs in a container. The files are evidence of who the service is and where it
writes; they are read, not kept.

https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html,
https://www.freedesktop.org/software/systemd/man/latest/tmpfiles.d.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from minify.analyzers import logins
from minify.analyzers.directives import Directive, directives, text_of
from minify.analyzers.started import Started, plain_name, started
from minify.closure import Context, Finding, Grade, Reason, RunsAs, Writes, Written, places
from minify.closure.commandline import SHELLS
from minify.filetree import Entry, ImagePath
from minify.filetree.path import basename

UNIT, TMPFILES = "unit", "tmpfiles"
"""The rules of these findings."""

_UNITS = ("/lib/systemd/system/", "/usr/lib/systemd/system/")
_TMPFILES = ("/usr/lib/tmpfiles.d/",)
_MOST_FILES = 256
_MOST_LINES = 1000
_DIRECTORIES = {
    "runtimedirectory": "/run",
    "statedirectory": "/var/lib",
    "cachedirectory": "/var/cache",
    "logsdirectory": "/var/log",
}
_WRITABLE = frozenset(("readwritepaths", "readwritedirectories"))
_PREFIXES = "@-:+!|"
_PRIVILEGED = frozenset("+!")
_MADE = {"d": Written.TREE, "D": Written.TREE, "v": Written.TREE, "q": Written.TREE}
_MADE |= {"Q": Written.TREE, "f": Written.FILE, "F": Written.FILE, "p": Written.FILE}
_NO_PATH = frozenset(("..", "."))
_NO_ACCOUNT = frozenset(("", "-", "root", "0"))


def find(context: Context) -> Iterator[Finding]:
    for entry in _files(context, _TMPFILES, ".conf"):
        yield from _tmpfiles(entry, context)
    programs = started(context)
    units = tuple(_Unit.of(entry, context) for entry in _files(context, _UNITS, ".service"))
    own = [unit for unit in units if unit.is_of(programs, context)]
    yield from _accounts(own, programs, context)
    for unit in own:
        yield from _written(unit, context)


def _files(context: Context, where: tuple[str, ...], ending: str) -> Iterator[Entry]:
    """Files of the application's packages, the first few."""
    paths = (
        path
        for name in sorted(context.first_party_packages)
        for path in context.packages.paths(name)
        if path.startswith(where) and path.endswith(ending)
    )
    for path in islice(dict.fromkeys(paths), _MOST_FILES):
        entry = context.tree.file(path)
        if entry is not None:
            yield entry


def _tmpfiles(entry: Entry, context: Context) -> Iterator[Finding]:
    for line in islice(text_of(entry, context.tree).split("\n"), _MOST_LINES):
        fields = line.split(None, 5)
        kind = _MADE.get(fields[0].rstrip("+!-=~^$")) if len(fields) > 1 else None
        if kind is None or not _is_state(fields[1], context):
            continue
        reason = Reason(TMPFILES, entry.path, f"makes {fields[1]}")
        yield Writes(fields[1], reason, kind)
        account = fields[3].lstrip(":") if len(fields) > 3 else ""
        if account not in _NO_ACCOUNT and "%" not in account:
            yield RunsAs(account, Reason(TMPFILES, entry.path, f"makes {fields[1]} for {account}"))


def _is_state(path: str, context: Context) -> bool:
    """Whether a path is below a place of state, is no pattern, and not everybody's."""
    if "%" in path or not _NO_PATH.isdisjoint(path.split("/")[1:]):
        return False
    is_everybodys = places.is_shared(path, context.tree) and context.tree.directory(path)
    return path.startswith(tuple(f"{p}/" for p in places.STATE)) and not is_everybodys


@dataclass(frozen=True, slots=True)
class _Unit:
    """A unit of one of the application's packages."""

    path: ImagePath
    directives: tuple[Directive, ...]

    @classmethod
    def of(cls, entry: Entry, context: Context) -> _Unit:
        text = text_of(entry, context.tree).replace("\\\n", " ")
        return cls(entry.path, tuple(islice(directives(text), _MOST_LINES)))

    def values(self, *names: str) -> Iterator[tuple[Directive, str]]:
        """The words of the directives called one of `names`."""
        for directive in self.directives:
            if directive.section == "service" and directive.name in names:
                yield from ((directive, word) for word in directive.words)

    def started_by(self, programs: tuple[Started, ...], context: Context) -> Iterator[str]:
        """How it starts each of `programs` that it does start: the signs before the path."""
        paths = {program.path for program in programs if SHELLS.isdisjoint(program.names)}
        for directive in self.directives:
            words = directive.words if directive.name == "execstart" else ()
            # MariaDB's is a shell text that ends with the program.
            for part in " ".join(words).split():
                command = part.lstrip(_PREFIXES)
                file = context.tree.file(command) if command.startswith("/") else None
                if file is not None and file.path in paths:
                    yield words[0].removesuffix(words[0].lstrip(_PREFIXES))

    def is_of(self, programs: tuple[Started, ...], context: Context) -> bool:
        """Whether it is the unit of one of `programs`: it starts it, or is called as it is."""
        stem = basename(self.path).removesuffix(".service").removesuffix("@")
        is_namesake = any(plain_name(stem) in program.names for program in programs)
        return is_namesake or any(True for _ in self.started_by(programs, context))


def _accounts(
    units: list[_Unit], programs: tuple[Started, ...], context: Context
) -> Iterator[Finding]:
    """Who the service is: HARD where a unit starts a program so and nothing says otherwise."""
    found = {
        RunsAs(account, Reason(UNIT, unit.path, f"says {directive.shown!r}")): unit
        for unit in units
        for directive, account in unit.values("user")
        if account not in _NO_ACCOUNT and "%" not in account
    }
    sure = {
        run.account
        for run, unit in found.items()
        if any(_PRIVILEGED.isdisjoint(signs) for signs in unit.started_by(programs, context))
    }
    is_one = len(sure) == 1 and not logins.is_told(context)
    for run in found:
        is_sure = is_one and run.account in sure
        yield RunsAs(run.account, run.reason, Grade.HARD) if is_sure else run


def _written(unit: _Unit, context: Context) -> Iterator[Finding]:
    for directive, word in unit.values(*_DIRECTORIES, *_WRITABLE, "pidfile"):
        above = _DIRECTORIES.get(directive.name)
        path = f"{above}/{word.partition(':')[0]}" if above else word.lstrip("-+")
        if _is_state(path, context):
            kind = Written.FILE if directive.name == "pidfile" else Written.TREE
            yield Writes(path, Reason(UNIT, unit.path, f"says {directive.shown!r}"), kind)
