"""What a program or library says itself that it opens while it runs (rule 27): `.note.dlopen`.

Required libraries are needed as surely as the file itself, recommended ones softly; suggested ones
are for full installations, so a guess. Of alternatives, the first that the image has counts.

https://uapi-group.org/specifications/specs/elf_dlopen_metadata/
"""

from __future__ import annotations

from collections.abc import Iterator

from minify.closure import Context, Finding, Gap, Grade, Likelihood, Missing, Need, Reason
from minify.closure.solver import ALONE, NEEDED
from minify.elf.elffile import DlopenNote, ElfError, Priority
from minify.elf.linkmap import LinkMap
from minify.filetree import Entry

_RULE = "dlopen.note"
_LIKELIHOODS = {
    Priority.REQUIRED: Likelihood.CERTAIN,
    Priority.RECOMMENDED: Likelihood.LIKELY,
    Priority.SUGGESTED: Likelihood.GUESSED,
}


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    try:
        elf = context.elf(entry)
    except ElfError:
        return  # said by elf_needed
    if elf is None:
        return
    if elf.notes_fault:
        detail = f"its .note.dlopen cannot be read: {elf.notes_fault}"
        yield Gap(Reason(_RULE, entry.path, detail))
    if not elf.dlopen_notes:
        return
    running = tuple(processes(entry, context)) or (None,)
    for note in elf.dlopen_notes:
        own_grade = grade if note.priority is Priority.REQUIRED else Grade.SOFT
        for process in running:
            yield from _opened(note, entry, own_grade, process, context)


def processes(entry: Entry, context: Context) -> Iterator[LinkMap]:
    """The programs that have the file in them, itself if it is one; none for a lone plug-in."""
    elf = context.elf(entry)
    if elf is not None and elf.interpreter is not None:
        yield context.link_map(entry)
        return
    for program in context.programs:
        started = context.tree[program]
        if context.is_elf(started):
            link_map = context.link_map(started)
            if any(loaded.real_path == entry.path for loaded in link_map.objects):
                yield link_map


def _opened(
    note: DlopenNote, entry: Entry, grade: Grade, process: LinkMap | None, context: Context
) -> Iterator[Finding]:
    looked: dict[str, None] = {}
    for soname in note.sonames:
        links = context.loader.load_name(soname, entry, needed_in=process)
        absent = [missing for missing in links.missing if missing.name == soname]
        if not absent:
            yield from _loaded(note, links, entry, grade, ALONE if process is None else NEEDED)
            return
        looked.update(dict.fromkeys(where for missing in absent for where in missing.looked))
    if note.priority is Priority.REQUIRED:
        names = " or ".join(note.sonames)
        yield Missing(names, _reason(note, names, entry), Grade.SOFT, tuple(looked))


def _loaded(
    note: DlopenNote, links: LinkMap, entry: Entry, grade: Grade, rule: str
) -> Iterator[Finding]:
    likelihood = _LIKELIHOODS[note.priority]
    for number, loaded in enumerate(links.objects):
        if loaded.by == entry.path and not number:
            reason = _reason(note, loaded.name, entry)
            yield Need(loaded.path, reason, grade, likelihood=likelihood)
        why = Reason(rule, loaded.by, loaded.how)
        yield Need(loaded.path, why, grade, likelihood=likelihood)
    if note.priority is Priority.REQUIRED:
        for missing in links.missing:
            reason = Reason(rule, missing.by, f"DT_NEEDED {missing.name}")
            yield Missing(missing.name, reason, Grade.SOFT, missing.looked, missing.hint)


def _reason(note: DlopenNote, name: str, entry: Entry) -> Reason:
    """`opens libz.so.1 (required): Reads compressed files`."""
    purpose = note.description or note.feature
    told = f": {purpose}" if purpose else ""
    return Reason(_RULE, entry.path, f"opens {name} ({note.priority.value}){told}")
