"""Tokens, and who gets to see a secret."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from minify.errors import ImageError, UsageError
from minify.image import Image, Reference
from minify.transports.registry.authentication import Challenge, parse_challenges
from minify.transports.registry.credentials import Credentials, find_credentials
from minify.transports.registry.name import RegistryName, is_loopback
from minify.transports.registry.proxies import proxy_for
from transports import kit
from transports.kit import sample
from transports.registries import (
    BASIC,
    PASSWORD,
    USER,
    Answer,
    Exchange,
    Fault,
    Proxy,
    Registry,
    certificate,
    distribution,
    opened,
    written,
)

ONE = sample("one")


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No login, no proxy and no certificate of whoever runs the tests."""
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that lets everybody in, with `one:1`."""
    directory = tmp_path_factory.mktemp("registry")
    with distribution(directory / "storage") as started:
        source = kit.write_tree(directory / "one", kit.layout([ONE]))
        written(kit.opened(f"oci:{source}"), f"docker://{started.address}/one:1")
        yield started


@dataclass
class TokenServer:
    """Stands before a registry: it takes a token's bearer only, and gives the tokens out."""

    realm: str = "/token"
    expiry: int = -1
    """The number of the request at which all tokens of before end."""
    gives: bytes = b""
    """What it answers instead of a token."""
    given: int = 0
    good: set[str] = field(default_factory=set)
    requests: int = 0
    asked: list[Exchange] = field(default_factory=list)

    def faults(self, exchange: Exchange) -> Fault:
        path = urlsplit(exchange.path).path
        if path == "/token":
            return self._token(exchange)
        self.requests += 1
        if self.requests == self.expiry:
            self.good.clear()
        proof = exchange.headers.get("authorization", "")
        return None if proof in self.good else self._challenge(exchange)

    def _challenge(self, exchange: Exchange) -> Answer:
        realm = self.realm
        if realm.startswith("/"):
            realm = f"http://{exchange.headers['host']}{realm}"
        value = f'Bearer realm="{realm}",service="tests, registry",scope="repository:x/y:pull"'
        body = b'{"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}'
        return Answer(401, {"WWW-Authenticate": value}, body)

    def _token(self, exchange: Exchange) -> Answer:
        self.asked.append(exchange)
        if self.gives:
            return Answer(200, {}, self.gives)
        self.given += 1
        token = f"token-{self.given}"
        self.good |= {f"Bearer {token}"} if self.expiry else set()
        key = "access_token" if exchange.method == "POST" else "token"
        return Answer(200, {}, json.dumps({key: token, "expires_in": 300}).encode())


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return kit.opened(f"oci:{kit.write_tree(tmp_path / 'layout', kit.layout([ONE]))}")


def login(directory: Path, host: str, monkeypatch: pytest.MonkeyPatch, **entry: str) -> None:
    """What `docker login` leaves behind."""
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    document = {"auths": {host: entry or {"auth": auth}}}
    kit.write_tree(directory, {"config.json": json.dumps(document).encode()})
    monkeypatch.setenv("DOCKER_CONFIG", str(directory))


@pytest.mark.engine
def test_a_token_is_got_and_used_for_everything(registry: Registry, image: Image) -> None:
    server = TokenServer()
    with Proxy(registry.address, server.faults) as proxy:
        assert kit.is_whole(opened(f"docker://{proxy.address}/one:1"), ONE)
        (asked,) = server.asked
        assert parse_qs(urlsplit(asked.path).query) == {
            "service": ["tests, registry"],
            "scope": ["repository:one:pull", "repository:x/y:pull"],
        }
        assert "authorization" not in asked.headers
        written(image, f"docker://{proxy.address}/token/app:1")
        assert parse_qs(urlsplit(server.asked[1].path).query)["scope"] == [
            "repository:token/app:pull,push",
            "repository:x/y:pull",
        ]
        assert len(server.asked) == 2
        mounted = opened(f"docker://{proxy.address}/one:1")
        written(mounted, f"docker://{proxy.address}/token/mounted:1")
        assert parse_qs(urlsplit(server.asked[3].path).query)["scope"][:2] == [
            "repository:token/mounted:pull,push",
            "repository:one:pull",
        ]


