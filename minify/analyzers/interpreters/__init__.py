"""Interpreters that no rule knows, and their libraries, kept whole.

The table of `runtimes` has ten languages by their names. Any other program is an interpreter by
what is done with it (`evidence`): a `#!` line names it, or it is given a text of the application's
in a language that its own library is written in. Then it keeps the trees of that library
(`libraries`): those of its packages, of what depends on them, and those that are named as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from minify.analyzers.interpreters.evidence import Evidence, evidence
from minify.analyzers.interpreters.libraries import library
from minify.closure import UNKNOWN_INTERPRETER, Context, Finding, Grade, Need, Reason
from minify.filetree import Entry
from minify.filetree.path import basename


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    """The libraries of the interpreter that `entry` is, or that it is a script for."""
    if grade is not Grade.HARD:
        return
    for found in evidence(entry, context):
        yield from _kept(found, context)


def _kept(found: Evidence, context: Context) -> Iterator[Finding]:
    name = basename(found.program.path)
    for tree in library(found.program, found.suffix, context):
        detail = f"{name} is an interpreter that no rule knows, {found.text}: {tree.why}"
        reason = Reason(UNKNOWN_INTERPRETER, found.program.path, detail)
        yield Need(tree.path, reason, whole_tree=True)
