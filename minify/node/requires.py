"""What a JavaScript module asks for: modules by constant names, and texts that may name some.

https://nodejs.org/api/modules.html, https://nodejs.org/api/esm.html
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice

from minify.node import literals
from minify.node.literals import Literal, Text

_LARGEST = 1 << 25
_MOST = 50_000


class Style(Enum):
    """Which of Node's two algorithms resolves a name."""

    REQUIRE = "require"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class Request:
    """A module that is asked for."""

    name: str
    line: int
    style: Style
    is_prefix: bool = False
    """Whether a value follows that is only known at run time; then only the beginning is known."""
    is_from_here: bool = False
    """Whether the name is a path below the module's own directory (`__dirname`)."""
    is_path: bool = False
    """Whether only the file's path is asked for (`require.resolve`)."""


@dataclass(frozen=True, slots=True)
class Requests:
    """What one module asks for, in the order of its text."""

    names: tuple[Request, ...] = ()
    texts: tuple[tuple[str, int], ...] = ()
    """Its other constants that may be names or paths, once each, with the line of the first."""
    unknown: tuple[int, ...] = ()
    """Lines where a module is loaded of whose name nothing is known."""
    is_complete: bool = True
    """Whether all of it was read and understood."""


_REQUIRE = re.compile(
    r"(?<![\w$.])(?:(?:module|require\.main|globalThis)\.)?"
    r"(?P<name>[\w$]{0,20}?[rR]equire[\w$]{0,20}+|import)(?:\.resolve)?\s*+(?:\?\.\s*+)?\(\s*+"
)
_META_RESOLVE = re.compile(r"(?<![\w$.])import\.meta\.resolve\(\s*+")
_CREATED = re.compile(
    r"(?<![\w$.])([\w$]++)\s*+=\s*+(?:\(0,\s*+)?(?:[\w$]++\.)*+createRequire\)?\("
)
_CREATED_CALL = re.compile(
    r"createRequire\)?\((?:[^()]|\([^()]*+\)){0,300}+\)\s*+(?:\.resolve\s*+)?\(\s*+"
)
# Processes and threads of a module's own; of other functions with these names nothing comes.
_STARTED = re.compile(r"(?<![\w$])(?:fork|Worker)\(\s*+")
_STARTERS = frozenset("child_process cluster worker_threads".split())
_STATIC = re.compile(r"(?<![\w$.])(?P<word>from|import)\s*+\"(?P<number>\d++)\"")
_TYPE_ONLY = re.compile(r"(?<![\w$.])(?:import|export)\s++type\s++(?!from)[^\";]*+\Z")
_LITERAL = re.compile(r"[\"`](\d++)[\"`]")
_JOINED = re.compile(
    r"(?:[\w$]++\.)*+(?:join|resolve)\(\s*+(?:__dirname|import\.meta\.dirname)"
    r"(?P<parts>(?:\s*+,\s*+[\"`]\d++[\"`]){1,16}+)\s*+(?P<rest>[,)+])"
)
_CONCATENATED = re.compile(r"__dirname\s*+\+\s*+[\"`](?P<number>\d++)[\"`]\s*+(?P<rest>[+)])")
_CHOICE = re.compile(
    r"[^?;()]{0,200}\?\s*+[\"`](?P<first>\d++)[\"`]\s*+:\s*+[\"`](?P<second>\d++)[\"`]\s*+,?\s*+\)"
)
_VARIABLE = re.compile(r"([\w$]{1,80}+)\s*+\)")
_ASSIGNMENT = (
    r"(?<![\w$.]){name}\s*+=(?![=>])[^;,\n\"`]{{0,80}}[\"`](?P<number>\d++)[\"`]\s*+(?=[;,\n)]|$)"
)
_MOST_ASSIGNED = 20
_MOST_VARIABLES = 50
# How a module of one kind gets at one of the other past a compiler: `eval('import ("x")')`.
_EVALUATION = re.compile(
    r"(?<![\w$.])(?:eval|Function)\)?\(\s*+(?:[\"`]\d++[\"`]\s*+,\s*+){0,5}[\"`](\d++)[\"`]"
)
_EVALUATED = re.compile(
    r"\b(?:import|require)\s{0,9}\(\s{0,9}[\"'`]([^\"'`$]{1,200})[\"'`]\s{0,9}\)"
)
_JSX_SOURCE = re.compile(rb"@jsxImportSource\s++([\w@./-]{1,200})")
_MAY_ASK = re.compile(r"[rR]equire|import|from|\bexport\b")
_TEXT = re.compile(r"[@\w./#~:*-]{1,200}")


