"""The modules of the C library's charsets that somebody names.

https://sourceware.org/glibc/manual/latest/html_node/glibc-iconv-Implementation.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from minify.analyzers.opened.directories import library_directories
from minify.analyzers.opened.texts import lines_of, matches
from minify.closure import Context
from minify.closure.patterns import glob
from minify.filetree import Entry

# Each ends where C's strings end, or `//TRANSLIT` begins.
_NAME = re.compile(rb"\0[A-Za-z][\w:.()+-]{2,40}+(?=[\0/])")
_MOST_FOLLOWED = 8
_MODULE_WORDS = 4
_ALIAS_WORDS = 3


def named(entry: Entry, context: Context) -> Iterator[str]:
    """The modules of the charsets whose names are texts of the file, and of their aliases."""
    (found,) = matches(entry, context, _NAME)
    yield from _modules(found, entry, context)


def of_locale(entry: Entry, context: Context) -> Iterator[str]:
    """The modules of the charsets of the locales that ENV names."""
    values = (v for k, v in context.config.env.items() if k == "LANG" or k.startswith("LC_"))
    charsets = [value.partition(".")[2].partition("@")[0] for value in values]
    yield from _modules(filter(None, charsets), entry, context)


def _modules(charsets: Iterable[str], entry: Entry, context: Context) -> Iterator[str]:
    known = _known(entry, context)
    for charset in sorted({charset.upper() for charset in charsets}):
        name = charset
        for _ in range(_MOST_FOLLOWED):
            if name not in known:
                break
            name = known[name]
        if name.startswith("@/"):
            yield name


def _known(entry: Entry, context: Context) -> Mapping[str, str]:
    """For each charset its module's pattern, or the charset that it is another name of."""
    places = (f"{directory}/gconv" for directory in library_directories(entry, context))
    gconv = next((place for place in places if context.tree.directory(place)), None)
    if gconv is None:
        return {}
    return context.remembered(("charsets", gconv), lambda: _read(gconv, context))


def _read(gconv: str, context: Context) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for path in glob(context.tree, f"{gconv}/*.so"):
        name = path.rpartition("/")[2]
        found[name.removesuffix(".so").upper()] = f"@/gconv/{name}"
    for pattern in (f"{gconv}/gconv-modules", f"{gconv}/gconv-modules.d/*.conf"):
        for path in glob(context.tree, pattern):
            for line in lines_of(path, context):
                words = line.split()
                charsets = [word.removesuffix("//").upper() for word in words[1:3]]
                if words[0] == "alias" and len(words) == _ALIAS_WORDS:
                    found.setdefault(charsets[0], charsets[1])
                elif words[0] == "module" and len(words) >= _MODULE_WORDS:
                    module = f"@/gconv/{words[3].removesuffix('.so')}.so"
                    for charset in charsets:
                        if charset != "INTERNAL":
                            found[charset] = module
    return found
