"""skopeo, podman and umoci read what is written, and what they write is read."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import require

from minify.image import Image
from transports import kit
from transports.kit import opened, sample, written

ONE, ARM = sample("one"), sample("arm", "linux/arm64/v8")

pytestmark = pytest.mark.engine

OUTPUTS = {
    "docker-archive": "docker-archive:{}/out.tar:app:1",
    "oci": "oci:{}/out:1",
    "oci-archive": "oci-archive:{}/out.tar:1",
}


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return opened(f"oci:{kit.write_tree(tmp_path / 'layout', kit.layout([ONE]))}")


@pytest.mark.parametrize("output", OUTPUTS)
def test_skopeo_reads_what_is_written(output: str, image: Image, tmp_path: Path) -> None:
    require("skopeo")
    reference = OUTPUTS[output].format(tmp_path)
    written(image, reference)
    shown = json.loads(run("skopeo", "inspect", reference))
    assert (shown["Architecture"], shown["Os"]) == ("amd64", "linux")
    assert run("skopeo", "inspect", "--config", "--raw", reference).encode() == ONE.config
    run("skopeo", "copy", reference, f"oci:{tmp_path}/copy:1")
    # From a docker archive skopeo writes the config anew.
    assert kit.plain_layers(opened(f"oci:{tmp_path}/copy:1")) == ONE.diff_ids


def test_both_dialects_of_one_archive_are_read(image: Image, tmp_path: Path) -> None:
    require("skopeo")
    written(image, f"docker-archive:{tmp_path}/a.tar:app:1")
    for reference in (f"docker-archive:{tmp_path}/a.tar:app:1", f"oci-archive:{tmp_path}/a.tar:1"):
        config = run("skopeo", "inspect", "--config", "--raw", reference)
        assert config.encode() == ONE.config


@pytest.mark.parametrize("source", OUTPUTS)
def test_what_skopeo_writes_is_read(source: str, image: Image, tmp_path: Path) -> None:
    require("skopeo")
    written(image, f"oci-archive:{tmp_path}/mine.tar:1")
    reference = OUTPUTS[source].format(tmp_path)
    run("skopeo", "copy", f"oci-archive:{tmp_path}/mine.tar:1", reference)
    again = opened(reference)
    assert kit.plain_layers(again) == ONE.diff_ids
    assert again.config.digest == image.config.digest


def test_a_multi_platform_layout_survives_skopeo(tmp_path: Path) -> None:
    require("skopeo")
    kit.write_tree(tmp_path / "l", kit.multi_platform([ONE, ARM], "1"))
    written(opened(f"oci:{tmp_path}/l", "linux/arm64"), f"oci:{tmp_path}/l:arm")
    assert run("skopeo", "inspect", "--config", "--raw", f"oci:{tmp_path}/l:arm") == (
        ARM.config.decode()
    )
    run("skopeo", "copy", "--all", f"oci:{tmp_path}/l:1", f"oci:{tmp_path}/copy:1")
    assert kit.is_whole(opened(f"oci:{tmp_path}/copy:1", "linux/arm64"), ARM)


def test_umoci_unpacks_what_is_written(tmp_path: Path) -> None:
    require("umoci")
    # umoci 0.4 knows gzip and plain layers only.
    plain = opened(
        f"docker-archive:{kit.write_file(tmp_path / 'o.tar', kit.old_docker_save([ONE]))}"
    )
    written(plain, f"oci:{tmp_path}/out:1")
    assert run("umoci", "list", "--layout", f"{tmp_path}/out") == "1\n"
    run("umoci", "unpack", "--rootless", "--image", f"{tmp_path}/out:1", f"{tmp_path}/bundle")
    root = tmp_path / "bundle/rootfs"
    assert kit.listing(root) == {"etc", *(f"{kind}{n}" for kind in ("etc/", "hard") for n in "012")}
    assert (root / "hard2").read_text() == "one 2\n" * 40


def test_what_umoci_writes_is_read(tmp_path: Path) -> None:
    require("umoci")
    run("umoci", "init", "--layout", f"{tmp_path}/u")
    run("umoci", "new", "--image", f"{tmp_path}/u:1")
    kit.write_tree(tmp_path / "files", {"etc/hello": b"hello\n"})
    run("umoci", "insert", "--rootless", "--image", f"{tmp_path}/u:1", f"{tmp_path}/files", "/")
    image = opened(f"oci:{tmp_path}/u:1")
    assert kit.plain_layers(image) == list(map(str, image.config.diff_ids))
    written(image, f"oci:{tmp_path}/u:2")
    assert run("umoci", "list", "--layout", f"{tmp_path}/u").split() == ["1", "2"]


@pytest.mark.parametrize("output", OUTPUTS)
def test_podman_loads_what_is_written(output: str, image: Image, tmp_path: Path) -> None:
    require("podman")
    reference = OUTPUTS[output].format(tmp_path)
    written(image, reference)
    with tempfile.TemporaryDirectory(prefix="mp-") as short:  # podman refuses long paths
        podman = ["podman", f"--root={short}/p", f"--runroot={short}/r", "--storage-driver=vfs"]
        found = run(*podman, "pull", "--quiet", reference).strip()
        run(*podman, "save", "--format=oci-archive", "--output", f"{tmp_path}/s.tar", found)
        if output != "oci":  # that one keeps layers in zstd
            run(*podman, "save", "--output", f"{tmp_path}/d.tar", found)
            assert kit.is_whole(opened(f"docker-archive:{tmp_path}/d.tar"), ONE)
    assert f"sha256:{found}" == ONE.id
    assert kit.plain_layers(opened(f"oci-archive:{tmp_path}/s.tar")) == ONE.diff_ids
