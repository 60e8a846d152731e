"""Jobs that are files in directories: s6, s6-overlay, runit, daemontools, my_init.

https://skarnet.org/software/s6/servicedir.html, http://smarden.org/runit/runsv.8.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from minify.analyzers.managers.job import Job, inside, runnable
from minify.analyzers.scripts import execline
from minify.analyzers.started import Started
from minify.closure import Context
from minify.filetree.path import basename

_USUAL = ("/etc/service", "/service", "/var/service", "/etc/services.d", "/run/service")
_PARTS = ("run", "finish", "check", "data/check", "log/run", "log/finish")
_S6_RC = ("run", "finish", "up", "down")
_ONE_SHOTS = ("/etc/cont-init.d", "/etc/cont-finish.d", "/etc/s6-overlay/scripts")
_S6_RC_SOURCES = ("/etc/s6-overlay/s6-rc.d", "/etc/s6-rc/source")
_OVERLAY = (
    "/package",
    "/command",
    "/etc/s6",
    "/etc/s6-overlay",
    "/etc/fix-attrs.d",
    "/usr/lib/s6",
    "/usr/libexec/s6",
)
_MY_INIT = ("/etc/my_init.d", "/etc/my_init.pre_shutdown.d", "/etc/my_init.post_shutdown.d")
_RUNIT = tuple(f"/etc/runit/{stage}" for stage in (1, 2, 3))
_ONE_LINE = ("up", "down")
_BEGINNING = 256
_EXECLINE = re.compile(rb"#![ \t]*+\S*?/?execlineb\b")


def services(name: str, program: Started, context: Context) -> Iterator[Job]:  # noqa: ARG001
    """What is in the service directories that the command line names, else in the usual ones."""
    told = [word for word in program.arguments if "/" in word]
    for directory in told or _USUAL:
        for path in (*inside(directory, context), directory):
            yield from _service(path, context)
    for path in _RUNIT:
        yield from _started(path, context)


def overlay(name: str, program: Started, context: Context) -> Iterator[Job]:
    """All that s6-overlay's `/init` goes through, and its command line's own command.

    https://github.com/just-containers/s6-overlay#init-stages
    """
    for directory in _USUAL:
        for path in inside(directory, context):
            yield from _service(path, context)
    for directory in _S6_RC_SOURCES:
        for path in inside(directory, context):
            for part in _S6_RC:
                yield from _started(f"{path}/{part}", context)
    for directory in _ONE_SHOTS:
        for path in inside(directory, context):
            yield from _started(path, context)
    yield from command(name, program, context)


def trees(context: Context) -> Iterator[str]:
    """What s6-overlay is made of, and the directories that it goes through, where they are."""
    patterns = (*_OVERLAY, *_USUAL, *_S6_RC_SOURCES, *_ONE_SHOTS)
    yield from (path for path in context.existing(patterns))


def command(name: str, program: Started, context: Context) -> Iterator[Job]:  # noqa: ARG001
    """The command that a manager's own arguments are, run beside the services."""
    words = program.arguments
    while words and words[0].startswith("-"):
        words = words[1:]
    if words and context.command(words[0]):
        yield Job.of(words, program.path)


def my_init(name: str, program: Started, context: Context) -> Iterator[Job]:
    """What phusion's init for images goes through."""
    for directory in _MY_INIT:
        for path in inside(directory, context):
            yield from runnable(path, program.path, context)
    yield from runnable("/etc/rc.local", program.path, context)
    for path in inside("/etc/service", context):
        yield from _service(path, context)
    yield from command(name, program, context)


def _service(directory: str, context: Context) -> Iterator[Job]:
    for part in _PARTS:
        yield from _started(f"{directory}/{part}", context)


def _started(path: str, context: Context) -> Iterator[Job]:
    """A file of a service: a program, a script, or a line of execline."""
    entry = context.tree.file(path)
    if entry is None:
        return
    if context.executable(path):
        yield Job.of((path,), path)
    begin = context.tree.read(entry, _BEGINNING)
    # The `up` of a one-shot has no first line, and is execline.
    if _EXECLINE.match(begin) or (basename(entry.path) in _ONE_LINE and begin[:2] != b"#!"):
        yield from (Job.of(words, entry.path) for words in execline.lines(entry, context))
