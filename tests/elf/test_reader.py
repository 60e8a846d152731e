"""ELF files read into records; readelf is the oracle for what a compiler made."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from conftest import require

from elf.cross import TARGETS, linked, stripped_of_section_headers
from elf.lab import Lab
from minify.elf import ElfFile, ElfKind, VersionNeed, machine_of
from minify.elf.reader import read_elf
from minify.image.blob import BytesBlob


def read(data: bytes) -> ElfFile | None:
    return read_elf(BytesBlob(data).open(), len(data))


def record(path: Path) -> ElfFile:
    elf = read(path.read_bytes())
    assert elf is not None
    return elf


# e_machine, class, byte order, e_flags
_MACHINES = {
    "x86_64": (62, 64, True, 0),
    "i386": (3, 32, True, 0),
    "aarch64": (183, 64, True, 0),
    "armhf": (40, 32, True, 0x05000400),
    "ppc64le": (21, 64, True, 0),
    "riscv64": (243, 64, True, 4),
    "s390x": (22, 64, False, 0),
}


@pytest.mark.parametrize("target", TARGETS)
def test_every_class_and_byte_order_is_read(tmp_path: Path, target: str) -> None:
    needed = linked(target, tmp_path / "libneeded.so", ["-shared", "-soname", "libneeded.so.1"])
    flags = ["-shared", "-soname", "libx.so.2", "--enable-new-dtags", "-rpath", "/a:$ORIGIN"]
    flags += ["-z", "nodefaultlib", "-f", "libaux.so", "-F", "libfilter.so"]
    flags += ["--audit", "a.so:b.so", "--no-as-needed", str(needed)]
    source = ".globl undefined\n.globl defined\ndefined:\n.data\n.dc.a undefined\n"
    elf = record(linked(target, tmp_path / "libx.so", flags, source))
    machine, bits, is_little_endian, own_flags = _MACHINES[target]
    assert elf == ElfFile(
        kind=ElfKind.SHARED,
        bits=bits,
        is_little_endian=is_little_endian,
        machine=machine,
        flags=own_flags,
        is_dynamic=True,
        needed=("libneeded.so.1",),
        soname="libx.so.2",
        runpath="/a:$ORIGIN",
        flags_1=0x800,
        filters=("libfilter.so",),
        auxiliaries=("libaux.so",),
        audits=("a.so:b.so",),
        imports=frozenset({"undefined"}),
    )
    assert machine_of(elf).name == target


@pytest.mark.parametrize("style", ["sysv", "gnu", "both"])
@pytest.mark.parametrize("target", TARGETS)
def test_undefined_symbols_are_found_by_either_hash_table(
    tmp_path: Path, target: str, style: str
) -> None:
    imported = [f"imported_{n}" for n in range(40)]
    exported = [f"exported_{n}" for n in range(60)]
    lines = [f".globl {name}\n{name}:" for name in exported]
    source = "\n".join([*lines, ".data", *(f".dc.a {name}" for name in imported), ""])
    out = linked(target, tmp_path / "libx.so", ["-shared", f"--hash-style={style}"], source)
    assert record(out).imports == set(imported)


def test_program_that_exports_nothing_has_imports(lab: Lab) -> None:
    """GNU ld's empty hash table does not tell how many symbols there are."""
    code = (
        "#include <stdio.h>\n#include <netdb.h>\nint main(void) { puts(gethostbyname(0)->h_name); }"
    )
    for flags in ([], ["-no-pie"], ["-rdynamic"], ["-static-pie"]):
        elf = record(lab.program("prog", flags=flags, code=code))
        wanted = set() if "-static-pie" in flags else {"puts", "gethostbyname"}
        assert elf.imports >= wanted


def test_kinds_of_programs(lab: Lab) -> None:
    expected = {
        (): (ElfKind.SHARED, "/lib64/ld-linux-x86-64.so.2", True, True),
        ("-no-pie",): (ElfKind.EXECUTABLE, "/lib64/ld-linux-x86-64.so.2", True, True),
        ("-static",): (ElfKind.EXECUTABLE, None, False, True),
        ("-static-pie",): (ElfKind.SHARED, None, True, True),
        ("-shared",): (ElfKind.SHARED, None, True, False),
        ("-c",): (ElfKind.RELOCATABLE, None, False, False),
    }
    found = {}
    for flags in expected:
        elf = record(lab.program("prog", flags=[*flags]))
        found[flags] = elf.kind, elf.interpreter, elf.is_dynamic, elf.is_program
    assert found == expected


