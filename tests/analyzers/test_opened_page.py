"""docs/rules.md says what the table says."""

from __future__ import annotations

from pathlib import Path

from analyzers.alone.cases import CASES
from minify.analyzers.opened.described import described, page

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"

_RUN = {case.rule for case in CASES}


def test_the_page_is_written_from_the_table() -> None:
    # To write it: print(page(_RUN), end="")
    assert _PAGE.read_text() == page(_RUN)


def test_every_rule_says_its_evidence_and_its_cost() -> None:
    assert [rule.name for rule in described() if not (rule.evidence and rule.cost)] == []
    lines = page(_RUN).splitlines()
    assert {line.count(" | ") for line in lines if line.startswith("| ")} == {6}


def test_what_is_run_is_a_row() -> None:
    assert {rule.row for rule in described()} >= _RUN
