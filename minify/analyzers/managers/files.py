"""Managers whose configuration is files with command lines in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from minify.analyzers.managers.text import File, Text, files, told
from minify.closure import Context
from minify.filetree.path import parent

_MOST_LINES = 20_000
_SECTION = re.compile(r"\[([^\]\n]*+)\]")
_SETTING = re.compile(r"([\w.-]++)[ \t]*+[=:][ \t]*+(.*+)")
_COMMENT = re.compile(r"(?:^|[ \t])[;#].*+$")
_ENVIRONMENT = re.compile(r"%\(ENV_(\w++)\)s")
_EXPANSION = re.compile(r"%\((\w++)\)[sd]")


def option(arguments: Sequence[str], *names: str) -> Iterator[str]:
    """The values of an option: `-c x`, `-cx`, `--configuration=x`."""
    for at, word in enumerate(arguments):
        for name in names:
            if word == name:
                yield from islice(arguments, at + 1, at + 2)
            elif word.startswith(f"{name}=") and name.startswith("--"):
                yield word[len(name) + 1 :]
            elif word.startswith(name) and not name.startswith("--"):
                yield word[len(name) :]


def supervisor(arguments: Sequence[str], context: Context) -> Iterator[tuple[File, Text]]:
    """http://supervisord.org/configuration.html"""
    usual = (
        "etc/supervisord.conf supervisord.conf /etc/supervisord.conf"
        " /etc/supervisor/supervisord.conf /usr/local/etc/supervisord.conf"
    )
    pending = list(told(option(arguments, "-c", "--configuration"), usual, context))
    seen: set[str] = set()
    for pattern in pending:
        for file in files((pattern,), context):
            if file.path in seen:
                continue
            seen.add(file.path)
            sections = _sections(file)
            included = (
                settings.get("files", (0, ""))[1] for settings in sections.get("include", ())
            )
            here = parent(file.entry.path)
            for written in included:
                patterns = (_supervisors(one, here) for one in written.split())
                pending += (one if one.startswith("/") else f"{here}/{one}" for one in patterns)
            yield file, _programs(sections, here)


_Sections = dict[str, list[dict[str, tuple[int, str]]]]


def _sections(file: File) -> _Sections:
    """The settings by section and name, with the lines where they begin; others go on them."""
    found: _Sections = {}
    settings: dict[str, tuple[int, str]] = {}
    last = ""
    for number, raw in enumerate(file.lines[:_MOST_LINES], 1):
        line = _COMMENT.sub("", raw).rstrip()
        section = _SECTION.match(line)
        match = _SETTING.match(line)
        if section:
            settings = {}
            found.setdefault(section[1].strip().lower(), []).append(settings)
        elif line[:1].isspace() and last in settings:
            begun, value = settings[last]
            settings[last] = (begun, f"{value} {line.strip()}")
        elif match:
            last = match[1].lower()
            settings[last] = (number, match[2])
    return found


def _programs(sections: _Sections, here: str) -> Text:
    text = Text()
    for settings in (one for several in sections.values() for one in several):
        line, command = settings.get("command", (0, ""))
        command = _supervisors(command, here)
        _, directory = settings.get("directory", (0, ""))
        if command and directory:
            command = f"cd {_supervisors(directory, here)} && {command}"
        if command:
            text.add(line, command)
    return text


def _supervisors(text: str, here: str) -> str:
    """A value with supervisor's expansions as the shell writes them."""
    text = _ENVIRONMENT.sub(r"${\1}", text.replace("%(here)s", here))
    return _EXPANSION.sub(r"${\1}", text).replace("%%", "%")


_TIMES = re.compile(r"(?:@\w++|(?:[\d*/,A-Za-z-]++[ \t]++){4}[\d*/,A-Za-z-]++)[ \t]++")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*+)[ \t]*+=[ \t]*+(.*+)")
_STDIN = re.compile(r"(?<!\\)%.*+$")
_WITH_USER = "/etc/crontab /etc/cron.d/*"
_WITHOUT = "/var/spool/cron/crontabs/* /var/spool/cron/* /etc/crontabs/*"


