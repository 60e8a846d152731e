"""What a file says itself that it opens: the first alternative that the image has, by priority."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from closure.kit import gaps, planned, reasons
from conftest import require
from elf.lab import OLD
from elf.test_notes import assembled
from filetree.kit import Member, directory, file

from analyzers.kit import LIBRARIES, LOADER, compiled, libc
from analyzers.test_elf_needed import ALWAYS, library, linked, needing
from minify.filetree import ImagePath
from minify.planning import Plan


def _opening(*notes: dict[str, object], code: str = "int main(void){return 0;}") -> str:
    """A C source with the notes."""
    source = assembled(*(json.dumps([note]) for note in notes))
    return f'__asm__({json.dumps(source)} ".text\\n");\n{code}'


def _note(*sonames: str, priority: str | None = None, **more: str) -> dict[str, object]:
    return {"soname": list(sonames), **({"priority": priority} if priority else {}), **more}


def _program(*notes: dict[str, object], flags: tuple[str, ...] = ()) -> Member:
    return file("app", compiled(_opening(*notes), *flags), mode=0o755)


def _planned(*members: Member) -> Plan:
    return planned({"Cmd": ["/app"]}, [*libc(), *members])


def _added(plan: Plan) -> dict[str, str]:
    """What is kept besides the program and its C library."""
    own = {"/app", LOADER, f"{LIBRARIES}/libc.so.6"}
    return {path: why for path, why in reasons(plan, without=ALWAYS).items() if path not in own}


_LIBA, _LIBB = "/usr/lib/liba.so.1", "/usr/lib/libb.so.1"


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        ("required", {_LIBA: "!dlopen.note elf.needed"}),
        ("recommended", {_LIBA: "dlopen.note elf.needed"}),
        (None, {_LIBA: "dlopen.note elf.needed"}),
        ("suggested", {}),
    ],
)
def test_priority_decides_the_grade(priority: str | None, expected: dict[str, str]) -> None:
    note = _note("liba.so.1", priority=priority, feature="a", description="Does a")
    plan = _planned(_program(note), library(_LIBA[1:]))
    assert _added(plan) == expected
    assert gaps(plan) == []


def test_reason_tells_the_purpose() -> None:
    note = _note("liba.so.1", priority="required", feature="a", description="Does a")
    plan = _planned(_program(note), library(_LIBA[1:]))
    details = {r.detail for r in plan.keep.kept[ImagePath(_LIBA)].reasons}
    assert details == {
        "opens liba.so.1 (required): Does a",
        "dlopen liba.so.1, default path",
    }


@pytest.mark.parametrize(
    ("there", "expected"),
    [((_LIBA, _LIBB), _LIBA), ((_LIBB,), _LIBB), ((_LIBA,), _LIBA)],
)
def test_first_alternative_that_there_is_counts(there: tuple[str, ...], expected: str) -> None:
    note = _note("liba.so.1", "libb.so.1", priority="required")
    plan = _planned(_program(note), *(library(path[1:]) for path in there))
    assert _added(plan) == {expected: "!dlopen.note elf.needed"}


def test_what_is_opened_brings_what_it_needs() -> None:
    liba = file(_LIBA[1:], needing("libb.so.1", "-Wl,-soname,liba.so.1", shared=True))
    plan = _planned(_program(_note("liba.so.1", priority="required")), liba, library(_LIBB[1:]))
    assert _added(plan) == {
        _LIBA: "!dlopen.note elf.needed",
        _LIBB: "!elf.needed elf.plugin",
    }


def test_program_s_own_rpath_is_searched() -> None:
    flags = (OLD, "-Wl,-rpath,/opt")
    plan = _planned(_program(_note("liba.so.1"), flags=flags), library("opt/liba.so.1"))
    assert _added(plan) == {"/opt/liba.so.1": "dlopen.note elf.needed"}


def test_note_of_a_library_is_searched_in_its_program() -> None:
    """By the program's RPATH, which a library that opens has too."""
    shared = ("-shared", "-fPIC", "-Wl,-soname,libuser.so")
    user = compiled(_opening(_note("liba.so.1", priority="required"), code=""), *shared)
    flags = (OLD, "-Wl,-rpath,/opt")
    app = file("app", needing("libuser.so", *flags), mode=0o755)
    plan = _planned(app, file("opt/libuser.so", user), library("opt/liba.so.1"))
    assert _added(plan) == {
        "/opt/libuser.so": "!elf.needed",
        "/opt/liba.so.1": "!dlopen.note elf.needed",
    }


_ANY = "liba.so.1 or libb.so.1"
_LOOKED = (
    "looked in /etc/ld.so.cache, /lib/x86_64-linux-gnu, /usr/lib/x86_64-linux-gnu, /lib, /usr/lib"
)


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        (
            "required",
            [f"/app: opens {_ANY} (required): do a: {_ANY} is missing in the source; {_LOOKED}"],
        ),
        ("recommended", []),
        ("suggested", []),
    ],
)
def test_missing_library_is_a_gap_only_if_it_is_required(
    priority: str, expected: list[str]
) -> None:
    note = _note("liba.so.1", "libb.so.1", priority=priority, feature="do a")
    assert gaps(_planned(_program(note))) == expected


def test_library_that_is_loaded_already_is_there() -> None:
    code = "extern int f(void); int main(void){return f();}"
    source = _opening(_note("liba.so.1", priority="required"), code=code)
    app = linked(source, library("liba.so.1").content)
    plan = _planned(file("app", app, mode=0o755), library(_LIBA[1:]))
    assert _added(plan) == {_LIBA: "!elf.needed"}


def test_note_that_cannot_be_read_is_a_gap() -> None:
    source = f'__asm__({json.dumps(assembled("[1]"))} ".text\\n");\nint main(void){{return 0;}}'
    plan = _planned(file("app", compiled(source), mode=0o755))
    assert gaps(plan) == ["/app: its .note.dlopen cannot be read: it is no list of objects"]


_OPENS = """
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words) {
    char name[20];
    sprintf(name, "lib%s.so.%d", "plugged", count);
    return !dlopen(name, RTLD_NOW);
}
"""


@pytest.mark.engine
@pytest.mark.parametrize("has_note", [True, False])
def test_note_alone_keeps_a_program_running(tmp_path: Path, *, has_note: bool) -> None:
    require("chroot")
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    name = "libplugged.so.1" if has_note else "libother.so.1"
    app = compiled(_opening(_note(name, priority="required"), code=_OPENS))
    members = [*libc(), library("usr/lib/libplugged.so.1"), file("app", app, mode=0o755)]
    members.append(library("usr/lib/libother.so.1"))
    plan = planned({"Cmd": ["/app"]}, [directory("usr"), *members])
    for member in members:
        if f"/{member.name}" in plan.keep.kept:
            out = tmp_path / member.name
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(member.content)
            out.chmod(0o755)
    done = subprocess.run(["chroot", tmp_path, "/app"], check=False)
    assert (done.returncode == 0) == has_note
