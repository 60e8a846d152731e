"""Accounts that configuration names: nginx's `user www-data;` and its like.

The program looks the name up in passwd when it starts, whoever it runs as.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from minify.closure import Context, Finding, Grade, Reason, RunsAs
from minify.filetree import Entry
from minify.filetree.path import decoded

_LARGEST_TEXT = 1 << 20
_DIRECTIVE = re.compile(
    r"""^[ \t]*+(?:export[ \t]++)?(?:[A-Z_]*RUN_)?(?:user|group|username)(?:[ \t]++[:=]?|[:=])
        [ \t]*+["']?([a-z_][a-z0-9_-]{0,31})["']?""",
    re.MULTILINE | re.VERBOSE | re.IGNORECASE,
)


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:  # noqa: ARG001
    if not entry.path.startswith("/etc/") or entry.size > _LARGEST_TEXT:
        return
    if not context.is_first_party(entry.path):
        return
    data = context.tree.read(entry)
    if b"\0" in data:
        return
    for match in _DIRECTIVE.finditer(decoded(data)):
        line = match[0].strip()
        yield RunsAs(match[1], Reason("config-file.account", entry.path, f"says {line!r}"))
