"""minify: any container image in, a small, non-root, scratch-based image out that still runs.

    from minify import minify, plan, Options

    result = minify("docker-archive:app.tar", "oci:slim:latest", Options(user="keep"))
    result.plan.keep.why("/usr/lib/x86_64-linux-gnu/libz.so.1.2.13")

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
    from minify.pipeline import Options, minify, plan
    from minify.report import Result

__version__ = "0.1.0"

__all__ = [
    "CheckError",
    "ClosureError",
    "ImageError",
    "MinifyError",
    "Options",
    "OutputError",
    "Result",
    "UsageError",
    "__version__",
    "minify",
    "plan",
]

_HOMES = {"Options": "pipeline", "Result": "report", "minify": "pipeline", "plan": "pipeline"}


def __getattr__(name: str) -> object:
    """Imports what is asked for, so that the command can answer Ctrl-C from its first moment on."""
    if name not in __all__:
        raise AttributeError(f"module 'minify' has no attribute {name!r}")
    return getattr(import_module(f"minify.{_HOMES.get(name, 'errors')}"), name)
