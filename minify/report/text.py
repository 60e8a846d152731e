"""The summary and the plan, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from minify.closure import KeepSet, Reason
from minify.filetree import Kind
from minify.planning import Plan, PlannedEntry
from minify.report.escape import printable
from minify.report.result import Result

_SHOWN = 8


def summary(result: Result) -> str:
    """Before and after, the user, what was changed on purpose, gaps, and what was written."""
    return "\n".join(_summary(result)) + "\n"


def plan(result: Result) -> str:
    """Every entry that would be written, with its reason, then the summary."""
    lines = [_entry(item, result.plan.keep) for item in result.plan.entries]
    return "\n".join([*lines, "", *_summary(result)]) + "\n"


def _summary(result: Result) -> Iterator[str]:
    decided = result.plan
    before, after = decided.source, decided.size
    ratio = f"{after.bytes / before.bytes:.1%}" if before.bytes else "-"
    yield printable(result.source.name)
    yield f"  size     {size(before.bytes)} → {size(after.bytes)} ({ratio})"
    yield f"  files    {before.files:,} → {after.files:,}"
    yield f"  layers   {len(result.source.layers)} → 1"
    yield f"  user     {_user(decided)}"
    yield f"  command  {_command(decided)}"
    yield from _section("changed", [_change(item) for item in decided.changes])
    yield from _section("gaps", [_gap(gap.reason, gap.hint) for gap in decided.keep.gaps])
    overruled = decided.keep.overruled.items()
    dropped = [f"{printable(path)}: {_reason(kept.reasons[0])}" for path, kept in overruled]
    yield from _section("dropped although needed", dropped)
    if result.reference is None:
        yield "nothing was written"
    elif result.built is not None:
        image_id = result.built.config.digest
        yield f"wrote {printable(result.reference)} (image id {image_id.short})"


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if not lines:
        return
    yield f"  {title} ({len(lines)})"
    yield from (f"    {line}" for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"    … and {len(lines) - _SHOWN} more; --json has all"


def _user(decided: Plan) -> str:
    identity = decided.identity
    written = printable(identity.user) or "root"
    return f"{written}: {printable(identity.why)}"


def _command(decided: Plan) -> str:
    argv = (*decided.config.entrypoint, *decided.config.cmd)
    return printable(" ".join(argv))


def _change(item: PlannedEntry) -> str:
    return f"{printable(item.entry.path)}: {printable(item.change)}"


def _gap(reason: Reason, hint: str) -> str:
    advice = f" — {printable(hint)}" if hint else ""
    return f"{printable(reason.detail)}{advice}"


def _entry(item: PlannedEntry, keep: KeepSet) -> str:
    entry = item.entry
    link = f" -> {printable(entry.target)}" if entry.kind is Kind.SYMLINK else ""
    kept = keep.kept.get(entry.path)
    why = printable(item.change) or (_reason(kept.reasons[0]) if kept else "")
    owner = f"{entry.uid}:{entry.gid}"
    name = f"{printable(entry.path)}{link}"
    return f"{_kind(entry.kind)}{entry.mode:04o} {owner:>11} {entry.size:>12,}  {name}  # {why}"


def _reason(reason: Reason) -> str:
    return f"{reason.rule}: {printable(reason.detail)}, by {printable(reason.by)}"


def _kind(kind: Kind) -> str:
    letters: dict[Kind, str] = {Kind.DIRECTORY: "d", Kind.SYMLINK: "l", Kind.FIFO: "p"}
    letters |= {Kind.CHARACTER: "c", Kind.BLOCK: "b"}
    return letters.get(kind, "-")


def size(number: int) -> str:
    """`number` of bytes in MB of 10^6, as docker prints sizes; small ones in kB."""
    return f"{number / 1e6:,.1f} MB" if number >= 100_000 else f"{number / 1e3:,.1f} kB"