@pytest.mark.engine
@pytest.mark.parametrize("expiry", range(3, 20))
def test_a_token_that_has_expired_is_replaced(
    expiry: int, registry: Registry, image: Image
) -> None:
    server = TokenServer(expiry=expiry)
    with Proxy(registry.address, server.faults) as proxy:
        assert kit.is_whole(opened(f"docker://{proxy.address}/one:1"), ONE)
        written(image, f"docker://{proxy.address}/expired/{expiry}:1")
    assert kit.is_whole(opened(f"docker://{registry.address}/expired/{expiry}:1"), ONE)
    assert server.requests >= expiry
    assert server.given in (2, 3)


@pytest.mark.engine
def test_a_token_that_is_never_taken_is_told(registry: Registry) -> None:
    server = TokenServer(expiry=0)
    with Proxy(registry.address, server.faults) as proxy:
        with pytest.raises(ImageError, match=r"401 UNAUTHORIZED: auth.*docker login 127\.0\.0\.1"):
            opened(f"docker://{proxy.address}/one:1")
        assert server.given == 2


@pytest.mark.engine
def test_user_and_password_go_to_the_token_server(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = TokenServer()
    with Proxy(registry.address, server.faults) as proxy:
        login(tmp_path, proxy.address, monkeypatch)
        assert kit.is_whole(opened(f"docker://{proxy.address}/one:1"), ONE)
        assert [one.headers["authorization"] for one in server.asked] == [BASIC]
        others = [one for one in proxy.seen if not one.path.startswith("/token")]
        assert all(one.headers.get("authorization") != BASIC for one in others)


@pytest.mark.engine
def test_an_identity_token_is_exchanged(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = TokenServer()
    with Proxy(registry.address, server.faults) as proxy:
        login(tmp_path, proxy.address, monkeypatch, auth="", identitytoken="long-lived")
        assert kit.is_whole(opened(f"docker://{proxy.address}/one:1"), ONE)
    (asked,) = server.asked
    assert (asked.method, urlsplit(asked.path).query) == ("POST", "")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in asked.headers


@pytest.mark.engine
@pytest.mark.parametrize(
    ("gives", "said"),
    [
        (b"{}", "has no token in it"),
        (b"<html>", "is no JSON document"),
        (b'{"token": "a\\r\\nHost: b"}', "has no token in it"),
        (b'{"token": 1}', "'token' is a number"),
        (b" " * 2_000_000, "is larger than 1,048,576 bytes"),
    ],
)
def test_what_is_no_token_is_told(gives: bytes, said: str, registry: Registry) -> None:
    with Proxy(registry.address, TokenServer(gives=gives).faults) as proxy:
        with pytest.raises(ImageError, match=said) as caught:
            opened(f"docker://{proxy.address}/one:1")
        assert str(caught.value).startswith(f"docker://{proxy.address}/one:1: the token that ")


@pytest.mark.engine
@pytest.mark.parametrize("realm", ["file:///etc/passwd", "x", "http://[::1/"])
def test_a_realm_that_is_no_url_is_told(realm: str, registry: Registry) -> None:
    with (
        Proxy(registry.address, TokenServer(realm=realm).faults) as proxy,
        pytest.raises(ImageError, match=r"asks for a token from '.*'; expected a URL"),
    ):
        opened(f"docker://{proxy.address}/one:1")


@pytest.mark.engine
def test_a_secret_does_not_leave_tls(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = certificate(tmp_path / "tls", "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.ca))
    with Proxy(registry.address) as plain:
        server = TokenServer(realm=f"http://{plain.address}/token")
        with Proxy(registry.address, server.faults, tls) as proxy:
            login(tmp_path, proxy.address, monkeypatch)
            with pytest.raises(ImageError, match=r"asks for credentials at http://127.*encrypted"):
                opened(f"docker://{proxy.address}/one:1")

        def redirect(_: Exchange) -> Fault:
            return Answer(307, {"Location": f"http://{plain.address}/v2/one/manifests/1"})

        with (
            Proxy(registry.address, redirect, tls) as proxy,
            pytest.raises(ImageError, match=r"redirects to http://127.*, which is not encrypted"),
        ):
            opened(f"docker://{proxy.address}/one:1")
        assert plain.seen == []


@pytest.mark.engine
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_secret_does_not_follow_a_redirect(
    status: int, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(registry.address) as storage:

        def elsewhere(exchange: Exchange) -> Fault:
            if exchange.headers.get("authorization") != BASIC:
                return Answer(401, {"WWW-Authenticate": 'Basic realm="tests"'})
            if "/blobs/" in exchange.path:
                return Answer(status, {"Location": f"http://{storage.address}{exchange.path}"})
            return None

        with Proxy(registry.address, elsewhere) as proxy:
            login(tmp_path, proxy.address, monkeypatch)
            assert kit.is_whole(opened(f"docker://{proxy.address}/one:1"), ONE)
    assert storage.count("GET", "/blobs/") == 4
    assert [one for one in storage.seen if "authorization" in one.headers] == []


@pytest.mark.engine
def test_a_storage_that_refuses_is_named(registry: Registry) -> None:
    with Proxy(registry.address, lambda _: Answer(403)) as storage:

        def elsewhere(exchange: Exchange) -> Fault:
            if "/blobs/" not in exchange.path:
                return None
            return Answer(307, {"Location": f"http://{storage.address}{exchange.path}"})

        with Proxy(registry.address, elsewhere) as proxy:
            said = f"{storage.address}, where {proxy.address} leads to, does not have the config"
            with pytest.raises(ImageError, match=said):
                opened(f"docker://{proxy.address}/one:1")


@pytest.mark.engine
def test_who_does_not_answer_is_named(registry: Registry) -> None:
    """Nothing listens on port 1."""
    server = TokenServer(realm="http://127.0.0.1:1/token")
    with (
        Proxy(registry.address, server.faults) as proxy,
        pytest.raises(ImageError, match=r": 127\.0\.0\.1:1 does not answer \(Connection refused"),
    ):
        opened(f"docker://{proxy.address}/one:1")
    elsewhere = Answer(307, {"Location": "http://user:secret@127.0.0.1:1/blob"})
    with (
        Proxy(registry.address, lambda _: elsewhere) as proxy,
        pytest.raises(ImageError, match=r": 127\.0\.0\.1:1 does not answer \(Connection refused"),
    ):
        opened(f"docker://{proxy.address}/one:1")


# -- without a registry ---------------------------------------------------------------------------


def name_of(text: str) -> RegistryName:
    return RegistryName.of(Reference.parse(text))


@pytest.mark.parametrize(
    ("text", "address", "repository", "manifest"),
    [
        ("docker://nginx", "registry-1.docker.io", "library/nginx", "latest"),
        ("docker://nginx:1", "registry-1.docker.io", "library/nginx", "1"),
        ("docker://docker.io/nginx", "registry-1.docker.io", "library/nginx", "latest"),
        ("docker://index.docker.io/a/b:c", "registry-1.docker.io", "a/b", "c"),
        ("docker://a/b", "registry-1.docker.io", "a/b", "latest"),
        ("docker://localhost/b", "localhost", "b", "latest"),
        ("docker://localhost:5000/b", "localhost:5000", "b", "latest"),
        ("docker://HOST/b", "HOST", "b", "latest"),
        ("docker://host.example/a/b/c:d", "host.example", "a/b/c", "d"),
        ("docker://[::1]:5000/b:c", "[::1]:5000", "b", "c"),
        (
            f"docker://a:b@sha256:{'1' * 64}",
            "registry-1.docker.io",
            "library/a",
            f"sha256:{'1' * 64}",
        ),
    ],
)
def test_names_as_docker_reads_them(
    text: str, address: str, repository: str, manifest: str
) -> None:
    name = name_of(text)
    assert (name.address, name.repository, name.manifest) == (address, repository, manifest)


@pytest.mark.parametrize(
    "text", ["docker://host/App", "docker://a@sha256:" + "A" * 64, "docker:///"]
)
def test_what_is_no_name_is_told(text: str) -> None:
    with pytest.raises(UsageError):
        name_of(text)


def test_loopback_is_told_without_asking() -> None:
    addresses = [
        "localhost",
        "localhost:5000",
        "a.localhost",
        "127.0.0.1:1",
        "127.9.9.9",
        "[::1]:5",
    ]
    assert [one for one in addresses if not is_loopback(one)] == []
    addresses = ["localhost.example", "10.0.0.1:80", "[::2]", "127.0.0.1.example", "docker.io"]
    assert [one for one in addresses if is_loopback(one)] == []


def test_challenges_are_read() -> None:
    headers = [
        'Basic realm="a", Bearer realm="https://b/t?x=1,2",service="q\\"r",scope=s',
        "Negotiate",
    ]
    assert parse_challenges(headers) == [
        Challenge("basic", {"realm": "a"}),
        Challenge("bearer", {"realm": "https://b/t?x=1,2", "service": 'q"r', "scope": "s"}),
        Challenge("negotiate", {}),
    ]
    assert parse_challenges(["", "=", ",,,", 'realm="x"']) == []


def test_no_proxy_is_read_as_docker_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "a.example,.b.example, 10.0.0.0/8,c.example:5000,192.0.2.1")
    direct = ["a.example", "x.a.example:443", "x.b.example", "10.1.2.3:5000", "c.example:5000"]
    direct += ["192.0.2.1:80", "localhost:5000", "127.0.0.1"]
    assert [one for one in direct if proxy_for("https", one)] == []
    proxied = ["b.example", "aa.example", "11.1.2.3", "c.example:443", "192.0.2.10"]
    assert {proxy_for("https", one) for one in proxied} == {"http://proxy.example:3128"}
    assert proxy_for("http", "b.example") is None
    monkeypatch.setenv("NO_PROXY", "*")
    assert proxy_for("https", "b.example") is None


def auths(**entries: str) -> bytes:
    """A configuration with a user for each key; `__` is written for a slash, `_` for a dot."""
    document = {
        key.replace("__", "/").replace("_", "."): {
            "auth": base64.b64encode(f"{user}:secret".encode()).decode()
        }
        for key, user in entries.items()
    }
    return json.dumps({"auths": document}).encode()


def test_the_most_specific_credentials_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    kit.write_tree(
        tmp_path,
        {
            "docker/config.json": auths(a_example="host", a_example__x="x", a_example__x__y="xy"),
            "run/containers/auth.json": auths(a_example__z="z", b_example="b"),
            "home/.config/containers/auth.json": auths(c_example="c"),
        },
    )

    def user(text: str) -> str:
        found = find_credentials(name_of(text))
        return found.user if found else ""

    assert {
        text: user(f"docker://{text}")
        for text in (
            "a.example/q",
            "a.example/x/q",
            "a.example/x/y/q",
            "a.example/x/y",
            "a.example/z",
            "b.example/z",
            "c.example/z",
            "d.example/z",
            "nginx",
        )
    } == {
        "a.example/q": "host",
        "a.example/x/q": "x",
        "a.example/x/y/q": "xy",
        "a.example/x/y": "xy",
        "a.example/z": "host",
        "b.example/z": "b",
        "c.example/z": "c",
        "d.example/z": "",
        "nginx": "",
    }
    only = kit.write_file(tmp_path / "only.json", auths(d_example="d"))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(only))
    assert (user("docker://a.example/q"), user("docker://d.example/q")) == ("", "d")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "none"))
    with pytest.raises(ImageError, match=r"REGISTRY_AUTH_FILE .*none cannot be read: No such file"):
        user("docker://a.example/q")


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io"])
def test_docker_hub_has_many_names(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login(tmp_path, key, monkeypatch)
    for text in ("docker://nginx", "docker://docker.io/a/b", "docker://registry-1.docker.io/a/b"):
        assert find_credentials(name_of(text)) == Credentials(USER, PASSWORD)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"[]", "config.json is no JSON object but an array"),
        (b'{"auths": []}', "'auths' is an array; expected an object"),
        (b'{"auths": {"a.example": {"auth": "%"}}}', "auth is no base64"),
        (b'{"auths": {"a.example": {"auth": 1}}}', "'auth' is a number; expected a string"),
        (b'{"auths": {"a.example": []}}', "'a.example' is an array"),
        (b" " * (5 << 20), "is larger than"),
    ],
)
def test_a_damaged_configuration_is_told(
    document: bytes, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_bytes(document)
    with pytest.raises(ImageError, match=said):
        find_credentials(name_of("docker://a.example/b"))


@pytest.mark.parametrize(
    ("server", "calls"), [("https://index.docker.io/v1/", 1), ("docker.io", 2)]
)
def test_a_store_is_asked_by_dockers_own_key_first(
    server: str, calls: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = json.dumps({"Username": "<token>", "Secret": "long-lived"})
    helper = kit.write_file(
        tmp_path / "docker-credential-tests",
        f"#!/bin/sh\nread -r server\necho >>{tmp_path}/calls\n"
        f'[ "$server" = "{server}" ] || {{ echo credentials not found; exit 1; }}\n'
        f"echo '{answer}'\n".encode(),
    )
    helper.chmod(0o755)
    (tmp_path / "config.json").write_text('{"credsStore": "tests"}')
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert find_credentials(name_of("docker://nginx")) == Credentials(identity_token="long-lived")  # noqa: S106
    assert len((tmp_path / "calls").read_text()) == calls


def test_a_secret_is_in_no_repr() -> None:
    assert PASSWORD not in repr(Credentials(USER, PASSWORD, PASSWORD))
