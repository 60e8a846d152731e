"""An image in, what is said of it out."""

from __future__ import annotations

from filetree.kit import Members, file, image_of

import minify
from minify.image.jsontext import Json
from minify.pipeline import Options, explain_image
from minify.report import Explanation
from minify.report.why_text import text

TOOL = file("bin/tool", "\x7f", mode=0o755)
APP = file("app", "#!/bin/tool\n", mode=0o755)
RUN: dict[str, Json] = {"Cmd": ["/app"]}


def explained(
    *layers: Members, run: dict[str, Json] | None = None, options: Options | None = None
) -> Explanation:
    return explain_image(image_of(run or RUN, *layers), options or Options())


def why(explanation: Explanation, *asked: str, with_all: bool = False) -> str:
    """What is printed; to be compared with an indented text."""
    return text(minify.why(explanation, *asked), with_all=with_all)
