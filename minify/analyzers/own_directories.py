"""The directories of programs that came with what they need: `/opt/app` of `/opt/app/bin/app`.

Templates and data are beside a program that no package owns, and it finds them by its own path.
"""

from __future__ import annotations

from collections.abc import Iterator

from minify.analyzers.commands import operands
from minify.closure import Context, Finding, Reason
from minify.closure.application import application, application_of
from minify.closure.commandline import MULTI_CALL, SHELLS, called, inner_command
from minify.filetree import ImagePath

_RULE = "app.directory"
# Its rule knows what of its home is for compilers.
_KNOWN = frozenset(("java",))


def find(context: Context) -> Iterator[Finding]:
    """What is in the directories of the programs that ENTRYPOINT, CMD and their scripts start."""
    for program in operands(context):
        directory = application_of(program, context.tree)
        if directory and _is_applications(program, context):
            detail = f"the directory of {program}, which is started"
            yield from application(directory, Reason(_RULE, program, detail))


def _is_applications(program: ImagePath, context: Context) -> bool:
    name = called(program)
    if name in SHELLS | MULTI_CALL | _KNOWN or inner_command(name, ()) is not None:
        return False
    return not context.packages.owners(program) and context.is_first_party(program)
