"""Where the library of an interpreter is that no rule knows.

A language installs what scripts load into a directory with its name below /usr/lib or /usr/share,
and its packages put theirs in the same place or beside it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from minify.analyzers.interpreters.languages import is_alike, is_data, own_libraries, suffix_of
from minify.analyzers.opened.directories import usual_directories
from minify.analyzers.opened.texts import matches
from minify.closure import Context, places
from minify.filetree import Entry, ImagePath, Kind
from minify.filetree.path import basename, is_within, parent

_PLACES = (
    "/usr/lib",
    "/usr/share",
    "/usr/libexec",
    "/usr/local/lib",
    "/usr/local/share",
    "/usr/local/libexec",
    "/usr/lib64",
    "/var/lib",
)
_PROGRAMS = frozenset("bin sbin libexec games".split())
# What many packages fill, and the libraries of languages that a rule knows.
_EVERYBODYS = re.compile(
    r"""
    aclocal|appdata|applications|apt|base-files|base-passwd|bash-completion|binfmt\.d|binfmts|bug|build-essential
    |ca-certificates|cmake|debconf|debhelper|debianutils|dh-.*|dictionaries-common|doc|doc-base|dpkg
    |dri|emacs.*|engines-.*|file|fish|fontconfig|fonts|games|gcc|gcc-cross|gconv|gdb|gdk-pixbuf-.*
    |gettext|girepository-.*|glib-2\.0|gnupg|groff|help|i18n|icons|icu|info|init|initramfs-tools
    |java|javascript|jvm|keyrings|krb5|ldscripts|libc-bin|lintian|llvm-.*|locale|locales|lsb|lua|man
    |man-db|menu|metainfo|mime|mime-info|misc|modprobe\.d|node|node_modules|nodejs|npm|openssh
    |ossl-modules|p11-kit|pam|pam-configs|perl.*|php.*|pixmaps|pkgconfig|polkit-1|pypy.*|python.*
    |R|readline|ruby.*|rubygems-integration|sasl2|security|sensible-utils|sgml|shells\.d|sounds
    |systemd|sysctl\.d|sysusers\.d|tabset|tc|tcltk|texmf|terminfo|themes|tmpfiles\.d|udev|ucf|vim|X11|xml
    |xtables|zoneinfo|zsh|.*-linux-.*|.*\.so.*
    """,
    re.VERBOSE,
)
_PATH = re.compile(rb"(?:\0|(?<=:))/[\x21-\x39\x3b-\x7e]{3,1024}+(?=[\0:])")
_MOST_PACKAGES = 500
_MOST_PATHS = 20_000


@dataclass(frozen=True, slots=True)
class Tree:
    """One directory of a library."""

    path: ImagePath
    why: str
    """What makes it one of the interpreter's, as the end of a sentence."""


def library(program: Entry, suffix: str, context: Context) -> tuple[Tree, ...]:
    """The trees that an interpreter and its scripts load from, sorted; none within another.

    `suffix` is that of its scripts, empty if they have none.
    """
    key = ("library of", program.path, suffix)
    return context.remembered(key, lambda: _library(program, suffix, context))


def has_library_in(program: Entry, suffix: str, context: Context) -> bool:
    """Whether a program's own trees hold files with that suffix, which is none of data."""
    if is_data(suffix):
        return False
    suffixes = _suffixes(context)
    return any(suffix in suffixes.get(path, ()) for path in _own(program, context))


def _library(program: Entry, suffix: str, context: Context) -> tuple[Tree, ...]:
    found = dict(_own(program, context))
    for path, why in (
        *_of_dependants(program, suffix, found, context),
        *_written_in(suffix, context),
    ):
        found.setdefault(path, why)
    outer = (path for path in found if not any(is_within(path, it) for it in found if it != path))
    return tuple(Tree(path, found[path]) for path in sorted(outer))


def _own(program: Entry, context: Context) -> Mapping[ImagePath, str]:
    """The trees that are the program's own, and why each is."""
    return context.remembered(
        ("own trees of", program.path), lambda: _first_of(_every_own(program, context))
    )


def _first_of(found: Iterable[tuple[ImagePath, str]]) -> Mapping[ImagePath, str]:
    first: dict[ImagePath, str] = {}
    for path, why in found:
        first.setdefault(path, why)
    return first


def _every_own(program: Entry, context: Context) -> Iterator[tuple[ImagePath, str]]:
    name = basename(program.path)
    yield from _home(program, context)
    packages = _packages(program, context)
    for package in sorted(packages):
        for path in _trees_of(package, context):
            yield path, f"the library of the package {package}"
    for path in _every_tree(context):
        if is_alike(basename(path), name):
            yield path, "named as the program"
    for path in _named(program, context):
        if not context.packages or context.packages.owners(path) & packages:
            yield path, "named in the program"


def _home(program: Entry, context: Context) -> Iterator[tuple[ImagePath, str]]:
    """The directory that a program came in with all that it needs: /opt/julia of its bin/julia."""
    directory = parent(program.path)
    home = parent(directory) if basename(directory) in _PROGRAMS else directory
    if not places.is_shared(home, context.tree):
        yield home, "the directory that it is in"


