"""Auditors: loaded by ld.so for itself, each in a namespace of its own."""

from __future__ import annotations

import subprocess

import pytest

from elf.lab import NEW, OLD, Lab
from minify.elf import LinkMap

# ld.so asks an auditor for its version, and loads it only if it gets one.
_AUDITOR = "unsigned la_version(unsigned version) { return version; }"
_C_LIBRARY = ("libc.so.6", "ld-linux-x86-64.so.2")
# Says which files are mapped, in all namespaces.
_MAPPED = """
#include <stdio.h>
int main(void) {
    char line[4096];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps)) fputs(line, stdout);
    return 0;
}
"""


def _auditors(links: LinkMap, lab: Lab) -> list[str]:
    return [one.path.removeprefix(f"{lab.root}/") for one in links.auditors]


def _mapped(lab: Lab, program: str, env: dict[str, str] | None = None) -> set[str]:
    """The lab's files that a running program has mapped."""
    done = subprocess.run([lab.root / program], env=env or {}, capture_output=True, check=True)
    paths = {line.split()[-1] for line in done.stdout.decode().splitlines()}
    inside = f"{lab.root}/"
    return {path.removeprefix(inside) for path in paths if path.startswith(inside)} - {program}


@pytest.mark.parametrize("tag", ["env", "--audit", "--depaudit"])
def test_auditor_is_loaded_with_what_it_needs(lab: Lab, tag: str) -> None:
    lab.library("P/libp.so")
    lab.library("P/audit.so", ["P/libp.so"], flags=[lab.rpath("P")], code=_AUDITOR)
    path = lab.path("P/audit.so")
    flags = [] if tag == "env" else [f"-Wl,{tag},{path}"]
    lab.program("prog", flags=flags, code=_MAPPED)
    env = {"LD_AUDIT": path} if tag == "env" else {}
    links = lab.links("prog", env)
    libc, loader = (f"/lib/x86_64-linux-gnu/{name}" for name in _C_LIBRARY)
    # The interpreter is not in the auditor's namespace, so it is looked for like any library.
    assert _auditors(links, lab) == ["P/audit.so", "P/libp.so", libc, loader]
    assert [one.path for one in links.objects] == [libc]
    assert _mapped(lab, "prog", env) == {"P/audit.so", "P/libp.so"}


def test_auditor_has_a_namespace_of_its_own(lab: Lab) -> None:
    """Two files of one name: the program's, and the auditor's."""
    for name in "AB":
        lab.library(f"{name}/libp.so")
    lab.library("A/audit.so", ["A/libp.so"], flags=[lab.rpath("A")], code=_AUDITOR)
    lab.program("prog", ["B/libp.so"], flags=[lab.rpath("B")], code=_MAPPED)
    env = {"LD_AUDIT": lab.path("A/audit.so")}
    links = lab.links("prog", env)
    assert lab.shown(links) == {"libp.so": "B/libp.so"}
    assert _auditors(links, lab)[:2] == ["A/audit.so", "A/libp.so"]
    assert _mapped(lab, "prog", env) == {"A/audit.so", "A/libp.so", "B/libp.so"}


def test_auditors_do_not_know_each_other(lab: Lab) -> None:
    for name in "AB":
        lab.library(f"{name}/libp.so")
        lab.library(f"{name}/audit.so", [f"{name}/libp.so"], flags=[lab.rpath(name)], code=_AUDITOR)
    lab.program("prog", code=_MAPPED)
    env = {"LD_AUDIT": f"{lab.path('A/audit.so')}:{lab.path('B/audit.so')}"}
    expected = {"A/audit.so", "A/libp.so", "B/audit.so", "B/libp.so"}
    ours = _auditors(lab.links("prog", env), lab)
    assert {path for path in ours if not path.startswith("/")} == expected
    assert _mapped(lab, "prog", env) == expected


