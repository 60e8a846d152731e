"""Interpreters that no rule knows: what shows them, and the trees that they keep."""

from __future__ import annotations

import pytest
from closure.kit import planned
from filetree.kit import Member, Members, file

from analyzers.kit import compiled, libc
from minify.closure import UNKNOWN_INTERPRETER
from minify.image.jsontext import Json
from minify.report.sections import interpreters_section

_INFO = "var/lib/dpkg/info"


def program(name: str, *texts: str) -> Member:
    """A program with these strings."""
    said = "".join(f'const char *t{n} = "{text}";\n' for n, text in enumerate(texts))
    return file(name, compiled(f"{said}int main() {{ return 0; }}"), mode=0o755)


def packages(**owned: str) -> list[Member]:
    """A database: package → paths, and behind a `<` what it depends on."""
    status, lists = [], []
    for name, text in owned.items():
        paths, _, depends = text.partition("<")
        fields = f"Package: {name}\nStatus: install ok installed\nVersion: 1\n"
        status.append(f"{fields}Depends: {', '.join(depends.split())}\n")
        lists.append(file(f"{_INFO}/{name}.list", "".join(f"{path}\n" for path in paths.split())))
    return [file("var/lib/dpkg/status", "\n".join(status)), *lists]


def trees(run: dict[str, Json], *members: Member | str) -> dict[str, str]:
    """Each tree that is kept for an interpreter, and why it is one of its library."""
    found = planned(run, [*members, *libc()]).keep.kept
    return {
        path: reason.detail.rpartition(": ")[2]
        for path, kept in found.items()
        for reason in kept.reasons
        if reason.rule == UNKNOWN_INTERPRETER and not reason.detail.startswith("in ")
    }


FROB: list[Member | str] = [
    program("usr/bin/frob", "/usr/share/frob"),
    "usr/share/frob/core.frb: x",
    "usr/lib/frob-2.1/more.frb: x",
    "usr/share/gadget/gadget.dat: x",
    "usr/share/frob.d/data: x",
]
SCRIPT: Members = ["app/x.frb: print 1"]


def test_a_text_in_the_language_of_the_library_makes_an_interpreter() -> None:
    found = trees({"Cmd": ["frob", "--quiet", "/app/x.frb"]}, *FROB, *SCRIPT)
    assert found == {
        "/usr/lib/frob-2.1": "named as the program",
        "/usr/share/frob": "named as the program",
        "/usr/share/frob.d": "named as the program",
    }


@pytest.mark.parametrize(
    "run",
    [
        {"Cmd": ["frob", "/app/x.conf"]},
        {"Cmd": ["frob", "-c", "/app/x.yaml"]},
        {"Cmd": ["frob", "/app/x.other"]},
        {"Cmd": ["frob", "/app/binary.frb"]},
        {"Cmd": ["frob", "/app/nothing.frb"]},
        {"Cmd": ["frob"]},
    ],
)
def test_a_program_that_is_given_something_else_is_none(run: dict[str, Json]) -> None:
    texts = ["app/x.conf: a", "app/x.yaml: a", "app/x.other: a"]
    binary = file("app/binary.frb", "a\0b")
    assert trees(run, *FROB, *texts, binary) == {}


def test_a_variable_that_names_its_library_shows_it_too() -> None:
    interpreter = program("usr/bin/frob", "FROB_LOAD_PATH")
    library = file("usr/lib/frob/core.image", "x\0")
    run: dict[str, Json] = {"Cmd": ["frob", "-s", "/app/x.frb"]}
    assert trees(run, interpreter, library, *SCRIPT) == {"/usr/lib/frob": "named as the program"}
    server = program("usr/bin/frob", "FROB_LOG_LEVEL")
    assert trees(run, server, library, *SCRIPT) == {}


@pytest.mark.parametrize("line", ["#!/usr/bin/frob", "#!/usr/bin/env -S nice frob -s"])
def test_a_first_line_makes_an_interpreter(line: str) -> None:
    script = file("app/run", f"{line}\nprint 1\n", mode=0o755)
    tools = [program("usr/bin/env"), program("usr/bin/nice")]
    run: dict[str, Json] = {"Entrypoint": ["/app/run"], "Env": ["PATH=/usr/bin"]}
    found = trees(run, script, *tools, *FROB)
    assert sorted(found) == ["/usr/lib/frob-2.1", "/usr/share/frob", "/usr/share/frob.d"]


