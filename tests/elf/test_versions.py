"""Symbol versions: what ld.so refuses, minify refuses; ld.so's own words are beside it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest
from conftest import require
from filetree.kit import file, tree_of
from images.build import BuiltImage

from elf.lab import NEW, OLD, Lab, entry
from elf.roots import tree_of_layers
from minify.elf import LinkMap, Loader

_ONE = "#include <stdio.h>\nint one(void) { return puts != 0; }"
_TWO = "int two(void) { return 2; }"
_USES = "int one(void); int two(void); int main(void) { return one() + two() - 3; }"

NEWER = "V_1.9 { global: one; }; V_1.10 { global: two; } V_1.9;"
OLDER = "V_1.9 { global: one; };"


def _library(lab: Lab, name: str, script: str | None, *, soname: str = "libv.so") -> None:
    flags = []
    if script is not None:
        lab.write("script", script)
        flags = [f"-Wl,--version-script={lab.root}/script"]
    lab.library(name, code=f"{_ONE} {_TWO}", soname=soname, flags=flags)


def _unmet(links: LinkMap, lab: Lab) -> list[tuple[str, ...]]:
    """Version, name, the object that needs it, the file that was found, and the hint."""
    return [
        (
            one.need.version,
            one.need.file,
            one.by.removeprefix(f"{lab.root}/"),
            (one.found or "").removeprefix(f"{lab.root}/"),
            one.hint,
        )
        for one in links.unmet
    ]


_WORDS = re.compile(r"(\S+): version `(.*)' not found \(required by (\S+)\)")


def _ld_so_says(lab: Lab, program: str) -> list[tuple[str, str, str]]:
    """Version, object that needs it, and file, in ld.so's words; it ends with an error for them."""
    done = subprocess.run([lab.root / program], capture_output=True, text=True, check=False)
    found = [
        (version, by.removeprefix(f"{lab.root}/"), file.removeprefix(f"{lab.root}/"))
        for file, version, by in _WORDS.findall(done.stderr)
    ]
    assert (done.returncode != 0) == bool(found), done
    return found


@pytest.fixture
def newer(lab: Lab) -> Lab:
    """A program that was linked with the newer build of the library it needs."""
    _library(lab, "L/libv.so", NEWER)
    lab.program("prog", ["L/libv.so"], code=_USES, flags=[lab.rpath("L")])
    return lab


def test_what_a_program_was_linked_with_has_all_versions(newer: Lab) -> None:
    assert _unmet(newer.links("prog"), newer) == _ld_so_says(newer, "prog") == []


def test_older_build_of_a_library_is_caught(newer: Lab) -> None:
    _library(newer, "L/libv.so", OLDER)
    assert _unmet(newer.links("prog"), newer) == [
        ("V_1.10", "libv.so", "prog", "L/libv.so", "it defines V_1.9 at most")
    ]
    assert _ld_so_says(newer, "prog") == [("V_1.10", "prog", "L/libv.so")]


def test_build_with_other_versions_is_caught(newer: Lab) -> None:
    _library(newer, "L/libv.so", "OTHER { global: one; two; };")
    other = "another build of it was there when the program was linked"
    found = _unmet(newer.links("prog"), newer)
    assert sorted(found) == [
        ("V_1.10", "libv.so", "prog", "L/libv.so", other),
        ("V_1.9", "libv.so", "prog", "L/libv.so", other),
    ]
    assert [(version, by, path) for version, _, by, path, _ in found] == _ld_so_says(newer, "prog")


def test_build_without_versions_passes(lab: Lab) -> None:
    """ld.so only warns: `no version information available`."""
    _library(lab, "L/libv.so", NEWER)
    lab.program("prog", ["L/libv.so"], flags=[lab.rpath("L")], code=_USES)
    _library(lab, "L/libv.so", None)
    assert _unmet(lab.links("prog"), lab) == _ld_so_says(lab, "prog") == []


def test_weak_version_may_be_absent(newer: Lab) -> None:
    # GNU ld marks none as weak, others do: set the flag behind the hash of the version.
    strong = _elf_hash("V_1.10") + bytes(2)
    data = (newer.root / "prog").read_bytes()
    assert data.count(strong) == 1
    newer.write("prog", data.replace(strong, _elf_hash("V_1.10") + b"\2\0"))
    _library(newer, "L/libv.so", OLDER)
    assert _unmet(newer.links("prog"), newer) == []
    done = subprocess.run([newer.root / "prog"], capture_output=True, text=True, check=False)
    assert "weak version `V_1.10' not found" in done.stderr


def _elf_hash(name: str) -> bytes:
    value = 0
    for letter in name.encode():
        value = (value << 4) + letter
        high = value & 0xF0000000
        value = (value ^ high >> 24) & ~high
    return value.to_bytes(4, "little")


