"""Directories that programs expect, empty ones too (rule 0).

A directory costs a tar header. The standard ones stay, and those that somebody gave another owner
or mode on purpose, outside the package managers' own.
"""

from __future__ import annotations

from collections.abc import Iterator

from minify.closure import CONFIG, Context, Finding, Need, Reason, Writes, places
from minify.filetree import Entry, Kind
from minify.filetree.path import ancestors

_WHERE = ("/etc/", "/home/", "/opt/", "/run/", "/srv/", "/var/", "/usr/local/")
_ROOT = ("", "0", "root")


def find(context: Context) -> Iterator[Finding]:
    standard = Reason("skeleton.standard", CONFIG, "a standard directory")
    yield from (Need(path, standard) for path in context.existing(places.STANDARD))
    special = Reason("skeleton.special", CONFIG, "a directory with an owner or mode of its own")
    given = Reason("skeleton.given", CONFIG, "an empty directory that was given to a user")
    for entry in context.tree.entries.values():
        if entry.kind is not Kind.DIRECTORY or not entry.path.startswith(_WHERE):
            continue
        is_special = entry.mode != 0o755 or (entry.uid, entry.gid) != (0, 0)
        tools = places.PACKAGE_MANAGERS_STATE
        if is_special and tools.isdisjoint((entry.path, *ancestors(entry.path))):
            yield Need(entry.path, special)
            if _is_to_be_written(entry, context):
                yield Writes(entry.path, given)


def _is_to_be_written(directory: Entry, context: Context) -> bool:
    """Whether an author gave it to a user, and nobody reads it: it is empty. Root needs no such."""
    is_given = directory.uid != 0 and context.config.user.partition(":")[0] not in _ROOT
    if not is_given or context.packages.owners(directory.path):
        return False
    return not any(context.tree.children(directory.path))
