"""The imports of a text by its lines, for every version of Python, and fast.

A line within a long string looks like any other; whoever asks must be able to bear that. What is
only for type checkers, and what a module does as a script, is left out by its indentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from minify.python.finder import NAME

# Behind a colon or a semicolon too: `try: import a; import b`.
_STATEMENT = re.compile(
    r"^(?P<indent>[ \t]*+)"
    r"(?:(?:try|else|finally|except[^\n:]{0,80}|if[^\n:]{1,80}):[ \t]*+)?"
    r"(?:import[ \t]++(?P<plain>[^\n#]++)"
    r"|from[ \t]*+(?P<dots>\.*+)[ \t]*+(?P<package>[\w.]*)[ \t]*+import\b(?P<names>[^\n#]*+)"
    r"|if[ \t(]++(?P<guard>[\w.]*TYPE_CHECKING\b|__name__[ \t]*+==)"
    r"|(?P<script>def[ \t]++_?(?:main|test)\())",
    re.MULTILINE,
)
_CANDIDATE = re.compile(
    r"^[ \t]*+(?:(?:try|else|finally|except[^\n:]{0,80}+|if[^\n:]{1,80}+):)?[ \t]*+"
    r"(?:import|from)\b|^[ \t]*+if[ \t(]++(?:[\w.]*TYPE_CHECKING\b|__name__[ \t]*+==)"
    r"|^def[ \t]++_?(?:main|test)\(",
    re.MULTILINE,
)
_END = re.compile(r"^(?=(?P<indent>[ \t]*+)[^\s#])", re.MULTILINE)
_COMMENT = re.compile(r"#[^\n]*+")
_TEXT = re.compile(r"""["']([\w.+-]{2,100}+)["']""")
_SOUGHT = re.compile(r"""\bfind_library\([ \t]*+["']([\w.+-]{1,80}+)["']""")
_SOUGHT_BY_VARIABLE = re.compile(r"(?<!def )\bfind_library\([ \t]*+[A-Za-z_]")
_EXPORTED = re.compile(r"^__all__[ \t]*+(?::[^\n=]*+)?\+?=[ \t]*+[\[(]([^\])]*+)", re.MULTILINE)
_LONGEST = 20_000
_MOST = 20_000


def imports(
    text: str, package: str, *, without_scripts: bool = False
) -> Iterator[tuple[str, int, bool]]:
    """Each absolute name, its line and whether it is nested, of a module of `package`.

    `without_scripts` leaves out what its functions `main` and `test` import.
    """
    line, counted = 1, 0
    for match in _statements(text, without_scripts=without_scripts):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        is_nested = bool(match["indent"]) or text[counted] not in "if"
        yield from ((name, line, is_nested) for name in _names(match, text, package))


def _statements(text: str, *, without_scripts: bool) -> Iterator[re.Match[str]]:
    """The imports, but those that only type checkers and scripts come to."""
    until = 0
    for candidate in islice(_CANDIDATE.finditer(text), _MOST):
        match = _STATEMENT.match(text, candidate.start())
        if match is None or candidate.start() < until:
            continue
        if match["guard"] or (match["script"] and without_scripts):
            until = _end_of_block(text, match.end(), len(match["indent"]))
        elif not match["script"]:
            yield match


def _names(match: re.Match[str], text: str, package: str) -> Iterator[str]:
    if match["plain"]:
        for part in match["plain"].partition(";")[0].rstrip("\\").split(","):
            name = part.split()[0] if part.split() else ""
            if NAME.fullmatch(name):
                yield name
        return
    base = absolute(match["package"], len(match["dots"]), package)
    if base:
        yield base
        for name in _members(text, match.start("names"), match.end("names")):
            yield f"{base}.{name}"


def _end_of_block(text: str, start: int, indent: int) -> int:
    for match in _END.finditer(text, start):
        if match.start() > start and len(match["indent"]) <= indent:
            return match.start()
    return len(text)


def _members(text: str, start: int, end: int) -> Iterator[str]:
    """What a `from` imports, over several lines where it has parentheses."""
    names = text[start:end].strip()
    if names.startswith("("):
        close = text.find(")", start, start + _LONGEST)
        names = _COMMENT.sub("", text[start : close if close >= 0 else start + _LONGEST])
        names = names.strip().lstrip("(")
    elif names.endswith("\\"):
        names = names[:-1]
        while text[end - 1 : end] == "\\" and end - start < _LONGEST:
            start, end = end + 1, text.find("\n", end + 1)
            end = len(text) if end < 0 else end
            names += text[start:end].rstrip("\\")
    for part in names.partition(";")[0].split(","):
        name = part.split()[0] if part.split() else ""
        if NAME.fullmatch(name):
            yield name


def texts(text: str) -> Iterator[tuple[str, int]]:
    """The short constants; which line they are in is not told."""
    return ((name, 0) for name in dict.fromkeys(_TEXT.findall(text)))


def libraries(text: str, *, by_variables: bool) -> Iterator[str]:
    """The names of libraries that are looked for as ctypes does.

    Where one stands in a variable, any short text may be the name.
    """
    yield from (match[1] for match in islice(_SOUGHT.finditer(text), _MOST))
    if by_variables and _SOUGHT_BY_VARIABLE.search(text):
        yield from islice(dict.fromkeys(_TEXT.findall(text)), _MOST)


def exported(text: str) -> Iterator[str]:
    """What lists that are given to `__all__` have."""
    for match in islice(_EXPORTED.finditer(text), _MOST):
        yield from _TEXT.findall(match[1])


def absolute(name: str, level: int, package: str) -> str:
    """The absolute name of a relative one; empty if it leads out of the package."""
    if level == 0:
        return name
    parts = package.split(".") if package else []
    if level - 1 >= len(parts):
        return ""
    return ".".join([*parts[: len(parts) - level + 1], *([name] if name else [])])
