"""Paths that the application's own configuration names (rule 25): include globs, document roots.

Any text under /etc or below the application's directories, and what is called as configuration or a
template elsewhere; which program reads it does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from minify.closure import Context, Finding, Grade, Need, Reason, places
from minify.closure.patterns import glob
from minify.filetree import Entry, ImagePath, Kind
from minify.filetree.path import decoded, joined, parent

_CONFIGURATION = ("/etc/", "/usr/local/etc/", "/opt/", "/srv/")
# What entrypoints make configuration of lies anywhere: it names what the result will name.
_NAMED_AS_CONFIGURATION = (
    *(".cf", ".cfg", ".cnf", ".conf", ".in", ".ini", ".template", ".tmpl", ".toml", ".tpl"),
    *(".env", ".json", ".properties", ".yaml", ".yml"),
)
# Lists of all there is; a path in them is no need.
_LISTS = frozenset(
    """
    /etc/ca-certificates.conf /etc/group /etc/ld.so.cache /etc/magic /etc/mailcap
    /etc/apache2/magic /etc/mime.types /etc/passwd /etc/shadow /etc/shells /etc/environment
    /etc/profile /etc/bash.bashrc
    """.split()
)
# What an installation has written down of itself: all that there is, once more.
LOCKS = tuple(
    f"/{name}"
    for name in """
    package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock deno.lock
    composer.lock poetry.lock uv.lock pdm.lock Pipfile.lock Gemfile.lock Cargo.lock
    """.split()
)
"""The ends of their paths."""

_NOT_CONFIGURATION = ("/etc/alternatives/", "/etc/ssl/", "/etc/pki/", "/etc/ld.so", "/etc/init.d/")
_LARGEST_TEXT = 1 << 20
_PATH = re.compile(r"(?<![\w./$}{-])/[A-Za-z0-9_.@+*?~%:-]+(?:/[A-Za-z0-9_.@+*?~%:-]+)+/?")
# With a directory, and no word of a URL, a type of media or a path that climbs.
_RELATIVE = re.compile(
    r"(?<![\w./$}{@:-])(?:\./)?+[A-Za-z0-9_][A-Za-z0-9_.@+*?-]*+(?:/[A-Za-z0-9_@+*?-][A-Za-z0-9_.@+*?-]*+)+"
)
# What is below them is an application's dependencies.
_LIBRARIES = frozenset(("dist-packages", "node_modules", "site-packages", "vendor"))
_WILDCARD = re.compile(r"[*?]")
_COMMENT = re.compile(r"^[ \t]*+[#;].*$", re.MULTILINE)
_MOST_NAMED = 1000
_SCRIPTS = (".sh", ".bash", ".envsh")
# What `hash:/etc/aliases` really opens.
_TABLES = (".db", ".lmdb", ".cdb")
_AVAILABLE, _ENABLED = "-available/", "-enabled"


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    path = entry.path
    if not path.startswith(_CONFIGURATION) and not path.endswith(_NAMED_AS_CONFIGURATION):
        return
    if path in _LISTS or path.startswith(_NOT_CONFIGURATION) or _is_library(path):
        return
    if grade is Grade.HARD and path.endswith(_SCRIPTS):
        return  # it is read by a shell, and `scripts` knows what of it is a path
    if entry.size > _LARGEST_TEXT or not context.is_first_party(path):
        return
    if _is_only_available(entry, context):
        return
    data = context.tree.read(entry)
    if b"\0" in data or data.startswith(b"#!"):
        return
    text = decoded(data)
    yield from named(text, path, context)
    yield from _beside(text, path, context)


def _is_library(path: str) -> bool:
    """Whether it came with what an application depends on, wherever the application is."""
    is_in_one = not path.startswith("/etc/") and not _LIBRARIES.isdisjoint(path.split("/"))
    return is_in_one or path.endswith(LOCKS)


def _beside(text: str, by: ImagePath, context: Context) -> Iterator[Finding]:
    """What exists of the relative paths in a configuration file, seen from its directory."""
    found = dict.fromkeys(_RELATIVE.findall(_COMMENT.sub("", text)))
    for written in islice(found, _MOST_NAMED):
        reason = Reason("config-file", by, f"names {written}")
        for path in _paths(joined(parent(by), written.removeprefix("./").rstrip(".:/")), context):
            yield from need(path, reason, context)


def _is_only_available(entry: Entry, context: Context) -> bool:
    """Whether it is one of `sites-available` and the like, of which `sites-enabled` has no link."""
    above, available, _ = entry.path.rpartition(_AVAILABLE)
    enabled = context.tree.directory(f"{above}{_ENABLED}") if available else None
    if enabled is None:
        return False
    links = (f"{enabled.path}/{name}" for name in context.tree.children(enabled.path))
    return all(context.tree.file(link) != entry for link in islice(links, _MOST_NAMED))


def named(text: str, by: ImagePath, context: Context) -> Iterator[Finding]:
    """What exists of the absolute paths and globs in the configuration file `by`."""
    found = dict.fromkeys(_PATH.findall(_COMMENT.sub("", text)))
    for written in islice(found, _MOST_NAMED):
        reason = Reason("config-file", by, f"names {written}")
        name = written.rstrip(".:/")
        for path in _paths(name, context):
            yield from need(path, reason, context)
        for table in (f"{name}{ending}" for ending in _TABLES):
            if context.tree.file(table):
                yield Need(table, reason)


def need(path: str, reason: Reason, context: Context) -> Iterator[Finding]:
    """The need of a file, or of a directory of the application's, that configuration names."""
    entry = context.tree.resolve(path).entry
    if entry is None:
        return
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
    if "**" in named or places.is_distributions(fixed, context.tree):
        return ()
    return islice(glob(context.tree, named), _MOST_NAMED)


def _is_own(directory: Entry, context: Context) -> bool:
    is_shared = places.is_distributions(directory.path, context.tree)
    return not is_shared and context.is_first_party(directory.path)
