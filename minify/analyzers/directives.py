"""The directives of a configuration file, whatever its dialect: `name value`, `=`, `:`, XML.

No grammar is parsed. A line, or a statement between `;` and braces, begins with a name, and what
follows are words; that is enough to find the few names that matter. What is commented out is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from minify.closure import Context
from minify.filetree import Entry, FileTree
from minify.filetree.path import decoded

LARGEST_TEXT = 1 << 20
_PLACES = ("/etc/", "/usr/local/etc/")
_NOT_CONFIGURATION = (
    "/etc/alternatives/",
    "/etc/init.d/",
    "/etc/ld.so",
    "/etc/nsswitch.conf",
    "/etc/pki/",
    "/etc/ssl/",
)
_ENDINGS = (".cfg", ".cnf", ".conf", ".ini", ".properties", ".toml", ".yaml", ".yml")
_OTHERS = ("/usr/lib/", "/usr/share/", "/lib/")
# What is below them is an application's dependencies.
_LIBRARIES = frozenset(("dist-packages", "node_modules", "site-packages", "vendor"))
_LONGEST_LINE = 1 << 12
_MOST_WORDS = 8
_MOST_SHOWN = 80

# Possessive, on lines of bounded length: hostile text must not make it backtrack.
_STATEMENT = re.compile(
    r"""(?:-[ \t]++)?(?:export[ \t]++)?(?:php_(?:admin_)?value\[)?["']?
        ([$A-Za-z-][\w.$-]*+)["'\]]{0,2}+(?:[ \t]*+[+]?[=:]|[ \t]|$)[ \t]*+""",
    re.VERBOSE,
)
# rsync and Samba write `pid file = …`.
_MORE_NAME = re.compile(r"([A-Za-z]++(?:[ \t]++[A-Za-z]++)?+)[ \t]*+=[ \t]*+")
_ELEMENT = re.compile(r"<([\w-]++)>([^<>]*+)</")
_SECTION = re.compile(r"\[([^\]]++)\]")
_WORD = re.compile(r"\"([^\"]*+)\"|'([^']*+)'|([^\s\"',()]++)")
_BRACES = re.compile(r"[;{}]")
_NOT_IN_NAMES = re.compile(r"[-_.$ \t]")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*+)(?::?[-=]([^{}$]*+))?\}|([A-Za-z_]\w*+))")
_ASSIGNED = re.compile(r"(?:export[ \t]++)?([A-Za-z_]\w*+)=(.*)")
_DEFAULT = re.compile(r"\$\{([A-Za-z_]\w*+):?=([^{}]*+)\}")


@dataclass(frozen=True, slots=True)
class Directive:
    """One statement of a configuration file."""

    name: str
    """Folded: in lower case, without `-`, `_`, `.`, `$` and blanks, but for a leading `-`."""
    words: tuple[str, ...]
    """What follows the name, without quotes, the first few."""
    section: str
    """The `[section]` it is in, in lower case; empty before the first."""
    shown: str
    """As it is written, shortened."""


def folded(name: str) -> str:
    """A directive's name as all spellings have it in common: `pid-file`, `pid_file`, `PidFile`."""
    dash = "-" if name.startswith("-") else ""
    return dash + _NOT_IN_NAMES.sub("", name).lower()


def configuration_text(entry: Entry, context: Context) -> str:
    """The text of a kept file if it is configuration of the application's, else empty."""
    path = entry.path
    is_placed = path.startswith(_PLACES) and not path.startswith(_NOT_CONFIGURATION)
    is_named = path.endswith(_ENDINGS) and not path.startswith(_OTHERS)
    if not is_placed and (not is_named or not _LIBRARIES.isdisjoint(path.split("/"))):
        return ""
    return text_of(entry, context.tree) if context.is_first_party(path) else ""


def text_of(entry: Entry, tree: FileTree) -> str:
    """The text of a configuration file; empty if it is too large, binary or a script."""
    if entry.size > LARGEST_TEXT:
        return ""
    data = tree.read(entry)
    return "" if b"\0" in data or data.startswith(b"#!") else decoded(data)


def directives(text: str) -> Iterator[Directive]:
    """The directives of `text` in order; lines longer than any that a person writes are skipped."""
    section = ""
    for line in _lines(text):
        if header := _SECTION.fullmatch(line):
            section = header[1].strip().lower()
            continue
        for statement in _statements(line):
            found = _directive(statement, section)
            if found is not None:
                yield found


def _lines(text: str) -> Iterator[str]:
    """The lines that count, stripped."""
    end = ""
    for raw in _without_xml_comments(text).split("\n"):
        line = raw.strip()
        if end or line.startswith("/*"):
            end = "" if "*/" in line else "*/"
            continue
        if line and len(line) <= _LONGEST_LINE and not line.startswith(("#", ";", "//", "!")):
            yield line


def _without_xml_comments(text: str) -> str:
    parts = []
    at = 0
    while (start := text.find("<!--", at)) >= 0:
        parts.append(text[at:start])
        end = text.find("-->", start)
        at = end + 3 if end >= 0 else len(text)
    return "".join((*parts, text[at:]))


def _statements(line: str) -> tuple[str, ...]:
    """The statements on a line: one, or what `;` and braces end (nginx, named)."""
    code = line.partition(" #")[0].rstrip()
    if not code.endswith((";", "{", "}")) or "${" in code:
        return (code.rstrip(";"),)
    return tuple(filter(None, (part.strip() for part in _BRACES.split(code))))


def _directive(statement: str, section: str) -> Directive | None:
    shown = statement[:_MOST_SHOWN]
    if element := _ELEMENT.match(statement):
        return Directive(folded(element[1]), (element[2].strip(),), section, shown)
    match = _STATEMENT.match(statement)
    if match is None:
        return None
    name, rest = match[1], statement[match.end() :]
    more = None if match[0].rstrip().endswith(("=", ":")) else _MORE_NAME.match(rest)
    if more:
        name, rest = f"{name}{more[1]}", rest[more.end() :]
    return Directive(folded(name), _words(rest), section, shown)


def _words(text: str) -> tuple[str, ...]:
    matches = islice(_WORD.finditer(text), _MOST_WORDS)
    return tuple(match[1] or match[2] or (match[3] or "").rstrip(";") for match in matches)


def expanded(word: str, variables: Mapping[str, str]) -> str | None:
    """`word` with its variables' values; None if one is not known."""
    unknown = False

    def value(match: re.Match[str]) -> str:
        nonlocal unknown
        found = variables.get(match[1] or match[3], match[2])
        unknown = unknown or found is None
        return found or ""

    text = _VARIABLE.sub(value, word)
    return None if unknown or "$" in text else text


def assigned(text: str, variables: Mapping[str, str]) -> dict[str, str]:
    """`variables` and what a shell file of assignments adds; the last that is known counts."""
    known = dict(variables)
    for line in _lines(text):
        for name, default in _DEFAULT.findall(line):
            known.setdefault(name, default)
        match = _ASSIGNED.match(line)
        value = expanded(match[2].strip("\"'"), known) if match else None
        if match and value is not None:
            known[match[1]] = value
    return known
