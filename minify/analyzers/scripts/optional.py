"""Variables that a script leaves to whoever starts it: it asks whether they are empty."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from minify.shell import Script, Survey
from minify.shell.names import assigned
from minify.shell.syntax import Binary, Expression, Operand, Parameter, Simple, Test, Unary, Word
from minify.shell.traversal import assignments, statements

_TESTS = frozenset(("[", "test"))
_EMPTY = frozenset(("-n", "-z"))


def optional(found: Survey) -> frozenset[str]:
    """The variables that `found` asks for being empty and that nothing in it sets.

    `if [ -n "$LOGGER" ]; then app | $LOGGER`: there is a command where the environment names one.
    """
    asked: set[str] = set()
    given: set[str] = set()
    for script in found.scripts.values():
        asked.update(_asked(script))
        for statement in statements(script):
            given.update(one.name for one in assignments(statement))
            given.update(assigned((statement,)))
    return frozenset(asked - given)


def _asked(script: Script) -> Iterator[str]:
    for statement in statements(script):
        match statement.command:
            case Simple(words) if words and words[0].text in _TESTS:
                pairs = pairwise(words)
                yield from (
                    name for sign, word in pairs if sign.text in _EMPTY for name in _name(word)
                )
            case Test(expression):
                yield from _in_expression(expression)


def _in_expression(expression: Expression) -> Iterator[str]:
    match expression:
        case Unary(operator, Operand(word)) if operator in _EMPTY:
            yield from _name(word)
        case Unary(_, inner):
            yield from _in_expression(inner)
        case Binary(_, left, right):
            yield from _in_expression(left)
            yield from _in_expression(right)


def _name(word: Word) -> Iterator[str]:
    part = word.parts[0] if len(word.parts) == 1 else None
    if isinstance(part, Parameter):
        yield part.name
