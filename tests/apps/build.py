"""`docker build` of an application's Dockerfile, on a Debian base that mmdebstrap makes. Cached."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from images.authority import authority
from images.build import build
from images.cache import cached
from images.engines import Engine

from apps.case import FIXTURES, Case

BASE = "debian:bookworm-slim"
"""What the Dockerfiles say after FROM. Nothing is pulled: it is a minbase, made slim."""

NODE = "node:20-bookworm-slim"
"""The same for those of Node: the base with Node as it is released, npm and yarn."""

_BASE_DIRECTORY = FIXTURES / "base"
_NODE_DIRECTORY = FIXTURES / "base-node"

_VARIABLES = ("http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True, slots=True)
class AppImage:
    """A built image, as a docker archive."""

    archive: Path
    tag: str
    """The name that `docker load` gives it."""


def build_app(case: Case, docker: Engine) -> AppImage:
    """The image of a case, built if the cache lacks it (a minute)."""
    tag = f"minify-app/{case.name}:fat"

    def make(out: Path) -> None:
        with tempfile.TemporaryDirectory() as directory:
            context = Path(directory, "context")
            _write_context(case, context)
            _import_base(docker)
            if case.npm:
                _import_node(docker)
            proxies = [f"--build-arg={one}" for one in _VARIABLES if one in os.environ]
            flags = ("--network", "host", "--tag", tag, *proxies)
            docker("build", *flags, str(context), timeout=1800)
            docker("save", "--output", str(out / "image.tar"), tag)

    made = cached(f"app-{case.name}", _key(case), make)
    return AppImage(made / "image.tar", tag)


def _write_context(case: Case, context: Path) -> None:
    shutil.copytree(case.directory, context, ignore=shutil.ignore_patterns("case.toml"))
    if case.certificates:
        known = authority()
        for name, source in (("crt", known.server_certificate), ("key", known.server_key)):
            shutil.copyfile(source, context / f"server.{name}")
    if case.wheels:
        _download(context / "requirements.txt", context / "wheels")
    if case.npm:
        _install(context)
    # What COPY puts into the image is as it is in a checkout, whatever the umask was there.
    for path in [context, *context.rglob("*")]:
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)


def _download(requirements: Path, wheels: Path) -> None:
    """The wheels for the base's Python: a build needs no index, nor its certificates."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp"]
    command += [f"--platform=manylinux_2_{minor}_x86_64" for minor in (34, 28, 27, 17)]
    command += ["--platform=manylinux2014_x86_64", "--dest", str(wheels), "-r", str(requirements)]
    subprocess.run(command, check=True)


def _install(directory: Path) -> None:
    """What package-lock.json names: a build needs no registry, nor its certificates."""
    command = ["npm", "ci", "--ignore-scripts", "--os=linux", "--cpu=x64", "--libc=glibc"]
    subprocess.run([*command, "--no-audit", "--no-fund", "--silent"], cwd=directory, check=True)


def _import_node(docker: Engine) -> None:
    if docker.try_run("image", "inspect", NODE).returncode != 0:
        with tempfile.TemporaryDirectory() as directory:
            context = Path(directory, "context")
            shutil.copytree(_NODE_DIRECTORY, context)
            _install(context)
            docker("build", "--tag", NODE, str(context), timeout=600)


def _import_base(docker: Engine) -> None:
    if docker.try_run("image", "inspect", BASE).returncode != 0:
        docker("import", str(build("bare").layers[0]), "minbase")
        docker("build", "--tag", BASE, str(_BASE_DIRECTORY))


def _key(case: Case) -> str:
    found = hashlib.sha256(str(build("bare").layers[0]).encode())
    bases = (_BASE_DIRECTORY, *((_NODE_DIRECTORY,) if case.npm else ()))
    for directory in (*bases, case.directory):
        for path in sorted(directory.rglob("*")):
            if path.is_file() and path.name != "case.toml":
                mode = path.stat().st_mode & 0o100
                found.update(f"{path.relative_to(directory)}\0{mode}\0".encode())
                found.update(path.read_bytes() + b"\0")
    if case.certificates:
        found.update(authority().server_certificate.read_bytes())
    return found.hexdigest()


def installed() -> bool:
    """Whether this machine has what a build takes."""
    return all(map(shutil.which, ("mmdebstrap", "docker", "dockerd", "openssl")))


def unpack(engine: Engine, image: str, root: Path) -> None:
    """All files of an image into the directory `root`."""
    identity = engine("create", "--network", "none", image)
    try:
        with subprocess.Popen(
            ["docker", "export", identity], env=engine.environment(), stdout=subprocess.PIPE
        ) as export:
            command = ["tar", "-xp", "--numeric-owner", "-C", str(root)]
            subprocess.run(command, stdin=export.stdout, check=True)
    finally:
        engine("rm", "--volumes", identity)
