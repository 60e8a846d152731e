"""What ld.so loads for an ELF file (rules 1 to 3): interpreter, libraries, the loader's own files.

Programs are resolved in their own context. A library that nothing kept loads, a plug-in, is
resolved alone and as SOFT: its loader may provide what it lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from minify.analyzers.providers import is_loaded, opened_before
from minify.closure import Context, Finding, Gap, Grade, Missing, Need, Reason
from minify.closure.solver import ALONE, BEHIND, NEEDED
from minify.elf import linkmap
from minify.elf.elffile import ElfError, ElfFile
from minify.elf.linkmap import LinkMap, UnmetVersion
from minify.filetree import Entry


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    try:
        elf = context.elf(entry)
    except ElfError as error:
        yield _damaged(entry, grade, str(error))
        return
    if elf is None or not elf.is_dynamic:
        return
    if elf.interpreter is None:
        # A library; the programs that load it have their own say.
        grade, rule = Grade.SOFT, ALONE
    else:
        rule = NEEDED
        yield _interpreter(entry, elf, grade)
    link_map = context.link_map(entry)
    for loaded in (*link_map.objects, *link_map.auditors):
        yield Need(loaded.path, Reason(rule, loaded.by, loaded.how), grade)
    if rule == NEEDED or _has_loader(link_map):
        yield from _lacking(entry, link_map, rule, grade, context)
    for consulted in link_map.consulted:
        if consulted.entry is not None:
            yield Need(consulted.requested, Reason("elf.loader", entry.path, "read by the loader"))


def _has_loader(link_map: LinkMap) -> bool:
    """Whether anything of the image can load a library: add-ons come for other machines as well."""
    return link_map.interpreter is not None and link_map.interpreter.entry is not None


def _lacking(
    entry: Entry, link_map: LinkMap, rule: str, grade: Grade, context: Context
) -> Iterator[Finding]:
    """What ld.so would end with an error for."""
    for missing in link_map.missing:
        which = BEHIND if rule == ALONE and missing.by != entry.path else rule
        reason = Reason(which, missing.by, f"DT_NEEDED {missing.name}")
        absent = Missing(missing.name, reason, grade, missing.looked, missing.hint)
        yield from (absent,) if rule == NEEDED else _unless_loaded(missing, absent, context)
    for unmet in link_map.unmet:
        yield _unmet(unmet, rule, grade)


def _unless_loaded(
    missing: linkmap.Missing, absent: Missing, context: Context
) -> Iterator[Finding]:
    """What a lone library does not find: its program may have loaded it before."""
    if is_loaded(missing, context):
        return
    found = opened_before(missing, context)
    if found is None:
        yield absent
    else:
        how = f"{absent.reason.detail}, which {found.by} opens by its path before"
        yield Need(found.path, replace(absent.reason, detail=how))


def _unmet(unmet: UnmetVersion, rule: str, grade: Grade) -> Missing:
    """The file is there, and is not the one that was there when the asker was linked."""
    need = unmet.need
    reason = Reason(rule, unmet.by, f"DT_VERNEED {need.version} of {need.file}")
    looked = () if unmet.found is None else (unmet.found,)
    return Missing(f"{need.file} with version {need.version}", reason, grade, looked, unmet.hint)


def _interpreter(entry: Entry, elf: ElfFile, grade: Grade) -> Need:
    path = elf.interpreter or ""
    # The kernel takes a relative one from the working directory; nobody means that.
    path = path if path.startswith("/") else f"/{path}"
    return Need(path, Reason("elf.interpreter", entry.path, f"PT_INTERP {elf.interpreter}"), grade)


def _damaged(entry: Entry, grade: Grade, what: str) -> Finding:
    reason = Reason("elf.damaged", entry.path, f"{entry.path} is a damaged ELF file: {what}")
    if grade is Grade.HARD:
        return Missing(entry.path, reason, grade, (), "the kernel would refuse it")
    return Gap(reason)
