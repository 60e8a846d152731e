"""Every part of a syntax tree, whether or not a walk comes to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from minify.shell import names, syntax
from minify.shell.syntax import Parameter, Script, Statement, Word


def statements(script: Script) -> Iterator[Statement]:
    """All statements, those of functions and substitutions too; the bodies of functions last.

    Who reads in this order meets a function's calls before what they run.
    """
    pending = [script.statements]
    while pending:
        functions: list[tuple[Statement, ...]] = []
        for body in pending:
            yield from _below(body, functions)
        pending = functions


def _below(
    body: Sequence[Statement], functions: list[tuple[Statement, ...]]
) -> Iterator[Statement]:
    stack = [body]
    while stack:
        for statement in stack.pop():
            yield statement
            command = statement.command
            if isinstance(command, syntax.Function):
                functions.append((command.body,))
            stack.extend(names.bodies(command))
            stack.extend(syntax.substituted(words(statement)))


def words(statement: Statement) -> Iterator[Word]:
    """The words that stand in a statement itself, not in those that it holds."""
    yield from (one.word for one in statement.redirections)
    match statement.command:
        case syntax.Simple(own, assignments):
            yield from own
            yield from _assigned(assignments)
        case syntax.Declaration(_, options, assignments):
            yield from options
            yield from _assigned(assignments)
        case syntax.For(_, items):
            yield from items or ()
        case syntax.Case(word, choices):
            yield word
            yield from (pattern for choice in choices for pattern in choice.patterns)
        case syntax.Test(expression):
            yield from syntax.operands(expression)
        case syntax.Calculation(expressions):
            yield from (word for one in expressions for word in syntax.operands(one))


def assignments(statement: Statement) -> Iterator[syntax.Assignment]:
    """What a statement assigns: `x=1`, `export x=1`, `for x in …`, `${x:=1}`."""
    match statement.command:
        case syntax.Simple(_, assigned) | syntax.Declaration(_, _, assigned):
            yield from assigned
        case syntax.For(name, items):
            yield from (syntax.Assignment(name, item) for item in items or ())
    yield from _defaults(words(statement))


def _assigned(assigned: Iterable[syntax.Assignment]) -> Iterator[Word]:
    for one in assigned:
        yield from one.items or ()
        yield from syntax.operands(one.index) if one.index is not None else ()
        if one.value is not None:
            yield one.value


def _defaults(found: Iterable[Word]) -> Iterator[syntax.Assignment]:
    for word in found:
        for part in word.parts:
            if isinstance(part, Parameter) and part.word is not None:
                if part.operator in (":=", "=", ":-", "-"):
                    yield syntax.Assignment(part.name, part.word)
                yield from _defaults((part.word,))


def literals(script: Script) -> Iterator[tuple[str, int]]:
    """Each text that is written in a script, here-documents too, with its word's line."""
    for statement in statements(script):
        for word in words(statement):
            for text in _texts(word):
                yield text, word.line or statement.line


def _texts(word: Word) -> Iterator[str]:
    """The texts of a word, in one piece as far as nothing is expanded in between.

    One that follows an expansion begins with `$`, so that nobody takes it for the whole of a path.
    """
    piece = ""
    for part in word.parts:
        if isinstance(part, syntax.Literal):
            piece += part.text
            continue
        if piece not in ("", "$"):
            yield piece
        piece = "$"
        if isinstance(part, Parameter) and part.word is not None:
            yield from _texts(part.word)
    if piece not in ("", "$"):
        yield piece
