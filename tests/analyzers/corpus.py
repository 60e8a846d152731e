"""Entrypoint scripts with what they need: a script, a page of TOML, and an image around them.

The image is a fake distribution: each command that any script of the corpus has is there, in its
usual place, so that keeping too much is seen as well as keeping too little. The page says:

    cmd = ["server"]            # CMD, and with env and workdir the rest of the configuration
    env = { DATA = "/data" }
    alpine = true               # busybox and links to it
    commands = ["sh", "mkdir"]  # exactly what is kept of the distribution
    words = ["su"]              # operands with the name of a command, which may stay or not
    gaps = ["12"]               # the lines that say they are not followed, the script's or a file's
    left = ["/usr/bin/x"]       # the files below that are not kept; all others are
    known_failure = "why"       # minify does not do it yet

    [files]                     # a directory ends with a slash, "!" is a program
    "/docker-entrypoint.d/10-x.sh" = "…"

    [[runs]]                    # other ways to run it: uid, cmd, env, files; what programs say,
    says = { jq = "text" }      # and which of them fail
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from closure.kit import planned
from filetree.kit import Member, directory, file, symlink

from analyzers.kit import compiled
from minify.planning import Plan

HERE = Path(__file__).parent
DIRECTORIES = (HERE / "entrypoints", HERE / "scripts")
ENTRYPOINT = "/entrypoint.sh"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAM = "!"
"""The content of a file that stands for a program."""

ACCOUNTS = """
    root nobody www-data app cassandra consul influxdb mongodb mysql neo4j node postgres rabbitmq
    redis sonarqube vault zookeeper
""".split()
BEHIND = {"sh": "dash", "awk": "mawk", "nc": "nc.openbsd"}
"""What links of Debian lead to."""
NEVER = "perl5.36.0 gcc make vim apt-get dpkg".split()
"""What no script asks for."""
SBIN = frozenset(
    """
    a2enmod addgroup adduser chpasswd cron crond dnsmasq groupadd groupmod haproxy ip iptables
    ldconfig locale-gen nginx nologin openvpn postconf postfix postmap setcap sshd
    start-stop-daemon sysctl update-ca-certificates useradd usermod runuser gosu chroot
    """.split()
)
APPLETS = frozenset(
    """
    addgroup adduser ash awk basename cat chmod chown cp crond cut date dirname echo env expr find
    grep head hostname id install ln ls mkdir mktemp mv nc printenv readlink rm sed seq sh sleep
    sort start-stop-daemon stat su sysctl tail tar tee timeout touch tr uname wc wget which xargs
    """.split()
)
_BIN = ("/bin", "/sbin", "/usr/bin", "/usr/sbin")


@dataclass(frozen=True, slots=True)
class Input:
    """One way to run a script."""

    cmd: tuple[str, ...]
    env: Mapping[str, str]
    files: Mapping[str, str]
    uid: int = 0
    says: Mapping[str, str] = field(default_factory=dict)
    fails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A script, what is around it, and what minify shall keep."""

    name: str
    text: str
    base: Input
    workdir: str
    is_alpine: bool
    commands: tuple[str, ...]
    words: tuple[str, ...]
    gaps: tuple[str, ...]
    left: tuple[str, ...]
    inputs: tuple[Input, ...]
    known_failure: str


@functools.cache
def cases() -> Mapping[str, Case]:
    """All cases by name."""
    scripts = [path for place in DIRECTORIES for path in sorted(place.glob("*.sh"))]
    return {path.stem: _case(path) for path in scripts}


def _case(path: Path) -> Case:
    page: dict[str, Any] = tomllib.loads(path.with_suffix(".toml").read_text())
    base = Input(tuple(page.pop("cmd", ())), page.pop("env", {}), page.pop("files", {}))
    runs = page.pop("runs", [])
    case = Case(
        path.stem,
        path.read_text(),
        base,
        page.pop("workdir", "/"),
        page.pop("alpine", False),
        tuple(sorted(page.pop("commands"))),
        tuple(page.pop("words", ())),
        tuple(sorted(page.pop("gaps", ()))),
        tuple(page.pop("left", ())),
        (base, Input(base.cmd, base.env, base.files, 65534), *(_input(base, run) for run in runs)),
        page.pop("known_failure", ""),
    )
    assert not page, f"{path.stem}.toml: unknown keys: {', '.join(page)}"
    return case


def _input(base: Input, run: dict[str, Any]) -> Input:
    return Input(
        tuple(run.pop("cmd", base.cmd)),
        {**base.env, **run.pop("env", {})},
        {**base.files, **run.pop("files", {})},
        run.pop("uid", 0),
        run.pop("says", {}),
        tuple(run.pop("fails", ())),
    )


def _program() -> bytes:
    """A small static program."""
    return compiled("void _start(void){for(;;);}", "-static", "-nostdlib", "-s")


