"""minify: any container image in, a small, non-root, scratch-based image out that still runs.

    from minify import minify, plan, Options

    result = minify("docker-archive:app.tar", "oci:slim:latest", Options(user="keep"))
    result.plan.keep.why("/usr/lib/x86_64-linux-gnu/libz.so.1.2.13")

Images are read, never run. Every error that a user can cause is a `MinifyError`.
"""

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
