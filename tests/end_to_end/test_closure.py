"""What is refused, and what is found without running anything."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from images.build import BuiltImage, build_foreign
from images.checks import CHECKS
from images.engines import Engine
from images.layers import LayerWriter, open_layer
from images.runner import load

from end_to_end.kit import ARGUMENTS, files_in, images, minify, needed_libraries, try_minify

pytestmark = pytest.mark.engine

Images = Callable[[str], BuiltImage]

STATIC = {"groups", "static-go"}
"""Images whose program needs no library."""

SLOW = {"curl", "login", "nginx-entrypoint", "redis", "redis-entrypoint"}
"""Images with many libraries, or with the programs of another one."""


@pytest.mark.parametrize("name", images(CHECKS, SLOW))
def test_each_missing_library_is_named_and_nothing_is_written(
    image: Images, name: str, tmp_path: Path
) -> None:
    built = image(name)
    complete = built.oci_layout(tmp_path / "complete")
    told = ARGUMENTS.get(name, ())
    report = minify(f"oci:{complete}", f"oci:{tmp_path / 'slim'}", *told, work=tmp_path)
    libraries = needed_libraries(report)
    assert bool(libraries) == (name not in STATIC)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        works = [tmp_path / str(number) for number, _ in enumerate(libraries)]
        found = pool.map(lambda *without: _run_without(built, told, *without), libraries, works)
        assert set(found) <= {"refused"}


def _run_without(built: BuiltImage, told: tuple[str, ...], library: str, work: Path) -> str:
    """ "refused", or what is wrong with what minify says of the image without `library`."""
    out = work / "out"
    out.mkdir(parents=True)
    with open_layer(work / "whiteout.tar") as tar:
        LayerWriter(tar).whiteout(library)
    layout = built.oci_layout(work / "layout", work / "whiteout.tar")
    done = try_minify(f"oci:{layout}", "-o", f"docker-archive:{out / 'slim.tar'}", *told)
    # Programs ask for libfoo.so.1, while the file may be libfoo.so.1.2.
    named = Path(library).name.split(".so")[0] in done.err
    left = files_in(out)
    return "refused" if done.code == 3 and named and not left else f"{library}: {left} {done}"


def test_image_without_an_application_is_refused(image: Images, tmp_path: Path) -> None:
    out = tmp_path / "slim.tar"
    done = try_minify(f"docker-archive:{image('bare').archive}", "-o", f"docker-archive:{out}")
    assert done.code == 3, str(done)
    assert "--entrypoint" in done.err
    assert files_in(tmp_path) == []


def test_bare_image_with_an_entrypoint_is_minified(
    docker: Engine, image: Images, tmp_path: Path
) -> None:
    out = tmp_path / "slim.tar"
    minify(
        f"docker-archive:{image('bare').archive}",
        f"docker-archive:{out}:minify-test/date:slim",
        "--entrypoint",
        "/bin/date --utc --date @0 +%Y",
        work=tmp_path,
    )
    load(docker, out)
    assert docker("run", "--rm", "--network", "none", "minify-test/date:slim") == "1970"


@pytest.mark.long
def test_program_of_this_machine_becomes_an_image(docker: Engine, tmp_path: Path) -> None:
    minify(
        "rootfs:/",
        "docker-daemon:minify-test/host-curl:slim",
        "--entrypoint",
        "/usr/bin/curl",
        work=tmp_path,
        host=docker.host,
    )
    run = ("run", "--rm", "--network", "none", "minify-test/host-curl:slim")
    assert docker(*run, "--version").startswith("curl ")


def test_image_of_another_architecture(tmp_path: Path) -> None:
    foreign = build_foreign("arm64")
    source = f"docker-archive:{foreign.archive}"
    report = minify(source, f"oci:{tmp_path / 'slim'}", work=tmp_path)
    kept = {entry["path"] for entry in report["entries"]}
    libraries = "/usr/lib/aarch64-linux-gnu"
    assert report["source"]["platform"].startswith("linux/arm64")
    assert {
        "/usr/bin/curl",
        f"{libraries}/ld-linux-aarch64.so.1",
        f"{libraries}/libc.so.6",
        f"{libraries}/libcurl.so.4",
        f"{libraries}/libssl.so.3",
    } <= kept
