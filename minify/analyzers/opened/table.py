"""The whole table. docs/rules.md is written from it; a test says when it is not."""

from __future__ import annotations

from minify.analyzers.opened import c_library, data, desktop, security
from minify.analyzers.opened.rule import Rule

RULES: tuple[Rule, ...] = (
    *c_library.RULES,
    *security.RULES,
    *data.RULES,
    *desktop.RULES,
)
