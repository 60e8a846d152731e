"""The recipes of a makefile: each is a text for a shell.

https://www.gnu.org/software/make/manual/html_node/Recipes.html
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from minify.analyzers.directives import text_of
from minify.analyzers.managers.job import Job, split
from minify.analyzers.started import Started, option_values
from minify.closure import Context
from minify.closure.patterns import glob
from minify.filetree.path import joined

_DEFAULT_FILES = ("GNUmakefile", "makefile", "Makefile")
_DIRECTORY = ("-C", "--directory")
_FILE = ("-f", "--file", "--makefile")
_SHELLS = ("sh", "bash", "dash", "ash", "ksh", "zsh")

_ASSIGNMENT = re.compile(
    r"(?:(?:export|override)[ \t]++)*+([\w.-]++)[ \t]*+([:?+!]{0,3})=[ \t]*+(.*+)"
)
_DEFINE = re.compile(r"(?:override[ \t]++)?define[ \t]++([\w.-]++).*+")
_INCLUDE = re.compile(r"[-s]?include[ \t]++(.++)")
_RULE = re.compile(r"([^\s#:=][^:=#]*+)::?(?!=)([^;]*+)(?:;(.*+))?")
_COMMENT = re.compile(r"(?:^|[ \t])#.*+")
_PREFIXES = "@-+ \t"
_CLOSING = {"(": ")", "{": "}"}

_MOST_LINES = 20_000
_MOST_FILES = 50
_MOST_JOBS = 1000
_DEEPEST = 8
_LONGEST = 1 << 14


@dataclass(slots=True)
class _Recipe:
    """A rule, and the lines of its recipe as they stand there."""

    path: str
    targets: str
    needed: str
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Makefile:
    """What is read of a makefile and of those that it includes."""

    variables: dict[str, str]
    recipes: list[_Recipe] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    """The other lines, each with its file: `$(shell …)` stands there too."""
    files: dict[str, None] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    """The variables that the command line sets, which no makefile changes."""


def recipes(name: str, program: Started, context: Context) -> Iterator[Job]:
    """All recipes, whichever target is asked for, and each `$(shell …)`."""
    told = tuple(option_values(program.arguments, _DIRECTORY))
    directory = joined(context.workdir, told[-1] if told else "")
    read = _Makefile({**context.config.env, "MAKE": name, "CURDIR": directory})
    for word in program.arguments:
        if (match := _ASSIGNMENT.fullmatch(word)) and not word.startswith("-"):
            read.variables[match[1]] = match[3]
            read.told.add(match[1])
    named = tuple(option_values(program.arguments, _FILE))
    for path in named or _first(directory, context):
        _read(joined(directory, path), directory, read, context)
    inside = "" if directory == context.workdir else f"cd {shlex.quote(directory)} && "
    found = dict.fromkeys(_texts(read))
    shell = _Expansion(read.variables).of("$(SHELL)").strip()
    if posixpath.basename(shell) not in _SHELLS:
        shell = "/bin/sh"
    for by, text in list(found)[:_MOST_JOBS]:
        if len(text) <= _LONGEST and "\0" not in text:
            yield Job.of((shell, "-c", f"{inside}{text}"), by)


def _first(directory: str, context: Context) -> tuple[str, ...]:
    names = (one for one in _DEFAULT_FILES if context.tree.file(joined(directory, one)))
    return tuple(names)[:1]


def _read(path: str, directory: str, read: _Makefile, context: Context) -> None:
    entry = context.tree.file(path)
    if entry is None or entry.path in read.files or len(read.files) >= _MOST_FILES:
        return
    read.files[entry.path] = None
    recipe: _Recipe | None = None
    defined = ""
    for line in _whole_lines(text_of(entry, context.tree)):
        if defined:
            if line.strip() == "endef":
                defined = ""
            else:
                read.variables[defined] += f"\n{line}"
        elif line.startswith("\t") and recipe is not None:
            recipe.lines.append(line[1:])
        elif match := _DEFINE.fullmatch(line.strip()):
            defined = match[1]
            read.variables[defined] = ""
        elif match := _INCLUDE.fullmatch(_COMMENT.sub("", line).strip()):
            for word in split(_Expansion(read.variables).of(match[1])):
                for found in glob(context.tree, joined(directory, word)):
                    _read(found, directory, read, context)
        else:
            recipe = _statement(line, entry.path, read) or (None if line.strip() else recipe)


def _statement(line: str, path: str, read: _Makefile) -> _Recipe | None:
    """Takes an assignment in; gives the rule that a line begins."""
    plain = _COMMENT.sub("", line).rstrip()
    read.texts.append((path, plain))
    if match := _ASSIGNMENT.fullmatch(plain.strip()):
        _assign(match[1], match[2], match[3], read)
        return None
    if not (match := _RULE.fullmatch(plain)):
        return None
    recipe = _Recipe(path, match[1], match[2], [match[3]] if match[3] else [])
    read.recipes.append(recipe)
    return recipe


def _assign(name: str, operator: str, value: str, read: _Makefile) -> None:
    before = read.variables.get(name)
    if name in read.told or (operator == "?" and before is not None):
        return
    if operator == "!":
        value = f"$(shell {value})"
    read.variables[name] = f"{before} {value}" if operator == "+" and before else value


def _whole_lines(text: str) -> Iterator[str]:
    """Lines with those that continue them; in recipes the shell joins them itself."""
    whole = ""
    for line in text.split("\n")[:_MOST_LINES]:
        whole = f"{whole}{line}"
        if whole.endswith("\\"):
            whole = f"{whole}\n" if whole.startswith("\t") else f"{whole[:-1]} "
            continue
        yield whole
        whole = ""
    if whole:
        yield whole


def _texts(read: _Makefile) -> Iterator[tuple[str, str]]:
    """The shell texts, each with the file that it stands in."""
    for path, line in read.texts:
        expansion = _Expansion(read.variables)
        expansion.of(line)
        yield from ((path, text) for text in expansion.shells)
    is_one = any(recipe.targets.strip() == ".ONESHELL" for recipe in read.recipes)
    for recipe in read.recipes:
        plain = _Expansion(read.variables)
        targets, needed = plain.of(recipe.targets).split(), plain.of(recipe.needed).split()
        automatic = {
            "@": " ".join(targets[:1]),
            "<": " ".join(needed[:1]),
            "^": " ".join(needed),
            "+": " ".join(needed),
            "?": " ".join(needed),
            "*": "%",
        }
        expansion = _Expansion({**read.variables, **automatic})
        lines = [
            part.lstrip(_PREFIXES) for line in recipe.lines for part in _parts(expansion.of(line))
        ]
        for text in ("\n".join(lines),) if is_one else lines:
            if text.strip():
                yield recipe.path, text
        yield from ((recipe.path, text) for text in expansion.shells)


def _parts(text: str) -> Iterator[str]:
    """The lines of a text, of which `define` may have made several, continued ones together."""
    yield from re.split(r"(?<!\\)\n", text)


class _Expansion:
    """References to variables, expanded; what functions give is not known, and is left out."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.shells: list[str] = []
        """The texts of `$(shell …)` that were met."""

    def of(self, text: str, depth: int = 0) -> str:
        found: list[str] = []
        size = at = 0
        while at < len(text) and size <= _LONGEST:
            dollar = text.find("$", at)
            if dollar < 0 or dollar + 1 >= len(text):
                found.append(text[at:])
                break
            found.append(text[at:dollar])
            at = dollar + 2
            sign = text[dollar + 1]
            if sign in _CLOSING:
                end = _end(text, at, sign)
                found.append(self._reference(text[at:end], depth))
                at = end + 1
            else:
                found.append("$" if sign == "$" else self._value(sign, depth))
            size += len(found[-1]) + len(found[-2])
        return "".join(found)

    def _value(self, name: str, depth: int) -> str:
        value = self._variables.get(name, "")
        return self.of(value, depth + 1) if depth < _DEEPEST else ""

    def _reference(self, inner: str, depth: int) -> str:
        """The value of `NAME`, `NAME:a=b`, `@D`; of a function, what is known of its arguments."""
        name, _, rest = inner.partition(" ")
        if not rest:
            plain = name.partition(":")[0]
            return self._value(plain if plain in self._variables else plain[:1], depth)
        if depth >= _DEEPEST:
            return ""
        given = self.of(rest, depth + 1)
        if name == "shell":
            self.shells.append(given.strip())
        return self._value(given.partition(",")[0].strip(), depth) if name == "call" else ""


def _end(text: str, at: int, sign: str) -> int:
    """Where a reference that begins before `at` ends; the end of the text if it never does."""
    depth = 1
    for here in range(at, len(text)):
        if text[here] == sign:
            depth += 1
        elif text[here] == _CLOSING[sign]:
            depth -= 1
            if not depth:
                return here
    return len(text)
