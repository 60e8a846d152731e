"""From registry to registry, as a step of a CI job: no daemon, any platform, by digest."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import require
from images.build import BuiltImage, build_foreign, build_musl_arm
from images.checks import CHECKS
from images.engines import Engine
from images.runner import Runner
from transports.registries import Exchange, Fault, Hang, Proxy, Registry, distribution, skopeo

from end_to_end.kit import Report, files_in, minified, minify, try_minify
from minify.image import Platform, Reference
from minify.transports import (
    ImageIndex,
    OpenOptions,
    PlatformImage,
    WriteOptions,
    open_image,
    write_index,
)

pytestmark = pytest.mark.engine

Images = Callable[[str], BuiltImage]
ROOT = Path(__file__).resolve().parents[2]
# What a machine without docker has of it.
NO_DOCKER = {"PATH": "/nonexistent", "DOCKER_HOST": "", "DOCKER_CONFIG": "/nonexistent"}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with distribution(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture(scope="module")
def fat(registry: Registry, image: Images) -> Callable[[str], str]:
    """`fat("musl")` pushes an image of the tests' as `musl:1`, once; its name in the registry."""
    pushed = set()

    def push(name: str) -> str:
        target = f"docker://{registry.address}/{name}:1"
        if name not in pushed:
            source = f"docker-archive:{image(name).archive}"
            skopeo("copy", "--dest-tls-verify=false", source, target)
            pushed.add(name)
        return target

    return push


def manifest(name: str) -> dict[str, Any]:
    """What the registry has under `name`, as skopeo sees it."""
    found: dict[str, Any] = json.loads(skopeo("inspect", "--raw", "--tls-verify=false", name))
    return found


# -- one image ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def slim(
    registry: Registry, fat: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Report]:
    """The name of a slim image that was pushed, without its transport, and what was told of it."""
    source = fat("static-go")
    report = minify(source, f"{source}-slim", work=tmp_path_factory.mktemp("slim"))
    return f"{registry.address}/static-go:1-slim", report


def test_skopeo_reads_what_was_pushed(
    registry: Registry, slim: tuple[str, Report], tmp_path: Path
) -> None:
    name, report = slim
    output = report["output"]
    assert registry.tags("static-go")["1-slim"] == output["manifest_digest"]
    inspected = json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{name}"))
    assert inspected["Digest"] == output["manifest_digest"]
    assert set(inspected["RepoTags"]) == {"1", "1-slim"}
    layout = f"oci:{tmp_path / 'copied'}:1"
    skopeo("copy", "--src-tls-verify=false", f"docker://{name}", layout)
    config = json.loads(skopeo("inspect", "--config", layout))
    assert config["rootfs"]["diff_ids"] == output["diff_ids"]


def test_docker_pulls_and_runs_what_was_pushed(docker: Engine, slim: tuple[str, Report]) -> None:
    name, report = slim
    docker("pull", "--quiet", name)
    assert docker("image", "inspect", "-f", "{{.Id}}", name) == report["output"]["image_id"]
    CHECKS["static-go"](Runner(docker, name))


def test_podman_pulls_and_runs_what_was_pushed(podman: Engine, slim: tuple[str, Report]) -> None:
    name, report = slim
    pull = ["podman", "--remote", "--url", podman.host, "pull", "--quiet", "--tls-verify=false"]
    done = subprocess.run([*pull, name], capture_output=True, text=True, check=True)
    assert f"sha256:{done.stdout.strip()}" == report["output"]["image_id"]
    CHECKS["static-go"](Runner(podman, name))


def test_each_blob_crosses_the_line_once(
    registry: Registry, fat: Callable[[str], str], tmp_path: Path
) -> None:
    """And what the registry has from an earlier run is not sent again."""
    document = manifest(fat("static-go"))
    digests = [one["digest"] for one in (document["config"], *document["layers"])]
    with Proxy(registry.address) as proxy:
        source = f"docker://{proxy.address}/static-go:1"
        minify(source, f"docker://{proxy.address}/again:1-slim", work=tmp_path)
        assert [proxy.count("GET", f"/blobs/{digest}$") for digest in digests] == [1] * len(digests)
        assert proxy.count("PUT", "/blobs/") == 2  # the layer, the config
        minify(source, f"docker://{proxy.address}/again:2-slim", work=tmp_path)
        assert proxy.count("PUT", "/blobs/") == 2


