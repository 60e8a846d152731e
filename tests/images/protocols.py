"""What the checks speak to a container: HTTP, redis, postgres, ssh. A call a connection."""

from __future__ import annotations

import http.client
import ssl
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from images.authority import HOST, authority
from images.runner import Container

Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers with lower-case names, body."""


def http_get(
    container: Container,
    path: str,
    headers: Mapping[str, str] | None = None,
    *,
    port: int = 18080,
) -> Answer:
    connection = http.client.HTTPConnection(HOST)
    connection.sock = container.connect(port)
    return _got(connection, path, headers or {})


def https_get(container: Container, path: str, *, port: int = 443) -> Answer:
    """As `http_get`, with TLS that only the tests' authority is trusted for."""
    context = ssl.create_default_context(cafile=str(authority().certificate))
    connection = http.client.HTTPConnection(HOST)
    connection.sock = context.wrap_socket(container.connect(port), server_hostname=HOST)
    return _got(connection, path, {})


def _got(connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> Answer:
    try:
        connection.request("GET", path, headers=dict(headers))
        response = connection.getresponse()
        lower = {name.lower(): value for name, value in response.getheaders()}
        return response.status, lower, response.read()
    finally:
        connection.close()


@contextmanager
def _stream(container: Container, port: int) -> Iterator[BinaryIO]:
    with container.connect(port) as connection, connection.makefile("rwb") as stream:
        yield cast("BinaryIO", stream)


def redis(container: Container, *words: str, password: str = "") -> str:
    """One command and its answer; https://redis.io/docs/latest/develop/reference/protocol-spec/"""
    with _stream(container, 6379) as stream:
        if password:
            _redis_command(stream, "AUTH", password)
        return _redis_command(stream, *words)


def _redis_command(stream: BinaryIO, *words: str) -> str:
    request = [f"*{len(words)}"] + [f"${len(word.encode())}\r\n{word}" for word in words]
    stream.write("".join(f"{part}\r\n" for part in request).encode())
    stream.flush()
    head = stream.readline().decode().rstrip("\r\n")
    if not head.startswith("$"):
        return head[1:]
    return stream.read(int(head[1:])).decode()


def postgres(container: Container, query: str, *, password: str) -> list[str]:
    """The rows of one query as `postgres`, or the errors; one column each.

    https://www.postgresql.org/docs/current/protocol-message-formats.html
    """
    with _stream(container, 5432) as stream:
        start = struct.pack(">i", 3 << 16) + b"user\0postgres\0database\0postgres\0\0"
        _postgres_send(stream, b"", start)
        found = []
        for kind, body in _postgres_messages(stream):
            if kind == b"R" and body == struct.pack(">i", 3):
                _postgres_send(stream, b"p", f"{password}\0".encode())
            elif kind == b"Z":  # ready
                break
            elif kind == b"E":
                return [_postgres_error(body)]
        _postgres_send(stream, b"Q", f"{query}\0".encode())
        for kind, body in _postgres_messages(stream):
            if kind == b"D":
                found.append(body[6:].decode())  # one column, after a count and a length
            elif kind == b"E":
                found.append(_postgres_error(body))
            elif kind == b"Z":
                break
        return found


def _postgres_send(stream: BinaryIO, kind: bytes, body: bytes) -> None:
    stream.write(kind + struct.pack(">i", len(body) + 4) + body)
    stream.flush()


def _postgres_messages(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    while kind := stream.read(1):
        (size,) = struct.unpack(">i", stream.read(4))
        yield kind, stream.read(size - 4)


def _postgres_error(body: bytes) -> str:
    return body.replace(b"\0", b" ").decode(errors="replace")


def ssh(container: Container, user: str, password: str, command: str) -> str:
    """What `command` prints in a session that is opened by password; it must succeed."""
    container.connect(2222).close()  # waits until it listens
    with tempfile.TemporaryDirectory() as directory:
        answer = Path(directory) / "answer"
        answer.write_text(f"#!/bin/sh\necho '{password}'\n", encoding="ascii")
        answer.chmod(0o700)
        done = subprocess.run(
            [
                *("nsenter", "--target", str(container.pid), "--net"),
                *("ssh", "-F", "none", "-p", "2222", "-o", "ConnectTimeout=10"),
                *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={directory}/hosts"),
                *("-o", "LogLevel=ERROR", "-o", "NumberOfPasswordPrompts=1"),
                *(f"{user}@127.0.0.1", command),
            ],
            env={
                "PATH": "/usr/bin:/bin",
                "SSH_ASKPASS": str(answer),
                "SSH_ASKPASS_REQUIRE": "force",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}\n{container.logs()}"
    return done.stdout.rstrip("\n")
