"""The programs inside the images, compiled on this machine from the sources in `fixtures/`."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path


def go_program(source: Path) -> bytes:
    """A static executable; needs neither network nor modules."""
    with tempfile.TemporaryDirectory() as directory:
        go = {"CGO_ENABLED": "0", "GO111MODULE": "off", "GOCACHE": directory, "GOFLAGS": ""}
        out = Path(directory) / "program"
        _compile(["go", "build", "-trimpath", "-o", str(out), str(source)], os.environ | go)
        return out.read_bytes()


def cxx_program(source: Path) -> bytes:
    """A dynamic executable against this machine's libstdc++, which the image's must match."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "program"
        _compile(["g++", "-O2", "-pthread", "-o", str(out), str(source)])
        return out.read_bytes()


def musl_program(sources: Path) -> tuple[bytes, bytes]:
    """A dynamic musl executable, which looks for its library in `$ORIGIN/../lib`; and that."""
    with tempfile.TemporaryDirectory() as directory:
        library = Path(directory) / "libgreeting.so"
        shared = ["-shared", "-fPIC", "-Wl,-soname,libgreeting.so"]
        _compile(["musl-gcc", *shared, "-o", str(library), str(sources / "greeting.c")])
        out = Path(directory) / "greet"
        search = [f"-L{directory}", "-lgreeting", "-Wl,-rpath,$ORIGIN/../lib"]
        _compile(["musl-gcc", "-o", str(out), str(sources / "main.c"), *search])
        return out.read_bytes(), library.read_bytes()


def musl_loader() -> Path:
    """musl's loader on this machine, under the name that programs ask for."""
    return next(Path("/lib").glob("ld-musl-*.so.1"))


def _compile(command: Sequence[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stderr}"
