"""Libraries that are opened while a program runs, checked by programs that open them."""

from __future__ import annotations

import subprocess

import pytest
from filetree.kit import tree_of

from elf.lab import GLIBC, MUSL, NEW, OLD, Flavour, Found, Lab, entry
from minify.elf import Loader

_OPENS = '#include <dlfcn.h>\nint {name}(void) {{ return !dlopen("{opened}", RTLD_NOW); }}'


def _source(opened: str, name: str = "main") -> str:
    return _OPENS.format(opened=opened, name=name)


def _opened(lab: Lab, program: str, name: str, caller: str | None = None) -> Found:
    """What minify says of `name` opened by a program, or by a library of its."""
    tree = lab.tree()
    loader = Loader(tree, {})
    links = loader.load(entry(tree, lab.path(program)))
    by = entry(tree, lab.path(caller or program))
    return lab.shown(loader.load_name(name, by, needed_in=links))


def _runs(lab: Lab, program: str) -> bool:
    return subprocess.run([lab.root / program], check=False).returncode == 0


@pytest.mark.parametrize("tags", [OLD, NEW])
def test_name_is_found_by_either_path_of_the_program(lab: Lab, tags: str) -> None:
    lab.library("D/libd.so")
    lab.program("prog", flags=[tags, lab.rpath("D")], code=_source("libd.so"))
    assert _opened(lab, "prog", "libd.so") == {"libd.so": "D/libd.so"}
    assert _runs(lab, "prog")


@pytest.mark.parametrize(("tags", "found"), [(OLD, "D/libd.so"), (NEW, None)])
def test_library_that_opens_has_the_programs_rpath_only(
    lab: Lab, tags: str, found: str | None
) -> None:
    lab.library("D/libd.so")
    lab.library("C/libcall.so", code=_source("libd.so", "call"))
    lab.program(
        "prog",
        ["C/libcall.so"],
        flags=[tags, lab.rpath("D", "C")],
        code="int call(void); int main(void) { return call(); }",
    )
    assert _opened(lab, "prog", "libd.so", "C/libcall.so") == {"libd.so": found}
    assert _runs(lab, "prog") == (found is not None)


@pytest.mark.parametrize("holder", ["library", "program"])
def test_needs_of_an_opened_library_are_searched_for_the_program_not_for_the_caller(
    lab: Lab, holder: str
) -> None:
    lab.library("X/libx.so")
    lab.library("Y/liby.so", ["X/libx.so"])
    path = lab.path("Y/liby.so")
    rpath = [OLD, lab.rpath("X")]
    lab.library(
        "C/libcall.so",
        code=_source(path, "call"),
        flags=rpath if holder == "library" else [],
    )
    lab.program(
        "prog",
        ["C/libcall.so"],
        flags=[OLD, lab.rpath("C", "X")] if holder == "program" else [NEW, lab.rpath("C")],
        code="int call(void); int main(void) { return call(); }",
    )
    found = "X/libx.so" if holder == "program" else None
    assert _opened(lab, "prog", path, "C/libcall.so") == {path: "Y/liby.so", "libx.so": found}
    assert _runs(lab, "prog") == (found is not None)


def test_plugin_joins_a_process(lab: Lab) -> None:
    """libx is loaded by its soname; the program's RPATH is there for what else is needed."""
    lab.library("X/libx.so")
    lab.library("Z/libz_.so")
    lab.library("plugins/plugin.so", ["X/libx.so", "Z/libz_.so"])
    path = lab.path("plugins/plugin.so")
    lab.program("prog", ["X/libx.so"], flags=[OLD, lab.rpath("X", "Z")], code=_source(path))
    tree = lab.tree()
    loader = Loader(tree, {})
    links = loader.load(entry(tree, lab.path("prog")))
    plugin = entry(tree, path)
    assert lab.shown(loader.load_library(plugin, needed_in=links)) == {"libz_.so": "Z/libz_.so"}
    assert lab.shown(loader.load_library(plugin)) == {"libx.so": None, "libz_.so": None}
    assert loader.load_library(entry(tree, lab.path("X/libx.so")), needed_in=links).objects == ()
    assert _runs(lab, "prog")


