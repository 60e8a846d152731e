"""The entrypoint scripts under real shells, as root and as another user, against the walk.

In a root of their own, where every command but the shells and `id` is a stand-in that writes down
how it was called. What was called must be among what the walk says may run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzers.test_privileges import IDIOMS, SCRIPTS
from minify.shell import Run, Script, Surroundings, Value, parse, walk
from minify.shell.values import Known

REAL = {"bash": "bin/bash", "dash": "bin/sh"} | {
    name: f"bin/{name}" for name in ("basename", "dirname", "id", "readlink", "whoami")
}
STAND_IN = '#!/bin/sh\necho "${0##*/} $*" >> /log\n'
# They end before they run anything, or run what is not there.
QUIET = {("elasticsearch", 65534), ("must-be-root", 65534), ("only-as-root", 65534)}
DIRECTORIES = "tmp data conf etc/nginx/conf.d etc/rabbitmq/conf.d etc/cassandra srv/state".split()

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, [*REAL, "chroot"])),
        reason="needs root, chroot, bash and dash",
    ),
]


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with shells, their libraries and writable directories."""
    directory = tmp_path_factory.mktemp("root")
    directory.chmod(0o755)
    for name, target in REAL.items():
        source = Path(str(shutil.which(name))).resolve()
        listed = subprocess.run(["ldd", source], capture_output=True, text=True, check=True).stdout
        for path in [str(source), *re.findall(r"(?:=> )?(/\S+) \(0x", listed)]:
            to = directory / (target if path == str(source) else path[1:])
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)
    for name in DIRECTORIES:
        (directory / name).mkdir(parents=True, exist_ok=True)
        (directory / name).chmod(0o777)
    (directory / "etc/nginx/app.template").touch()
    null = directory / "dev/null"
    null.parent.mkdir()
    null.touch()
    null.chmod(0o666)
    return directory


def runs(script: Script, name: str, *, is_root: bool) -> tuple[Run, ...]:
    cmd, env, _ = IDIOMS[name]
    pairs = dict(one.split("=", 1) for one in env.split())
    arguments = tuple(cmd.split())
    around = Surroundings(is_root, "/e.sh", pairs, arguments, "/data")
    return walk(script, around).runs


def stand_ins(root: Path, script: Script, name: str) -> Iterator[Path]:
    """A stand-in for each command that the script names, and for its first argument."""
    found = (run.texts[0] for user in (True, False) for run in runs(script, name, is_root=user)
             if run.words)  # fmt: skip
    for command in {text.rpartition("/")[2] for text in found if text} - {"sh", "bash", *REAL}:
        if command != "." and re.fullmatch(r"[\w.-]+", command):
            path = root / "bin" / command
            path.write_text(STAND_IN)
            path.chmod(0o755)
            yield path


def called(root: Path, name: str, *, uid: int) -> list[str]:
    """What the script calls, in order."""
    cmd, env, _ = IDIOMS[name]
    log = root / "log"
    log.write_text("")
    log.chmod(0o666)
    command = [str(shutil.which("chroot")), f"--userspec={uid}:{uid}", "--groups=", str(root)]
    first = (root / "e.sh").read_text().partition("\n")[0]
    shell = ["/bin/bash"] if "bash" in first else ["/bin/sh"]
    options = re.findall(r" (-\w+)$", first)
    variables = ["PATH=/bin", *env.split()]
    subprocess.run(
        [*command, "/bin/env-i", *shell, *options, "/e.sh", *cmd.split()],
        env=dict(one.split("=", 1) for one in variables),
        cwd=root,
        check=False,
        timeout=60,
        capture_output=True,
    )
    return log.read_text().splitlines()


def pattern(run: Run) -> str:
    return " ?".join(map(_piece, run.words))


def _piece(value: Value) -> str:
    return "".join(re.escape(p.text) if isinstance(p, Known) else ".*" for p in value.parts)


@pytest.mark.parametrize("uid", [0, 65534])
@pytest.mark.parametrize("name", sorted(IDIOMS))
def test_what_a_shell_calls_is_what_the_walk_says(root: Path, name: str, uid: int) -> None:
    script = parse((SCRIPTS / f"{name}.sh").read_bytes())
    assert isinstance(script, Script)
    shutil.copy(SCRIPTS / f"{name}.sh", root / "e.sh")
    enter = root / "bin/env-i"
    enter.write_text('#!/bin/sh\ncd /data; exec "$@"\n')
    enter.chmod(0o755)
    made = list(stand_ins(root, script, name))
    try:
        calls = called(root, name, uid=uid)
    finally:
        for path in made:
            path.unlink()
    may_run = [pattern(run) for run in runs(script, name, is_root=uid == 0)]
    missed = [call for call in calls if not any(_is(call, one) for one in may_run)]
    assert missed == []
    assert bool(calls) is ((name, uid) not in QUIET)


def _is(call: str, pattern_: str) -> bool:
    program = r"(?:\S*/)?"  # the log has the name without its directory
    words = re.sub(r"^(?:\S*/)", "", pattern_)
    return re.fullmatch(program + words, call.rstrip(), re.DOTALL) is not None
