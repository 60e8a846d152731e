"""What the names of files and of variables say about languages."""

from __future__ import annotations

import re

from minify.analyzers.opened.texts import matches
from minify.closure import Context
from minify.elf.elffile import ElfError
from minify.filetree import Entry
from minify.filetree.path import basename

# Configuration, data, documents, and what compilers and linkers leave: no interpreter's scripts.
_DATA = frozenset(
    """
    a bak bin bz2 c cc cert cfg cnf conf config cpp crt css csv dat db default der desktop
    dist dtd eps example gif gz h hpp htm html ico in ini jpeg jpg js.map json jsonl key la list
    lock log map md mo o out pc pdf pem pid png po pot properties ps1xml rng rst rules service so
    sock sql sqlite svg tar template tex text theme tmpl toml tsv ttf txt types url woff xml xsd
    xsl xslt xz yaml yml zip zst
    """.split()
)
_SECTION = re.compile(r"\d\w{0,3}")
_VERSION = re.compile(r"[-_.]?\d[\d.+~-]*$")
_SHORTEST = 3
_VARIABLE = re.compile(rb"\0[A-Z][A-Z0-9_]{3,40}+(?=\0)")
_PLACE = re.compile(
    r"(.{3,}?)_?(?:[A-Z]+_)?(?:PATH|HOME|LIB|LIBDIR|DIR|HOME_DIR|LIBRARY|REPOSITORY)"
)
_MOST_LIBRARIES = 50


def suffix_of(path: str) -> str:
    """The last suffix of a file's name in small letters, without its dot."""
    name, dot, suffix = path.rpartition("/")[2].rpartition(".")
    return suffix.lower() if dot and name else ""


def is_data(suffix: str) -> bool:
    """Whether a suffix is one of data, or none: then it says nothing about a language."""
    return not suffix or suffix in _DATA or _SECTION.fullmatch(suffix) is not None


def stem(name: str) -> str:
    """A name without its version, in small letters: `guile` of guile-3.0."""
    return _VERSION.sub("", name[:256]).lower()


def is_alike(name: str, other: str) -> bool:
    """Whether two names are the same but for versions, or one is in the other: gawk and awk."""
    one, two = stem(name), stem(other)
    if one == two:
        return bool(one)
    short, long = sorted((one, two), key=len)
    return len(short) >= _SHORTEST and (long.startswith(short) or long.endswith(short))


def has_search_path(program: Entry, context: Context) -> bool:
    """Whether a program reads a variable that says where its library is: GUILE_LOAD_PATH.

    Its own libraries, those that are called as it is, are looked at too.
    """
    name = basename(program.path)
    return any(
        _names_place(entry, name, context) for entry in (program, *own_libraries(program, context))
    )


def own_libraries(program: Entry, context: Context) -> tuple[Entry, ...]:
    """The libraries that a program is linked to and that are called as it is."""
    try:
        loaded = context.link_map(program).objects
    except ElfError:
        return ()
    name = basename(program.path)
    own = (item for item in loaded if is_alike(_plain(item.name), name))
    entries = (context.tree.file(item.path) for item in own)
    return tuple(entry for entry in entries if entry is not None)[:_MOST_LIBRARIES]


def _plain(soname: str) -> str:
    return soname.partition(".so")[0].removeprefix("lib")


def _names_place(entry: Entry, name: str, context: Context) -> bool:
    (variables,) = matches(entry, context, _VARIABLE)
    for variable in variables:
        found = _PLACE.fullmatch(variable)
        if found and (is_alike(found[1], name) or stem(name).startswith(found[1].lower())):
            return True
    return False
