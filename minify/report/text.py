"""The summary and the plan, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from minify.closure import KeepSet
from minify.errors import UsageError
from minify.filetree import Kind
from minify.image import Image
from minify.image.reference import Reference, Transport, checked_name
from minify.planning import LevelSize, Plan, PlannedEntry
from minify.report import publishing, running
from minify.report.escape import printable
from minify.report.result import IndexResult, Result
from minify.report.sections import (
    change_sections,
    left_out_sections,
    reason,
    rejected_section,
    run_lines,
    size,
    user_sections,
    warning_sections,
)

_SHOWN = 8
_NAMED = {Transport.DOCKER_DAEMON, Transport.REGISTRY}


def summary(result: Result | IndexResult) -> str:
    """Before and after, the user, what was changed on purpose, gaps, how to run it."""
    if isinstance(result, IndexResult):
        return _index(result, _summary)
    return "\n".join((*_summary(result), *_outcome(result))) + "\n"


def plan(result: Result | IndexResult) -> str:
    """Every entry that would be written, with its reason, then the summary and a pod's YAML."""
    if isinstance(result, IndexResult):
        return _index(result, _plan)
    return "\n".join((*_plan(result), *_outcome(result))) + "\n"


def _plan(result: Result) -> Iterator[str]:
    yield from (_entry(item, result.plan.keep) for item in result.plan.entries)
    yield ""
    yield from _summary(result)
    yield from pod_lines(result.plan)


def _index(index: IndexResult, shown: Callable[[Result], Iterable[str]]) -> str:
    """What `shown` says of each platform, and what came of them together."""
    lines = [line for one in index.results for line in shown(one.result)]
    lines += _left_out(index.source, index.skipped)
    platforms = ", ".join(printable(str(one.platform)) for one in index.results)
    if index.reference is None or index.digest is None:
        lines.append(f"nothing was written; it would be an index of {platforms}")
    else:
        digest = index.digest.short
        lines.append(f"wrote {printable(index.reference)} (index {digest}: {platforms})")
    return "\n".join(lines) + "\n"


def _left_out(name: str, skipped: Iterable[str]) -> Iterator[str]:
    """What else the source's index has."""
    yield from (f"left out of {printable(name)}: {printable(text)}" for text in skipped)


def _source_digest(source: Image) -> Iterator[str]:
    """What a tag of a registry led to, for it may lead elsewhere tomorrow."""
    digest = source.index_digest or source.manifest_digest
    is_tag = source.name.startswith("docker://") and "@" not in source.name
    if is_tag and digest is not None:
        yield f"  digest   {digest}"


def _summary(result: Result) -> Iterator[str]:
    decided = result.plan
    before, after = decided.source, decided.size
    ratio = f"{after.bytes / before.bytes:.1%}" if before.bytes else "-"
    yield printable(result.source.name)
    yield from _source_digest(result.source)
    yield f"  size     {size(before.bytes)} → {size(after.bytes)} ({ratio}), content of all files"
    if decided.levels:
        yield f"  level    {', '.join(map(_level, decided.levels))}"
    yield f"  files    {before.files:,} → {after.files:,}"
    yield f"  layers   {len(result.source.layers)} → 1"
    yield f"  user     {_user_or_gap(decided)}"
    yield f"  command  {_command(decided)}"
    if not _tells_of_rejected(decided):
        yield from rejected_section(decided).shown(_SHOWN)
    for section in (
        *warning_sections(decided),
        *user_sections(decided),
        *change_sections(decided),
        *left_out_sections(decided),
    ):
        yield from section.shown(_SHOWN)
    yield from run_lines(decided, _image_name(result), _archive(result))


def _level(item: LevelSize) -> str:
    if item.is_chosen:
        return f"{item.level.value} (this)"
    return f"{item.level.value} about {size(item.bytes)}"


def _tells_of_rejected(decided: Plan) -> bool:
    """Whether the line about the user says already why it is no other."""
    identity = decided.identity
    return all(text in identity.why for who in identity.rejected for text in who.refusals)


def _outcome(result: Result) -> Iterator[str]:
    yield from _left_out(result.source.name, result.skipped)
    if result.reference is None:
        yield "nothing was written"
    elif result.built is not None:
        image_id = result.built.config.digest
        stored = sum(layer.size or 0 for layer in result.built.layers)
        # A daemon unpacks what it is given.
        is_stored = Reference.parse(result.reference).transport is not Transport.DOCKER_DAEMON
        shown = f", {size(stored)} stored" if is_stored else ""
        yield f"wrote {printable(result.reference)} (image id {image_id.short}{shown})"


def user(decided: Plan) -> str:
    """USER, its name and why it is this one."""
    identity = decided.identity
    written = printable(identity.user) or "root"
    is_told = not identity.name or identity.name == written or identity.user == ""
    name = "" if is_told else f" ({printable(identity.name)})"
    return f"{written}{name}: {printable(identity.why)}"


def _user_or_gap(decided: Plan) -> str:
    """The same, shortly where a gap says why it is root."""
    if any(gap.reason.rule == "identity.root" for gap in decided.gaps):
        return "root: nobody else could run it, as a gap below says"
    return user(decided)


def pod_lines(decided: Plan) -> Iterator[str]:
    """What a pod needs, to be copied into its `spec`."""
    yield "  in a pod's spec"
    yield from (f"    {line}" for line in running.pod(decided).splitlines())


def _image_name(result: Result) -> str:
    """What docker calls the result; a word in its place where it has no name yet."""
    if result.reference is None:
        return publishing.UNNAMED
    reference = Reference.parse(result.reference)
    name = reference.location
    if reference.transport is Transport.DOCKER_ARCHIVE:
        name = name.partition(":")[2]
    elif reference.transport not in _NAMED:
        return publishing.UNNAMED
    try:
        return checked_name(name)
    except UsageError:
        return publishing.UNNAMED


def _archive(result: Result) -> str:
    """The file that docker has to load before it has the result; empty where there is none."""
    reference = Reference.parse(result.reference) if result.reference else None
    if reference is None or reference.transport is not Transport.DOCKER_ARCHIVE:
        return ""
    path = reference.location.partition(":")[0]
    return path if path.isprintable() else ""


def _command(decided: Plan) -> str:
    return printable(" ".join(decided.config.argv))


def _entry(item: PlannedEntry, keep: KeepSet) -> str:
    entry = item.entry
    link = f" -> {printable(entry.target)}" if entry.kind is Kind.SYMLINK else ""
    kept = keep.kept.get(entry.path)
    why = printable(item.change) or (reason(kept.reasons[0]) if kept else "")
    owner = f"{entry.uid}:{entry.gid}"
    name = f"{printable(entry.path)}{link}"
    return f"{_kind(entry.kind)}{entry.mode:04o} {owner:>11} {entry.size:>12,}  {name}  # {why}"


def _kind(kind: Kind) -> str:
    letters: dict[Kind, str] = {Kind.DIRECTORY: "d", Kind.SYMLINK: "l", Kind.FIFO: "p"}
    letters |= {Kind.CHARACTER: "c", Kind.BLOCK: "b"}
    return letters.get(kind, "-")
