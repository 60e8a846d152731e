"""A root in which a script of the corpus runs under its real shell; what it runs is logged.

Every command is a stand-in that logs its path; those that only look, or go on to run something,
then do what they do. The process has its own mounts, processes and network, which end with it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from filetree.kit import Member, member

from analyzers.corpus import APPLETS, ENTRYPOINT, PATH, Case, Input, own_members

SHELLS = "bash dash busybox".split()
LOOKS = """
    awk basename cat cp cut date dirname env expr find getopt grep head hostname id ln ls mkdir
    mktemp nice nohup paste printenv readlink realpath run-parts sed seq sort stat tail tee timeout
    touch tr uname uniq wc which xargs
""".split()
HEADS = """
    catatonit dumb-init ionice numactl runuser s6-notifyoncheck setpriv setsid stdbuf sudo tini
    with-contenv
""".split()
TOOLS = [*SHELLS, *LOOKS, "chroot", "setpriv", "sleep", "unshare"]

_STAND_IN = """#!/.real/dash
echo "$0" >> /.log
name=${0##*/}
[ -e "/.says/$name" ] && exec /.real/cat "/.says/$name"
[ -e "/.fails/$name" ] && exit 1
as_nobody() { exec /.real/setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }
case $name in
LOOKS) exec "/.real/$name" "$@" ;;
gosu | su-exec | s6-setuidgid) shift; as_nobody "$@" ;;
HEADS)
    while [ "${1#-}" != "$1" ]; do
        case $1 in -[cgnuw]) shift ;; --) shift; break ;; esac
        shift
    done
    case $name in setpriv | runuser | sudo) as_nobody "$@" ;; esac
    exec "$@" ;;
su)
    while [ $# -gt 1 ]; do
        [ "$1" = -c ] && as_nobody /bin/sh -c "$2"
        shift
    done
    as_nobody /bin/sh ;;
start-stop-daemon)
    while [ "$1" != --exec ]; do shift; done
    exec "$2" ;;
sleep) exec /.real/sleep 0.05 ;;
esac
""".replace("LOOKS", " | ".join(LOOKS)).replace("HEADS", " | ".join(HEADS))
_TRACED = re.compile(r"^\++ (?:exec )?([\w-]+)", re.MULTILINE)


def template(directory: Path) -> Path:
    """The shells and tools that stand-ins become, with their libraries."""
    real = directory / ".real"
    real.mkdir(parents=True)
    for name in [*SHELLS, *LOOKS, "setpriv", "sleep"]:
        source = str(Path(str(shutil.which(name))).resolve())
        shutil.copy(source, real / name)
        listed = subprocess.run(["ldd", source], capture_output=True, text=True, check=False)
        for library in re.findall(r"(?:=> )?(/\S+) \(0x", listed.stdout):
            _copied(Path(library), directory)
    stand_in = real / "stand-in"
    stand_in.write_text(_STAND_IN)
    stand_in.chmod(0o755)
    return directory


def _copied(path: Path, directory: Path) -> None:
    to = directory / ".libraries" / str(path)[1:]
    if not to.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)


def make_root(root: Path, template_: Path, case: Case, everything: Iterable[Member | str]) -> None:
    """The image's tree below `root`, with stand-ins for its programs; shells are real ones."""
    for described in everything:
        _write(root, template_, member(described))
    shell = root / ("bin" if case.is_alpine else "usr/bin")
    for name in ["ash", "sh"] if case.is_alpine else ["bash", "dash"]:
        (shell / name).unlink()
        os.link(template_ / ".real" / ("busybox" if case.is_alpine else name), shell / name)
    for directory in (".real", ".libraries"):
        base = template_ / directory
        for source in (path for path in base.rglob("*") if path.is_file()):
            to = root / (".real" if directory == ".real" else "") / source.relative_to(base)
            to.parent.mkdir(parents=True, exist_ok=True)
            os.link(source, to)
    for name in ("proc", "dev", "run", "var/lib", "var/log", "var/run", "tmp", "etc", "data"):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name).chmod(0o777)
    (root / "dev/fd").symlink_to("/proc/self/fd")
    (root / "dev/null").touch()
    (root / "dev/null").chmod(0o666)


def _write(root: Path, template_: Path, one: Member) -> None:
    path = root / one.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True) if path.is_symlink() or path.is_file() else None
    is_applet = one.target == "/bin/busybox"
    if one.type == b"5":
        path.mkdir(exist_ok=True)
        path.chmod(one.mode)
    elif is_applet or one.content.startswith(b"\x7fELF"):
        os.link(template_ / ".real/stand-in", path)
    elif one.target:
        path.symlink_to(one.target)
    else:
        path.write_bytes(one.content)
        path.chmod(one.mode)


def called(root: Path, template_: Path, case: Case, how: Input) -> tuple[str, ...]:
    """The paths of what the script runs, given one input."""
    for one in own_members(_traced(case.text) if case.is_alpine else case.text, how.files):
        _write(root, template_, one)
    for directory, names in ((".says", dict(how.says)), (".fails", dict.fromkeys(how.fails, ""))):
        shutil.rmtree(root / directory, ignore_errors=True)
        (root / directory).mkdir()
        for name, text in names.items():
            (root / directory / name).write_text(text)
    log = root / ".log"
    log.write_text("")
    log.chmod(0o666)
    enter = 'mount -t proc proc "$1/proc"; root=$1; shift; exec chroot "$@"'
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", enter]
    user = f"--userspec={how.uid}:{how.uid}"
    inside = ["/.real/env", "-i", f"PATH={PATH}", *(f"{k}={v}" for k, v in how.env.items())]
    inside += ["/.real/dash", "-c", 'cd "$0"; exec "$@"', case.workdir, ENTRYPOINT, *how.cmd]
    done = subprocess.run(
        [
            "timeout",
            "-s",
            "KILL",
            "3",
            *command,
            "-",
            str(root),
            user,
            "--groups=",
            str(root),
            *inside,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    applets = (
        f"/bin/{name}" for name in _TRACED.findall(done.stderr) if name in APPLETS - {"echo"}
    )
    return tuple(dict.fromkeys((*log.read_text().splitlines(), *applets)))


def _traced(text: str) -> str:
    """A script that says what it runs: busybox's shell runs its applets itself."""
    first, _, rest = text.partition("\n")
    return f"{first}\nset -x\n{rest}"
