"""Paths in sources, of Python above all: data opened by an absolute name, or in the user's home.

    MODEL = Path("/models") / "names.bin"      open(f"/srv/prices/{day}.csv")
    ROOT = Path(__file__).parents[1]           os.path.expanduser("~/nltk_data")

The application's own sources may name any file or directory that is there. Those of a library name
all places where something may be: what nobody packaged was put there for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from minify.analyzers.opened import trees
from minify.analyzers.opened.strings import may_be_opened
from minify.closure import Context, Finding, Grade, Likelihood, Need, Reason, places
from minify.closure.application import NOT_THE_APPLICATION
from minify.filetree import Entry, ImagePath, Kind
from minify.filetree.path import ancestors, basename, decoded, joined, parent
from minify.python import local, sourcepaths

_RULE, _HOME, _ABOVE = "source.path", "source.home", "source.above"
_SUFFIX = ".py"
# Of other languages the application's own sources alone.
_OTHERS = tuple(".js .mjs .cjs .ts .mts .cts .rb .php .pl .pm .psgi .lua .tcl".split())
_LIBRARIES = frozenset("node_modules vendor gems perl perl5".split())
_LARGEST = 4 << 20
_SITES = ("/site-packages/", "/dist-packages/")
_STANDARD = re.compile(r"/python\d(?:\.\d{1,3}t?)?/")
_MOST = 2_000
# A tree of programs and libraries is an installation, which names its own parts.
_OF_INSTALLATIONS = frozenset("bin lib lib64 include".split())
_DATA = "/usr/share/"
# Where homes hold more than one thing, what shells read, with what tools log in, and any word.
_NOT_DATA = frozenset(
    """
    .cache .config .local .bash_logout .bashrc .profile .bash_profile .cshrc .tcshrc .zshrc
    .wget-hsts .netrc .pypirc .npmrc .git-credentials .docker .gnupg .pip
    bin lib src app data tmp test tests docs
    """.split()
)


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:  # noqa: ARG001
    path = entry.path
    if path.endswith(_OTHERS) and entry.size <= _LARGEST:
        yield from _of_another(entry, context)
    if not path.endswith(_SUFFIX) or entry.size > _LARGEST:
        return
    site = next((site for site in _SITES if site in path), "")
    if not site and (_STANDARD.search(path) or not context.is_first_party(path)):
        return
    is_own = not site or _is_local(path, site, context)
    content = context.tree.read(entry)
    for written in islice(sourcepaths.paths(content), _MOST):
        yield from _named(written, entry, context, is_own=is_own)
    yield from _in_homes(content, entry, context)
    if not site:
        yield from _above(content, entry, context)


def _of_another(entry: Entry, context: Context) -> Iterator[Finding]:
    """What a source of the application in another language names."""
    if not _LIBRARIES.isdisjoint(entry.path.split("/")) or not context.is_first_party(entry.path):
        return
    for written in islice(sourcepaths.paths(context.tree.read(entry)), _MOST):
        yield from _named(written, entry, context, is_own=True)


def _is_local(path: ImagePath, site: str, context: Context) -> bool:
    """Whether a module in a site directory was installed from the application's directory."""
    above, _, below = path.rpartition(site)
    directory = f"{above}{site.rstrip('/')}"
    tops = context.remembered(
        ("python.local", directory), lambda: local.names(context.tree, directory)
    )
    return below.partition("/")[0] in tops


def _named(written: str, entry: Entry, context: Context, *, is_own: bool) -> Iterator[Finding]:
    for path in _expanded(written, context):
        found = context.tree.resolve(path).entry
        if found is None or not may_be_opened(found):
            continue
        reason = Reason(_RULE, entry.path, f"names {written}")
        if found.kind is Kind.DIRECTORY:
            yield from _directory(path, found, reason, context, is_own=is_own)
        elif is_own or _is_data(found):
            yield Need(path, reason, likelihood=Likelihood.LIKELY)
            if is_own:
                yield from _settings(found, entry, context)


def _settings(found: Entry, by: Entry, context: Context) -> Iterator[Finding]:
    """What is beside a file of settings: it names the others, as they are called or in parts."""
    directory = context.tree.get(parent(found.path))
    if directory is None or not directory.path.startswith("/etc/"):
        return
    if not places.is_shared(directory.path, context.tree) and trees.is_own(directory, context):
        detail = f"names {found.path}, and {directory.path} is the application's"
        yield _whole(directory.path, Reason(_RULE, by.path, detail))


