"""What must stay, and why.

Roots (`roots`: the configuration; `patterns`: the user) and analyzers yield findings (`finding`):
a `Need` with a reason, a grade and a likelihood, a `Missing`, a `Gap`; `RunsAs`, `Writes` and
`NeedsRoot` are for `identity` to decide from. `solver.solve` follows them to a fixpoint and gives a
`KeepSet`, which can say for every path why it is in it:

    keep = solve(roots.findings, ANALYZERS, context)
    keep.kept["/usr/lib/x86_64-linux-gnu/libz.so.1.2.13"].reasons
    keep.why("/usr/lib/x86_64-linux-gnu/libz.so.1.2.13")     # back to the entrypoint
    keep.missing                                               # hard, so the image is refused
    keep.left_out                                              # too unlikely, and what it costs
    keep.excluded                                              # no part of a tree that is kept
"""

from minify.closure.analyzer import Analyzer, Context, ImageRule
from minify.closure.finding import (
    CONFIG,
    EVERYBODY,
    UNKNOWN_INTERPRETER,
    USER,
    ByName,
    Finding,
    Gap,
    Grade,
    Likelihood,
    Missing,
    Need,
    NeedsRoot,
    Reason,
    RunsAs,
    Unread,
    Writes,
    Written,
    told,
)
from minify.closure.keepset import Excluded, KeepSet, Kept, LeftOut
from minify.closure.pruning import Level, Pruner, Pruning
from minify.closure.solver import solve

__all__ = [
    "CONFIG",
    "EVERYBODY",
    "UNKNOWN_INTERPRETER",
    "USER",
    "Analyzer",
    "ByName",
    "Context",
    "Excluded",
    "Finding",
    "Gap",
    "Grade",
    "ImageRule",
    "KeepSet",
    "Kept",
    "LeftOut",
    "Level",
    "Likelihood",
    "Missing",
    "Need",
    "NeedsRoot",
    "Pruner",
    "Pruning",
    "Reason",
    "RunsAs",
    "Unread",
    "Writes",
    "Written",
    "solve",
    "told",
]
