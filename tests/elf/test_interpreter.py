"""Which interpreter a program gets, and what is known of it; machines other than this one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from filetree.kit import Member, file, tree_of

from elf.cross import linked
from elf.lab import Lab, entry
from minify.elf import LinkMap, Loader
from minify.elf.interpreter import Flavour, interpreter_at, usual_interpreter
from minify.elf.machine import Machine

_MACHINE = Machine("x86_64", "x86_64-linux-gnu", interpreter="/lib64/ld.so.2", musl="x86_64")


def _directories(*members: Member | str) -> tuple[str, ...]:
    return interpreter_at(tree_of(members), "/lib64/ld.so.2", _MACHINE).directories


def test_directories_are_read_from_the_interpreter() -> None:
    nix = b"\0/nix/store/abc-glibc-2.38/lib/\0/nix/store/abc-glibc-2.38/etc/ld.so.cache\0"
    found = interpreter_at(tree_of([file("lib64/ld.so.2", nix)]), "/lib64/ld.so.2", _MACHINE)
    assert found.directories == ("/nix/store/abc-glibc-2.38/lib",)
    assert found.cache == "/nix/store/abc-glibc-2.38/etc/ld.so.cache"
    assert found.library == "lib"


@pytest.mark.parametrize(("release", "has_legacy"), [("2.36", True), ("2.37", False), ("", True)])
def test_old_subdirectories_depend_on_the_release(release: str, *, has_legacy: bool) -> None:
    text = f"ld.so (GNU libc) stable release version {release}.\n" if release else ""
    tree = tree_of([file("lib64/ld.so.2", text)])
    assert interpreter_at(tree, "/lib64/ld.so.2", _MACHINE).has_legacy_levels == has_legacy


def test_without_an_interpreter_the_trees_directories_decide() -> None:
    multiarch = "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib", "/usr/lib"
    assert _directories("usr/lib/x86_64-linux-gnu/") == multiarch
    assert _directories("lib/x86_64-linux-gnu/") == multiarch
    assert _directories("usr/lib64/") == ("/lib64", "/usr/lib64")


@pytest.mark.parametrize(
    ("members", "path", "flavour"),
    [
        ([], "/lib/ld-musl-x86_64.so.1", Flavour.MUSL),
        ([], "/lib64/ld-linux-x86-64.so.2", Flavour.GLIBC),
        ([], "/system/bin/linker64", Flavour.GLIBC),
        ([file("lib/ld.so", "%.*s/etc/ld-musl-x86_64.path\0")], "/lib/ld.so", Flavour.MUSL),
        ([file("lib/ld-musl-x.so.1", "/etc/ld.so.cache\0")], "/lib/ld-musl-x.so.1", Flavour.GLIBC),
    ],
)
def test_flavour_is_told_by_content_then_by_name(
    members: list[Member], path: str, flavour: Flavour
) -> None:
    assert interpreter_at(tree_of(members), path, _MACHINE).flavour is flavour


def test_usual_interpreter_is_the_one_that_is_there() -> None:
    musl = file("lib/ld-musl-x86_64.so.1", "%.*s/etc/ld-musl-x86_64.path\0\0/lib:/opt/lib\0")
    found = usual_interpreter(tree_of([musl]), _MACHINE, None)
    assert (found.flavour, found.directories) == (Flavour.MUSL, ("/lib", "/opt/lib"))
    nothing = usual_interpreter(tree_of(["lib/"]), _MACHINE, Flavour.MUSL)
    assert nothing.resolution is None
    assert nothing.directories == ("/lib", "/usr/local/lib", "/usr/lib")


def _loaded(
    tmp_path: Path, target: str, members: Sequence[Member | str], flags: Sequence[str]
) -> LinkMap:
    """What a program for `target` gets of libx.so, which the members have from the same tools."""
    library = linked(target, tmp_path / "libx.so", ["-shared", "-soname", "libx.so"])
    program = linked(
        target, tmp_path / "prog", ["-pie", *flags, str(library)], ".globl _start\n_start:"
    )
    placed = [
        file(one.name, library.read_bytes()) if isinstance(one, Member) and not one.content else one
        for one in members
    ]
    tree = tree_of([file("prog", program.read_bytes(), mode=0o755), *placed])
    return Loader(tree, {}).load(entry(tree, "/prog"))


@pytest.mark.parametrize(
    ("target", "interpreter", "where"),
    [
        ("i386", "/lib/ld-linux.so.2", "lib/i386-linux-gnu"),
        ("aarch64", "/lib/ld-linux-aarch64.so.1", "usr/lib/aarch64-linux-gnu"),
        ("aarch64", "/lib/ld-linux-aarch64.so.1", "lib64"),
        ("s390x", "/lib/ld64.so.1", "lib/s390x-linux-gnu"),
        ("aarch64", "/lib/ld-musl-aarch64.so.1", "usr/lib"),
    ],
)
def test_every_machine_has_its_directories(
    tmp_path: Path, target: str, interpreter: str, where: str
) -> None:
    flags = ["-dynamic-linker", interpreter]
    links = _loaded(tmp_path, target, [file(f"{where}/libx.so")], flags)
    assert [one.path for one in links.objects] == [f"/{where}/libx.so"]
    assert links.interpreter is not None
    assert (links.interpreter.requested, links.interpreter.entry) == (interpreter, None)


def test_platforms_of_a_machine_are_all_kept(tmp_path: Path) -> None:
    places = [file("opt/i586/libx.so"), file("opt/i686/libx.so"), file("lib/libx.so")]
    flags = ["-dynamic-linker", "/lib/ld-linux.so.2", "-rpath", "/opt/$PLATFORM"]
    links = _loaded(tmp_path, "i386", places, flags)
    assert [(one.path, one.level) for one in links.objects] == [
        ("/opt/i686/libx.so", "platform i686"),
        ("/opt/i586/libx.so", "platform i586"),
        ("/lib/libx.so", ""),
    ]


def test_levels_are_the_machines(tmp_path: Path) -> None:
    places: list[Member | str] = [
        file("lib/libx.so"),
        file("lib/glibc-hwcaps/z15/libx.so"),
        file("lib/glibc-hwcaps/x86-64-v2/libx.so"),
        "lib/s390x-linux-gnu/",
    ]
    links = _loaded(tmp_path, "s390x", places, ["-dynamic-linker", "/lib/ld64.so.1"])
    assert [(one.path, one.level) for one in links.objects] == [
        ("/lib/glibc-hwcaps/z15/libx.so", "glibc-hwcaps/z15"),
        ("/lib/libx.so", ""),
    ]


def test_relative_interpreter_is_seen_from_the_working_directory(lab: Lab) -> None:
    lab.program("bin/prog", flags=["-Wl,-dynamic-linker,lib/ld.so"])
    tree = lab.tree(file("job/lib/ld.so", "glibc"))
    links = Loader(tree, {}, "/job").load(entry(tree, lab.path("bin/prog")))
    assert links.interpreter is not None
    assert links.interpreter.entry == tree.get("/job/lib/ld.so")


@pytest.mark.parametrize("flag", ["-static", "-static-pie"])
def test_static_program_loads_nothing(lab: Lab, flag: str) -> None:
    lab.program("prog", flags=[flag])
    program = tree_of(lab.members())
    links = Loader(program, {"LD_PRELOAD": "/x.so"}).load(entry(program, lab.path("prog")))
    assert links == LinkMap(links.program, None)


def test_library_given_as_a_program_is_taken_by_itself(lab: Lab) -> None:
    lab.library("liba.so")
    assert [one.name for one in lab.links("liba.so").objects] == ["libc.so.6"]


def test_each_file_is_read_once(lab: Lab) -> None:
    lab.library("liba.so")
    tree = lab.tree(f"{lab.path('libb.so')} => {lab.path('liba.so')}")
    loader = Loader(tree, {})
    one, other = (loader.elf(entry(tree, lab.path(name))) for name in ("liba.so", "libb.so"))
    assert one is not None
    assert one is other
