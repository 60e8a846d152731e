"""Programs that the command line's scripts become and that the image does not have.

A script's own image would fail on them as well; it is told since `--cmd` and a mistyped CMD come
through `exec "$@"`, where nothing else looks at them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from minify.analyzers.scripts.lookup import programs
from minify.analyzers.scripts.place import Place
from minify.analyzers.walks import runs_of
from minify.closure import Context, Finding, Gap
from minify.closure.innercommands import command_lines
from minify.shell import Ending, Likelihood, Run
from minify.shell.builtins import NAMES

_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*+")


def find(context: Context) -> Iterator[Finding]:
    """A gap for each; only plain names: a file that is not there may be mounted."""
    for run in runs_of(context.config.argv, context) if context.config.argv else ():
        if run.ending is Ending.EXEC and run.likelihood >= Likelihood.USUALLY:
            yield from _absent(run, context)


def _absent(run: Run, context: Context) -> Iterator[Finding]:
    place = Place.of(run)
    for number, line in enumerate(command_lines(run.words)):
        name = line.words[0].text or ""
        is_plain = _NAME.fullmatch(name) is not None and not line.is_applet
        if not is_plain or (number == 0 and name in NAMES):
            continue
        if not programs(line.words[0], place, line.searched(run.search), context):
            near = context.close_commands(name)
            reason = place.reason("script.absent", f"becomes {name}, which the image does not have")
            hint = f"close to it: {', '.join(near)}" if near else "say with --cmd what it shall run"
            yield Gap(reason, hint)
