"""Slim images run as hardened platforms start them; what they need, their report has said."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest
from images.checks import CHECKS
from images.engines import Engine
from images.runner import Runner

from end_to_end.conftest import Pair, Pairs
from end_to_end.kit import images

pytestmark = pytest.mark.engine

IMAGES = images(name for name in CHECKS if name != "login")
"""All that run as a user; what lets others log in must be root, and says so."""

PLAIN_READ_ONLY = ("--read-only", "--tmpfs", "/tmp", "--tmpfs", "/run")  # noqa: S108  # in a container
PLAIN_PRIVILEGES = ("--cap-drop", "ALL", "--security-opt", "no-new-privileges")
ANY_USER = ("--user", "123456:0")

NEED_MOUNTS: Mapping[str, set[str]] = {
    "nginx": {"/var/lib/nginx"},
    "nginx-entrypoint": {"/etc/nginx/conf.d", "/var/lib/nginx"},
    "postgres-entrypoint": {"/run/postgresql"},
    "planted": {"/srv/app"},
}
"""Images that need more than two tmpfs under a read-only root: where, by their report."""

NEED_A_NAME = {"postgres-entrypoint"}
"""Images that a number without an account cannot run, be they slim or fat."""

NEED_CAPABILITIES: Mapping[str, list[str]] = {"ping": ["NET_RAW"]}
"""Images with a file capability: without it among the container's, the program does not start."""


def _is_of_the_file_system(flag: str) -> bool:
    return flag.startswith(("--read-only", "--tmpfs", "--mount"))


def _flags(pair: Pair, *, read_only: bool, unprivileged: bool) -> tuple[str, ...]:
    """The advised flags, or the part of them that is wanted."""
    wanted = {True: read_only, False: unprivileged}
    return tuple(flag for flag in pair.flags if wanted[_is_of_the_file_system(flag)])


@pytest.mark.parametrize("name", IMAGES)
def test_slim_image_runs_as_its_summary_advises(docker: Engine, pair: Pairs, name: str) -> None:
    assert {"--read-only", "--cap-drop=ALL"} <= set(pair(name).flags)
    CHECKS[name](Runner(docker, pair(name).slim, pair(name).flags))


@pytest.mark.parametrize("name", IMAGES)
def test_slim_image_for_any_user_runs_as_one(docker: Engine, pair: Pairs, name: str) -> None:
    made = pair(name, "--arbitrary-uid")
    if name not in NEED_A_NAME:
        CHECKS[name](Runner(docker, made.slim, (*made.flags, *ANY_USER)))
        return
    for image in (made.fat, made.slim):
        code, output = Runner(docker, image, ANY_USER).try_run()
        assert (code, "user does not exist" in output) == (1, True)


@pytest.mark.parametrize("name", IMAGES)
def test_slim_image_needs_no_privilege_or_says_which(
    docker: Engine, pair: Pairs, name: str
) -> None:
    run = Runner(docker, pair(name).slim, PLAIN_PRIVILEGES)
    needed = NEED_CAPABILITIES.get(name, [])
    said = pair(name).report["run"]
    assert (said["capabilities"], said["no_new_privileges"]) == (needed, not needed)
    if not needed:
        CHECKS[name](run)
        return
    with pytest.raises(AssertionError, match="operation not permitted"):
        CHECKS[name](run)
    with_it = tuple(f"--cap-add={capability}" for capability in needed)
    CHECKS[name](Runner(docker, pair(name).slim, ("--cap-drop=ALL", *with_it)))


# Those that cannot start take as long as anybody waits for them.
@pytest.mark.parametrize("name", images((n for n in CHECKS if n != "login"), NEED_MOUNTS))
def test_slim_image_needs_no_writable_root_or_says_where(
    docker: Engine, pair: Pairs, name: str
) -> None:
    run = Runner(docker, pair(name).slim, PLAIN_READ_ONLY)
    said = pair(name).report["run"]
    mounts = {mount["path"] for mount in said["mounts"]}
    if name not in NEED_MOUNTS:
        CHECKS[name](run)
    else:
        assert mounts >= NEED_MOUNTS[name]
        with pytest.raises((AssertionError, TimeoutError)):
            CHECKS[name](run)


@pytest.mark.long
@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize(
    ("read_only", "unprivileged", "arbitrary"), [*product([False, True], repeat=3)]
)
def test_every_part_of_the_advice_holds_by_itself(
    docker: Engine, pair: Pairs, name: str, *, read_only: bool, unprivileged: bool, arbitrary: bool
) -> None:
    if arbitrary and name in NEED_A_NAME:
        return
    made = pair(name, "--arbitrary-uid") if arbitrary else pair(name)
    flags = _flags(made, read_only=read_only, unprivileged=unprivileged)
    CHECKS[name](Runner(docker, made.slim, (*flags, *(ANY_USER if arbitrary else ()))))
