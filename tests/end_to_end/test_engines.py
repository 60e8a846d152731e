from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from images.engines import Engine

pytestmark = pytest.mark.engine


def _busybox(tmp_path: Path) -> str:
    archive = tmp_path / "busybox.tar"
    subprocess.run(["tar", "-C", "/", "-cf", archive, "bin/busybox"], check=True)
    return str(archive)


def test_docker_engine_imports_and_runs(docker: Engine, tmp_path: Path) -> None:
    docker("import", "--change", 'ENTRYPOINT ["/bin/busybox"]', _busybox(tmp_path), "busybox:test")
    assert docker("run", "--rm", "--network", "none", "busybox:test", "echo", "hello") == "hello"


def test_podman_engine_imports_and_runs(podman: Engine, tmp_path: Path) -> None:
    podman("import", "--change", 'ENTRYPOINT ["/bin/busybox"]', _busybox(tmp_path), "busybox:test")
    assert podman("run", "--rm", "--network", "host", "busybox:test", "echo", "hello") == "hello"
