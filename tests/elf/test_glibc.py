"""glibc's search, each case decided by minify and by this machine's ld.so."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from elf.cross import linked
from elf.lab import NEW, OLD, Lab


@pytest.mark.parametrize(("tags", "libb"), [(OLD, "B/libb.so"), (NEW, None)])
def test_rpath_is_inherited_and_runpath_is_not(lab: Lab, tags: str, libb: str | None) -> None:
    lab.library("B/libb.so")
    lab.library("A/liba.so", ["B/libb.so"])
    lab.program("prog", ["A/liba.so"], flags=[tags, lab.rpath("A", "B")])
    lab.check("prog", {"liba.so": "A/liba.so", "libb.so": libb})


def test_library_with_runpath_inherits_no_rpath(lab: Lab) -> None:
    lab.library("B/libb.so")
    lab.library("A/liba.so", ["B/libb.so"], flags=[NEW, lab.rpath("/nonexist")])
    lab.program("prog", ["A/liba.so"], flags=[OLD, lab.rpath("A", "B")])
    lab.check("prog", {"liba.so": "A/liba.so", "libb.so": None})


def test_library_with_rpath_inherits_rpath(lab: Lab) -> None:
    lab.library("B/libb.so")
    lab.library("A/liba.so", ["B/libb.so"], flags=[OLD, lab.rpath("/nonexist")])
    lab.program("prog", ["A/liba.so"], flags=[OLD, lab.rpath("A", "B")])
    lab.check("prog", {"liba.so": "A/liba.so", "libb.so": "B/libb.so"})


def test_rpath_of_library_counts_under_program_with_runpath(lab: Lab) -> None:
    lab.library("B/libb.so")
    lab.library("A/liba.so", ["B/libb.so"], flags=[OLD, lab.rpath("B")])
    lab.program("prog", ["A/liba.so"], flags=[NEW, lab.rpath("A")])
    lab.check("prog", {"liba.so": "A/liba.so", "libb.so": "B/libb.so"})


def test_loader_with_runpath_is_passed_over_in_the_chain(lab: Lab) -> None:
    lab.library("D/libd.so")
    lab.library("C/libc_.so", ["D/libd.so"])
    lab.library("B/libb.so", ["C/libc_.so"], flags=[NEW, lab.rpath("C")])
    lab.program("prog", ["B/libb.so"], flags=[OLD, lab.rpath("B", "D")])
    lab.check("prog", {"libb.so": "B/libb.so", "libc_.so": "C/libc_.so", "libd.so": "D/libd.so"})


def test_rpath_beside_runpath_is_ignored(lab: Lab) -> None:
    lab.library("P1/libp.so")
    lab.library("P2/libp.so")
    # The linker writes one of the two only; DT_DEBUG (21) becomes the other.
    lab.program("prog", ["P1/libp.so"], flags=[NEW, lab.rpath("P1")])
    data = bytearray((lab.root / "prog").read_bytes())
    runpath = data.index((29).to_bytes(8, "little"), 0x1000)
    debug = data.index((21).to_bytes(8, "little"), runpath)
    data[debug : debug + 16] = (15).to_bytes(8, "little") + data[runpath + 8 : runpath + 16]
    (lab.root / "prog").write_bytes(data)
    lab.check("prog", {"libp.so": "P2/libp.so"}, env={"LD_LIBRARY_PATH": lab.path("P2")})


@pytest.mark.parametrize(("tags", "libp"), [(OLD, "P1/libp.so"), (NEW, "P2/libp.so")])
def test_library_path_comes_between_rpath_and_runpath(lab: Lab, tags: str, libp: str) -> None:
    lab.library("P1/libp.so")
    lab.library("P2/libp.so")
    lab.program("prog", ["P1/libp.so"], flags=[tags, lab.rpath("P1")])
    lab.check("prog", {"libp.so": libp}, env={"LD_LIBRARY_PATH": lab.path("P2")})


def test_origin_of_program_is_its_real_directory(lab: Lab) -> None:
    lab.library("real/libo.so")
    lab.library("link/libo.so")
    lab.program("real/prog", ["real/libo.so"], flags=[NEW, lab.rpath("$ORIGIN")])
    lab.link("link/prog", "../real/prog")
    lab.check("link/prog", {"libo.so": "real/libo.so"})


def test_origin_of_library_is_the_directory_it_was_found_in(lab: Lab) -> None:
    lab.library("real/libo.so")
    lab.library("link/libo.so")
    lab.library("real/libq.so", ["real/libo.so"], flags=[NEW, lab.rpath("$ORIGIN")])
    lab.link("link/libq.so", "../real/libq.so")
    lab.program("prog", ["real/libq.so"], flags=[NEW, lab.rpath("link")])
    lab.check("prog", {"libq.so": "link/libq.so", "libo.so": "link/libo.so"})


@pytest.mark.parametrize(
    "directory",
    ["$ORIGIN/L/$LIB", "${ORIGIN}/L/${LIB}", "$ORIGIN/L/lib/$PLATFORM-linux-gnu"],
)
def test_tokens_are_replaced(lab: Lab, directory: str) -> None:
    lab.library("L/lib/x86_64-linux-gnu/libp.so")
    lab.program("prog", ["L/lib/x86_64-linux-gnu/libp.so"], flags=[lab.rpath(directory)])
    lab.check("prog", {"libp.so": "L/lib/x86_64-linux-gnu/libp.so"})


@pytest.mark.parametrize("directory", ["$ORIGINAL/L", "$NOTHING/L", "${ORIGIN/L", "$origin/L"])
def test_what_is_no_token_stays(lab: Lab, directory: str) -> None:
    lab.library("L/libp.so")
    lab.program("prog", ["L/libp.so"], flags=[lab.rpath(directory)])
    lab.check("prog", {"libp.so": None})


def test_tokens_count_in_library_path(lab: Lab) -> None:
    lab.library("L/libp.so")
    lab.program("bin/prog", ["L/libp.so"])
    lab.check("bin/prog", {"libp.so": "bin/../L/libp.so"}, env={"LD_LIBRARY_PATH": "$ORIGIN/../L"})


def test_all_levels_are_kept_and_the_processor_gets_one(lab: Lab) -> None:
    levels = [f"glibc-hwcaps/x86-64-v{n}" for n in (4, 3, 2)]
    for level in levels:
        lab.library(f"H/{level}/libp.so")
    lab.library("H/glibc-hwcaps/other/libp.so")
    lab.library("H/libp.so")
    lab.library("H/tls/libp.so")
    lab.library("H/x86_64/libp.so")
    lab.library("H/tls/x86_64/libp.so")
    lab.program("prog", ["H/libp.so"], flags=[lab.rpath("H")])
    found = [one for one in lab.links("prog").objects if one.name == "libp.so"]
    assert [(one.path.removeprefix(f"{lab.root}/H/"), one.level) for one in found] == [
        ("glibc-hwcaps/x86-64-v4/libp.so", "glibc-hwcaps/x86-64-v4"),
        ("glibc-hwcaps/x86-64-v3/libp.so", "glibc-hwcaps/x86-64-v3"),
        ("glibc-hwcaps/x86-64-v2/libp.so", "glibc-hwcaps/x86-64-v2"),
        ("tls/x86_64/libp.so", "tls/x86_64"),
        ("tls/libp.so", "tls"),
        ("x86_64/libp.so", "x86_64"),
        ("libp.so", ""),
    ]
    chosen = lab.shown_by_ld_so("prog")["libp.so"]
    assert chosen in [one.path.removeprefix(f"{lab.root}/") for one in found]
    assert found[0].how.endswith(f"RUNPATH {lab.root}/H, glibc-hwcaps/x86-64-v4")


def test_levels_are_searched_in_ld_sos_order(lab: Lab) -> None:
    old = ["tls/x86_64/x86_64", "tls/x86_64", "tls", "x86_64/x86_64", "x86_64"]
    levels = ["glibc-hwcaps/x86-64-v4", "glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v2"]
    for directory in [*old, *levels]:
        lab.library(f"H/{directory}/libp.so")
    lab.library("H/libp.so")
    program = lab.program("prog", ["H/libp.so"], flags=[lab.rpath("H")])
    ours = [one.path.rpartition("/")[0] for one in lab.links("prog").objects[:-1]]
    done = subprocess.run([program], env={"LD_DEBUG": "libs"}, capture_output=True, check=True)
    (listed,) = re.findall(r"search path=(\S+)\s+\(RUNPATH", done.stderr.decode())[:1]
    theirs = list(dict.fromkeys(path for path in listed.split(":") if Path(path).is_dir()))
    assert theirs[-1] == lab.path("H")
    assert theirs == [path for path in ours if path in theirs]
    # Of the old ones it names all that it would search, of the new ones its processor's.
    assert {path.removeprefix(f"{lab.root}/H/") for path in ours if path not in theirs} <= {*levels}


def test_level_without_a_base_does_not_end_the_search(lab: Lab) -> None:
    lab.library("A/glibc-hwcaps/x86-64-v2/libp.so")
    lab.library("B/libp.so")
    lab.program("prog", ["B/libp.so"], flags=[lab.rpath("A", "B")])
    found = [(one.path, one.level) for one in lab.links("prog").objects[:2]]
    assert found == [
        (f"{lab.root}/A/glibc-hwcaps/x86-64-v2/libp.so", "glibc-hwcaps/x86-64-v2"),
        (f"{lab.root}/B/libp.so", ""),
    ]


def _patched(lab: Lab, name: str, offset: int, value: int) -> None:
    data = bytearray((lab.root / "P1/libp.so").read_bytes())
    data[offset] = value
    lab.write(name, bytes(data))


@pytest.mark.parametrize(("offset", "value"), [(4, 1), (18, 183)], ids=["class", "machine"])
def test_file_for_another_machine_is_skipped(lab: Lab, offset: int, value: int) -> None:
    lab.library("P1/libp.so")
    _patched(lab, "X/libp.so", offset, value)
    lab.program("prog", ["P1/libp.so"], flags=[lab.rpath("X", "P1")])
    lab.check("prog", {"libp.so": "P1/libp.so"})


@pytest.mark.parametrize("content", ["/* GNU ld script */ INPUT(x)", "", "#" * 100, "\x7fELF"])
def test_file_that_is_no_elf_ends_the_search(lab: Lab, content: str) -> None:
    lab.library("P1/libp.so")
    lab.write("X/libp.so", content)
    lab.program("prog", ["P1/libp.so"], flags=[lab.rpath("X", "P1")])
    lab.check("prog", {"libp.so": None})


def test_directory_of_the_name_ends_the_search(lab: Lab) -> None:
    lab.library("P1/libp.so")
    lab.write("X/libp.so/file", "")
    lab.program("prog", ["P1/libp.so"], flags=[lab.rpath("X", "P1")])
    lab.check("prog", {"libp.so": None})


def test_machine_that_says_the_other_byte_order_ends_the_search(lab: Lab) -> None:
    """ld.so looks at the machine first, in its own order: a file of another machine is skipped."""
    lab.library("P1/libp.so")
    _patched(lab, "X/libp.so", 5, 2)
    lab.program("prog", ["P1/libp.so"], flags=[lab.rpath("X", "P1")])
    lab.check("prog", {"libp.so": None})
    linked("s390x", lab.root / "X/libp.so", ["-shared"])
    lab.check("prog", {"libp.so": "P1/libp.so"})


def test_program_in_the_place_of_a_library_ends_the_search(lab: Lab) -> None:
    lab.library("P1/libp.so")
    lab.program("X/libp.so")
    lab.program("prog", ["P1/libp.so"], flags=[lab.rpath("X", "P1")])
    lab.check("prog", {"libp.so": None})


@pytest.mark.parametrize(("cwd", "found"), [("", "N/libn.so"), ("N", None)])
def test_name_with_a_slash_is_seen_from_the_working_directory(
    lab: Lab, cwd: str, found: str | None
) -> None:
    lab.library("N/libn.so", soname="")
    lab.program("prog", ["N/libn.so"])
    ours = lab.shown(lab.links("prog", cwd=cwd))
    assert ours == {"N/libn.so": found}
    # ld.so prints the relative path.
    assert lab.shown_by_ld_so("prog", cwd=cwd) == {"N/libn.so": found}


def test_name_with_a_token_is_a_path(lab: Lab) -> None:
    lab.library("N/libn.so", soname="$ORIGIN/N/libn.so")
    lab.program("prog", ["N/libn.so"])
    assert lab.shown(lab.links("prog")) == {"$ORIGIN/N/libn.so": "N/libn.so"}
    assert lab.shown_by_ld_so("prog") == {lab.path("N/libn.so"): "N/libn.so"}


def test_loaded_soname_satisfies_a_name(lab: Lab) -> None:
    lab.library("Z/keep.so", soname="libzz.so.1")
    lab.program("prog", ["Z/keep.so"])
    lab.check("prog", {"libzz.so.1": None})
    preload = lab.path("Z/keep.so")
    assert lab.shown(lab.links("prog", {"LD_PRELOAD": preload})) == {preload: "Z/keep.so"}
    assert None not in lab.shown_by_ld_so("prog", {"LD_PRELOAD": preload}).values()


def test_soname_of_another_name_satisfies_later_ones(lab: Lab) -> None:
    """liba is found as `alias.so`; its soname is then known, so no second file is loaded."""
    lab.library("A/alias.so", soname="libreal.so")
    lab.library("B/libreal.so")
    lab.library("B/libb.so", ["B/libreal.so"], flags=[lab.rpath("B")])
    lab.copy("A/alias.so", "A/libreal.so")
    lab.program("prog", ["A/libreal.so", "B/libb.so"], flags=[lab.rpath("A", "B")])
    lab.check("prog", {"libreal.so": "A/libreal.so", "libb.so": "B/libb.so"})


def test_one_file_by_two_names_is_loaded_once_and_both_ways_count(lab: Lab) -> None:
    lab.library("L/liba.so.1.0", soname="liba.so.1")
    lab.link("L/liba.so.1", "liba.so.1.0")
    lab.link("L/other.so", "liba.so.1")
    lab.library("T/liba.so.1")
    lab.library("T/other.so")
    lab.program("prog", ["T/liba.so.1", "T/other.so"], flags=[lab.rpath("L")])
    links = lab.links("prog")
    assert [(one.name, one.real_path.rpartition("/")[2]) for one in links.objects[:2]] == [
        ("liba.so.1", "liba.so.1.0"),
        ("other.so", "liba.so.1.0"),
    ]
    assert [hop.path.rpartition("/")[2] for hop in links.objects[1].resolution.hops] == [
        "other.so",
        "liba.so.1",
    ]


@pytest.mark.parametrize("holder", ["program", "library"])
def test_nodefaultlib_leaves_out_default_directories_and_the_cache(lab: Lab, holder: str) -> None:
    lab.library("L/liba.so", flags=["-Wl,-z,nodefaultlib"] if holder == "library" else [])
    flags = ["-Wl,-z,nodefaultlib"] if holder == "program" else []
    lab.program("prog", ["L/liba.so"], flags=[*flags, lab.rpath("L")])
    missing = [(one.name, one.by.rpartition("/")[2]) for one in lab.links("prog").missing]
    theirs = lab.shown_by_ld_so("prog")
    assert missing == ([("libc.so.6", "prog")] if holder == "program" else [])
    assert theirs == {"liba.so": "L/liba.so"}


@pytest.mark.parametrize(
    ("flag", "found"),
    [
        ("-Wl,-F,libx.so", {"libf.so": "F/libf.so", "libx.so": None}),
        ("-Wl,-f,libx.so", {"libf.so": "F/libf.so"}),
    ],
    ids=["filter", "auxiliary"],
)
def test_missing_filter_is_an_error_and_missing_auxiliary_is_not(
    lab: Lab, flag: str, found: dict[str, str | None]
) -> None:
    lab.library("F/libf.so", flags=[flag])
    lab.program("prog", ["F/libf.so"], flags=[lab.rpath("F")])
    assert lab.shown(lab.links("prog")) == found
    started = subprocess.run([lab.root / "prog"], capture_output=True, check=False)
    assert (started.returncode == 0) == ("libx.so" not in found)


@pytest.mark.parametrize("flag", ["-Wl,-F,libx.so", "-Wl,-f,libx.so"])
def test_filter_and_auxiliary_are_loaded(lab: Lab, flag: str) -> None:
    lab.library("F/libx.so")
    lab.library("F/libf.so", flags=[flag, lab.rpath("F")])
    lab.program("prog", ["F/libf.so"], flags=[lab.rpath("F")])
    lab.check("prog", {"libf.so": "F/libf.so", "libx.so": "F/libx.so"})


@pytest.mark.parametrize("separator", [" ", ":"])
def test_preloads_are_loaded_first_and_may_be_missing(lab: Lab, separator: str) -> None:
    lab.library("P/libp.so")
    lab.library("P/libq.so", ["P/libp.so"], flags=[lab.rpath("P")])
    lab.program("prog")
    env = {"LD_PRELOAD": separator.join(["/nope.so", lab.path("P/libq.so"), "libnope.so"])}
    links = lab.links("prog", env)
    assert [one.name.rpartition("/")[2] for one in links.objects] == [
        "libq.so",
        "libc.so.6",
        "libp.so",
    ]
    assert links.missing == ()
    assert lab.shown_by_ld_so("prog", env).keys() >= {lab.path("P/libq.so"), "libp.so"}


def test_preload_by_bare_name_is_searched_for_the_program(lab: Lab) -> None:
    lab.library("P/libp.so")
    lab.program("prog", flags=[lab.rpath("P")])
    lab.check("prog", {"libp.so": "P/libp.so"}, env={"LD_PRELOAD": "libp.so"})


def test_empty_element_is_the_working_directory(lab: Lab) -> None:
    lab.library("E/libp.so")
    lab.program("E/prog", ["E/libp.so"], flags=["-Wl,-rpath,/nonexist:"])
    assert lab.shown(lab.links("E/prog", cwd="E")) == {"libp.so": "E/libp.so"}
    assert lab.shown_by_ld_so("E/prog", cwd="E") == {"libp.so": "libp.so"}
    lab.check("E/prog", {"libp.so": None})


@pytest.mark.parametrize("tags", [OLD, NEW])
def test_empty_path_is_none(lab: Lab, tags: str) -> None:
    """Not the working directory, as an empty element is; an empty RUNPATH silences RPATHs too."""
    lab.library("E/libp.so")
    data = lab.program("E/prog", ["E/libp.so"], flags=[tags, "-Wl,-rpath,/none"]).read_bytes()
    assert data.count(b"/none\0") == 1
    lab.write("E/prog", data.replace(b"/none\0", bytes(6)))
    lab.check("E/prog", {"libp.so": None}, cwd="E")


def test_file_of_another_system_ends_the_search(lab: Lab) -> None:
    lab.library("P1/libp.so")
    lab.program("prog", ["P1/libp.so"], flags=[lab.rpath("X", "P1")])
    for os_abi, found in ((3, "X/libp.so"), (9, None)):
        _patched(lab, "X/libp.so", 7, os_abi)
        lab.check("prog", {"libp.so": found})


@pytest.mark.parametrize("separator", [":", ";"])
def test_library_path_has_two_separators(lab: Lab, separator: str) -> None:
    lab.library("P/libp.so")
    lab.program("prog", ["P/libp.so"])
    env = {"LD_LIBRARY_PATH": f"/nonexist{separator}{lab.path('P')}/"}
    lab.check("prog", {"libp.so": "P/libp.so"}, env=env)


def test_file_without_the_link_of_its_soname_is_not_found(lab: Lab) -> None:
    lab.library("Y/libp.so")
    lab.program("prog", ["Y/libp.so"], flags=[lab.rpath("Y")])
    (lab.root / "Y/libp.so").rename(lab.root / "Y/libp.so.1.0")
    lab.check("prog", {"libp.so": None})


def test_interpreter_satisfies_its_own_name(lab: Lab) -> None:
    lab.program("prog", ["/lib64/ld-linux-x86-64.so.2"])
    links = lab.links("prog")
    assert [one.name for one in links.objects] == ["libc.so.6"]
    assert links.interpreter is not None
    assert links.interpreter.requested == "/lib64/ld-linux-x86-64.so.2"


def test_breadth_first_order_is_ld_sos(lab: Lab, tmp_path: Path) -> None:
    for name in "def":
        lab.library(f"L/lib{name}.so")
    lab.library("L/libb.so", ["L/libe.so", "L/libd.so"], flags=[lab.rpath("L")])
    lab.library("L/libc_.so", ["L/libf.so", "L/libb.so"], flags=[lab.rpath("L")])
    lab.program("prog", ["L/libc_.so", "L/libb.so"], flags=[lab.rpath("L")])
    expected = ["libc_.so", "libb.so", "libf.so", "libe.so", "libd.so"]
    assert list(lab.shown(lab.links("prog"))) == expected
    assert list(lab.shown_by_ld_so("prog")) == expected
    assert tmp_path == lab.root