def test_library_that_needs_a_version_is_named(lab: Lab) -> None:
    _library(lab, "L/libv.so", NEWER)
    code = _USES.replace("main", "used")
    lab.library("L/libu.so", ["L/libv.so"], code=code, flags=[lab.rpath("L")])
    lab.program("prog", ["L/libu.so"], flags=[lab.rpath("L")])
    _library(lab, "L/libv.so", OLDER)
    assert [(v, by, path) for v, _, by, path, _ in _unmet(lab.links("prog"), lab)] == [
        ("V_1.10", "L/libu.so", "L/libv.so")
    ]
    assert _ld_so_says(lab, "prog") == [("V_1.10", "L/libu.so", "L/libv.so")]


def test_file_that_is_found_counts_and_not_another_of_the_name(newer: Lab) -> None:
    """LD_LIBRARY_PATH brings an older build before the one that would do."""
    newer.program("prog", ["L/libv.so"], code=_USES, flags=[NEW, newer.rpath("L")])
    _library(newer, "O/libv.so", OLDER)
    links = newer.links("prog", {"LD_LIBRARY_PATH": newer.path("O")})
    assert [one[:4] for one in _unmet(links, newer)] == [("V_1.10", "libv.so", "prog", "O/libv.so")]
    assert newer.links("prog").unmet == ()