@pytest.mark.parametrize("line", ["#!/bin/sh", "#!/usr/bin/python3", "#!/bin/busybox sh"])
def test_what_other_rules_know_is_no_unknown_interpreter(line: str) -> None:
    script = file("app/run", f"{line}\n", mode=0o755)
    names = ["bin/sh", "usr/bin/python3", "bin/busybox"]
    known = [program(name) for name in names]
    library = ["usr/share/sh/a.sh: x", "usr/lib/python3/a.py: x", "usr/share/busybox/a.sh: x"]
    assert trees({"Entrypoint": ["/app/run"]}, script, *known, *library) == {}


def test_packages_bring_what_belongs_to_the_language() -> None:
    database = packages(
        frob="/usr/bin/frob /usr/lib/frob /usr/lib/frob/a.frb < libwidget frobcore libcx",
        frobcore="/usr/share/fc /usr/share/fc/a.frb",
        libwidget="/usr/share/widget /usr/share/widget/a.frb",
        libcx="/usr/share/cx /usr/share/cx/table.dat",
        addon="/usr/share/addon /usr/share/addon/a.frb < frob",
        viewer="/usr/share/viewer /usr/share/viewer/picture.png < frob",
        more="/usr/share/more /usr/share/more/b.frb < addon",
    )
    names = ("lib/frob/a.frb", *(f"share/{name}/a.frb" for name in ("fc", "widget", "addon")))
    files = [f"usr/{name}: x" for name in (*names, "share/more/b.frb", "share/cx/table.dat")]
    files.append("usr/share/viewer/picture.png: x")
    interpreter = program("usr/bin/frob", "/usr/share/widget")
    found = trees({"Cmd": ["frob", "/app/x.frb"]}, interpreter, *files, *SCRIPT, *database)
    assert found == {
        "/usr/lib/frob": "the library of the package frob",
        "/usr/share/addon": "of addon, which depends on it",
        "/usr/share/fc": "the library of the package frobcore",
        "/usr/share/more": "of more, which depends on it",
        "/usr/share/widget": "the library of the package libwidget",
    }


def test_a_home_of_its_own_is_kept_whole() -> None:
    interpreter = program("opt/frob/bin/frob")
    files = ["opt/frob/lib/core.frb: x", "usr/local/share/frob/more.frb: x", "opt/other/a.frb: x"]
    assert trees({"Cmd": ["/opt/frob/bin/frob", "/app/x.frb"]}, interpreter, *files, *SCRIPT) == {
        "/opt/frob": "the directory that it is in",
        "/usr/local/share/frob": "named as the program",
    }


def test_trees_in_the_scripts_language_are_kept_whoever_has_them() -> None:
    files = ["usr/share/common/a.frb: x", "usr/share/common/b.frb: x", "usr/share/mixed/a.frb: x"]
    mixed = ["usr/share/mixed/b.oth: x", "usr/share/mixed/c.oth: x"]
    found = trees({"Cmd": ["frob", "/app/x.frb"]}, *FROB, *SCRIPT, *files, *mixed)
    assert found["/usr/share/common"] == "most of it are .frb files"
    assert "/usr/share/mixed" not in found


def test_an_interpreter_that_a_script_goes_on_as() -> None:
    script = file("run.sh", "#!/bin/sh\nexec frob -s /app/x.frb\n", mode=0o755)
    found = trees({"Entrypoint": ["/run.sh"]}, script, program("bin/sh"), *FROB, *SCRIPT)
    assert "/usr/share/frob" in found


def test_the_summary_names_the_program_and_what_it_took_whole() -> None:
    plan = planned({"Cmd": ["frob", "/app/x.frb"]}, [*FROB, *SCRIPT, *libc()])
    assert interpreters_section(plan).lines == (
        "/usr/bin/frob: /usr/lib/frob-2.1, /usr/share/frob, /usr/share/frob.d",
    )
