"""What the services of an image need by their configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice

from minify.analyzers import configuration as texts
from minify.analyzers.directives import Directive
from minify.analyzers.services import modules
from minify.analyzers.services.reading import Configuration, File, configurations
from minify.closure import Context, Finding, Grade, Need, Reason
from minify.closure.patterns import glob
from minify.filetree import ImagePath

READ, NAMED = "service.configuration", "service.path"
HELPER, DATA = "service.helper", "service.data"
"""The rules: files that are read, what they name, and what a program is known to use."""

_RELATIVE = re.compile(r"(?:[\w@+-][\w.@+-]*+/)*+[\w@+-][\w.@+-]*+/?+")
# Their values are relative names even if these have neither a directory nor an ending.
_PLACES = frozenset("alias documentroot errordocument root serverdocumentroot".split())
_MOST_NAMED = 5000
_MOST_FOUND = 2000


def find(context: Context) -> Iterator[Finding]:
    """The files of each known service's configuration, what they name, and its own needs."""
    for configuration in configurations(context):
        for file in configuration.files:
            yield Need(file.written, Reason(READ, file.by, "reads its configuration"))
            yield from texts.named(file.text, file.entry.path, context)
        yield from _relative(configuration, context)
        yield from _own(configuration, context)
        yield from modules.find(configuration, context)


def enabled_modules(context: Context) -> tuple[ImagePath, ...]:
    """The modules that the services of an image load: parts of its programs, whoever owns them."""
    found = (modules.enabled(configuration, context) for configuration in configurations(context))
    return tuple(dict.fromkeys(chain.from_iterable(found)))


def _relative(configuration: Configuration, context: Context) -> Iterator[Finding]:
    words = (
        (file, word)
        for file in configuration.files
        for directive in file.directives
        for word in directive.words
        if _is_named(word, directive)
    )
    for file, word in islice(words, _MOST_NAMED):
        yield from _named(word, file, configuration, context)


def _is_named(word: str, directive: Directive) -> bool:
    """Whether a word is a path that the general reader does not see: relative, or `/srv`."""
    is_place = directive.name in _PLACES
    if word.startswith("/"):
        return is_place
    is_file_name = "/" in word or "." in word
    return bool(_RELATIVE.fullmatch(word)) and (is_file_name or is_place)


def _named(
    word: str, file: File, configuration: Configuration, context: Context
) -> Iterator[Finding]:
    reason = Reason(NAMED, file.entry.path, f"names {word}")
    for path in configuration.named(word, file, context):
        yield from texts.need(path, reason, context)


def _own(configuration: Configuration, context: Context) -> Iterator[Finding]:
    """What the program uses though nothing names it."""
    service, program = configuration.service, configuration.program.path
    if service.variables and context.tree.file(service.variables):
        yield Need(service.variables, Reason(READ, program, "reads its variables"))
    for pattern in service.helpers.split():
        for path in islice(glob(context.tree, pattern), _MOST_FOUND):
            if context.executable(path):
                yield Need(path, Reason(HELPER, program, f"starts {path}"), Grade.HARD)
    for pattern in service.data.split():
        for path in context.existing(islice(glob(context.tree, pattern), _MOST_FOUND)):
            yield Need(path, Reason(DATA, program, f"reads {path}"), whole_tree=True)
