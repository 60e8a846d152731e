"""Paths that the application's own configuration names (rule 25): include globs, document roots.

Any text under /etc or below the application's directories; which program reads it does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from minify.closure import Context, Finding, Grade, Need, Reason, places
from minify.closure.patterns import glob
from minify.filetree import Entry, Kind
from minify.filetree.path import decoded

_CONFIGURATION = ("/etc/", "/usr/local/etc/", "/opt/", "/srv/")
# Lists of all there is; a path in them is no need.
_LISTS = frozenset(
    """
    /etc/ca-certificates.conf /etc/group /etc/ld.so.cache /etc/magic /etc/mailcap
    /etc/apache2/magic /etc/mime.types /etc/passwd /etc/shadow /etc/shells /etc/environment
    /etc/profile /etc/bash.bashrc
    """.split()
)
_NOT_CONFIGURATION = ("/etc/alternatives/", "/etc/ssl/", "/etc/pki/", "/etc/ld.so", "/etc/init.d/")
_LARGEST_TEXT = 1 << 20
_PATH = re.compile(r"(?<![\w./$}{-])/[A-Za-z0-9_.@+*?~%:-]+(?:/[A-Za-z0-9_.@+*?~%:-]+)+/?")
_WILDCARD = re.compile(r"[*?]")
_COMMENT = re.compile(r"^[ \t]*+[#;].*$", re.MULTILINE)
_MOST_NAMED = 1000
_SCRIPTS = (".sh", ".bash", ".envsh")


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    path = entry.path
    if not path.startswith(_CONFIGURATION) or path in _LISTS or path.startswith(_NOT_CONFIGURATION):
        return
    if grade is Grade.HARD and path.endswith(_SCRIPTS):
        return  # it is read by a shell, and `scripts` knows what of it is a path
    if entry.size > _LARGEST_TEXT or not context.is_first_party(path):
        return
    data = context.tree.read(entry)
    if b"\0" in data or data.startswith(b"#!"):
        return
    named = dict.fromkeys(_PATH.findall(_COMMENT.sub("", decoded(data))))
    for path_named in islice(named, _MOST_NAMED):
        reason = Reason("config-file", path, f"names {path_named}")
        yield from _named(path_named.rstrip(".:"), reason, context)


def _named(named: str, reason: Reason, context: Context) -> Iterator[Finding]:
    for path in _paths(named, context):
        entry = context.tree.resolve(path).entry
        if entry is None:
            continue
        if entry.kind is not Kind.DIRECTORY:
            # A program of the application's own that its configuration names will be run.
            is_run = entry.is_executable and context.is_first_party(entry.path)
            yield Need(path, reason, Grade.HARD if is_run else Grade.SOFT)
        elif _is_own(entry, context):
            yield Need(path, reason, whole_tree=True)


def _paths(named: str, context: Context) -> Iterable[str]:
    """What a path or an include glob stands for. `/*/*` must not keep half the image."""
    wildcard = _WILDCARD.search(named)
    if wildcard is None:
        return (named,)
    fixed = named[: wildcard.start()].rpartition("/")[0] or "/"
    if "**" in named or places.is_shared(fixed, context.tree):
        return ()
    return islice(glob(context.tree, named), _MOST_NAMED)


def _is_own(directory: Entry, context: Context) -> bool:
    is_shared = places.is_shared(directory.path, context.tree)
    return not is_shared and context.is_first_party(directory.path)
