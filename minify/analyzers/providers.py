"""What satisfies a need of a plug-in before the plug-in is loaded.

ld.so looks for nothing that goes by the SONAME of an object which the process has already. So a
plug-in may need what its own search does not find: the program needs it too, and has it by its
RPATH; or it has opened it by its path, as a launcher does with the library of its virtual machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from minify.analyzers.opened.texts import contained
from minify.closure import Context, places
from minify.elf.elffile import ElfError, ElfFile
from minify.elf.linkmap import Missing
from minify.filetree import Entry, ImagePath, Kind
from minify.filetree.path import ancestors, basename, encoded

_OPENS = frozenset("dlopen dlmopen lt_dlopen lt_dlopenext g_module_open uv_dlopen".split())
_MOST_FILES = 50_000
"""In one application's directory; no software development kit has as many."""
_MOST_OPENERS = 500


@dataclass(frozen=True, slots=True)
class Provider:
    """An object that is there when a plug-in asks for it."""

    path: ImagePath
    by: ImagePath
    """What opens it."""


def is_loaded(missing: Missing, context: Context) -> bool:
    """Whether a program of the image loads something under the missing name for itself."""
    plugin = context.elf(context.tree[missing.by])
    programs = (context.tree[path] for path in context.programs)
    processes = (context.link_map(program) for program in programs if context.is_elf(program))
    return plugin is not None and any(
        missing.name in (loaded.name, loaded.elf.soname) and loaded.elf.is_alike(plugin)
        for process in processes
        for loaded in process.objects
    )


def opened_before(missing: Missing, context: Context) -> Provider | None:
    """What goes by the missing name and is opened by its path, in the application that both are of.

    None if the object at `missing.by` is in no application's directory, or nothing is.
    """
    plugin = context.elf(context.tree[missing.by])
    home = next((d for d in _above(missing.by) if not places.is_shared(d, context.tree)), None)
    if plugin is None or home is None or "/" in missing.name:
        return None
    key = ("opened by its path", missing.name, home)
    for found in context.remembered(key, lambda: tuple(_opened(missing.name, home, context))):
        elf = _elf(context.tree[found.path], context)
        if elf is not None and elf.is_alike(plugin):
            return found
    return None


def _above(path: ImagePath) -> tuple[ImagePath, ...]:
    """The directories that `path` is in, the outermost first."""
    return tuple(sorted(ancestors(path), key=len))


def _opened(name: str, home: ImagePath, context: Context) -> Iterator[Provider]:
    files = [
        entry
        for entry in islice(context.tree.below(home), _MOST_FILES)
        if entry.kind is Kind.FILE and (entry.is_executable or ".so" in basename(entry.path))
    ]
    named = [entry for entry in files if basename(entry.path).startswith(name)]
    found = [entry for entry in named if _goes_by(name, entry, context)]
    opener = next(_openers(name, files, context), None) if found else None
    if opener is not None:
        yield from (Provider(entry.path, opener) for entry in found)


def _goes_by(name: str, entry: Entry, context: Context) -> bool:
    elf = _elf(entry, context)
    return elf is not None and elf.soname == name


def _openers(name: str, files: list[Entry], context: Context) -> Iterator[ImagePath]:
    """Which of `files` open what they have the path of, the name at its end."""
    wanted = (encoded(f"/{name}\0"),)
    asked = 0
    for entry in files:
        elf = _elf(entry, context)
        if elf is not None and elf.imports & _OPENS:
            asked += 1
            if asked > _MOST_OPENERS:
                return
            if contained(entry, context, wanted):
                yield entry.path


def _elf(entry: Entry, context: Context) -> ElfFile | None:
    try:
        return context.elf(entry)
    except ElfError:
        return None
