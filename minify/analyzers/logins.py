"""Which account the program of the configuration becomes, and which programs only root can run.

Only ENTRYPOINT and CMD's own programs count, with the configuration that they read: what another
package's daemon would become says nothing of this image.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from minify.analyzers.accounts import login_homes, login_shells
from minify.analyzers.directives import Directive, directives, expanded, text_of
from minify.analyzers.drops import BECOMES, DROPS, MANAGES, Drop
from minify.analyzers.services.reading import Configuration, configuration
from minify.analyzers.services.table import SERVICES, Service
from minify.analyzers.started import Started, option_values, plain_name, started
from minify.closure import (
    CONFIG,
    EVERYBODY,
    Context,
    Finding,
    Grade,
    Need,
    NeedsRoot,
    Reason,
    RunsAs,
)
from minify.filetree import Entry

TOLD, ROOT = "program.account", "program.root"
"""The rules of these findings: an account that a program is told, what only root can do."""

_MOST_STATEMENTS = 50_000
_MOST_WORDS = 2  # nginx's `user www-data www-data;`; more is another directive of that name
_ROOTS = frozenset(("root", "0"))


def find(context: Context) -> Iterator[Finding]:
    for program in started(context):
        for name in sorted(program.names):
            yield from _only_root(name, program, context)
            if name in DROPS:
                yield from _drops(_Service(name, program, DROPS[name]), context)


def is_told(context: Context) -> bool:
    """Whether the command line or configuration says which account a program becomes."""
    return any(isinstance(f, RunsAs) and f.grade is Grade.HARD for f in find(context))


def _only_root(name: str, program: Started, context: Context) -> Iterator[Finding]:
    for table in (BECOMES, MANAGES):
        if name in table:
            yield NeedsRoot(Reason(ROOT, program.path, table[name]))
    if name in BECOMES:
        yield RunsAs(EVERYBODY, Reason(ROOT, program.path, BECOMES[name]))
        yield from login_shells(program.path, context)
        yield from login_homes(program.path, context)


@dataclass(frozen=True, slots=True)
class _Service:
    """A program of the table, as the command line starts it."""

    name: str
    program: Started
    drop: Drop

    def values(self, options: str) -> tuple[str, ...]:
        """What the command line gives to any of `options`."""
        return tuple(option_values(self.program.arguments, options.split()))


@dataclass(frozen=True, slots=True)
class _Statement:
    """A directive and where it stands: a path, or CONFIG."""

    by: str
    directive: Directive

    @property
    def reason(self) -> Reason:
        return Reason(TOLD, self.by, f"says {self.directive.shown!r}")


@dataclass(frozen=True, slots=True)
class _Told:
    """An account that a program is told to become."""

    account: str
    reason: Reason


def _drops(service: _Service, context: Context) -> Iterator[Finding]:
    drop = service.drop
    read = configuration(service.program, SERVICES.get(service.name, Service()), context)
    files = tuple(_own_files(read, context))
    statements = tuple(islice(_statements(service, files, context), _MOST_STATEMENTS))
    variables = read.variables
    named = tuple(_accounts(drop, drop.sections, statements, variables))
    own = tuple(_commanded(service)) or named or tuple(_default(service))
    # The others that configuration names are found by their file, as of any program.
    yield from _becomes(service, own if drop.is_each else own[-1:])
    if drop.spawning:
        yield from _spawns(tuple(_accounts(drop, drop.spawning, statements, variables)))
        yield from _spawned(service, statements, own, context)
    yield from _rooted(service, statements)


def _own_files(read: Configuration, context: Context) -> Iterator[Entry]:
    """The files of a configuration that are the program's own, or nobody's."""
    packages = context.packages
    own = packages.siblings(packages.owners(read.program.path))
    for file in read.files:
        owners = packages.owners(file.entry.path)
        if not owners or owners & own:
            yield file.entry


def _statements(
    service: _Service, files: Iterable[Entry], context: Context
) -> Iterator[_Statement]:
    for entry in files:
        for directive in directives(text_of(entry, context.tree)):
            yield _Statement(entry.path, directive)
    # What the command line adds is read last, and so it counts.
    for text in service.values(service.drop.texts):
        yield from (_Statement(CONFIG, directive) for directive in directives(text))


def _accounts(
    drop: Drop,
    sections: tuple[str, ...],
    statements: Iterable[_Statement],
    variables: Mapping[str, str],
) -> Iterator[_Told]:
    """The accounts that statements in `sections` name; in any section, if none is given."""
    names = drop.directives.split()
    for statement in statements:
        found = statement.directive
        if found.name not in names or not 1 <= len(found.words) <= _MOST_WORDS:
            continue
        if sections and not found.section.startswith(sections):
            continue
        account = _account(expanded(found.words[0], variables) or "")
        if account:
            yield _Told(account, statement.reason)


def _account(value: str) -> str:
    """The account of a value like `user:group` or Varnish's `unix,user=name`."""
    if "," in value or "=" in value:
        parts = (part.partition("=") for part in value.split(","))
        return next((name for key, _, name in parts if key == "user"), "")
    return value.partition(":")[0]


