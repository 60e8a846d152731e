"""Directories that programs expect, empty ones too (rule 0).

A directory costs a tar header. The standard ones stay, and those that somebody gave another owner
or mode on purpose, outside the package managers' own.
"""

from __future__ import annotations

from collections.abc import Iterator

from minify.closure import CONFIG, Context, Finding, Need, Reason, places
from minify.filetree import Kind
from minify.filetree.path import ancestors

_WHERE = ("/etc/", "/home/", "/opt/", "/run/", "/srv/", "/var/", "/usr/local/")


def find(context: Context) -> Iterator[Finding]:
    standard = Reason("skeleton.standard", CONFIG, "a standard directory")
    yield from (Need(path, standard) for path in context.existing(places.STANDARD))
    special = Reason("skeleton.special", CONFIG, "a directory with an owner or mode of its own")
    for entry in context.tree.entries.values():
        if entry.kind is not Kind.DIRECTORY or not entry.path.startswith(_WHERE):
            continue
        is_special = entry.mode != 0o755 or (entry.uid, entry.gid) != (0, 0)
        tools = places.PACKAGE_MANAGERS_STATE
        if is_special and tools.isdisjoint((entry.path, *ancestors(entry.path))):
            yield Need(entry.path, special)
