"""Managers whose configuration is directories with programs in them."""

from __future__ import annotations

from collections.abc import Sequence

from minify.analyzers.managers.text import MOST_FILES
from minify.closure import Context
from minify.closure.patterns import glob
from minify.filetree.path import joined

# What a service's directory holds that is run: runit(8), s6-supervise(8), s6-rc-compile(8).
_RUN = "run finish check control/* log/run log/finish"
_SERVICES = (
    "/etc/service /service /var/service /etc/runit/runsvdir/default /etc/services.d"
    " /etc/s6/services /run/service /var/run/service"
)
_OVERLAY_RUN = (
    "/etc/cont-init.d/* /etc/cont-finish.d/* /etc/services.d/*/run /etc/services.d/*/finish"
    " /etc/services.d/*/log/run /etc/s6-overlay/s6-rc.d/*/run /etc/s6-overlay/s6-rc.d/*/finish"
    " /etc/s6-overlay/s6-rc.d/*/up /etc/s6-overlay/scripts/* /etc/s6-overlay/*/run"
)
_OVERLAY = (
    "/package /command /etc/s6-overlay /etc/s6 /etc/cont-init.d /etc/cont-finish.d"
    " /etc/services.d /etc/fix-attrs.d /usr/bin/with-contenv /usr/bin/s6-* /bin/s6-*"
    " /usr/bin/execlineb /bin/execlineb"
)
_MY_INIT = (
    "/etc/my_init.d/* /etc/rc.local /etc/my_init.pre_shutdown.d/* /etc/my_init.post_shutdown.d/*"
)
_CRON = "/etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/*"
_PERIODIC = "/etc/periodic/*/*"


def services(arguments: Sequence[str], context: Context) -> tuple[list[str], list[str]]:
    """What runit, daemontools and s6 run, and the directories of their services, kept whole."""
    named = [joined(context.workdir, word) for word in arguments if "/" in word]
    found = [
        path
        for place in (*named, *_SERVICES.split())
        if context.tree.directory(place)
        for path in glob(context.tree, f"{place.rstrip('/')}/*")
        if context.tree.directory(path)
    ]
    # One service alone is what `runsv DIR` and `s6-supervise DIR` are given.
    found += [place for place in named if context.tree.file(f"{place}/run")]
    directories = list(dict.fromkeys(found))[:MOST_FILES]
    patterns = [f"{directory}/{name}" for directory in directories for name in _RUN.split()]
    return _programs(patterns, context), directories


def overlay(arguments: Sequence[str], context: Context) -> tuple[list[str], list[str]]:  # noqa: ARG001
    """What s6-overlay's /init goes through. https://github.com/just-containers/s6-overlay"""
    if not any(context.tree.directory(path) for path in ("/etc/s6-overlay", "/package", "/etc/s6")):
        return [], []
    trees = [path for pattern in _OVERLAY.split() for path in glob(context.tree, pattern)]
    return _programs(_OVERLAY_RUN.split(), context), trees


def my_init(arguments: Sequence[str], context: Context) -> tuple[list[str], list[str]]:
    """What phusion's my_init runs, and runit's services below it."""
    programs, trees = services(arguments, context)
    return [*_programs(_MY_INIT.split(), context), *programs], trees


def cron(arguments: Sequence[str], context: Context) -> tuple[list[str], list[str]]:  # noqa: ARG001
    """The jobs in cron's directories that the application brought."""
    patterns = (*_CRON.split(), *_PERIODIC.split())
    return [path for path in _programs(patterns, context) if _is_own(path, context)], []


def _is_own(path: str, context: Context) -> bool:
    entry = context.tree.file(path)
    return entry is not None and context.is_first_party(entry.path)


def _programs(patterns: Sequence[str], context: Context) -> list[str]:
    found = (path for pattern in patterns for path in glob(context.tree, pattern))
    return [path for path in dict.fromkeys(found) if _is_run(path, context)][: 4 * MOST_FILES]


def _is_run(path: str, context: Context) -> bool:
    # s6-rc's `up` is a line of execline, and need not be executable.
    return context.executable(path) is not None or path.endswith("/up")
