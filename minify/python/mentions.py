"""Names of modules in configuration: dotted names that a program may be told to import.

    class: pythonjsonlogger.json.JsonFormatter        use = egg:shop#main
    "middleware": ["shop.web.Compress"]               command = worker shop.tasks:app

A host (`redis.internal`) and a file (`celery.log`) look like one. A name counts whose last part is
a module, or stands in the module that the rest of it is.

https://docs.python.org/3/library/logging.config.html#user-defined-objects
https://docs.pylonsproject.org/projects/pastedeploy/en/latest/#config-uris
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from minify.python.commands import references
from minify.python.distributions import normalized
from minify.python.finder import Module, ModuleKind
from minify.python.graph import Graph
from minify.python.reached import Origin
from minify.python.standard_library import is_for_developers

# What may be before a name: a quote, a bracket, `key=`, `ext://`, YAML's `!!python/name:`.
_NAME = re.compile(
    r"""(?:(?<=[\s"'`=:,;|>(\[{!])|(?<![\s\S])|(?<=ext://))
    (?=\w{1,100}+[.:]\w|[^\W_]{1,98}+_\w)
    (?P<name>[^\W\d]\w{0,99}+(?:\.[^\W\d]\w{0,99}+){0,15}+)
    (?::(?P<attribute>[^\W\d]\w{0,99}+)[\w.]{0,200}+)?+
    (?=(?P<key>["'`][ \t]*+[:=]|[ \t]*+(?:=|:(?=\s|\Z)))?+)
    (?![:.]{0,3}+[\w@/\\$%-])""",
    re.VERBOSE,
)
_EGG = re.compile(r"\begg:(?P<name>[A-Za-z0-9][\w.-]{0,99}+)")
_COMMENT = re.compile(r"^[ \t]*+(?:[#;]|//)[^\n]*+", re.MULTILINE)
# Loggers have the names of modules, and need none of them.
_LOGGERS = re.compile(r"^[ \t]*+(?:qualname|propagate)[ \t]*+[=:][^\n]*+", re.MULTILINE)
_ANYTHING = re.compile(rb"\bimport[ \t(]++\*|\b__getattr__\b")
_MOST = 50_000
_LARGEST_SOURCE = 1 << 20
_MOST_CHECKED = 4_000
_MOST_ASKED = 300_000


@dataclass(frozen=True, slots=True)
class Mention:
    """What may be the name of something that is imported."""

    name: str
    """Dotted; its last parts may be an attribute."""
    attribute: str
    """What is behind a colon: `app` of `shop.wsgi:app`; empty without one."""
    line: int
    """From 1."""
    is_key: bool
    """Whether something is given to it, as to a logger's name."""


def mentions(text: str) -> Iterator[Mention]:
    """The names in a text that have a dot, an attribute or a `_`, each once, in order.

    `rest_framework` is a module wherever it stands; `requests` may be any word.
    """
    text = _LOGGERS.sub("", _COMMENT.sub("", text))
    found: set[tuple[str, str, bool]] = set()
    for match, line in _with_lines(_NAME, text):
        name, attribute = match["name"], match["attribute"] or ""
        is_key = match["key"] is not None
        if (name, attribute, is_key) not in found:
            found.add((name, attribute, is_key))
            yield Mention(name, attribute, line, is_key)


def eggs(text: str) -> Iterator[tuple[str, int]]:
    """The distributions that `egg:Name#point` names, with their lines."""
    return ((m["name"], line) for m, line in _with_lines(_EGG, _COMMENT.sub("", text)))


def _with_lines(pattern: re.Pattern[str], text: str) -> Iterator[tuple[re.Match[str], int]]:
    line, counted = 1, 0
    for match in islice(pattern.finditer(text), _MOST):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        yield match, line


class Mentioned:
    """Reaches what configuration names; asked often, it knows what it has been asked before."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._checked: dict[tuple[str, str], bool] = {}
        self._asked = 0

    def text(self, text: str, origin: Callable[[str, int], Origin]) -> None:
        """Reaches what a text names. `origin` is asked with the name and its line."""
        for mention in mentions(text):
            self._asked += 1
            if self._asked > _MOST_ASKED:
                return
            if self._is_meant(mention):
                found = origin(mention.name, mention.line)
                self._graph.mentioned(mention.name, found, is_sure=bool(mention.attribute))
        for name, line in eggs(text):
            self._egg(name, origin(f"egg:{name}", line))

    def word(self, word: str, origin: Origin) -> None:
        """Reaches what an operand or a value names: by one name what is nobody's library.

        What it is part of is the application, wherever it is installed.
        """
        self.text(word, lambda *_: origin)
        distributions, installed = self._graph.distributions, self._graph.installed
        for name in references((word,)):
            module = self._graph.finder.find(name)
            owner = distributions.owner(module.path) if module is not None else None
            is_sure = "." in name or ":" in word
            if module is None or (owner is not None and is_for_developers(owner.name)):
                continue
            if is_sure or (owner is None and not installed.is_standard(module.path)):
                self._graph.name(name, origin)
                self._graph.own.update((owner.name,) if owner is not None else ())

    def _egg(self, name: str, origin: Origin) -> None:
        distribution = self._graph.distributions.by_name.get(normalized(name))
        for group, reference in distribution.entry_points if distribution is not None else ():
            if group.startswith("paste."):
                self._graph.name(reference.partition(":")[0], origin)

    def _is_meant(self, mention: Mention) -> bool:
        """Whether a module has the name, or one that it begins with has the rest of it."""
        parts = mention.name.split(".")
        module, number = self._longest(parts)
        if module is None:
            return False
        rest = [*parts[number:], *([mention.attribute] if mention.attribute else [])]
        if rest:
            return self._has(module, rest[0])
        # A key that is a module is a logger.
        return not mention.is_key

    def _longest(self, parts: list[str]) -> tuple[Module | None, int]:
        """The module of the longest beginning of a name, and of how many parts that is."""
        module: Module | None = None
        for number in range(1, len(parts) + 1):
            longer = self._graph.finder.find(".".join(parts[:number]))
            if longer is None:
                return module, number - 1
            module = longer
        return module, len(parts)

    def _has(self, module: Module, name: str) -> bool:
        key = (module.name, name)
        if key not in self._checked:
            if len(self._checked) >= _MOST_CHECKED:
                return True  # too many to look for: one too many stays, and not one too few
            self._checked[key] = self._stands_in(module, name.encode("utf-8", "replace"))
        return self._checked[key]

    def _stands_in(self, module: Module, name: bytes) -> bool:
        source = self._graph.finder.source(module)[:_LARGEST_SOURCE]
        if module.kind is not ModuleKind.SOURCE:
            return name in source
        word = re.compile(rb"(?<!\w)" + re.escape(name) + rb"(?!\w)")
        return bool(word.search(source) or _ANYTHING.search(source))
