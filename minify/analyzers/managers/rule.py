"""What the managers of processes of an image read, and what the commands there need."""

from __future__ import annotations

from collections.abc import Iterator

from minify.analyzers.scripts.commands import shell_text
from minify.analyzers.walks import configuration_walks
from minify.closure import Context, Finding


def find(context: Context) -> Iterator[Finding]:
    """What each manager reads, and the programs that it starts, followed as a script's are."""
    if not (context.config.entrypoint or context.config.cmd):
        return
    for one in configuration_walks(context).managed:
        yield from one.findings
        yield from shell_text(context.tree[one.by], one.script, context)
