"""Which ld.so a program gets, and what was compiled into it.

Default directories differ between distributions, and only the interpreter itself knows its own:
they stand in its read-only data as a run of strings, each with a slash at its end.

    Debian    /lib/x86_64-linux-gnu/ /usr/lib/x86_64-linux-gnu/ /lib/ /usr/lib/
    Fedora    /lib64/ /usr/lib64/
    Nix       /nix/store/…-glibc-2.38/lib/

So do the cache's path, the release (from 2.33 on), and musl's directories and path file. Where the
interpreter is missing, the directories that the tree has decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from minify.elf.machine import Machine
from minify.filetree import Entry, FileTree, Kind, Resolution
from minify.filetree.path import basename, decoded

_LARGEST = 4 << 20
_LONGEST = 4096

_SYSTEM_DIRECTORIES = re.compile(
    rb"(?:/(?:[^\0/]{1,255}/){0,20}?lib[^\0/]{0,255}/(?:[^\0/]{1,255}/)?\0)+"
)
_RELEASE = re.compile(rb"stable release version 2\.(\d{1,4})")
_MUSL_PATH_FILE = re.compile(rb"/etc/(ld-musl-[^\0/]{1,100}\.path)\0")
_MUSL_DIRECTORIES = re.compile(rb"\0(/lib:[^\0]{1,4000})\0")

_MUSL_DEFAULT = "/lib:/usr/local/lib:/usr/lib"
# glibc searched tls/ and the like until this one.
_FIRST_WITHOUT_LEGACY = 37


class Flavour(Enum):
    """Whose rules the interpreter follows. All but musl's count as glibc's."""

    GLIBC = "glibc"
    MUSL = "musl"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An ld.so and what it has compiled in."""

    flavour: Flavour
    resolution: Resolution | None
    """None for a library that is looked at by itself, in a tree without an interpreter for it."""
    directories: tuple[str, ...]
    """Searched last; no slash at the end."""
    library: str = ""
    """What $LIB stands for."""
    cache: str = "/etc/ld.so.cache"
    preload: str = "/etc/ld.so.preload"
    has_legacy_levels: bool = True
    path_file: str = ""
    """The name of musl's list of directories, below an `etc`."""


def interpreter_at(tree: FileTree, path: str, machine: Machine) -> Interpreter:
    """The interpreter that the absolute `path` names, which may be missing."""
    return _interpreter(tree, tree.resolve(path), machine)


def usual_interpreter(tree: FileTree, machine: Machine, flavour: Flavour | None) -> Interpreter:
    """The interpreter that the tree's programs for `machine` have, of either flavour if None."""
    paths = {Flavour.GLIBC: machine.interpreter, Flavour.MUSL: f"/lib/ld-musl-{machine.musl}.so.1"}
    for one, path in paths.items():
        if flavour in (None, one) and path and tree.file(path) is not None:
            return interpreter_at(tree, path, machine)
    if flavour is Flavour.MUSL:
        return _musl(None, b"", machine)
    return _glibc(tree, None, b"", machine)


def _interpreter(tree: FileTree, resolution: Resolution, machine: Machine) -> Interpreter:
    entry = resolution.entry
    data = tree.read(entry, _LARGEST) if entry is not None and entry.kind is Kind.FILE else b""
    if _is_musl(resolution, entry, data):
        return _musl(resolution, data, machine)
    return _glibc(tree, resolution, data, machine)


def _is_musl(resolution: Resolution, entry: Entry | None, data: bytes) -> bool:
    if data:
        return _MUSL_PATH_FILE.search(data) is not None
    names = [resolution.requested.rpartition("/")[2], basename(entry.path) if entry else ""]
    return any(name.startswith("ld-musl-") for name in names)


def _glibc(
    tree: FileTree, resolution: Resolution | None, data: bytes, machine: Machine
) -> Interpreter:
    found = _SYSTEM_DIRECTORIES.search(data)
    if found is not None:
        compiled = decoded(found[0]).split("\0")
        directories = tuple(path.rstrip("/") for path in compiled if path)
    else:
        directories = tuple(_likely_directories(tree, machine))
    release = _RELEASE.search(data)
    return Interpreter(
        Flavour.GLIBC,
        resolution,
        directories,
        library=_library(directories[0]),
        cache=_string_ending(b"/ld.so.cache", data) or "/etc/ld.so.cache",
        preload=_string_ending(b"/ld.so.preload", data) or "/etc/ld.so.preload",
        has_legacy_levels=release is None or int(release[1]) < _FIRST_WITHOUT_LEGACY,
    )


def _likely_directories(tree: FileTree, machine: Machine) -> Iterator[str]:
    """Debian's directories where the tree has one of its multiarch ones, else upstream's."""
    names = [machine.library_directory]
    multiarch = f"lib/{machine.multiarch}"
    if machine.multiarch and (
        tree.directory(f"/{multiarch}") or tree.directory(f"/usr/{multiarch}")
    ):
        names = [multiarch, "lib"]
    for name in names:
        yield f"/{name}"
        yield f"/usr/{name}"


def _library(directory: str) -> str:
    """The part of a default directory that is the same below / and /usr."""
    parts = directory.split("/")
    first = next(i for i, part in enumerate(parts) if part.startswith("lib"))
    return "/".join(parts[first:])


def _musl(resolution: Resolution | None, data: bytes, machine: Machine) -> Interpreter:
    directories = _text(_MUSL_DIRECTORIES, data) or _MUSL_DEFAULT
    return Interpreter(
        Flavour.MUSL,
        resolution,
        tuple(directories.split(":")),
        path_file=_text(_MUSL_PATH_FILE, data) or f"ld-musl-{machine.musl}.path",
    )


def _text(pattern: re.Pattern[bytes], data: bytes) -> str:
    found = pattern.search(data)
    return decoded(found[1]) if found else ""


def _string_ending(end: bytes, data: bytes) -> str:
    """The first string in `data` that ends so; empty if there is none."""
    found = data.find(end + b"\0")
    if found < 0:
        return ""
    start = data.rfind(b"\0", max(0, found - _LONGEST), found) + 1
    return decoded(data[start : found + len(end)]) if data[start : start + 1] == b"/" else ""
