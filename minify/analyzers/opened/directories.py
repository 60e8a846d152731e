"""Where an image has its libraries."""

from __future__ import annotations

from minify.closure import Context
from minify.elf.elffile import ElfError
from minify.filetree import Entry
from minify.filetree.path import parent


def library_directories(entry: Entry, context: Context) -> tuple[str, ...]:
    """The directories beside which `entry` finds what belongs to its libraries, best first.

    Its own, if it is a library; that of the C library that it runs with; then the usual ones.
    """
    is_program = entry.is_executable and _is_program(entry, context)
    own = [] if is_program else [str(parent(entry.path))]
    own += _of_c_library(entry, context)
    merged = [_other(directory) for directory in own]
    return tuple(dict.fromkeys((*own, *merged, *usual_directories(context))))


def usual_directories(context: Context) -> tuple[str, ...]:
    """The library directories that the image has, multiarch ones first."""
    return context.remembered("library directories", lambda: _usual_directories(context))


def _usual_directories(context: Context) -> tuple[str, ...]:
    usr_lib = context.tree.directory("/usr/lib")
    names = context.tree.children(usr_lib.path) if usr_lib else ()
    multiarch = [f"/lib/{name}" for name in names if "-linux-" in name]
    in_usr = (f"/usr{directory}" for directory in multiarch)
    return (*in_usr, *multiarch, "/usr/lib64", "/lib64", "/usr/lib", "/lib", "/usr/local/lib")


def _is_program(entry: Entry, context: Context) -> bool:
    elf = context.elf(entry)
    return elf is not None and elf.is_program


def _of_c_library(entry: Entry, context: Context) -> list[str]:
    try:
        loaded = context.link_map(entry).objects
    except ElfError:
        return []
    libc = (item for item in loaded if item.name.startswith(("libc.so.", "libc.musl-")))
    return [parent(item.real_path) for item in libc]


def _other(directory: str) -> str:
    """The same below /usr, or without it: not all trees are merged."""
    return directory.removeprefix("/usr") if directory.startswith("/usr/") else f"/usr{directory}"
