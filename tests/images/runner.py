"""One image in one engine, run with certain flags: what a functional check is given."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from images.engines import Engine

START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Container:
    """A running container."""

    engine: Engine
    identity: str
    pid: int

    def connect(self, port: int, *, seconds: float = START_SECONDS) -> socket.socket:
        """A connection to the container's own loopback; it needs no network of the host's.

        TimeoutError, an OSError, if nothing listens for so long.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                # A thread of its own enters the namespace, and ends there.
                with ThreadPoolExecutor(max_workers=1) as thread:
                    return thread.submit(_connect_in_namespace_of, self.pid, port).result()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"port {port}: {error}\n{self.logs()}") from error
                time.sleep(0.1)

    def logs(self) -> str:
        done = self.engine.try_run("logs", self.identity)
        return done.stdout + done.stderr


@dataclass(frozen=True, slots=True)
class Runner:
    """`docker run` of one image with certain flags."""

    engine: Engine
    image: str
    flags: tuple[str, ...] = ()

    def try_run(self, *arguments: str, flags: tuple[str, ...] = ()) -> tuple[int, str]:
        """Exit code and output of both streams."""
        network = () if any(flag.startswith("--network") for flag in flags) else _NO_NETWORK
        done = self.engine.try_run(
            "run", "--rm", *network, *self.flags, *flags, self.image, *arguments, timeout=60
        )
        return done.returncode, done.stdout + done.stderr

    def __call__(self, *arguments: str, flags: tuple[str, ...] = ()) -> str:
        """The output of a run that must succeed."""
        code, output = self.try_run(*arguments, flags=flags)
        assert code == 0, f"{self.image} {' '.join(arguments)}: exit {code}\n{output}"
        return output

    @contextmanager
    def serve(self, *arguments: str, flags: tuple[str, ...] = ()) -> Iterator[Container]:
        """A container in the background; it is gone at the end."""
        identity = self.engine(
            "run", "--detach", *_NO_NETWORK, *self.flags, *flags, self.image, *arguments
        )
        try:
            pid = int(self.engine("inspect", "--format", "{{.State.Pid}}", identity))
            container = Container(self.engine, identity, pid)
            assert pid, f"{self.image} ended at once:\n{container.logs()}"
            yield container
        finally:
            self.engine("rm", "--force", "--volumes", identity)


_NO_NETWORK = ("--network", "none")
_CLONE_NEWNET = 0x4000_0000


def _connect_in_namespace_of(pid: int, port: int) -> socket.socket:
    libc = ctypes.CDLL(None, use_errno=True)  # os.setns came with Python 3.12
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if libc.setns(namespace, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns to the namespace of {pid}")
    finally:
        os.close(namespace)
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def user_of(engine: Engine, image: str) -> str:
    """The USER of an image's config."""
    return engine("image", "inspect", "--format", "{{.Config.User}}", image)


def size_of(engine: Engine, image: str) -> int:
    return int(engine("image", "inspect", "--format", "{{.Size}}", image))


def load(engine: Engine, archive: os.PathLike[str]) -> None:
    """`docker load`; subprocess.CalledProcessError if the engine refuses."""
    subprocess.run(
        ["docker", "load", "--quiet", "--input", os.fspath(archive)],
        env=engine.environment(),
        check=True,
        capture_output=True,
    )
