"""The data and configuration of the packages that the programs come from (rule 24).

`/etc/nginx` and `/var/lib/redis` are named in no ELF table. Whoever runs a packaged service means
its package: configuration and data stay, documentation and further programs do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from minify.analyzers.runtimes import is_runtime
from minify.analyzers.walks import programs_run
from minify.closure import Context, Finding, Need, Reason, Writes, places
from minify.filetree import Entry, ImagePath, Kind
from minify.filetree.path import basename, is_within

_DATA = ("/etc/", "/usr/share/", "/var/", "/srv/", "/opt/", "/usr/local/etc/", "/usr/local/share/")
# For people, for other programs, or for an init system.
_NOT_DATA = (
    "/etc/apparmor.d/",
    "/etc/bash_completion.d/",
    "/etc/cron",
    "/etc/init.d/",
    "/etc/init/",
    "/etc/logcheck/",
    "/etc/logrotate.d/",
    "/etc/rc",
    "/etc/systemd/",
    "/etc/ufw/",
    "/usr/share/apport/",
    "/usr/share/bash-completion/",
    "/usr/share/bug/",
    "/usr/share/doc-base/",
    "/usr/share/doc/",
    "/usr/share/fish/",
    "/usr/share/gdb/",
    "/usr/share/i18n/",
    "/usr/share/info/",
    "/usr/share/lintian/",
    "/usr/share/locale/",
    "/usr/share/man/",
    "/usr/share/menu/",
    "/usr/share/nodejs/@types/",
    "/usr/share/pixmaps/",
    "/usr/share/zsh/",
    "/var/lib/dpkg/",
)


_PRIVATE = ("/usr/lib/", "/usr/libexec/", "/usr/share/")


def find(context: Context) -> Iterator[Finding]:
    for name in sorted(context.first_party_packages):
        reason = Reason("package.data", _program_of(name, context), f"data of the package {name}")
        yield from _package(context.packages.paths(name), reason, context)
    yield from _unowned_state(context)
    yield from _own_programs(context)
    yield from _helpers(context)


def _program_of(name: str, context: Context) -> str:
    """The program on whose account the package counts; the first, if it is only a sibling."""
    owning = (p for p in context.programs if name in context.packages.owners(p))
    return next(owning, context.programs[0])


def _package(paths: Iterable[ImagePath], reason: Reason, context: Context) -> Iterator[Finding]:
    """The data among a package's paths; a directory that is its alone stays whole."""
    whole: ImagePath | None = None
    for path in paths:
        entry = context.tree.get(path)
        if entry is None or not path.startswith(_DATA) or f"{path}/".startswith(_NOT_DATA):
            continue
        if whole is not None and is_within(path, whole):
            continue
        if entry.kind is not Kind.DIRECTORY:
            yield Need(path, reason)
        elif _is_own(entry, context):
            whole = path
            yield Need(path, reason, whole_tree=True)
            yield from _written(entry, reason)


def _is_own(directory: Entry, context: Context) -> bool:
    owners = context.packages.owners(directory.path)
    is_shared = places.is_shared(directory.path, context.tree)
    return not is_shared and owners <= context.first_party_packages


def _written(directory: Entry, reason: Reason) -> Iterator[Finding]:
    if any(is_within(directory.path, ImagePath(place)) for place in places.STATE):
        detail = f"{reason.detail}: a state directory"
        yield Writes(directory.path, Reason(reason.rule, reason.by, detail))


def _unowned_state(context: Context) -> Iterator[Finding]:
    """State directories that no package has and that are called as a program or its package is.

    A Dockerfile or an installation script made them. Others may be anybody's: secrets that an
    engine mounted, the state of another service.
    """
    packages = context.first_party_packages
    sources = {context.packages[name].source for name in packages}
    names = {basename(program) for program in context.programs} | packages | sources
    for place in places.STATE:
        for name in sorted(names):
            path = f"{place}/{name}"
            entry = context.tree.directory(path)
            if entry is None or context.packages.owners(entry.path):
                continue
            reason = Reason("state.unowned", context.programs[0], f"{path}: named as the program")
            yield Need(path, reason, whole_tree=True)
            yield Writes(entry.path, reason)


def _own_programs(context: Context) -> Iterator[Finding]:
    """Directories below /usr/lib and /usr/libexec that only the programs' own packages have.

    Helpers are there that the program finds by a compiled-in path: /usr/lib/git-core.
    """
    for program in context.programs:
        for name in sorted(context.packages.owners(program)):
            reason = Reason("package.private", program, f"private files of the package {name}")
            for path in context.packages.paths(name):
                entry = context.tree.get(path)
                if entry is None or not path.startswith(("/usr/lib/", "/usr/libexec/")):
                    continue
                if entry.kind is Kind.DIRECTORY and _is_own(entry, context):
                    yield Need(path, reason, whole_tree=True)


def _helpers(context: Context) -> Iterator[Finding]:
    """The same of the programs that scripts run besides, with their data: git's templates."""
    for program in programs_run(context):
        if program in context.programs or is_runtime(basename(program)):
            continue
        owners = context.packages.owners(program)
        for name in sorted(owners):
            reason = Reason("package.helper", program, f"private files of the package {name}")
            for path in context.packages.paths(name):
                entry = context.tree.get(path)
                if entry is None or entry.kind is not Kind.DIRECTORY:
                    continue
                if path.startswith(_PRIVATE) and not f"{path}/".startswith(_NOT_DATA):
                    is_shared = places.is_shared(path, context.tree)
                    if not is_shared and context.packages.owners(path) <= owners:
                        yield Need(path, reason, whole_tree=True)
