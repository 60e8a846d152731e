"""What the program of each image must do. The fat image and the slim one pass the same check."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from images.authority import HOST, authority
from images.protocols import http_get, https_get, postgres, redis, ssh
from images.recipes import LOGIN, LOGIN_PASSWORD, RECIPES
from images.runner import START_SECONDS, Container, Runner
from images.tls import https_server

SERVICE_PASSWORD = "open sesame"  # noqa: S105  # of redis and postgres in containers
NO_PING_SOCKETS = ("--sysctl", "net.ipv4.ping_group_range=1 0")
"""What makes ping use a raw socket, as engines before 20.10 and Kubernetes do."""


def check_static_go(run: Runner) -> None:
    with run.serve() as container:
        status, _, body = http_get(container, "/")
        assert (status, body[:15]) == (200, b"hello from uid ")
        assert http_get(container, "/missing")[0] == 404
        tokyo = http_get(container, "/tz?zone=Asia/Tokyo")
        assert tokyo[2] == b"1970-01-01 09:00:00 JST\n"
        assert http_get(container, "/tz?zone=Nowhere")[0] == 500
        assert b"127.0.0.1" in http_get(container, "/lookup?name=localhost")[2]
        assert http_get(container, "/lookup?name=no-such-host.invalid")[0] == 502


def check_cpp(run: Runner) -> None:
    output = run(flags=("--add-host", "minify.test:127.0.0.1"))
    lines = dict(line.split(" ", 1) for line in output.splitlines())
    assert (lines.pop("account") == "none") == _is_nameless(run)
    assert lines == {
        "locale": "de_DE.UTF-8",
        "time": "Donnerstag, 01. Januar 1970 01:00 CET",
        "localhost": "0",
        "invalid": "1",
        "exception": "thrown in a thread",
    }
    assert "minify.test 0" in run("report", "minify.test", flags=("--add-host", "minify.test:::1"))


def _is_nameless(run: Runner) -> bool:
    """Whether a number is told to run it, which has no entry in passwd."""
    return "--user" in run.flags


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
        _check_pages(container)


def _check_pages(container: Container) -> None:
    status, headers, body = http_get(container, "/")
    assert (status, headers["content-type"]) == (200, "text/html")
    assert body == b"<h1>hello from nginx</h1>\n"
    status, _, body = http_get(container, "/no/such/page")
    assert (status, body) == (404, b"<h1>nothing here</h1>\n")
    _, headers, body = http_get(container, "/style.css", {"Accept-Encoding": "gzip"})
    assert (headers["content-type"], headers["content-encoding"]) == ("text/css", "gzip")
    assert gzip.decompress(body) == b"body { color: black }\n" * 100
    status, _, body = http_get(container, "/style.css", {"Range": "bytes=0-3"})
    assert (status, body) == (206, b"body")


def check_nginx_entrypoint(run: Runner) -> None:
    with run.serve() as container:
        _check_pages(container)
        status, headers, body = http_get(container, "/", port=80)
        assert (status, body) == (200, b"<h1>hello from nginx</h1>\n")
        assert headers["x-token"] == "open-sesame"
        status, headers, body = https_get(container, "/no/such/page")
        assert (status, body) == (404, b"<h1>nothing here</h1>\n")
        assert headers["x-token"] == "open-sesame"
        assert http_get(container, "/", port=18081)[2] == b"hello from a template\n"


def check_redis(run: Runner) -> None:
    with run.serve() as container:
        _await("PONG", lambda: redis(container, "PING"))
        assert redis(container, "SET", "key", "value") == "OK"
        assert redis(container, "GET", "key") == "value"
        lua = 'return cjson.decode("[42]")[1]'
        assert redis(container, "EVAL", lua, "0") == "42"
        assert redis(container, "SAVE") == "OK"
        assert "redis_version" in redis(container, "INFO", "server")


def check_redis_entrypoint(run: Runner) -> None:
    password = SERVICE_PASSWORD
    with _volume(run, "/data") as volume:
        with run.serve(flags=volume) as container:
            _await("PONG", lambda: redis(container, "PING", password=password))
            assert redis(container, "PING") == "NOAUTH Authentication required."
            assert redis(container, "SET", "key", "value", password=password) == "OK"
            assert redis(container, "GET", "key", password=password) == "value"
            assert redis(container, "SAVE", password=password) == "OK"
        with run.serve(flags=volume) as container:
            _await("value", lambda: redis(container, "GET", "key", password=password))


def check_postgres_entrypoint(run: Runner) -> None:
    def ask(container: Container, query: str) -> list[str]:
        return postgres(container, query, password=SERVICE_PASSWORD)

    with _volume(run, "/var/lib/postgresql/data") as volume:
        with run.serve(flags=volume) as container:
            _await(["42"], lambda: ask(container, "SELECT 6 * 7"))
            assert ask(container, "CREATE TABLE kept AS SELECT 'value' AS key") == []
            # Two libraries that it loads: a dictionary, and a language.
            assert ask(container, "SELECT to_tsvector('english', 'many rats')") == [
                "'mani':1 'rat':2"
            ]
            assert ask(container, "DO 'BEGIN RAISE NOTICE ''hello''; END'") == []
            assert "failed" in postgres(container, "SELECT 1", password="wrong")[0]  # noqa: S106
        with run.serve(flags=volume) as container:
            _await(["value"], lambda: ask(container, "SELECT key FROM kept"))
            assert "appears to contain a database" in container.logs()


@contextmanager
def _volume(run: Runner, target: str) -> Iterator[tuple[str, ...]]:
    """The flags that mount a new volume, which is gone at the end."""
    name = run.engine("volume", "create")
    try:
        yield ("--volume", f"{name}:{target}")
    finally:
        run.engine("volume", "rm", name)


def _await(expected: object, ask: Callable[[], object]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while (answer := ask()) != expected:
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)


def check_login(run: Runner) -> None:
    with run.serve() as container:

        def session(command: str) -> str:
            return ssh(container, LOGIN, LOGIN_PASSWORD, command)

        assert session("id -un; pwd") == f"{LOGIN}\n/home/{LOGIN}"
        assert session("sudo -n id -u 2>/dev/null") == "0"
        assert session(f"echo {LOGIN_PASSWORD} | su - {LOGIN} -c 'id -un'") == LOGIN
        by_root = ("exec", container.identity, "su", "-", LOGIN, "-c", "sudo -n id -un 2>/dev/null")
        assert run.engine(*by_root) == "root"


def check_planted(run: Runner) -> None:
    lines = dict(line.split(" ", 1) for line in run().splitlines())
    assert lines["job"] == "hello from a closed file"


def check_ping(run: Runner) -> None:
    assert " 0% packet loss" in run(flags=NO_PING_SOCKETS)


def check_groups(run: Runner) -> None:
    assert run() == "to the team\n"


def check_musl(run: Runner) -> None:
    lines = dict(line.split(" ", 1) for line in run().splitlines())
    assert (lines.pop("account") == "none") == _is_nameless(run)
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
    "nginx-entrypoint": check_nginx_entrypoint,
    "redis": check_redis,
    "redis-entrypoint": check_redis_entrypoint,
    "postgres-entrypoint": check_postgres_entrypoint,
    "login": check_login,
    "planted": check_planted,
    "ping": check_ping,
    "musl": check_musl,
    "groups": check_groups,
    "bash-script": check_bash_script,
}
assert CHECKS.keys() == {name for name, recipe in RECIPES.items() if recipe.runs}
