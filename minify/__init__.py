"""minify: any container image in, a small, non-root, scratch-based image out that still runs.

    from minify import minify, plan, Options

    result = minify("docker-archive:app.tar", "oci:slim:latest", Options(user="keep"))
    result.plan.identity.why

    explanation = explain("docker-archive:app.tar", Options(user="keep"))
    why(explanation, "/usr/bin/perl", "libz.so.1")    # an Answer each, as `minify why` prints it

Images are read, never run. Every error that a user can cause is a `MinifyError`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minify.errors import (
        CheckError,
        ClosureError,
        ImageError,
        MinifyError,
        OutputError,
        UsageError,
    )
    from minify.pipeline import Options, explain, minify, plan
    from minify.report import Explanation, Result
    from minify.report.why import Answer, why

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "CheckError",
    "ClosureError",
    "Explanation",
    "ImageError",
    "MinifyError",
    "Options",
    "OutputError",
    "Result",
    "UsageError",
    "__version__",
    "explain",
    "minify",
    "plan",
    "why",
]

_HOMES = {
    "Answer": "report.why",
    "Explanation": "report",
    "Options": "pipeline",
    "Result": "report",
    "explain": "pipeline",
    "minify": "pipeline",
    "plan": "pipeline",
    "why": "report.why",
}


def __getattr__(name: str) -> object:
    """Imports what is asked for, so that the command can answer Ctrl-C from its first moment on."""
    if name not in __all__:
        raise AttributeError(f"module 'minify' has no attribute {name!r}")
    return getattr(import_module(f"minify.{_HOMES.get(name, 'errors')}"), name)
