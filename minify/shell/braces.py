"""Brace expansion: `{a,b}`, which bash does before all other.

https://www.gnu.org/software/bash/manual/html_node/Brace-Expansion.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from minify.shell.syntax import Literal, Word

_BRACES = re.compile(r"\{([^{}]*+)\}")
_MOST_BRACES = 64


def braced(word: Word) -> Iterator[Word]:
    """The words that `{a,b}` makes of one."""
    pending = [word]
    made = 0
    while pending:
        one = pending.pop()
        found = _first_brace(one) if made < _MOST_BRACES else None
        if found is None:
            yield one
            continue
        at, start, items, end = found
        before, after = one.parts[:at], one.parts[at + 1 :]
        made += len(items)
        pending += [
            Word((*before, Literal(start + item + end), *after), one.line)
            for item in reversed(items)
        ]


def _first_brace(word: Word) -> tuple[int, str, list[str], str] | None:
    for at, part in enumerate(word.parts):
        if isinstance(part, Literal) and not part.is_quoted:
            for match in _BRACES.finditer(part.text):
                if "," in match[1]:
                    start, end = part.text[: match.start()], part.text[match.end() :]
                    return at, start, match[1].split(","), end
    return None