def test_versions_are_read(lab: Lab) -> None:
    lab.write("map", "V1 { global: one; local: *; };\nV2 { global: two; } V1;")
    code = "int one(void) { return 1; } int two(void) { return 2; }"
    lab.library("libv.so", code=code, flags=[f"-Wl,--version-script={lab.root}/map"])
    code = "int one(void); int two(void); int main(void) { return one() + two(); }"
    data = lab.program("prog", ["libv.so"], code=code).read_bytes()
    # GNU ld marks none as weak, others do: set the flag behind the hash of "V2".
    lab.write("prog", data.replace(bytes.fromhex("92050000 0000"), bytes.fromhex("92050000 0200")))
    assert record(lab.root / "libv.so").versions_defined == frozenset(("libv.so", "V1", "V2"))
    assert record(lab.root / "prog").versions_defined is None
    needed = [n for n in record(lab.root / "prog").versions_needed if n.file == "libv.so"]
    assert sorted(needed, key=lambda n: n.version) == [
        VersionNeed("libv.so", "V1", is_weak=False),
        VersionNeed("libv.so", "V2", is_weak=True),
    ]


def test_section_headers_are_not_needed(lab: Lab) -> None:
    lab.library("libx.so")
    path = lab.program("prog", ["libx.so"], flags=[lab.rpath("a")])
    assert read(stripped_of_section_headers(path)) == record(path)


def test_patched_file_is_read(lab: Lab) -> None:
    """patchelf moves the string table away and leaves an X for each byte that was there."""
    require("patchelf")
    lab.library("libx.so")
    path = lab.program("prog", ["libx.so"], flags=["-no-pie", "-s"])
    before = record(path)
    long = "/opt/" + "x" * 300
    for option in ("--set-rpath", long), ("--add-needed", "liby.so"):
        subprocess.run(["patchelf", *option, path], check=True)
    after = record(path)
    assert after.runpath == long
    assert after.needed == ("liby.so", "libx.so", "libc.so.6")
    assert after.imports == before.imports
    assert after.versions_needed == before.versions_needed


@pytest.mark.parametrize("data", [b"", b"\x7f", b"\x7fEL", b"#!/bin/sh\n", b"!<arch>\n", b"MZ"])
def test_what_is_no_elf_is_none(data: bytes) -> None:
    assert read(data) is None


def _system_libraries() -> list[Path]:
    found = []
    for directory in (Path("/usr/lib/x86_64-linux-gnu"), Path("/usr/bin")):
        files = (p for p in sorted(directory.glob("*")) if p.is_file() and not p.is_symlink())
        found += [p for p in files if p.read_bytes()[:4] == b"\x7fELF"]
    return found[:: max(1, len(found) // 60)]


_TAGS = {"NEEDED": "needed", "SONAME": "soname", "RPATH": "rpath", "RUNPATH": "runpath"}


def test_system_is_read_as_readelf_reads_it() -> None:
    require("readelf")
    libraries = _system_libraries()
    assert len(libraries) > 40
    for path in libraries:
        elf = record(path)
        found: dict[str, list[str]] = {}
        for tag, value in re.findall(r"\((\w+)\) .*\[(.*)\]$", _readelf("-d", path), re.MULTILINE):
            found.setdefault(tag, []).append(value)
        ours = {
            "NEEDED": [*elf.needed],
            "SONAME": [elf.soname] if elf.soname is not None else [],
            "RPATH": [elf.rpath] if elf.rpath is not None else [],
            "RUNPATH": [elf.runpath] if elf.runpath is not None else [],
        }
        assert ours == {tag: found.get(tag, []) for tag in _TAGS}, path
        assert elf.imports == _undefined_by_readelf(path), path
        assert elf.versions_defined == _defined_by_readelf(path), path
        assert {(n.file, n.version) for n in elf.versions_needed} == _needed_by_readelf(path), path


def _readelf(flag: str, path: Path) -> str:
    command = ["readelf", "-W", flag, str(path)]
    return subprocess.check_output(command, env={"LC_ALL": "C"}, text=True)


def _undefined_by_readelf(path: Path) -> set[str]:
    rows = [line.split() for line in _readelf("--dyn-syms", path).splitlines()]
    return {row[7].partition("@")[0] for row in rows if len(row) >= 8 and row[6] == "UND"}


def _needed_by_readelf(path: Path) -> set[tuple[str, str]]:
    found = set()
    file = ""
    for line in _readelf("-V", path).splitlines():
        if named := re.search(r"Version: 1  File: (\S+)", line):
            file = named[1]
        elif version := re.search(r"Name: (\S+)  Flags: .*  Version: \d+$", line):
            found.add((file, version[1]))
    return found


def _defined_by_readelf(path: Path) -> frozenset[str] | None:
    text = _readelf("-V", path)
    names = re.findall(r"Rev: 1  Flags: \S+.*Index: \d+  Cnt: \d+  Name: (\S+)", text)
    return frozenset(names) or None
