"""The directories of programs that came with what they need: `/opt/app` of `/opt/app/bin/app`.

Templates and data are beside a program that no package owns, and it finds them by its own path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from minify.analyzers.commands import operands
from minify.analyzers.runtimes import is_runtime
from minify.closure import Context, Finding, Reason
from minify.closure.application import application, application_of
from minify.closure.commandline import MULTI_CALL, SHELLS, called, inner_command
from minify.filetree import ImagePath

_RULE = "app.directory"
# Its rule knows what of its home is for compilers.
_KNOWN = frozenset(("java",))
# Their imports are followed.
_FOLLOWED = re.compile(r"(?:python|pypy|node)[\w.-]*+")


def find(context: Context) -> Iterator[Finding]:
    """What is in the directories of the programs that ENTRYPOINT, CMD and their scripts start."""
    for program, paths in operands(context).items():
        directory = application_of(program, context.tree)
        if directory and _is_applications(program, context):
            detail = f"the directory of {program}, which is started"
            yield from application(directory, Reason(_RULE, program, detail))
        if is_runtime(called(program)) and not _FOLLOWED.fullmatch(called(program)):
            yield from _of_script(paths, context)


def _of_script(paths: Iterable[str], context: Context) -> Iterator[Finding]:
    """The directory of the script that a runtime is given, and loads the others from."""
    scripts = (entry for path in paths if (entry := context.tree.file(path)) is not None)
    for script in scripts:
        directory = application_of(script.path, context.tree)
        if directory and context.is_first_party(script.path):
            detail = f"the directory of {script.path}, which is run"
            yield from application(directory, Reason(_RULE, script.path, detail))


def _is_applications(program: ImagePath, context: Context) -> bool:
    name = called(program)
    if name in SHELLS | MULTI_CALL | _KNOWN or inner_command(name, ()) is not None:
        return False
    return not context.packages.owners(program) and context.is_first_party(program)