@functools.cache
def distribution(*, is_alpine: bool) -> tuple[Member, ...]:
    """What every image has, and the database that says so; what CMD names is no part of it."""
    everything = list(_distribution(is_alpine=is_alpine))
    applications = {word.rpartition("/")[2] for case in cases().values() for word in case.base.cmd}
    paths = (m.name for m in everything if m.name.rpartition("/")[2] not in applications)
    if is_alpine:
        lines = (f"F:{path.rpartition('/')[0]}\nR:{path.rpartition('/')[2]}\n" for path in paths)
        everything.append(file("lib/apk/db/installed", f"P:distribution\nV:1\n{''.join(lines)}\n"))
    else:
        status = "Package: distribution\nStatus: install ok installed\nVersion: 1\n"
        everything.append(file("var/lib/dpkg/status", status))
        owned = "".join(f"/{path}\n" for path in paths)
        everything.append(file("var/lib/dpkg/info/distribution.list", owned))
    return tuple(everything)


def _distribution(*, is_alpine: bool) -> Iterator[Member]:
    names = {name for case in cases().values() for name in case.commands} | {*NEVER}
    program = _program()
    if is_alpine:
        yield file("bin/busybox", program, mode=0o755)
        yield from (symlink(f"bin/{name}", "/bin/busybox") for name in sorted(APPLETS))
        names -= APPLETS
    else:
        yield from (symlink(name, f"usr/{name}") for name in ("bin", "sbin"))
    for name in sorted(names):
        target = name if is_alpine else BEHIND.get(name, name)
        place = "usr/sbin" if name in SBIN else "usr/bin"
        yield file(f"{place}/{target}", program, mode=0o755)
        if name == "sh":
            yield symlink("usr/bin/sh", target)
        elif target != name:
            yield symlink(f"usr/bin/{name}", f"/etc/alternatives/{name}")
            yield symlink(f"etc/alternatives/{name}", f"/{place}/{target}")
    users = "".join(f"{n}:x:{i}:{i}::/:/usr/sbin/nologin\n" for i, n in enumerate(ACCOUNTS))
    yield file("etc/passwd", users)
    yield file("etc/group", "".join(f"{n}:x:{i}:\n" for i, n in enumerate(ACCOUNTS)))
    yield from map(directory, ("tmp", "usr/local/bin", "data"))


def own_members(text: str, files: Mapping[str, str]) -> Iterator[Member]:
    """The script, and the files that are there for it."""
    yield file(ENTRYPOINT[1:], text, mode=0o755)
    for path, content in files.items():
        if path.endswith("/"):
            yield Member(path[1:-1], b"5", mode=0o777)
        elif content.startswith("-> "):
            yield symlink(path[1:], content[3:])
        else:
            is_run = content == PROGRAM or content.startswith("#!")
            data = _program() if content == PROGRAM else content.encode()
            yield file(path[1:], data, mode=0o755 if is_run else 0o644)


def configuration(case: Case) -> dict[str, Any]:
    env = {"PATH": PATH, **case.base.env}
    return {
        "Entrypoint": [ENTRYPOINT],
        "Cmd": list(case.base.cmd),
        "Env": [f"{name}={value}" for name, value in env.items()],
        "WorkingDir": case.workdir,
    }


@functools.cache
def members(name: str) -> tuple[Member | str, ...]:
    case = cases()[name]
    own = own_members(case.text, case.base.files)
    return (*distribution(is_alpine=case.is_alpine), *own)


@functools.cache
def plan(name: str) -> Plan:
    """What minify decides."""
    return planned(configuration(cases()[name]), members(name))


def kept_commands(name: str) -> tuple[str, ...]:
    """The commands of the distribution that are kept, by the names that scripts call them by."""
    own = {f"/{m.name}" for m in own_members("", cases()[name].base.files)}
    found = {
        path.rpartition("/")[2]
        for path in plan(name).keep.kept
        if path.rpartition("/")[0] in _BIN and path not in own
    }
    words = {*cases()[name].words} - {*cases()[name].commands}
    return tuple(sorted(found - {*BEHIND.values(), "busybox"} - words))


def names_of(name: str, paths: Iterable[str]) -> set[str]:
    """Of what was run, the commands of the distribution, and the paths of all others.

    What an input's CMD names is its own affair.
    """
    case = cases()[name]
    own = {f"/{m.name}" for m in own_members("", case.base.files)} - {*case.left}
    given = {word for how in case.inputs for word in how.cmd if how.cmd != case.base.cmd}
    found = set()
    # A shell joins `/` and `/x` to `//x`; `busybox APPLET` is logged by both names.
    for path in (re.sub("^/+", "/", path) for path in paths):
        place, _, last = path.rpartition("/")
        if path not in own and last not in given and last != "busybox":
            found.add(last if place in _BIN else path)
    return found


def files_left(name: str) -> tuple[str, ...]:
    """The files around the script that are not kept."""
    kept = plan(name).keep.kept
    files = cases()[name].base.files
    return tuple(path for path in files if not path.endswith("/") and path not in kept)


def gaps(name: str) -> tuple[str, ...]:
    """Where the plan says that something is not followed: the line, of a file unless it is ours."""
    details = [gap.reason.detail for gap in plan(name).keep.gaps]
    places = (one.partition(" ")[0] if one.startswith("/") else one for one in details)
    return tuple(sorted({place.removeprefix(f"{ENTRYPOINT}:") for place in places}))
