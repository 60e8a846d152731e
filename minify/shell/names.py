"""Which variables a part of a script uses, and which it sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from minify.shell import syntax
from minify.shell.state import POSITIONAL
from minify.shell.syntax import (
    Arithmetic,
    Assignment,
    Binary,
    Expression,
    Operand,
    Parameter,
    Statement,
    Substitution,
    Unary,
    Word,
)

_SETTERS = frozenset("read getopts mapfile readarray unset export local readonly printf".split())
_INCREMENTS = frozenset(("++", "--"))


def elements(name: str) -> str:
    """The variable that stands for any one element of an array; no script can name it."""
    return f"{name}[]"


def is_one_element(part: Parameter) -> bool:
    """Whether a parameter is the element of an array by a name, or by a number in a variable."""
    return part.index not in ("", "@", "*") and not part.index.isdigit()


def used(words: Iterable[Word]) -> Iterator[str]:
    """The variables that words use, what they substitute included."""
    for word in words:
        for part in word.parts:
            if isinstance(part, Parameter):
                is_positional = part.name in ("@", "*", "#") or part.name.isdigit()
                yield POSITIONAL if is_positional and part.name != "0" else part.name
                if is_one_element(part):
                    yield elements(part.name)
                yield from used((part.word,) if part.word else ())
            elif isinstance(part, Arithmetic):
                yield from used_by(part.expression)
            elif isinstance(part, Substitution):
                simple = (s.command for s in part.body if isinstance(s.command, syntax.Simple))
                yield from used(word for command in simple for word in command.words)


def used_by(expression: Expression) -> Iterator[str]:
    """The variables that an expression uses."""
    for word in syntax.operands(expression):
        text = word.text
        yield from (text,) if text and text.isidentifier() else ()
        yield from used((word,))


def set_by(expression: Expression) -> Iterator[str]:
    """The variables that arithmetic sets."""
    match expression:
        case Unary(operator, Operand(word)) if operator in _INCREMENTS and word.text:
            yield word.text
        case Unary(_, inner):
            yield from set_by(inner)
        case Binary(operator, left, right):
            is_set = operator.endswith("=") and operator not in ("==", "!=", "<=", ">=")
            if is_set and isinstance(left, Operand) and left.word.text:
                yield left.word.text
            yield from set_by(left)
            yield from set_by(right)


def assigned(body: Iterable[Statement]) -> Iterator[str]:
    """The variables that statements may set; `POSITIONAL` for `set` and `shift`."""
    for statement in body:
        command = statement.command
        match command:
            case syntax.Simple(words, assignments):
                if not words:
                    yield from _set_by_assignments(assignments)
                yield from _set_by_command(words)
            case syntax.Declaration(_, _, assignments):
                yield from _set_by_assignments(assignments)
            case syntax.For(name):
                yield name
            case syntax.Calculation(expressions):
                yield from (name for one in expressions for name in set_by(one))
        for inner in bodies(command):
            yield from assigned(inner)


def _set_by_assignments(assignments: Iterable[Assignment]) -> Iterator[str]:
    for one in assignments:
        yield one.name
        if one.is_element or one.items is not None:
            yield elements(one.name)


def _set_by_command(words: tuple[Word, ...]) -> Iterator[str]:
    name = words[0].text if words else None
    if name in ("set", "shift"):
        yield POSITIONAL
    elif name in _SETTERS:
        texts = (word.text or "" for word in words[1:])
        yield from (text.partition("=")[0] for text in texts if text[:1] != "-")


def bodies(command: syntax.Command) -> Iterator[tuple[Statement, ...]]:
    """The lists of statements in a command that run in the shell itself."""
    match command:
        case syntax.Group(body) | syntax.ArithmeticFor(body) | syntax.For(_, _, body):
            yield body
        case syntax.Subshell(body):
            yield body
        case syntax.Pipeline(parts) | syntax.AndOr(parts):
            yield parts
        case syntax.While(condition, body):
            yield condition
            yield body
        case syntax.If(branches, otherwise):
            for branch in branches:
                yield branch.condition
                yield branch.body
            yield otherwise
        case syntax.Case(_, choices):
            yield from (choice.body for choice in choices)
