"""musl's rules: where it looks for a name, and which files it takes.

For a name without a slash, in this order, each tried until a file is there:

    1. LD_LIBRARY_PATH, unless the program is setuid and the like
    2. DT_RUNPATH, or else DT_RPATH, of the requester, then of its loaders up to the program
    3. the directories in /etc/ld-musl-ARCH.path if that file exists, be it empty, else the ones
       that are compiled in

There is no cache, there are no subdirectories, no sonames are compared, and the first file of the
name must do. The libraries of the C library itself are never looked for.

https://git.musl-libc.org/cgit/musl/tree/ldso/dynlink.c
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import cached_property

from minify.elf.elffile import ElfFile
from minify.elf.search import (
    MOST_ELEMENTS,
    TAKEN,
    Candidate,
    Circumstances,
    Judgement,
    Place,
    Request,
    Requester,
    Verdict,
)
from minify.filetree import FileTree, Kind, Resolution
from minify.filetree.path import decoded, joined

_OWN = re.compile(r"lib(?:c|pthread|rt|m|dl|util|xnet)\.")
_TOKEN = re.compile(r"\$ORIGIN|\$\{ORIGIN\}")
_LARGEST_PATH_FILE = 1 << 20


class MuslSearch:
    """musl's ld.so in one process."""

    def __init__(self, tree: FileTree, circumstances: Circumstances) -> None:
        self._tree = tree
        self._at = circumstances

    @cached_property
    def _path_file(self) -> Resolution:
        """Its `etc` is beside the directory of the interpreter, as the program names that."""
        interpreter = self._at.interpreter
        named = interpreter.resolution.requested if interpreter.resolution else ""
        prefix = "/".join(named.split("/")[:-2]) if named.startswith("/") else ""
        return self._tree.resolve(f"{prefix}/etc/{interpreter.path_file}")

    @cached_property
    def _system_path(self) -> tuple[tuple[str, ...], str]:
        """The directories, and in words where they are from."""
        entry = self._path_file.entry
        if entry is None:
            return self._at.interpreter.directories, "default path"
        text = ""
        if entry.kind is Kind.FILE:
            text = decoded(self._tree.read(entry, _LARGEST_PATH_FILE)).partition("\0")[0]
        return tuple(_elements(text)), self._path_file.requested

    @property
    def consulted(self) -> tuple[Resolution, ...]:
        return (self._path_file,) if self._path_file.entry is not None else ()

    def preloads(self, program: Requester) -> Iterator[tuple[Request, Requester]]:
        # Nobody asks for them, so nobody's rpath is searched.
        nobody = replace(program, elf=replace(program.elf, rpath=None, runpath=None))
        names = re.split(r"[\s:]", self._at.variable("LD_PRELOAD"), flags=re.ASCII)
        for name in names[:MOST_ELEMENTS]:
            if name:
                yield Request(name, "LD_PRELOAD", is_optional=True), nobody

    def auditors(self, program: Requester) -> Iterator[tuple[Request, Requester]]:  # noqa: ARG002
        yield from ()

    checks_versions = False

    def is_known(self, name: str, known: AbstractSet[str]) -> bool:
        interpreter = self._at.interpreter.resolution
        if interpreter is not None and (_OWN.match(name) or name == interpreter.requested):
            return True
        return name in known

    def names(self, name: str, path: str, elf: ElfFile) -> tuple[str, ...]:  # noqa: ARG002
        return () if "/" in name else (name,)

    def requests(self, elf: ElfFile) -> Iterator[Request]:
        for name in elf.needed:
            yield Request(name, "DT_NEEDED")

    def opener(self, caller: Requester) -> Requester:
        return caller.program or caller

    def places(self, request: Request, requester: Requester) -> Iterator[Place]:
        name = request.name
        if not name:
            return
        if "/" in name:
            path = joined(self._at.directory, name)
            yield Place(path.rpartition("/")[0] or "/", "as a path", (Candidate(path),))
            return
        for where, how in self._directories(requester):
            directory = joined(self._at.directory, where).rstrip("/")
            yield Place(directory or "/", how, (Candidate(f"{directory}/{name}"),))

    def _directories(self, requester: Requester) -> Iterator[tuple[str, str]]:
        for where in _elements(self._at.variable("LD_LIBRARY_PATH")):
            yield where, f"LD_LIBRARY_PATH {where}"
        for holder in requester.chain:
            of = "" if holder is requester else f" of {holder.entry.path}"
            what = "RPATH" if holder.elf.runpath is None else "RUNPATH"
            for where in _elements(self._rpath(holder)):
                yield where, f"{what} {where}{of}"
        where_from = self._system_path
        for where in where_from[0]:
            yield where, where_from[1]

    def _rpath(self, holder: Requester) -> str:
        """The directories an object names; nothing if there is a `$` that is no $ORIGIN."""
        named = holder.elf.rpath if holder.elf.runpath is None else holder.elf.runpath
        if named is None:
            return ""
        if "$" not in named:
            return named
        if "$" in _TOKEN.sub("", named) or (self._at.is_secure and holder.is_program):
            return ""
        return _TOKEN.sub(lambda _: holder.origin, named)

    def judgement(self, elf: ElfFile | None, requester: Requester) -> Judgement:
        if elf is None:
            return Judgement(Verdict.STOP, "is no ELF file")
        if elf.bits != requester.elf.bits or not elf.can_be_loaded:
            return Judgement(Verdict.STOP, f"is a {elf.bits}-bit {elf.kind.value}")
        return TAKEN  # whatever machine it is for


def _elements(text: str) -> list[str]:
    """The directories in a list; empty elements mean nothing."""
    return [part for part in re.split("[:\n]", text)[:MOST_ELEMENTS] if part]
