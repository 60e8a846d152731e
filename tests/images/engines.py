"""Private container engines: started in a session of their own, ended by their process id."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60
STOP_SECONDS = 60


class EngineError(Exception):
    """An engine did not start; its log is in the message."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The docker command-line client, speaking to one engine."""

    host: str
    """The address, as in DOCKER_HOST."""

    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to find this engine and no other."""
        others = ("DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "CONTAINER_HOST")
        kept = {name: value for name, value in os.environ.items() if name not in others}
        # The classic builder needs no plug-in and works with engine 20.10 and every later client.
        return kept | {
            "DOCKER_HOST": self.host,
            "DOCKER_CONFIG": "/nonexistent/minify-tests",
            "DOCKER_BUILDKIT": "0",
        }

    def try_run(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """`docker ARGUMENTS…`, whatever its exit code."""
        return subprocess.run(
            ["docker", *arguments],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )

    def __call__(self, *arguments: str, timeout: float = 300) -> str:
        """What `docker ARGUMENTS…` prints, stripped; AssertionError if it fails."""
        done = self.try_run(*arguments, timeout=timeout)
        assert done.returncode == 0, (
            f"docker {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done.stdout.strip()


@contextmanager
def dockerd() -> Iterator[Engine]:
    """A docker engine without a bridge: containers run with `--network none` or `host`."""
    with _scratch_directory("minify-dockerd-") as directory:
        host = f"unix://{directory}/docker.sock"
        command = [
            "dockerd",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            f"--data-root={directory}/data",
            f"--exec-root={directory}/exec",
            f"--pidfile={directory}/pid",
            f"--host={host}",
        ]
        engine = Engine(host)
        with _daemon(command, directory / "dockerd.log", ready=lambda: _answers(engine)):
            yield engine


@contextmanager
def podman_service() -> Iterator[Engine]:
    """podman's docker-compatible API, with storage of its own."""
    with _scratch_directory("minify-podman-") as directory:
        socket = directory / "podman.sock"
        engine = Engine(f"unix://{socket}")
        command = [
            "podman",
            f"--root={directory}/root",
            f"--runroot={directory}/run",
            f"--tmpdir={directory}/state",
            "--storage-driver=overlay",
            "--cgroup-manager=cgroupfs",
            "--runtime=runc",  # crun refuses hybrid cgroup hierarchies
            "--events-backend=file",
            "system",
            "service",
            "--time=0",
            engine.host,
        ]
        configuration = directory / "containers.conf"
        # No network of its own, no limits raised: a CI machine may not allow it.
        configuration.write_text(
            '[containers]\nnetns = "host"\n'
            'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
        )
        uploads = directory / "uploads"  # podman 4.3 forgets in TMPDIR what it was given to load
        uploads.mkdir()
        environment = os.environ | {
            "CONTAINERS_CONF": str(configuration),
            "TMPDIR": str(uploads),
        }
        log = directory / "podman.log"
        with _daemon(command, log, ready=lambda: _answers(engine), environment=environment):
            yield engine
            for container in engine("ps", "--all", "--quiet").split():
                engine("rm", "--force", container)  # they would outlive podman's service


def _answers(engine: Engine) -> bool:
    return engine.try_run("version", timeout=START_SECONDS).returncode == 0


@contextmanager
def _scratch_directory(prefix: str) -> Iterator[Path]:
    # Not below pytest's own temporary directory: that one is kept, and socket paths must be short.
    directory = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield directory
    finally:
        _end_processes_of(directory)
        _unmount_below(directory)
        shutil.rmtree(directory, ignore_errors=True)


def _end_processes_of(directory: Path) -> None:
    """Waits for what the engine left running (podman's clean-up), then kills it.

    The directory is ours alone, so a process that has it in its arguments is, too.
    """
    deadline = time.monotonic() + STOP_SECONDS / 2
    while (pids := _processes_naming(directory)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _processes_naming(directory: Path) -> list[int]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            if f"{directory}/".encode() in file.read_bytes():
                found.append(int(file.parent.name))
    return found


def _unmount_below(directory: Path) -> None:
    """Unmounts what an engine that was killed has left mounted, the deepest first."""
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    points = [line.split(" ")[1] for line in lines]
    for point in sorted(points, key=len, reverse=True):
        if point.startswith(f"{directory}/"):
            subprocess.run(["umount", "--lazy", point], check=False)


@contextmanager
def _daemon(
    command: Sequence[str],
    log: Path,
    *,
    ready: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    with log.open("wb") as output:
        # The parent-death signal ends the engine even if the tests are killed.
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )
    try:
        _await(process, ready, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the session is ours alone
            process.wait()


def _await(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise EngineError(f"{process.args!r} does not answer (exit {process.poll()}):\n{tail}")
        time.sleep(0.2)
