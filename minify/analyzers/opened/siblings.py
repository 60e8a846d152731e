"""Programs that a program starts by a name that it puts together: `$bindir` and `/gpg-agent`.

The directory is a text of its own, or where the program itself was found, so that no whole path is
in the file; what was compiled in of the other's name begins with a slash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from minify.analyzers.opened.texts import matches
from minify.closure import Context, Finding, Likelihood, Need, Reason
from minify.closure.commandline import called, inner_command
from minify.elf.elffile import ElfFile
from minify.filetree import Entry
from minify.filetree.path import child, parent

RULE = "strings.sibling"

_STARTS = frozenset(
    "execl execle execlp execv execve execvp execvpe posix_spawn posix_spawnp".split()
)
# They look a bare name up in PATH.
_LOOK_UP = frozenset("execlp execvp execvpe posix_spawnp".split())
_NAME = re.compile(rb"\0/[\w+./-]{1,200}+(?=\0)")
_BARE = re.compile(rb"\0[A-Za-z][\w+.-]{2,60}+(?=\0)")
_MOST = 100


def analyze(entry: Entry, elf: ElfFile, context: Context) -> Iterator[Finding]:
    """The programs beside an application's own one that it names and may start."""
    if not elf.is_program or not elf.imports & _STARTS:
        return
    after_slash, bare = matches(entry, context, _NAME, _BARE)
    paths = (path for path in after_slash if context.tree.resolve(path).entry is None)
    names = dict.fromkeys((path.rpartition("/")[2] for path in paths), Likelihood.LIKELY)
    for name in bare:
        names.setdefault(name, Likelihood.GUESSED)
    found = 0
    # groff starts `troff` and `pic`, which are made with it, by their bare names.
    is_head = inner_command(called(entry.path), ()) is not None  # it starts what it is given
    looks_up = not is_head and not elf.imports.isdisjoint(_LOOK_UP)
    for name, likelihood in names.items():
        path = child(parent(entry.path), name)
        if _is_sibling(path, entry, context):
            found += 1
            if found > _MOST:
                return
            reason = Reason(RULE, entry.path, f"contains {name}, and starts programs")
            is_likely = looks_up and _is_of_same_sources(path, entry, context)
            yield Need(path, reason, likelihood=Likelihood.LIKELY if is_likely else likelihood)


def _is_of_same_sources(path: str, entry: Entry, context: Context) -> bool:
    found = context.tree.file(path)
    mine = context.packages.siblings(context.packages.owners(entry.path))
    return found is not None and not mine.isdisjoint(context.packages.owners(found.path))


def _is_sibling(path: str, entry: Entry, context: Context) -> bool:
    """Whether a program is there of the same upstream, or of a package that it depends on."""
    found = context.tree.file(path)
    if found is None or found.path == entry.path or not found.is_executable:
        return False
    mine = context.packages.owners(entry.path)
    near = set(context.packages.siblings(mine))
    near |= {other for name in near for other in context.packages[name].depends}
    return not near.isdisjoint(context.packages.owners(found.path))