def test_object_that_goes_by_the_name_counts(newer: Lab) -> None:
    """A preload with the library's soname is what the versions are asked of."""
    _library(newer, "P/other.so", OLDER)
    preload = newer.path("P/other.so")
    assert [one[:4] for one in _unmet(newer.links("prog", {"LD_PRELOAD": preload}), newer)] == [
        ("V_1.10", "libv.so", "prog", "P/other.so")
    ]
    done = subprocess.run(
        [newer.root / "prog"],
        env={"LD_PRELOAD": preload},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{preload}: version `V_1.10' not found (required by {newer.root}/prog)" in done.stderr


def test_version_that_is_the_files_own_name_is_defined(newer: Lab) -> None:
    """The base definition is one like any other to ld.so."""
    _library(newer, "L/libv.so", OLDER, soname="V_1.10")
    assert newer.links("prog").unmet == ()
    assert _ld_so_says(newer, "prog") == []


def test_better_processors_variant_is_asked_too(newer: Lab) -> None:
    level = "glibc-hwcaps/x86-64-v2"
    _library(newer, f"L/{level}/libv.so", OLDER)
    assert [one[3] for one in _unmet(newer.links("prog"), newer)] == [f"L/{level}/libv.so"]
    assert _ld_so_says(newer, "prog") == [("V_1.10", "prog", f"L/{level}/libv.so")]


def test_missing_library_is_not_asked_for_versions(newer: Lab) -> None:
    (newer.root / "L/libv.so").unlink()
    links = newer.links("prog")
    assert [one.name for one in links.missing] == ["libv.so"]
    assert links.unmet == ()


def test_older_c_library_is_caught(lab: Lab) -> None:
    """A stub with the name and an old version of the C library."""
    lab.program(
        "prog",
        flags=[OLD, lab.rpath("L")],
        code=(
            "int pthread_create(void *, void *, void *, void *);"
            "int main(void) { return pthread_create(0, 0, 0, 0); }"
        ),
    )
    lab.write("script", "GLIBC_2.2.5 { global: puts; }; GLIBC_2.31 { } GLIBC_2.2.5;")
    lab.library(
        "L/libc.so.6",
        code="int puts(void) { return 0; }",
        flags=["-nostdlib", f"-Wl,--version-script={lab.root}/script"],
    )
    found = {one[0]: one[2:] for one in _unmet(lab.links("prog"), lab)}
    where = ("prog", "L/libc.so.6", "it defines GLIBC_2.31 at most")
    assert found == {"GLIBC_2.34": where}
    assert [one[0] for one in _ld_so_says(lab, "prog")] == ["GLIBC_2.34"]


@pytest.mark.engine
def test_swapping_any_library_of_an_image_is_caught(
    image: Callable[[str], BuiltImage], lab: Lab
) -> None:
    """Each of curl's, for one of its name that defines nothing that is needed of it."""
    whole = tree_of_layers(image("curl").layers)
    program = entry(whole, "/usr/bin/curl")
    loader = Loader(whole, {})
    links = loader.load(program)
    assert links.interpreter is not None
    places = [links.interpreter.requested, *(one.path for one in links.objects)]
    files = {path: whole.read(entry(whole, path)) for path in places}
    files["/usr/bin/curl"] = whole.read(program)
    lab.write("script", "V_0 { };")
    flags = ["-nostdlib", f"-Wl,--version-script={lab.root}/script"]
    asked = {
        need.file
        for elf in (loader.elf(program), *(one.elf for one in links.objects))
        for need in (elf.versions_needed if elf else ())
    }
    caught = {}
    for one in links.objects:
        if one.name not in asked or one.elf.versions_defined is None:
            continue
        stub = lab.library("stub", soname=one.name, flags=flags).read_bytes()
        swapped = {**files, one.path: stub}
        tree = tree_of([file(path[1:], data) for path, data in swapped.items()])
        unmet = Loader(tree, {}).load(entry(tree, "/usr/bin/curl")).unmet
        caught[one.path] = {missing.found for missing in unmet}
    assert caught == {path: {path} for path in caught}
    assert len(caught) >= 15


def test_interpreters_own_versions_are_asked(lab: Lab) -> None:
    lab.write("script", "GLIBC_9.9 { global: __tls_get_addr; };")
    lab.library(
        "S/ld-linux-x86-64.so.2",
        code="int __tls_get_addr(void) { return 0; }",
        flags=["-nostdlib", f"-Wl,--version-script={lab.root}/script"],
    )
    code = "int __tls_get_addr(void); int main(void) { return __tls_get_addr(); }"
    lab.program("prog", ["S/ld-linux-x86-64.so.2"], code=code)
    found = _unmet(lab.links("prog"), lab)
    assert [one[:2] for one in found] == [("GLIBC_9.9", "ld-linux-x86-64.so.2")]
    assert found[0][3].rpartition("/")[2] == "ld-linux-x86-64.so.2"
    assert [one[0] for one in _ld_so_says(lab, "prog")] == ["GLIBC_9.9"]


@pytest.mark.parametrize("replacement", [None, "libother.so"])
def test_need_removed_with_patchelf_is_told(newer: Lab, replacement: str | None) -> None:
    """ld.so aborts: `Assertion needed != NULL failed`."""
    require("patchelf")
    program = newer.root / "prog"
    subprocess.run(["patchelf", "--remove-needed", "libv.so", program], check=True)
    if replacement is not None:
        subprocess.run(["patchelf", "--add-needed", replacement, program], check=True)
        newer.link(f"L/{replacement}", "libv.so")
    assert [one[1:] for one in _unmet(newer.links("prog"), newer)] == [
        (
            "libv.so",
            "prog",
            "",
            "no DT_NEEDED names libv.so, so ld.so aborts; was it removed with patchelf?",
        )
    ]
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert "Assertion `needed != NULL' failed" in done.stderr


def test_library_by_itself_is_asked_only_for_what_it_names(newer: Lab) -> None:
    require("patchelf")
    code = _USES.replace("main", "used")
    plugin = newer.library("P/plugin.so", ["L/libv.so"], code=code, flags=[newer.rpath("L")])
    _library(newer, "L/libv.so", OLDER)
    tree = newer.tree()
    links = Loader(tree, {}).load_library(entry(tree, str(plugin)))
    assert [one[:3] for one in _unmet(links, newer)] == [("V_1.10", "libv.so", "P/plugin.so")]
    subprocess.run(["patchelf", "--remove-needed", "libv.so", plugin], check=True)
    tree = newer.tree()
    assert Loader(tree, {}).load_library(entry(tree, str(plugin))).unmet == ()


def test_opened_library_is_asked_in_its_process(newer: Lab) -> None:
    code = _USES.replace("main", "used")
    newer.library("P/plugin.so", ["L/libv.so"], code=code)
    _library(newer, "O/libv.so", OLDER)
    open_it = (
        f'#include <dlfcn.h>\nint main(void) {{ return !dlopen("{newer.root}/P/plugin.so", 2); }}'
    )
    newer.program("prog", ["O/libv.so"], flags=[newer.rpath("O")], code=open_it)
    tree = newer.tree()
    loader = Loader(tree, {})
    program = entry(tree, newer.path("prog"))
    links = loader.load_name(newer.path("P/plugin.so"), program, needed_in=loader.load(program))
    assert [one[:4] for one in _unmet(links, newer)] == [
        ("V_1.10", "libv.so", "P/plugin.so", "O/libv.so")
    ]
    assert subprocess.run([newer.root / "prog"], check=False).returncode == 1


def test_musl_asks_for_no_versions(musl_lab: Lab) -> None:
    lab = musl_lab
    _library(lab, "L/libv.so", NEWER)
    lab.program("prog", ["L/libv.so"], code=_USES, flags=[lab.rpath("L")])
    _library(lab, "L/libv.so", OLDER)
    assert lab.links("prog").unmet == ()
    assert _ld_so_says(lab, "prog") == []
