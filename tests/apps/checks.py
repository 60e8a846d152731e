"""Performs what a case asks of one image, run in one way."""

from __future__ import annotations

import gzip
import http.client
import re
import socket
import ssl
import time
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from images.authority import HOST, authority
from images.engines import Engine
from images.runner import Container, Runner

from apps.case import KINDS, Case, Check, Client, Http, Log, Reload, Restart, Run, Service, Tcp

PATIENCE = 20.0
"""Seconds that one answer may take."""


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    failure: str
    """Empty: it passed."""


class CheckError(Exception):
    """A check does not hold; the message says what was found instead."""


def failures(results: Iterable[Result]) -> list[str]:
    return [f"{one.name}: {one.failure}" for one in results if one.failure]


def beside_volumes(case: Case, flags: Iterable[str]) -> tuple[str, ...]:
    """`flags` of `docker run` without those that mount what the case mounts itself."""
    taken = "|".join(re.escape(one) for one in (case.service.volumes if case.service else ()))
    mounts = re.compile(rf"--(?:mount=.*\bdst=|tmpfs=)(?:{taken})(?:[:,].*)?")
    return tuple(flag for flag in flags if not taken or not mounts.fullmatch(flag))


def perform(case: Case, run: Runner, fat: str) -> list[Result]:
    """The checks in their order, on the image of `run`; the clients are of the image `fat`."""
    with _volumes(run.engine, case.service) as volumes:
        return _Performance(case, run, fat, volumes).results()


@contextmanager
def _volumes(engine: Engine, service: Service | None) -> Iterator[tuple[str, ...]]:
    """The flags that mount new volumes, which are gone at the end."""
    targets = service.volumes if service else ()
    made = [engine("volume", "create") for _ in targets]
    try:
        yield tuple(f"--volume={name}:{target}" for name, target in zip(made, targets, strict=True))
    finally:
        for name in made:
            engine("volume", "rm", name)


class _Performance:
    def __init__(self, case: Case, run: Runner, fat: str, volumes: tuple[str, ...]) -> None:
        self._case = case
        self._run = run
        self._fat = fat
        self._volumes = volumes
        self._container: Container | None = None

    def results(self) -> list[Result]:
        if self._case.service is None:
            return self._each(self._case.check)
        # A new container begins where the old one is asked to end.
        found: list[Result] = []
        rest = list(self._case.check)
        while True:
            try:
                with self._serving(self._case.service) as container:
                    self._container = container
                    end = next((n for n, one in enumerate(rest) if one.restart), len(rest))
                    found += self._each(rest[:end])
                    rest = rest[end:]
                    if rest and rest[0].restart:
                        found.append(self._result(rest.pop(0)))
                    if not rest:
                        return found
            # An assertion of the runner's: it ended at once, or the engine refused the flags.
            except (CheckError, AssertionError) as error:
                return [*found, Result("ready", str(error))]

    def _each(self, checks: Iterable[Check]) -> list[Result]:
        return [self._result(check) for check in checks]

    def _result(self, check: Check) -> Result:
        kind = next(one for one in KINDS if getattr(check, one) is not None)
        end = time.monotonic() + check.within
        while True:
            try:
                _PERFORM[kind](self, getattr(check, kind))
            except (CheckError, OSError, http.client.HTTPException) as error:
                if time.monotonic() > end or not self._goes_on():
                    return Result(check.name, self._told(error))
                time.sleep(0.2)
            else:
                return Result(check.name, "")

    def _told(self, error: Exception) -> str:
        log = self._container.logs()[-1500:] if self._container else ""
        return f"{type(error).__name__.lstrip('_')}: {error}\n{log}"

    def _goes_on(self) -> bool:
        return self._container is None or _is_running(self._container)

    @contextmanager
    def _serving(self, service: Service) -> Iterator[Container]:
        flags = (*_environment(service.environment), *self._volumes)
        with self._run.serve(*service.arguments, flags=flags) as container:
            end = time.monotonic() + service.seconds
            while not _is_ready(container, service):
                if time.monotonic() > end or not _is_running(container):
                    raise CheckError(f"it is not ready\n{container.logs()[-3000:]}")
                time.sleep(0.1)
            yield container

    @property
    def container(self) -> Container:
        assert self._container is not None
        return self._container

    def http(self, asked: Http) -> None:
        status, headers, body = _answer(self.container, asked)
        text = body.decode("utf-8", "replace")
        if status != asked.status:
            raise CheckError(f"status {status}, not {asked.status}: {text[:300]}")
        for name, pattern in asked.answered.items():
            if not re.fullmatch(pattern, headers.get(name, "")):
                raise CheckError(f"{name}: {headers.get(name)!r} is not {pattern!r}")
        _expect(asked.body, text)

    def tcp(self, asked: Tcp) -> None:
        found = b""
        with _connect(self.container, asked.port) as connection:
            connection.sendall(asked.send.encode())
            while not re.search(asked.expect, found.decode("utf-8", "replace")):
                part = connection.recv(65536)
                if not part:
                    raise CheckError(f"{asked.expect!r} is not in {found!r}")
                found += part

    def client(self, asked: Client) -> None:
        identity = self.container.identity
        # The image's own entrypoint and user are for its service.
        done = self._run.engine.try_run(
            *("run", "--rm", "--network", f"container:{identity}", "--volumes-from", identity),
            *("--user", "0", "--entrypoint", asked.command[0], *_environment(asked.environment)),
            *(self._fat, *asked.command[1:]),
            timeout=120,
        )
        _ended(done.returncode, done.stdout + done.stderr, asked)

    def run(self, asked: Run) -> None:
        code, output = self._run.try_run(
            *asked.arguments, flags=(*_environment(asked.environment), *self._volumes)
        )
        _ended(code, output, asked)

    def reload(self, asked: Reload) -> None:
        self._run.engine("kill", "--signal", asked.signal, self.container.identity)
        time.sleep(0.5)
        if not _is_running(self.container):
            raise CheckError(f"it ended by SIG{asked.signal}")

    def restart(self, asked: Restart) -> None:
        identity = self.container.identity
        self._run.engine("stop", "--time", "30", identity)
        code = int(self._run.engine("inspect", "--format", "{{.State.ExitCode}}", identity))
        if code not in asked.exit_codes:
            raise CheckError(f"it ended with {code}, not one of {asked.exit_codes}")

    def log(self, asked: Log) -> None:
        _expect(asked.expect, self.container.logs())


