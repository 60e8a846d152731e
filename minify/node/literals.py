"""The literals of a JavaScript text, and the text with a number in each one's place.

What a program asks for stands in few forms (`require("x")`, `import … from "x"`), so no syntax
tree is needed: only what is a comment, a string, a template or a regular expression must be known
before. https://tc39.es/ecma262/#sec-ecmascript-language-lexical-grammar
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

_STRING = re.compile(
    r"""
    "(?:[^"\\\n\r]++|\\(?:\r\n|[\s\S]))*+"
    | '(?:[^'\\\n\r]++|\\(?:\r\n|[\s\S]))*+'
    """,
    re.VERBOSE,
)
_NEXT = re.compile("[\"'`/]")
_NEXT_INSIDE = re.compile("[\"'`/{}]")
_CHUNK = re.compile(r"(?:[^`\\$]++|\\[\s\S]|\$(?!\{))*+")
_REGEX = re.compile(r"/(?:[^/\\\[\n\r]++|\\[^\n\r]|\[(?:[^\]\\\n\r]++|\\[^\n\r])*+\])++/[A-Za-z]*+")
_WORD_BEFORE = re.compile(r"[\w$]++\Z")
_BEFORE_REGEX = frozenset(
    "return typeof case in of delete void throw new instanceof do else yield await".split()
)
_ESCAPE = re.compile(
    r"\\(?:x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4})|u\{([\dA-Fa-f]{1,6})\}|\r\n|([\s\S]))"
)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_DEEPEST = 64
_MOST_EFFORT = 1 << 20
_EFFORT_A_CHARACTER = 16
_LONGEST_VALUE = 512


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, or the first part of a template that goes on with a value."""

    text: str
    """Without its escapes; cut where it is too long for any name."""
    at: int
    """Where it begins, in characters."""
    is_whole: bool = True
    """Whether it is all of the value, not only its beginning."""
    end: str = ""
    """The last part of a template, after its last value."""


@dataclass(slots=True)
class Text:
    """A text whose comments and regular expressions are gone: `"3"` stands for the literal 3."""

    masked: str = ""
    literals: list[Literal] = field(default_factory=list)
    is_sure: bool = True
    """False where a template does not end: then what follows it may have been misread."""
    _places: list[tuple[int, int]] = field(default_factory=list)
    _lines: Sequence[int] = ()

    def line(self, at: int) -> int:
        """The line, from 1, of a place in the source."""
        return bisect_right(self._lines, at) + 1

    def line_of_masked(self, at: int) -> int:
        """The line, from 1, of a place in the masked text."""
        number = bisect_right(self._places, (at, 1 << 62)) - 1
        if number < 0:
            return self.line(at)
        masked, source = self._places[number]
        return self.line(source + at - masked)


def read(source: str) -> Text:
    """The literals of a source, whatever it is; it may be no JavaScript at all."""
    text = Text(_lines=[match.start() for match in re.finditer("\n", source)])
    _Reader(source, text).run()
    return text


