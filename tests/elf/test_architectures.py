"""Other architectures, each with its own glibc, which qemu runs as the oracle."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import require
from filetree.kit import file, tree_of

from elf.cross import linked
from elf.lab import Found, entry, listed, members_of
from elf.test_reader import record
from minify.elf import LinkMap, Loader, machine_of
from minify.elf.interpreter import Interpreter, interpreter_at

pytestmark = pytest.mark.engine


@dataclass(frozen=True, slots=True)
class Port:
    """A port of glibc, as Debian has it for cross compilers, and what runs its programs."""

    multiarch: str
    interpreter: str
    qemu: str
    place: str = ""
    """Where its files are, if that is not below /usr by its name."""

    @property
    def directory(self) -> Path:
        return Path(self.place or f"/usr/{self.multiarch}/lib")

    @property
    def own(self) -> Path:
        return self.directory / self.interpreter.rpartition("/")[2]


PORTS = {
    "x86_64": Port(
        "x86_64-linux-gnu",
        "/lib64/ld-linux-x86-64.so.2",
        "qemu-x86_64-static",
        "/lib/x86_64-linux-gnu",
    ),
    "i386": Port(
        "i386-linux-gnu", "/lib/ld-linux.so.2", "qemu-i386-static", "/usr/i686-linux-gnu/lib"
    ),
    "aarch64": Port("aarch64-linux-gnu", "/lib/ld-linux-aarch64.so.1", "qemu-aarch64-static"),
    "armhf": Port("arm-linux-gnueabihf", "/lib/ld-linux-armhf.so.3", "qemu-arm-static"),
    "ppc64le": Port("powerpc64le-linux-gnu", "/lib64/ld64.so.2", "qemu-ppc64le-static"),
    "riscv64": Port("riscv64-linux-gnu", "/lib/ld-linux-riscv64-lp64d.so.1", "qemu-riscv64-static"),
    "s390x": Port("s390x-linux-gnu", "/lib/ld64.so.1", "qemu-s390x-static"),
}

# `name`, or `name (what it is; supported, searched)`, a line each, up to the next empty one.
_NAMES = re.compile(r"^  (\S+)", re.MULTILINE)


def _needs(target: str) -> Port:
    port = PORTS[target]
    require(port.qemu, "chroot")
    if not port.own.exists():
        pytest.skip(f"not installed: {port.own} (make setup, as root)")
    return port


def _help(port: Port) -> dict[str, list[str]]:
    """What its ld.so says of itself: directories, levels, old subdirectories as they nest."""
    text = subprocess.check_output([port.qemu, port.own, "--help"], text=True)
    return {
        "directories": re.findall(r"^  (\S+) \(system search path\)", text, re.MULTILINE),
        "levels": _paragraph(text, "Subdirectories of glibc-hwcaps directories"),
        "legacy": sorted(
            _paragraph(text, "Legacy HWCAP subdirectories"), key=lambda name: name != "tls"
        ),
    }


def _paragraph(text: str, title: str) -> list[str]:
    return _NAMES.findall(text.partition(f"\n{title}")[2].partition("\n\n")[0])


def _interpreter(target: str, port: Port) -> tuple[Interpreter, Sequence[str], Sequence[str]]:
    machine = machine_of(record(port.own))
    assert machine.name == target
    tree = tree_of([file(port.interpreter[1:], port.own.read_bytes())])
    return interpreter_at(tree, port.interpreter, machine), machine.levels, machine.legacy


@pytest.mark.parametrize("target", PORTS)
def test_interpreter_says_the_same_of_itself(target: str) -> None:
    port = _needs(target)
    theirs = _help(port)
    ours, levels, legacy = _interpreter(target, port)
    assert list(ours.directories) == theirs["directories"]
    # Later releases know better processors, which come before those that this one knows.
    assert list(levels)[-len(theirs["levels"]) :] == theirs["levels"] or not theirs["levels"]
    # They are those of one processor, ours are those of all.
    nested = iter(["tls", *legacy])
    assert all(name in nested for name in theirs["legacy"])


class Root:
    """A root filesystem with one port's C library and programs made by its assembler."""

    def __init__(self, directory: Path, target: str, port: Port) -> None:
        if os.geteuid() != 0:
            pytest.skip("chroot needs root")
        self.directory = directory
        self._target = target
        self._port = port
        self._place(port.own, port.interpreter)
        self._place(port.directory / "libc.so.6", f"/lib/{port.multiarch}/libc.so.6")

    def _place(self, source: Path, path: str) -> None:
        out = self.directory / path.lstrip("/")
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(source.read_bytes())
        out.chmod(0o755)

    def library(self, path: str, *needs: str, flags: Sequence[str] = ()) -> None:
        named = ["-shared", "-soname", path.rpartition("/")[2], *flags]
        self._linked(path, needs, named)

    def program(self, path: str, *needs: str, flags: Sequence[str] = ()) -> None:
        interpreter = ["-pie", "-dynamic-linker", self._port.interpreter, *flags]
        needs = (*needs, f"lib/{self._port.multiarch}/libc.so.6")
        self._linked(path, needs, interpreter, ".globl _start\n_start:\n")

    def _linked(self, path: str, needs: Sequence[str], flags: list[str], source: str = "") -> None:
        files = [str(self.directory / name) for name in needs]
        shared = ["--allow-shlib-undefined", "--no-as-needed", *files]
        linked(self._target, self.directory / path, [*flags, *shared], source)

    def agrees(self, expected: Found, program: str = "/prog") -> LinkMap:
        """Asserts that minify and the port's ld.so find what is expected besides libc."""
        tree = tree_of(members_of(self.directory, at=""))
        links = Loader(tree, {}).load(entry(tree, program))
        ours: Found = {one.name: None for one in links.missing}
        for one in links.objects:
            ours.setdefault(one.name, one.path)
        assert self._interesting(ours) == expected
        assert self._interesting(self._theirs(program)) == expected
        return links

    def _theirs(self, program: str) -> Found:
        emulator = Path(shutil.which(self._port.qemu) or "")
        self._place(emulator, "/qemu")
        # As `--list`, which ends at the first name that is missing.
        qemu = ["chroot", str(self.directory), "/qemu", "-E", "LD_TRACE_LOADED_OBJECTS=1"]
        command = [*qemu, self._port.interpreter, program]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        (self.directory / "qemu").unlink()
        return listed(done.stdout + done.stderr)

    @staticmethod
    def _interesting(found: Found) -> Found:
        return {name: path for name, path in found.items() if name.startswith("libx")}


