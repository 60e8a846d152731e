"""The options that shape a decision: every command that makes one has them."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce
from typing import Any, TypedDict, TypeVar

import click

from minify.cli import headings
from minify.cli.headings import option
from minify.closure import Level, Likelihood
from minify.errors import UsageError
from minify.errors import option as shown
from minify.image import Platform
from minify.pipeline import Options
from minify.platforms import Wanted
from minify.progress import SILENT
from minify.report.progress import for_terminal
from minify.transports import Pull

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Shaping(TypedDict):
    """What click hands over for the options below."""

    platform: tuple[str, ...]
    pull: str
    require_digest: bool
    tls_verify: bool
    keep: tuple[str, ...]
    drop: tuple[str, ...]
    keep_dlopen: str
    level: str
    keep_setuid: bool
    writable: tuple[str, ...]
    keep_shadow: bool
    arbitrary_uid: bool
    entrypoint: str | None
    cmd: str | None
    env: tuple[str, ...]
    workdir: str | None
    label: tuple[str, ...]
    expose: tuple[str, ...]
    no_healthcheck: bool


_READING = (
    option(
        headings.MEDIA,
        "--platform",
        multiple=True,
        metavar="OS/ARCH",
        help="Which image of several, as linux/arm64; several times for an index of these; or all.",
    ),
    option(
        headings.MEDIA,
        "--pull",
        type=click.Choice([str(pull.value) for pull in Pull]),
        default="missing",
        show_default=True,
        help="When IMAGE is fetched from its registry, if a plain name or a daemon's names it.",
    ),
    option(
        headings.MEDIA,
        "--require-digest",
        is_flag=True,
        help="Refuse an IMAGE whose tag could move: name it by its digest.",
    ),
    option(
        headings.MEDIA,
        "--tls-verify",
        type=bool,
        default=True,
        show_default=True,
        metavar="BOOL",
        help="Whether a registry must prove who it is; false also allows plain HTTP.",
    ),
)

_STAYING = (
    option(
        headings.STAYS,
        "--keep",
        multiple=True,
        metavar="GLOB",
        help="Keep these paths too, with what they need: * and ? in a name, ** across directories.",
    ),
    option(
        headings.STAYS,
        "--drop",
        multiple=True,
        metavar="GLOB",
        help="Leave these paths out, needed or not.",
    ),
    option(
        headings.STAYS,
        "--keep-dlopen",
        type=click.Choice([likelihood.name.lower() for likelihood in reversed(Likelihood)]),
        default=Likelihood.LIKELY.name.lower(),
        show_default=True,
        help="How likely it must be that a file is opened by name: plug-ins, data of libraries.",
    ),
    option(
        headings.STAYS,
        "--level",
        type=click.Choice([level.value for level in Level]),
        default=Level.BALANCED.value,
        show_default=True,
        help="What stays of Python's and Node's packages: all; what is imported; its modules.",
    ),
    option(
        headings.STAYS,
        "--keep-setuid",
        is_flag=True,
        help="Leave setuid and setgid bits on files, for su and sudo.",
    ),
)

_IDENTITY = (
    option(
        headings.USER,
        "--writable",
        multiple=True,
        metavar="PATH",
        help="What the user shall be able to write to; a directory is made if it is not there.",
    ),
    option(
        headings.USER,
        "--keep-shadow",
        is_flag=True,
        help="Keep the passwords of the accounts that stay (/etc/shadow, /etc/gshadow).",
    ),
    option(
        headings.USER,
        "--arbitrary-uid",
        is_flag=True,
        help="Let any number with group 0 run it, as OpenShift does.",
    ),
)

_CONFIGURING = (
    option(
        headings.CONFIGURATION,
        "--entrypoint",
        metavar="CMD",
        help="ENTRYPOINT, as words or a JSON array; CMD goes unless it is given too.",
    ),
    option(headings.CONFIGURATION, "--cmd", metavar="CMD", help="CMD, as words or a JSON array."),
    option(
        headings.CONFIGURATION,
        "--env",
        multiple=True,
        metavar="NAME=VALUE",
        help="Set a variable; NAME- removes it.",
    ),
    option(headings.CONFIGURATION, "--workdir", metavar="PATH", help="WORKDIR, an absolute path."),
    option(
        headings.CONFIGURATION,
        "--label",
        multiple=True,
        metavar="KEY=VALUE",
        help="Set a label; KEY- removes it.",
    ),
    option(
        headings.CONFIGURATION,
        "--expose",
        multiple=True,
        metavar="PORT[/PROTOCOL]",
        help="One more EXPOSE: 8080, 53/udp, 7000-7009.",
    ),
    option(
        headings.CONFIGURATION,
        "--no-healthcheck",
        is_flag=True,
        help="Remove HEALTHCHECK, and what only it needs.",
    ),
)


def reading(command: _Function) -> _Function:
    """Adds the options about where an image comes from."""
    return _added(_READING, command)


def deciding(command: _Function) -> _Function:
    """Adds the options about what stays, the user and the configuration, but for `--user`."""
    return _added((*_STAYING, *_IDENTITY, *_CONFIGURING), command)


def _added(options: tuple[Callable[[Any], Any], ...], command: _Function) -> _Function:
    return reduce(lambda inner, add: add(inner), reversed(options), command)


def wanted(given: Shaping) -> Wanted:
    """The platforms that are asked for; UsageError for what is none."""
    texts = given["platform"]
    return None if "all" in texts else tuple(map(_platform, texts))


def shaped(given: Shaping, *, user: str | None, quiet: bool = False) -> Options:
    """The options of the decision; UsageError for what cannot be parsed."""
    return Options(
        entrypoint=_argv("--entrypoint", given["entrypoint"]),
        cmd=_argv("--cmd", given["cmd"]),
        labels=given["label"],
        env=given["env"],
        workdir=given["workdir"],
        expose=given["expose"],
        healthcheck=not given["no_healthcheck"],
        keep=given["keep"],
        drop=given["drop"],
        keep_dlopen=Likelihood[given["keep_dlopen"].upper()],
        level=Level(given["level"]),
        user=user,
        writable=given["writable"],
        keep_setuid=given["keep_setuid"],
        keep_shadow=given["keep_shadow"],
        arbitrary_uid=given["arbitrary_uid"],
        pull=Pull(given["pull"]),
        require_digest=given["require_digest"],
        tls_verify=given["tls_verify"],
        created=_created(os.environ.get("SOURCE_DATE_EPOCH", "")),
        progress=SILENT if quiet else for_terminal(),
    )


def _argv(flag: str, text: str | None) -> tuple[str, ...] | None:
    """The words that `text` writes, as a JSON array or as a shell would split them."""
    if text is None:
        return None
    if text.lstrip().startswith("["):
        try:
            words = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{shown(flag, text)}: this is no JSON array: {error}") from error
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise UsageError(f"{shown(flag, text)}: expected a JSON array of strings")
        return tuple(words)
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"{shown(flag, text)}: {error}") from error


def _platform(text: str) -> Platform:
    try:
        return Platform.parse(text)
    except ValueError as error:
        raise UsageError(f"--platform: {error}") from error


def _created(epoch: str) -> str | None:
    """SOURCE_DATE_EPOCH as RFC 3339. https://reproducible-builds.org/specs/source-date-epoch/"""
    if not epoch:
        return None
    try:
        return datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"SOURCE_DATE_EPOCH is {epoch!r}; expected seconds since 1970") from error