class _Reader:
    def __init__(self, source: str, text: Text) -> None:
        self._source = source
        self._text = text
        self._out: list[str] = []
        self._length = 0
        self._effort = _MOST_EFFORT + _EFFORT_A_CHARACTER * len(source)

    def run(self) -> None:
        self._code(0, is_inside=False)
        self._text.masked = "".join(self._out)

    def _emit(self, at: int, end: int) -> None:
        if end > at:
            self._text._places.append((self._length, at))  # noqa: SLF001 - built here alone
            self._out.append(self._source[at:end])
            self._length += end - at

    def _mark(self, literal: Literal, quote: str, at: int) -> None:
        self._text._places.append((self._length, at))  # noqa: SLF001 - built here alone
        shown = f"{quote}{len(self._text.literals)}{quote}"
        self._text.literals.append(literal)
        self._out.append(shown)
        self._length += len(shown)

    def _code(self, at: int, *, is_inside: bool, depth: int = 0) -> int:
        """Reads code to its end, or to the brace that ends a template's value; where that is."""
        source, pattern = self._source, _NEXT_INSIDE if is_inside else _NEXT
        braces, start = 0, at
        while self._effort >= 0 and (match := pattern.search(source, at)):
            here = match.start()
            character = source[here]
            at = match.end()
            if character in "{}":
                if character == "}" and braces == 0:
                    self._emit(start, here)
                    return at
                braces += 1 if character == "{" else -1
            elif character == "`":
                self._emit(start, here)
                at = start = self._template(here, depth)
            elif end := self._literal_end(here, start):
                self._emit(start, here)
                self._literal(here, end)
                at = start = end
        self._emit(start, len(source))
        if is_inside or self._effort < 0:
            self._text.is_sure = False
        return len(source)

    def _literal_end(self, at: int, start: int) -> int:
        """Where the string, comment or regular expression at `at` ends; 0 if there is none."""
        source = self._source
        if source.startswith("//", at):
            return _end(source.find("\n", at), source)
        if source.startswith("/*", at):
            return _end(source.find("*/", at + 2) + 2, source, least=at + 4)
        found = (_REGEX if source[at] == "/" else _STRING).match(source, at)
        if found is None:
            # The same line may be looked through again from each of its characters.
            self._effort -= _end(source.find("\n", at), source) - at
            return 0
        is_literal = source[at] != "/" or self._is_regex(found, start)
        return found.end() if is_literal else 0

    def _literal(self, at: int, end: int) -> None:
        """Puts what stands for a literal, a comment or a regular expression."""
        source = self._source
        if source[at] != "/":
            self._mark(Literal(_value(source[at + 1 : end - 1]), at), '"', at)
            return
        self._out.append(" " if source[at + 1] in "/*" else "0")
        self._length += 1

    def _template(self, at: int, depth: int) -> int:
        """Reads a template from its backtick; where the code goes on."""
        source, parts, here = self._source, [], at + 1
        number, state = len(self._text.literals), (len(self._out), self._length)
        self._mark(Literal("", at), "`", at)
        while True:
            chunk = _CHUNK.match(source, here)
            end = chunk.end() if chunk else here
            parts.append(_value(source[here:end]))
            if source[end : end + 2] != "${" or depth >= _DEEPEST or self._effort < 0:
                break
            # Its code follows the template in what is masked, each value on its own.
            self._break()
            here = self._code(end + 2, is_inside=True, depth=depth + 1)
            self._break()
        if source[end : end + 1] != "`":
            return self._without_end(at, depth, number, state)
        last = parts[-1] if len(parts) > 1 else ""
        literal = Literal(parts[0], at, is_whole=len(parts) == 1, end=last)
        self._text.literals[number] = literal
        return end + 1

    def _break(self) -> None:
        self._out.append(";")
        self._length += 1

    def _without_end(self, at: int, depth: int, number: int, state: tuple[int, int]) -> int:
        """Goes on behind a backtick that begins no template."""
        self._text.is_sure = False
        if depth:
            return len(self._source)
        self._effort -= len(self._source) - at
        del self._text.literals[number:]
        del self._out[state[0] :]
        self._length = state[1]
        places = self._text._places  # noqa: SLF001 - built here alone
        while places and places[-1][0] >= self._length:
            places.pop()
        return at + 1

    def _is_regex(self, found: re.Match[str], start: int) -> bool:
        """Whether a slash begins a regular expression, by what stands before it."""
        at = found.start()
        before = self._source[max(start, at - 64) : at].rstrip()
        if not before:
            # A literal or a comment is before it, or nothing.
            last = self._out[-1][-1:] if self._out and start else ""
            return last not in ('"', "`", "0")
        if before[-1] in ")]":
            # `if (x) /["']/.test(x)` and `(a) / b`: only what has quotes in it matters.
            return before[-1] == ")" and not found[0][1:2].isspace() and _has_quotes(found[0])
        if before[-1] == "}":
            return not found[0][1:2].isspace()
        word = _WORD_BEFORE.search(before)
        return word is None or word[0] in _BEFORE_REGEX


def _end(found: int, source: str, least: int = 0) -> int:
    return found if found >= least else len(source)


def _has_quotes(text: str) -> bool:
    return any(quote in text for quote in "\"'`")


def _value(raw: str) -> str:
    if len(raw) > _LONGEST_VALUE:
        raw = raw[:_LONGEST_VALUE]
    return _ESCAPE.sub(_unescaped, raw) if "\\" in raw else raw


def _unescaped(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits:
        number = int(digits, 16)
        return chr(number) if number <= 0x10FFFF else ""
    return _PLAIN.get(match[4], match[4]) if match[4] else ""
