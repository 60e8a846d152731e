"""Registries on loopback: Debian's `docker-registry`, and what may stand between it and us.

with distribution(tmp_path) as registry:  # a process of its own, ended by its id
    fill(registry, tmp_path / "app", kit.layout([one]), "app:1")  # by skopeo
    with Proxy(registry.address, faults) as proxy:  # cuts, delays, lies
        opened(f"docker://{proxy.address}/app:1")
"""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from conftest import require

from minify.image import Image, Platform, Reference
from minify.transports import OpenOptions, WriteOptions, Written
from minify.transports.registry import pull, push
from minify.transports.registry.http import Patience
from transports import kit

USER, PASSWORD = "ali", "open sesame"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
# docker-registry takes bcrypt only.
HTPASSWD = f"{USER}:$2y$05$minifytestsminifyteste93gGokS3ZT5FgJECyyI.uXrAQFFaj/y"

# Waits that a test can afford; a machine under load may still take long to answer.
QUICK = Patience(connect=20, read=60, attempts=4, first_delay=0.01, longest_delay=3)


@dataclass(frozen=True)
class Registry:
    """A registry that runs; `address` is `host:port`."""

    address: str
    directory: Path

    def blobs(self) -> set[str]:
        """The digests of what is stored."""
        return {
            f"sha256:{path.parent.name}"
            for path in (self.directory / "docker/registry/v2/blobs").glob("sha256/*/*/data")
        }

    def tags(self, repository: str) -> dict[str, str]:
        """Tag → the digest that it points to."""
        tags = self.directory / f"docker/registry/v2/repositories/{repository}/_manifests/tags"
        return {path.parent.parent.name: path.read_text() for path in tags.glob("*/current/link")}

    def uploads(self) -> list[Path]:
        """Sessions that were begun and not ended."""
        root = self.directory / "docker/registry/v2/repositories"
        # Of one that was cancelled, docker-registry 2.8 leaves hash states behind.
        return [path.parent for path in root.rglob("_uploads/*/startedat")]


