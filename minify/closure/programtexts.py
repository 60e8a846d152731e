"""The shell commands in programs for awk and sed.

https://pubs.opengroup.org/onlinepubs/9699919799/utilities/awk.html
https://www.gnu.org/software/sed/manual/html_node/Other-Commands.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_MOST = 64
_STRING = r'"((?>\\.|[^"\\\n])*+)"'
# `system("x")`, `print | "x"`, `"x" | getline`; a string that is put together begins with it.
_AWK = re.compile(
    rf"\bsystem[ \t]*+\([ \t]*+{_STRING}|(?<!\|)\|&?[ \t]*+{_STRING}"
    rf"|{_STRING}[^\n;{{}}\"|]{{0,200}}\|&?[ \t]*+getline"
)
_AWK_VARIABLE = re.compile(rf"\b([A-Za-z_]\w*+)[ \t]*+=[ \t]*+{_STRING}")
_AWK_RUN = re.compile(
    r"\bsystem[ \t]*+\([ \t]*+([A-Za-z_]\w*+)|(?<!\|)\|&?[ \t]*+([A-Za-z_]\w*+)"
    r"|\b([A-Za-z_]\w*+)[ \t]*+\|&?[ \t]*+getline"
)
_ESCAPE = re.compile(r"\\(.)")
_SED_RUN = re.compile(
    r"(?:^|[;{}\n])[ \t]*+(?:[\d$,!~+ \t]|/(?>\\.|[^/\\\n])*+/I?)*+e[ \t]++([^\n]++)"
)
_SED_REPLACED = re.compile(
    r"s([^\w\s\\])(?:(?!\1)(?:\\.|[^\\\n]))*+\1((?:(?!\1)(?:\\.|[^\\\n]))*+)\1[gipmIM\d]*+e"
)
_SED_REFERENCE = re.compile(r"\\\d|(?<!\\)&")


def awk_commands(program: str) -> Iterator[str]:
    """What an awk program has a shell run; of what is put together, its first text."""
    for number, match in enumerate(_AWK.finditer(program)):
        if number >= _MOST:
            return
        yield _unescaped(next(filter(None, match.groups()), ""))
    values: dict[str, list[str]] = {}
    for name, text in _AWK_VARIABLE.findall(program)[:_MOST]:
        values.setdefault(name, []).append(text)
    run = dict.fromkeys(name for names in _AWK_RUN.findall(program)[:_MOST] for name in names)
    for name in run:
        yield from map(_unescaped, values.get(name, ()))


def sed_commands(script: str) -> Iterator[str]:
    """What GNU sed's `e` runs, and what `s…e` makes of a line."""
    yield from _SED_RUN.findall(script)[:_MOST]
    for _, replacement in _SED_REPLACED.findall(script)[:_MOST]:
        yield _SED_REFERENCE.sub(" ${_} ", replacement)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)
