"""The syntax tree of a shell script: frozen values, each command with its line.

Quotes are gone, and what they meant is in `is_quoted`. Lines count from 1. Operators are the
shell's own tokens.
https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that means itself."""

    text: str
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """A part of a pattern, unquoted: `*`, `?`, `[a-z]`, `@(a|b)`."""

    text: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$name`, or `${name…}` with what follows the name."""

    name: str
    is_quoted: bool = False
    operator: str = ""
    """`:-`, `-`, `:=`, `=`, `:?`, `?`, `:+`, `+`, `#`, `##`, `%`, `%%`; `:` for the rest from a
    number on (`${@:2}`); `other` for what is not one of these (replacement, case, indirection);
    empty without one."""
    word: Word | None = None
    """What follows the operator."""
    is_length: bool = False
    """`${#name}`."""
    index: str = ""
    """`@` or `*` of an array, or one index as it is written."""


@dataclass(frozen=True, slots=True)
class Substitution:
    """`$(…)` or backquotes."""

    body: tuple[Statement, ...]
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class ProcessSubstitution:
    """`<(…)` or `>(…)`."""

    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`$((…))`."""

    expression: Expression
    is_quoted: bool = False


Part: TypeAlias = Literal | Pattern | Parameter | Substitution | ProcessSubstitution | Arithmetic


@dataclass(frozen=True, slots=True)
class Word:
    parts: tuple[Part, ...]
    line: int = 0

    @property
    def text(self) -> str | None:
        """The text, where nothing is left to the shell; else None."""
        texts = [part.text for part in self.parts if isinstance(part, Literal)]
        return "".join(texts) if len(texts) == len(self.parts) else None


@dataclass(frozen=True, slots=True)
class Operand:
    """A word of an arithmetic expression or of `[[ ]]`."""

    word: Word


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Expression
    right: Expression


Expression: TypeAlias = Operand | Unary | Binary


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name=value`; an array has its `items` instead, and `export name` has neither."""

    name: str
    value: Word | None = None
    items: tuple[Word, ...] | None = None
    is_appended: bool = False
    """`+=`."""
    is_element: bool = False
    """`name[…]=`."""
    index: Expression | None = None
    """What is in the brackets."""


@dataclass(frozen=True, slots=True)
class Redirection:
    """`>file`; for a here-document the body is the `word`."""

    operator: str
    word: Word
    line: int


@dataclass(frozen=True, slots=True)
class Simple:
    """A command with its words; without words, assignments to the shell's own variables."""

    words: tuple[Word, ...]
    assignments: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class Declaration:
    """`export`, `local`, `readonly`, `declare`, `typeset`, `nameref`."""

    keyword: str
    options: tuple[Word, ...]
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    parts: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class AndOr:
    """`first && second || third`, from left to right without precedence."""

    parts: tuple[Statement, ...]
    operators: tuple[str, ...]
    """`&&` or `||` before each part but the first."""


@dataclass(frozen=True, slots=True)
class Group:
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Subshell:
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One `if` or `elif`."""

    condition: tuple[Statement, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[Branch, ...]
    otherwise: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class For:
    """`for name in items`, and `select`; `items` is None for the positional parameters."""

    name: str
    items: tuple[Word, ...] | None
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class ArithmeticFor:
    """`for ((…; …; …))`."""

    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class While:
    condition: tuple[Statement, ...]
    body: tuple[Statement, ...]
    is_until: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One item of a `case`."""

    patterns: tuple[Word, ...]
    body: tuple[Statement, ...]
    falls_through: bool = False
    """`;&` and `;;&`: the next item may follow."""


@dataclass(frozen=True, slots=True)
class Case:
    word: Word
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A definition: it runs nothing."""

    name: str
    body: Statement


@dataclass(frozen=True, slots=True)
class Test:
    """`[[ … ]]`."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Calculation:
    """`(( … ))` and `let`: true where the last value is not 0."""

    expressions: tuple[Expression, ...]


Command: TypeAlias = (
    Simple
    | Declaration
    | Pipeline
    | AndOr
    | Group
    | Subshell
    | If
    | For
    | ArithmeticFor
    | While
    | Case
    | Function
    | Test
    | Calculation
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A command with what stands around it."""

    command: Command
    line: int
    redirections: tuple[Redirection, ...] = ()
    is_negated: bool = False
    is_background: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    statements: tuple[Statement, ...]
    is_bash: bool = True
    """Whether the shell has `EUID`, arrays and braces; else it is a plain POSIX shell."""
    options: str = ""
    """The letters of the options in the `#!` line: `e` of `#!/bin/sh -e`."""


def substituted(words: Iterable[Word]) -> Iterator[tuple[Statement, ...]]:
    """The bodies of the substitutions in words, those in `${X:-$(…)}` and `$(($(…)))` too."""
    for word in words:
        for part in word.parts:
            match part:
                case Substitution(body) | ProcessSubstitution(body):
                    yield body
                case Parameter(word=Word() as inner):
                    yield from substituted((inner,))
                case Arithmetic(expression):
                    yield from substituted(operands(expression))


def operands(expression: Expression) -> Iterator[Word]:
    """The words of an expression."""
    match expression:
        case Operand(word):
            yield word
        case Unary(_, inner):
            yield from operands(inner)
        case Binary(_, left, right):
            yield from operands(left)
            yield from operands(right)
