"""Other tools read what is written, and the engines run it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from images.build import BuiltImage
from images.checks import CHECKS
from images.engines import Engine
from images.runner import Runner, load

from end_to_end.kit import minify

pytestmark = pytest.mark.engine

Images = Callable[[str], BuiltImage]

OUTPUTS = (
    "docker-archive:{}/slim.tar:app:slim",
    "oci:{}/slim:slim",
    "oci-archive:{}/slim.tar:slim",
)


@pytest.mark.parametrize("output", OUTPUTS)
def test_skopeo_reads_what_is_written(image: Images, output: str, tmp_path: Path) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("not installed: skopeo")
    target = output.format(tmp_path)
    report = minify(f"docker-archive:{image('musl').archive}", target, work=tmp_path)
    copy = ["skopeo", "copy", "--insecure-policy", target, f"oci:{tmp_path / 'copy'}:slim"]
    subprocess.run(copy, check=True, capture_output=True)
    inspect = ["skopeo", "inspect", "--config", f"oci:{tmp_path / 'copy'}:slim"]
    config = json.loads(subprocess.run(inspect, check=True, capture_output=True).stdout)
    assert config["rootfs"]["diff_ids"] == report["output"]["diff_ids"]


def test_umoci_unpacks_what_is_written(image: Images, tmp_path: Path) -> None:
    if shutil.which("umoci") is None:
        pytest.skip("not installed: umoci")
    source = f"docker-archive:{image('musl').archive}"
    minify(source, f"oci:{tmp_path / 'slim'}:slim", work=tmp_path)
    unpack = ["umoci", "unpack", "--image", f"{tmp_path / 'slim'}:slim", str(tmp_path / "bundle")]
    rootless = [] if os.geteuid() == 0 else ["--rootless"]
    subprocess.run([*unpack, *rootless], check=True, capture_output=True)
    assert (tmp_path / "bundle/rootfs/opt/app/bin/greet").is_file()


@pytest.mark.parametrize(
    ("name", "output"),
    [
        *product(["musl", "cpp"], ["docker-archive", "oci-archive"]),
        ("groups", "oci-archive"),  # podman looks supplementary groups up itself
        ("redis-entrypoint", "docker-archive"),  # and gives new volumes their owner
    ],
)
def test_podman_loads_and_runs_it(
    podman: Engine, image: Images, name: str, output: str, tmp_path: Path
) -> None:
    out = tmp_path / "slim.tar"
    tag = f"localhost/minify-test/{name}-{output}:slim"
    minify(f"docker-archive:{image(name).archive}", f"{output}:{out}:{tag}", work=tmp_path)
    load(podman, out)
    CHECKS[name](Runner(podman, tag))


@pytest.mark.parametrize("output", ["docker-archive", "oci-archive"])
def test_docker_loads_both_archives(
    docker: Engine, image: Images, output: str, tmp_path: Path
) -> None:
    out = tmp_path / "slim.tar"
    source = f"docker-archive:{image('musl').archive}"
    report = minify(source, f"{output}:{out}:minify-test/{output}:slim", work=tmp_path)
    load(docker, out)
    CHECKS["musl"](Runner(docker, report["output"]["image_id"]))


def test_podman_daemon_is_a_source_and_a_target(
    podman: Engine, image: Images, tmp_path: Path
) -> None:
    built = image("musl")
    load(podman, built.archive)
    tag = "localhost/minify-test/by-podman:slim"
    minify(f"docker-daemon:{built.tag}", f"docker-daemon:{tag}", work=tmp_path, host=podman.host)
    CHECKS["musl"](Runner(podman, tag))
