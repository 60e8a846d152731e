"""Shell scripts of the application's own that it may run: helpers beside it, hooks.

Their commands are kept if those are binaries. Interpreters are not followed from here: helpers in
Perl would bring all of Perl.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from minify.analyzers.runtimes import is_runtime
from minify.closure import Context, Finding, Grade, Likelihood, Need, Reason
from minify.closure.commandline import SHELLS, called
from minify.closure.shellwords import commands, is_literal
from minify.filetree import Entry
from minify.filetree.path import basename, decoded, parent

RULE = "script.private"

_SHEBANG = re.compile(rb"#![ \t]*+(?:/usr/bin/env[ \t]++)?(\S++)")
_LARGEST = 1 << 18
_MOST = 2000
_MOST_TEXTS = 8
# What pam_motd runs for whoever logs in.
_RUN_BY_OTHERS = ("/etc/update-motd.d/",)


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    """The binaries that such a script runs, and its shell. Of one surely run, `scripts` tells."""
    if grade is Grade.HARD or not entry.is_executable or not 2 < entry.size <= _LARGEST:
        return
    if not (entry.path.startswith(_RUN_BY_OTHERS) or context.is_first_party(entry.path)):
        return
    shebang = _SHEBANG.match(context.tree.read(entry, 256))
    shell = decoded(shebang[1]) if shebang else ""
    if called(shell) not in SHELLS:
        return
    for name in dict.fromkeys((shell, *_names(entry, context))):
        found = context.command(name) if is_literal(name) else None
        if found is not None and found.entry.path != entry.path:
            is_plain = context.is_elf(found.entry) and not is_runtime(basename(found.entry.path))
            yield Need(
                found.path,
                Reason(RULE, entry.path, f"a shell script of the application's runs {name}"),
                likelihood=Likelihood.LIKELY if is_plain else Likelihood.GUESSED,
            )


def _names(script: Entry, context: Context) -> Iterator[str]:
    """The first words of the commands in a script, and in what it reads of its own directory."""
    texts = [script]
    for entry in texts:
        for found in islice(commands(decoded(context.tree.read(entry, _LARGEST))), _MOST):
            yield found.name
            if found.name not in (".", "source") or len(found.words) < 2:
                continue
            read = context.tree.file(f"{parent(script.path)}/{called(found.words[1])}")
            if read is not None and read not in texts and len(texts) < _MOST_TEXTS:
                texts.append(read)
