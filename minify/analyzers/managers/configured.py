"""Jobs that a manager's own configuration lists: supervisord, circusd, monit, (x)inetd, foreman."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from minify.analyzers.directives import text_of
from minify.analyzers.managers.job import Job, plain, shell, split
from minify.analyzers.services import SERVICES, configuration
from minify.analyzers.services.reading import File
from minify.analyzers.started import Started, option_values
from minify.closure import Context
from minify.closure.patterns import glob
from minify.filetree.path import joined, parent

_SECTION = re.compile(r"\[([^\]\n]++)\][^\n]*+")
_COMMAND = re.compile(r"(?:command|cmd)[ \t]*+[=:][ \t]*+(.*)", re.DOTALL)
_STARTED = ("program:", "eventlistener:", "fcgi-program:", "watcher:")
_COMMENT = re.compile(r"[ \t];[^\n]*+")
_EXPANSION = re.compile(r"%(?:%|\((?:ENV_)?(\w++)\)[sd])")
_MONIT = re.compile(
    r"(?:\b(?:start|stop|restart)[ \t]++(?:program[ \t]*+)?=?|\bexec)[ \t]*+\"([^\"\n]++)\""
)
_PROCFILE = re.compile(r"^[\w-]++[ \t]*+:[ \t]*+(.+)$", re.MULTILINE)
_PROCFILE_OPTIONS = ("-f", "--procfile", "-procfile")
_INETD = 6  # service, type of socket, protocol, wait, user; then the program and its arguments


def _files(name: str, program: Started, context: Context) -> Sequence[File]:
    return configuration(program, SERVICES[name], context).files


def supervisor(name: str, program: Started, context: Context) -> Iterator[Job]:
    """`command=` of supervisord's programs, and `cmd` of circusd's watchers.

    http://supervisord.org/configuration.html#program-x-section-settings
    """
    for file in _files(name, program, context):
        section = ""
        for line in _whole_lines(file.text):
            if header := _SECTION.fullmatch(line):
                section = header[1].strip()
            match = _COMMAND.fullmatch(line) if section.startswith(_STARTED) else None
            if match:
                known = {"here": parent(file.entry.path), **context.config.env}
                known["program_name"] = section.partition(":")[2]
                yield from plain(_expanded(_COMMENT.sub("", match[1]), known), file.entry.path)


def _expanded(text: str, known: Mapping[str, str]) -> str:
    return _EXPANSION.sub(lambda match: known.get(match[1], "") if match[1] else "%", text)


def _whole_lines(text: str) -> Iterator[str]:
    """The lines of an INI file, each with those that continue it, without comments."""
    whole: list[str] = []
    for line in text.split("\n"):
        if line.startswith(("#", ";")):
            continue
        if line[:1] in (" ", "\t") and whole:
            whole.append(line.strip())
            continue
        yield " ".join(whole)
        whole = [line.strip()]
    yield " ".join(whole)


def monit(name: str, program: Started, context: Context) -> Iterator[Job]:
    """`start program = "…"`, `exec "…"`: https://mmonit.com/monit/documentation/monit.html"""
    for file in _files(name, program, context):
        lines = (line for line in file.text.split("\n") if not line.lstrip().startswith("#"))
        for text in dict.fromkeys(_MONIT.findall("\n".join(lines))):
            yield from plain(text, file.entry.path)


def xinetd(name: str, program: Started, context: Context) -> Iterator[Job]:
    """`server` and the `server_args` behind it: xinetd.conf(5)."""
    for file in _files(name, program, context):
        servers = [d for d in file.directives if d.name in ("server", "serverargs") and d.words]
        for at, one in enumerate(servers):
            if one.name == "server":
                following = servers[at + 1 : at + 2]
                more = [word for d in following if d.name == "serverargs" for word in d.words]
                yield Job.of((one.words[0], *more), file.entry.path)


def inetd(name: str, program: Started, context: Context) -> Iterator[Job]:
    """The programs of inetd.conf(5); its own services are `internal`."""
    for file in _files(name, program, context):
        for line in file.text.split("\n"):
            words = () if line.startswith("#") else split(line)
            if len(words) >= _INETD and words[_INETD - 1].startswith("/"):
                # The name that the program is given comes before its arguments.
                argv = (words[_INETD - 1], *words[_INETD + 1 :])
                yield Job.of(argv, file.entry.path)


def procfile(name: str, program: Started, context: Context) -> Iterator[Job]:  # noqa: ARG001
    """The lines of a Procfile, that of the command line or of WORKDIR."""
    told = tuple(option_values(program.arguments, _PROCFILE_OPTIONS))
    for path in told or ("Procfile",):
        entry = context.tree.file(joined(context.workdir, path))
        for text in _PROCFILE.findall(text_of(entry, context.tree)) if entry else ():
            if not text.startswith("#") and entry:
                yield from shell(text, entry.path)


def arguments(name: str, program: Started, context: Context) -> Iterator[Job]:  # noqa: ARG001
    """A manager each of whose operands is a command: multirun."""
    for word in program.arguments:
        if not word.startswith("-"):
            yield from plain(word, program.path)


def wrapper(name: str, program: Started, context: Context) -> Iterator[Job]:
    """The program that a wrapper of the table of services stands for, with its arguments."""
    for pattern in SERVICES[name].programs.split():
        for path in glob(context.tree, pattern):
            if context.executable(path):
                yield Job.of((path, *program.arguments), program.path)
