"""Accounts that configuration or a program names: nginx's `user www-data;` and its like.

The program looks the name up in passwd when it starts, whoever it runs as.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from minify.closure import Context, Finding, Grade, Reason, RunsAs
from minify.elf.elffile import ElfError
from minify.filetree import Entry
from minify.filetree.path import decoded

PASSWD, GROUP = "/etc/passwd", "/etc/group"
_LARGEST_TEXT = 1 << 20
_LARGEST_PROGRAM = 64 << 20
_LOOK_UPS = frozenset("getpwnam getpwnam_r getgrnam getgrnam_r".split())
_DIRECTIVE = re.compile(
    r"""^[ \t]*+(?:export[ \t]++)?(?:[A-Z_]*RUN_)?(?:user|group|username)(?:[ \t]++[:=]?|[:=])
        [ \t]*+["']?([a-z_][a-z0-9_-]{0,31})["']?""",
    re.MULTILINE | re.VERBOSE | re.IGNORECASE,
)


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:  # noqa: ARG001
    if entry.path.startswith("/etc/") and context.is_first_party(entry.path):
        yield from _in_configuration(entry, context)
    elif entry.path in context.programs:
        yield from _in_program(entry, context)


def _in_configuration(entry: Entry, context: Context) -> Iterator[Finding]:
    if entry.size > _LARGEST_TEXT:
        return
    data = context.tree.read(entry)
    if b"\0" in data:
        return
    for match in _DIRECTIVE.finditer(decoded(data)):
        line = match[0].strip()
        yield RunsAs(match[1], Reason("config-file.account", entry.path, f"says {line!r}"))


def _in_program(entry: Entry, context: Context) -> Iterator[Finding]:
    """Accounts whose names are strings of a program that looks accounts up: dnsmasq's `nobody`."""
    try:
        elf = context.elf(entry)
    except ElfError:
        return
    if elf is None or not elf.imports & _LOOK_UPS or entry.size > _LARGEST_PROGRAM:
        return
    strings = set(context.tree.read(entry).split(b"\0"))
    for path in (PASSWD, GROUP):
        file = context.tree.file(path)
        lines = context.tree.read(file, _LARGEST_TEXT).split(b"\n") if file else ()
        for name in {line.partition(b":")[0] for line in lines} & strings - {b""}:
            detail = f"contains {decoded(name)!r} and looks accounts up"
            yield RunsAs(decoded(name), Reason("elf.account", entry.path, detail))
