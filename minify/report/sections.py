"""What a plan decided about the user and changed on purpose, as titled lists of lines.

Every line is escaped already. The summary cuts the lists, `minify why IMAGE --user` does not.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TypeVar

from minify.closure import UNKNOWN_INTERPRETER, Excluded, Gap, Grade, LeftOut, Likelihood, Reason
from minify.filetree import ImagePath
from minify.filetree.path import is_within
from minify.identity import Given, Rejected, Withheld
from minify.planning import Change, ChangeKind, ConfigChange, Plan, PlannedEntry
from minify.report import running
from minify.report.escape import printable
from minify.report.lookup import pattern

_Item = TypeVar("_Item")

_WIDTH = 100
# A label may be a document.
_LONGEST = 300

_BY_KIND: tuple[tuple[str, frozenset[ChangeKind]], ...] = (
    ("opened to the user's group", frozenset({ChangeKind.OPENED})),
    ("setuid and setgid bits removed", frozenset({ChangeKind.SETUID})),
    ("file capabilities removed", frozenset({ChangeKind.CAPABILITY})),
    ("not writable by everybody any more", frozenset({ChangeKind.WORLD_WRITABLE})),
    (
        "added or rewritten",
        frozenset({ChangeKind.ADDED, ChangeKind.ACCOUNTS, ChangeKind.TEMPORARY}),
    ),
)


@dataclass(frozen=True, slots=True)
class Section:
    """A title, and a line for each thing below it."""

    title: str
    lines: tuple[str, ...]

    def shown(self, most: int | None = None) -> Iterator[str]:
        """The section as text, its first `most` lines; nothing if there are none."""
        if not self.lines:
            return
        yield f"  {self.title} ({len(self.lines):,})"
        yield from (f"    {line}" for line in self.lines[:most])
        rest = len(self.lines) - len(self.lines[:most])
        if rest:
            yield f"    … and {rest:,} more; --json has all"


def rejected_section(plan: Plan) -> Section:
    """Who was considered before the user, best first, and why it is not them."""
    return _section("users that could not run it", _rejected, plan.identity.rejected)


def user_sections(plan: Plan) -> tuple[Section, ...]:
    """What became the user's own, and what it cannot write to."""
    identity = plan.identity
    return (
        Section("the user's own now", (*map(_given, identity.given), *_given_besides(plan))),
        _section("the program writes there, the user cannot", _withheld, identity.withheld),
    )


def change_sections(plan: Plan) -> tuple[Section, ...]:
    """What else was changed on purpose, a section for each purpose."""
    changes = (change for change in plan.config_changes if change.name != "USER")
    return (
        *(Section(title, tuple(_changes(plan, kinds))) for title, kinds in _BY_KIND),
        _section("configuration", config_change, changes),
    )


def warning_sections(plan: Plan) -> tuple[Section, ...]:
    """What may be missing or not work, and what the user of minify should know."""
    return (
        gaps_section(plan.gaps),
        *overruled_sections(plan),
        _section("warnings", printable, plan.warnings),
        interpreters_section(plan),
    )


def gaps_section(gaps: Iterable[Gap]) -> Section:
    """What could not be followed or will not work."""
    return _section("gaps: what may be missing or not work", gap, gaps)


def left_out_sections(plan: Plan) -> tuple[Section, ...]:
    """What stays out although something may look for it, by the option that keeps it."""
    return (excluded_section(plan), unreached_section(plan), left_out_section(plan))


def overruled_sections(plan: Plan) -> tuple[Section, ...]:
    """What `--drop` took although it is needed, what is surely used first; a line a reason."""
    titles = {
        Grade.HARD: "dropped although the program surely uses it",
        Grade.SOFT: "dropped although the program may use it",
    }
    return tuple(Section(titles[grade], tuple(_overruled(plan, grade))) for grade in titles)


def _overruled(plan: Plan, grade: Grade) -> Iterator[str]:
    by_reason: dict[Reason, list[str]] = {}
    for path, kept in plan.keep.overruled.items():
        if kept.grade is grade:
            by_reason.setdefault(kept.reasons[0], []).append(path)
    for why, paths in by_reason.items():
        yield f"{_first(paths)}: {reason(why)}"


def _first(paths: Sequence[str]) -> str:
    """The first of `paths`, escaped, and the number of the rest."""
    shown = printable(paths[0])
    return shown if len(paths) == 1 else f"{shown} and {len(paths) - 1:,} more"


def interpreters_section(plan: Plan) -> Section:
    """The interpreters that no rule knows, each with the trees that it keeps whole."""
    trees: dict[str, list[str]] = {}
    for path, kept in plan.keep.kept.items():
        for why in kept.reasons:
            # What is below such a tree names the tree, which it is in.
            if why.rule == UNKNOWN_INTERPRETER and not is_within(path, ImagePath(why.by)):
                trees.setdefault(why.by, []).append(path)
    return Section(
        "interpreters that no rule knows, their libraries kept whole",
        tuple(_interpreter(by, paths) for by, paths in trees.items()),
    )


def _interpreter(program: str, paths: Iterable[str]) -> str:
    return f"{printable(program)}: {', '.join(map(printable, dict.fromkeys(paths)))}"