def _is_data(found: Entry) -> bool:
    """Whether a library that names a file opens it, and does not run it."""
    name = basename(found.path)
    return name not in _NOT_DATA and (not found.is_executable or ".so" in name)


def _expanded(written: str, context: Context) -> Iterator[str]:
    if not written.startswith("~/"):
        yield written
        return
    yield from (f"{home}{written[1:]}" for home in _homes(context))


def _directory(
    path: str, found: Entry, reason: Reason, context: Context, *, is_own: bool
) -> Iterator[Finding]:
    here = found.path
    if places.is_distributions(here, context.tree) or here in _homes(context):
        return
    tools = places.PACKAGE_MANAGERS_STATE
    if not tools.isdisjoint((here, *ancestors(here))) or not may_be_opened(found):
        return
    if trees.is_own(found, context):
        children = context.tree.children(here)
        if is_own or _OF_INSTALLATIONS.isdisjoint(children):
            yield _whole(path, reason)
    elif is_own:
        is_data = here.startswith(_DATA)
        likelihood = Likelihood.LIKELY if is_data else Likelihood.GUESSED
        yield from trees.needs(path, found, reason, likelihood, context)


def _whole(path: str, reason: Reason) -> Finding:
    return Need(
        path,
        reason,
        whole_tree=True,
        without=NOT_THE_APPLICATION,
        likelihood=Likelihood.LIKELY,
    )


def _homes(context: Context) -> tuple[str, ...]:
    """The homes of who runs the image."""
    return context.remembered("python.homes", lambda: tuple(_found_homes(context)))


def _found_homes(context: Context) -> Iterator[str]:
    user = context.config.user.partition(":")[0] or "root"
    file = context.tree.file("/etc/passwd")
    lines = decoded(context.tree.read(file, 1 << 20)).split("\n") if file is not None else []
    rows = (line.split(":") for line in lines)
    listed = (row[5] for row in rows if len(row) > 6 and user in (row[0], row[2]))
    own = ("/root",) if user in ("root", "0") else ()
    named = (context.config.env.get("HOME", ""), *listed, *own)
    for home in dict.fromkeys(named):
        entry = context.tree.directory(home) if home[:1] == "/" else None
        if entry is not None and (home == "/root" or not places.is_shared(home, context.tree)):
            yield entry.path


def _in_homes(content: bytes, entry: Entry, context: Context) -> Iterator[Finding]:
    """What is in a home by a name that stands in the source: `.cache/huggingface`."""
    known, pattern = context.remembered("python.inhomes", lambda: _in_home(context))
    found = {match[1] for match in pattern.finditer(content)} if known else set()
    for name in sorted(found):
        for path in known[name]:
            reason = Reason(_HOME, entry.path, f"names {decoded(name)}, which {path} is called")
            yield _whole(path, reason)


def _in_home(context: Context) -> tuple[dict[bytes, list[str]], re.Pattern[bytes]]:
    """What homes hold by its name, and the pattern of the names in quotes."""
    known: dict[bytes, list[str]] = {}
    for home in _homes(context):
        for directory in (home, f"{home}/.cache", f"{home}/.local/share"):
            place = context.tree.directory(directory)
            names = context.tree.children(place.path) if place is not None else ()
            for name in islice(names, _MOST):
                path = f"{directory}/{name}"
                if name not in _NOT_DATA and not path.endswith(NOT_THE_APPLICATION):
                    known.setdefault(name.encode("utf-8", "surrogateescape"), []).append(path)
    every = rb"|".join(map(re.escape, sorted(known)))
    return known, re.compile(rb"[\"'/](" + (every or rb"(?!)") + rb")(?=[\"'/])")


def _above(content: bytes, entry: Entry, context: Context) -> Iterator[Finding]:
    """The directory above its own to which a module of the application climbs."""
    number = sourcepaths.climbs(content)
    directory = entry.path
    for _ in range(number):
        directory = parent(directory)
    if number < 2 or places.is_shared(directory, context.tree):
        return
    if directory in _homes(context) or not context.is_first_party(directory):
        return
    reason = Reason(_ABOVE, entry.path, f"goes {number} directories up from itself")
    yield _whole(joined("/", directory), reason)
