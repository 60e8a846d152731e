"""Whether what was loaded defines the symbol versions that are needed of it, as glibc asks.

ld.so compares each DT_VERNEED entry of every object with the DT_VERDEF of the object that goes by
the name in it. A weak entry, and an object without DT_VERDEF, only make it warn. An object that is
not loaded makes it abort, whatever was needed of it. musl compares nothing.

https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html,
and elf/dl-version.c where that is silent
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from minify.elf.elffile import ElfFile, VersionNeed
from minify.elf.linkmap import UnmetVersion
from minify.elf.search import Requester
from minify.filetree import ImagePath

Providers = Callable[[str], Sequence[tuple[ImagePath, ElfFile]] | None]
"""The variants of what goes by a name, none if it is missing, None if nobody has asked for it."""

# What follows the family in `GLIBC_2.34`.
_NUMBER = re.compile(r"_(\d{1,9}(?:\.\d{1,9}){0,9})", re.ASCII)


def unmet_versions(asker: Requester, providers: Providers) -> Iterator[UnmetVersion]:
    """The versions that `asker` hard-needs and does not get, in the file's order."""
    unasked: set[str] = set()
    for need in asker.elf.versions_needed:
        found = providers(need.file)
        if found is None:
            # A library by itself may get it from whatever loads it.
            if asker.program is not None and need.file not in unasked:
                unasked.add(need.file)
                yield _unasked(need, asker)
        elif not need.is_weak:
            yield from _undefined(need, asker, found)


def _unasked(need: VersionNeed, asker: Requester) -> UnmetVersion:
    hint = f"no DT_NEEDED names {need.file}, so ld.so aborts; was it removed with patchelf?"
    return UnmetVersion(need, asker.entry.path, None, hint)


def _undefined(
    need: VersionNeed, asker: Requester, found: Sequence[tuple[ImagePath, ElfFile]]
) -> Iterator[UnmetVersion]:
    for path, elf in found:
        defined = elf.versions_defined
        if defined is not None and need.version not in defined:
            yield UnmetVersion(need, asker.entry.path, path, _newest(need, defined))


def _newest(need: VersionNeed, defined: frozenset[str]) -> str:
    """What the file has instead: the highest number of the same family."""
    family = need.version.rpartition("_")[0]
    numbers = [
        (tuple(map(int, like[1].split("."))), version)
        for version in defined
        if version.startswith(family) and (like := _NUMBER.fullmatch(version, len(family)))
    ]
    if family and numbers:
        return f"it defines {max(numbers)[1]} at most"
    return "another build of it was there when the program was linked"
