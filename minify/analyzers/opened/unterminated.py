"""Paths in programs of Go and Rust, whose texts follow each other without an end.

The longest name that the image has at such a place is taken: `/etc/app.confinvalid` is
`/etc/app.conf` where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from minify.analyzers.opened.texts import contained, matches
from minify.closure import Context, Finding, Likelihood, Need, Reason
from minify.filetree import Entry, ImagePath

RULE = "strings.unterminated"

_MARKS = (b"Go build ID: ", b"\xff Go buildinf:", b"/rustc/")
_PATH = re.compile(
    rb"/(?:app|config|data|etc|home|opt|srv|usr/(?:lib|local|share)|var/lib)/[\w.@+/-]{2,300}+"
)
_MOST = 2000
_EVERYBODYS = frozenset("/etc/passwd /etc/group /etc/shadow /etc/gshadow".split())
_DOCUMENTS = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/")


def analyze(entry: Entry, context: Context) -> Iterator[Finding]:
    """Files whose paths are in a program of the application's own."""
    if not contained(entry, context, _MARKS):
        return
    (texts,) = matches(entry, context, _PATH)
    for text in islice(texts, _MOST):
        path = _existing(text, context)
        found = context.tree.file(path) if path else None
        if found is None or found.path in _EVERYBODYS or found.path.startswith(_DOCUMENTS):
            continue
        likelihood = Likelihood.GUESSED if found.is_executable else Likelihood.LIKELY
        reason = Reason(RULE, entry.path, f"contains {path}")
        yield Need(path, reason, likelihood=likelihood)


def _existing(text: str, context: Context) -> str:
    """The longest beginning of `text` that is a file's path; empty if there is none."""
    written = ""
    for part in text[1:].split("/"):
        directory = context.tree.directory(written or "/")
        if directory is None:
            return ""
        names = context.tree.children(ImagePath(directory.path))
        if part not in names:
            shorter = [name for name in names if part.startswith(name)]
            return f"{written}/{max(shorter, key=len)}" if shorter else ""
        written = f"{written}/{part}"
    return written
