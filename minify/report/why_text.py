"""The answers of `minify why`, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from shlex import quote

from minify.closure import Grade, Likelihood, Reason
from minify.filetree import Kind
from minify.filetree.entry import IMPLIED
from minify.report.escape import printable
from minify.report.sections import size
from minify.report.why import Answer, Below, Fate, Unanswered

_SHOWN = 8
_DEEPEST = 16
_SHORT = 3
_MOST_STEPS = 20

_MOST_MATCHES = 30

# A container has these, whatever its image has.
_OF_THE_RUNTIME = ("/dev/", "/proc/", "/sys/")
_UNREAD = ("node.unread",)
_PARTS_OF_TREES = (Fate.EXCLUDED, Fate.UNREACHED)

_SURELY = {
    Grade.HARD: "kept: the program surely uses it",
    Grade.SOFT: "kept: the program may use it",
}


def text(answers: Iterable[Answer], *, with_all: bool) -> str:
    """Each answer, an empty line between two; many matches of one glob as a line each.

    `with_all`: nothing is cut off.
    """
    parts: list[Iterable[str]] = []
    for asked, group in groupby(answers, key=lambda answer: answer.asked):
        found = list(group)
        if len(found) > _SHOWN:
            parts.append(_matches(asked, found, with_all))
        else:
            parts += (_lines(answer, with_all) for answer in found)
    return "\n".join("".join(f"{line}\n" for line in part) for part in parts)


def refusals(unanswered: Iterable[Unanswered], *, with_all: bool) -> Iterator[str]:
    """What cannot be answered, and the paths that a name may mean; not escaped yet."""
    for item in unanswered:
        yield f"{item.line}{':' if item.candidates else ''}"
        shown = item.candidates[: None if with_all else _SHOWN]
        yield from (f"  {path} ({fate.value})" for path, fate in shown)
        rest = len(item.candidates) - len(shown)
        if rest:
            yield f"  … and {rest:,} more; --all lists them"


def _matches(asked: str, answers: Sequence[Answer], with_all: bool) -> Iterator[str]:  # noqa: FBT001
    """The matches of a glob: how many have which fate, then a line each, what stays first."""
    fates = list(Fate)
    found = sorted(answers, key=lambda answer: (fates.index(answer.fate), answer.path))
    counted = Counter(answer.fate for answer in found)
    counts = ", ".join(f"{number:,} {fate.value}" for fate, number in counted.items())
    yield f"{printable(asked)} matches {len(found):,} paths: {counts}"
    shown = found[: None if with_all else _MOST_MATCHES]
    width = max(len(answer.fate.value) for answer in shown)
    for answer in shown:
        why = f" ({_reason(answer.reasons[0])})" if answer.reasons else ""
        yield f"  {answer.fate.value:<{width}}  {printable(answer.path)}{why}"
    if len(found) > len(shown):
        yield f"  … and {len(found) - len(shown):,} more; --all lists them"


def _lines(answer: Answer, with_all: bool) -> Iterator[str]:  # noqa: FBT001
    yield f"{printable(answer.path)} is {_fate(answer)}"
    if answer.asked != answer.path:
        yield f"  asked    {printable(answer.asked)}"
    yield from _column("links", [_link(answer, number) for number in range(len(answer.links))])
    yield f"  what     {', '.join(_what(answer))}"
    if answer.packages:
        yield f"  package  {_cut(answer.packages, None if with_all else _SHORT)}"
    if answer.below:
        yield f"  below    {_below(answer.below)}"
    if answer.change:
        yield f"  changed  {printable(answer.change)}"
    if answer.others:
        yield f"  others   {_cut(answer.others, None if with_all else _SHORT)}"
    yield from _because(answer, with_all)
    if not (answer.is_kept or answer.dropped_by or answer.is_dangling):
        yield f"  to keep  --keep {quote(printable(answer.keep_with))}{_or_option(answer)}"


def _fate(answer: Answer) -> str:
    if answer.fate is Fate.ADDED:
        return "added by minify"
    if answer.fate is Fate.KEPT:
        return _SURELY[answer.grade or Grade.SOFT]
    if answer.fate is Fate.LEFT_OUT:
        return f"left out: that it is opened by name is {_likelihood(answer)}"
    if answer.fate is Fate.UNREACHED:
        if answer.reasons and answer.reasons[0].rule in _UNREAD:
            return f"left out: nobody is seen to read it ({printable(answer.reasons[0].detail)})"
        return "left out: no import that is followed reaches it"
    if answer.fate is Fate.EXCLUDED:
        return "excluded: version control data, a cache or a history, no part of the application"
    if not answer.dropped_by:
        return "dropped: nothing that is kept needs it"
    glob = quote(printable(answer.dropped_by))
    needed = {
        None: "and nothing would need it",
        Grade.SOFT: "although the program may use it",
        Grade.HARD: "although the program surely uses it",
    }
    return f"dropped by --drop {glob}, {needed[answer.grade]}"


def _likelihood(answer: Answer) -> str:
    return (answer.likelihood or Likelihood.GUESSED).name.lower()


def _or_option(answer: Answer) -> str:
    """The option that keeps this and others like it."""
    if answer.fate is Fate.LEFT_OUT:
        return f", or --keep-dlopen {_likelihood(answer)}"
    return ", or --level safe" if answer.fate is Fate.UNREACHED else ""


def _column(title: str, lines: Sequence[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"  {'' if number else title:<8} {line}"


def _link(answer: Answer, number: int) -> str:
    link = answer.links[number]
    fate = "" if link.is_kept else ", dropped"
    return f"{printable(link.path)} -> {printable(link.target)}{fate}"


def _what(answer: Answer) -> Iterator[str]:
    entry = answer.entry
    yield f"{entry.kind.value} -> {printable(entry.target)}" if entry.target else entry.kind.value
    if answer.is_dangling:
        is_made = entry.target.startswith(_OF_THE_RUNTIME)
        yield "which the runtime provides" if is_made else "which leads nowhere"
    if entry.kind is Kind.FILE:
        yield f"{entry.size:,} byte{'' if entry.size == 1 else 's'}"
    if entry.kind is not Kind.SYMLINK:
        yield f"mode {entry.mode:04o}"
    yield f"owner {entry.uid}:{entry.gid}"
    if entry.layer != IMPLIED:
        yield f"layer {entry.layer + 1} of {answer.layers}"


def _below(below: Below) -> str:
    kept, source = below.kept, below.source
    if not kept.files and not source.files:
        return "nothing"
    return (
        f"{kept.files:,} of {source.files:,} entries stay,"
        f" {size(kept.bytes)} of {size(source.bytes)}"
    )


def _because(answer: Answer, with_all: bool) -> Iterator[str]:  # noqa: FBT001
    """The chain; more reasons, or how many there are; where it is dropped, who needs it."""
    if answer.chain:
        yield "  because"
        yield f"    {printable(answer.chain[0][1].by)}"
        yield from _steps(answer, with_all)
    shown = answer.chain[-1][1] if answer.chain else None
    rest = [it for it in answer.reasons if it != shown and it.rule not in _UNREAD]
    if not rest:
        return
    if shown and not with_all:
        more = f"{len(rest):,} more reason{'s' if len(rest) > 1 else ''}"
        yield f"  and      {more}; --all lists them"
        return
    if answer.fate in _PARTS_OF_TREES:
        yield from _column("within", list(_trees(rest)))
        return
    evidence = "  evidence" if answer.fate is Fate.LEFT_OUT else "  needed"
    yield "  and also" if shown else evidence
    cut = len(rest) if with_all else _SHOWN
    yield from (f"    {_reason(reason)}" for reason in rest[:cut])
    if len(rest) > cut:
        yield f"    … and {len(rest) - cut:,} more; --all lists them"


def _trees(reasons: Sequence[Reason]) -> Iterator[str]:
    """The directories that stay but for a part of them, and the rules that keep them."""
    for by in dict.fromkeys(reason.by for reason in reasons):
        rules = dict.fromkeys(reason.rule for reason in reasons if reason.by == by)
        yield f"{printable(by)}, which stays otherwise ({', '.join(rules)})"


def _steps(answer: Answer, with_all: bool) -> Iterator[str]:  # noqa: FBT001
    """The chain, a line a step; of a very long one, its beginning and its end."""
    left_out = 0 if with_all else max(0, len(answer.chain) - 2 * _MOST_STEPS)
    for depth, (path, reason) in enumerate(answer.chain):
        indent = "    " + "  " * min(depth, _DEEPEST)
        if not _MOST_STEPS <= depth < _MOST_STEPS + left_out:
            yield f"{indent}└ {printable(path)} ({_short(reason)})"
        elif depth == _MOST_STEPS:
            yield f"{indent}… {left_out:,} more; --all shows them"


def _short(reason: Reason) -> str:
    return f"{reason.rule}: {printable(reason.detail)}"


def _reason(reason: Reason) -> str:
    return f"{_short(reason)}, by {printable(reason.by)}"


def _cut(names: Sequence[str], most: int | None) -> str:
    """The first `most` of `names` and the number of the rest."""
    shown = ", ".join(map(printable, names[:most]))
    rest = len(names) - len(names[:most])
    return f"{shown} and {rest:,} more" if rest else shown
