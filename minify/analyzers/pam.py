"""What libpam loads (rule 17): the services' files, what they include, and their modules.

https://man7.org/linux/man-pages/man5/pam.conf.5.html
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from minify.closure import Context, Finding, Grade, Need, Reason
from minify.closure.commandline import called
from minify.closure.patterns import glob
from minify.elf.elffile import ElfError
from minify.filetree import Entry
from minify.filetree.path import decoded

_LIBRARY = "libpam.so"
_SERVICES = "/etc/pam.d/"
_MODULES = ("/usr/lib/*/security", "/usr/lib64/security", "/usr/lib/security", "/lib/security")
_MOST_LINES = 1000
_LARGEST_TEXT = 1 << 16
# Files of the modules that every distribution configures, and the helper that checks a password
# for whoever is not root.
_BESIDE = (
    "/etc/environment",
    "/etc/login.defs",
    "/etc/security",
    "/usr/sbin/unix_chkpwd",
    "/sbin/unix_chkpwd",
)


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:  # noqa: ARG001
    if entry.path.startswith(_SERVICES):
        yield from _service(entry, context)
    elif entry.path in context.programs:
        yield from _program(entry, context)


def _program(entry: Entry, context: Context) -> Iterator[Finding]:
    """The services that a program which is linked with libpam asks for."""
    try:
        elf = context.elf(entry)
    except ElfError:
        return  # said by elf_needed
    objects = context.link_map(entry).objects if elf is not None and elf.needed else ()
    library = next((it for it in objects if called(it.path).startswith(_LIBRARY)), None)
    if library is None:
        return
    reason = Reason("pam", entry.path, f"asks PAM, with {called(library.path)}")
    yield from (Need(path, reason, whole_tree=True) for path in context.existing(_BESIDE))
    # Beside the one that goes by the program's name, packages have some for one of its options.
    own = (f"{_SERVICES}{name}" for name in _names(entry, context))
    yield from (Need(path, reason) for path in context.existing(own))


def _service(entry: Entry, context: Context) -> Iterator[Finding]:
    """What a service's file includes, and its modules, whoever asks: sudo's plug-in does."""
    for words in islice(_lines(entry, context), _MOST_LINES):
        for name in _included(words):
            reason = Reason("pam", entry.path, f"includes {name}")
            yield from (Need(path, reason) for path in context.existing((f"{_SERVICES}{name}",)))
        for name in (word for word in words[1:] if word.endswith(".so")):
            reason = Reason("pam", entry.path, f"names the module {name}")
            patterns = (name,) if name.startswith("/") else (f"{it}/{name}" for it in _MODULES)
            found = (path for pattern in patterns for path in glob(context.tree, pattern))
            yield from (Need(path, reason) for path in context.existing(found))


def _names(entry: Entry, context: Context) -> Iterator[str]:
    """The services that a program asks for: its own name, those of its package, the default."""
    yield from (called(entry.path), "other")
    directory = context.tree.directory("/etc/pam.d")
    own = context.packages.owners(entry.path)
    for name in context.tree.children(directory.path) if directory else ():
        file = context.tree.file(f"/etc/pam.d/{name}")
        if file is not None and context.packages.owners(file.path) & own:
            yield name


def _lines(entry: Entry, context: Context) -> Iterator[list[str]]:
    """The words of each line that says something; an action in brackets may have blanks."""
    text = decoded(context.tree.read(entry, _LARGEST_TEXT))
    for line in text.replace("\\\n", " ").split("\n"):
        words = line.partition("#")[0].replace("[", " [").split()
        if words:
            yield words


def _included(words: list[str]) -> Iterator[str]:
    if words[0] == "@include" and len(words) > 1:
        yield words[1]
    if words[1:2] in (["include"], ["substack"]) and len(words) > 2:
        yield words[2]