def requests_of(content: bytes) -> Requests:
    """What a module with this content asks for; it may be anything."""
    if len(content) > _LARGEST:
        return Requests(is_complete=False)
    text = literals.read(content.decode("utf-8", "replace"))
    names: list[Request] = []
    unknown: list[int] = []
    variables: set[str] = set()
    erased: set[int] = set()
    if _MAY_ASK.search(text.masked):
        names += _static(text, erased)
        for match, style in _calls(text.masked):
            found = _argument(text, match.end(), style)
            chosen = _chosen(text, match.end(), style) if found is None else ()
            if found is not None or chosen:
                is_path = "resolve" in match[0]
                asked = (found,) if found is not None else chosen
                names += (replace(one, is_path=True) if is_path else one for one in asked)
            elif not _is_definition(text.masked, match):
                names += _assigned(text, match.end(), style, variables)
                unknown.append(text.line_of_masked(match.start()))
    names += _of_jsx(content)
    names += _evaluated(text)
    if any(literal.text.removeprefix("node:") in _STARTERS for literal in text.literals):
        names += _started(text)
    given = {request.name for request in names}
    texts = _texts(text, given, erased)
    names.sort(key=lambda request: (request.line, request.name))
    return Requests(
        tuple(names[:_MOST]),
        tuple(texts.items())[:_MOST],
        tuple(dict.fromkeys(unknown)),
        text.is_sure and len(names) <= _MOST and len(texts) <= _MOST,
    )


def _texts(text: Text, given: Container[str], erased: Container[int]) -> Mapping[str, int]:
    """The constants that are not asked for, each with the line of the first."""
    texts: dict[str, int] = {}
    for literal in text.literals:
        # `${name}.md` says which files are looked for.
        end = literal.end if literal.end.startswith(".") else ""
        for one in filter(_TEXT.fullmatch, (literal.text, end)):
            if one not in given and literal.at not in erased:
                texts.setdefault(one, text.line(literal.at))
    for match in _JOINED.finditer(text.masked):
        path, line, is_whole = _joined(text, match)
        if is_whole and match["rest"] == ")" and path not in given and _TEXT.fullmatch(path):
            texts.setdefault(path, line)
    return texts


def _static(text: Text, erased: set[int]) -> Iterator[Request]:
    """Static imports; the literals of those that only name types are put into `erased`."""
    for match in _STATIC.finditer(text.masked):
        before = text.masked[max(0, match.start() - 2000) : match.start()]
        literal = text.literals[int(match["number"])]
        if match["word"] == "from" and _TYPE_ONLY.search(before):
            erased.add(literal.at)
            continue
        yield Request(literal.text, text.line(literal.at), Style.IMPORT)


def _evaluated(text: Text) -> Iterator[Request]:
    """The modules that a text asks for which is run as a source itself."""
    for call in islice(_EVALUATION.finditer(text.masked), _MOST):
        literal = text.literals[int(call[1])]
        for match in _EVALUATED.finditer(literal.text):
            style = Style.IMPORT if match[0].startswith("import") else Style.REQUIRE
            yield Request(match[1], text.line(literal.at), style)


def _of_jsx(content: bytes) -> Iterator[Request]:
    """What is asked for in a comment: the functions that JSX stands for."""
    for found in islice(_JSX_SOURCE.finditer(content), 1):
        line = content.count(b"\n", 0, found.start()) + 1
        for module in ("jsx-runtime", "jsx-dev-runtime"):
            yield Request(f"{found[1].decode()}/{module}", line, Style.IMPORT)


def _calls(masked: str) -> Iterator[tuple[re.Match[str], Style]]:
    created = {match[1] for match in _CREATED.finditer(masked)}
    for match in _REQUIRE.finditer(masked):
        name = match["name"]
        if name == "import":
            yield match, Style.IMPORT
        elif _is_require(name):
            yield match, Style.REQUIRE
    yield from ((match, Style.IMPORT) for match in _META_RESOLVE.finditer(masked))
    yield from ((match, Style.REQUIRE) for match in _CREATED_CALL.finditer(masked))
    for name in sorted(created):
        if _is_require(name):
            continue
        call = re.compile(rf"(?<![\w$.]){re.escape(name)}(?:\.resolve)?\s*+\(\s*+")
        yield from ((match, Style.REQUIRE) for match in call.finditer(masked))


