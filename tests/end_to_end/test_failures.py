"""Each failure: its exit code, one clear line, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from images.build import BuiltImage
from images.engines import Engine

from end_to_end.kit import Done, files_in, try_minify

pytestmark = pytest.mark.engine

Images = Callable[[str], BuiltImage]


def _is_one_line(done: Done) -> bool:
    return done.err.startswith("minify: ") and len(done.err.splitlines()) == 1


def test_missing_file(tmp_path: Path) -> None:
    done = try_minify(f"docker-archive:{tmp_path / 'none.tar'}", "-o", f"oci:{tmp_path / 'out'}")
    assert (done.code, _is_one_line(done)) == (4, True), str(done)
    assert "none.tar" in done.err
    assert files_in(tmp_path) == []


def test_directory_that_is_no_layout(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    done = try_minify(f"oci:{tmp_path / 'in'}", "-o", f"docker-archive:{tmp_path / 'out.tar'}")
    assert (done.code, _is_one_line(done)) == (4, True), str(done)
    assert files_in(tmp_path) == ["in"]


def test_no_daemon(tmp_path: Path) -> None:
    done = try_minify("docker-daemon:app:1", "-o", f"docker-archive:{tmp_path / 'out.tar'}")
    assert (done.code, _is_one_line(done)) == (4, True), str(done)
    assert "/nonexistent/docker.sock" in done.err
    assert files_in(tmp_path) == []


def test_image_that_the_daemon_has_not(docker: Engine, tmp_path: Path) -> None:
    done = try_minify(
        "docker-daemon:minify-test/none:1",
        "--pull",
        "never",
        "-o",
        f"docker-archive:{tmp_path / 'out.tar'}",
        host=docker.host,
    )
    assert (done.code, _is_one_line(done)) == (4, True), str(done)
    assert "minify-test/none:1" in done.err
    assert files_in(tmp_path) == []


def test_truncated_archive(image: Images, tmp_path: Path) -> None:
    whole = image("musl").archive.read_bytes()
    source = tmp_path / "cut.tar"
    source.write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "out.tar"
    done = try_minify(f"docker-archive:{source}", "-o", f"docker-archive:{out}")
    assert (done.code, _is_one_line(done)) == (4, True), str(done)
    assert files_in(tmp_path) == ["cut.tar"]


def test_output_that_exists_stays_without_force(image: Images, tmp_path: Path) -> None:
    source = f"docker-archive:{image('musl').archive}"
    out = tmp_path / "out.tar"
    out.write_bytes(b"precious")
    done = try_minify(source, "-o", f"docker-archive:{out}")
    assert (done.code, out.read_bytes()) == (5, b"precious"), str(done)
    assert "--force" in done.err
    done = try_minify(source, "-o", f"docker-archive:{out}", "--force")
    assert (done.code, out.read_bytes() == b"precious") == (0, False), str(done)


def test_output_directory_that_is_missing(image: Images, tmp_path: Path) -> None:
    source = f"docker-archive:{image('musl').archive}"
    done = try_minify(source, "-o", f"docker-archive:{tmp_path / 'none' / 'out.tar'}")
    assert (done.code, _is_one_line(done)) == (5, True), str(done)
    assert files_in(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    point = tmp_path / "disk"
    point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=500k", "tmpfs", str(point)]
    subprocess.run(mount, check=True, capture_output=True)
    yield point
    subprocess.run(["umount", point], check=True)


def test_full_disk(image: Images, small_disk: Path) -> None:
    # Compressed, the program and its loader are some 0.5 MB.
    source = f"docker-archive:{image('static-go').archive}"
    done = try_minify(source, "-o", f"docker-archive:{small_disk / 'out.tar'}")
    assert (done.code, _is_one_line(done)) == (5, True), str(done)
    assert files_in(small_disk) == []


def _open_files(pid: int) -> set[str]:
    """What a process has open right now."""
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(link.readlink()))
    return found


def test_interrupt_leaves_nothing(image: Images, tmp_path: Path) -> None:
    source = f"docker-archive:{image('curl').archive}"
    target = f"docker-archive:{tmp_path / 'out.tar'}"
    # What a shell starts in the background ignores SIGINT, and so would all that this starts.
    with subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "minify", source, "-o", target],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        archive = str(image("curl").archive)
        while archive not in _open_files(process.pid):
            assert process.poll() is None, "ended before it could be interrupted"
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
    assert code == 130
    assert files_in(tmp_path) == []


def test_closed_pipe(image: Images) -> None:
    source = f"docker-archive:{image('musl').archive}"
    command = f"{sys.executable} -m minify --dry-run {source}; echo $? >&2"
    pipeline = f"{{ {command}; }} | true"
    done = subprocess.run(
        ["bash", "-c", pipeline], capture_output=True, encoding="utf-8", check=False
    )
    assert done.stderr == "141\n"
