"""The decision: every entry that will be written, the configuration, the user, and why.

A plan is complete before a byte is written. What is shown (`--dry-run`, `why`), what is built and
what is checked afterwards are this one value.
"""

from minify.planning.decision import described_missing, is_minified, make_plan
from minify.planning.plan import Plan, PlannedEntry, Size

__all__ = ["Plan", "PlannedEntry", "Size", "described_missing", "is_minified", "make_plan"]
