"""What the program of each image must do. The fat image and the slim one pass the same check."""

from __future__ import annotations

import gzip
import http.client
import re
import time
from collections.abc import Callable, Mapping

from images.authority import HOST, authority
from images.recipes import RECIPES
from images.runner import START_SECONDS, Container, Runner
from images.tls import https_server

HTTP_PORT = 18080
REDIS_PORT = 6379


def _get(
    container: Container, path: str, headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers with lower-case names, body."""
    connection = http.client.HTTPConnection("localhost", HTTP_PORT)
    connection.sock = container.connect(HTTP_PORT)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        lower = {name.lower(): value for name, value in response.getheaders()}
        return response.status, lower, response.read()
    finally:
        connection.close()


def check_static_go(run: Runner) -> None:
    with run.serve() as container:
        status, _, body = _get(container, "/")
        assert (status, body[:15]) == (200, b"hello from uid ")
        assert _get(container, "/missing")[0] == 404
        tokyo = _get(container, "/tz?zone=Asia/Tokyo")
        assert tokyo[2] == b"1970-01-01 09:00:00 JST\n"
        assert _get(container, "/tz?zone=Nowhere")[0] == 500
        assert b"127.0.0.1" in _get(container, "/lookup?name=localhost")[2]
        assert _get(container, "/lookup?name=no-such-host.invalid")[0] == 502


def check_cpp(run: Runner) -> None:
    output = run(flags=("--add-host", "minify.test:127.0.0.1"))
    lines = dict(line.split(" ", 1) for line in output.splitlines())
    account = lines.pop("account")
    assert account not in {"", "none"}
    assert lines == {
        "locale": "de_DE.UTF-8",
        "time": "Donnerstag, 01. Januar 1970 01:00 CET",
        "localhost": "0",
        "invalid": "1",
        "exception": "thrown in a thread",
    }
    assert "minify.test 0" in run("report", "minify.test", flags=("--add-host", "minify.test:::1"))


def check_curl(run: Runner) -> None:
    known = authority()
    host = ("--network", "host", "--add-host", f"{HOST}:127.0.0.1")
    with https_server(known.server_certificate, known.server_key) as port:
        assert run("-sS", f"https://{HOST}:{port}/", flags=host) == "hello over tls\n"
        compressed = run("-sS", "--compressed", "-L", f"https://localhost:{port}/", flags=host)
        assert compressed == "hello over tls\n"
        code, output = run.try_run("-sS", f"https://127.0.0.1:{port}/", flags=host)
        assert (code, "no alternative certificate subject name" in output) == (60, True)
    with https_server(known.stranger_certificate, known.server_key) as port:
        code, output = run.try_run("-sS", f"https://{HOST}:{port}/", flags=host)
        assert (code, "certificate" in output) == (60, True)
    code, output = run.try_run("-sS", "https://no-such-host.invalid/", flags=host)
    assert (code, "Could not resolve host" in output) == (6, True)


def check_nginx(run: Runner) -> None:
    with run.serve() as container:
        status, headers, body = _get(container, "/")
        assert (status, headers["content-type"]) == (200, "text/html")
        assert body == b"<h1>hello from nginx</h1>\n"
        status, _, body = _get(container, "/no/such/page")
        assert (status, body) == (404, b"<h1>nothing here</h1>\n")
        _, headers, body = _get(container, "/style.css", {"Accept-Encoding": "gzip"})
        assert (headers["content-type"], headers["content-encoding"]) == ("text/css", "gzip")
        assert gzip.decompress(body) == b"body { color: black }\n" * 100
        status, _, body = _get(container, "/style.css", {"Range": "bytes=0-3"})
        assert (status, body) == (206, b"body")


def check_redis(run: Runner) -> None:
    with run.serve() as container:
        deadline = time.monotonic() + START_SECONDS
        while (answer := _redis(container, "PING")) != "PONG":
            assert time.monotonic() < deadline, answer
        assert _redis(container, "SET", "key", "value") == "OK"
        assert _redis(container, "GET", "key") == "value"
        lua = 'return cjson.decode("[42]")[1]'
        assert _redis(container, "EVAL", lua, "0") == "42"
        assert _redis(container, "SAVE") == "OK"
        assert "redis_version" in _redis(container, "INFO", "server")


def _redis(container: Container, *words: str) -> str:
    """One command and its answer; https://redis.io/docs/latest/develop/reference/protocol-spec/"""
    request = [f"*{len(words)}"] + [f"${len(word.encode())}\r\n{word}" for word in words]
    with container.connect(REDIS_PORT) as connection, connection.makefile("rwb") as stream:
        stream.write("".join(f"{part}\r\n" for part in request).encode())
        stream.flush()
        head = stream.readline().decode().rstrip("\r\n")
        if not head.startswith("$"):
            return head[1:]
        return stream.read(int(head[1:])).decode()


def check_musl(run: Runner) -> None:
    lines = dict(line.split(" ", 1) for line in run().splitlines())
    assert lines.pop("account") not in {"", "none"}
    assert lines == {
        "library": "hello from a library",
        "localhost": "0",
        "time": "1970-01-01 00:00 UTC",
    }


def check_bash_script(run: Runner) -> None:
    assert re.fullmatch(r"hello from bash \d+\nLinux\n", run())
    assert "good day from bash" in run(flags=("--env", "GREETING=good day"))


CHECKS: Mapping[str, Callable[[Runner], None]] = {
    "static-go": check_static_go,
    "cpp": check_cpp,
    "curl": check_curl,
    "nginx": check_nginx,
    "nginx-unprivileged": check_nginx,
    "redis": check_redis,
    "musl": check_musl,
    "bash-script": check_bash_script,
}
assert CHECKS.keys() == {name for name, recipe in RECIPES.items() if recipe.runs}