# -- an index -----------------------------------------------------------------------------------

PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7")


@pytest.fixture(scope="module")
def index(
    registry: Registry, image: Images, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Report, str]:
    """The name of a slim index; the report and the summary of the run that pushed it."""
    require("mmdebstrap", "arm-linux-gnueabihf-as", "arm-linux-gnueabihf-ld")
    work = tmp_path_factory.mktemp("index")
    # Of the third, only the index says which variant it is.
    built = (image("curl"), build_foreign("arm64"), build_musl_arm())
    images = []
    for one, platform in zip(built, PLATFORMS, strict=True):
        reference = Reference.parse(f"docker-archive:{one.archive}")
        opened = open_image(reference, OpenOptions())
        images.append(PlatformImage(opened, Platform.parse(platform), {"for": platform}))
    whole = ImageIndex(tuple(images), {"org.example": "kept"})
    write_index(whole, Reference.parse(f"oci:{work / 'fat'}:1"), WriteOptions())
    source = f"docker://{registry.address}/all:1"
    skopeo("copy", "--all", "--dest-tls-verify=false", f"oci:{work / 'fat'}:1", source)
    target = f"docker://{registry.address}/all:1-slim"
    # Neither an emulator nor anything else is there to be run.
    report, summary = minified(source, target, work=work, environment=NO_DOCKER)
    return target, report, summary


def test_an_index_is_minified_for_every_platform(
    registry: Registry, index: tuple[str, Report, str]
) -> None:
    name, report, summary = index
    found, tags = manifest(name), registry.tags("all")
    assert found["annotations"] == {"org.example": "kept"}
    assert [(one["platform"], one["annotations"], one["digest"]) for one in found["manifests"]] == [
        (expected, {"for": platform}, told["output"]["manifest_digest"])
        for expected, platform, told in zip(
            (
                {"architecture": "amd64", "os": "linux"},
                {"architecture": "arm64", "os": "linux"},
                {"architecture": "arm", "os": "linux", "variant": "v7"},
            ),
            PLATFORMS,
            report["images"],
            strict=True,
        )
    ]
    assert report["source_index"]["digest"] == tags["1"]
    assert report["output_index"] == {"reference": name, "digest": tags["1-slim"]}
    assert summary.splitlines()[-1].endswith(f": {', '.join(PLATFORMS)})")
    for one in report["images"]:
        assert one["size"]["after"]["bytes"] < one["size"]["before"]["bytes"]


