"""Every program and library of real roots: minify's map from names to files is ld.so's."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from conftest import require
from images.build import BuiltImage, build_foreign
from images.cache import cached

from elf.lab import Found, listed
from minify.elf import ElfError, ElfFile, LinkMap, Loader
from minify.filetree import Entry, FileTree, Kind
from minify.image import Layer
from minify.image.blob import FileBlob, HostFile

pytestmark = pytest.mark.engine

_QEMU = "/usr/bin/qemu-aarch64-static"


# Four hundred packages: large graphs, private directories, RUNPATHs, plugins, 32-bit libraries.
_LARGE = (
    *("ffmpeg", "imagemagick", "graphviz", "git", "php-cli", "postgresql-15", "libgtk-3-bin"),
    *("qtbase5-dev-tools", "qdbus-qt5", "default-jre-headless", "python3-numpy", "libc6-i386"),
)


def _tree(layers: Sequence[Path]) -> FileTree:
    files = [HostFile.open(path, path.name) for path in layers]
    return FileTree.from_layers([Layer(FileBlob.whole(one), one.name) for one in files])


def _unpacked(layers: Sequence[Path], root: Path) -> Path:
    """The image's files for ld.so. What whiteouts hide stays; no library is among it."""
    require("tar", "chroot")
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    for layer in layers:
        command = ["tar", "-x", "-C", str(root), "--exclude=.wh.*", "--exclude=./dev/*"]
        subprocess.run([*command, "-f", str(layer)], check=True)
    return root


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


def _ours(links: LinkMap) -> dict[str, set[str | None]]:
    """All that some processor gets for each name."""
    found: dict[str, set[str | None]] = {one.name: {None} for one in links.missing}
    for one in links.objects:
        found.setdefault(one.name, set()).add(one.path)
    return found


def _theirs(links: LinkMap, command: list[str]) -> Found:
    assert links.interpreter is not None
    interpreter = links.interpreter.requested
    command = [*command, interpreter, "--list", links.program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = listed(done.stdout + done.stderr)
    own = ("linux-vdso.so.1", "linux-gate.so.1", interpreter)
    return {n: p for n, p in found.items() if n not in own and p != interpreter}


def _differences(tree: FileTree, command: list[str]) -> tuple[int, dict[str, object]]:
    """How many were compared, and those of which ld.so says something else."""
    count = 0
    different: dict[str, object] = {}
    for links in _all_links(tree):
        ours = _ours(links)
        if {None} in ours.values() and ".so" in links.program:
            continue  # ld.so ends at the first name of a plugin that its program provides
        count += 1
        theirs = _theirs(links, command)
        wrong = {name: path for name, path in theirs.items() if path not in ours.get(name, ())}
        if wrong or ours.keys() != theirs.keys():
            different[links.program] = (ours, theirs)
    return count, different


@pytest.mark.parametrize(("name", "least"), [("nginx", 600), ("musl", 1)])
def test_every_file_gets_what_ld_so_gives_it(
    image: Callable[[str], BuiltImage], tmp_path: Path, name: str, least: int
) -> None:
    layers = image(name).layers
    root = _unpacked(layers, tmp_path)
    count, different = _differences(_tree(layers), ["chroot", str(root)])
    assert different == {}
    assert count >= least


def test_every_arm64_file_gets_what_its_ld_so_gives_it(tmp_path: Path) -> None:
    require("mmdebstrap", _QEMU)
    layers = build_foreign().layers
    root = _unpacked(layers, tmp_path)
    qemu = root / "qemu"
    qemu.write_bytes(Path(_QEMU).read_bytes())
    qemu.chmod(0o755)
    count, different = _differences(_tree(layers), ["chroot", str(root), "/qemu"])
    assert different == {}
    assert count >= 30


@pytest.mark.long
def test_every_file_of_a_large_root_gets_what_ld_so_gives_it(tmp_path: Path) -> None:
    require("mmdebstrap")

    def make(out: Path) -> None:
        command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(_LARGE)}"]
        subprocess.run([*command, "bookworm", str(out / "root.tar")], check=True)

    key = hashlib.sha256(repr(_LARGE).encode()).hexdigest()
    layers = [cached("large.root", key, make) / "root.tar"]
    root = _unpacked(layers, tmp_path)
    count, different = _differences(_tree(layers), ["chroot", str(root)])
    assert different == {}
    assert count >= 1900