def cron(arguments: Sequence[str], context: Context) -> Iterator[tuple[File, Text]]:
    """https://man7.org/linux/man-pages/man5/crontab.5.html; busybox's crond has `-c DIR`."""
    own = tuple(f"{directory}/*" for directory in option(arguments, "-c"))
    for has_user, paths in ((True, _WITH_USER.split()), (False, (*_WITHOUT.split(), *own))):
        for file in files(paths, context):
            if context.is_first_party(file.entry.path):
                yield file, _jobs(file, has_user=has_user)


def _jobs(file: File, *, has_user: bool) -> Text:
    text = Text()
    for number, raw in enumerate(file.lines[:_MOST_LINES], 1):
        line = raw.strip()
        times = _TIMES.match(line)
        if times:
            rest = line[times.end() :]
            command = rest.split(None, 1)[1] if has_user and len(rest.split(None, 1)) > 1 else rest
            # The directories that the distribution's own lines name are gone through elsewhere.
            if "run-parts" not in command:
                text.add(number, _STDIN.sub("", command).replace("\\%", "%"))
        elif match := _ASSIGNMENT.fullmatch(line):
            value = match[2].strip("\"'")
            text.assign(number, f"{match[1]}={shlex.quote(value)};")
    return text


def procfile(arguments: Sequence[str], context: Context) -> Iterator[tuple[File, Text]]:
    """https://ddollar.github.io/foreman/#PROCFILE"""
    for file in files(told(option(arguments, "-f", "--procfile"), "Procfile", context), context):
        text = Text()
        for number, line in enumerate(file.lines[:_MOST_LINES], 1):
            name, colon, command = line.partition(":")
            if colon and re.fullmatch(r"[\w-]++", name.strip()):
                text.add(number, command)
        yield file, text


def inetd(arguments: Sequence[str], context: Context) -> Iterator[tuple[File, Text]]:
    """https://man.openbsd.org/inetd.conf.5"""
    named = (word for word in arguments if word.startswith("/"))
    for file in files(told(named, "/etc/inetd.conf", context), context):
        text = Text()
        for number, line in enumerate(file.lines[:_MOST_LINES], 1):
            fields = line.partition("#")[0].split()
            if len(fields) > 5 and fields[5].startswith("/"):
                text.add(number, " ".join((fields[5], *fields[7:])))
        yield file, text


def xinetd(arguments: Sequence[str], context: Context) -> Iterator[tuple[File, Text]]:
    """https://linux.die.net/man/5/xinetd.conf"""
    paths = told(option(arguments, "-f"), "/etc/xinetd.conf /etc/xinetd.d/*", context)
    for file in files(paths, context):
        text = Text()
        server = (0, "")
        for number, line in enumerate(file.lines[:_MOST_LINES], 1):
            match = _SETTING.fullmatch(line.partition("#")[0].strip())
            if match and match[1] == "server":
                server = (number, match[2])
                text.add(*server)
            elif match and match[1] == "server_args":
                text.add(server[0] or number, f"{server[1]} {match[2]}")
        yield file, text


_STARTS = re.compile(r"\b(?:start|stop|restart)(?:[ \t]++program)?[ \t]*+=[ \t]*+\"([^\"\n]++)\"")
_EXECUTES = re.compile(r"\bexec[ \t]++\"([^\"\n]++)\"|\bwith[ \t]++path[ \t]++\"?([^\"\s]++)")


def monit(arguments: Sequence[str], context: Context) -> Iterator[tuple[File, Text]]:
    """https://mmonit.com/monit/documentation/monit.html"""
    usual = "/etc/monit/monitrc /etc/monitrc /etc/monit/conf.d/* /etc/monit/conf-enabled/*"
    for file in files((*told(option(arguments, "-c"), "", context), *usual.split()), context):
        text = Text()
        for number, line in enumerate(file.lines[:_MOST_LINES], 1):
            code = line.partition("#")[0]
            for match in (*_STARTS.finditer(code), *_EXECUTES.finditer(code)):
                text.add(number, next(filter(None, match.groups()), ""))
        yield file, text


Reader = Callable[[Sequence[str], Context], Iterator[tuple[File, Text]]]
