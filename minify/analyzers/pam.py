"""What libpam loads (rule 17): the services' files, what they include, and their modules.

https://man7.org/linux/man-pages/man5/pam.conf.5.html
"""

from __future__ import annotations

from collections.abc import Iterator

from minify.closure import Context, Finding, Grade, Need, Reason
from minify.closure.commandline import called
from minify.elf.elffile import ElfError
from minify.filetree import Entry
from minify.filetree.path import decoded

_LIBRARY = "libpam.so"
_MOST_FILES = 200
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
    if entry.path not in context.programs:
        return
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
    modules = f"{library.path.rpartition('/')[0]}/security"
    # Beside the one that goes by the program's name, packages have some for one of its options.
    own = (f"/etc/pam.d/{name}" for name in _services(entry, context))
    waiting = list(context.existing(own))
    seen: set[str] = set()
    while waiting and len(seen) < _MOST_FILES:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        yield Need(path, reason)
        by = Reason("pam", path, "a module that it names")
        for words in _lines(path, context):
            waiting += context.existing(f"/etc/pam.d/{name}" for name in _included(words))
            named = (word for word in words[1:] if word.endswith(".so"))
            paths = (name if name.startswith("/") else f"{modules}/{name}" for name in named)
            yield from (Need(module, by) for module in context.existing(paths))


def _services(entry: Entry, context: Context) -> Iterator[str]:
    """The services that a program asks for: its own name, those of its package, the default."""
    yield from (called(entry.path), "other")
    directory = context.tree.directory("/etc/pam.d")
    own = context.packages.owners(entry.path)
    for name in context.tree.children(directory.path) if directory else ():
        file = context.tree.file(f"/etc/pam.d/{name}")
        if file is not None and context.packages.owners(file.path) & own:
            yield name


def _lines(path: str, context: Context) -> Iterator[list[str]]:
    """The words of each line that says something; an action in brackets may have blanks."""
    file = context.tree.file(path)
    text = decoded(context.tree.read(file, _LARGEST_TEXT)) if file is not None else ""
    for line in text.replace("\\\n", " ").split("\n"):
        words = line.partition("#")[0].replace("[", " [").split()
        if words:
            yield words


def _included(words: list[str]) -> Iterator[str]:
    if words[0] == "@include" and len(words) > 1:
        yield words[1]
    if words[1:2] in (["include"], ["substack"]) and len(words) > 2:
        yield words[2]
