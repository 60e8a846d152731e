"""Command lines inside command lines: what a head, a shell or a multi-call program goes on to run.

`tini -- gosu www-data sh -c 'server -x'` is four commands. Each head has its own options, so the
ones that images use are a table.
"""

from __future__ import annotations

import shlex
from collections.abc import Container, Sequence
from dataclasses import dataclass

from minify.closure import environments

_MOST_HEADS = 16
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
    "doas": _head("-u -C"),
    "dumb-init": _head("-r --rewrite"),
    "env": _head("-u --unset -C --chdir"),
    "envdir": _head("", 1),
    "flock": _head("-w -E --timeout --conflict-exit-code", 1),
    "gosu": _head("", 1),
    "ionice": _head("-c -n -p -P -u --class --classdata"),
    "nice": _head("-n --adjustment"),
    "nohup": _head(),
    "numactl": _head("-i -N -C -m -p"),
    "prlimit": _head(),
    "runuser": _head("-u --user -g --group -G --supp-group -s --shell -w"),
    "s6-setuidgid": _head("", 1),
    "setpriv": _head(
        "--reuid --regid --groups --inh-caps --ambient-caps --bounding-set --securebits"
        " --pdeathsig --ruid --euid --rgid --egid --selinux-label --apparmor-profile"
    ),
    "s6-notifyoncheck": _head("-3 -s -T -t -w -n -c"),
    "setsid": _head(),
    "setuidgid": _head("", 1),
    "stdbuf": _head("-i -o -e --input --output --error"),
    "su-exec": _head("", 1),
    "sudo": _head("-u -g -C -D -h -p -R -T -U --user --group"),
    "s6-envdir": _head("", 1),
    "softlimit": _head("-a -c -d -f -l -m -o -p -r -s -t"),
    "taskset": _head("", 1),
    "time": _head("-f -o"),
    "timeout": _head("-s --signal -k --kill-after", 1),
    "tini": _head("-p -e"),
    "tini-static": _head("-p -e"),
    "tini-amd64": _head("-p -e"),
    "unbuffer": _head(),
    "docker-init": _head("-p -e"),
    "with-contenv": _head(),
    "xargs": _head("-a -d -E -I -L -n -P -s"),
}


def inner_command(name: str, words: Sequence[str]) -> tuple[str, ...] | None:
    """The command line that `name`, called with `words`, becomes; None if it is no head.

    Empty if it is one and no command follows.
    """
    if name in environments.RUNNERS:
        return environments.run_command(name, words)
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


def innermost(words: Sequence[str], stops: Container[str] = ()) -> tuple[str, ...]:
    """The command line behind all heads; a head that no command follows is one itself.

    Heads whose names are among `stops` are not looked behind.
    """
    rest = tuple(words)
    for _ in range(_MOST_HEADS):
        name = called(rest[0]) if rest else ""
        inner = inner_command(name, rest[1:])
        if not inner or name in stops:
            break
        rest = inner
    return rest


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


@dataclass(frozen=True, slots=True)
class UserSwitch:
    """A command line whose program runs another as an account."""

    account: str
    """A name or number, without the group; empty where it is not known."""
    argv: tuple[str, ...]
    """The command line without the part that switches; heads before it stay."""
    sets_home: bool = False
    """Whether HOME becomes the account's, whatever ENV says."""


_SPECS = frozenset(("gosu", "su-exec"))  # they set HOME too
_SETUIDGID = frozenset(("s6-setuidgid", "setuidgid"))
_ACCOUNT_OPTIONS = {
    "chpst": ("-u",),
    "chroot": ("--userspec",),
    "runuser": ("-u", "--user"),
    "setpriv": ("--reuid", "--ruid", "--euid"),
    "start-stop-daemon": ("-c", "--chuid"),
    "sudo": ("-u", "--user"),
}
_SU = frozenset(("su", "runuser"))
_SU_WITH_VALUE = frozenset("-c --command -s --shell -g --group -G --supp-group -w".split())

