"""The answers of `minify why`, for programs; docs/report.schema.json describes them."""

from __future__ import annotations

from collections.abc import Sequence

from minify.planning import Plan
from minify.report import running
from minify.report.escape import printable
from minify.report.json import config_change
from minify.report.members import JsonObject, dump, gap, reason, size, source
from minify.report.result import Result
from minify.report.sections import gaps_of_user
from minify.report.user import user
from minify.report.why import Answer, Below, Unanswered


def document(
    result: Result,
    answers: Sequence[Answer],
    unanswered: Sequence[Unanswered] = (),
    *,
    with_user: bool,
) -> str:
    """The answers about paths, and about the user if that was asked for."""
    return dump(
        {
            "source": source(result.source),
            "paths": [_answer(answer) for answer in answers],
            "unanswered": [_unanswered(item) for item in unanswered],
            "identity": _identity(result.plan) if with_user else None,
        }
    )


def _identity(decided: Plan) -> JsonObject:
    return {
        "user": user(decided.identity),
        "config_changes": [config_change(change) for change in decided.config_changes],
        "warnings": [printable(text) for text in decided.warnings],
        "gaps": [gap(item) for item in gaps_of_user(decided)],
        "run": running.document(decided),
    }


def _answer(answer: Answer) -> JsonObject:
    entry = answer.entry
    return {
        "asked": printable(answer.asked),
        "path": printable(answer.path),
        "fate": answer.fate.value,
        "kind": entry.kind.value,
        "mode": f"{entry.mode:04o}",
        "uid": entry.uid,
        "gid": entry.gid,
        "size": entry.size,
        "target": printable(entry.target),
        "dangling": answer.is_dangling,
        "links": [
            {
                "path": printable(link.path),
                "target": printable(link.target),
                "kept": link.is_kept,
            }
            for link in answer.links
        ],
        "others": [printable(path) for path in answer.others],
        "packages": [printable(package) for package in answer.packages],
        "change": printable(answer.change),
        "grade": None if answer.grade is None else answer.grade.name.lower(),
        "reasons": [reason(item) for item in answer.reasons],
        "chain": [{"path": printable(path), "reason": reason(why)} for path, why in answer.chain],
        "below": _below(answer.below) if answer.below else None,
        "likelihood": None if answer.likelihood is None else answer.likelihood.name.lower(),
        "dropped_by": printable(answer.dropped_by) or None,
        "keep_with": answer.keep_with,
    }


def _unanswered(item: Unanswered) -> JsonObject:
    return {
        "asked": printable(item.asked),
        "problem": printable(item.problem),
        "candidates": [
            {"path": printable(path), "fate": fate.value} for path, fate in item.candidates
        ],
    }


def _below(below: Below) -> JsonObject:
    return {"kept": size(below.kept), "source": size(below.source)}
