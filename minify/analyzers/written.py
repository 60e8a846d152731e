"""Paths that the application writes: its configuration's directives, its program's strings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from minify.analyzers.directives import (
    Directive,
    assigned,
    configuration_text,
    directives,
    expanded,
    text_of,
)
from minify.analyzers.services.table import SERVICES
from minify.analyzers.started import plain_name
from minify.closure import Context, Finding, Grade, Reason, Writes, Written, places
from minify.filetree import Entry, ImagePath, Kind
from minify.filetree.path import ancestors, decoded, joined, parent

CONFIGURED, COMPILED = "config-file.writes", "elf.writes"
"""The rules of these findings."""

_MOST_FOUND = 1000
_MOST_DIRECTIVES = 20_000
_LARGEST_PROGRAM = 64 << 20

# Folded, of any dialect: nginx, Apache, haproxy, redis, squid, rsync, BIND, unbound, SQL servers.
_FILES = frozenset(
    """
    accesslog accesslogfile accesslogfilename argsfile autotrustanchorfile cacheaccesslog cachelog
    cachestorelog customlog dhcpleasefile driftfile dumpfile errorlog externalpidfile forensiclog
    generallogfile keytagfile leasefile listen localsocket lock lockfile log logdestfile
    logerror logfile maillogfile output phperrorlog pid pidfile pidfilename pidfilepath
    accesslogpath recursingfile scoreboardfile secrootsfile servererrorlog serverpidfile
    serverstatefile sessionkeyfile slowlog slowquerylogfile socket statisticsfile statssocket
    systemlogpath transferlog unixsocket
    """.split()
)
_DIRECTORIES = frozenset(
    """
    agentxdirectory cachedir cachedirufs cachedirectory clientbodytemppath coredumpdir
    coredumpdirectory datadir datadirectory databasedirectory dbpath defaultruntimedir dir directory
    fastcgicachepath fastcgitemppath innodbdatahomedir innodbloggroupdir innodbtmpdir
    innodbundodirectory logdir logdirectory managedkeysdirectory mutex pathdata pathlogs
    persistencelocation persistentdir proxycachepath proxytemppath queuedirectory rundir
    scgicachepath scgitemppath serveruploaddirs sessionsavepath spooldir spooldirectory
    statstempdirectory statedir tempdir tmpdir unixsocketdirectories uploadtmpdir uwsgicachepath
    uwsgitemppath waldir workdirectory workingdirectory
    """.split()
)
_SCHEMES = ("unix:", "unix@", "file:", "daemon:", "stdio:")
_MADE_UP = re.compile(r"[%*?{}$|<>\0]")
_MOST_WORDS = 2
_DEVICES = ("/dev/", "/proc/", "/sys/")
# Whoever names one of these below a directive as vague as `dir` reads it.
_SYSTEM = ("/bin/", "/boot/", "/etc/", "/lib", "/sbin/", "/usr/")
# As it is where nginx was installed below one prefix.
_NGINX = "/conf/nginx.conf"
_LONGEST_SHELL = 1 << 16

_COMPILED = re.compile(
    rb"\0(/(?:var/(?:log|lib|cache|spool|run)|run)(?:/[\w.@+-]{1,255}+){1,16}+/?+)(?=\0)"
)
# Records of who was logged in, and what the C library asks nscd by.
_NOBODYS = re.compile(r"/(?:utmp|wtmp|btmp|lastlog|faillog|nscd|secrets|dbus)(?:/|$)")


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:  # noqa: ARG001
    if entry.path in context.programs:
        yield from _compiled(entry, context)
        return
    found = tuple(islice(directives(configuration_text(entry, context)), _MOST_DIRECTIVES))
    writing = [directive for directive in found if _kind(directive) is not None]
    if writing:
        paths = _Paths(_base(found, entry.path), _variables(context))
        for directive in writing[:_MOST_FOUND]:
            yield from _by_directive(directive, entry, paths, context)


def _kind(directive: Directive) -> Written | None:
    """What a directive writes; None if it is no such directive."""
    names = (directive.name, "".join((directive.name, *directive.words[:1])))
    if not _FILES.isdisjoint(names):
        return Written.FILE
    return Written.TREE if not _DIRECTORIES.isdisjoint(names) else None


def _variables(context: Context) -> Mapping[str, str]:
    env = context.config.env
    for name in sorted({plain_name(program) for program in context.programs} & SERVICES.keys()):
        variables = SERVICES[name].variables
        file = context.tree.file(variables) if variables else None
        if file is not None:
            return _assigned(text_of(file, context.tree)[:_LONGEST_SHELL], tuple(env.items()))
    return env


@lru_cache(maxsize=4)
def _assigned(text: str, env: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """The variables of one shell file, which is read for each file of the configuration."""
    return assigned(text, dict(env))


def _base(directives_found: Iterable[Directive], path: str) -> str:
    """What relative paths of a configuration are below: Apache's ServerRoot, nginx's prefix."""
    for directive in directives_found:
        if directive.name == "serverroot" and directive.words:
            return directive.words[0]
    return path.removesuffix(_NGINX) if path.endswith(_NGINX) else ""


def _by_directive(
    directive: Directive, entry: Entry, paths: _Paths, context: Context
) -> Iterator[Finding]:
    kind = _kind(directive)
    path = paths.named(directive)
    if kind is None or not path or _is_device(path, context):
        return
    there = context.tree.resolve(path).entry
    if there is not None:
        kind = Written.TREE if there.kind is Kind.DIRECTORY else Written.FILE
    is_everybodys = there is not None and places.is_shared(there.path, context.tree)
    if kind is Written.TREE and (path.startswith(_SYSTEM) or is_everybodys):
        return
    yield Writes(path, Reason(CONFIGURED, entry.path, f"says {directive.shown!r}"), kind)


@dataclass(frozen=True, slots=True)
class _Paths:
    """How the paths of one configuration are read."""

    base: str
    """The directory that relative ones are below; empty if it is not known."""
    variables: Mapping[str, str]

    def named(self, directive: Directive) -> str:
        """The absolute path among a directive's first words; empty if there is none."""
        for word in directive.words[:_MOST_WORDS]:
            value = expanded(word, self.variables) or ""
            for scheme in _SCHEMES:
                value = value.removeprefix(scheme)
            is_relative = bool(self.base) and "/" in value and ":" not in value
            is_plain = not _MADE_UP.search(value) and ".." not in value.split("/")
            if is_plain and (value.startswith("/") or is_relative):
                path = joined(joined("/", self.base), value).rstrip("/")
                # A file in the root is a route of a web server.
                return path if path.count("/") > 1 else ""
        return ""


