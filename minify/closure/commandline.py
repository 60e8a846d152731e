"""Command lines inside command lines: what a head, a shell or a multi-call program goes on to run.

`tini -- gosu www-data sh -c 'server -x'` is four commands. Each head has its own options, so the
ones that images use are a table.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

SHELLS = frozenset("sh ash bash dash fish ksh zsh".split())
MULTI_CALL = frozenset("busybox toybox".split())


def called(word: str) -> str:
    """The name that a program is called by, be it with its directory or without."""
    return word.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class _Head:
    """How a program that becomes the command in its operands is called."""

    with_value: frozenset[str] = frozenset()
    """Options whose value is the next word."""
    operands: int = 0
    """How many words of its own come before the command."""


def _head(options: str = "", operands: int = 0) -> _Head:
    return _Head(frozenset(options.split()), operands)


# Each from its manual page.
_HEADS = {
    "catatonit": _head(),
    "chpst": _head("-u -U -b -e -d -o -p -f -c -m -/ -n -t -r"),
    "chroot": _head("", 1),
    "dumb-init": _head("-r --rewrite"),
    "env": _head("-u --unset -C --chdir"),
    "flock": _head("-w -E --timeout --conflict-exit-code", 1),
    "gosu": _head("", 1),
    "ionice": _head("-c -n -p -P -u --class --classdata"),
    "nice": _head("-n --adjustment"),
    "nohup": _head(),
    "numactl": _head("-i -N -C -m -p"),
    "runuser": _head("-u --user -g --group -G --supp-group -s --shell -w"),
    "s6-setuidgid": _head("", 1),
    "setpriv": _head(
        "--reuid --regid --groups --inh-caps --ambient-caps --bounding-set --securebits"
        " --pdeathsig --ruid --euid --rgid --egid --selinux-label --apparmor-profile"
    ),
    "setsid": _head(),
    "stdbuf": _head("-i -o -e --input --output --error"),
    "su-exec": _head("", 1),
    "sudo": _head("-u -g -C -D -h -p -R -T -U --user --group"),
    "taskset": _head("", 1),
    "time": _head("-f -o"),
    "timeout": _head("-s --signal -k --kill-after", 1),
    "tini": _head("-p -e"),
    "tini-static": _head("-p -e"),
    "tini-amd64": _head("-p -e"),
    "docker-init": _head("-p -e"),
    "xargs": _head("-a -d -E -I -L -n -P -s"),
}


def inner_command(name: str, words: Sequence[str]) -> tuple[str, ...] | None:
    """The command line that `name`, called with `words`, becomes; None if it is no head.

    Empty if it is one and no command follows.
    """
    head = _HEADS.get(name)
    if head is None:
        return None
    rest = list(words)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        if name == "env" and option[:2] == "-S":
            rest = [*_split(option[2:] or (rest.pop(0) if rest else "")), *rest]
            continue
        if option in head.with_value and rest:
            rest.pop(0)
    if name == "env":
        while rest and "=" in rest[0]:
            rest.pop(0)
    rest = rest[head.operands :]
    if name == "flock" and rest[:1] == ["-c"]:
        return ("/bin/sh", *rest)
    return tuple(rest[1:] if rest[:1] == ["--"] else rest)


def switch_user_text(name: str, words: Sequence[str]) -> str | None:
    """The shell text that `su` or `runuser` is given with `-c`; None if there is none."""
    if name not in ("su", "runuser"):
        return None
    for index, word in enumerate(words[:-1]):
        if word in ("-c", "--command"):
            return words[index + 1]
    inline = (word.partition("=")[2] for word in words if word.startswith("--command="))
    return next(inline, None)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


@dataclass(frozen=True, slots=True)
class ShellCall:
    """What a shell is called for: the text of `-c`, or a script's file; neither is interactive."""

    text: str | None = None
    script: str | None = None
    operands: tuple[str, ...] = ()


def shell_call(words: Sequence[str]) -> ShellCall:
    """How a shell with the arguments `words` is called; `-o` and `-O` take a value, bunched too.

    https://pubs.opengroup.org/onlinepubs/9699919799/utilities/sh.html
    """
    rest = list(words)
    has_text = False
    while rest and rest[0][:1] in ("-", "+") and rest[0] not in ("-", "--"):
        option = rest.pop(0)
        if option.startswith("--"):
            if option in ("--rcfile", "--init-file") and rest:
                rest.pop(0)
            continue
        has_text = has_text or (option[0] == "-" and "c" in option)
        if option[-1] in "oO" and rest:
            rest.pop(0)
    if rest and rest[0] in ("-", "--"):
        rest.pop(0)
    if has_text:
        return ShellCall(text=rest[0] if rest else "", operands=tuple(rest[1:]))
    return ShellCall(script=rest[0] if rest else None, operands=tuple(rest[1:]))
