"""Words of a script → values, with what the state knows.

https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_06
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from minify.shell import names
from minify.shell.braces import braced
from minify.shell.state import POSITIONAL, WORKING_DIRECTORY, State
from minify.shell.syntax import (
    AndOr,
    Arithmetic,
    Expression,
    Literal,
    Operand,
    Parameter,
    Part,
    Pattern,
    Simple,
    Statement,
    Substitution,
    Word,
)
from minify.shell.values import (
    ANY_LIST,
    Known,
    Source,
    Unknown,
    Value,
    ValuePart,
    concatenated,
    known,
    unknown,
)

_USER_VARIABLES = frozenset(("EUID", "UID"))
_BLANK = re.compile(r"(\s+)")
_DEFAULTS = frozenset((":-", "-", ":=", "="))


@dataclass(frozen=True, slots=True)
class Assumption:
    """What the walk takes for granted."""

    is_root: bool
    """Whether the script runs as root; else as any other user."""
    is_bash: bool = True
    """Whether the shell sets EUID and UID, and expands braces."""

    @property
    def user_id(self) -> Value:
        return known("0") if self.is_root else unknown("$(id -u)", Source.USER)

    @property
    def user_name(self) -> Value:
        return known("root") if self.is_root else unknown("$(id -un)", Source.USER)


def fields(words: Iterable[Word], state: State, assumed: Assumption) -> tuple[Value, ...]:
    """What the words of a command become; a variable of several values counts as unknown."""
    every = (one for word in words for one in (braced(word) if assumed.is_bash else (word,)))
    return tuple(value for word in every for value in _fields(word, state, assumed))


def value(word: Word, state: State, assumed: Assumption) -> Value:
    """What a word becomes where it is not split: in an assignment, a redirection, a `case`."""
    return concatenated(
        one
        for part in _with_home(word, state)
        for one in (part if isinstance(part, Value) else _joined(part, state, assumed),)
    )


def _joined(part: Part, state: State, assumed: Assumption) -> Value:
    found = _expanded(part, state, assumed)
    if len(found) == 1:
        return found[0]
    return concatenated(_spaced(found))


def _spaced(values: tuple[Value, ...]) -> Iterator[Value]:
    for number, one in enumerate(values):
        if number:
            yield known(" ")
        yield one


def _fields(word: Word, state: State, assumed: Assumption) -> Iterator[Value]:
    """The fields of one word: `"$@"` is several, and so is what is unquoted and has spaces."""
    current: list[Value] = []
    is_field = False
    for part in _with_home(word, state):
        if isinstance(part, Value):
            current.append(part)
            is_field = True
            continue
        found = _expanded(part, state, assumed)
        is_quoted = not isinstance(part, Pattern) and getattr(part, "is_quoted", True)
        if not is_quoted and not isinstance(part, Literal):
            found = tuple(piece for one in found for piece in _split(one))
        elif is_quoted and len(found) == 1:
            is_field = True
        for number, one in enumerate(found):
            if number:
                yield concatenated(current)
                current = []
            current.append(one)
            is_field = True
    if is_field:
        yield concatenated(current)


def _split(found: Value) -> Iterator[Value]:
    """What an unquoted expansion becomes: the words of its text; nothing if it is empty.

    What is not known counts as a part of one word.
    """
    current: list[ValuePart] = []
    for part in found.parts:
        if isinstance(part, Unknown):
            current.append(part)
            continue
        for piece in _BLANK.split(part.text):
            if piece.isspace() and current:
                yield Value(tuple(current))
                current = []
            elif piece and not piece.isspace():
                current.append(replace(part, text=piece))
    if current:
        yield Value(tuple(current))


def _with_home(word: Word, state: State) -> Iterator[Part | Value]:
    """The parts of a word, with `~` as HOME."""
    parts = word.parts
    first = parts[0] if parts else None
    if isinstance(first, Literal) and not first.is_quoted and first.text.startswith("~"):
        user, slash, rest = first.text[1:].partition("/")
        home = state.fields("HOME") if not user else None
        yield home[0] if home else unknown(f"~{user}")
        yield Literal(slash + rest)
        parts = parts[1:]
    yield from parts


def _expanded(part: Part, state: State, assumed: Assumption) -> tuple[Value, ...]:
    match part:
        case Literal(text):
            return (known(text),)
        case Pattern(text):
            return (Value((Unknown(text, Source.PATTERN),)),)
        case Parameter():
            return _parameter(part, state, assumed)
        case Substitution(body):
            return (_substitution(body, state, assumed),)
        case Arithmetic(expression):
            return (_arithmetic(expression, state, assumed),)
        case _:
            return (unknown("/dev/fd/…"),)


def _arithmetic(expression: Expression, state: State, assumed: Assumption) -> Value:
    if isinstance(expression, Operand):
        return operand(expression.word, state, assumed)
    return unknown("$((…))")


def operand(word: Word, state: State, assumed: Assumption) -> Value:
    """The value of a word in arithmetic, where a name alone is a variable."""
    text = word.text
    if text is not None and text.isidentifier():
        word = Word((Parameter(text),), word.line)
    return value(word, state, assumed)


def _parameter(part: Parameter, state: State, assumed: Assumption) -> tuple[Value, ...]:
    found = _variable(part, state, assumed)
    if part.is_length:
        return (_length(part, found),)
    if part.operator in _DEFAULTS:
        return _defaulted(part, found, state, assumed)
    if part.operator in (":+", "+"):
        return _alternative(part, found, state, assumed)
    if part.operator in ("", ":?", "?"):
        return found if found is not None else (state.unset(part.name),)
    if part.operator == ":" and found and (part.name == "@" or part.index == "@"):
        return _rest(part, found)
    if part.operator in ("#", "##", "%", "%%") and found is not None and len(found) == 1:
        return (_trimmed(part, found[0], state, assumed),)
    if found is None and part.index in ("@", "*"):
        return ()
    return (unknown(f"${{{part.name}…}}"),)


def _variable(part: Parameter, state: State, assumed: Assumption) -> tuple[Value, ...] | None:
    """The words that the parameter's name stands for; None if it is not set."""
    name = part.name
    if name in ("@", "*"):
        return state.fields(POSITIONAL) or ()
    if name == "#":
        return (_count(state.fields(POSITIONAL) or ()),)
    if name.isdigit() and name != "0":
        return _positional(int(name[:9]), state.fields(POSITIONAL) or ())
    if name in _USER_VARIABLES and assumed.is_bash:
        return (assumed.user_id,)
    if names.is_one_element(part) and names.elements(name) in state.variables:
        return state.fields(names.elements(name)) or (unknown(f"${name}"),)
    if len(state.variables.get(name, ())) > 1:
        return (unknown(f"${name}"),)
    found = state.fields(name)
    if name == "BASH_SOURCE" and found is None:
        return state.fields("0")
    if found is None or part.index in ("@", "*") or len(found) == 1:
        return found
    if part.index.isdigit():
        at = int(part.index[:9])
        return found[at : at + 1] or None
    return (unknown(f"${name}"),) if part.index else found[:1]


