"""One program measured: its whole tree, what is needed of it, what minify makes of it."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import shlex
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from images.cache import cached, directory

from recall import inside, room, site, trace
from recall.inside import run_workload
from recall.programs import PATH, Program
from recall.room import PROVIDED, Check
from recall.trace import needed_files
from recall.tree import RecallError, WholeTree, whole_tree
from recall.workloads import WORKLOADS

CHECKOUT = Path(__file__).resolve().parents[2]
_LONGEST = 900
_REPORT = "report.json"


@dataclass(frozen=True, slots=True)
class Surplus:
    """Files that a rule kept, by the first reason of each, and that the workload did not need."""

    rule: str
    count: int
    size: int


@dataclass(frozen=True, slots=True)
class Slim:
    """What minify made, and what became of the workload in it."""

    count: int
    size: int
    missed: tuple[str, ...]
    """Needed files that it lacks."""
    checks: tuple[Check, ...]
    surplus: tuple[Surplus, ...]
    """Largest first."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Sizes are bytes of regular files; hard links to one count once."""

    program: Program
    fat_size: int
    needed: tuple[str, ...]
    needed_size: int
    checks: int
    """How many the workload makes; on the whole tree all pass."""
    slim: Slim | None
    """None: minify refused."""
    refusal: str = ""

    @property
    def recall(self) -> float:
        """The share of the needed files that was kept, 0 to 1."""
        missed = self.slim.missed if self.slim else self.needed
        return 1 - len(missed) / len(self.needed)

    @property
    def passed(self) -> int:
        return sum(check.passed for check in self.slim.checks) if self.slim else 0

    def failures(self) -> list[str]:
        """What is not as it has to be: a refusal, files missed, checks failed."""
        if self.slim is None:
            return [f"refused: {self.refusal}"]
        failed = [f"{one.name}: {one.output.strip()}" for one in self.slim.checks if not one.passed]
        return [*(f"missed {name}" for name in self.slim.missed), *failed]


def measure(program: Program, source: Path = CHECKOUT) -> Measurement:
    """Measures the minify of the checkout `source`. RecallError if the whole tree does not pass."""
    tree = whole_tree(program)
    needed, checks = _needed(program, tree)
    fat_size = _size(_regular_files(tree.root))
    needed_size = _size(_inside(tree.root, name) for name in needed)
    with tempfile.TemporaryDirectory(dir=directory(), prefix="recall-run.") as work:
        slim = Path(work, "slim")
        refusal = _minify(program, tree.root, slim, source)
        found = None if refusal else _slim(program, tree, slim, needed)
    return Measurement(program, fat_size, needed, needed_size, checks, found, refusal)


def _slim(program: Program, tree: WholeTree, root: Path, needed: Iterable[str]) -> Slim:
    files = list(_regular_files(root))
    missed = tuple(name for name in needed if not _is_regular(_inside(root, name)))
    size, surplus = _size(files), _surplus(root.with_name(_REPORT), frozenset(needed))
    checks = run_workload(program.name, root, tree.beside)
    return Slim(len(files), size, missed, checks, surplus)


def _surplus(report: Path, needed: frozenset[str]) -> tuple[Surplus, ...]:
    sizes: dict[str, list[int]] = {}
    for entry in json.loads(report.read_bytes())["entries"]:
        if entry["kind"] == "file" and entry["path"] not in needed:
            # What was written anew has no reason: it is not the image's.
            rule = entry["reasons"][0]["rule"] if entry["reasons"] else "added"
            sizes.setdefault(rule, []).append(entry["size"])
    found = [Surplus(rule, len(each), sum(each)) for rule, each in sizes.items()]
    return tuple(sorted(found, key=lambda one: one.size, reverse=True))


