"""Directories that a program names, without what is for people and compilers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from minify.closure import Context, Finding, Likelihood, Need, Reason
from minify.filetree import Entry, Kind
from minify.filetree.path import basename, parent

_MOST = 20_000
_MOST_LOOKED_AT = 50
# What ltdl reads, `.la`, is not among it: ImageMagick finds its modules by it.
_NOT_DATA = re.compile(r".*\.(?:a|h|hh|hpp|o|pc|m4|md)|doc|docs|man|include|README.*|pkgconfig")
_MODULE = re.compile(r".*\.so(?:\.[\d.]+)?")


def is_own(directory: Entry, context: Context) -> bool:
    """Whether a directory is the application's alone."""
    owners = context.packages.owners(directory.path)
    if not context.packages or not owners:
        return context.is_first_party(directory.path)
    return owners <= context.first_party_packages


def has_modules(directory: Entry, context: Context) -> bool:
    """Whether shared objects are in it."""
    names = islice(context.tree.children(directory.path), _MOST_LOOKED_AT)
    return any(_MODULE.fullmatch(name) for name in names)


def needs(
    path: str, directory: Entry, reason: Reason, likelihood: Likelihood, context: Context
) -> Iterator[Finding]:
    """The needs of a directory that was written `path`: of all in it that is data or a module."""
    below = tuple(islice(context.tree.below(directory.path), _MOST))
    without = {entry.path for entry in below if _NOT_DATA.fullmatch(basename(entry.path))}
    if not without or likelihood is Likelihood.GUESSED:
        yield Need(path, reason, whole_tree=True, likelihood=likelihood)
        return
    yield Need(path, reason, likelihood=likelihood)
    for entry in below:
        if entry.path in without or parent(entry.path) in without:
            without.add(entry.path)  # so that what is below it goes too
        elif entry.kind is Kind.SYMLINK or entry.kind is Kind.FILE:
            yield Need(entry.path, reason, likelihood=likelihood)
