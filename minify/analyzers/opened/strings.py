"""Names among the texts of ELF files: paths, directories, libraries, commands.

C's strings stand between two NULs, which tells a path from a part of a sentence. A file that exists
by such a name is likely opened. Directories and programs count only if the file is the
application's own: a library's `/usr/lib/ssl` would bring a script of that directory, that perl, and
that its modules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from minify.analyzers.dlopen_notes import processes
from minify.analyzers.opened import siblings, trees, unterminated
from minify.analyzers.opened.texts import matches
from minify.closure import Context, Finding, Grade, Likelihood, Need, Reason, places
from minify.closure.solver import ALONE, NEEDED
from minify.elf.elffile import ElfError, ElfFile
from minify.elf.linkmap import LinkMap
from minify.filetree import Entry, Kind
from minify.filetree.path import ancestors, basename

FILES, DIRECTORIES = "strings.file", "strings.directory"
PROGRAMS, COMMANDS = "strings.program", "strings.command"
LIBRARIES = "strings.library"

_PATH = re.compile(rb"\0/[\x21-\x7e]{3,1024}+(?=\0)")
_LIBRARY = re.compile(rb"\0lib[\w.+-]{1,100}+(?=\0)")
_MODULE = re.compile(rb"\0[\w+-][\w.+-]{0,100}+(?=\0)")
_SONAME = re.compile(r"[\w.+-]+\.so(?:\.\d{1,5}){0,4}")
_COMMAND = re.compile(rb"\0/?[a-z][\w./+-]{0,200}+ -[\x21-\x7e][\x20-\x7e]{0,400}+(?=\0)")

_OPENS = frozenset(
    """
    dlopen dlmopen lt_dlopen lt_dlopenext lt_dlopenadvise g_module_open apr_dso_load uv_dlopen
    SDL_LoadObject
    """.split()
)
_RUNS = frozenset("popen system wordexp".split())
# The C library's own names have rows of their own in the table.
_C_LIBRARY = re.compile(r"(?:libc|ld-linux|ld-musl|ld64|libnss_|libpthread|libresolv)[\w.-]*")
_NEVER = (
    "/dev/",
    "/proc/",
    "/sys/",
    "/tmp/",  # noqa: S108 (the image's)
    "/run/",
    "/root/",
    "/usr/include/",
    "/usr/share/doc/",
    "/usr/share/info/",
    "/usr/share/locale/",
    "/usr/share/man/",
    "/usr/src/",
)
# Whoever needs accounts or passwords has rules of their own.
_NEVER_FILES = frozenset("/etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/mtab".split())
_MOST_DIRECTORIES = 200
_MOST_LIBRARIES = 200
_MOST_COMMANDS = 200


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:  # noqa: ARG001
    """What the names in one ELF file lead to."""
    try:
        elf = context.elf(entry)
    except ElfError:
        return  # said by elf_needed
    if elf is None or not elf.can_be_loaded or _C_LIBRARY.match(basename(entry.path)):
        return
    is_own = context.is_first_party(entry.path)
    opens = bool(elf.imports & _OPENS)
    found, *more = matches(entry, context, _PATH, *((_LIBRARY,) if opens else ()))
    tables = _of_tables(elf)
    paths = tuple(path for path in found if path not in tables)
    yield from _files(paths, entry, context, is_own=is_own)
    if is_own:
        yield from _directories(paths, entry, context)
        yield from unterminated.analyze(entry, context)
        yield from siblings.analyze(entry, elf, context)
    for libraries in more:
        names = _with_modules(libraries, entry, context) if is_own else libraries
        yield from _libraries(names, entry, elf, context)
    if is_own and elf.imports & _RUNS:
        yield from _commands(entry, elf, context)


def _of_tables(elf: ElfFile) -> frozenset[str]:
    """What the loader reads among the texts, whole and by its parts: it is no name to open."""
    paths = (elf.interpreter, elf.soname, elf.rpath, elf.runpath)
    lists = (*elf.needed, *elf.audits, *elf.filters, *elf.auxiliaries, *filter(None, paths))
    return frozenset((*lists, *(part for text in lists for part in text.split(":"))))


def _files(
    paths: Iterable[str], entry: Entry, context: Context, *, is_own: bool
) -> Iterator[Finding]:
    for path in paths:
        found = context.tree.file(path)
        if found is None or not may_be_opened(found):
            continue
        if found.is_executable and not _is_library(found, context):
            reason = Reason(PROGRAMS, entry.path, f"contains {path}")
            likelihood = Likelihood.LIKELY if is_own else Likelihood.GUESSED
            yield Need(path, reason, likelihood=likelihood)
        else:
            yield Need(
                path,
                Reason(FILES, entry.path, f"contains {path}"),
                likelihood=Likelihood.LIKELY,
            )


def may_be_opened(found: Entry) -> bool:
    """Whether a path may be one that a program opens by itself: no documentation, no device."""
    return not found.path.startswith(_NEVER) and found.path not in _NEVER_FILES


def _is_library(found: Entry, context: Context) -> bool:
    try:
        elf = context.elf(found)
    except ElfError:
        return False
    return elf is not None and not elf.is_program


def _directories(paths: Iterable[str], entry: Entry, context: Context) -> Iterator[Finding]:
    written = dict.fromkeys(part for path in paths for part in path.split(":"))
    found = 0
    for path in written:
        directory = context.tree.directory(path) if path.startswith("/") else None
        if directory is None or not _is_some_ones(directory, context):
            continue
        found += 1
        if found > _MOST_DIRECTORIES:
            return
        kind = "a directory of modules" if trees.has_modules(directory, context) else "a directory"
        reason = Reason(DIRECTORIES, entry.path, f"contains {path}, {kind}")
        is_own = trees.is_own(directory, context)
        likelihood = Likelihood.LIKELY if is_own else Likelihood.GUESSED
        yield from trees.needs(path, directory, reason, likelihood, context)


def _is_some_ones(directory: Entry, context: Context) -> bool:
    """Whether a directory belongs to an application, be it another's."""
    path = f"{directory.path}/"
    tools = places.PACKAGE_MANAGERS_STATE
    if path.startswith(_NEVER) or not tools.isdisjoint(
        (directory.path, *ancestors(directory.path))
    ):
        return False
    return path.count("/") > 2 and not places.is_shared(directory.path, context.tree)