SWITCHES = _SPECS | _SETUIDGID | _SU | frozenset(_ACCOUNT_OPTIONS) - {"chroot"}
"""Programs that run another as an account that they are given."""


def user_switch(words: Sequence[str | None]) -> tuple[str, str] | None:
    """The program of a command line that switches the user, and the account; None if none does.

    A word may be None where nobody knows it. The account is empty where it is not known; it is
    `root` for `su` and `sudo` without one. Heads before the program are looked through.
    """
    rest = list(words)
    for _ in range(_MOST_HEADS):
        name = called(rest[0] or "") if rest else ""
        account = _account(name, rest[1:])
        if account is not None:
            return name, account.partition(":")[0]
        texts = [word if word is not None else "?" for word in rest[1:]]
        inner = inner_command(name, texts)
        if not inner or list(inner) != texts[-len(inner) :]:
            return None
        rest = rest[-len(inner) :]
    return None


def _account(name: str, words: Sequence[str | None]) -> str | None:
    """The account, `:group` included, that the program `name` switches to; None if it is none."""
    if name in _SPECS | _SETUIDGID:
        return (words[0] or "") if words else None
    options = _ACCOUNT_OPTIONS.get(name, ())
    for index, word in enumerate(words):
        text = word or ""
        option, equals, value = text.partition("=")
        if option in options:
            following = words[index + 1] if index + 1 < len(words) else ""
            return (value if equals else following or "").removeprefix(":")
        if name != "setpriv" and not text.startswith("-") and name not in _SU:
            break
    if name in _SU:
        return _account_of_su(words)
    return "root" if name == "sudo" else None


def _account_of_su(words: Sequence[str | None]) -> str:
    rest = list(words)
    while rest and (rest[0] or "").startswith("-"):
        option = rest.pop(0)
        if option in _SU_WITH_VALUE and rest:
            rest.pop(0)
        if option == "--":
            break
    return (rest[0] or "") if rest else "root"


def without_user_switch(argv: Sequence[str]) -> UserSwitch | None:
    """The command line without the program that switches the user, where that is the same.

    It is when the whole runs as that account from the beginning. None where no program switches, or
    where one does more than that: another group, a login, a shell.
    """
    rest = tuple(argv)
    for _ in range(_MOST_HEADS):
        name = called(rest[0]) if rest else ""
        inner = inner_command(name, rest[1:]) if name != "setuidgid" else rest[2:]
        if not inner or rest[-len(inner) :] != inner:
            return None
        if name in SWITCHES:
            account = _exact_account(name, rest[1 : len(rest) - len(inner)])
            before = tuple(argv[: len(argv) - len(rest)])
            return UserSwitch(account, (*before, *inner), name in _SPECS) if account else None
        rest = inner
    return None


def _exact_account(name: str, words: Sequence[str]) -> str:
    """The account if the words of a switching program say nothing else; else empty."""
    rest = [word for word in words if word != "--"]
    if name in _SPECS:
        account, _, group = rest[0].partition(":") if len(rest) == 1 else ("", "", "")
        return account if group in ("", account) else ""
    if name in _SETUIDGID:
        return rest[0] if len(rest) == 1 and ":" not in rest[0] else ""
    if name == "setpriv":
        return _exact_setpriv(rest)
    is_option = len(rest) == 2 and rest[0] in _ACCOUNT_OPTIONS[name]
    is_plain = is_option and ":" not in rest[1] and name in ("chpst", "runuser")
    return rest[1] if is_plain else ""


def _exact_setpriv(words: Sequence[str]) -> str:
    """The account of `setpriv --reuid=X --regid=X --init-groups`."""
    rest = list(words)
    ids: dict[str, str] = {}
    while rest:
        option, equals, value = rest.pop(0).partition("=")
        if option in ("--reuid", "--regid"):
            ids[option] = value if equals else rest.pop(0) if rest else ""
        elif option not in ("--init-groups", "--clear-groups"):
            return ""
    account = ids.get("--reuid", "")
    return account if ids.get("--regid") == account else ""
