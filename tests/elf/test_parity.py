"""Every program and library of real roots: minify says what ld.so says, of files and of versions.

A library is compared by itself, as ld.so lists it. A sample of the roots is compared each time, all
are in `make test-all`; what differs is listed by the program's name.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import require
from images.build import BuiltImage

from elf import roots
from elf.lab import Lab, listed
from elf.roots import Root, tree_of_layers, unpacked
from minify.elf import ElfError, ElfFile, LinkMap, Loader
from minify.elf.interpreter import Flavour, interpreter_at
from minify.elf.machine import machine_of
from minify.filetree import Entry, FileTree, Kind

pytestmark = pytest.mark.engine

# `chroot` is no static program: the variable would make ld.so trace that.
_ENTER = """
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **words) {
    if (chroot(words[1]) || chdir("/") || putenv("LD_TRACE_LOADED_OBJECTS=1")) return 99;
    execv(words[2], words + 2);
    return 98;
}
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What minify or ld.so says of one file."""

    found: dict[str, set[str | None]]
    """The paths that some processor gets for each name; None if it is missing."""
    unmet: set[tuple[str, str, str]]
    """File, version and the object that needs it."""

    def is_as(self, other: Said) -> bool:
        """Whether this machine gets what `self`, for all of its kind, allows."""
        return (
            self.found.keys() == other.found.keys()
            and all(paths <= self.found[name] for name, paths in other.found.items())
            and other.unmet == self.unmet
        )


def _elf(loader: Loader, entry: Entry) -> ElfFile | None:
    try:
        return loader.elf(entry)
    except ElfError:
        return None


def _all_links(tree: FileTree) -> Iterator[LinkMap]:
    """What each program gets, and each library by itself."""
    loader = Loader(tree, {})
    for entry in sorted(tree.entries.values(), key=lambda one: one.path):
        is_library = ".so" in entry.path
        if entry.kind is not Kind.FILE or not (entry.is_executable or is_library):
            continue
        elf = _elf(loader, entry)
        if elf is None or not elf.can_be_loaded:
            continue
        if is_library:
            yield loader.load_library(entry)
        elif elf.interpreter is not None:
            yield loader.load(entry)


def _ours(links: LinkMap) -> Said:
    found: dict[str, set[str | None]] = {one.name: {None} for one in links.missing}
    for one in links.objects:
        found.setdefault(one.name, set()).add(one.path)
    unmet = {(str(one.found), one.need.version, str(one.by)) for one in links.unmet}
    return Said(found, unmet)


_UNMET = re.compile(r"^\S+: (\S+): version `(.*)' not found \(required by (\S+)\)$", re.MULTILINE)


def _theirs(tree: FileTree, links: LinkMap, command: list[str]) -> Said:
    assert links.interpreter is not None
    interpreter = links.interpreter.requested
    is_musl = _flavour(tree, interpreter, links) is Flavour.MUSL
    command = [*command, interpreter, *(["--list"] if is_musl else []), links.program]
    # Whatever is printed, the program that it is about is to be told with it.
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="backslashreplace", check=False
    )
    own = ("linux-vdso.so.1", "linux-vdso64.so.1", "linux-gate.so.1", interpreter)
    found: dict[str, set[str | None]] = {
        name: {path}
        for name, path in listed(done.stdout + done.stderr).items()
        if name not in own and path != interpreter
    }
    unmet = {
        (_real(tree, file), version, _real(tree, by))
        for file, version, by in _UNMET.findall(done.stderr)
    }
    return Said(found, unmet)


def _flavour(tree: FileTree, interpreter: str, links: LinkMap) -> Flavour:
    elf = Loader(tree, {}).elf(tree[links.program])
    assert elf is not None
    return interpreter_at(tree, interpreter, machine_of(elf)).flavour


def _real(tree: FileTree, path: str) -> str:
    entry = tree.resolve(path).entry
    assert entry is not None, path
    return entry.path


def _differences(root: Root, lab: Lab) -> tuple[int, dict[str, tuple[Said, Said]]]:
    """How many were compared, and those of which ld.so says something else."""
    enter = str(lab.program("enter", flags=["-static"], code=_ENTER))
    command = [enter, *root.command[1:]]
    tree = tree_of_layers(root.layers)
    count = 0
    different: dict[str, tuple[Said, Said]] = {}
    for links in _all_links(tree):
        count += 1
        ours, theirs = _ours(links), _theirs(tree, links, command)
        if not ours.is_as(theirs):
            different[links.program] = ours, theirs
    return count, different


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    made.mkdir()
    return made


@pytest.mark.parametrize(("name", "least"), [("nginx", 600), ("musl", 1)])
def test_every_file_gets_what_ld_so_gives_it(
    image: Callable[[str], BuiltImage], directory: Path, lab: Lab, name: str, least: int
) -> None:
    count, different = _differences(unpacked(image(name).layers, directory), lab)
    assert different == {}
    assert count >= least


def test_every_arm64_file_gets_what_its_ld_so_gives_it(directory: Path, lab: Lab) -> None:
    root = unpacked(roots.small_foreign(), directory, "arm64")
    count, different = _differences(root, lab)
    assert different == {}
    assert count >= 30


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "packages", "least"),
    [("large", roots.LARGE, 1900), ("desktop", roots.DESKTOP, 1800)],
)
def test_every_file_of_a_large_root_gets_what_ld_so_gives_it(
    directory: Path, lab: Lab, name: str, packages: Sequence[str], least: int
) -> None:
    root = unpacked([roots.debian(name, packages)], directory)
    count, different = _differences(root, lab)
    assert different == {}
    assert count >= least


@pytest.mark.long
@pytest.mark.parametrize("architecture", ["arm64", "armhf", "i386", "ppc64el", "s390x"])
def test_every_file_of_another_architecture_gets_what_its_ld_so_gives_it(
    directory: Path, lab: Lab, architecture: str
) -> None:
    root = unpacked([roots.foreign(architecture)], directory, architecture)
    count, different = _differences(roots.with_cache(root, directory), lab)
    assert different == {}
    assert count >= 900


@pytest.mark.long
def test_every_version_that_older_libraries_lack_is_one_that_ld_so_misses(
    directory: Path, lab: Lab
) -> None:
    """Programs of one release, and over their libraries those of the release before."""
    root = unpacked([roots.newer_programs(), roots.older_libraries()], directory)
    count, different = _differences(root, lab)
    assert different == {}
    assert count >= 700
    unmet = {
        one.need.version for links in _all_links(tree_of_layers(root.layers)) for one in links.unmet
    }
    assert unmet >= {"GLIBC_2.38", "GLIBCXX_3.4.32", "OPENSSL_3.2.0"}


@pytest.mark.long
def test_every_wheel_gets_what_ld_so_gives_it(
    image: Callable[[str], BuiltImage], directory: Path, lab: Lab
) -> None:
    layers = [*image("curl").layers, roots.wheels("manylinux")]
    count, different = _differences(unpacked(layers, directory), lab)
    assert different == {}
    assert count >= 900


@pytest.mark.long
def test_every_wheel_gets_what_musl_gives_it(directory: Path, lab: Lab) -> None:
    require("musl-gcc")
    layers = [roots.musl(), roots.wheels("musllinux")]
    count, different = _differences(unpacked(layers, directory), lab)
    assert different == {}
    assert count >= 170