_PERFORM: Mapping[str, Callable[[_Performance, typing.Any], None]] = {
    kind: getattr(_Performance, kind) for kind in KINDS
}


def _environment(variables: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"--env={name}={value}" for name, value in variables.items())


def _ended(code: int, output: str, asked: Client | Run) -> None:
    if code != asked.exit_code:
        raise CheckError(f"exit {code}, not {asked.exit_code}: {output[-1500:]}")
    _expect(asked.output, output)


def _expect(pattern: str, text: str) -> None:
    if not re.search(pattern, text, re.MULTILINE):
        raise CheckError(f"{pattern!r} is not in {text[-1500:]!r}")


def _is_running(container: Container) -> bool:
    shown = ("inspect", "--format", "{{.State.Running}}", container.identity)
    return container.engine.try_run(*shown).stdout.strip() == "true"


def _is_ready(container: Container, service: Service) -> bool:
    if service.log and not re.search(service.log, container.logs(), re.MULTILINE):
        return False
    if not service.port:
        return True
    try:
        _connect(container, service.port).close()
    except OSError:
        return False
    return True


def _connect(container: Container, port: int) -> socket.socket:
    connection = container.connect(port, seconds=0)
    connection.settimeout(PATIENCE)
    return connection


def _answer(container: Container, asked: Http) -> tuple[int, Mapping[str, str], bytes]:
    connection = http.client.HTTPConnection(HOST)
    connection.sock = _connect(container, asked.port)
    if asked.tls:
        context = ssl.create_default_context(cafile=str(authority().certificate))
        connection.sock = context.wrap_socket(connection.sock, server_hostname=HOST)
    body = b"x" * asked.send_bytes or asked.send.encode() or None
    try:
        connection.request(asked.method, asked.path, body, dict(asked.headers))
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        content = response.read()
    finally:
        connection.close()
    packed = headers.get("content-encoding") == "gzip" and content
    return response.status, headers, gzip.decompress(content) if packed else content
