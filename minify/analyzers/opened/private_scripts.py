"""Shell scripts of the application's own that it may run: helpers beside it, hooks.

Their commands are kept if those are binaries. Interpreters are not followed from here: helpers in
Perl would bring all of Perl. A script of a library that nothing names is a developer's: how it was
released, what its tests do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from minify.analyzers.runtimes import is_runtime
from minify.closure import Context, Finding, Grade, KeepSet, Likelihood, Need, Reason
from minify.closure.commandline import SHELLS, called
from minify.closure.innercommands import command_lines
from minify.closure.shellfiles import syntax_tree
from minify.filetree import Entry, ImagePath
from minify.filetree.path import basename, decoded, is_within, parent
from minify.shell import Script, Value
from minify.shell.builtins import NAMES
from minify.shell.syntax import Literal, Simple, Word
from minify.shell.traversal import statements
from minify.shell.values import Known, Unknown, known

RULE = "script.private"

_SHEBANG = re.compile(rb"#![ \t]*+(?:/usr/bin/env[ \t]++)?(\S++)")
# What is given to a shell, as a web server does with `cgi.assign`, needs no `#!`.
_SUFFIXES = (".sh", ".bash", ".ash")
_LARGEST = 1 << 18
_MOST = 2000
_MOST_TEXTS = 8
_PREFIXES = frozenset("exec command builtin".split())
# What pam_motd runs for whoever logs in.
_RUN_BY_OTHERS = ("/etc/update-motd.d/",)


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    """The binaries that such a script runs, and its shell. Of one surely run, `scripts` tells."""
    is_named = entry.path.endswith(_SUFFIXES)
    if grade is Grade.HARD or not (entry.is_executable or is_named) or not _fits(entry):
        return
    if not (entry.path.startswith(_RUN_BY_OTHERS) or context.is_first_party(entry.path)):
        return
    shebang = _SHEBANG.match(context.tree.read(entry, 256))
    shell = decoded(shebang[1]) if shebang else ""
    has_line = context.tree.read(entry, 2) == b"#!"
    if called(shell) not in SHELLS and (has_line or not is_named):
        return
    for name in dict.fromkeys((shell, *_names(entry, context))):
        found = context.command(name) if name else None
        if found is not None and found.entry.path != entry.path:
            is_plain = (
                entry.path not in context.idle
                and context.is_elf(found.entry)
                and not is_runtime(basename(found.entry.path))
            )
            yield Need(
                found.path,
                Reason(RULE, entry.path, f"a shell script of the application's runs {name}"),
                likelihood=Likelihood.LIKELY if is_plain else Likelihood.GUESSED,
            )


def idle(
    keep: KeepSet, directories: Iterable[ImagePath], is_named: Callable[[ImagePath], bool]
) -> Iterator[ImagePath]:
    """The scripts in directories of libraries whose names nothing has that is followed there."""
    places = tuple(directories)
    scripts = {why.by for one in keep.kept.values() for why in one.reasons if why.rule == RULE}
    for path in map(ImagePath, sorted(scripts)):
        if not is_named(path) and any(is_within(path, place) for place in places):
            yield path


def _fits(entry: Entry) -> bool:
    return 2 < entry.size <= _LARGEST


def _names(script: Entry, context: Context) -> Iterator[str]:
    """The names of the commands in a script, and in what it reads of its own directory."""
    texts = [script]
    for entry in texts:
        for words in islice(_commands(entry, context), _MOST):
            if words[0].text not in NAMES:
                yield from (line.words[0].text or "" for line in command_lines(words))
            if words[0].text not in (".", "source") or len(words) < 2:
                continue
            read = context.tree.file(f"{parent(script.path)}/{called(words[1].end)}")
            if read is not None and read not in texts and len(texts) < _MOST_TEXTS:
                texts.append(read)


def _commands(entry: Entry, context: Context) -> Iterator[tuple[Value, ...]]:
    """The simple commands of a script, on every branch, as they are written."""
    tree = syntax_tree(entry, context)
    for statement in statements(tree) if isinstance(tree, Script) else ():
        if isinstance(statement.command, Simple):
            words = statement.command.words
            while words and words[0].text in _PREFIXES:
                words = words[1:]
            if words:
                yield tuple(_value(word) for word in words)


def _value(word: Word) -> Value:
    if word.text is not None:
        return known(word.text)
    last = word.parts[-1]
    return Value((Unknown("$"), Known(last.text if isinstance(last, Literal) else "")))
