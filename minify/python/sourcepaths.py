"""Paths among the constants of sources, of Python above all, found without parsing them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from minify.filetree.path import decoded

_START = re.compile(rb"[\"'`](?=~?/[\w.~@+/-])")
# As far as the text is constant: up to its end, or to what a template or `%` puts there.
_PATH = re.compile(rb"(~?/[\w.~@+/-]{1,300}+)([\"'`{%$#])?")
# `/ "name"`, `, "name"`, `+ "/name"`, behind what may close a call.
_NEXT = re.compile(rb"[ \t]*+\)?[ \t]*+[/,+][ \t\n]*+[rf]?[\"']([\w.~@+/-]{1,200}+)([\"'{%])")
_MOST_PARTS = 6
_MOST = 10_000

_OWN = re.compile(rb"^[^\n]*?\b__file__\b[^\n]*+", re.MULTILINE)
_UP = re.compile(rb"\bdirname\b|\.parent\b|\.parents\[(\d)\]|\bpardir\b|\.\.(?=[\"'/])")
_MOST_UP = 6


def paths(content: bytes) -> Iterator[str]:
    """The absolute paths and those that begin with `~/`, each once, in order.

    What is joined from constants is given as it grows: `/opt`, `/opt/models`.
    """
    found: dict[bytes, None] = {}
    for start in islice(_START.finditer(content), _MOST):
        match = _PATH.match(content, start.end())
        if match is None or not match[2]:
            continue
        path = match[1]
        if match[2] in b"{%$#":
            path = path.rpartition(b"/")[0]
        found[path.rstrip(b"/")] = None
        for part in _joined(content, match.end()) if match[2] in b"\"'`" else ():
            path = path.rstrip(b"/") + b"/" + part.strip(b"/")
            found[path.rstrip(b"/")] = None
    return (decoded(path) for path in found if b"/" in path and b"/../" not in path)


def _joined(content: bytes, at: int) -> Iterator[bytes]:
    for _ in range(_MOST_PARTS):
        match = _NEXT.match(content, at)
        if match is None:
            return
        if match[2] in b"{%":
            yield match[1].rpartition(b"/")[0]
            return
        yield match[1]
        at = match.end()


def climbs(content: bytes) -> int:
    """How many directories up a module goes from its own file, at most; 1 is its directory."""
    most = 0
    for line in islice(_OWN.finditer(content), _MOST):
        steps = (int(up[1]) + 1 if up[1] else 1 for up in _UP.finditer(line[0]))
        most = max(most, sum(islice(steps, _MOST_UP)))
    return min(most, _MOST_UP)