def _with_modules(libraries: Iterable[str], entry: Entry, context: Context) -> tuple[str, ...]:
    """The names of libraries, and those of modules that are not called `lib…`."""
    (modules,) = matches(entry, context, _MODULE)
    return tuple(dict.fromkeys((*libraries, *modules)))


def _libraries(
    names: Iterable[str], entry: Entry, elf: ElfFile, context: Context
) -> Iterator[Finding]:
    known = {*elf.needed, elf.soname}
    wanted = (name for name in names if name not in known and _SONAME.fullmatch(name))
    running = tuple(processes(entry, context)) or (None,)
    is_own = context.is_first_party(entry.path)
    for name in islice(wanted, _MOST_LIBRARIES):
        for process in running:
            links = context.loader.load_name(name, entry, needed_in=process)
            # Without objects the process has it already.
            if links.objects and not links.missing and not links.unmet:
                rule = ALONE if process is None else NEEDED
                is_likely = is_own or _depends_on(links, entry, context)
                likelihood = Likelihood.LIKELY if is_likely else Likelihood.GUESSED
                yield from _loaded(name, links, entry, rule, likelihood)


def _depends_on(links: LinkMap, entry: Entry, context: Context) -> bool:
    """Whether the file's package says that it depends on that of the library it opens."""
    wanted = context.packages.owners(links.objects[0].real_path)
    mine = context.packages.owners(entry.path)
    return any(not wanted.isdisjoint(context.packages[name].depends) for name in mine)


def _loaded(
    name: str, links: LinkMap, entry: Entry, rule: str, likelihood: Likelihood
) -> Iterator[Finding]:
    for number, loaded in enumerate(links.objects):
        if not number:
            reason = Reason(LIBRARIES, entry.path, f"contains {name}, and opens libraries")
        elif likelihood is Likelihood.GUESSED:
            reason = Reason(LIBRARIES, loaded.by, loaded.how)
        else:
            reason = Reason(rule, loaded.by, loaded.how)
        yield Need(loaded.path, reason, likelihood=likelihood)


def _commands(entry: Entry, elf: ElfFile, context: Context) -> Iterator[Finding]:
    (texts,) = matches(entry, context, _COMMAND)
    calls = ", ".join(sorted(elf.imports & _RUNS))
    for text in islice(texts, _MOST_COMMANDS):
        found = context.command(text.partition(" ")[0])
        if found is not None and found.entry.kind is Kind.FILE:
            reason = Reason(COMMANDS, entry.path, f"calls {calls} and contains {text!r}")
            yield Need(found.path, reason, likelihood=Likelihood.LIKELY)