def _commanded(service: _Service) -> Iterator[_Told]:
    for option in service.drop.options.split():
        for value in service.values(option):
            if account := _account(value):
                detail = f"{service.name} is started with {option} {value}"
                yield _Told(account, Reason(TOLD, CONFIG, detail))


def _default(service: _Service) -> Iterator[_Told]:
    account = service.drop.default
    if account:
        detail = f"{service.name} becomes {account} unless it is told otherwise"
        yield _Told(account, Reason(TOLD, service.program.path, detail))


def _becomes(service: _Service, own: tuple[_Told, ...]) -> Iterator[Finding]:
    accounts = sorted({told.account for told in own})
    if len(accounts) > 1:
        detail = f"{service.name} works as several users: {', '.join(accounts[:4])}"
        yield NeedsRoot(Reason(ROOT, own[0].reason.by, detail))
        return
    for told in own:
        if told.account not in _ROOTS:
            yield RunsAs(told.account, told.reason, Grade.HARD)
        if service.drop.insists:
            detail = f"{told.reason.detail}, and {service.name} stops where it cannot do that"
            yield NeedsRoot(Reason(ROOT, told.reason.by, detail), unless=told.account)


def _spawns(spawned: tuple[_Told, ...]) -> Iterator[Finding]:
    accounts = {told.account for told in spawned}
    unless = next(iter(accounts)) if len(accounts) == 1 else ""
    for told in spawned:
        yield NeedsRoot(Reason(ROOT, told.reason.by, told.reason.detail), unless)


def _spawned(
    service: _Service,
    statements: Iterable[_Statement],
    own: tuple[_Told, ...],
    context: Context,
) -> Iterator[Finding]:
    """The programs that it starts; which account those of the tables need is only known of root."""
    inside = [s for s in statements if s.directive.section.startswith(service.drop.spawning)]
    as_others = {s.directive.section for s in inside if s.directive.name == "user"}
    for statement in inside:
        words = statement.directive.words
        command = (
            context.command(words[0]) if statement.directive.name == "command" and words else None
        )
        if command is None:
            continue
        yield Need(
            command.path, Reason("config-file", statement.by, f"starts {words[0]}"), Grade.HARD
        )
        name = plain_name(words[0])
        is_roots = statement.directive.section not in as_others
        if is_roots and (name in DROPS or name in BECOMES or name in MANAGES):
            section = statement.directive.section
            detail = f"starts {name} as root, for [{section}] has no user="
            yield NeedsRoot(Reason(ROOT, statement.by, detail), own[-1].account if own else "")


def _rooted(service: _Service, statements: Iterable[_Statement]) -> Iterator[Finding]:
    names = service.drop.rooted.split()
    for statement in statements:
        if statement.directive.name in names and any(statement.directive.words):
            detail = f"{statement.reason.detail}, which {service.name} can only do as root"
            yield NeedsRoot(Reason(ROOT, statement.by, detail))
    for option, beginning in service.drop.rooted_options:
        for value in service.values(option):
            if value.startswith(beginning):
                detail = f"{service.name} is started with {option} {value}, which only root can do"
                yield NeedsRoot(Reason(ROOT, CONFIG, detail))
