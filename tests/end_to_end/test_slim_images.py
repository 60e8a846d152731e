"""Slim images do what the fat ones do, in a real engine."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from images.checks import CHECKS
from images.engines import Engine
from images.runner import Runner, size_of, user_of

from end_to_end.conftest import Pair

pytestmark = pytest.mark.engine

Pairs = Callable[[str], Pair]

OWN_USERS = {"nginx-unprivileged": ("www-data", 33)}
"""Images with a USER of their own, which they keep."""


@pytest.mark.parametrize("name", CHECKS)
def test_slim_image_passes_the_check_of_the_fat_one(docker: Engine, pair: Pairs, name: str) -> None:
    CHECKS[name](Runner(docker, pair(name).slim))


@pytest.mark.parametrize("name", CHECKS)
def test_slim_image_needs_no_capability(docker: Engine, pair: Pairs, name: str) -> None:
    CHECKS[name](Runner(docker, pair(name).slim, ("--cap-drop", "ALL")))


@pytest.mark.parametrize("name", CHECKS)
def test_slim_image_runs_as_a_user(docker: Engine, pair: Pairs, name: str) -> None:
    written, uid = OWN_USERS.get(name, ("10001", 10001))
    user = pair(name).report["user"]
    found = (user_of(docker, pair(name).slim), user["uid"], user["changed"])
    assert found == (written, uid, name not in OWN_USERS)


@pytest.mark.parametrize("name", CHECKS)
def test_slim_image_is_smaller(docker: Engine, pair: Pairs, name: str) -> None:
    fat, slim = size_of(docker, pair(name).fat), size_of(docker, pair(name).slim)
    assert slim < fat
    sizes = pair(name).report["size"]
    assert sizes["after"]["bytes"] < sizes["before"]["bytes"]
    assert sizes["after"]["files"] < sizes["before"]["files"]


@pytest.mark.parametrize("name", CHECKS)
def test_slim_image_differs_only_as_its_report_says(
    docker: Engine, pair: Pairs, name: str, tmp_path: Path
) -> None:
    fat = _exported(docker, pair(name).fat, tmp_path / "fat.tar")
    slim = _exported(docker, pair(name).slim, tmp_path / "slim.tar")
    changed = {e["path"] for e in pair(name).report["entries"] if e["change"]}
    other = {path for path, found in slim.items() if fat.get(path) != found}
    assert other <= changed


def _exported(docker: Engine, image: str, out: Path) -> dict[str, tuple[object, ...]]:
    """What the engine itself makes of an image's layers; links to the same file have its digest."""
    identity = docker("create", "--network", "none", image)
    try:
        with out.open("wb") as file:
            command = ["docker", "export", identity]
            subprocess.run(command, env=docker.environment(), stdout=file, check=True)
    finally:
        docker("rm", "--volumes", identity)
    with tarfile.open(out) as tar:
        return {f"/{member.name.rstrip('/')}": _described(tar, member) for member in tar}


def _described(tar: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[object, ...]:
    content = tar.extractfile(member) if member.isreg() or member.islnk() else None
    digest = hashlib.sha256(content.read()).hexdigest() if content else ""
    kind = tarfile.REGTYPE if member.islnk() else member.type
    target = member.linkname if member.issym() else ""
    # An engine creates these anew in each container, and the directories which hold them.
    mtime = 0 if member.isdir() or _is_of_the_engine(member.name) else member.mtime
    return (kind, member.mode, member.uid, member.gid, mtime, target, digest)


def _is_of_the_engine(name: str) -> bool:
    return name.startswith(("dev/", "proc", "sys")) or name in {
        ".dockerenv",
        "etc/hostname",
        "etc/hosts",
        "etc/mtab",
        "etc/resolv.conf",
    }
