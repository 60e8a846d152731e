"""From the parser's JSON to the syntax tree.

The JSON is that of mvdan/sh's `syntax` package, a node an object with its Go field names; what is
false, empty or zero is left out. Positions are lines already (see `parser`).
https://pkg.go.dev/mvdan.cc/sh/v3/syntax
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from minify.shell import syntax
from minify.shell.syntax import Expression, Literal, Part, Pattern, Statement, Word

Node = Mapping[str, Any]

DEEPEST = 48
"""How many commands may stand in each other; scripts of real images have below ten."""

_PARAMETER_OPERATORS = frozenset(": :- - := = :? ? :+ + # ## % %%".split())
_OTHER_EXPANSIONS = ("Repl", "Slice", "Excl", "Names", "Width", "NestedParam")
_PIPES = frozenset(("|", "|&"))
_HERE_DOCUMENTS = frozenset(("<<", "<<-"))
_TOKEN = re.compile(r"\\(.?)|(\[[^]\\]+\]|[*?])|([^\\*?\[]++|\[)", re.DOTALL)
_ESCAPED_IN_QUOTES = re.compile(r"\\([$`\"\\]|\n)")
_ESCAPED_IN_HERE_DOCUMENT = re.compile(r"\\([$`\\]|\n)")
_C_ESCAPE = re.compile(r"\\([abefnrtv\\'\"?]|x[0-9A-Fa-f]{1,2}|[0-7]{1,3})")
_C_LETTERS = {
    "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip


class TooDeepError(Exception):
    """Commands stand in each other deeper than any script has them."""


def statements(nodes: Iterable[Node] | None, depth: int = 0) -> tuple[Statement, ...]:
    """The statements of a list of `Stmt` objects."""
    return tuple(_statement(node, depth + 1) for node in nodes or ())


def _statement(node: Node, depth: int) -> Statement:
    if depth > DEEPEST:
        raise TooDeepError
    command = node.get("Cmd")
    return Statement(
        _command(command, depth) if command else syntax.Simple(()),
        node["Pos"],
        tuple(_redirection(redirection, depth) for redirection in node.get("Redirs", ())),
        is_negated=bool(node.get("Negated")),
        is_background=bool(node.get("Background") or node.get("Coprocess")),
    )


def _redirection(node: Node, depth: int) -> syntax.Redirection:
    operator = node["Op"]
    word = _word(node["Word"], depth)
    if operator in _HERE_DOCUMENTS:
        is_raw = any(part["Type"] != "Lit" or "\\" in part["Value"] for part in _parts(node))
        body = node.get("Hdoc") or {"Pos": node["Pos"], "Parts": ()}
        word = Word(tuple(_here_document(body, depth, is_raw=is_raw)), body["Pos"])
    return syntax.Redirection(operator, word, node["Pos"])


def _parts(node: Node) -> Sequence[Node]:
    found: Sequence[Node] = node["Word"].get("Parts", ())
    return found


def _here_document(body: Node, depth: int, *, is_raw: bool) -> Iterator[Part]:
    for part in body.get("Parts", ()):
        if part["Type"] == "Lit":
            text = part["Value"]
            plain = text if is_raw else _ESCAPED_IN_HERE_DOCUMENT.sub(_kept, text)
            yield Literal(plain, is_quoted=True)
        else:
            yield from _part(part, depth, is_quoted=True)


def _command(node: Node, depth: int) -> syntax.Command:
    return _COMMANDS[node["Type"]](node, depth)


def _simple(node: Node, depth: int) -> syntax.Command:
    return syntax.Simple(_words(node.get("Args"), depth), _assignments(node.get("Assigns"), depth))


def _declaration(node: Node, depth: int) -> syntax.Command:
    options, assigned = [], []
    for item in node.get("Args", ()):
        if "Name" in item:
            assigned.append(item)
        elif "Value" in item:
            options.append(item["Value"])
    keyword = node["Variant"]["Value"]
    return syntax.Declaration(keyword, _words(options, depth), _assignments(assigned, depth))


def _assignments(nodes: Iterable[Node] | None, depth: int) -> tuple[syntax.Assignment, ...]:
    return tuple(_assignment(node, depth) for node in nodes or () if "Name" in node)


def _assignment(node: Node, depth: int) -> syntax.Assignment:
    array = node.get("Array")
    is_bare = bool(node.get("Naked")) or array is not None
    elements = array.get("Elems", ()) if array is not None else ()
    empty = Word((), node["Pos"])
    value = _word(node["Value"], depth) if "Value" in node else None if is_bare else empty
    items = _words((item["Value"] for item in elements if "Value" in item), depth)
    return syntax.Assignment(
        node["Name"]["Value"],
        value,
        items if array is not None else None,
        is_appended=bool(node.get("Append")),
        is_element="Index" in node,
        index=_expression(node["Index"], depth) if "Index" in node else None,
    )


def _binary_command(node: Node, depth: int) -> syntax.Command:
    """A pipeline, or a list of `&&` and `||`: both nest to the left, and may be long."""
    is_pipe = node["Op"] in _PIPES
    operators, parts = [], []
    at: Node | None = node
    while at is not None:
        operators.append(node["Op"])
        parts.append(_statement(node["Y"], depth + 1))
        at = _left(node, is_pipe=is_pipe)
        if at is None:
            parts.append(_statement(node["X"], depth + 1))
        else:
            node = at
    if is_pipe:
        return syntax.Pipeline(tuple(reversed(parts)))
    return syntax.AndOr(tuple(reversed(parts)), tuple(reversed(operators)))


def _left(node: Node, *, is_pipe: bool) -> Node | None:
    """The left side of a list, if it is only the beginning of the same list."""
    statement = node["X"]
    command: Node | None = statement.get("Cmd")
    is_plain = not any(key in statement for key in ("Redirs", "Negated", "Background"))
    if command is None or command["Type"] != "BinaryCmd" or not is_plain:
        return None
    return command if (command["Op"] in _PIPES) is is_pipe else None


def _if(node: Node, depth: int) -> syntax.Command:
    branches = []
    otherwise: tuple[Statement, ...] = ()
    following: Node | None = node
    while following is not None:
        body = statements(following.get("Then"), depth)
        if following.get("Cond"):
            branches.append(syntax.Branch(statements(following["Cond"], depth), body))
        else:
            otherwise = body
        following = following.get("Else")
    return syntax.If(tuple(branches), otherwise)


def _while(node: Node, depth: int) -> syntax.Command:
    condition, body = statements(node.get("Cond"), depth), statements(node.get("Do"), depth)
    return syntax.While(condition, body, is_until=bool(node.get("Until")))


def _for(node: Node, depth: int) -> syntax.Command:
    loop = node["Loop"]
    body = statements(node.get("Do"), depth)
    if loop["Type"] != "WordIter":
        return syntax.ArithmeticFor(body)
    # `in` without items has its position all the same; without `in` it is not valid.
    items = _words(loop.get("Items"), depth) if loop.get("InPos") else None
    return syntax.For(loop["Name"]["Value"], items, body)


def _case(node: Node, depth: int) -> syntax.Command:
    choices = (
        syntax.Choice(
            _words(item.get("Patterns"), depth),
            statements(item.get("Stmts"), depth),
            falls_through=item.get("Op") in (";&", ";;&", ";|"),
        )
        for item in node.get("Items", ())
    )
    return syntax.Case(_word(node["Word"], depth), tuple(choices))


def _function(node: Node, depth: int) -> syntax.Command:
    name = (node.get("Name") or {}).get("Value", "")
    return syntax.Function(name, _statement(node["Body"], depth + 1))


def _inner_statement(node: Node, depth: int) -> syntax.Command:
    """What `time` or `coproc` runs."""
    inner = node.get("Stmt")
    return syntax.Group((_statement(inner, depth + 1),) if inner else ())


_COMMANDS: Mapping[str, Callable[[Node, int], syntax.Command]] = {
    "ArithmCmd": lambda node, depth: syntax.Calculation((_expression(node["X"], depth),)),
    "BinaryCmd": _binary_command,
    "Block": lambda node, depth: syntax.Group(statements(node.get("Stmts"), depth)),
    "CallExpr": _simple,
    "CaseClause": _case,
    "CoprocClause": _inner_statement,
    "DeclClause": _declaration,
    "ForClause": _for,
    "FuncDecl": _function,
    "IfClause": _if,
    "LetClause": lambda node, depth: syntax.Calculation(
        tuple(_expression(item, depth) for item in node.get("Exprs", ()))
    ),
    "Subshell": lambda node, depth: syntax.Subshell(statements(node.get("Stmts"), depth)),
    "TestClause": lambda node, depth: syntax.Test(_expression(node["X"], depth)),
    "TimeClause": _inner_statement,
    "WhileClause": _while,
}


def _expression(node: Node, depth: int) -> Expression:
    if depth > DEEPEST:
        raise TooDeepError
    kind = node["Type"]
    if kind == "Word":
        return syntax.Operand(_word(node, depth))
    if kind in ("ParenArithm", "ParenTest"):
        return _expression(node["X"], depth + 1)
    if kind in ("UnaryArithm", "UnaryTest"):
        return syntax.Unary(node["Op"], _expression(node["X"], depth + 1))
    if "X" not in node:  # flags of zsh and the like
        return syntax.Operand(Word((), node["Pos"]))
    left, right = _expression(node["X"], depth + 1), _expression(node["Y"], depth + 1)
    return syntax.Binary(node["Op"], left, right)


def _words(nodes: Iterable[Node] | None, depth: int) -> tuple[Word, ...]:
    return tuple(_word(node, depth) for node in nodes or ())


def _word(node: Node, depth: int) -> Word:
    found = (part for item in node.get("Parts", ()) for part in _part(item, depth))
    return Word(tuple(found), node["Pos"])


def _part(node: Node, depth: int, *, is_quoted: bool = False) -> Iterator[Part]:
    if depth > DEEPEST:
        raise TooDeepError
    match node["Type"]:
        case "Lit" if is_quoted:
            yield Literal(_ESCAPED_IN_QUOTES.sub(_kept, node["Value"]), is_quoted=True)
        case "Lit":
            yield from _unquoted(node["Value"])
        case "SglQuoted":
            text = node.get("Value", "")
            is_c = bool(node.get("Dollar"))
            yield Literal(_C_ESCAPE.sub(_c_character, text) if is_c else text, is_quoted=True)
        case "DblQuoted":
            inner = node.get("Parts") or ({"Type": "Lit", "Value": ""},)
            for item in inner:
                yield from _part(item, depth + 1, is_quoted=True)
        case kind:
            make = _EXPANSIONS.get(kind, _anything)
            yield make(node, depth, is_quoted)


def _substitution(node: Node, depth: int, is_quoted: bool) -> Part:  # noqa: FBT001 (a table's)
    return syntax.Substitution(statements(node.get("Stmts"), depth), is_quoted)


def _process(node: Node, depth: int, _: bool) -> Part:  # noqa: FBT001
    return syntax.ProcessSubstitution(statements(node.get("Stmts"), depth))


def _arithmetic(node: Node, depth: int, is_quoted: bool) -> Part:  # noqa: FBT001
    return syntax.Arithmetic(_expression(node["X"], depth + 1), is_quoted)


def _anything(node: Node, _depth: int, _: bool) -> Part:  # noqa: FBT001
    """An extended pattern, or a part of a shell that is not read: it may be any text."""
    return Pattern(f"{node.get('Op', '*(')}{(node.get('Pattern') or {}).get('Value', '')})")


def _parameter(node: Node, depth: int, *, is_quoted: bool) -> syntax.Parameter:
    name = (node.get("Param") or {}).get("Value", "")
    expansion = node.get("Exp")
    operator, word = "", None
    if expansion is not None:
        operator = expansion["Op"]
        word = _word(expansion["Word"], depth + 1) if "Word" in expansion else None
    is_other = any(key in node for key in _OTHER_EXPANSIONS)
    begins = _rest_from(node.get("Slice"), depth)
    if begins is not None and not operator:
        operator, word, is_other = ":", begins, False
    if is_other:
        inner = (one for key in ("Repl", "Slice") for one in (node.get(key) or {}).values())
        words = [_word(one, depth + 1) for one in inner if _is_word(one)]
        word = Word(tuple(part for one in words for part in one.parts)) if words else None
    if is_other or (operator and operator not in _PARAMETER_OPERATORS):
        operator = "other"
    index = node.get("Index")
    return syntax.Parameter(
        name,
        is_quoted,
        operator,
        word,
        is_length=bool(node.get("Length")),
        index=_index(index, depth) if index else "",
    )


_EXPANSIONS: Mapping[str, Callable[[Node, int, bool], Part]] = {
    "ArithmExp": _arithmetic,
    "CmdSubst": _substitution,
    "ParamExp": lambda node, depth, is_quoted: _parameter(node, depth, is_quoted=is_quoted),
    "ProcSubst": _process,
}


def _is_word(node: object) -> bool:
    return isinstance(node, Mapping) and "Parts" in node and node.get("Type", "Word") == "Word"


def _rest_from(slice_: Node | None, depth: int) -> Word | None:
    """The offset of a slice without a length."""
    offset = (slice_ or {}).get("Offset")
    if slice_ is None or "Length" in slice_ or not offset or offset["Type"] != "Word":
        return None
    return _word(offset, depth)


def _index(node: Node, depth: int) -> str:
    if node["Type"] != "Word":
        return "?"
    word = _word(node, depth)
    patterns = "".join(part.text for part in word.parts if isinstance(part, Pattern))
    return word.text or patterns or "?"


def _unquoted(text: str) -> Iterator[Part]:
    """The parts of an unquoted literal: a backslash quotes one character."""
    plain = ""
    for escaped, pattern, literal in _TOKEN.findall(text):
        if literal or (not escaped and not pattern):
            plain += literal
            continue
        if plain:
            yield Literal(plain)
            plain = ""
        if pattern:
            yield Pattern(pattern)
        elif escaped != "\n":
            yield Literal(escaped, is_quoted=True)
    if plain:
        yield Literal(plain)


def _kept(match: re.Match[str]) -> str:
    return "" if match[1] == "\n" else match[1]


def _c_character(match: re.Match[str]) -> str:
    escape = match[1]
    if escape[0] == "x":
        return chr(int(escape[1:], 16))
    if escape.isdigit():
        return chr(int(escape, 8) & 0xFF)
    return _C_LETTERS.get(escape, escape)
