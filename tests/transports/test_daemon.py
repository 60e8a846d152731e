"""The docker daemon and podman's API as a source and as an output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import docker_engine, podman_engine
from images.engines import Engine

from minify.errors import ImageError, MinifyError, OutputError, UsageError
from minify.image import Digest, Image, ImageConfig, Platform, Reference
from minify.image.blob import BytesBlob
from minify.progress import Advance
from minify.transports import OpenOptions, Pull, WriteOptions, check_output, open_image
from transports import kit
from transports.kit import opened, sample, written
from transports.registries import Registry, distribution, fill

ONE, TWO = sample("one"), sample("two")
# Without the layer in zstd, which docker 20.10 does not know.
ONE_GZIP, ARM_GZIP = sample("one", layers=2), sample("arm", "linux/arm64", layers=2)
PUSHED = kit.multi_platform([ONE_GZIP, ARM_GZIP], "1", attested=False)


@dataclass(frozen=True)
class Daemon:
    """One of the engines, which DOCKER_HOST names while a test uses this."""

    kind: str
    run: Engine

    def images(self) -> dict[str, str]:
        """Name → id of all images, the unnamed ones by their id."""
        lines = self.run("images", "--all", "--no-trunc", "--format", "{{json .}}").splitlines()
        found = {}
        for image in map(json.loads, lines):
            image_id = f"sha256:{image['ID'].removeprefix('sha256:')}"
            name = f"{image['Repository']}:{image['Tag']}"
            found[image_id if "<none>" in name else name] = image_id
        return found


# Engines of their own: these tests look at all images of one, and remove them.
@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    with docker_engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def podman() -> Iterator[Engine]:
    with podman_engine() as engine:
        yield engine


@pytest.fixture(params=["docker", "podman"])
def daemon(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    engine: Engine = request.getfixturevalue(request.param)
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.setenv("DOCKER_CONFIG", "/nonexistent/minify-tests")
    yield Daemon(request.param, engine)
    for image_id in set(engine("images", "--all", "--quiet", "--no-trunc").split()):
        engine.try_run("rmi", "--force", image_id)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return opened(f"oci:{kit.write_tree(tmp_path / 'layout', kit.layout([ONE]))}")


@pytest.mark.engine
def test_an_image_goes_in_and_comes_out_unchanged(daemon: Daemon, image: Image) -> None:
    reference = "docker-daemon:host.example/lib/app:1"
    check_output(Reference.parse(reference), WriteOptions())
    result = written(image, reference)
    assert (result.reference, result.image_id) == (reference, Digest.parse(ONE.id))
    assert daemon.images() == {"host.example/lib/app:1": ONE.id}
    digits = ONE.id.removeprefix("sha256:")
    for name in ("host.example/lib/app:1", ONE.id, digits, digits[:12]):
        again = opened(f"docker-daemon:{name}")
        assert kit.is_whole(again, ONE)
        assert again.layers[0].name.startswith(f"docker-daemon:{name}: layer 1 of 3 (sha256:")
    assert kit.is_whole(opened("host.example/lib/app:1"), ONE)
    shown = json.loads(daemon.run("inspect", ONE.id))[0]
    assert shown["RootFS"]["Layers"] == ONE.diff_ids
    assert shown["Config"]["Labels"] == {"text": "one"}


FILES = {
    "docker-archive": "docker-archive:{}/out-docker.tar:slim:1",
    "oci": "oci:{}/out-layout:slim",
    "oci-archive": "oci-archive:{}/out-oci.tar:slim",
}


@pytest.mark.engine
@pytest.mark.parametrize("medium", FILES)
def test_every_file_medium_goes_through_the_daemon(
    medium: str, daemon: Daemon, image: Image, tmp_path: Path
) -> None:
    file = FILES[medium].format(tmp_path)
    written(image, file)
    written(opened(file), "docker-daemon:through")
    assert set(daemon.images().values()) == {ONE.id}
    written(opened("docker-daemon:through:latest"), file, force=True)
    assert kit.is_whole(opened(file), ONE)


@pytest.mark.engine
def test_the_daemon_loads_what_was_written(daemon: Daemon, image: Image, tmp_path: Path) -> None:
    written(image, f"docker-archive:{tmp_path}/a.tar:app:7")
    daemon.run("load", "--input", f"{tmp_path}/a.tar")
    assert set(daemon.images().values()) == {ONE.id}
    assert kit.is_whole(opened("docker-daemon:app:7"), ONE)


@pytest.mark.engine
def test_what_the_daemon_saves_is_read(daemon: Daemon, tmp_path: Path) -> None:
    for one in (ONE, TWO):
        path = kit.write_tree(tmp_path / one.id, kit.layout([one]))
        written(
            opened(f"oci:{path}"),
            f"docker-daemon:app:{json.loads(one.config)['config']['Labels']['text']}",
        )
    names = sorted(daemon.images())
    daemon.run("save", "--output", f"{tmp_path}/two.tar", *names)
    found = [opened(f"docker-archive:{tmp_path}/two.tar:{name}") for name in names]
    assert {str(image.config.digest) for image in found} == {ONE.id, TWO.id}
    with pytest.raises(ImageError, match="holds several images"):
        opened(f"docker-archive:{tmp_path}/two.tar")


@pytest.mark.engine
def test_the_tag_moves_and_the_older_image_stays(daemon: Daemon, tmp_path: Path) -> None:
    for one in (ONE, TWO):
        written(opened(f"oci:{kit.write_tree(tmp_path / one.id, kit.layout([one]))}"), "app:1")
    images = daemon.images()
    assert set(images.values()) == {ONE.id, TWO.id}
    assert [image_id for name, image_id in images.items() if name.endswith("app:1")] == [TWO.id]


def damaged(image: Image) -> Image:
    first, second, third = image.layers
    broken = BytesBlob(second.blob.open().read(99) + b"x")
    return replace(image, layers=(first, replace(second, blob=broken), third))


def mislabelled(image: Image) -> Image:
    """An image whose config names another layer than it has: an engine finds that out."""
    raw: Any = json.loads(ONE.config)
    raw["rootfs"]["diff_ids"][1] = kit.digest(b"another")
    return replace(image, config=ImageConfig.new(raw, "config"))


@pytest.mark.engine
def test_a_failed_load_leaves_the_daemon_as_it_was(
    daemon: Daemon, image: Image, tmp_path: Path
) -> None:
    written(opened(f"oci:{kit.write_tree(tmp_path / 'two', kit.layout([TWO]))}"), "app:1")
    before = daemon.images()
    with pytest.raises(ImageError, match="is damaged"):
        written(damaged(image), "docker-daemon:app:1")
    if daemon.kind == "docker":  # podman believes the config
        with pytest.raises(OutputError, match=r"docker-daemon:app:1 cannot be loaded: .*"):
            written(mislabelled(image), "docker-daemon:app:1")
    assert daemon.images() == before


@pytest.mark.engine
def test_an_interrupted_load_removes_only_what_is_new(
    daemon: Daemon, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("docker.APIClient.tag", interrupted)
    with pytest.raises(KeyboardInterrupt):
        written(image, "docker-daemon:app:1")
    assert daemon.images() == {}
    monkeypatch.undo()
    monkeypatch.setenv("DOCKER_HOST", daemon.run.host)
    written(image, "docker-daemon:app:1")
    monkeypatch.setattr("docker.APIClient.tag", interrupted)
    with pytest.raises(KeyboardInterrupt):
        written(image, "docker-daemon:app:2")
    assert set(daemon.images().values()) == {ONE.id}


def open_with(name: str, pull: Pull, platform: str = "") -> Image:
    wanted = Platform.parse(platform) if platform else None
    return open_image(Reference.parse(name), OpenOptions(platform=wanted, pull=pull))


@pytest.mark.engine
def test_what_is_not_there_is_told(daemon: Daemon) -> None:
    with pytest.raises(ImageError, match=r"has no such image; --pull missing lets"):
        open_with("docker-daemon:none:1", Pull.NEVER)
    # Nothing listens on port 1, so the pull is tried and fails.
    with pytest.raises(
        ImageError,
        match=r"the daemon has no image localhost:1/none:1, and pulling it failed: .*refused",
    ):
        open_with("docker-daemon:localhost:1/none:1", Pull.MISSING)
    with pytest.raises(ImageError, match="an id cannot be pulled"):
        open_with(f"docker-daemon:{TWO.id}", Pull.MISSING)
    with pytest.raises(UsageError):
        open_with("docker-daemon:../containers/json", Pull.NEVER)
    assert daemon.images() == {}


@pytest.mark.engine
def test_always_asks_the_registry(daemon: Daemon, image: Image) -> None:
    written(image, "localhost:1/app:1")
    assert kit.is_whole(open_with("docker-daemon:localhost:1/app:1", Pull.MISSING), ONE)
    with pytest.raises(ImageError, match="cannot be pulled"):
        open_with("docker-daemon:localhost:1/app:1", Pull.ALWAYS)
    assert set(daemon.images()) == {"localhost:1/app:1"}


@pytest.mark.engine
def test_a_name_that_can_move_is_refused_where_a_digest_is_required(
    daemon: Daemon, image: Image
) -> None:
    written(image, "docker-daemon:app:1")
    for name in ("app:1", "docker-daemon:app:1"):
        with pytest.raises(UsageError) as caught:
            open_image(Reference.parse(name), OpenOptions(require_digest=True))
        paste = str(caught.value).rpartition(" ")[2]
        assert paste == f"docker-daemon:{ONE.id}"
        again = open_image(Reference.parse(paste), OpenOptions(require_digest=True))
        assert kit.is_whole(again, ONE)
    assert daemon.images()


@pytest.mark.engine
def test_the_platform_of_the_daemons_image_must_match(daemon: Daemon, image: Image) -> None:
    written(image, "docker-daemon:app:1")
    assert kit.is_whole(open_with("docker-daemon:app:1", Pull.NEVER, "linux/amd64"), ONE)
    with pytest.raises(ImageError, match="no image for linux/arm64; the daemon has linux/amd64"):
        open_with("docker-daemon:app:1", Pull.MISSING, "linux/arm64")
    assert daemon.images()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """A registry with `app:1` for two platforms."""
    with distribution(tmp_path / "registry") as started:
        fill(started, tmp_path / "pushed", PUSHED, "app:1")
        yield started


@pytest.mark.engine
def test_the_daemon_pulls_what_it_lacks(
    docker: Engine, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker.host)
    monkeypatch.setenv("DOCKER_CONFIG", "/nonexistent/minify-tests")
    name = f"{registry.address}/app:1"
    heard: list[str] = []

    class Listener:
        @contextmanager
        def step(self, label: str, total: int | None) -> Iterator[Advance]:  # noqa: ARG002
            heard.append(label)
            yield lambda _: None

    def pulled(pull: Pull, platform: str) -> Image:
        options = OpenOptions(Platform.parse(platform), pull, Listener())
        return open_image(Reference.parse(f"docker-daemon:{name}"), options)

    try:
        with pytest.raises(ImageError, match="has no such image"):
            pulled(Pull.NEVER, "linux/amd64")
        assert kit.is_whole(pulled(Pull.MISSING, "linux/amd64"), ONE_GZIP)
        assert heard == [f"pulling {name}", "saving from the daemon"]
        assert kit.is_whole(pulled(Pull.MISSING, "linux/amd64"), ONE_GZIP)
        assert heard[2:] == ["saving from the daemon"]
        with pytest.raises(ImageError, match="--pull always"):
            pulled(Pull.MISSING, "linux/arm64")
        assert kit.is_whole(pulled(Pull.ALWAYS, "linux/arm64"), ARM_GZIP)
        by_digest = f"docker-daemon:{registry.address}/app@{registry.tags('app')['1']}"
        assert kit.is_whole(opened(by_digest, "linux/amd64"), ONE_GZIP)
    finally:
        for image_id in set(docker("images", "--all", "--quiet").split()):
            docker.try_run("rmi", "--force", image_id)


@pytest.mark.engine
def test_the_current_context_is_honoured(
    daemon: Daemon, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_context(tmp_path, "here", daemon.run.host)
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONTEXT", "here")
    written(image, "docker-daemon:app:1")
    monkeypatch.delenv("DOCKER_CONTEXT")
    (tmp_path / "config.json").write_text('{"currentContext": "here"}')
    assert kit.is_whole(opened("docker-daemon:app:1"), ONE)


def write_context(config: Path, name: str, host: str) -> None:
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": False}}
    meta = {"Name": name, "Metadata": {}, "Endpoints": endpoints}
    directory = f"contexts/meta/{kit.hexdigest(name.encode())}"
    kit.write_tree(config, {f"{directory}/meta.json": json.dumps(meta).encode()})
    (config / "config.json").write_text("{}")


def attempts(image: Image) -> list[tuple[type[MinifyError], Any]]:
    return [
        (ImageError, lambda: opened("docker-daemon:app:1")),
        (ImageError, lambda: open_with("docker-daemon:app:1", Pull.NEVER)),
        (OutputError, lambda: check_output(Reference.parse("app"), WriteOptions())),
        (OutputError, lambda: written(image, "docker-daemon:app:1")),
    ]


@pytest.mark.parametrize(
    ("host", "cause"),
    [
        ("unix:///nonexistent/docker.sock", "No such file or directory"),
        ("tcp://127.0.0.1:1", "Connection refused"),
        ("what://ever", "Invalid bind address"),
    ],
)
def test_no_daemon_is_one_clear_line(
    host: str, cause: str, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    for error, attempt in attempts(image):
        with pytest.raises(error) as caught:
            attempt()
        text = str(caught.value)
        assert f"no docker daemon answers at {host}: {cause}" in text
        assert "say docker://docker.io/library/app:" in text
        assert "docker-archive:, oci: and oci-archive: need no daemon" in text
        assert "\n" not in text


def test_the_context_that_is_asked_for_must_exist(
    image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONTEXT", "there")
    for error, attempt in attempts(image):
        with pytest.raises(error, match="there is no docker context there"):
            attempt()
    write_context(tmp_path, "there", "unix:///nonexistent/there.sock")
    for error, attempt in attempts(image):
        with pytest.raises(error, match=r"answers at unix:///nonexistent/there\.sock"):
            attempt()
    (meta,) = tmp_path.rglob("meta.json")
    meta.write_text("{")
    for error, attempt in attempts(image):
        with pytest.raises(error, match="docker context cannot be read"):
            attempt()
