"""The data and configuration of the packages that the programs come from (rule 24).

`/etc/nginx` and `/var/lib/redis` are named in no ELF table. Whoever runs a packaged service means
its package: configuration and data stay, documentation and further programs do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from minify.closure import Context, Finding, Need, Reason, Writes, places
from minify.filetree import Entry, ImagePath, Kind
from minify.filetree.path import is_within, parent

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
    "/usr/share/info/",
    "/usr/share/lintian/",
    "/usr/share/locale/",
    "/usr/share/man/",
    "/usr/share/menu/",
    "/usr/share/pixmaps/",
    "/usr/share/zsh/",
    "/var/lib/dpkg/",
)


def find(context: Context) -> Iterator[Finding]:
    for name in sorted(context.first_party_packages):
        reason = Reason("package.data", _program_of(name, context), f"data of the package {name}")
        yield from _package(context.packages.paths(name), reason, context)
    yield from _unowned_state(context)


def _program_of(name: str, context: Context) -> str:
    """The program on whose account the package counts; the first, if it is only a sibling."""
    owning = (p for p in context.programs if name in context.packages.owners(p))
    return next(owning, context.programs[0])


def _package(paths: Iterable[ImagePath], reason: Reason, context: Context) -> Iterator[Finding]:
    """The data among a package's paths; a directory that is its alone stays whole."""
    whole: ImagePath | None = None
    for path in paths:
        entry = context.tree.get(path)
        if entry is None or not path.startswith(_DATA) or path.startswith(_NOT_DATA):
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
    """State directories that no package has: made by a Dockerfile or by an installation script."""
    for place in places.STATE:
        above = context.tree.directory(place)
        for name in context.tree.children(above.path) if above else ():
            entry = context.tree.get(f"{above.path}/{name}") if above else None
            if entry is None or entry.kind is not Kind.DIRECTORY:
                continue
            if entry.path in places.PACKAGE_MANAGERS_STATE or context.packages.owners(entry.path):
                continue
            if not context.packages and (entry.uid, entry.gid) == (0, 0):
                continue  # nothing tells it from the distribution's own
            reason = Reason("state.unowned", parent(entry.path), "a state directory of no package")
            yield Need(entry.path, reason, whole_tree=True)
            yield Writes(entry.path, reason)
