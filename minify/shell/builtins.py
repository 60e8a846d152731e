"""Builtins that only change what the script knows, or ask for it.

https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_14
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping

from minify.shell import conditions
from minify.shell.state import POSITIONAL, WORKING_DIRECTORY, State
from minify.shell.values import ANY_LIST, Likelihood, Source, Value, known, number, unknown

Fields = tuple[Value, ...]

DOERS = frozenset(
    """
    addgroup adduser cat chgrp chmod chown cp dd echo envsubst export find groupadd groupmod install
    ln mkdir mktemp mv printf rm rsync sed setcap sleep sync tar tee touch useradd usermod wait
    """.split()
)
"""What a script runs to have it done, not to ask: it usually succeeds."""


def set_(words: Fields, state: State) -> Likelihood:
    rest = list(words[1:])
    while rest:
        text = rest[0].text
        if text is None or text[:1] not in ("-", "+") or len(text) == 1:
            break
        rest.pop(0)
        if text == "--":
            state.set(POSITIONAL, *rest)
            return Likelihood.SURELY
        options = rest.pop(0).text or "" if text.endswith("o") and rest else ""
        if "e" in text[1:] or options == "errexit":
            is_on = text[0] == "-"
            state.errexit = Likelihood.SURELY if is_on else Likelihood.NEVER
    if rest:
        state.set(POSITIONAL, *rest)
    return Likelihood.SURELY


def shift(words: Fields, state: State) -> Likelihood:
    count = number(words[1]) if len(words) > 1 else 1
    fields = state.fields(POSITIONAL)
    if fields is None or count is None:
        state.set(POSITIONAL, ANY_LIST)
        return Likelihood.USUALLY
    for _number in range(min(max(count, 0), len(fields))):
        fields = fields if fields[0].source is Source.LIST else fields[1:]
    state.set(POSITIONAL, *fields)
    return Likelihood.USUALLY


def change_directory(words: Fields, state: State) -> Likelihood:
    targets = [word for word in words[1:] if word.text not in ("-P", "-L", "--", "-e")]
    before = state.fields(WORKING_DIRECTORY)
    home = state.fields("HOME")
    target = targets[0] if targets else home[0] if home else unknown("~")
    path = absolute(target, before[0].text if before else None) if target.text != "-" else None
    state.set(WORKING_DIRECTORY, known(path) if path else unknown("$PWD"))
    return Likelihood.USUALLY


def declare(words: Fields, state: State) -> Likelihood:
    """`export`, `local` and their like where they are read as simple commands."""
    for word in words[1:]:
        name, equals, value = (word.text or "").partition("=")
        if equals and name.isidentifier():
            state.set(name, known(value, is_certain=word.is_certain))
        elif word.text is None and "=" in word.beginning:
            state.set(word.beginning.partition("=")[0], unknown(word.shown))
    return Likelihood.SURELY


def make_unknown(words: Fields, state: State) -> Likelihood:
    """`read`, `mapfile`, `getopts`: they set variables to what nobody knows."""
    for word in words[1:]:
        if word.text and word.text.isidentifier():
            state.set(word.text, unknown(f"${word.text}"))
    return Likelihood.PERHAPS


def unset(words: Fields, state: State) -> Likelihood:
    for word in words[1:]:
        state.variables.pop(word.text or "", None)
    return Likelihood.SURELY


def true(_: Fields, __: State) -> Likelihood:
    return Likelihood.SURELY


def false(_: Fields, __: State) -> Likelihood:
    return Likelihood.NEVER


def test(words: Fields, _: State) -> Likelihood:
    is_bracket = words[0].text != "test"
    return conditions.test(words[1:-1] if is_bracket else words[1:])


PLAIN: Mapping[str, Callable[[Fields, State], Likelihood]] = {
    ":": true,
    "[": test,
    "[[": test,
    "cd": change_directory,
    "declare": declare,
    "export": declare,
    "false": false,
    "getopts": make_unknown,
    "local": declare,
    "mapfile": make_unknown,
    "read": make_unknown,
    "readarray": make_unknown,
    "readonly": declare,
    "set": set_,
    "shift": shift,
    "test": test,
    "true": true,
    "typeset": declare,
    "unset": unset,
}
"""Each takes the words of the command, and gives how sure it is that it succeeds."""


def absolute(value: Value, directory: str | None) -> str | None:
    """The absolute path that a value names, without `.` and `..`; None if that is not known."""
    text = value.text
    if not text:
        return None
    if not text.startswith("/"):
        if directory is None:
            return None
        text = f"{directory}/{text}"
    return posixpath.normpath(text).replace("//", "/")


NAMES = frozenset(
    """
    . : [ [[ alias bg bind break builtin caller cd command compgen complete continue declare dirs
    disown echo enable eval exec exit export false fc fg getopts hash help history jobs kill let
    local logout mapfile popd printf pushd pwd read readarray readonly return set shift shopt
    source suspend test times trap true type typeset ulimit umask unalias unset wait
    """.split()
)
"""Builtins of dash and bash. Some of them also exist as files, which a script does not run."""