def _positional(at: int, words: tuple[Value, ...]) -> tuple[Value, ...] | None:
    for one in words[:at]:
        if one.source is Source.LIST:
            return (unknown(f"${at}"),)
    return words[at - 1 : at] or None


def _count(words: tuple[Value, ...]) -> Value:
    if any(one.source is Source.LIST for one in words):
        return unknown("$#")
    return known(str(len(words)), is_certain=bool(words) and words[0].is_certain)


def _length(part: Parameter, found: tuple[Value, ...] | None) -> Value:
    if part.index in ("@", "*"):
        return _count(found or ())
    text = found[0].text if found else None
    return (
        unknown(f"${{#{part.name}}}") if text is None else known(str(len(text)), is_certain=False)
    )


def _defaulted(
    part: Parameter, found: tuple[Value, ...] | None, state: State, assumed: Assumption
) -> tuple[Value, ...]:
    """`${name:-word}`: where the name has no value, the word, which ENV may still overrule."""
    is_empty = found is None or (":" in part.operator and all(one.text == "" for one in found))
    if not is_empty and found is not None:
        return found
    word = part.word or Word(())
    result = _usually(value(word, state, assumed))
    if part.operator in (":=", "="):
        state.set(part.name, result)
    return (result,)


def _rest(part: Parameter, found: tuple[Value, ...]) -> tuple[Value, ...]:
    """`${name[@]:1}`, `${@:2}`: the words from a number on; `$1` is the first of the latter."""
    text = (part.word.text if part.word else None) or ""
    if not text.isdigit() or len(text) > 6:
        return (ANY_LIST,)
    skipped = max(int(text) - (part.name == "@"), 0)
    rest = found[skipped:]
    has_list = any(one.source is Source.LIST for one in found[:skipped])
    return (ANY_LIST, *rest) if has_list else rest


def _alternative(
    part: Parameter, found: tuple[Value, ...] | None, state: State, assumed: Assumption
) -> tuple[Value, ...]:
    if found is None:
        return (known("", is_certain=False),)
    if found and found[0].text is None:
        return (unknown(f"${{{part.name}:+…}}"),)
    if ":" in part.operator and all(one.text == "" for one in found):
        return (known("", is_certain=False),)
    return (_usually(value(part.word or Word(()), state, assumed)),)