def _started(text: Text) -> Iterator[Request]:
    """The modules that other processes and threads begin with, where constants name them."""
    for match in _STARTED.finditer(text.masked):
        found = _argument(text, match.end(), Style.REQUIRE)
        if found is not None and not found.is_prefix:
            yield found


def _is_require(name: str) -> bool:
    """Whether a function of that name is `require`, or one that tools put in its place."""
    return name.strip("_$") in ("require", "nodeRequire", "dynamicRequire", "requireFunc")


def _is_definition(masked: str, match: re.Match[str]) -> bool:
    """Whether `require(` is a function's head (`function require(x) {`), or takes nothing."""
    if masked[match.end() : match.end() + 1] == ")":
        return True
    before = masked[max(0, match.start() - 16) : match.start()].rstrip()
    return before.endswith("function")


def _argument(text: Text, at: int, style: Style) -> Request | None:
    """What the first argument of a call says; None if nothing is known of it."""
    masked = text.masked
    literal = _LITERAL.match(masked, at)
    if literal:
        found = text.literals[int(literal[1])]
        goes_on = masked[literal.end() : literal.end() + 8].lstrip()[:1] == "+"
        is_prefix = goes_on or not found.is_whole
        if is_prefix and not found.text.strip("./"):
            # `require("./" + name)`: anything of that directory.
            is_below = found.text.startswith(("./", "../"))
            return _request(text, found, style, is_prefix=True) if is_below else None
        return _request(text, found, style, is_prefix=is_prefix)
    if match := _JOINED.match(masked, at):
        name, line, is_whole = _joined(text, match)
        slash = "/" if match["rest"] == "," and is_whole and not name.endswith("/") else ""
        is_prefix = match["rest"] != ")" or not is_whole
        return Request(name + slash, line, style, is_prefix, True)
    if match := _CONCATENATED.match(masked, at):
        found = text.literals[int(match["number"])]
        is_prefix = match["rest"] != ")" or not found.is_whole
        return Request(f"./{found.text.lstrip('/')}", text.line(found.at), style, is_prefix, True)
    return None


def _joined(text: Text, match: re.Match[str]) -> tuple[str, int, bool]:
    """The path that the constants of `join(__dirname, …)` make, its line, and whether it ends."""
    parts = [text.literals[int(number)] for number in _LITERAL.findall(match["parts"])]
    whole = next((at for at, one in enumerate(parts) if not one.is_whole), len(parts))
    names = (one.text.strip("/") for one in parts[: whole + 1])
    return "./" + "/".join(names), text.line(parts[0].at), whole == len(parts)


def _chosen(text: Text, at: int, style: Style) -> tuple[Request, ...]:
    """The constants that an argument may be; empty if it may be something else."""
    found = _CHOICE.match(text.masked, at)
    numbers = found.group("first", "second") if found is not None else ()
    literals = [text.literals[int(number)] for number in numbers]
    if not all(literal.is_whole for literal in literals):
        return ()
    return tuple(_request(text, one, style, is_prefix=False) for one in literals)


def _assigned(text: Text, at: int, style: Style, known: set[str]) -> Iterator[Request]:
    """The constants that the variable of an argument is given, whatever else it may be given."""
    variable = _VARIABLE.match(text.masked, at)
    if variable is None or variable[1] in known or len(known) >= _MOST_VARIABLES:
        return
    known.add(variable[1])
    pattern = _ASSIGNMENT.format(name=re.escape(variable[1]))
    for match in islice(re.finditer(pattern, text.masked), _MOST_ASSIGNED):
        literal = text.literals[int(match["number"])]
        if literal.is_whole and _TEXT.fullmatch(literal.text):
            yield _request(text, literal, style, is_prefix=False)


def _request(text: Text, literal: Literal, style: Style, *, is_prefix: bool) -> Request:
    return Request(literal.text, text.line(literal.at), style, is_prefix)
