"""Dockerfile.example is right, and minify's image is what it makes, plus data."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from images.applications import FIXTURES
from images.build import BuiltImage
from images.engines import Engine
from images.runner import Runner, load

from end_to_end.kit import minify

pytestmark = pytest.mark.engine

EXAMPLE = FIXTURES.parent / "Dockerfile.example"


@dataclass(frozen=True, slots=True)
class Images:
    fat: str
    scratch: str
    slim: str


@pytest.fixture(scope="module")
def images(
    docker: Engine,
    image: Callable[[str], BuiltImage],
    tmp_path_factory: pytest.TempPathFactory,
) -> Images:
    builder = image("go-builder")
    load(docker, builder.archive)
    made = Images(
        "minify-test/example:fat", "minify-test/example:scratch", "minify-test/example:slim"
    )
    build = ("build", "--quiet", "--network", "none", "--file", str(EXAMPLE))
    argument = ("--build-arg", f"BUILDER={builder.tag}")
    context = str(FIXTURES / "static-go")
    docker(*build, *argument, "--target", "build", "--tag", made.fat, context)
    docker(*build, *argument, "--tag", made.scratch, context)
    work = tmp_path_factory.mktemp("example")
    minify(f"docker-daemon:{made.fat}", f"docker-daemon:{made.slim}", work=work, host=docker.host)
    return made


def _config(docker: Engine, image: str) -> dict[str, object]:
    found = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image))
    assert isinstance(found, dict)
    return found


def _files(docker: Engine, image: str, out: Path) -> dict[str, bytes]:
    """The content of every regular file that the image's own layers hold."""
    with out.open("wb") as file:
        command = ["docker", "save", image]
        subprocess.run(command, env=docker.environment(), stdout=file, check=True)
    found = {}
    with tarfile.open(out) as archive:
        manifest = archive.extractfile("manifest.json")
        assert manifest
        for layer in json.load(manifest)[0]["Layers"]:
            with tarfile.open(fileobj=archive.extractfile(layer)) as tar:
                for member in tar:
                    content = tar.extractfile(member) if member.isreg() else None
                    if content:
                        found[f"/{member.name}"] = content.read()
    return found


def test_scratch_image_runs(docker: Engine, images: Images) -> None:
    for image in (images.scratch, images.slim):
        with Runner(docker, image, ("--cap-drop", "ALL")).serve() as container:
            connection = container.connect(18080)
            with connection, connection.makefile("rwb") as stream:
                stream.write(b"GET / HTTP/1.0\r\n\r\n")
                stream.flush()
                assert stream.read().endswith(b"hello from uid 10001\n")


def test_slim_image_equals_the_scratch_image(
    docker: Engine, images: Images, tmp_path: Path
) -> None:
    for key in ("User", "Entrypoint"):
        assert _config(docker, images.slim)[key] == _config(docker, images.scratch)[key]
    by_hand = _files(docker, images.scratch, tmp_path / "scratch.tar")
    by_minify = _files(docker, images.slim, tmp_path / "slim.tar")
    assert set(by_hand) == {
        "/app/server",
        "/etc/group",
        "/etc/passwd",
        "/etc/ssl/certs/ca-certificates.crt",
    }
    for path in ("/etc/group", "/etc/passwd"):
        # Beside the user's own line, minify keeps those of who owns the files.
        mine, theirs = by_hand.pop(path).splitlines(), by_minify[path].splitlines()
        assert theirs[-1:] == mine
        assert {line.partition(b":")[0] for line in theirs[:-1]} <= {b"root", b"mail", b"staff"}
    assert {path: by_minify.get(path) for path in by_hand} == by_hand


def test_what_minify_keeps_besides_is_data(docker: Engine, images: Images, tmp_path: Path) -> None:
    files = _files(docker, images.slim, tmp_path / "slim.tar")
    programs = {path for path, content in files.items() if content[:4] == b"\x7fELF"}
    assert programs == {"/app/server"}
    # /src is the builder's WORKDIR: what is in a working directory counts as the application's.
    data = ("/etc/", "/usr/share/", "/var/lib/dpkg/", "/src/")
    elsewhere = {path for path in files if not path.startswith(data)}
    assert elsewhere <= {"/app/server", "/usr/lib/os-release", "/usr/lib/ssl/cert.pem"}