def _trimmed(part: Parameter, found: Value, state: State, assumed: Assumption) -> Value:
    """`${name%suffix}` and `${name#prefix}`; a pattern other than one `*` at an end is unknown."""
    result = unknown(f"${{{part.name}…}}")
    word = part.word or Word(())
    text, pattern = found.text, value(replace(word), state, assumed)
    if text is None:
        return result
    if pattern.text is not None:
        at_start = part.operator.startswith("#")
        cut = text.removeprefix(pattern.text) if at_start else text.removesuffix(pattern.text)
        return known(cut, is_certain=found.is_certain)
    return _trimmed_by_star(part.operator, found, pattern) or result


def _trimmed_by_star(operator: str, found: Value, pattern: Value) -> Value | None:
    """`${name%/*}`, `${name##*/}` and the like."""
    parts = pattern.parts
    text = found.text or ""
    if len(parts) != 2:
        return None
    star, mark = (parts[0], parts[1]) if operator[0] == "#" else (parts[1], parts[0])
    if not isinstance(star, Unknown) or star.written != "*" or not isinstance(mark, Known):
        return None
    if mark.text not in text:
        return found
    cuts = {
        "#": text.partition(mark.text)[2],
        "##": text.rpartition(mark.text)[2],
        "%": text.rpartition(mark.text)[0],
        "%%": text.partition(mark.text)[0],
    }
    return known(cuts[operator], is_certain=found.is_certain)


def _usually(found: Value) -> Value:
    """A value that somebody may overrule."""
    parts = (Known(p.text, is_certain=False) if isinstance(p, Known) else p for p in found.parts)
    return Value(tuple(parts))


def _substitution(body: tuple[Statement, ...], state: State, assumed: Assumption) -> Value:
    """What a command prints, where that is known: who runs it, and parts of paths."""
    result = unknown("$(…)")
    if len(body) == 1 and isinstance(body[0].command, AndOr):
        return unknown(_shown_choice(body[0].command, state, assumed))
    if len(body) != 1 or not isinstance(body[0].command, Simple) or body[0].is_negated:
        return result
    words = fields(body[0].command.words, state, assumed)
    texts = [one.text for one in words]
    name, rest = (texts[0] or "").rpartition("/")[2] if texts else "", words[1:]
    print_value = _PRINTING.get(name)
    if print_value is not None:
        return print_value(rest, state, assumed) or result
    return unknown(f"$({' '.join(one.shown for one in words)[:80]})")


def _shown_choice(command: AndOr, state: State, assumed: Assumption) -> str:
    """`$(command -v a || command -v b)`."""
    simple = (one.command for one in command.parts if isinstance(one.command, Simple))
    shown = (" ".join(w.shown for w in fields(one.words, state, assumed)) for one in simple)
    return f"$({' || '.join(shown)[:160]})"


_Printing = Callable[[tuple[Value, ...], State, Assumption], Value | None]


def _id(rest: tuple[Value, ...], _: State, assumed: Assumption) -> Value | None:
    options = [one.text for one in rest]
    if options in (["-u"], ["--user"], ["-ru"], ["-u", "-r"], ["-r", "-u"]):
        return assumed.user_id
    if options in (["-un"], ["-nu"], ["-u", "-n"], ["-n", "-u"], ["--user", "--name"]):
        return assumed.user_name
    return unknown("$(id)")


def _whoami(_: tuple[Value, ...], __: State, assumed: Assumption) -> Value | None:
    return assumed.user_name


def _dirname(rest: tuple[Value, ...], _: State, __: Assumption) -> Value | None:
    text = rest[-1].text if rest else None
    if not text or "/" not in text:
        return None
    return known(text.rstrip("/").rpartition("/")[0] or "/", is_certain=rest[-1].is_certain)


def _basename(rest: tuple[Value, ...], _: State, __: Assumption) -> Value | None:
    text = rest[0].text if len(rest) == 1 else None
    return known(text.rpartition("/")[2], is_certain=rest[0].is_certain) if text else None


def _same(rest: tuple[Value, ...], _: State, __: Assumption) -> Value | None:
    return rest[-1] if rest and not rest[-1].shown.startswith("-") else None


def _echo(rest: tuple[Value, ...], _: State, __: Assumption) -> Value | None:
    return None if rest and rest[0].shown.startswith("-") else concatenated(_spaced(rest))


def _pwd(_: tuple[Value, ...], state: State, __: Assumption) -> Value | None:
    found = state.fields(WORKING_DIRECTORY)
    return found[0] if found else None


_PRINTING: Mapping[str, _Printing] = {
    "basename": _basename,
    "dirname": _dirname,
    "echo": _echo,
    "id": _id,
    "pwd": _pwd,
    "readlink": _same,
    "realpath": _same,
    "whoami": _whoami,
}
