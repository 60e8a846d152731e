"""Every program of real root filesystems: minify's map from names to files is ld.so's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import require
from images.build import BuiltImage, build_foreign

from elf.lab import Found, listed
from minify.elf import ElfError, LinkMap, Loader
from minify.filetree import FileTree
from minify.image import Layer
from minify.image.blob import FileBlob, HostFile

pytestmark = pytest.mark.engine

_QEMU = "/usr/bin/qemu-aarch64-static"


def _tree(built: BuiltImage) -> FileTree:
    files = [HostFile.open(path, path.name) for path in built.layers]
    return FileTree.from_layers([Layer(FileBlob.whole(one), one.name) for one in files])


def _unpacked(built: BuiltImage, root: Path) -> Path:
    """The image's files for ld.so. What whiteouts hide stays; no library is among it."""
    require("tar", "chroot")
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    for layer in built.layers:
        command = [
            "tar",
            "-x",
            "-C",
            str(root),
            "--exclude=.wh.*",
            "--exclude=./dev/*",
            "-f",
            str(layer),
        ]
        subprocess.run(command, check=True)
    return root


def _programs(tree: FileTree, loader: Loader) -> Iterator[LinkMap]:
    """What each program of the tree gets that an interpreter loads."""
    for entry in sorted(tree.entries.values(), key=lambda one: one.path):
        if not entry.is_executable:
            continue
        try:
            elf = loader.elf(entry)
        except ElfError:
            continue
        if elf is not None and elf.interpreter is not None and ".so" not in entry.path:
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
    own = ("linux-vdso.so.1", interpreter)
    return {n: p for n, p in found.items() if n not in own and p != interpreter}


def _differences(tree: FileTree, command: list[str]) -> tuple[int, dict[str, object]]:
    """How many programs there are, and those of which ld.so says something else."""
    count = 0
    different: dict[str, object] = {}
    for links in _programs(tree, Loader(tree, {})):
        count += 1
        ours, theirs = _ours(links), _theirs(links, command)
        wrong = {name: path for name, path in theirs.items() if path not in ours.get(name, ())}
        if wrong or ours.keys() != theirs.keys():
            different[links.program] = (ours, theirs)
    return count, different


@pytest.mark.parametrize(("name", "least"), [("nginx", 250), ("musl", 1)])
def test_every_program_gets_what_ld_so_gives_it(
    image: Callable[[str], BuiltImage], tmp_path: Path, name: str, least: int
) -> None:
    built = image(name)
    root = _unpacked(built, tmp_path)
    count, different = _differences(_tree(built), ["chroot", str(root)])
    assert different == {}
    assert count >= least


def test_every_arm64_program_gets_what_its_ld_so_gives_it(tmp_path: Path) -> None:
    require("mmdebstrap", _QEMU)
    built = build_foreign()
    root = _unpacked(built, tmp_path)
    qemu = root / "qemu"
    qemu.write_bytes(Path(_QEMU).read_bytes())
    qemu.chmod(0o755)
    count, different = _differences(_tree(built), ["chroot", str(root), "/qemu"])
    assert different == {}
    assert count >= 2