def _packages(program: Entry, context: Context) -> frozenset[str]:
    """The packages of a program's upstream, and those among their dependencies that are alike."""
    packages = context.packages
    own = packages.upstream(packages.owners(program.path))
    names = {basename(program.path), *own}
    pending, known = sorted(own), set(own)
    found = set(own)
    while pending and len(known) < _MOST_PACKAGES:
        for other in packages[pending.pop()].depends:
            if other in known or other not in packages:
                continue
            known.add(other)
            if _is_part(other, names, program, context):
                found.add(other)
                pending.append(other)
    return packages.siblings(found)


def _is_part(package: str, names: Iterable[str], program: Entry, context: Context) -> bool:
    """Whether a package is part of a language: called as it is, or with a tree that it names."""
    plain = package.removeprefix("lib")
    if any(is_alike(plain, name) for name in names):
        return True
    return not set(_trees_of(package, context)).isdisjoint(_named(program, context))


def _of_dependants(
    program: Entry, suffix: str, own: Mapping[ImagePath, str], context: Context
) -> Iterator[tuple[ImagePath, str]]:
    """The trees of packages that depend on the interpreter, in the language or beside its own."""
    suffixes = _suffixes(context)
    known = {suffix, *(s for path in own for s in suffixes.get(path, ()))} - {""}
    pending = sorted(_packages(program, context))
    seen = set(pending)
    while pending and len(seen) < _MOST_PACKAGES:
        for package in context.packages.dependants(pending.pop()):
            if package in seen:
                continue
            seen.add(package)
            trees = tuple(_trees_of(package, context))
            written = [path for path in trees if not known.isdisjoint(suffixes.get(path, ()))]
            if written:
                pending.append(package)
            yield from ((path, f"of {package}, which depends on it") for path in written)


def _written_in(suffix: str, context: Context) -> Iterator[tuple[ImagePath, str]]:
    """The trees most of whose files are in the scripts' language, whoever has them."""
    if is_data(suffix):
        return
    for path, counted in _suffixes(context).items():
        if max(counted, key=lambda it: (counted[it], it)) == suffix:
            yield path, f"most of it are .{suffix} files"


def _trees_of(package: str, context: Context) -> tuple[ImagePath, ...]:
    """The trees in which a package has files, but those of everybody."""
    known = _every_tree(context)
    found: dict[ImagePath, None] = {}
    for path in context.packages.paths(package):
        tree = _tree_of(path, context)
        if tree is not None and tree in known and tree != path:
            found[tree] = None
    return tuple(found)


def _tree_of(path: ImagePath, context: Context) -> ImagePath | None:
    """The directory right below one of the places of libraries that `path` is, or is in."""
    for place in _places(context):
        if path.startswith(f"{place}/"):
            return ImagePath(f"{place}/{path[len(place) + 1 :].partition('/')[0]}")
    return None


def _places(context: Context) -> tuple[str, ...]:
    """Where libraries are, as real paths, the longest first."""
    return context.remembered("places of libraries", lambda: _real_places(context))


def _real_places(context: Context) -> tuple[str, ...]:
    written = (*_PLACES, *usual_directories(context))
    found = (context.tree.directory(path) for path in written)
    real = {str(entry.path) for entry in found if entry is not None}
    return tuple(sorted(real, key=lambda path: (-len(path), path)))


def _every_tree(context: Context) -> Mapping[ImagePath, None]:
    """All directories right below the places of libraries, but those of everybody."""
    return context.remembered("trees of libraries", lambda: dict.fromkeys(_found_trees(context)))


def _found_trees(context: Context) -> Iterator[ImagePath]:
    for place in _places(context):
        for name in context.tree.children(ImagePath(place)):
            path = ImagePath(f"{place}/{name}")
            entry = context.tree.get(path)
            is_directory = entry is not None and entry.kind is Kind.DIRECTORY
            is_everybodys = _EVERYBODYS.fullmatch(name) or places.is_shared(path, context.tree)
            if is_directory and not is_everybodys:
                yield path


def _suffixes(context: Context) -> Mapping[ImagePath, Counter[str]]:
    """How many files of each suffix each tree holds, those of data not counted."""
    return context.remembered("suffixes of trees", lambda: _counted(context))


def _counted(context: Context) -> Mapping[ImagePath, Counter[str]]:
    found: dict[ImagePath, Counter[str]] = {}
    for path in _every_tree(context):
        names = (it.path for it in context.tree.below(path) if it.kind is Kind.FILE)
        counted = Counter(suffix for name in names if not is_data(suffix := suffix_of(name)))
        if counted:
            found[path] = counted
    return found


def _named(program: Entry, context: Context) -> tuple[ImagePath, ...]:
    """The trees that are among the texts of a program and of its own libraries."""
    return context.remembered(
        ("trees named in", program.path), lambda: tuple(dict.fromkeys(_texts(program, context)))
    )


def _texts(program: Entry, context: Context) -> Iterator[ImagePath]:
    known = _every_tree(context)
    for entry in (program, *own_libraries(program, context)):
        (texts,) = matches(entry, context, _PATH)
        for text in texts[:_MOST_PATHS]:
            found = context.tree.directory(text.strip(":"))
            tree = _tree_of(found.path, context) if found else None
            if tree is not None and tree in known:
                yield tree
