"""Which of a service's modules are enabled: those that its configuration or a script names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice

from minify.analyzers.services.reading import Configuration
from minify.analyzers.services.table import Modules
from minify.closure import ByName, Context, Finding, Need, Reason
from minify.closure.patterns import glob
from minify.filetree import Entry, ImagePath, Kind
from minify.filetree.path import basename, decoded

ENABLED, AVAILABLE = "service.module", "service.available"
"""The rules of modules that are named, and of those that are not."""

_COMMENT = re.compile(r"(?:^|(?<=[ \t]))[#;].*$", re.MULTILINE)
_WORD = re.compile(r"[\w.+-]++")
_STEM = re.compile(r"(.+?)(?:-\d++(?:\.\d++)*+)?\.(?:so|la)(?:\.\d++)*+")
_MOST_MODULES = 2000
_LARGEST_SCRIPT = 1 << 20
# `a2enmod rewrite`, `lighttpd-enable-mod fastcgi`: without what their files' names begin with.
_ENABLES = ("a2enmod", "lighty-enable-mod", "lighttpd-enable-mod")
_BEGINNING = "mod_"


def find(configuration: Configuration, context: Context) -> Iterator[Finding]:
    """The modules of a service: those that are enabled, and the others as what is only a guess."""
    for module in _modules(configuration, context):
        if module.reason.rule == ENABLED:
            yield Need(module.path, module.reason)
        else:
            yield ByName(module.entry.path, module.reason)


def enabled(configuration: Configuration, context: Context) -> Iterator[ImagePath]:
    """Where the enabled modules of a service are."""
    for module in _modules(configuration, context):
        if module.reason.rule == ENABLED:
            yield module.entry.path


@dataclass(frozen=True, slots=True)
class _Module:
    """A module's file, or a link to one; `reason` says by its rule whether it is enabled."""

    path: str
    entry: Entry
    reason: Reason


def _modules(configuration: Configuration, context: Context) -> Iterator[_Module]:
    """The modules of a service; none where it has no configuration that could name one."""
    modules = configuration.service.modules
    if modules is None or not configuration.files:
        return
    words = {
        word: str(file.entry.path)
        for file in reversed(configuration.files)
        for word in _words(_COMMENT.sub("", file.text))
    }
    ordered = _words_of_the_start(configuration, context)
    for path, entry in _files(modules, context):
        reason = _reason(basename(entry.path), configuration.program.path, modules, words, ordered)
        yield _Module(path, entry, reason)


def _reason(
    name: str, program: str, modules: Modules, words: Mapping[str, str], ordered: frozenset[str]
) -> Reason:
    """Why a module is enabled, or that it is not."""
    by = next((words[n] for n in _names(name, modules) if n in words), "")
    if by:
        return Reason(ENABLED, by, f"names the module {name}")
    if not ordered.isdisjoint(_names(name, modules, is_short=True)):
        return Reason(ENABLED, program, f"is started with the module {name}")
    if any(fnmatchcase(_stem(name), pattern) for pattern in modules.always.split()):
        return Reason(ENABLED, program, f"loads the module {name} by itself")
    return Reason(AVAILABLE, program, f"a module that its configuration does not name: {name}")


def _files(modules: Modules, context: Context) -> Iterator[tuple[str, Entry]]:
    """The modules' files, links to them included; each with the path it was found by."""
    paths = (path for pattern in modules.files.split() for path in glob(context.tree, pattern))
    for path in islice(paths, _MOST_MODULES):
        entry = context.tree.resolve(path, follow_last=False).entry
        is_file = entry is not None and entry.kind in (Kind.FILE, Kind.SYMLINK)
        if entry is not None and is_file and _STEM.fullmatch(basename(entry.path)):
            yield path, entry


def _words(text: str) -> Iterator[str]:
    return (match[0] for match in _WORD.finditer(text))


def _stem(name: str) -> str:
    match = _STEM.fullmatch(name)
    return match[1] if match else name


def _names(name: str, modules: Modules, *, is_short: bool = False) -> tuple[str, ...]:
    """What configuration may call a module's file."""
    stem = _stem(name)
    short = stem.removeprefix(modules.prefix).removesuffix(modules.suffix)
    more = (stem.removeprefix(_BEGINNING),) if is_short else ()
    return (name, stem, short, f"{stem}.c", f"{stem}.la", f"{stem}.so", *more)


def _words_of_the_start(configuration: Configuration, context: Context) -> frozenset[str]:
    """The words of the command line, of ENV, and of scripts that enable modules as they start."""
    words = {w for a in configuration.program.arguments for w in _words(a)}
    words.update(w for value in context.config.env.values() for w in _words(value))
    for path in (*context.programs, *context.scripts):
        entry = context.tree.get(path)
        if entry is None or entry.size > _LARGEST_SCRIPT or context.is_elf(entry):
            continue
        found = set(_words(_COMMENT.sub("", decoded(context.tree.read(entry)))))
        if not found.isdisjoint(_ENABLES):
            words |= found
    return frozenset(words)