@contextmanager
def distribution(
    directory: Path, *, tls: Certificate | None = None, login: bool = False
) -> Iterator[Registry]:
    """Debian's docker-registry with storage in `directory`."""
    require("docker-registry")
    directory.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings: kit.Json = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(directory)}, "delete": {"enabled": True}},
        "http": {"addr": address},
    }
    if tls:
        settings["http"]["tls"] = {"certificate": str(tls.certificate), "key": str(tls.key)}
    if login:
        (directory / "htpasswd").write_text(HTPASSWD + "\n")
        settings["auth"] = {"htpasswd": {"realm": "tests", "path": str(directory / "htpasswd")}}
    (directory / "settings.json").write_text(json.dumps(settings))
    command = ["docker-registry", "serve", str(directory / "settings.json")]
    with (
        (directory / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            _await(address, process)
            yield Registry(address, directory)
        finally:
            process.terminate()


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    host, _, port = address.partition(":")
    while process.poll() is None:
        with suppress(ConnectionRefusedError), socket.create_connection((host, int(port)), 60):
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    raise AssertionError(f"docker-registry has ended: {process.returncode}")


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, and the CA that has signed it."""

    ca: Path
    certificate: Path
    key: Path


def certificate(directory: Path, *names: str) -> Certificate:
    """A new CA, and a certificate of it for `names`, addresses or hosts."""
    require("openssl")
    directory.mkdir(parents=True, exist_ok=True)
    made = Certificate(directory / "ca.crt", directory / "host.crt", directory / "host.key")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    is_ca = ["-addext", "keyUsage=critical,keyCertSign"]
    run = ["openssl", "req", "-x509", *new_key, "-keyout"]
    ca = [*run, f"{directory}/ca.key", "-out", str(made.ca), "-subj", "/CN=tests' CA", *is_ca]
    alternatives = ",".join(
        f"{'IP' if re.fullmatch('[0-9.]+', name) else 'DNS'}:{name}" for name in names
    )
    host = [*run, str(made.key), "-out", str(made.certificate), "-subj", f"/CN={names[0]}"]
    host += ["-CA", str(made.ca), "-CAkey", f"{directory}/ca.key"]
    host += ["-addext", f"subjectAltName={alternatives}"]
    host += ["-addext", "basicConstraints=critical,CA:FALSE"]
    for command in (ca, host):
        subprocess.run(command, check=True, capture_output=True)
    return made


def skopeo(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """What `skopeo ARGUMENTS…` prints; AssertionError if it fails."""
    require("skopeo")
    done = subprocess.run(
        ["skopeo", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def fill(registry: Registry, directory: Path, files: kit.Files, name: str) -> None:
    """Puts the images of a layout into the registry, with all their platforms, as `name`."""
    layout = kit.write_tree(directory, files)
    target = f"docker://{registry.address}/{name}"
    skopeo("copy", "--all", "--dest-tls-verify=false", f"oci:{layout}", target)


def opened(reference: str, platform: str = "", patience: Patience = QUICK) -> Image:
    """The image, all of which has arrived; with waits that a test can afford."""
    wanted = Platform.parse(platform) if platform else None
    image = pull.open_image(Reference.parse(reference), OpenOptions(platform=wanted), patience)
    image.check_unchanged()
    return image


def written(image: Image, reference: str, patience: Patience = QUICK) -> Written:
    return push.write_image(image, Reference.parse(reference), WriteOptions(), patience)


@dataclass
class Exchange:
    """What a proxy saw: a request's head and what it may do to the answer."""

    method: str
    path: str
    headers: Mapping[str, str]
    """In lower case."""


@dataclass(frozen=True)
class Answer:
    """An answer that the proxy gives in the registry's place."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    length: int | None = None
    """A Content-Length that is not the body's."""


@dataclass(frozen=True)
class Cut:
    """Cuts the connection after so many bytes of the answer's body, or of the request's."""

    after: int
    of_request: bool = False


@dataclass(frozen=True)
class Change:
    """Lets the registry answer and changes what it says."""

    body: Callable[[bytes], bytes] = lambda data: data
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Relocate:
    """Writes the answer's Location without its host."""


@dataclass(frozen=True)
class Hang:
    """Sends so many bytes of the answer and then nothing, until the test ends."""

    after: int


Fault = Answer | Cut | Change | Hang | Relocate | None
Faults = Callable[[Exchange], Fault]


class Proxy:
    """Stands before a registry, passes on what it hears, and does as `faults` says.

    It is a web proxy too: `CONNECT host:port` leads to itself, by the TLS that it is given.
    """

    def __init__(
        self, upstream: str, faults: Faults = lambda _: None, tls: Certificate | None = None
    ) -> None:
        self.upstream = upstream
        self.faults = faults
        self.seen: list[Exchange] = []
        self.tunnels: list[str] = []
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.context: ssl.SSLContext | None = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(tls.certificate, tls.key)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def count(self, method: str, pattern: str) -> int:
        """How many requests of that method had a path that matches."""
        return sum(one.method == method and bool(re.search(pattern, one.path)) for one in self.seen)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    proxy: Proxy


class _Handler(socketserver.BaseRequestHandler):
    """One connection: requests one after the other, until either side ends it."""

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        self.proxy = server.proxy
        connection: socket.socket = self.request
        with suppress(OSError):
            is_tls = connection.recv(1, socket.MSG_PEEK) == b"\x16"
            if is_tls and self.proxy.context is None:
                return  # as a server does that speaks no TLS
            if is_tls and self.proxy.context is not None:
                connection = self.proxy.context.wrap_socket(connection, server_side=True)
            with connection:
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        while head := self._head(reader):
            method, path, headers = head
            if method == "CONNECT":
                self._tunnel(connection, path)
                return
            if self.proxy.context and not isinstance(connection, ssl.SSLSocket):
                return
            with self.proxy.lock:
                exchange = Exchange(method, path, headers)
                self.proxy.seen.append(exchange)
            fault = self.proxy.faults(exchange)
            size = int(headers.get("content-length", "0"))
            if isinstance(fault, Cut) and fault.of_request:
                reader.read(min(size, fault.after))
                return
            body = reader.read(size)
            if not self._answer(connection, exchange, body, fault):
                return

    def _tunnel(self, connection: socket.socket, target: str) -> None:
        self.proxy.tunnels.append(target)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        assert self.proxy.context is not None
        with self.proxy.context.wrap_socket(connection, server_side=True) as inner:
            self._serve(inner)

    @staticmethod
    def _head(reader: BinaryIO) -> tuple[str, str, dict[str, str]] | None:
        lines = []
        while (line := reader.readline()) not in (b"\r\n", b""):
            lines.append(line.decode("latin-1").strip())
        if not lines:
            return None
        method, path, _ = lines[0].split(" ")
        pairs = (line.partition(":") for line in lines[1:])
        return method, path, {key.lower(): value.strip() for key, _, value in pairs}

    def _answer(
        self, connection: socket.socket, exchange: Exchange, body: bytes, fault: Fault
    ) -> bool:
        """Sends the answer; whether the connection may be used again."""
        answer = fault if isinstance(fault, Answer) else self._asked(exchange, body)
        data, headers = answer.body, dict(answer.headers)
        if isinstance(fault, Change):
            data = fault.body(data)
            headers |= fault.headers
        if isinstance(fault, Relocate) and "location" in headers:
            headers["location"] = re.sub("^https?://[^/]*", "", headers["location"])
        length = len(data) if answer.length is None else answer.length
        head = [f"HTTP/1.1 {answer.status} x", f"Content-Length: {length}"]
        head += [f"{key}: {value}" for key, value in headers.items()]
        connection.sendall(("\r\n".join(head) + "\r\n\r\n").encode("latin-1"))
        if exchange.method == "HEAD":
            return True
        if isinstance(fault, Cut | Hang):
            connection.sendall(data[: fault.after])
            if isinstance(fault, Hang):
                self.proxy.ended.wait(60)
            return False
        connection.sendall(data)
        return answer.length is None

    def _asked(self, exchange: Exchange, body: bytes) -> Answer:
        """What the registry itself answers, whole."""
        host, _, port = self.proxy.upstream.partition(":")
        path = re.sub(r"^https?://[^/]*", "", exchange.path)
        kept = {k: v for k, v in exchange.headers.items() if k not in ("connection", "host")}
        kept |= {"connection": "close", "host": exchange.headers.get("host", "")}
        head = "".join(f"{key}: {value}\r\n" for key, value in kept.items())
        with socket.create_connection((host, int(port)), 60) as upstream:
            upstream.sendall(f"{exchange.method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
            upstream.sendall(body)
            reader = upstream.makefile("rb")
            status = int(reader.readline().split(b" ")[1])
            headers = {}
            while (line := reader.readline().decode("latin-1").strip()) != "":
                key, _, value = line.partition(":")
                headers[key.lower()] = value.strip()
            is_empty = exchange.method == "HEAD" or status in (204, 304)
            data = b"" if is_empty else reader.read(int(headers.get("content-length", "0")))
        length = headers.pop("content-length", None)
        headers.pop("connection", None)
        is_head = exchange.method == "HEAD" and length is not None
        return Answer(status, headers, data, int(length) if is_head and length else None)
