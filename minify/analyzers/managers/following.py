"""From managers to all that they start, and what that starts, to the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from minify.analyzers.drops import BECOMES, DROPS, MANAGES
from minify.analyzers.managers import directories
from minify.analyzers.managers.job import Job
from minify.analyzers.managers.table import MANAGERS
from minify.analyzers.services import SERVICES
from minify.analyzers.started import Started, behind_heads, started
from minify.analyzers.walks import programs_of, runs_of
from minify.closure import Context, Finding, Grade, Need, NeedsRoot, Reason
from minify.closure.commandline import user_switch
from minify.closure.roots import Roots, command_roots
from minify.filetree import ImagePath, Kind

ROOT, OVERLAY, SUPERVISOR = "manager.root", "manager.parts", "manager.supervisor"
"""The rules of jobs that only root can start, and of what a manager itself is made of."""

_SUPERVISORS = {
    "runit": "runsvdir runsv",
    "runit-init": "runit runsvdir runsv",
    "runsvdir": "runsv",
    "runsvdir-start": "runsvdir runsv",
    "s6-svscan": "s6-supervise",
    "svscan": "supervise readproctitle",
    "svscanboot": "svscan supervise readproctitle",
}

# A supervisor is told what to do by programs of its own, which people run beside it.
_CONTROLS = {
    "runit": "sv",
    "runsvdir": "sv",
    "runsvdir-start": "sv",
    "s6-svscan": "s6-svc s6-svscanctl s6-svstat",
    "svscan": "svc svstat",
    "svscanboot": "svc svstat",
}

_PARTS = ("/package", "/command", "/etc/s6")
_MOST_PARTS = 2000

_MOST_ROUNDS = 8
_MOST_JOBS = 1000
# `logins` knows what supervisord does as whom; a wrapper is what it wraps.
_KNOWN_BY_OTHERS = frozenset(("supervisord", *(n for n, s in SERVICES.items() if s.programs)))


@dataclass(frozen=True, slots=True)
class Managed:
    """What managers start, with the context in which all of it is known."""

    roots: Roots
    lines: tuple[tuple[str, ...], ...]
    """The command lines, each once."""


def managed(context: Context) -> Managed:
    """All that the managers among the context's programs start."""
    found: dict[tuple[str, ...], Job] = {}
    findings: dict[Finding, None] = {}
    programs, scripts = dict.fromkeys(context.programs), dict.fromkeys(context.scripts)
    for _ in range(_MOST_ROUNDS):
        jobs = {job.argv: job for job in islice(_jobs(context), _MOST_JOBS)}
        new = [job for argv, job in jobs.items() if argv not in found]
        if not new or len(found) >= _MOST_JOBS:
            break
        found.update((job.argv, job) for job in new)
        roots = command_roots(((job.argv, job.reason) for job in new), context)
        findings.update(dict.fromkeys(roots.findings))
        programs.update(dict.fromkeys(roots.programs))
        scripts.update(dict.fromkeys(roots.scripts))
        context = context.starting(tuple(programs), tuple(scripts), lines=tuple(found))
        programs.update(dict.fromkeys(programs_of(tuple(found), context)))
        programs.update((one.path, None) for one in _known(context))
        context = context.starting(tuple(programs), tuple(scripts), lines=tuple(found))
    return Managed(Roots(tuple(findings), context.programs, context.scripts), context.lines)


def find(context: Context) -> Iterator[Finding]:
    """What of the jobs only root can start, and what s6-overlay is made of."""
    for program in _all_started(context):
        yield from _overlay(program, context)
        yield from _supervisors(program, context)
        for name in sorted(program.names & MANAGERS.keys() - _KNOWN_BY_OTHERS):
            for job in islice(MANAGERS[name](name, program, context), _MOST_JOBS):
                if why := _why_root(job, context):
                    yield NeedsRoot(Reason(ROOT, job.reason.by, f"{job.reason.detail}: {why}"))


def _supervisors(program: Started, context: Context) -> Iterator[Finding]:
    """The programs of its own that a manager finds in PATH, and those that it is told by."""
    for table, what in ((_SUPERVISORS, "starts"), (_CONTROLS, "is told what to do by")):
        for name in sorted(program.names & table.keys()):
            for helper in table[name].split():
                command = context.command(helper)
                if command is not None:
                    reason = Reason(SUPERVISOR, program.path, f"{name} {what} {helper}")
                    yield Need(command.path, reason, Grade.HARD)


def _overlay(program: Started, context: Context) -> Iterator[Finding]:
    """s6-overlay itself: its parts find each other by their directories, and PATH."""
    paths = tuple(directories.trees(context))
    if directories.overlay not in (MANAGERS.get(name) for name in program.names) or not paths:
        return
    reason = Reason(OVERLAY, program.path, "is s6-overlay, which goes through its directories")
    yield from (Need(path, reason, whole_tree=True) for path in paths)
    for path in paths:
        for entry in islice(context.tree.below(ImagePath(path)), _MOST_PARTS):
            if entry.kind is Kind.FILE and entry.is_executable and path.startswith(_PARTS):
                yield Need(entry.path, reason, Grade.HARD)
    if any(path.startswith(_PARTS) for path in paths):
        detail = "s6-overlay prepares /run as root, and starts services as their users"
        yield NeedsRoot(Reason(ROOT, program.path, detail))


def _why_root(job: Job, context: Context) -> str:
    """Why a job has to be started by root; empty if it need not be."""
    for run in runs_of(job.argv, context):
        texts = tuple(text or "" for text in run.texts)
        switch = user_switch(texts)
        if switch and switch[1] not in ("", "root", "0"):
            return f"it switches to {switch[1]}"
        for one in behind_heads(texts, context):
            for name in sorted(one.names):
                if name in BECOMES or name in MANAGES:
                    return {**MANAGES, **BECOMES}[name]
                if name in DROPS:
                    return f"{name} becomes another user"
    return ""


def _jobs(context: Context) -> Iterator[Job]:
    for program in _all_started(context):
        for name in sorted(program.names & MANAGERS.keys()):
            yield from MANAGERS[name](name, program, context)


def _all_started(context: Context) -> Iterator[Started]:
    """The programs of the command lines, and managers wherever a script runs them."""
    yield from dict.fromkeys((*started(context), *_known(context)))


def _known(context: Context) -> Iterator[Started]:
    """Managers and services among all that scripts run, be it that they go on after it."""
    for line in context.command_lines:
        for run in runs_of(line, context):
            texts = tuple(text or "" for text in run.texts)
            for one in behind_heads(texts, context):
                if not one.names.isdisjoint(MANAGERS.keys() | SERVICES.keys()):
                    yield one
