"""The answer of `minify why IMAGE --user`, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from minify.planning import Plan
from minify.report.escape import printable
from minify.report.publishing import UNNAMED
from minify.report.result import Result
from minify.report.sections import (
    Section,
    change_sections,
    gaps_of_user,
    gaps_section,
    rejected_section,
    run_lines,
    user_sections,
)
from minify.report.text import pod_lines, user
from minify.report.user import account_names


def text(result: Result) -> str:
    """The user, why it is this one, and all that was done for it; nothing is cut off."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Result) -> Iterator[str]:
    decided = result.plan
    identity = decided.identity
    yield f"user {user(decided)}"
    yield f"  source   {printable(result.source.config.user) or 'root'}"
    yield f"  ids      {_ids(decided)}"
    yield f"  home     {_home(decided)}"
    yield f"  passwd   {_accounts(identity.passwd)}"
    yield f"  group    {_accounts(identity.group)}"
    if identity.shadow is not None:
        yield f"  shadow   {_accounts(identity.shadow)}"
    sections = (
        rejected_section(decided),
        gaps_section(gaps_of_user(decided)),
        Section("warnings", tuple(map(printable, decided.warnings))),
        *user_sections(decided),
        *change_sections(decided),
    )
    for section in sections:
        yield from section.shown()
    yield from run_lines(decided, UNNAMED)
    yield from pod_lines(decided)


def _ids(decided: Plan) -> str:
    identity = decided.identity
    more = sorted(identity.groups - {identity.gid})
    groups = f", groups {', '.join(map(str, more))}" if more else ""
    anybody = "; any other number with group 0 does too" if identity.is_arbitrary else ""
    return f"uid {identity.uid}, gid {identity.gid}{groups}{anybody}"


def _home(decided: Plan) -> str:
    home = decided.config.env.get("HOME")
    if home is None:
        return "as /etc/passwd has it"
    how = "set, as the program had it" if decided.identity.home is not None else "the image's ENV"
    return f"{printable(home)} ({how})"


def _accounts(lines: Sequence[str] | None) -> str:
    if lines is None:
        return "as the source has it"
    return printable(", ".join(account_names(lines))) or "no entry"
