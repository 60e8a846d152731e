"""The `#!` line of a script: its interpreter, heads before it looked through.

https://man7.org/linux/man-pages/man2/execve.2.html
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from minify.closure import Context, Finding, Grade, Missing, Need, Reason
from minify.closure.commandline import called, inner_command
from minify.filetree import Entry
from minify.filetree.path import decoded, joined

_LONGEST_LINE = 256  # BINPRM_BUF_SIZE: the kernel reads no more of a `#!` line
_MOST_HEADS = 4


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What runs a script."""

    name: str
    """Without its directory; empty if the line names none."""
    needs: tuple[Finding, ...] = ()


def interpreter(entry: Entry, context: Context) -> Interpreter:
    """The interpreter of a file that begins with `#!`."""
    line = decoded(context.tree.read(entry, _LONGEST_LINE).partition(b"\n")[0])
    words = line[2:].strip(" \t").split(None, 1)
    if not words:
        return Interpreter("")
    reason = Reason("script.interpreter", entry.path, line.strip())
    needs = [_need(words[0], reason, context)]
    name = words[0]
    arguments = _arguments(called(name), words[1]) if len(words) > 1 else ()
    for _ in range(_MOST_HEADS):
        inner = inner_command(called(name), arguments)
        if not inner:
            break
        name, arguments = inner[0], inner[1:]
        needs.append(_found_by_path(name, reason, context))
    return Interpreter("" if inner == () else called(name), tuple(needs))


def _arguments(name: str, written: str) -> tuple[str, ...]:
    """The kernel gives all in one argument, which `env -S` splits; others get what they get."""
    if name != "env":
        return tuple(written.split())
    try:
        return tuple(shlex.split(written.removeprefix("-S")))
    except ValueError:
        return tuple(written.split())


def _need(written: str, reason: Reason, context: Context) -> Finding:
    path = joined("/", written)
    entry = context.tree.resolve(path).entry
    if entry is None or context.executable(path):
        # What is missing is said by whoever follows the need, with the link that leads nowhere.
        return Need(path, reason, Grade.HARD)
    hint = f"it is a {entry.kind.value} of mode {entry.mode:04o}, which cannot be executed"
    return Missing(written, reason, Grade.HARD, (entry.path,), hint)


def _found_by_path(name: str, reason: Reason, context: Context) -> Finding:
    found = context.command(name)
    if found is not None:
        return Need(found.path, reason, Grade.HARD)
    looked: Sequence[str] = (name,) if "/" in name else context.config.search_path
    return Missing(name, reason, Grade.HARD, tuple(looked))
