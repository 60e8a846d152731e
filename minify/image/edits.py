"""What the user changes in a configuration, before anything is decided from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from minify.errors import UsageError, option
from minify.image.config import ImageConfig
from minify.image.jsontext import Fields, Json

Assignment = tuple[str, str | None]
"""A name and its value; None removes the name."""

_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(tcp|udp|sctp))?", re.IGNORECASE)
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Edits:
    """Changes of a configuration. What is None or empty leaves the source's as it is."""

    entrypoint: tuple[str, ...] | None = None
    """ENTRYPOINT; as with `docker run`, CMD goes unless it is given too."""
    cmd: tuple[str, ...] | None = None
    labels: tuple[Assignment, ...] = ()
    env: tuple[Assignment, ...] = ()
    workdir: str | None = None
    ports: tuple[str, ...] = ()
    """More EXPOSE, as `8080/tcp`."""
    keeps_healthcheck: bool = True


def edited(config: ImageConfig, edits: Edits) -> ImageConfig:
    """`config` with the changes; the same object if there are none."""
    run = {**_command(edits), **_variables(config, edits), **_labels(config, edits)}
    if edits.workdir is not None:
        run["WorkingDir"] = edits.workdir
    if edits.ports:
        ports = Fields(config.raw, config.name).child("config").mapping("ExposedPorts")
        run["ExposedPorts"] = {**ports, **{port: {} for port in edits.ports if port not in ports}}
    if not edits.keeps_healthcheck:
        run["Healthcheck"] = None
    return config.changed(run=run) if run else config


def _command(edits: Edits) -> dict[str, Json]:
    run: dict[str, Json] = {}
    if edits.entrypoint is not None:
        run = {"Entrypoint": list(edits.entrypoint) or None, "Cmd": None}
    if edits.cmd is not None:
        run["Cmd"] = list(edits.cmd) or None
    return run


def _variables(config: ImageConfig, edits: Edits) -> Mapping[str, Json]:
    """Env: a variable that is there keeps its place, a new one comes last, each name once."""
    if not edits.env:
        return {}
    wanted = dict(edits.env)
    kept: list[str] = []
    for item in Fields(config.raw, config.name).child("config").texts("Env"):
        name = item.partition("=")[0]
        if name not in wanted:
            kept.append(item)
        elif (value := wanted[name]) is not None:
            kept.append(f"{name}={value}")
            wanted[name] = None
    kept += [f"{name}={value}" for name, value in wanted.items() if value is not None]
    return {"Env": kept or None}


def _labels(config: ImageConfig, edits: Edits) -> Mapping[str, Json]:
    if not edits.labels:
        return {}
    merged = {**config.labels, **dict(edits.labels)}
    kept = {key: value for key, value in merged.items() if value is not None}
    return {"Labels": kept or None}


def words(flag: str, argv: Sequence[str] | None) -> tuple[str, ...] | None:
    """A command as a configuration can hold it; UsageError naming `flag` if it cannot."""
    if argv is None:
        return None
    for word in argv:
        _check_text(flag, word)
    return tuple(argv)


def assignments(flag: str, written: Iterable[str]) -> tuple[Assignment, ...]:
    """`NAME=VALUE` sets, `NAME-` removes, as with buildah-config(1); of one name, the last counts.

    UsageError naming `flag` for anything else. A name alone means the host's value to docker, and
    the same input would not give the same digest.
    """
    found: dict[str, str | None] = {}
    for text in written:
        _check_text(flag, text)
        name, sign, value = text.partition("=")
        if not sign and name.endswith("-"):
            name, removes = name[:-1], True
        else:
            removes = False
        if not name or not (sign or removes):
            raise UsageError(
                f"{option(flag, text)}: expected NAME=VALUE (NAME= for an empty value), or NAME-"
                " to remove it; a value is never taken from this machine"
            )
        found[name] = None if removes else value
    return tuple(found.items())


def workdir(flag: str, written: str | None) -> str | None:
    """An absolute directory; UsageError naming `flag` if it is none."""
    if written is None:
        return None
    _check_text(flag, written)
    if not written.startswith("/") or ".." in written.split("/"):
        raise UsageError(f"{option(flag, written)}: expected an absolute path without '..'")
    return written


def ports(flag: str, written: Iterable[str]) -> tuple[str, ...]:
    """Each port of `PORT[-PORT][/tcp|udp|sctp]`, as EXPOSE lists them: `8080/tcp`.

    UsageError naming `flag`. https://docs.docker.com/reference/dockerfile/#expose
    """
    return tuple(dict.fromkeys(port for text in written for port in _range(flag, text)))


def _range(flag: str, text: str) -> Iterator[str]:
    found = _PORTS.fullmatch(text)
    first = int(found[1]) if found else 0
    last = int(found[2] or found[1]) if found else 0
    if found is None or not 1 <= first <= last <= _LAST_PORT:
        raise UsageError(
            f"{option(flag, text)}: expected PORT or FIRST-LAST, from 1 to {_LAST_PORT}, with /tcp"
            " (the default), /udp or /sctp"
        )
    protocol = (found[3] or "tcp").lower()
    return (f"{port}/{protocol}" for port in range(first, last + 1))


def _check_text(flag: str, text: str) -> None:
    """A configuration is JSON in UTF-8, and no program can be given a NUL."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{option(flag, text)}: this is no UTF-8, which a configuration is"
        ) from error
    if "\0" in text:
        raise UsageError(f"{option(flag, text)}: holds a NUL character")
