"""musl's search, each case decided by minify and by this machine's musl."""

from __future__ import annotations

import os
import subprocess

import pytest
from conftest import require
from filetree.kit import Member, file, member, symlink, tree_of

from elf.lab import MUSL, NEW, OLD, Lab, entry, listed, members_of
from minify.elf import LinkMap, Loader


@pytest.mark.parametrize("tags", [OLD, NEW])
def test_both_kinds_of_path_are_inherited(musl_lab: Lab, tags: str) -> None:
    lab = musl_lab
    lab.library("B/libb.so")
    lab.library("A/liba.so", ["B/libb.so"])
    lab.program("prog", ["A/liba.so"], flags=[tags, lab.rpath("A", "B")])
    lab.check("prog", {"liba.so": "A/liba.so", "libb.so": "B/libb.so"})


def test_runpath_of_a_library_does_not_end_inheritance(musl_lab: Lab) -> None:
    lab = musl_lab
    lab.library("B/libb.so")
    lab.library("A/liba.so", ["B/libb.so"], flags=[NEW, lab.rpath("/nonexist")])
    lab.program("prog", ["A/liba.so"], flags=[NEW, lab.rpath("A", "B")])
    lab.check("prog", {"liba.so": "A/liba.so", "libb.so": "B/libb.so"})


@pytest.mark.parametrize("tags", [OLD, NEW])
def test_library_path_comes_first(musl_lab: Lab, tags: str) -> None:
    lab = musl_lab
    lab.library("P1/libp.so")
    lab.library("P2/libp.so")
    lab.program("prog", ["P1/libp.so"], flags=[tags, lab.rpath("P1")])
    lab.check("prog", {"libp.so": "P2/libp.so"}, env={"LD_LIBRARY_PATH": f":{lab.path('P2')}"})


def test_machine_is_not_looked_at(musl_lab: Lab) -> None:
    lab = musl_lab
    lab.library("P1/libp.so")
    data = bytearray((lab.root / "P1/libp.so").read_bytes())
    data[18] = 183
    lab.write("X/libp.so", bytes(data))
    lab.program("prog", ["P1/libp.so"], flags=[lab.rpath("X", "P1")])
    lab.check("prog", {"libp.so": "X/libp.so"})


@pytest.mark.parametrize("content", ["junk", "", "#" * 100])
def test_file_that_is_no_elf_is_an_error(musl_lab: Lab, content: str) -> None:
    lab = musl_lab
    lab.library("P1/libp.so")
    lab.write("X/libp.so", content)
    lab.program("prog", ["P1/libp.so"], flags=[lab.rpath("X", "P1")])
    lab.check("prog", {"libp.so": None})


@pytest.mark.parametrize(
    ("rpath", "found"),
    [
        ("$ORIGIN/P1", "P1/libp.so"),
        ("${ORIGIN}/P1", "P1/libp.so"),
        ("$ORIGIN/P1:$LIB/x", None),
        ("$ORIGINAL", None),
    ],
)
def test_only_origin_is_a_token_and_any_other_voids_all(
    musl_lab: Lab, rpath: str, found: str | None
) -> None:
    lab = musl_lab
    lab.library("P1/libp.so")
    lab.program("prog", ["P1/libp.so"], flags=[f"-Wl,-rpath,{rpath}"])
    lab.check("prog", {"libp.so": found})


def test_origin_of_library_is_the_directory_it_was_found_in(musl_lab: Lab) -> None:
    lab = musl_lab
    lab.library("real/libo.so")
    lab.library("link/libo.so")
    lab.library("real/libq.so", ["real/libo.so"], flags=[lab.rpath("$ORIGIN")])
    lab.link("link/libq.so", "../real/libq.so")
    lab.program("prog", ["real/libq.so"], flags=[lab.rpath("link")])
    lab.check("prog", {"libq.so": "link/libq.so", "libo.so": "link/libo.so"})


def test_names_of_the_c_library_are_the_interpreter(musl_lab: Lab) -> None:
    lab = musl_lab
    names = [
        *("libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"),
        *("libxnet.so", "libc.musl-x86_64.so.1", "libc.so.6"),
    ]
    for name in names:
        lab.library(f"Q/{name}")
    lab.program("prog", [f"Q/{name}" for name in names])
    links = lab.links("prog")
    assert links.objects == ()
    assert links.missing == ()
    assert links.interpreter is not None
    assert links.interpreter.entry is not None
    for name in names:
        (lab.root / "Q" / name).unlink()
    assert subprocess.run([lab.root / "prog"], check=False).returncode == 0


