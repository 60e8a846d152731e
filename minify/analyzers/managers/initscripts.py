"""Jobs that are scripts of an old init: `service nginx start`, `/etc/init.d/cron start`."""

from __future__ import annotations

from collections.abc import Iterator

from minify.analyzers.managers.job import Job
from minify.analyzers.started import Started
from minify.closure import Context

_PLACES = ("/etc/init.d", "/etc/rc.d/init.d")
_STARTS = frozenset("start restart reload force-reload".split())
_MOST_OPTIONS = 8


def service(name: str, program: Started, context: Context) -> Iterator[Job]:  # noqa: ARG001
    """`service NAME start`, `invoke-rc.d NAME start`, `rc-service NAME start`."""
    words = [word for word in program.arguments if not word.startswith("-")][:_MOST_OPTIONS]
    if len(words) < 2 or words[1] not in _STARTS or "/" in words[0]:
        return
    for place in _PLACES:
        path = f"{place}/{words[0]}"
        if context.executable(path):
            yield Job.of((path, words[1]), program.path)


def daemon(name: str, program: Started, context: Context) -> Iterator[Job]:
    """`start-stop-daemon --exec PROGRAM … -- ARGUMENTS`."""
    words = program.arguments
    at = words.index("--") if "--" in words else len(words)
    options = words[:at]
    for option, value in zip(options, (*options[1:], ""), strict=True):
        name, equals, inline = option.partition("=")
        if name in ("-x", "--exec", "-a", "--startas") and context.executable(inline or value):
            yield Job.of(((inline if equals else value), *words[at + 1 :]), program.path)
