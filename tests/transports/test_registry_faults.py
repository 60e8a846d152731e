"""What goes wrong between a registry and us: the job ends right, or with one clear line."""

from __future__ import annotations

import errno
import gc
import itertools
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from minify.errors import ImageError, MinifyError, OutputError
from minify.image import Image, Reference
from minify.transports import OpenOptions, WriteOptions
from minify.transports.registry import pull, push
from transports import kit
from transports.registries import (
    QUICK,
    Answer,
    Change,
    Cut,
    Exchange,
    Fault,
    Faults,
    Hang,
    Proxy,
    Registry,
    Relocate,
    distribution,
    opened,
    written,
)

pytestmark = pytest.mark.engine

# One layer, too large for one read, and nothing that can be compressed.
BIG_LAYER = kit.tar({"big": random.Random(7).randbytes(1_000_000)})  # noqa: S311 (no secret)
BIG = kit.Sample(
    json.dumps(
        {
            "os": "linux",
            "architecture": "amd64",
            "rootfs": {"type": "layers", "diff_ids": [kit.digest(BIG_LAYER)]},
        }
    ).encode(),
    (BIG_LAYER,),
    "linux/amd64",
)
LAYER = rf"/blobs/{kit.digest(BIG_LAYER)}$"


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No login of whoever runs the tests."""
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return kit.opened(f"oci:{kit.write_tree(tmp_path_factory.mktemp('big'), kit.layout([BIG]))}")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, big: Image) -> Iterator[Registry]:
    """A registry with `big:1`."""
    with distribution(tmp_path_factory.mktemp("registry") / "storage") as started:
        written(big, f"docker://{started.address}/big:1")
        yield started


@pytest.fixture
def faulty(registry: Registry) -> Iterator[Callable[[Faults], Proxy]]:
    """`faulty(faults)` is a proxy before the registry."""
    proxies: list[Proxy] = []

    def start(faults: Faults) -> Proxy:
        proxies.append(Proxy(registry.address, faults).__enter__())
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.__exit__(None, None, None)


Faulty = Callable[[Faults], Proxy]


def of(method: str, path: str, *faults: Fault, always: bool = False) -> Faults:
    """The faults, one after the other, of requests that match; the last for ever if `always`."""
    left = list(faults)

    def next_fault(exchange: Exchange) -> Fault:
        if exchange.method != method or not matches(path, exchange.path) or not left:
            return None
        return left[0] if always and len(left) == 1 else left.pop(0)

    return next_fault


def matches(pattern: str, path: str) -> bool:
    return pattern in path or path.endswith(pattern.removesuffix("$"))


def refusal(attempt: Callable[[], object]) -> str:
    with pytest.raises(MinifyError) as caught:
        attempt()
    assert isinstance(caught.value, ImageError | OutputError)
    assert len(caught.value.lines) == 1
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_download_goes_on_where_it_was_cut(faulty: Faulty) -> None:
    size = len(BIG_LAYER)
    cuts = [Cut(size // 10) for _ in range(12)]
    proxy = faulty(of("GET", LAYER, *cuts))
    assert kit.is_whole(opened(f"docker://{proxy.address}/big:1"), BIG)
    asked = [one.headers.get("range", "") for one in proxy.seen if matches(LAYER, one.path)]
    assert len(asked) >= 10
    assert asked[0] == ""
    starts = [int(text.removeprefix("bytes=").removesuffix("-")) for text in asked[1:]]
    assert starts == sorted(set(starts))


@pytest.mark.parametrize("tenth", range(10))
def test_a_cut_at_every_tenth_is_survived(tenth: int, faulty: Faulty) -> None:
    proxy = faulty(of("GET", LAYER, Cut(len(BIG_LAYER) * tenth // 10)))
    assert kit.is_whole(opened(f"docker://{proxy.address}/big:1"), BIG)
    assert proxy.count("GET", "/blobs/") == 3


def test_a_registry_that_ignores_range_is_read_from_the_start(
    faulty: Faulty, registry: Registry
) -> None:
    def faults(exchange: Exchange) -> Fault:
        if not matches(LAYER, exchange.path):
            return None
        if "range" in exchange.headers:
            return Answer(200, {}, BIG_LAYER)
        return Cut(len(BIG_LAYER) // 2)

    proxy = faulty(faults)
    assert kit.is_whole(opened(f"docker://{proxy.address}/big:1"), BIG)
    assert registry.tags("big")


def test_a_range_that_was_not_asked_for_is_refused(faulty: Faulty) -> None:
    def faults(exchange: Exchange) -> Fault:
        if not matches(LAYER, exchange.path):
            return None
        if "range" in exchange.headers:
            return Answer(206, {"Content-Range": "bytes 7-9/10"}, b"xxx")
        return Cut(10)

    proxy = faulty(faults)
    assert "the registry sent 'bytes 7-9/10'" in refusal(
        lambda: opened(f"docker://{proxy.address}/big:1")
    )


def test_a_connection_that_is_always_cut_is_told(faulty: Faulty) -> None:
    proxy = faulty(of("GET", LAYER, Cut(0), always=True))
    said = refusal(lambda: opened(f"docker://{proxy.address}/big:1"))
    assert "cut the connection" in said
    assert said.endswith("tried 4 times")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("path", ["/manifests/1", LAYER])
def test_a_passing_trouble_is_waited_for(status: int, path: str, faulty: Faulty) -> None:
    answer = Answer(status, {"Retry-After": "0"})
    proxy = faulty(of("GET", path, answer, answer))
    assert kit.is_whole(opened(f"docker://{proxy.address}/big:1"), BIG)


def test_the_registrys_own_delay_is_kept(faulty: Faulty) -> None:
    proxy = faulty(of("GET", "/manifests/1", Answer(429, {"Retry-After": "1"})))
    started = time.monotonic()
    assert kit.is_whole(opened(f"docker://{proxy.address}/big:1"), BIG)
    assert time.monotonic() - started >= 1  # the clock is the same, and waits are never shorter


@pytest.mark.parametrize("delay", ["3600", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_delay_that_is_too_long_is_told_at_once(delay: str, faulty: Faulty) -> None:
    body = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "slow down"}]}'
    proxy = faulty(
        of("GET", "/manifests/1", Answer(429, {"Retry-After": delay}, body), always=True)
    )
    said = refusal(lambda: opened(f"docker://{proxy.address}/big:1"))
    assert "gets too many requests (429 TOOMANYREQUESTS: slow down)" in said
    assert f"docker login {proxy.address}; it asks to wait for " in said
    assert proxy.count("GET", "/manifests/") == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(401), "does not have the manifest without a login that it knows (401): docker log"),
        (
            Answer(403, {}, b'{"errors": [{"code": "DENIED", "message": "not\\u0000yours"}]}'),
            "does not have the manifest (403 DENIED: not",
        ),
        (Answer(404, {}, b"<html>"), "does not have the manifest (404); check the name 127.0.0.1:"),
        (Answer(500), "is in trouble (500); try again later; tried 4 times"),
        (Answer(418), "does not have the manifest (418)"),
        (Answer(302, {"Location": "/v2/big/manifests/1"}), "redirects more than 5 times"),
        (Answer(302, {"Location": "file:///etc/passwd"}), "does not answer as a registry"),
        (Answer(302, {"Location": "http://[::1/"}), "which is no URL"),
        (Answer(200, {}, b"{"), "is no JSON document"),
        (Answer(200, {}, b"[" * 90_000), "is no"),
        (Answer(200, {}, b" " * (5 << 20)), "is larger than 4,194,304 bytes"),
        (Answer(200, {"Docker-Content-Digest": "sha256:" + "1" * 64}, b"{}"), "is damaged"),
        (Answer(200, {}, b"{}", length=99), "cut the connection"),
    ],
)
def test_each_refusal_is_one_line(answer: Answer, said: str, faulty: Faulty) -> None:
    proxy = faulty(of("GET", "/manifests/1", answer, always=True))
    name = f"docker://{proxy.address}/big:1"
    text = refusal(lambda: opened(name))
    assert text.startswith(f"{name}: ")
    assert said in text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (lambda data: data[:-1] + b"x", "layer 1 of 1 (sha256:"),
        (lambda data: data + b"x", "is longer than the"),
        (lambda data: data[:-1], "ends after"),
        (lambda _: b"", "ends after 0 of"),
    ],
)
def test_a_layer_of_other_bytes_is_never_taken(
    body: Callable[[bytes], bytes], said: str, faulty: Faulty
) -> None:
    proxy = faulty(of("GET", LAYER, Change(body), always=True))
    text = refusal(lambda: opened(f"docker://{proxy.address}/big:1"))
    assert said in text


def test_a_manifest_or_config_of_other_bytes_is_never_taken(
    faulty: Faulty, registry: Registry
) -> None:
    digest = registry.tags("big")["1"]
    for path in (f"/manifests/{digest}", f"/blobs/{BIG.id}"):
        proxy = faulty(of("GET", path, Change(lambda data: data[:-1] + b" "), always=True))
        assert "is damaged: its digest is" in refusal(
            lambda: opened(f"docker://{proxy.address}/big@{digest}")  # noqa: B023
        )


def test_a_registry_that_falls_silent_is_not_waited_for_ever(faulty: Faulty) -> None:
    patience = replace(QUICK, read=0.2, attempts=2)
    proxy = faulty(of("GET", LAYER, Hang(1000), always=True))
    said = refusal(lambda: opened(f"docker://{proxy.address}/big:1", patience=patience))
    assert "does not answer (" in said
    proxy = faulty(of("GET", LAYER, Hang(400_000)))
    patience = replace(QUICK, read=1)
    assert kit.is_whole(opened(f"docker://{proxy.address}/big:1", patience=patience), BIG)


def test_ctrl_c_ends_a_download_that_waits(faulty: Faulty) -> None:
    proxy = faulty(of("GET", LAYER, Hang(1000), always=True))

    def interrupt() -> None:
        while not proxy.count("GET", "/blobs/") or threading.active_count() < 2:
            proxy.ended.wait(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    waiting = threading.Thread(target=interrupt)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        waiting.start()
        with pytest.raises(KeyboardInterrupt):
            opened(f"docker://{proxy.address}/big:1")
    finally:
        waiting.join()
        signal.signal(signal.SIGINT, handler)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("127.0.0.1:1", "does not answer (Connection refused)"),
        ("registry.invalid", "there is no host registry.invalid"),
    ],
)
def test_a_registry_that_is_not_there_is_told(host: str, said: str, big: Image) -> None:
    for attempt in (
        lambda: opened(f"docker://{host}/app:1"),
        lambda: written(big, f"docker://{host}/app:1"),
        lambda: push.check_output(Reference.parse(f"docker://{host}/app:1"), WriteOptions(), QUICK),
    ):
        assert said in refusal(attempt)


# -- writing --------------------------------------------------------------------------------------


_numbers = itertools.count()


def fresh() -> str:
    """A repository that no other test has."""
    return f"fresh/{next(_numbers)}"


@pytest.mark.parametrize("tenth", range(10))
def test_an_upload_that_is_cut_begins_again(
    tenth: int, faulty: Faulty, big: Image, registry: Registry
) -> None:
    name = fresh()
    cut = Cut(len(BIG_LAYER) * tenth // 10, of_request=True)
    proxy = faulty(of("PUT", "/blobs/uploads/", cut))
    result = written(big, f"docker://{proxy.address}/{name}:1")
    assert registry.tags(name) == {"1": str(result.manifest_digest)}
    assert kit.is_whole(opened(f"docker://{registry.address}/{name}:1"), BIG)


@pytest.mark.parametrize("path", ["/blobs/uploads/", "/manifests/1"])
@pytest.mark.parametrize("status", [403, 500])
def test_a_push_that_fails_moves_no_tag(
    status: int, path: str, faulty: Faulty, big: Image, registry: Registry
) -> None:
    name = fresh()
    proxy = faulty(of("PUT", path, Answer(status), always=True))
    said = refusal(lambda: written(big, f"docker://{proxy.address}/{name}:1"))
    assert said.startswith(f"docker://{proxy.address}/{name}:1 cannot be written: ")
    assert f"({status})" in said
    assert registry.tags(name) == {}


def test_the_manifest_comes_last(faulty: Faulty, big: Image) -> None:
    proxy = faulty(lambda _: None)
    written(big, f"docker://{proxy.address}/{fresh()}:1")
    puts = [one.path for one in proxy.seen if one.method == "PUT"]
    assert [path.endswith("/manifests/1") for path in puts] == [False, False, True]
    assert proxy.seen[-1].path.endswith("/manifests/1")


def test_a_registry_that_rewrites_manifests_is_told(faulty: Faulty, big: Image) -> None:
    header = {"docker-content-digest": "sha256:" + "1" * 64}
    proxy = faulty(of("PUT", "/manifests/1", Change(headers=header)))
    said = refusal(lambda: written(big, f"docker://{proxy.address}/{fresh()}:1"))
    assert "made another manifest of it: sha256:1111" in said


def test_a_blob_that_is_too_large_for_one_request_goes_in_chunks(
    faulty: Faulty, big: Image, registry: Registry
) -> None:
    name = fresh()
    faults = [of("PUT", "/blobs/uploads/", Answer(413)), of("PATCH", "", None, Cut(99_999, True))]

    def both(exchange: Exchange) -> Fault:
        if int(exchange.headers.get("content-length", "0")) < 10_000:
            return None  # the config
        return next((fault for one in faults if (fault := one(exchange))), None)

    proxy = faulty(both)
    written(big, f"docker://{proxy.address}/{name}:1")
    assert kit.is_whole(opened(f"docker://{registry.address}/{name}:1"), BIG)
    assert proxy.count("PATCH", "/uploads/") >= 3
    assert proxy.count("GET", "/uploads/") == 1


def test_locations_may_be_relative(faulty: Faulty, big: Image, registry: Registry) -> None:
    def faults(exchange: Exchange) -> Fault:
        return Relocate() if exchange.method in ("POST", "PATCH") else None

    name = fresh()
    proxy = faulty(faults)
    written(big, f"docker://{proxy.address}/{name}:1")
    assert kit.is_whole(opened(f"docker://{registry.address}/{name}:1"), BIG)
    assert "_state=" in next(one.path for one in proxy.seen if one.method == "PUT")


def test_a_full_disk_is_told(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    path = tmp_path / "tiny"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "minify-test", str(path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        monkeypatch.setattr("tempfile.tempdir", str(path))
        said = refusal(lambda: opened(f"docker://{registry.address}/big:1"))
        assert os.strerror(errno.ENOSPC) in said
        assert "set TMPDIR" in said
        assert list(path.iterdir()) == []
    finally:
        gc.collect()  # the error had the temporary file in its traceback
        subprocess.run(["umount", str(path)], check=True)


def test_options_reach_the_registry(registry: Registry) -> None:
    name = Reference.parse(f"docker://{registry.address}/big:1")
    assert kit.is_whole(pull.open_image(name, OpenOptions(tls_verify=False), QUICK), BIG)


def test_what_the_check_refuses_gets_no_tag(faulty: Faulty, big: Image, registry: Registry) -> None:
    name = fresh()
    reached = threading.Event()

    def faults(exchange: Exchange) -> Fault:
        if exchange.method != "PUT":
            return None
        reached.set()
        return Hang(0)

    def check() -> None:
        assert reached.wait(60)  # the bytes are on their way
        raise OutputError("it is not what was planned")

    proxy = faulty(faults)
    target = Reference.parse(f"docker://{proxy.address}/{name}:1")
    said = refusal(lambda: push.write_image(big, target, WriteOptions(check=check), QUICK))
    assert said == "it is not what was planned"
    assert registry.tags(name) == {}
    assert proxy.count("PUT", "/manifests/") == 0
