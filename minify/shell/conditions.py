"""How sure a condition is: `[ … ]`, `[[ … ]]`, `(( … ))`, and the patterns of `case`.

What asks for files is not known here: the image may be there, a volume over it is not.
https://pubs.opengroup.org/onlinepubs/9699919799/utilities/test.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from minify.shell import expansion
from minify.shell.expansion import Assumption
from minify.shell.state import State
from minify.shell.syntax import Binary, Expression, Operand, Unary
from minify.shell.values import (
    COMPARISONS,
    Known,
    Likelihood,
    Source,
    Unknown,
    Value,
    compared,
    equal,
    nonempty,
    number,
    of,
)

_BINARY = frozenset(("=", "==", "!=", "<", ">", "=~", "-ef", "-nt", "-ot")) | COMPARISONS
_ARITHMETIC = {"==": "-eq", "!=": "-ne", "<": "-lt", "<=": "-le", ">": "-gt", ">=": "-ge"}
_MOST_WORDS = 128
_DEEPEST = 32
_LONGEST_PATTERN = 256


def test(words: Sequence[Value]) -> Likelihood:
    """The truth of `[` with these operands, the `]` not among them."""
    if not words:
        return Likelihood.NEVER
    if len(words) > _MOST_WORDS or any(word.source is Source.LIST for word in words):
        return Likelihood.PERHAPS
    reader = _Test(words)
    found = reader.disjunction(0)
    return found if reader.is_at_end else Likelihood.PERHAPS


class _Test:
    """A descent through the operands of `[`."""

    def __init__(self, words: Sequence[Value]) -> None:
        self._words = words
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at >= len(self._words)

    def disjunction(self, depth: int) -> Likelihood:
        found = self._conjunction(depth)
        while self._peek() == "-o":
            self._at += 1
            found = max(found, self._conjunction(depth))
        return found

    def _conjunction(self, depth: int) -> Likelihood:
        found = self._negation(depth)
        while self._peek() == "-a":
            self._at += 1
            found = min(found, self._negation(depth))
        return found

    def _negation(self, depth: int) -> Likelihood:
        if depth > _DEEPEST or self.is_at_end:
            self._at = len(self._words)
            return Likelihood.PERHAPS
        if self._peek(1) in _BINARY and self._at + 2 < len(self._words):
            return self._comparison()
        first = self._peek()
        if first == "!" and self._at + 1 < len(self._words):
            self._at += 1
            return self._negation(depth + 1).negated
        if first == "(" and self._at + 1 < len(self._words):
            self._at += 1
            found = self.disjunction(depth + 1)
            self._at += 1
            return found
        return self._primary()

    def _comparison(self) -> Likelihood:
        left, operator, right = self._words[self._at : self._at + 3]
        self._at += 3
        return comparison(left, operator.text or "", right)

    def _primary(self) -> Likelihood:
        word = self._words[self._at]
        text = word.text or ""
        has_operand = self._at + 1 < len(self._words)
        if has_operand and len(text) == 2 and text[0] == "-" and text not in ("-a", "-o"):
            self._at += 2
            return unary(text, self._words[self._at - 1])
        self._at += 1
        return nonempty(word)

    def _peek(self, ahead: int = 0) -> str | None:
        at = self._at + ahead
        return self._words[at].text if at < len(self._words) else None


def comparison(left: Value, operator: str, right: Value) -> Likelihood:
    """The truth of `left operator right`; `==` may have a pattern on its right."""
    if operator in ("=", "=="):
        return matches(left, right)
    if operator == "!=":
        return matches(left, right).negated
    return compared(left, operator, right) if operator in COMPARISONS else Likelihood.PERHAPS


def unary(operator: str, operand: Value) -> Likelihood:
    """The truth of `-n` and `-z`; of a file nothing is known."""
    if operator == "-n":
        return nonempty(operand)
    if operator == "-z":
        return nonempty(operand).negated
    return Likelihood.PERHAPS


def double_bracket(expression: Expression, state: State, assumed: Assumption) -> Likelihood:
    """The truth of `[[ expression ]]`."""
    match expression:
        case Operand(word):
            return nonempty(expansion.value(word, state, assumed))
        case Unary("!", inner):
            return double_bracket(inner, state, assumed).negated
        case Unary(operator, Operand(word)):
            if operator == "-v":
                return _is_set(word.text or "", state)
            return unary(operator, expansion.value(word, state, assumed))
        case Binary("&&", left, right):
            return min(double_bracket(left, state, assumed), double_bracket(right, state, assumed))
        case Binary("||", left, right):
            return max(double_bracket(left, state, assumed), double_bracket(right, state, assumed))
        case Binary(operator, Operand(first), Operand(second)):
            make = expansion.operand if operator in COMPARISONS else expansion.value
            return comparison(make(first, state, assumed), operator, make(second, state, assumed))
    return Likelihood.PERHAPS


def _is_set(name: str, state: State) -> Likelihood:
    found = state.fields(name)
    if found is None:
        is_unset = state.unset(name).source is Source.UNSET
        return Likelihood.SELDOM if is_unset else Likelihood.PERHAPS
    return Likelihood.USUALLY


def calculation(expression: Expression, state: State, assumed: Assumption) -> Likelihood:
    """How sure it is that an arithmetic expression is not 0."""
    match expression:
        case Unary("!", inner):
            return calculation(inner, state, assumed).negated
        case Binary("&&", left, right):
            return min(calculation(left, state, assumed), calculation(right, state, assumed))
        case Binary("||", left, right):
            return max(calculation(left, state, assumed), calculation(right, state, assumed))
        case Binary(operator, Operand(first), Operand(second)) if operator in _ARITHMETIC:
            left_value = expansion.operand(first, state, assumed)
            right_value = expansion.operand(second, state, assumed)
            return compared(left_value, _ARITHMETIC[operator], right_value)
        case Operand(word):
            value = expansion.operand(word, state, assumed)
            if value.source is Source.USER:
                return Likelihood.SURELY
            found = number(value)
            if found is not None:
                return of(found != 0, is_certain=value.is_certain)
    return Likelihood.PERHAPS


def matches(value: Value, pattern: Value) -> Likelihood:
    """How sure it is that `value` matches a pattern, as `case` and `[[ ]]` match."""
    if not any(_is_pattern(part) for part in pattern.parts):
        return equal(value, pattern)
    if all(isinstance(part, Unknown) and part.written == "*" for part in pattern.parts):
        return Likelihood.SURELY
    if any(isinstance(part, Unknown) and not _is_pattern(part) for part in pattern.parts):
        return Likelihood.PERHAPS
    text = value.text
    if text is None:
        begins, start = value.beginning, pattern.beginning
        if value.source is Source.UNSET and (start or pattern.end):
            return Likelihood.SELDOM
        common = min(len(begins), len(start))
        could_be = begins[:common] == start[:common]
        return Likelihood.PERHAPS if could_be else Likelihood.SELDOM
    tokens = _tokens(pattern)
    is_extended = any(len(token) > 1 and token[0] not in "\\[" for token in tokens)
    if len(tokens) > _LONGEST_PATTERN or is_extended:
        return Likelihood.PERHAPS
    return of(_is_match(text, tokens), is_certain=value.is_certain)


def _is_pattern(part: Known | Unknown) -> bool:
    return isinstance(part, Unknown) and part.source is Source.PATTERN


def _tokens(pattern: Value) -> list[str]:
    """A pattern as `*`, `?`, `[…]` and characters, each of them with a backslash before it."""
    tokens: list[str] = []
    for part in pattern.parts:
        if isinstance(part, Known):
            tokens += [f"\\{character}" for character in part.text]
        else:
            tokens.append(part.written)
    return tokens


def _is_match(text: str, tokens: Sequence[str]) -> bool:
    """Whether the whole text matches, in time at most its length times the pattern's."""
    at = token = 0
    star, resumed = -1, 0
    while at < len(text):
        if token < len(tokens) and tokens[token] == "*":
            star, resumed = token, at
            token += 1
        elif token < len(tokens) and _is_one(text[at], tokens[token]):
            at, token = at + 1, token + 1
        elif star >= 0:
            resumed += 1
            at, token = resumed, star + 1
        else:
            return False
    return all(rest == "*" for rest in tokens[token:])


def _is_one(character: str, token: str) -> bool:
    """Whether one character matches a token other than `*`."""
    if token[0] == "\\":
        return token[1:] == character
    if token[0] == "?":
        return True
    inside = token[1:-1]
    is_negated = inside[:1] in ("!", "^")
    try:
        is_in = re.fullmatch(f"[{inside[is_negated:]}]", character) is not None
    except re.error:
        return False
    return is_in is not is_negated
