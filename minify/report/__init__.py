"""A result as text: one module per format, and the table of them.

`why` answers questions about an `Explanation`: the answers are values, which `why_text` and
`why_json` write; `user_text` tells about the user.

Whatever came from an image is escaped (`escape.printable`) before it is printed.
"""

from collections.abc import Callable, Mapping

from minify.report import json, text
from minify.report.explanation import Explanation
from minify.report.result import IndexResult, PlatformResult, Result

FORMATS: Mapping[str, Callable[[Result | IndexResult], str]] = {
    "summary": text.summary,
    "plan": text.plan,
    "json": json.document,
}
"""What can be printed of a result, by name."""

__all__ = ["FORMATS", "Explanation", "IndexResult", "PlatformResult", "Result"]
