"""From the table to findings: which rows one file triggers, and what that keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from minify.analyzers.opened.directories import library_directories
from minify.analyzers.opened.rule import Calls, Contains, Library, Program, Rule, Scope
from minify.analyzers.opened.table import RULES
from minify.analyzers.opened.texts import contained
from minify.closure import Analyzer, Context, Finding, Grade, Need, Reason
from minify.closure.patterns import glob
from minify.elf.elffile import ElfError, ElfFile
from minify.filetree import Entry
from minify.filetree.path import basename, decoded

_MOST_PATTERNS = 500
_MOST_PATHS = 20_000
# musl has its own charsets, locales and name services, none of them in modules.
_GLIBC = ("@/", "/usr/lib/locale")
# A static program of glibc has the names of its modules in it, and loads them.
_LOADS = (b"libnss_", b"gconv-modules")

_TEXTS = tuple(
    dict.fromkeys(
        text
        for rule in RULES
        if isinstance(rule.trigger, Calls | Contains)
        for text in rule.trigger.strings
    )
)


_EVERY_TEXT = (*_LOADS, *_TEXTS)


def analyzer(rules: Sequence[Rule]) -> Analyzer:
    """The analyzer that has these rows."""

    def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:  # noqa: ARG001
        return _findings(rules, entry, context)

    return analyze


analyze = analyzer(RULES)
"""What the table has for one ELF file."""


def _findings(rules: Sequence[Rule], entry: Entry, context: Context) -> Iterator[Finding]:
    try:
        elf = context.elf(entry)
    except ElfError:
        return  # said by elf_needed
    if elf is None:
        return
    for rule in rules:
        shown = _shown(rule, entry, elf, context)
        if shown and _is_in_scope(rule.scope, entry, context):
            yield from _kept(
                rule, Reason(rule.name, entry.path, f"{shown}: {rule.evidence}"), entry, context
            )


def _shown(rule: Rule, entry: Entry, elf: ElfFile, context: Context) -> str:
    """What in the file triggers the rule, in words; empty if nothing does."""
    match rule.trigger:
        case Library():
            name = basename(entry.path)
            return f"is {name}" if rule.trigger.matches(name) else ""
        case Program():
            name = basename(entry.path)
            return f"is {name}" if elf.is_program and rule.trigger.name.fullmatch(name) else ""
        case Calls() if called := sorted(elf.imports & rule.trigger.functions):
            return f"calls {', '.join(called[:3])}"
        case Calls() | Contains():
            return _contained(rule.trigger, entry, elf, context)


def _contained(trigger: Calls | Contains, entry: Entry, elf: ElfFile, context: Context) -> str:
    # musl's C library is executable too, and needs nothing.
    is_static = elf.is_program and elf.interpreter is None and not elf.needed
    is_own = isinstance(trigger, Contains) and entry.path in context.programs
    if not trigger.strings or not (is_static or is_own):
        return ""
    found = contained(entry, context, _EVERY_TEXT)
    text = next((text for text in trigger.strings if text in found), b"")
    return f"contains {decoded(text.strip(bytes(1)))}" if text else ""


def _is_in_scope(scope: Scope, entry: Entry, context: Context) -> bool:
    if scope is Scope.ANY:
        return True
    return context.is_first_party(entry.path) is (scope is Scope.FIRST_PARTY)


def _kept(rule: Rule, reason: Reason, entry: Entry, context: Context) -> Iterator[Finding]:
    patterns = dict.fromkeys((*rule.keeps, *islice(rule.finds(entry, context), _MOST_PATTERNS)))
    is_others = rule.name.startswith("libc.") and _is_for_musl(entry, context)
    for pattern in patterns:
        if is_others and pattern.startswith(_GLIBC):
            continue
        is_tree = pattern.endswith("/")
        for path in islice(_paths(pattern, entry, context), _MOST_PATHS):
            yield Need(path, reason, whole_tree=is_tree, likelihood=rule.likelihood)


def _is_for_musl(entry: Entry, context: Context) -> bool:
    elf = context.elf(entry)
    if elf is None:
        return False
    is_linked = any(name == "libc.so" or name.startswith("libc.musl-") for name in elf.needed)
    return is_linked or "/ld-musl-" in (elf.interpreter or "")


def _paths(pattern: str, entry: Entry, context: Context) -> Iterable[str]:
    """The paths that `pattern` stands for, which lead to something."""
    if "**" in pattern:
        return ()
    if pattern.startswith("/"):
        return context.existing(glob(context.tree, pattern))
    name = pattern.removeprefix("@/")
    for directory in _directories(entry, context):
        found = tuple(context.existing(glob(context.tree, f"{directory}/{name}")))
        if found:
            return found
    return ()


def _directories(entry: Entry, context: Context) -> tuple[str, ...]:
    """None for a static program that loads nothing: Go's reads the same files."""
    elf = context.elf(entry)
    is_static = elf is not None and elf.is_program and not elf.needed
    if is_static and contained(entry, context, _EVERY_TEXT).isdisjoint(_LOADS):
        return ()
    return library_directories(entry, context)
