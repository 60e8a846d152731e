"""`make bench`, second part: from registry to registry, beside a plain copy of the same image.

Two registries on loopback, the second one new for each run, so that all has to be sent. Columns:

- line        how fast each registry is reached: loopback, or through a line of so many Mbit/s
- copy        `skopeo copy` of the image, which is unpacked by nobody
- minify      the whole command
- minify/copy what shall be at most 1.5 on a line of 100 Mbit/s
- CPU         the processor's seconds of each, which a loaded machine changes less
- in, out     MB that crossed the line for minify; each blob of the source once, and the new ones

All are the best of three, in turn, so that another program's work does not matter.
"""

from __future__ import annotations

import os
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench import MB, ROOT, compiled, compressed_layout
from transports.registries import distribution, skopeo

IMAGES = ("curl", "nginx", "postgres-entrypoint")
LINES = (0, 1000, 100)
"""Mbit/s; 0 is loopback itself."""
HEAD = (
    "| image | MB as stored | line | copy s | minify s | minify/copy | copy CPU | minify CPU |"
    " in MB | out MB |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
)
INSECURE = ("--src-tls-verify=false", "--dest-tls-verify=false")


class Line(socketserver.ThreadingTCPServer):
    """Leads to a registry and lets so many bytes a second through, in each direction."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: str, rate: float) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        host, _, port = upstream.partition(":")
        self.upstream = host, int(port)
        self.directions = _Rate(rate), _Rate(rate)


class _Rate:
    """When the next bytes may go, for all connections of one direction."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._free = 0.0
        self.passed = 0
        """Bytes."""
        self._lock = threading.Lock()

    def wait(self, size: int) -> None:
        with self._lock:
            self._free = max(self._free, time.monotonic()) + size / self._rate
            self.passed += size
            free = self._free
        time.sleep(max(0, free - time.monotonic()))


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        line = self.server
        assert isinstance(line, Line)
        up, down = line.directions
        with socket.create_connection(line.upstream) as upstream:
            back = threading.Thread(target=_passed, args=(upstream, self.request, down))
            back.start()
            _passed(self.request, upstream, up)
            back.join()


def _passed(source: socket.socket, target: socket.socket, rate: _Rate) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            rate.wait(len(data))
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@dataclass(frozen=True)
class Reached:
    """How a registry is reached."""

    address: str
    line: Line | None

    def passed(self) -> tuple[int, int]:
        """The bytes that have gone to the registry and come from it; 0 if nobody counts them."""
        up, down = (way.passed for way in self.line.directions) if self.line else (0, 0)
        return up, down


@contextmanager
def reached(address: str, megabits: int) -> Iterator[Reached]:
    """The registry at `address`, over a line."""
    if not megabits:
        yield Reached(address, None)
        return
    with Line(address, megabits * 1e6 / 8) as line:
        thread = threading.Thread(target=line.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Reached(f"127.0.0.1:{line.server_address[1]}", line)
        finally:
            line.shutdown()
            thread.join()


def main() -> None:
    sys.stdout.write(HEAD)
    with compiled():
        for name in sys.argv[1:] or IMAGES:
            rows(name)


def rows(name: str) -> None:
    layout = compressed_layout(name)
    stored = sum(path.stat().st_size for path in layout.glob("blobs/*/*"))
    with tempfile.TemporaryDirectory() as work, distribution(Path(work) / "source") as source:
        skopeo("copy", INSECURE[1], f"oci:{layout}", f"docker://{source.address}/app:1")
        for megabits in LINES:
            row = f"| {name} | {stored / MB:.1f} | {cells(source.address, megabits)} |\n"
            sys.stdout.write(row)
            sys.stdout.flush()


class Run(NamedTuple):
    """What one run took."""

    seconds: float
    cpu: float
    received: int
    sent: int


def cells(address: str, megabits: int) -> str:
    copy = ("skopeo", "copy", "--quiet", *INSECURE)
    minify = (sys.executable, "-m", "minify", "-q", "-o", "{target}", "{source}")
    pairs = [
        (run((*copy, "{source}", "{target}"), address, megabits), run(minify, address, megabits))
        for _ in range(3)
    ]
    copies, slims = zip(*pairs, strict=True)
    copied, minified = (min(one.seconds for one in runs) for runs in (copies, slims))
    copy_cpu, cpu = (min(one.cpu for one in runs) for runs in (copies, slims))
    line = f"{megabits} Mbit/s" if megabits else "loopback"
    times = f"{line} | {copied:.2f} | {minified:.2f} | {minified / copied:.2f}"
    crossed = [f"{size / MB:.1f}" if size else "" for size in slims[0][2:]]
    return f"{times} | {copy_cpu:.2f} | {cpu:.2f} | {' | '.join(crossed)}"


def run(command: Sequence[str], address: str, megabits: int) -> Run:
    """What `command` takes from the registry at `address` into an empty one."""
    with (
        tempfile.TemporaryDirectory() as work,
        distribution(Path(work)) as empty,
        reached(address, megabits) as source,
        reached(empty.address, megabits) as target,
    ):
        names = {
            "{source}": f"docker://{source.address}/app:1",
            "{target}": f"docker://{target.address}/app:1",
        }
        started = time.perf_counter()
        words = [names.get(word, word) for word in command]
        with subprocess.Popen(words, cwd=ROOT) as process:
            _, status, used = os.wait4(process.pid, 0)
            taken = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, words
        cpu = used.ru_utime + used.ru_stime
        return Run(taken, cpu, source.passed()[1], target.passed()[0])


if __name__ == "__main__":
    main()
