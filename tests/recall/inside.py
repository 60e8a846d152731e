"""`python -m recall.inside PROGRAM ROOT BESIDE [TRACE]`: a workload, in namespaces of its own.

Prints the checks as JSON. `run_workload` is how to start it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from recall import workloads
from recall.programs import PROGRAMS
from recall.room import Check, Room, end_all, furnish
from recall.site import served
from recall.tree import RecallError

_TESTS = Path(__file__).resolve().parents[1]
_LONGEST = 900


def run_workload(
    name: str, root: Path, beside: Path, trace: Path | None = None
) -> tuple[Check, ...]:
    """Runs a workload in `root`, which it changes; under strace if it writes to `trace`."""
    unshare = ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]
    paths = [str(path) for path in (root, beside, trace) if path is not None]
    done = subprocess.run(
        [*unshare, sys.executable, "-m", "recall.inside", name, *paths],
        cwd=_TESTS,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=_LONGEST,
        check=False,
    )
    if done.returncode != 0:
        raise RecallError(f"{name}: the workload did not end: {done.stderr[-3000:]}")
    return tuple(Check(**check) for check in json.loads(done.stdout))


def main() -> None:
    name, root, beside, *trace = sys.argv[1:]
    program = PROGRAMS[name]
    furnish(Path(root))
    room = Room(program, Path(root), Path(beside), Path(trace[0]) if trace else None)
    with served(room.beside / "site") if program.trusts_authority else nullcontext():
        workloads.WORKLOADS[name](room)
    end_all()
    json.dump([asdict(check) for check in room.checks], sys.stdout)


if __name__ == "__main__":
    main()