@pytest.fixture(params=PORTS)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Root:
    target = str(request.param)
    return Root(tmp_path, target, _needs(target))


OLD, NEW = "--disable-new-dtags", "--enable-new-dtags"


def test_default_directories_are_searched(root: Root) -> None:
    multiarch = root._port.multiarch
    root.library(f"usr/lib/{multiarch}/libx1.so")
    root.library("usr/lib/libx2.so")
    root.library("opt/libx3.so")
    root.program("prog", f"usr/lib/{multiarch}/libx1.so", "usr/lib/libx2.so")
    links = root.agrees(
        {"libx1.so": f"/usr/lib/{multiarch}/libx1.so", "libx2.so": "/usr/lib/libx2.so"}
    )
    assert [one.path for one in links.objects if one.name == "libc.so.6"] == [
        f"/lib/{multiarch}/libc.so.6"
    ]
    assert (links.missing, links.unmet) == ((), ())
    root.program("prog", "opt/libx3.so")
    root.agrees({"libx3.so": None})


@pytest.mark.parametrize("target", ["x86_64", "i386"])
def test_cache_has_libraries_that_need_no_c_library(tmp_path: Path, target: str) -> None:
    """ldconfig marks those of i386 as of no C library, and ld.so takes them."""
    require("ldconfig")
    root = Root(tmp_path, target, _needs(target))
    root.library("opt/libx1.so")
    root.program("prog", "opt/libx1.so")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/ld.so.conf").write_text("/opt\n")
    subprocess.run(["ldconfig", "-r", tmp_path], check=True, capture_output=True)
    root.agrees({"libx1.so": "/opt/libx1.so"})


@pytest.mark.parametrize(("tags", "found"), [(OLD, "/opt/b/libx2.so"), (NEW, None)])
def test_rpath_is_inherited_and_runpath_is_not(root: Root, tags: str, found: str | None) -> None:
    root.library("opt/b/libx2.so")
    root.library("opt/a/libx1.so", "opt/b/libx2.so")
    root.program("prog", "opt/a/libx1.so", flags=[tags, "-rpath", "/opt/a:/opt/b"])
    root.agrees({"libx1.so": "/opt/a/libx1.so", "libx2.so": found})


def test_tokens_are_the_ports(root: Root) -> None:
    root.library(f"app/lib/{root._port.multiarch}/libx1.so")
    root.program(
        "app/prog",
        f"app/lib/{root._port.multiarch}/libx1.so",
        flags=["-rpath", "/app/$LIB"],
    )
    found = f"/app/lib/{root._port.multiarch}/libx1.so"
    root.agrees({"libx1.so": found}, "/app/prog")


def test_library_of_another_machine_is_skipped(root: Root, tmp_path: Path) -> None:
    root.library("opt/libx1.so")
    other = "aarch64" if root._target != "aarch64" else "riscv64"
    flags = ["-shared", "-soname", "libx1.so"]
    wrong = linked(other, tmp_path / "wrong/libx1.so", flags)
    root.program("prog", "opt/libx1.so", flags=["-rpath", "/wrong:/opt"])
    assert machine_of(record(wrong)).name == other
    root.agrees({"libx1.so": "/opt/libx1.so"})


def test_old_subdirectories_of_the_port_come_first(root: Root) -> None:
    names = _help(root._port)["legacy"]
    for name in ("tls", names[-1]):
        root.library(f"opt/{name}/libx1.so")
    root.library("opt/libx1.so")
    root.program("prog", "opt/libx1.so", flags=["-rpath", "/opt"])
    links = root.agrees({"libx1.so": "/opt/tls/libx1.so"})
    found = [one.path for one in links.objects if one.name == "libx1.so"]
    expected = ["/opt/tls/libx1.so", f"/opt/{names[-1]}/libx1.so", "/opt/libx1.so"]
    assert found == list(dict.fromkeys(expected))


def test_soft_and_hard_floats_do_not_mix(tmp_path: Path) -> None:
    root = Root(tmp_path, "armhf", _needs("armhf"))
    root.library("opt/libx1.so")
    soft = bytearray((tmp_path / "opt/libx1.so").read_bytes())
    flags = int.from_bytes(soft[36:40], "little") & ~0x400 | 0x200
    soft[36:40] = flags.to_bytes(4, "little")
    (tmp_path / "soft").mkdir()
    (tmp_path / "soft/libx1.so").write_bytes(soft)
    root.program("prog", "opt/libx1.so", flags=["-rpath", "/soft:/opt"])
    root.agrees({"libx1.so": "/opt/libx1.so"})
