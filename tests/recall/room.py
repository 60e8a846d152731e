"""Where a workload runs: a tree, processes in it, and what an engine gives to a container.

A room is for a process that is the first one of namespaces of its own (mount, pid, network); see
`inside`. All that is mounted and started goes with them.
"""

# ruff: noqa: S108  # these are names in trees that nobody else has

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import socket
import ssl
import stat
import struct
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from images.authority import HOST, authority

from recall.programs import PATH, Program

# The calls whose answers `trace` reads.
_TRACED = "trace=open,openat,openat2,creat,execve,execveat,chroot"
_PATIENCE = 90.0
_NODES = (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9))


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    passed: bool
    output: str
    """The end of what was printed."""


class Room:
    """Runs commands in `root`; `checks` is what has been found."""

    def __init__(self, program: Program, root: Path, beside: Path, trace: Path | None) -> None:
        self.root = root
        self.beside = beside
        self.checks: list[Check] = []
        self._user = _chroot_user(root, program.user)
        self._trace = trace
        self._traces = 0
        home = {"PATH": PATH, "HOME": "/root" if program.user == "root" else "/tmp"}
        self._environment = home | dict(program.environment)

    def check(self, name: str, pattern: str, output: str) -> None:
        """Whether `pattern` is found in some line of `output`."""
        found = re.search(pattern, output, re.MULTILINE) is not None
        self.checks.append(Check(name, found, output[-400:]))

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> str:
        """What a command in the tree prints, both streams, whatever its exit code."""
        return self._output(self._command(command), self._environment | dict(environment or {}))

    def shell(self, text: str) -> str:
        return self.run("/bin/sh", "-c", text)

    def outside(self, *command: str, environment: Mapping[str, str] | None = None) -> str:
        """What a command of this machine prints: a client of what runs in the tree."""
        return self._output(command, os.environ | dict(environment or {}))

    def serve(self, *command: str, port: int) -> None:
        """Starts a server in the tree and waits until it listens; a failed check if it does not."""
        with tempfile.TemporaryFile() as log:
            server = subprocess.Popen(
                self._command(command),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            end = time.monotonic() + 30
            while time.monotonic() < end and server.poll() is None:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    return
                time.sleep(0.1)
            log.seek(0)
            said = log.read().decode("utf-8", "replace")
        self.checks.append(Check(f"port {port}", passed=False, output=said[-400:]))

    def terminal(
        self, *command: str, seconds: float, environment: Mapping[str, str] | None = None
    ) -> str:
        """What a command in the tree shows on a terminal, which is closed after `seconds`."""
        variables = self._environment | dict(environment or {})
        words = self._command(command)
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe(words[0], words, variables)  # noqa: S606  # it is to be this process
        shown = b""
        end = time.monotonic() + seconds
        os.set_blocking(terminal, False)
        while time.monotonic() < end:
            try:
                part = os.read(terminal, 65536)
            except BlockingIOError:
                time.sleep(0.05)
            except OSError:
                break
            else:
                shown += part
        # Not by hanging up alone: an editor that goes on to read its terminal may never end.
        for one in _running(session=pid):
            os.kill(one, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)
        return shown.decode("utf-8", "replace")

    def fetch(self, url: str) -> str:
        """Headers and body of what a server in the tree answers."""
        context = ssl.create_default_context(cafile=str(authority().certificate))
        tls = urllib.request.HTTPSHandler(context=context)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), tls)
        try:
            with opener.open(url, timeout=20) as answer:
                return f"{answer.headers}\n{answer.read().decode('utf-8', 'replace')}"
        except OSError as error:
            return f"{url}: {error}"

    def read(self, path: str) -> str:
        """A file that the workload has written in the tree; empty if it has not."""
        try:
            return (self.root / path.lstrip("/")).read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def write(self, path: str, text: str) -> None:
        with suppress(FileNotFoundError):  # the check that made its directory has failed
            (self.root / path.lstrip("/")).write_text(text, encoding="utf-8")

    def _command(self, command: Sequence[str]) -> list[str]:
        words = ["chroot", *self._user, str(self.root), *command]
        if self._trace is None:
            return words
        self._traces += 1
        out = str(self._trace / str(self._traces))
        return ["strace", "-qq", "-ff", "-y", "-e", _TRACED, "-e", "signal=none", "-o", out, *words]

    def _output(self, command: Sequence[str], environment: Mapping[str, str]) -> str:
        try:
            done = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            return f"{command[0]}: not done after {error.timeout} s"
        return done.stdout.decode("utf-8", "replace")


def _chroot_user(root: Path, name: str) -> tuple[str, ...]:
    """chroot's flags to be this user of the tree, by number: the name is the tree's."""
    if name == "root":
        return ()
    for line in (root / "etc/passwd").read_text(encoding="utf-8").splitlines():
        account, _, uid, gid = line.split(":")[:4]
        if account == name:
            return (f"--userspec=+{uid}:+{gid}", "--groups=")
    return ("--userspec=+65534:+65534", "--groups=")


def furnish(root: Path) -> None:
    """Gives the tree what an engine gives to a container: /proc, /dev, names; and loopback."""
    _loopback_up()
    socket.sethostname(_HOSTNAME)
    for name in ("proc", "dev", "etc"):
        (root / name).mkdir(exist_ok=True)
    _mount("-t", "proc", "proc", "/proc")
    _mount("-t", "proc", "proc", str(root / "proc"))
    dev = root / "dev"
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(dev))
    for name, minor in _NODES:
        os.mknod(dev / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        (dev / name).chmod(0o666)
    os.mknod(dev / "tty", stat.S_IFCHR | 0o666, os.makedev(5, 0))
    (dev / "tty").chmod(0o666)
    (dev / "pts").mkdir()
    _mount("--bind", "/dev/pts", str(dev / "pts"))
    (dev / "ptmx").symlink_to("pts/ptmx")
    (dev / "shm").mkdir()
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(dev / "shm"))
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        (dev / name).symlink_to(f"/proc/self/fd{target}")
    for name, text in PROVIDED.items():
        path = root / name
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")


_HOSTNAME = "container"

PROVIDED = {
    "etc/hosts": f"127.0.0.1 localhost {HOST} {_HOSTNAME}\n::1 localhost\n",
    "etc/hostname": f"{_HOSTNAME}\n",
    "etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
}
"""Files that an engine writes when a container starts: no image's."""


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _loopback_up() -> None:
    flags = 0x8914, struct.pack("16sh22x", b"lo", 0x1 | 0x40)  # SIOCSIFFLAGS: up, running
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, *flags)


def end_all() -> None:
    """Ends what still runs, programs before those that trace them, so that all is written."""
    end = time.monotonic() + 10
    while time.monotonic() < end and (running := _running()):
        number = signal.SIGTERM if end - time.monotonic() > 5 else signal.SIGKILL
        for pid in running:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        time.sleep(0.2)


def _running(session: int | None = None) -> list[int]:
    """The processes of this namespace, or of one session; not its first, strace and the dead."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            pid, rest = status.read_text("utf-8", "replace").split(" (", 1)
            name, _, numbers = rest.rpartition(") ")
            state, _, _, leader = numbers.split()[:4]
            is_meant = session is None or int(leader) == session
            if is_meant and pid != "1" and name != "strace" and state != "Z":
                found.append(int(pid))
    return found
