"""An image of only what processes opened while the checks of a case ran: how small it could be.

strace is the first program of a container, becomes its service, and watches it from beside: the
service is process 1 and gets the signals.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from images.cache import cached
from images.engines import Engine
from images.runner import Container, Runner
from recall.room import PROVIDED
from recall.trace import needed_files, resolved

from apps.build import AppImage, unpack
from apps.case import Case, Check, Restart
from apps.checks import failures, perform

_TOOLS = "/.minify-strace"
_TRACES = "/.minify-traces"
_TRACED = "trace=open,openat,openat2,creat,execve,execveat,chroot"
"""The calls whose answers `recall.trace` reads."""

_OF_ENGINES = ("/etc/passwd", "/etc/group")
"""What an engine reads to start a container, where no strace sees it."""

_SLOWER = 5
"""How many times longer a traced service may take."""


class OpenedError(Exception):
    """The fat image does not pass its checks when it is traced."""


@dataclass(frozen=True, slots=True)
class OpenedImage:
    tag: str
    files: int
    size: int
    """Bytes of regular files."""


@dataclass(frozen=True, slots=True)
class TracedRunner(Runner):
    """Containers whose processes leave traces in directories below `traces`, one a container."""

    tools: Path = Path()
    traces: Path = Path()

    def try_run(self, *arguments: str, flags: tuple[str, ...] = ()) -> tuple[int, str]:
        return Runner.try_run(self, *self._words(arguments), flags=(*flags, *self._flags()))

    @contextmanager
    def serve(self, *arguments: str, flags: tuple[str, ...] = ()) -> Iterator[Container]:
        all_flags = (*flags, *self._flags())
        with Runner.serve(self, *self._words(arguments), flags=all_flags) as container:
            yield container

    def _flags(self) -> tuple[str, ...]:
        traces = Path(tempfile.mkdtemp(dir=self.traces))
        traces.chmod(0o777)  # whoever the service runs as writes there
        return (
            f"--volume={self.tools}:{_TOOLS}:ro",
            f"--volume={traces}:{_TRACES}",
            "--cap-add=SYS_PTRACE",
            "--security-opt=seccomp=unconfined",
            f"--entrypoint={_TOOLS}/loader",
        )

    def _words(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        config = _config(self.engine, self.image)
        command = (*(config.get("Entrypoint") or ()), *(arguments or config.get("Cmd") or ()))
        strace = (f"{_TOOLS}/strace", "-D", "-qq", "-ff", "-y", "-e", _TRACED, "-e", "signal=none")
        return ("--library-path", _TOOLS, *strace, "-o", f"{_TRACES}/trace", "--", *command)


def opened_image(case: Case, image: AppImage, docker: Engine) -> OpenedImage:
    """What the checks of a case open of its fat image, which the daemon has. Cached."""
    tag = image.tag.replace(":fat", ":opened")

    def make(out: Path) -> None:
        with tempfile.TemporaryDirectory(dir=out) as work:
            whole, tools, traces = (Path(work, name) for name in ("whole", "tools", "traces"))
            for directory in (whole, tools, traces):
                directory.mkdir()
            # Below it is what users who are not root have to reach.
            Path(work).chmod(0o755)
            _copy_strace(tools)
            unpack(docker, image.tag, whole)
            run = TracedRunner(docker, image.tag, tools=tools, traces=traces)
            failed = failures(perform(_patient(case), run, image.tag))
            if failed:
                raise OpenedError(f"{case.name}: {failed}")
            needed = {name for one in traces.iterdir() for name in _needed(one, whole)}
            by_engine = {name for name in _OF_ENGINES if (whole / name.lstrip("/")).is_file()}
            given = {f"/{name}" for name in PROVIDED}
            _write_tree(whole, (needed | set(_sources(needed, whole))) - given | by_engine, out)

    # What is opened depends on the image, on the checks, and on how they are traced.
    parts = (image.archive.parent.name, repr(case.check), Path(__file__).read_text("utf-8"))
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    made = cached(f"app-{case.name}.opened", key, make)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as dockerfile:
        lines = ["FROM scratch", "ADD tree.tar /", *_instructions(_config(docker, image.tag))]
        dockerfile.write("\n".join(lines))
        dockerfile.flush()
        docker("build", "--tag", tag, "--file", dockerfile.name, str(made))
    numbers = json.loads((made / "size.json").read_bytes())
    return OpenedImage(tag, numbers["files"], numbers["size"])


def _needed(traces: Path, whole: Path) -> tuple[str, ...]:
    # What is read there has the path of its tree before the name.
    for file in traces.iterdir():
        text = file.read_bytes()
        file.write_bytes(re.sub(rb"(= [0-9]+<)/", rb"\1/tree/", text))
    return needed_files(traces, Path("/tree"), whole)


def _sources(opened: Iterable[str], whole: Path) -> Iterator[str]:
    """What Python made the opened bytecode of, where it is there.

    Python only asks for its time and size, which is no opening; bytecode in a `__pycache__` whose
    source is gone is not taken. https://peps.python.org/pep-3147/#flow-chart
    """
    for name in opened:
        with suppress(ValueError):  # no bytecode of a source
            source = resolved(whole, importlib.util.source_from_cache(name))
            if source is not None:
                yield source


def _config(docker: Engine, image: str) -> dict[str, list[str] | str | None]:
    return dict(json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image)))


def _instructions(config: dict[str, list[str] | str | None]) -> list[str]:
    """The lines of a Dockerfile that give an image the configuration of another."""
    variables = [one.partition("=") for one in config.get("Env") or ()]
    lines = [f"ENV {name}={json.dumps(value)}" for name, _, value in variables]
    lines += [f"VOLUME {json.dumps([one])}" for one in config.get("Volumes") or ()]
    for word, key in (("ENTRYPOINT", "Entrypoint"), ("CMD", "Cmd")):
        if config.get(key):
            lines.append(f"{word} {json.dumps(config[key])}")
    for word, key in (("USER", "User"), ("WORKDIR", "WorkingDir"), ("STOPSIGNAL", "StopSignal")):
        if config.get(key):
            lines.append(f"{word} {config[key]}")
    return lines


_KILLED = 137


def _patient(case: Case) -> Case:
    """The case with more time; who waits for all children, strace among them, may be killed."""
    if case.service is None:
        return case
    service = dataclasses.replace(case.service, seconds=case.service.seconds * _SLOWER)
    return dataclasses.replace(case, service=service, check=tuple(map(_patient_check, case.check)))


def _patient_check(check: Check) -> Check:
    restart = check.restart and Restart((*check.restart.exit_codes, _KILLED))
    return dataclasses.replace(check, within=check.within * _SLOWER, restart=restart)


def _copy_strace(tools: Path) -> None:
    """strace with its libraries and loader, to run in a container that may have none of them."""
    strace = shutil.which("strace")
    assert strace is not None
    shutil.copy(strace, tools / "strace")
    listed = subprocess.run(["ldd", strace], check=True, capture_output=True, encoding="utf-8")
    for path in re.findall(r"(/\S+) \(0x", listed.stdout):
        name = "loader" if "/ld-" in path else Path(path).name
        shutil.copy(path, tools / name)
    for path in tools.iterdir():
        path.chmod(0o755)


def _write_tree(whole: Path, needed: Iterable[str], out: Path) -> None:
    """`tree.tar`: these files, every directory, every link; `size.json`: how many bytes it has."""
    files = sorted(name.lstrip("/") for name in needed)
    names = [*files]
    for parent, directories, others in os.walk(whole):
        for name in (*directories, *others):
            path = Path(parent, name)
            if path.is_symlink() or path.is_dir():
                names.append(str(path.relative_to(whole)))
    command = ["tar", "-c", "--numeric-owner", "-f", str(out / "tree.tar"), "-C", str(whole)]
    command += ["--no-recursion", "--null", "-T", "-"]
    subprocess.run(command, input=b"\0".join(map(os.fsencode, names)), check=True)
    sizes = {(s.st_dev, s.st_ino): s.st_size for s in ((whole / name).stat() for name in files)}
    numbers = {"files": len(files), "size": sum(sizes.values())}
    (out / "size.json").write_text(json.dumps(numbers), encoding="utf-8")
