"""Scripts: the `#!` line, and what the commands of a shell script need.

Only a script that is surely run counts (HARD). That is the most valuable single rule of all:
without it a string in a library pulls in a helper script, and that a whole language runtime.

`survey` looks at a script and at the files that it reads, `commands` at what it runs, `lookup` for
programs as the shell does, `files` for what its words name.
"""

from __future__ import annotations

from collections.abc import Iterator

from minify.analyzers.scripts import execline
from minify.analyzers.scripts.commands import shell_script
from minify.analyzers.scripts.shebang import interpreter
from minify.closure import Context, Finding, Gap, Grade, Reason
from minify.closure.commandline import MULTI_CALL, SHELLS
from minify.filetree import Entry


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    if grade is not Grade.HARD:
        return
    if context.tree.read(entry, 2) != b"#!":
        if entry.path in context.scripts and not context.is_elf(entry):
            yield from shell_script(entry, context)
        return
    found = interpreter(entry, context)
    yield from found.needs
    if found.name in SHELLS | MULTI_CALL:
        yield from shell_script(entry, context)
    elif found.name == execline.NAME:
        yield from execline.analyze(entry, context)
    elif found.name and entry.path not in context.followed:
        detail = (
            f"{entry.path} is a script for {found.name}: what it runs and opens is not followed"
        )
        yield Gap(Reason("script.unread", entry.path, detail), "keep what it runs with --keep")
