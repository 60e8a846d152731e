"""minify as a user runs it: a process of its own, its exit code, its report."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from images.engines import Engine

Report = dict[str, Any]

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "login": (
        *("--user", "keep", "--keep-setuid", "--keep-shadow"),
        # What people run in a session is theirs to say.
        *("--keep", "/usr/bin/id"),
        *("--keep", "/usr/bin/su", "--keep", "/usr/bin/sudo"),
    ),
    # Nothing runs them; what becomes of such a file can be seen only where it stays.
    "planted": ("--keep", "/usr/local/bin/*sh"),
}
"""What minify is told of an image beside source and output."""

LARGE = frozenset({"postgres-entrypoint"})
"""Images whose tests are long ones: hundreds of megabytes, and the shape of another one."""


def images(names: Iterable[str], slow: Iterable[str] = ()) -> list[ParameterSet]:
    """`names` as the parameters of a test, of which the large and the `slow` ones are long."""
    long = LARGE.union(slow)
    return [pytest.param(n, marks=[pytest.mark.long] if n in long else []) for n in names]


@dataclass(frozen=True, slots=True)
class Done:
    """A finished run of minify."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.out}{self.err}"


def try_minify(
    *arguments: str | Path,
    host: str = "unix:///nonexistent/docker.sock",
    environment: Mapping[str, str] | None = None,
    umask: int = 0o022,
) -> Done:
    """`minify ARGUMENTS…`, whatever its exit code; no daemon unless `host` is one's address."""
    engine = Engine(host)
    done = subprocess.run(
        [sys.executable, "-m", "minify", *map(str, arguments)],
        env=engine.environment() | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        umask=umask,
        timeout=1200,  # a whole machine, slow and full, is a source too
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def minify(
    source: str,
    target: str,
    *arguments: str | Path,
    work: Path,
    host: str = "unix:///nonexistent/docker.sock",
    environment: Mapping[str, str] | None = None,
    umask: int = 0o022,
) -> Report:
    """The JSON report of a run that must succeed."""
    report, _ = minified(
        source, target, *arguments, work=work, host=host, environment=environment, umask=umask
    )
    return report


def minified(
    source: str,
    target: str,
    *arguments: str | Path,
    work: Path,
    host: str = "unix:///nonexistent/docker.sock",
    environment: Mapping[str, str] | None = None,
    umask: int = 0o022,
) -> tuple[Report, str]:
    """As `minify`; the summary too."""
    report = work / "report.json"
    done = try_minify(
        source,
        "-o",
        target,
        "--report",
        report,
        *arguments,
        host=host,
        environment=environment,
        umask=umask,
    )
    assert done.code == 0, str(done)
    found: Report = json.loads(report.read_text(encoding="utf-8"))
    report.unlink()
    assert "Traceback" not in done.err
    return found, done.out


def run_flags(summary: str) -> tuple[str, ...]:
    """The flags of the `docker run` line that a summary advises.

    Without those that reach out of the test: ports of the host, and volumes with a name, which the
    engine makes without one.
    """
    (line,) = (line for line in summary.splitlines() if line.lstrip().startswith("docker run "))
    flags = shlex.split(line)[2:-1]
    return tuple(flag for flag in flags if not flag.startswith(("--publish", "--volume=")))


def needed_libraries(report: Report) -> list[str]:
    """The paths which the hard closure keeps because an ELF file names them."""
    return [
        entry["path"]
        for entry in report["entries"]
        if entry["grade"] == "hard"
        and entry["kind"] == "file"
        and any(reason["rule"] == "elf.needed" for reason in entry["reasons"])
    ]


def files_in(directory: Path) -> list[str]:
    """Every name below `directory`, to see whether something was left behind."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))
