"""Paths that the application's own configuration names (rule 25): include globs, document roots.

Any text under /etc or below the application's directories; which program reads it does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from minify.closure import Context, Finding, Grade, Need, Reason, places
from minify.closure.patterns import Pattern
from minify.errors import UsageError
from minify.filetree import Entry
from minify.filetree.path import decoded

_CONFIGURATION = ("/etc/", "/usr/local/etc/", "/opt/", "/srv/")
# Lists of all there is; a path in them is no need.
_LISTS = frozenset(
    """
    /etc/ca-certificates.conf /etc/group /etc/ld.so.cache /etc/mailcap /etc/mime.types /etc/passwd
    /etc/shadow /etc/shells /etc/environment /etc/profile /etc/bash.bashrc
    """.split()
)
_NOT_CONFIGURATION = ("/etc/alternatives/", "/etc/ssl/", "/etc/pki/", "/etc/ld.so", "/etc/init.d/")
_LARGEST_TEXT = 1 << 20
_PATH = re.compile(r"(?<![\w./$}{-])/[A-Za-z0-9_.@+*?~%:-]+(?:/[A-Za-z0-9_.@+*?~%:-]+)+/?")
_COMMENT = re.compile(r"^\s*[#;].*$", re.MULTILINE)


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:  # noqa: ARG001
    path = entry.path
    if not path.startswith(_CONFIGURATION) or path in _LISTS or path.startswith(_NOT_CONFIGURATION):
        return
    if entry.size > _LARGEST_TEXT or not context.is_first_party(path):
        return
    data = context.tree.read(entry)
    if b"\0" in data or data.startswith(b"#!"):
        return
    for named in dict.fromkeys(_PATH.findall(_COMMENT.sub("", decoded(data)))):
        yield from _named(
            named.rstrip(".:"), Reason("config-file", path, f"names {named}"), context
        )


def _named(named: str, reason: Reason, context: Context) -> Iterator[Finding]:
    if "*" in named or "?" in named:
        try:
            matches = Pattern("include", named).matches(context.tree)
        except UsageError:
            return  # includes that match nothing are the rule: conf.d/*.conf
        yield from (Need(path, reason, whole_tree=True) for path in matches)
        return
    entry = context.tree.resolve(named).entry
    if entry is None:
        return
    if context.tree.file(named):
        yield Need(named, reason)
    elif not places.is_shared(entry.path, context.tree) and context.is_first_party(entry.path):
        yield Need(named, reason, whole_tree=True)
