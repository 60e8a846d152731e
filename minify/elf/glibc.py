"""glibc's rules: where it looks for a name, and which files it takes.

For a name without a slash, in this order, each tried until a file is there:

    1. DT_RPATH of the requester, then of its loaders up to the program; an object that has a
       DT_RUNPATH has no DT_RPATH, and a requester that has one does not look at any
    2. LD_LIBRARY_PATH, unless the program is setuid and the like
    3. DT_RUNPATH of the requester alone
    4. ld.so.cache
    5. the directories that are compiled into the interpreter

Steps 4 and 5 leave these directories out for an object that is linked with `-z nodefaultlib`. In
every directory the subdirectories for better processors come first.

https://man7.org/linux/man-pages/man8/ld.so.8.html, and elf/dl-load.c where that is silent
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import cached_property

from minify.elf.elffile import DF_1_NODEFLIB, DF_1_PIE, ElfFile, ElfKind
from minify.elf.ldconfig import Cache, CacheEntry, read_cache
from minify.elf.machine import machine_of
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

_TOKEN = re.compile(
    r"\$(?:(ORIGIN|LIB|PLATFORM)(?![A-Za-z0-9_])|\{(ORIGIN|LIB|PLATFORM)\})", re.ASCII
)
# System V, GNU, and two that ARM's tools have written.
_OS_ABIS = {0, 3, 64, 97}
_LARGEST_PRELOAD = 1 << 16


class GlibcSearch:
    """glibc's ld.so in one process."""

    def __init__(self, tree: FileTree, circumstances: Circumstances, soname: str | None) -> None:
        """`soname` is the interpreter's own."""
        self._tree = tree
        self._at = circumstances
        resolution = circumstances.interpreter.resolution
        self._own_names = {soname, resolution.requested if resolution else None}
        self._levels: dict[str, tuple[str, ...]] = {}

    @cached_property
    def _cache(self) -> tuple[Resolution, Cache | None]:
        resolution = self._tree.resolve(self._at.interpreter.cache)
        entry = resolution.entry
        is_file = entry is not None and entry.kind is Kind.FILE
        return resolution, read_cache(self._tree, entry) if entry and is_file else None

    @property
    def consulted(self) -> tuple[Resolution, ...]:
        preload = self._tree.resolve(self._at.interpreter.preload)
        return tuple(found for found in (self._cache[0], preload) if found.entry is not None)

    def preloads(self, program: Requester) -> Iterator[tuple[Request, Requester]]:
        file = self._at.interpreter.preload
        for name in self._trusted("[ :]", self._at.env.get("LD_PRELOAD", "")):
            yield self._request(name, "LD_PRELOAD"), program
        entry = self._tree.file(file)
        if entry is not None:
            text = re.sub("#[^\n]*", "", decoded(self._tree.read(entry, _LARGEST_PRELOAD)))
            for name in _split("[ \t\n:]", text):
                yield self._request(name, file), program

    def auditors(self, program: Requester) -> Iterator[tuple[Request, Requester]]:
        # ld.so searches both of the program's lists for all of an auditor's needs.
        rpath = program.elf.rpath if program.elf.runpath is None else program.elf.runpath
        program = replace(program, elf=replace(program.elf, rpath=rpath, runpath=None))
        lists = [("LD_AUDIT", self._at.env.get("LD_AUDIT", ""))]
        lists += [("DT_AUDIT", names) for names in program.elf.audits]
        for tag, names in lists:
            for name in self._trusted(":", names):
                yield self._request(name, tag), program

    def _trusted(self, separator: str, names: str) -> tuple[str, ...]:
        """The names in a list; a setuid program takes no paths."""
        return tuple(
            name for name in _split(separator, names) if not (self._at.is_secure and "/" in name)
        )

    def _request(self, name: str, tag: str) -> Request:
        return Request(name, tag, is_optional=True, needs_setuid=self._at.is_secure)

    checks_versions = True

    def is_known(self, name: str, known: AbstractSet[str]) -> bool:
        return not name or name in known or name in self._own_names

    def names(self, name: str, path: str, elf: ElfFile) -> tuple[str, ...]:
        return tuple({name, path, elf.soname or name})

    def requests(self, elf: ElfFile) -> Iterator[Request]:
        for name in elf.needed:
            yield Request(name, "DT_NEEDED")
        for name in elf.filters:
            yield Request(name, "DT_FILTER")
        for name in elf.auxiliaries:
            yield Request(name, "DT_AUXILIARY", is_optional=True)

    def opener(self, caller: Requester) -> Requester:
        return caller

    def places(self, request: Request, requester: Requester) -> Iterator[Place]:
        name = request.name
        if "/" in name:
            paths = [
                Candidate(joined(self._at.directory, path), level)
                for path, level in self._expanded(name, requester)
            ]
            for candidate in paths:
                yield Place(candidate.path.rpartition("/")[0] or "/", "as a path", (candidate,))
            return
        for where, how, level in self._directories(requester):
            yield Place(where, how, self._candidates(where, name, level))
        has_defaults = not requester.elf.flags_1 & DF_1_NODEFLIB
        if not request.needs_setuid:
            yield self._cached(name, has_defaults=has_defaults)
        if has_defaults:
            for where in self._at.interpreter.directories:
                yield Place(where, "default path", self._candidates(where, name, ""))

    def _directories(self, requester: Requester) -> Iterator[tuple[str, str, str]]:
        """Directory, words and level for each of steps 1 to 3."""
        own = requester.elf
        if own.runpath is None:
            yield from self._rpaths(requester)
        library_path = self._at.variable("LD_LIBRARY_PATH")
        if library_path:
            program = tuple(requester.chain)[-1]
            yield from self._listed(library_path, "[:;]", "LD_LIBRARY_PATH", program)
        if own.runpath:
            yield from self._listed(own.runpath, ":", "RUNPATH", requester)

    def _rpaths(self, requester: Requester) -> Iterator[tuple[str, str, str]]:
        for holder in requester.chain:
            if not holder.elf.rpath or holder.elf.runpath is not None:
                continue
            for where, how, level in self._listed(holder.elf.rpath, ":", "RPATH", holder):
                of = "" if holder is requester else f" of {holder.entry.path}"
                yield where, how + of, level

    def _listed(
        self, text: str, separator: str, what: str, holder: Requester
    ) -> Iterator[tuple[str, str, str]]:
        """The directories in a list; an empty element is the working directory."""
        for element in re.split(separator, text)[:MOST_ELEMENTS]:
            for path, level in self._expanded(element, holder):
                where = joined(self._at.directory, path).rstrip("/")
                yield where or "/", f"{what} {element}", level

    def _expanded(self, text: str, holder: Requester) -> Iterator[tuple[str, str]]:
        """`text` with its tokens replaced: once, or once for each platform, with its level."""
        platforms = self._at.machine.platforms if "PLATFORM" in text else ("",)
        for platform in platforms:
            values = {
                "ORIGIN": holder.origin,
                "LIB": self._at.interpreter.library,
                "PLATFORM": platform,
            }
            path = _TOKEN.sub(lambda found: values[found[1] or found[2]], text)  # noqa: B023
            if "ORIGIN" in text and path != text and not self._is_trusted(path, holder):
                continue
            yield path, f"platform {platform}" if len(platforms) > 1 else ""

    def _is_trusted(self, path: str, holder: Requester) -> bool:
        """A setuid program's $ORIGIN must lead to a default directory."""
        if not self._at.is_secure or not holder.is_program:
            return True
        normal = os.path.normpath(path)
        return any(
            f"{normal}/".startswith(f"{directory}/")
            for directory in self._at.interpreter.directories
        )

    def _candidates(self, directory: str, name: str, level: str) -> tuple[Candidate, ...]:
        base = "" if directory == "/" else directory
        found = [
            Candidate(f"{base}/{inner}/{name}", f"{level}, {inner}" if level else inner)
            for inner in self._levels_in(directory)
        ]
        return (*found, Candidate(f"{base}/{name}", level))

    def _levels_in(self, directory: str) -> tuple[str, ...]:
        """The subdirectories for better processors that `directory` has, the best first."""
        known = self._levels.get(directory)
        if known is None:
            found = dict.fromkeys(self._find_levels(directory))
            known = self._levels[directory] = tuple(found)
        return known

    def _find_levels(self, directory: str) -> Iterator[str]:
        machine = self._at.machine
        if self._tree.directory(f"{directory}/glibc-hwcaps") is not None:
            for level in machine.levels:
                if self._tree.directory(f"{directory}/glibc-hwcaps/{level}") is not None:
                    yield f"glibc-hwcaps/{level}"
        if self._at.interpreter.has_legacy_levels:
            yield from self._legacy(directory, "", ("tls", *machine.legacy))

    def _legacy(self, directory: str, inner: str, names: tuple[str, ...]) -> Iterator[str]:
        """Combinations of the old subdirectories, which nest in this order, deepest first."""
        for index, name in enumerate(names):
            path = f"{inner}/{name}" if inner else name
            if self._tree.directory(f"{directory}/{path}") is not None:
                yield from self._legacy(directory, path, names[index + 1 :])
                yield path

    def _cached(self, name: str, *, has_defaults: bool) -> Place:
        resolution, cache = self._cache
        found = cache.get(name) if cache is not None else ()
        candidates = [
            Candidate(entry.path, entry.level)
            for entry in sorted(found, key=self._rank)
            if self._is_for_us(entry) and (has_defaults or not self._is_in_defaults(entry.path))
        ]
        return Place(resolution.requested, "ld.so.cache", tuple(candidates))

    def _rank(self, entry: CacheEntry) -> int:
        """The best level first, what every processor takes last."""
        levels = [f"glibc-hwcaps/{level}" for level in self._at.machine.levels]
        if entry.level in levels:
            return levels.index(entry.level)
        return len(levels) if entry.level else len(levels) + 1

    def _is_for_us(self, entry: CacheEntry) -> bool:
        flags = self._at.machine.cache_flags
        return entry.path.startswith("/") and (not flags or entry.flags in flags)

    def _is_in_defaults(self, path: str) -> bool:
        return any(path.startswith(f"{where}/") for where in self._at.interpreter.directories)

    def judgement(self, elf: ElfFile | None, requester: Requester) -> Judgement:
        if elf is None:
            return Judgement(Verdict.STOP, "is no ELF file")
        own = requester.elf
        if _is_swapped(elf, own):
            return Judgement(Verdict.STOP, "has the other byte order")
        if not elf.is_alike(own):
            return Judgement(Verdict.SKIP, f"is for {machine_of(elf).name}")
        if elf.os_abi not in _OS_ABIS:
            return Judgement(Verdict.STOP, f"is for another system (OS ABI {elf.os_abi})")
        if not elf.can_be_loaded:
            return Judgement(Verdict.STOP, f"is a {elf.kind.value}")
        if elf.kind is ElfKind.EXECUTABLE or elf.flags_1 & DF_1_PIE:
            return Judgement(Verdict.STOP, "is a program")
        return TAKEN


def _is_swapped(elf: ElfFile, own: ElfFile) -> bool:
    """Whether a file says that it has the other byte order, and does not have it.

    ld.so looks at the machine first, and reads that in its own order.
    """
    machine = int.from_bytes(elf.machine.to_bytes(2, "big"), "little")
    is_other = elf.is_little_endian != own.is_little_endian
    return is_other and (elf.bits, machine) == (own.bits, own.machine)


def _split(separator: str, text: str) -> tuple[str, ...]:
    return tuple(name for name in re.split(separator, text)[:MOST_ELEMENTS] if name)
