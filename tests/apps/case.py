"""What a `case.toml` says, as frozen values; what it says that nobody reads is an error."""

from __future__ import annotations

import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "apps"

Headers = Mapping[str, str]


class CaseError(Exception):
    """A case.toml that is not as it has to be; the message has its path."""


@dataclass(frozen=True, slots=True)
class Http:
    """One request, and what must be answered."""

    path: str = "/"
    port: int = 80
    method: str = "GET"
    tls: bool = False
    headers: Headers = field(default_factory=dict)
    send: str = ""
    send_bytes: int = 0
    """Instead of `send`: so many bytes."""
    status: int = 200
    answered: Headers = field(default_factory=dict)
    """Headers with lower-case names; regular expressions that the whole value matches."""
    body: str = ""
    """A regular expression found in the body, which is unpacked if it is gzip."""


@dataclass(frozen=True, slots=True)
class Tcp:
    """Lines sent to a port, and what comes back."""

    port: int
    send: str = ""
    expect: str = ""
    """A regular expression; read until it is found."""


@dataclass(frozen=True, slots=True)
class Client:
    """A command of the fat image, as root, beside the container: its network and its volumes."""

    command: tuple[str, ...]
    environment: Headers = field(default_factory=dict)
    output: str = ""
    """A regular expression found in what it prints on both streams."""
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """A container of its own, which ends by itself."""

    arguments: tuple[str, ...] = ()
    environment: Headers = field(default_factory=dict)
    output: str = ""
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Reload:
    """A signal to the container's first process, which must go on."""

    signal: str = "HUP"


@dataclass(frozen=True, slots=True)
class Restart:
    """The container is stopped and removed; a new one gets its volumes."""

    exit_codes: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Log:
    """What the container has printed by now."""

    expect: str


@dataclass(frozen=True, slots=True)
class Check:
    """Exactly one of its kinds is not None."""

    name: str
    within: float = 0
    """Seconds for which it is tried again."""
    http: Http | None = None
    tcp: Tcp | None = None
    client: Client | None = None
    run: Run | None = None
    reload: Reload | None = None
    restart: Restart | None = None
    log: Log | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """How the container is started that most checks are made of, and when it is ready."""

    arguments: tuple[str, ...] = ()
    environment: Headers = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    """Directories of the container that live as long as the case."""
    port: int = 0
    """Ready when something listens here; 0: no port."""
    log: str = ""
    """Ready when this regular expression has been printed."""
    seconds: float = 60


@dataclass(frozen=True, slots=True)
class Case:
    """One application image."""

    name: str
    about: str
    written: Literal["before", "after"]
    """Before or after the rules of minify were frozen."""
    check: tuple[Check, ...]
    round: int = 1
    """Of those written after: after which freeze."""
    service: Service | None = None
    """None: it has nothing but checks of the kind `run`."""
    long: bool = False
    certificates: bool = False
    """Whether server.crt and server.key of the tests' authority are in the build's context."""
    wheels: bool = False
    """Whether the wheels of its requirements.txt are in the build's context, in `wheels`."""
    npm: bool = False
    """Whether what its package-lock.json names is in the build's context, in `node_modules`."""
    root: str = ""
    """Why the slim image has to run as root, too; empty: it must not."""
    known_failure: str = ""
    """Why the slim image does not pass yet."""
    gaps: tuple[str, ...] | None = None
    """The gaps that are told of it, each as its rule and its path; that it stays root's is not one
    of them. None: nobody has looked."""

    @property
    def freezes(self) -> int:
        """How often the rules of minify had been frozen when it was written."""
        return self.round if self.written == "after" else 0

    @property
    def directory(self) -> Path:
        return FIXTURES / self.name


def names() -> list[str]:
    return sorted(path.parent.name for path in FIXTURES.glob("*/case.toml"))


def load(name: str) -> Case:
    """The case of `fixtures/apps/NAME`; CaseError."""
    path = FIXTURES / name / "case.toml"
    return parse(name, path.read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Case:
    """As `load`, of the text itself."""
    where = f"{name}/case.toml"
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CaseError(f"{where}: {error}") from error
    case: Case = _record(Case, {"name": name, **table}, where)
    for check in case.check:
        kinds = [kind for kind in KINDS if getattr(check, kind) is not None]
        if len(kinds) != 1:
            raise CaseError(f"{where}: check {check.name!r} has {len(kinds)} kinds, not one")
        if case.service is None and kinds != ["run"]:
            raise CaseError(f"{where}: check {check.name!r} wants a [service]")
    if not case.check:
        raise CaseError(f"{where}: it checks nothing")
    return case


KINDS = tuple(one.name for one in fields(Check) if one.name not in ("name", "within"))


def _record(kind: type[Any], table: Mapping[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(kind)
    unknown = sorted(table.keys() - hints.keys())
    if unknown:
        raise CaseError(f"{where}: nobody reads {', '.join(unknown)}; known: {', '.join(hints)}")
    values = {key: _value(hints[key], found, f"{where}: {key}") for key, found in table.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise CaseError(f"{where}: {error}") from error


def _value(hint: Any, found: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return _value(arguments[0], found, where)
    if origin is tuple and isinstance(found, list):
        return tuple(_value(arguments[0], one, where) for one in found)
    if origin is Literal and found in arguments:
        return found
    if origin is Mapping and isinstance(found, dict):
        return {key: _value(arguments[1], one, f"{where}.{key}") for key, one in found.items()}
    if isinstance(hint, type) and isinstance(found, dict):
        return _record(hint, found, where)
    if hint is float and type(found) is int:
        return float(found)
    if origin is None and type(found) is hint:
        return found
    raise CaseError(f"{where}: {found!r} is not {hint}")
