from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import pytest
from images import engines
from images.build import BuiltImage, build
from images.engines import Engine

# Under CI a test that cannot run has failed: nothing is skipped.
IN_CI = os.environ.get("CI") == "true"


def require(*tools: str) -> None:
    """Skips the test, naming what the system lacks."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (make setup, as root)")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under CI=true: {report.longrepr}"
    return report


@contextmanager
def docker_engine() -> Iterator[Engine]:
    """A docker engine that only the block uses."""
    require("docker", "dockerd", "setpriv")
    if os.geteuid() != 0:
        pytest.skip("dockerd needs root")
    with engines.dockerd() as engine:
        yield engine


@contextmanager
def podman_engine() -> Iterator[Engine]:
    """A podman service that only the block uses."""
    require("docker", "podman", "setpriv")
    if os.geteuid() != 0:
        pytest.skip("these tests run podman as root")
    with engines.podman_service() as engine:
        yield engine


@pytest.fixture(scope="session")
def docker_host() -> Iterator[str]:
    """The address of a docker engine that only these tests use."""
    with docker_engine() as engine:
        yield engine.host


@pytest.fixture(scope="session")
def docker(docker_host: str) -> Engine:
    """`docker("run", "--rm", …)` gives what the command prints."""
    return Engine(docker_host)


@pytest.fixture(scope="session")
def podman_host() -> Iterator[str]:
    """The address of a podman service that only these tests use."""
    with podman_engine() as engine:
        yield engine.host


@pytest.fixture(scope="session")
def podman(podman_host: str) -> Engine:
    """podman behind the docker client."""
    return Engine(podman_host)


@pytest.fixture(scope="session")
def image() -> Callable[[str], BuiltImage]:
    """`image("curl").archive` is the docker archive of an image in `images.recipes`."""
    require("mmdebstrap", "openssl", "g++", "go", "musl-gcc", "busybox", "nsenter", "ssh")
    return build