@pytest.mark.parametrize(
    ("platform", "emulator", "command", "said"),
    [
        ("linux/amd64", "", "/usr/bin/curl -sS file:///etc/passwd", "root:x:0:0:"),
        (
            "linux/arm64",
            "qemu-aarch64-static",
            "/usr/bin/curl -sS file:///etc/passwd",
            "appuser:x:10001:",
        ),
        ("linux/arm/v7", "qemu-arm-static", "/srv/greet", "hello from musl\n"),
    ],
)
def test_the_program_of_each_platform_runs(
    platform: str,
    emulator: str,
    command: str,
    *,
    said: str,
    index: tuple[str, Report, str],
    tmp_path: Path,
) -> None:
    require("umoci", "chroot", *([emulator] if emulator else []))
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    _, architecture, *variant = platform.split("/")
    chosen = ["--override-arch", architecture]
    chosen += ["--override-variant", variant[0]] if variant else []
    skopeo(*chosen, "copy", "--src-tls-verify=false", index[0], f"oci:{tmp_path / 'one'}:1")
    unpack = ["umoci", "unpack", "--image", f"{tmp_path / 'one'}:1", str(tmp_path / "bundle")]
    subprocess.run(unpack, check=True, capture_output=True)
    root = tmp_path / "bundle/rootfs"
    if emulator:
        shutil.copy(f"/usr/bin/{emulator}", root / "qemu")
    enter = ["chroot", str(root), *(["/qemu"] if emulator else [])]
    done = subprocess.run(
        [*enter, *command.split()],
        env={"PATH": os.environ["PATH"], "GREETING": "hello from musl"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert said in done.stdout


# -- a machine that has nothing -----------------------------------------------------------------

ALONE = """
ip link set lo up
mount -t tmpfs none /run   # where sockets of engines are
# Python may lie in a directory that is closed to others.
if [ -n "$CLOSED" ]; then
    mkdir "$WORK/python" && mount --bind "$PREFIX" "$WORK/python"
    mount -t tmpfs -o mode=755 none "$CLOSED"
    mkdir -p "$PREFIX" && mount --move "$WORK/python" "$PREFIX"
fi
docker-registry serve "$WORK/settings.json" >"$WORK/log" 2>&1 &
trap "kill $!; wait" EXIT
until curl -s -o "$WORK/up" http://127.0.0.1:5000/v2/; do kill -0 $!; sleep 0.1; done
cd "$WORK/home"
for source in "docker://$OUTSIDE/musl:1" docker://127.0.0.1:5000/musl:1; do
    code=0
    env -i PATH=/nonexistent HOME="$WORK/home" TMPDIR="$WORK/tmp" PYTHONPATH="$REPOSITORY" \
        PYTHONDONTWRITEBYTECODE=1 "$SETPRIV" --reuid=65534 --regid=65534 --clear-groups \
        "$PYTHON" -m minify "$source" -o docker://127.0.0.1:5000/musl:alone || code=$?
    echo "exit $code"
done
"""


def _closed(directory: Path) -> str:
    """The first directory on the way to this one that only root can cross; empty if none is."""
    ways = reversed([directory, *directory.parents])
    return next((str(way) for way in ways if not way.stat().st_mode & 1), "")


@pytest.fixture
def work() -> Iterator[Path]:
    """A directory that everybody can reach, as pytest's own is not."""
    with tempfile.TemporaryDirectory(prefix="minify-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_it_works_as_nobody_with_nothing_but_that_registry(
    registry: Registry, fat: Callable[[str], str], work: Path
) -> None:
    require("unshare", "ip", "mount", "setpriv", "curl", "docker-registry")
    if os.geteuid() != 0:
        pytest.skip("a network namespace of its own needs root")
    fat("musl")
    (work / "home").mkdir(mode=0o555)
    (work / "tmp").mkdir()
    (work / "tmp").chmod(0o777)
    settings = json.loads((registry.directory / "settings.json").read_text())
    settings["http"]["addr"] = "127.0.0.1:5000"
    (work / "settings.json").write_text(json.dumps(settings))
    prefix = Path(sys.base_prefix).resolve()
    environment = {
        "PATH": os.environ["PATH"],
        "WORK": str(work),
        "REPOSITORY": str(ROOT),
        "OUTSIDE": registry.address,
        "PYTHON": sys.executable,
        "SETPRIV": shutil.which("setpriv") or "",
        "PREFIX": str(prefix),
        "CLOSED": _closed(prefix),
    }
    done = subprocess.run(
        ["unshare", "--net", "--mount", "bash", "-euc", ALONE],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, *others = done.stdout.splitlines()
    assert first == "exit 4", done.stderr  # nobody is there
    assert others[-1] == "exit 0", done.stderr
    assert others[-2].startswith("wrote docker://127.0.0.1:5000/musl:alone (image id ")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"minify: docker://{registry.address}/musl:1: ")
    assert files_in(work / "home") == files_in(work / "tmp") == []
    assert registry.tags("musl").keys() >= {"1", "alone"}


# -- by digest ----------------------------------------------------------------------------------


def test_a_required_digest_is_named_and_works(
    registry: Registry, fat: Callable[[str], str], tmp_path: Path
) -> None:
    source, target = fat("musl"), f"oci:{tmp_path / 'out'}:1"
    done = try_minify(source, "-o", target, "--require-digest")
    digest = registry.tags("musl")["1"]
    named = f"{source}@{digest}"
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.endswith(f"--require-digest: a tag can be moved; now it is {named}\n")
    assert files_in(tmp_path) == []
    by_tag = minify(source, target, work=tmp_path)
    pasted = done.err.rpartition(" ")[2].strip()
    by_digest = minify(pasted, target, "--require-digest", work=tmp_path)
    for report, name in ((by_tag, source), (by_digest, named)):
        assert (report["source"]["name"], report["source"]["manifest_digest"]) == (name, digest)
    assert by_tag["output"] == by_digest["output"]


def test_a_required_digest_of_an_index_is_the_index_s(
    registry: Registry, index: tuple[str, Report, str], tmp_path: Path
) -> None:
    done = try_minify(
        *(index[0], "-o", f"oci:{tmp_path / 'out'}", "--require-digest"),
        *("--platform", "linux/arm/v7"),
    )
    digest = registry.tags("all")["1-slim"]
    assert (done.code, files_in(tmp_path)) == (2, [])
    assert done.err.endswith(f" now it is {index[0]}@{digest}\n")
    report = minify(
        *(f"{index[0]}@{digest}", f"oci:{tmp_path / 'out'}"),
        *("--require-digest", "--platform", "linux/arm/v7"),
        work=tmp_path,
    )
    assert report["source"]["index_digest"] == digest


# -- what goes over the wire --------------------------------------------------------------------


def _blobs(document: dict[str, Any]) -> dict[str, int]:
    """Digest → size of what a manifest refers to."""
    return {one["digest"]: one["size"] for one in (document["config"], *document["layers"])}


def _fetched(proxy: Proxy) -> list[str]:
    return sorted(
        match[1]
        for one in proxy.seen
        if one.method == "GET" and (match := re.search(r"/blobs/(sha256:\w+)$", one.path))
    )


def _sent(proxy: Proxy) -> int:
    """The bytes of all requests' bodies."""
    return sum(int(one.headers.get("content-length", "0")) for one in proxy.seen)


def test_each_blob_is_fetched_once_and_only_new_ones_are_sent(
    registry: Registry, fat: Callable[[str], str], tmp_path: Path
) -> None:
    source = manifest(fat("static-go"))
    with Proxy(registry.address) as proxy:
        place = f"docker://{proxy.address}"
        minify(f"{place}/static-go:1", f"{place}/wire:1", work=tmp_path)
    name = f"docker://{registry.address}/wire:1"
    slim, document = manifest(name), len(skopeo("inspect", "--raw", "--tls-verify=false", name))
    assert _fetched(proxy) == sorted(_blobs(source))
    assert (proxy.count("GET", "/manifests/"), proxy.count("HEAD", "/manifests/")) == (1, 0)
    assert _sent(proxy) == sum(_blobs(slim).values()) + document
    with Proxy(registry.address) as proxy:
        place = f"docker://{proxy.address}"
        minify(f"{place}/wire:1", f"{place}/wire:again", work=tmp_path)
    assert registry.tags("wire")["again"] == registry.tags("wire")["1"]
    assert _fetched(proxy) == sorted(_blobs(slim))
    assert _sent(proxy) == document  # the blobs are there


def test_an_index_costs_each_of_its_blobs_once(
    registry: Registry, index: tuple[str, Report, str], tmp_path: Path
) -> None:
    manifests = [
        manifest(f"docker://{registry.address}/all@{one['digest']}")
        for one in manifest(index[0])["manifests"]
    ]
    blobs = [digest for document in manifests for digest in _blobs(document)]
    with Proxy(registry.address) as proxy:
        name = f"docker://{proxy.address}/all"
        minify(f"{name}:1-slim", f"{name}:again", work=tmp_path)
    assert registry.tags("all")["again"] == registry.tags("all")["1-slim"]
    assert _fetched(proxy) == sorted(blobs)
    assert proxy.count("GET", "/manifests/") == 1 + len(manifests)


# -- interrupted --------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("pushing", [False, True], ids=["pulling", "pushing"])
def test_an_interrupted_job_leaves_nothing(
    number: int,
    code: int,
    *,
    pushing: bool,
    registry: Registry,
    fat: Callable[[str], str],
    tmp_path: Path,
) -> None:
    fat("musl")
    before = registry.tags("musl")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    reached = threading.Event()

    def hanging(exchange: Exchange) -> Fault:
        is_it = ("PUT", "/uploads/") if pushing else ("GET", "/blobs/")
        if exchange.method == is_it[0] and is_it[1] in exchange.path:
            reached.set()
            return Hang(after=0)
        return None

    with Proxy(registry.address, hanging) as proxy:
        name = f"docker://{proxy.address}/musl"
        # What a shell starts in the background ignores SIGINT, and so would all that this starts.
        run = ["env", "--default-signal=INT", sys.executable, "-m", "minify", f"{name}:1"]
        with subprocess.Popen(
            # Its own tag would move; and something of it has to be pushed, whatever is there.
            [*run, "-o", f"{name}:1", "--label", f"code={code}"],
            env=os.environ | {"TMPDIR": str(temporary)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            assert reached.wait(60)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (code, "minify: interrupted\n" if code == 130 else "")
    assert files_in(temporary) == []
    assert registry.tags("musl") == before