def test_sonames_do_not_count(musl_lab: Lab) -> None:
    lab = musl_lab
    lab.library("Z/keep.so", soname="libzz.so.1")
    lab.program("prog", ["Z/keep.so"])
    preload = lab.path("Z/keep.so")
    ours = lab.shown(lab.links("prog", {"LD_PRELOAD": preload}))
    assert ours == {preload: "Z/keep.so", "libzz.so.1": None}
    assert lab.shown_by_ld_so("prog", {"LD_PRELOAD": preload})["libzz.so.1"] is None


def test_preload_is_not_searched_by_the_programs_rpath(musl_lab: Lab) -> None:
    lab = musl_lab
    lab.library("P/libp.so")
    lab.program("prog", flags=[lab.rpath("P")])
    lab.check("prog", {}, env={"LD_PRELOAD": "libp.so"})


def test_levels_do_not_count(musl_lab: Lab) -> None:
    lab = musl_lab
    lab.library("H/glibc-hwcaps/x86-64-v2/libp.so")
    lab.library("H/libp.so")
    lab.program("prog", ["H/libp.so"], flags=[lab.rpath("H")])
    lab.check("prog", {"libp.so": "H/libp.so"})


def _links(lab: Lab, *more: Member | str) -> LinkMap:
    """What the lab's /t gets where the lab is the root, with musl's interpreter."""
    (interpreter,) = (p for p in MUSL.files if "ld-musl" in p and p.endswith(".so.1"))
    with open(interpreter, "rb") as opened:  # noqa: PTH123
        loader = file("lib/ld-musl-x86_64.so.1", opened.read(), mode=0o755)
    tree = tree_of([*members_of(lab.root, at=""), loader, *more])
    return Loader(tree, {}).load(entry(tree, "/t"))


@pytest.mark.engine
@pytest.mark.parametrize(
    ("path_file", "where", "found"),
    [
        (None, "usr/local/lib", "/usr/local/lib/libp.so"),
        (None, "usr/lib", "/usr/lib/libp.so"),
        (None, "opt/q", None),
        ("/opt/q", "usr/lib", None),
        ("/opt/q", "opt/q", "/opt/q/libp.so"),
        ("/nope\n/opt/q\n", "opt/q", "/opt/q/libp.so"),
        ("/nope:/opt/q", "opt/q", "/opt/q/libp.so"),
        ("", "usr/lib", None),
    ],
)
def test_path_file_replaces_the_default_directories(
    musl_lab: Lab, path_file: str | None, where: str, found: str | None
) -> None:
    lab = musl_lab
    lab.library(f"{where}/libp.so")
    lab.program("t", [f"{where}/libp.so"])
    name = "etc/ld-musl-x86_64.path"
    links = _links(lab, *([] if path_file is None else [file(name, path_file)]))
    assert [one.path for one in links.objects] == ([found] if found else [])
    assert [one.name for one in links.missing] == ([] if found else ["libp.so"])
    consulted = [one.requested for one in links.consulted]
    assert consulted == ([] if path_file is None else [f"/{name}"])
    if path_file is not None:
        lab.write(name, path_file)
    assert _by_musl(lab) == found


def _by_musl(lab: Lab) -> str | None:
    """Where musl finds libp.so, with the lab as its root."""
    require("chroot")
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    lab.copy(MUSL.interpreter, "lib/ld-musl-x86_64.so.1")
    command = ["chroot", str(lab.root), "/lib/ld-musl-x86_64.so.1", "--list", "/t"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return listed(done.stdout + done.stderr)["libp.so"]


def test_path_file_is_two_levels_above_the_interpreter(musl_lab: Lab) -> None:
    lab = musl_lab
    lab.library("opt/q/libp.so")
    lab.program("t", ["opt/q/libp.so"], flags=["-Wl,-dynamic-linker,/opt/musl/lib/ld.so"])
    links = _links(
        lab,
        member("opt/musl/lib/"),
        symlink("opt/musl/lib/ld.so", "/lib/ld-musl-x86_64.so.1"),
        file("opt/musl/etc/ld-musl-x86_64.path", "/opt/q"),
        file("etc/ld-musl-x86_64.path", "/nope"),
    )
    assert [one.path for one in links.objects] == ["/opt/q/libp.so"]
