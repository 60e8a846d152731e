"""The decision: every entry that will be written, the configuration, the user, and why.

A plan is complete before a byte is written. What is shown (`--dry-run`, `why`), what is built and
what is checked afterwards are this one value.

    plan = make_plan(tree, config, keep, identity, PlanOptions(keep_setuid=True))
    plan.entries             # each with its changes: `mode 4755 → 0755: setuid stripped`
    plan.config_changes      # `USER root → 10001: the default: not root`
    plan.advice              # what to mount, which capabilities to add, for a hardened runtime
"""

from minify.planning.advice import Advice, Mount, MountKind
from minify.planning.configuration import ConfigChange, is_minified
from minify.planning.decision import PlanOptions, described_missing, make_plan
from minify.planning.levels import level_sizes
from minify.planning.plan import Change, ChangeKind, LevelSize, Plan, PlannedEntry, Size

__all__ = [
    "Advice",
    "Change",
    "ChangeKind",
    "ConfigChange",
    "LevelSize",
    "Mount",
    "MountKind",
    "Plan",
    "PlanOptions",
    "PlannedEntry",
    "Size",
    "described_missing",
    "is_minified",
    "level_sizes",
    "make_plan",
]
