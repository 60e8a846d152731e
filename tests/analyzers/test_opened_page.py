"""docs/rules.md says what the table says."""

from __future__ import annotations

from pathlib import Path

from minify.analyzers.opened.described import described, page

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"


def test_the_page_is_written_from_the_table() -> None:
    # To write it: print(page(), end="")
    assert _PAGE.read_text() == page()


def test_every_rule_says_its_evidence_and_its_cost() -> None:
    assert [rule.name for rule in described() if not (rule.evidence and rule.cost)] == []
    lines = page().splitlines()
    assert {line.count(" | ") for line in lines if line.startswith("| ")} == {5}