def _is_device(path: str, context: Context) -> bool:
    """Whether a path is a device or leads to one: nginx's access.log to /dev/stdout."""
    found = context.tree.resolve(path)
    return any(f"{at}/".startswith(_DEVICES) for at in (path, found.stopped_at))


def _compiled(entry: Entry, context: Context) -> Iterator[Finding]:
    """State of the application that its program has the path of, as a string of its own."""
    if entry.size > _LARGEST_PROGRAM or not context.is_elf(entry):
        return
    matches = _COMPILED.finditer(context.tree.read(entry))
    for data in dict.fromkeys(match[1] for match in islice(matches, _MOST_FOUND)):
        path = decoded(data).rstrip("/")
        there = context.tree.resolve(path).entry
        directory = context.tree.directory(parent(ImagePath(path))) if there is None else there
        if directory is None or _is_device(path, context):
            continue
        if not _is_own_state(path, directory, context):
            continue
        is_tree = there is not None and there.kind is Kind.DIRECTORY
        reason = Reason(COMPILED, entry.path, f"contains {path!r}")
        yield Writes(path, reason, Written.TREE if is_tree else Written.FILE)


def _is_own_state(path: str, entry: Entry, context: Context) -> bool:
    if entry.kind not in (Kind.FILE, Kind.DIRECTORY) or _NOBODYS.search(path):
        return False
    if entry.kind is Kind.DIRECTORY and places.is_shared(entry.path, context.tree):
        return False
    tools = places.PACKAGE_MANAGERS_STATE
    if not tools.isdisjoint((entry.path, *ancestors(entry.path))):
        return False
    return context.is_first_party(entry.path)