def _needed(program: Program, tree: WholeTree) -> tuple[tuple[str, ...], int]:
    """What the workload needs of the whole tree, and how many checks it makes. Cached."""

    def make(out: Path) -> None:
        run, traces = out / "run", out / "traces"
        subprocess.run(["cp", "-a", "--reflink=auto", str(tree.root), str(run)], check=True)
        traces.mkdir()
        checks = run_workload(program.name, run, tree.beside, traces)
        failed = [f"{one.name}: {one.output}" for one in checks if not one.passed]
        if failed or not checks:
            raise RecallError(f"{program.name}: the whole tree does not pass: {failed}")
        needed = [
            name
            for name in needed_files(traces, run, tree.root)
            if name.lstrip("/") not in PROVIDED
        ]
        subprocess.run(["rm", "-r", "--one-file-system", str(run), str(traces)], check=True)
        text = json.dumps({"needed": needed, "checks": len(checks)}, indent=1)
        (out / "needed.json").write_text(text, encoding="utf-8", errors="surrogateescape")

    texts = [inspect.getsource(module) for module in (inside, room, site, trace)]
    parts = (tree.key, repr(program), *texts, _workload_text(program.name))
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    made = cached(f"recall-{program.name}.needed", key, make)
    found = json.loads((made / "needed.json").read_bytes())
    return tuple(found["needed"]), found["checks"]


def _workload_text(name: str) -> str:
    """The source of a workload's module without the other workloads of that."""
    meant = WORKLOADS[name]
    text = inspect.getsource(sys.modules[meant.__module__])
    for other in WORKLOADS.values():
        if other is not meant:
            text = text.replace(inspect.getsource(other), "")
    return text


def _minify(program: Program, whole: Path, slim: Path, source: Path) -> str:
    """Makes the directory `slim`; what minify said if it refused, else nothing."""
    layout = slim.with_name("layout")
    environment = {"PATH": PATH} | dict(program.environment)
    options = [
        *("--entrypoint", json.dumps(program.entrypoint)),
        *(f"--env={name}={value}" for name, value in environment.items()),
        *(f"--keep={path}" for path in program.named),
        *("--user", "keep" if program.user == "root" else program.user, *program.options),
        *("--compression", "none", "--quiet", "--report", str(slim.with_name(_REPORT))),
    ]
    command = [sys.executable, "-m", "minify", f"rootfs:{whole}", "-o", f"oci:{layout}", *options]
    done = subprocess.run(
        command,
        cwd=source,
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        encoding="utf-8",
        timeout=_LONGEST,
        check=False,
    )
    if done.returncode == 1:
        raise RecallError(f"{shlex.join(command)}: exit 1\n{done.stderr}")
    if done.returncode != 0:
        return f"exit {done.returncode}: {done.stderr.strip()}"
    _unpack(layout, slim)
    return ""


def _unpack(layout: Path, root: Path) -> None:
    """The files of an OCI layout's only image, with owners, modes and capabilities."""

    def blob(digest: str) -> Path:
        return layout / "blobs/sha256" / digest.removeprefix("sha256:")

    index = json.loads((layout / "index.json").read_bytes())
    manifest = json.loads(blob(index["manifests"][0]["digest"]).read_bytes())
    root.mkdir()
    for layer in manifest["layers"]:
        command = ["tar", "-xp", "--numeric-owner", "--xattrs", "--xattrs-include=*"]
        command += ["-C", str(root), "-f", str(blob(layer["digest"]))]
        subprocess.run(command, check=True)


def _inside(root: Path, name: str) -> Path:
    return root / name.lstrip("/")


def _is_regular(path: Path) -> bool:
    return os.path.lexists(path) and stat.S_ISREG(path.lstat().st_mode)


def _regular_files(root: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(root):
        for name in names:
            path = Path(parent, name)
            if _is_regular(path):
                yield path


def _size(paths: Iterable[Path]) -> int:
    found = (path.lstat() for path in paths)
    return sum({(one.st_dev, one.st_ino): one.st_size for one in found}.values())
