"""Texts in a file, found piece by piece in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from minify.closure import Context
from minify.filetree import Entry
from minify.filetree.path import decoded

_LONGEST = 4096
_MOST = 20_000
_LARGEST_TEXT = 1 << 20


def matches(
    entry: Entry, context: Context, *patterns: re.Pattern[bytes]
) -> tuple[tuple[str, ...], ...]:
    """What each of `patterns` matches in the file, each text once, in order; read in one go.

    A match has at most 4,096 bytes, and what it looks ahead for is one more.
    """
    return context.remembered(
        (entry.path, *patterns), lambda: _matches(context.tree.chunks(entry), patterns)
    )


def _matches(
    chunks: Iterable[bytes], patterns: Sequence[re.Pattern[bytes]]
) -> tuple[tuple[str, ...], ...]:
    found: list[dict[bytes, None]] = [{} for _ in patterns]
    for window in _windows(chunks, _LONGEST + 2):
        for pattern, texts in zip(patterns, found, strict=True):
            room = _MOST - len(texts)
            texts.update((match[0], None) for match in islice(pattern.finditer(window), room))
    return tuple(tuple(decoded(text).strip("\0") for text in texts) for texts in found)


def contained(entry: Entry, context: Context, wanted: tuple[bytes, ...]) -> frozenset[bytes]:
    """Which of `wanted` the file contains."""
    return context.remembered(
        (entry.path, wanted), lambda: _contained(context.tree.chunks(entry), wanted)
    )


def _contained(chunks: Iterable[bytes], wanted: tuple[bytes, ...]) -> frozenset[bytes]:
    longest = max(map(len, wanted), default=0)
    found: set[bytes] = set()
    for window in _windows(chunks, longest):
        found.update(text for text in wanted if text in window)
    return frozenset(found)


def _windows(chunks: Iterable[bytes], overlap: int) -> Iterator[bytes]:
    """The pieces, each with the end of what came before it; the first begins with a NUL."""
    tail = b"\0"
    for chunk in chunks:
        window = tail + chunk
        yield window
        tail = window[-overlap:]


def lines_of(path: str, context: Context) -> Iterator[str]:
    """The lines of a small text file, continued ones joined and `#` comments gone; maybe none."""
    entry = context.tree.file(path)
    text = decoded(context.tree.read(entry, _LARGEST_TEXT)) if entry else ""
    for line in text.replace("\\\n", " ").splitlines():
        plain = line.partition("#")[0].strip()
        if plain:
            yield plain
