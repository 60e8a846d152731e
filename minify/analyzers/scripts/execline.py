"""Scripts of execline, by which s6 starts services: a chain of programs, each the next one's head.

https://skarnet.org/software/execline/grammar.html
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from minify.closure import Context, Finding, Grade, Need, Reason
from minify.filetree import Entry
from minify.filetree.path import decoded

NAME = "execlineb"

_LARGEST = 1 << 16
_MOST_WORDS = 2000
_LONGEST_LINE = 64
_COMMENT = re.compile(r"^[ \t]*+#.*$", re.MULTILINE)


def lines(entry: Entry, context: Context) -> Iterator[tuple[str, ...]]:
    """Each word that is the name of a command, with those behind it.

    Which words are operands only each program knows; one that is a command's name may be one.
    """
    text = _COMMENT.sub("", decoded(context.tree.read(entry, _LARGEST)))
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    for at, word in enumerate(words[:_MOST_WORDS]):
        found = context.executable(word) if word.startswith("/") else context.command(word)
        if found and (word.startswith("/") or "/" not in word):
            yield tuple(words[at : at + _LONGEST_LINE])


def analyze(entry: Entry, context: Context) -> Iterator[Finding]:
    """The commands of a script of execline."""
    for words in lines(entry, context):
        found = context.command(words[0])
        if found:
            reason = Reason("script.command", entry.path, f"runs {words[0]}")
            yield Need(found.path, reason, Grade.HARD)