@pytest.mark.parametrize("lacks", ["the auditor", "its library", "a version"])
def test_auditor_that_cannot_be_loaded_is_left_out(lab: Lab, lacks: str) -> None:
    lab.write("script", "V2 { global: p; };")
    flags = [f"-Wl,--version-script={lab.root}/script"]
    lab.library("P/libp.so", code="int p(void) { return 1; }", flags=flags)
    code = f"int p(void); int (*q)(void) = p; {_AUDITOR}"
    lab.library("P/audit.so", ["P/libp.so"], flags=[lab.rpath("P")], code=code)
    lab.program("prog", code=_MAPPED)
    if lacks == "a version":
        lab.write("script", "V1 { global: p; };")
        lab.library("P/libp.so", code="int p(void) { return 1; }", flags=flags)
    else:
        (lab.root / ("P/audit.so" if lacks == "the auditor" else "P/libp.so")).unlink()
    env = {"LD_AUDIT": lab.path("P/audit.so")}
    links = lab.links("prog", env)
    assert (_auditors(links, lab), links.missing, links.unmet) == ([], (), ())
    assert _mapped(lab, "prog", env) == set()


@pytest.mark.parametrize("tags", [OLD, NEW])
def test_auditor_by_bare_name_is_searched_for_the_program(lab: Lab, tags: str) -> None:
    lab.library("P/audit.so", code=_AUDITOR)
    lab.program("prog", flags=[tags, lab.rpath("P")], code=_MAPPED)
    env = {"LD_AUDIT": "audit.so"}
    assert _auditors(lab.links("prog", env), lab)[:1] == ["P/audit.so"]
    assert _mapped(lab, "prog", env) == {"P/audit.so"}


@pytest.mark.parametrize("tags", [OLD, NEW])
@pytest.mark.parametrize("own", ["", "/nonexist"])
def test_needs_of_an_auditor_are_searched_by_either_path_of_the_program(
    lab: Lab, tags: str, own: str
) -> None:
    """Unless it has a RUNPATH of its own."""
    lab.library("R/libr.so")
    lab.library("Q/libq.so", ["R/libr.so"])
    flags = [NEW, lab.rpath(own)] if own else []
    lab.library("P/audit.so", ["Q/libq.so"], flags=flags, code=_AUDITOR)
    lab.program("prog", flags=[tags, lab.rpath("Q", "R")], code=_MAPPED)
    env = {"LD_AUDIT": lab.path("P/audit.so")}
    expected = [] if own else ["P/audit.so", "Q/libq.so", "R/libr.so"]
    ours = _auditors(lab.links("prog", env), lab)
    assert [path for path in ours if not path.startswith("/")] == expected
    assert _mapped(lab, "prog", env) == set(expected)


def test_auditor_of_a_library_is_not_loaded(lab: Lab) -> None:
    """glibc looks at the program's tags only."""
    lab.library("P/audit.so", code=_AUDITOR)
    # The linker writes the auditors of the libraries that it is given into the program.
    lab.library("P/libp.so")
    lab.program("prog", ["P/libp.so"], flags=[lab.rpath("P")], code=_MAPPED)
    lab.library("P/libp.so", flags=[f"-Wl,--audit,{lab.path('P/audit.so')}"])
    assert _auditors(lab.links("prog"), lab) == []
    assert _mapped(lab, "prog") == {"P/libp.so"}


def test_auditors_list_has_colons_only(lab: Lab) -> None:
    lab.library("P/a b.so", code=_AUDITOR)
    lab.program("prog", code=_MAPPED)
    env = {"LD_AUDIT": f":{lab.path('P/a b.so')}:"}
    assert _auditors(lab.links("prog", env), lab)[:1] == ["P/a b.so"]
    # /proc/self/maps ends with the part behind the blank.
    done = subprocess.check_output([lab.root / "prog"], env=env, text=True)
    assert f"{lab.root}/P/a b.so" in done


def test_musl_has_no_auditors(musl_lab: Lab) -> None:
    lab = musl_lab
    lab.library("P/audit.so", code=_AUDITOR)
    path = lab.path("P/audit.so")
    lab.program("prog", flags=[f"-Wl,--audit,{path}"], code=_MAPPED)
    env = {"LD_AUDIT": path}
    assert _auditors(lab.links("prog", env), lab) == []
    assert _mapped(lab, "prog", env) == set()
