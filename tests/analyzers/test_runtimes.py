"""Runtimes that are made of scripts: each brings the commands and the library of the whole."""

from __future__ import annotations

import pytest
from closure.kit import planned
from filetree.kit import Member, file

from analyzers.kit import compiled, libc
from minify.closure import Level
from minify.filetree import ImagePath
from minify.image.jsontext import Json
from minify.pipeline import Options

_SCRIPT = "#!/bin/sh\nexec $(something)\n"
MEMBERS: list[Member | str] = [
    file("bin/sh", "\x7f", mode=0o755),
    file("usr/lib/erlang/bin/erl", _SCRIPT, mode=0o755),
    file("usr/lib/elixir/bin/elixir", _SCRIPT, mode=0o755),
    file("usr/lib/R/bin/R", _SCRIPT, mode=0o755),
    file("usr/bin/Rscript", "\x7f", mode=0o755),
    "usr/bin/erl -> ../lib/erlang/bin/erl",
    "usr/bin/elixir -> ../lib/elixir/bin/elixir",
    "usr/bin/R -> ../lib/R/bin/R",
    "usr/lib/erlang/lib/stdlib.beam: x",
    "usr/lib/elixir/lib/elixir.beam: x",
    "usr/lib/R/library/base: x",
]


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        ("erl", ("/usr/lib/erlang/lib/stdlib.beam", "/bin/sh")),
        ("elixir", ("/usr/bin/erl", "/usr/lib/erlang/lib/stdlib.beam", "/usr/lib/elixir/lib")),
        ("Rscript", ("/usr/bin/R", "/usr/lib/R/library/base", "/bin/sh")),
    ],
)
def test_what_is_made_of_scripts_stays_whole(command: str, needed: tuple[str, ...]) -> None:
    kept = planned({"Cmd": [command, "/app/x"], "Env": ["PATH=/usr/bin"]}, MEMBERS).keep.kept
    assert set(needed) - set(kept) == set()
    assert command != "erl" or ImagePath("/usr/lib/elixir/lib") not in kept


def test_mono_stays_whole_with_the_libraries_that_its_assemblies_call() -> None:
    members: list[Member | str] = [
        file("usr/bin/mono-sgen", compiled("int main() { return 0; }"), mode=0o755),
        "usr/bin/mono -> mono-sgen",
        "usr/lib/mono/4.5/mscorlib.dll: x",
        "usr/lib/libMonoPosixHelper.so: x",
        "etc/mono/config: x",
        "usr/lib/other: x",
        "app/Server.exe: x",
        "app/plugins/A.dll: x",
        *libc(),
    ]
    run: dict[str, Json] = {"Cmd": ["mono", "/app/Server.exe"], "Env": ["PATH=/usr/bin"]}
    kept = {str(path) for path in planned(run, members).keep.kept}
    assert "/usr/lib/other" not in kept
    assert kept >= {
        "/etc/mono/config",
        "/usr/lib/libMonoPosixHelper.so",
        "/usr/lib/mono/4.5/mscorlib.dll",
        "/app/plugins/A.dll",
    }


def test_what_a_script_loads_from_its_own_directory_stays() -> None:
    members: list[Member | str] = [
        file("start", "#!/bin/sh\nexec tclsh8.6 /opt/app/bin/main.tcl\n", mode=0o755),
        file("bin/sh", "\x7f", mode=0o755),
        file("usr/bin/tclsh8.6", "\x7f", mode=0o755),
        "opt/app/bin/main.tcl: x",
        "opt/app/lib/more.tcl: x",
        "opt/other/x.tcl: x",
    ]
    run: dict[str, Json] = {"Cmd": ["/start"], "Env": ["PATH=/usr/bin:/bin"]}
    kept = planned(run, members).keep.kept
    assert ImagePath("/opt/app/lib/more.tcl") in kept
    assert ImagePath("/opt/other/x.tcl") not in kept


@pytest.mark.parametrize(("server", "is_kept"), [("httpd", True), ("frob", False)])
def test_programs_behind_a_web_server_bring_their_runtimes(server: str, *, is_kept: bool) -> None:
    members: list[Member | str] = [
        file(f"usr/sbin/{server}", "\x7f", mode=0o755),
        file("usr/bin/lua5.4", compiled("int main() { return 0; }"), mode=0o755),
        file("srv/cgi-bin/page", "#!/usr/bin/lua5.4\n", mode=0o755),
        "usr/share/lua/5.4/a.lua: x",
        *libc(),
    ]
    run: dict[str, Json] = {"Cmd": [server, "-h", "/srv"], "Env": ["PATH=/usr/sbin"]}
    kept = planned(run, members).keep.kept
    assert (ImagePath("/usr/share/lua/5.4/a.lua") in kept) == is_kept


@pytest.mark.parametrize(
    ("program", "tree"),
    [("php8.2", "php/modules"), ("perl", "perl5"), ("lua5.4", "lua/5.4"), ("tclsh8.6", "tcl8.6")],
)
def test_libraries_of_distributions_with_lib64_stay(program: str, tree: str) -> None:
    members: list[Member | str] = [
        file(f"usr/bin/{program}", compiled("int main() { return 0; }"), mode=0o755),
        f"usr/lib64/{tree}/a: x",
        "usr/lib64/other/a: x",
        *libc(),
    ]
    run: dict[str, Json] = {"Cmd": [program, "-x"], "Env": ["PATH=/usr/bin"]}
    kept = planned(run, members).keep.kept
    assert ImagePath(f"/usr/lib64/{tree}/a") in kept
    assert ImagePath("/usr/lib64/other/a") not in kept


def test_what_users_installed_for_python_stays_with_it() -> None:
    there = [
        "/home/web/.local/lib/python3.11/site-packages/a.py",
        "/srv/base/lib/python3.11/site-packages/b.py",
        "/var/web/.local/lib/python3.11/site-packages/c.py",
    ]
    members: list[Member | str] = [
        file("usr/bin/python3.11", compiled("int main() { return 0; }"), mode=0o755),
        "usr/lib/python3.11/os.py: x",
        *(f"{path[1:]}: x" for path in there),
        "home/web/.local/share/x: x",
        *libc(),
    ]
    env: list[Json] = ["PATH=/usr/bin", "HOME=/var/web", "PYTHONUSERBASE=/srv/base"]
    run: dict[str, Json] = {"Cmd": ["python3.11", "-c", "exec(input())"], "Env": env}
    plan = planned(run, members, options=Options(level=Level.SAFE))
    kept = {str(path) for path in plan.keep.kept}
    assert set(there) - kept == set()
    assert "/home/web/.local/share/x" not in kept