def left_out_section(plan: Plan) -> Section:
    """What may be opened by name and is not likely enough: a line a rule, dear ones first."""
    by_rule: dict[tuple[str, Likelihood], list[LeftOut]] = {}
    for item in plan.keep.left_out:
        by_rule.setdefault((item.reasons[0].rule, item.likelihood), []).append(item)
    groups = sorted(by_rule.items(), key=lambda group: (-_bytes(group[1]), group[0]))
    least = min((likelihood for _, likelihood in by_rule), default=Likelihood.GUESSED)
    word = least.name.lower()
    return Section(
        f"may be opened by name, left out; --keep-dlopen {word} keeps all of it",
        tuple(_left_out(rule, likelihood, items) for (rule, likelihood), items in groups),
    )


def _left_out(rule: str, likelihood: Likelihood, items: Sequence[LeftOut]) -> str:
    files = sum(item.files for item in items)
    cost = f"{files:,} file{'s' if files > 1 else ''}, {size(_bytes(items))}"
    shown = _first([item.path for item in items])
    return f"{rule} ({likelihood.name.lower()}): {shown}: {cost}"


def excluded_section(plan: Plan) -> Section:
    """What in directories that stay whole is not the application's, dear ones first."""
    found = sorted(plan.keep.excluded, key=lambda item: (-item.bytes, item.path))
    return _section("excluded, no part of the application", _excluded, found)


def unreached_section(plan: Plan) -> Section:
    """How much of each library's directory no import reaches, dear ones first."""
    found = sorted(plan.keep.unreached, key=lambda item: (-item.bytes, item.path))
    return _section("no import reaches this; --level safe keeps it", _unreached, found)


def _unreached(item: Excluded) -> str:
    files = f"{item.files:,} file{'s' if item.files > 1 else ''}"
    return f"{files}, {size(item.bytes)}, of {printable(item.path)}"


def _excluded(item: Excluded) -> str:
    cost = f"{item.files:,} file{'s' if item.files > 1 else ''}, {size(item.bytes)}"
    return f"{printable(item.path)}: {cost}; --keep {quote(pattern(item.path))} keeps it"


def _bytes(items: Iterable[LeftOut]) -> int:
    return sum(item.bytes for item in items)


def size(number: int) -> str:
    """`number` of bytes in MB of 10^6, as docker prints sizes; small ones in kB."""
    return f"{number / 1e6:,.1f} MB" if number >= 100_000 else f"{number / 1e3:,.1f} kB"


def gaps_of_user(plan: Plan) -> tuple[Gap, ...]:
    """Those that are about the user and what it is allowed, not about what could be followed."""
    return tuple(
        gap for gap in plan.gaps if gap.reason.rule.startswith(("identity.", "hardening."))
    )


def run_lines(plan: Plan, image: str, archive: str = "") -> Iterator[str]:
    """The `docker run` line, and what it cannot say for itself; `archive` is loaded first."""
    yield "  run it with"
    if archive:
        yield f"    docker load --input={quote(archive)}"
    yield f"    {running.docker_run(plan, image)}"
    for sentence in running.explanations(plan):
        yield from wrapped(sentence, "    ")


def wrapped(text: str, indent: str) -> list[str]:
    """A sentence over several lines; one long word stays whole, so that it can be copied."""
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=f"{indent}- ",
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def reason(reason: Reason) -> str:
    """`rule: detail, by path`."""
    return f"{reason.rule}: {printable(reason.detail)}, by {printable(reason.by)}"


def gap(gap: Gap) -> str:
    """What could not be followed, and what can be done."""
    advice = f" — {printable(gap.hint)}" if gap.hint else ""
    return f"{printable(gap.reason.detail)}{advice}"


def config_change(change: ConfigChange) -> str:
    """`ENV A=1 added`, cut where it is a whole document."""
    text = printable(change.text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _section(title: str, line: Callable[[_Item], str], items: Iterable[_Item]) -> Section:
    return Section(title, tuple(map(line, items)))


def _rejected(rejected: Rejected) -> str:
    return f"{printable(rejected.user)}: {'; '.join(map(printable, rejected.refusals))}"


def _given(given: Given) -> str:
    inside = " and what is in it" if given.is_tree else ""
    made = ", made" if given.is_new else ""
    return f"{printable(given.path)}{inside}{made}: {_evidence(given.reason, given.path)}"


def _given_besides(plan: Plan) -> Iterator[str]:
    """What became the user's for another reason than a path that is given."""
    paths = {given.path for given in plan.identity.given}
    trees = [given.path for given in plan.identity.given if given.is_tree]
    for item in plan.changes:
        path = item.entry.path
        if path in paths or any(is_within(path, tree) for tree in trees):
            continue
        yield from _changes_of(item, frozenset({ChangeKind.GIVEN}))


def _withheld(withheld: Withheld) -> str:
    evidence = _evidence(withheld.reason, withheld.path)
    return f"{printable(withheld.path)}: {evidence}; {printable(withheld.why)}"


def _evidence(reason: Reason, path: str) -> str:
    """What says so of `path`, with its file unless that is among the words already."""
    is_told = not reason.by.startswith("/") or reason.by == path or reason.by in reason.detail
    by = "" if is_told else f", by {printable(reason.by)}"
    return f"{printable(reason.detail)}{by}"


def _changes(plan: Plan, kinds: frozenset[ChangeKind]) -> Iterator[str]:
    # That these are made is told with what is the user's own.
    made = {given.path for given in plan.identity.given if given.is_new}
    changes = (item for item in plan.changes if item.entry.path not in made)
    return (line for item in changes for line in _changes_of(item, kinds))


def _changes_of(item: PlannedEntry, kinds: frozenset[ChangeKind]) -> Iterator[str]:
    found: list[Change] = [change for change in item.changes if change.kind in kinds]
    if found:
        text = "; ".join(printable(change.text) for change in found)
        yield f"{printable(item.entry.path)}: {text}"