def test_library_by_itself_has_its_own_paths_and_the_usual_interpreter(lab: Lab) -> None:
    lab.library("X/libx.so")
    lab.library("Y/liby.so", ["X/libx.so"], flags=[lab.rpath("$ORIGIN/../X")])
    tree = lab.tree()
    links = Loader(tree, {}).load_library(entry(tree, lab.path("Y/liby.so")))
    assert [(one.name, one.path) for one in links.objects] == [
        ("libx.so", f"{lab.root}/Y/../X/libx.so"),
        ("libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6"),
    ]
    assert links.objects[0].real_path == f"{lab.root}/X/libx.so"
    assert links.interpreter is not None
    assert links.interpreter.requested == "/lib64/ld-linux-x86-64.so.2"


def test_origin_of_a_library_may_be_a_link(lab: Lab) -> None:
    lab.library("real/libx.so")
    lab.library("link/libx.so")
    lab.library("real/liby.so", ["real/libx.so"], flags=[lab.rpath("$ORIGIN")])
    lab.link("link/liby.so", "../real/liby.so")
    tree = lab.tree()
    path = lab.path("link/liby.so")
    links = Loader(tree, {}).load_library(entry(tree, path), path=path)
    assert links.objects[0].path == lab.path("link/libx.so")


@pytest.mark.parametrize(("holder", "found"), [("library", None), ("program", "D/libd.so")])
def test_musl_looks_for_the_program_not_for_the_caller(
    musl_lab: Lab, holder: str, found: str | None
) -> None:
    lab = musl_lab
    lab.library("D/libd.so")
    lab.library(
        "C/libcall.so",
        code=_source("libd.so", "call"),
        flags=[lab.rpath("D")] if holder == "library" else [],
    )
    lab.program(
        "prog",
        ["C/libcall.so"],
        flags=[lab.rpath("C", "D") if holder == "program" else lab.rpath("C")],
        code="int call(void); int main(void) { return call(); }",
    )
    assert _opened(lab, "prog", "libd.so", "C/libcall.so") == {"libd.so": found}
    assert _runs(lab, "prog") == (found is not None)


@pytest.mark.parametrize("flavour", [GLIBC, MUSL])
def test_library_by_itself_is_of_the_c_library_that_it_needs(
    lab: Lab, musl_lab: Lab, flavour: Flavour
) -> None:
    """Both labs are one directory."""
    one = lab if flavour is GLIBC else musl_lab
    one.library("liba.so")
    tree = tree_of([*lab.members(), *musl_lab.members()])
    links = Loader(tree, {}).load_library(entry(tree, lab.path("liba.so")))
    assert links.interpreter is not None
    assert links.interpreter.requested == flavour.interpreter
    assert links.missing == ()


@pytest.mark.parametrize("where", ["D", "X"])
def test_static_program_opens_by_library_path_and_the_librarys_own_paths(
    lab: Lab, where: str
) -> None:
    """glibc's dlopen is in the program; its own paths do not count."""
    lab.library("X/libx.so")
    lab.library("D/libd.so", ["X/libx.so"], flags=[lab.rpath("X")])
    flags = ["-static", "-w", "-Wl,--no-warnings", lab.rpath("D")]
    program = lab.program("prog", flags=flags, code=_source("libd.so"))
    env = {"LD_LIBRARY_PATH": lab.path(where)}
    tree = lab.tree()
    links = Loader(tree, env).load_name("libd.so", entry(tree, str(program)))
    expected: Found = {"libd.so": "D/libd.so", "libx.so": "X/libx.so"}
    assert lab.shown(links) == (expected if where == "D" else {"libd.so": None})
    done = subprocess.run([program], env=env, check=False)
    assert (done.returncode == 0) == (where == "D")
