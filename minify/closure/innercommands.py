"""The commands inside a command: behind heads, of `find -exec`, in programs of awk and sed.

Words may be unknown; what of them can be told is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from minify.closure.commandline import (
    MULTI_CALL,
    SHELLS,
    called,
    inner_command,
    shell_call,
    switch_user_text,
)
from minify.closure.programtexts import awk_commands, sed_commands
from minify.shell import Value
from minify.shell.survey import written
from minify.shell.values import Known, Unknown, known

UNKNOWN = "\0"
"""For the part of a word that is not known; no argument can hold it."""

_MOST_LINES = 64
_FIND_ACTIONS = frozenset("-exec -execdir -ok -okdir".split())
_FIND_ENDS = frozenset((";", "+"))
_DAEMON = frozenset("-x --exec -a --startas".split())
_AWKS = frozenset("awk gawk mawk nawk original-awk bwk".split())
_SEDS = frozenset(("sed", "gsed"))
_AWK_VALUES = frozenset("-F -v -f --file --assign --field-separator -i --include -E".split())
_WATCH_VALUES = frozenset("-n --interval -q --equexit".split())
_PARALLEL_VALUES = frozenset("-j --jobs -n -N -L -I --delay --timeout --retries -a -S -P".split())
_PARALLEL_ENDS = frozenset((":::", ":::+", "::::", "::::+"))

Words = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command line, itself or in another."""

    words: Words
    is_applet: bool = False
    """Whether its name is one that a multi-call program has in itself."""
    search: Value | None = None
    """PATH, where `env` sets it."""

    def searched(self, outer: Words) -> Words:
        """Each PATH that its program may be looked up by; `outer` are those of the whole line."""
        return outer if self.search is None else (self.search, *outer)


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a shell reads."""

    text: str
    """What is not known of it is a variable there."""
    name: Value | None = None
    """`$0`."""
    operands: Words = ()


def command_lines(words: Words) -> Iterator[CommandLine]:
    """A command line, and those that it goes on to run; a bounded number."""
    pending = [CommandLine(words)]
    for _ in range(_MOST_LINES):
        if not pending:
            return
        line = pending.pop(0)
        if line.words:
            yield line
            pending = [*_inside(line.words), *pending]


def texts(words: Words) -> Iterator[Text]:
    """The shell texts in a command line, and in those that it goes on to run."""
    for line in command_lines(words):
        yield from _own_texts(line.words)


def reads_input(words: Words) -> bool:
    """Whether a command line is a shell without a text or a script, be it of another account."""
    for line in command_lines(words):
        name, plain = name_of(line.words), _texts_of(line.words)
        if name in SHELLS:
            call = shell_call(plain[1:])
            is_told = "s" in "".join(word for word in plain[1:2] if word.startswith("-"))
            return is_told or (call.text is None and call.script is None)
        if name == "su" and switch_user_text(name, plain[1:]) is None:
            return True
    return False


def name_of(words: Words) -> str:
    """The name that a command line's program is called by; empty if that is not known."""
    return called(words[0].text or "") if words else ""


def _texts_of(words: Words) -> list[str]:
    return ["".join(map(_plain, word.parts)) for word in words]


def _plain(part: Known | Unknown) -> str:
    return part.text if isinstance(part, Known) else UNKNOWN


def _inside(words: Words) -> Iterator[CommandLine]:
    name = name_of(words)
    if name in MULTI_CALL:
        yield CommandLine(words[1:], is_applet=True)
        return
    found = _INSIDE.get(name)
    if found is not None:
        yield from map(CommandLine, found(words))
        return
    plain = _texts_of(words)
    inner = inner_command(name, plain[1:])
    if inner is not None:
        search = next((w for w in words if name == "env" and w.beginning.startswith("PATH=")), None)
        path = Value(()) if search is None else _without(search, "PATH=")
        yield CommandLine(_aligned(inner, words, plain), search=path if search else None)


def _without(value: Value, beginning: str) -> Value:
    first = known(value.beginning.removeprefix(beginning))
    return Value((*first.parts, *value.parts[1:]))


def _aligned(inner: Sequence[str], words: Words, plain: Sequence[str]) -> Words:
    """The values of an inner command line: words of the outer one, but for those that are new."""
    same = 0
    while same < min(len(inner), len(words)) and inner[-1 - same] == plain[-1 - same]:
        same += 1
    return (*map(known, inner[: len(inner) - same]), *words[len(words) - same :])


def _of_find(words: Words) -> Iterator[Words]:
    action: list[Value] | None = None
    for word in words[1:]:
        if action is None:
            action = [] if word.text in _FIND_ACTIONS else None
        elif word.text in _FIND_ENDS:
            yield tuple(action)
            action = None
        else:
            action.append(word)
    if action:
        yield tuple(action)


def _of_xargs(words: Words) -> Iterator[Words]:
    plain = _texts_of(words)
    inner = inner_command("xargs", plain[1:])
    yield _aligned(inner, words, plain) if inner else (known("echo"),)


def _of_parallel(words: Words) -> Iterator[Words]:
    rest = _without_options(words[1:], _PARALLEL_VALUES)
    end = next((at for at, word in enumerate(rest) if word.text in _PARALLEL_ENDS), len(rest))
    yield rest[:end]


def _of_start_stop_daemon(words: Words) -> Iterator[Words]:
    plain = _texts_of(words)
    end = plain.index("--") if "--" in plain else len(words)
    rest = words[end + 1 :]
    for at in range(1, end):
        option, equals, value = plain[at].partition("=")
        if option in _DAEMON and equals:
            yield (known(value), *rest)
        elif option in _DAEMON and at + 1 < end:
            yield (words[at + 1], *rest)


_INSIDE: Mapping[str, Callable[[Words], Iterator[Words]]] = {
    "find": _of_find,
    "parallel": _of_parallel,
    "start-stop-daemon": _of_start_stop_daemon,
    "xargs": _of_xargs,
}


def _without_options(words: Words, with_value: frozenset[str]) -> Words:
    rest = list(words)
    while rest and rest[0].beginning.startswith("-"):
        option = rest.pop(0).text
        if option == "--":
            break
        if option in with_value and rest:
            rest.pop(0)
    return tuple(rest)


def _own_texts(words: Words) -> Iterator[Text]:
    name = name_of(words)
    plain = [written(word) for word in words]
    if name in SHELLS:
        call = shell_call(plain[1:])
        operands = words[len(words) - len(call.operands) :] if call.operands else ()
        is_known = call.text is not None and re.fullmatch(r"(?:\$\{\w++\})++", call.text) is None
        if call.text is not None and is_known:
            # The word after the text is `$0`.
            yield Text(call.text, operands[0] if operands else None, operands[1:])
        return
    text = switch_user_text(name, plain[1:])
    if text is not None:
        yield Text(text)
    found = _TEXTS.get(name)
    if found is not None:
        yield from map(Text, found(words))


def _of_trap(words: Words) -> Iterator[str]:
    if len(words) > 2 and not words[1].beginning.startswith("-"):
        yield written(words[1])


def _of_watch(words: Words) -> Iterator[str]:
    rest = _without_options(words[1:], _WATCH_VALUES)
    yield " ".join(map(written, rest))


def _parallel_text(words: Words) -> Iterator[str]:
    for line in _of_parallel(words):
        if len(line) == 1 and " " in line[0].shown:
            yield written(line[0])


def _of_script(words: Words) -> Iterator[str]:
    for option, value in pairwise(words):
        if option.text in ("-c", "--command"):
            yield written(value)


def program_files(words: Words) -> Iterator[Value]:
    """The files of awk's or sed's `-f`."""
    for line in command_lines(words):
        if name_of(line.words) in _AWKS | _SEDS:
            for option, value in pairwise(line.words[1:]):
                if option.text in ("-f", "--file"):
                    yield value


def program_texts(program: str) -> Iterator[str]:
    """The shell commands in a program for awk or sed."""
    yield from awk_commands(program)
    yield from sed_commands(program)


def _of_awk(words: Words) -> Iterator[str]:
    """The commands in the program that is awk's first operand."""
    is_file = any(word.beginning.startswith(("-f", "--file")) for word in words[1:])
    rest = _without_options(words[1:], _AWK_VALUES)
    for program in rest[:1] if not is_file else ():
        yield from awk_commands(written(program))


def _of_sed(words: Words) -> Iterator[str]:
    plain = [written(word) for word in words[1:]]
    scripts = [
        value
        for option, value in pairwise(plain)
        if option in ("-e", "--expression") or (option.startswith("-") and option.endswith("e"))
    ]
    scripts += [word.partition("=")[2] for word in plain if word.startswith("--expression=")]
    first = (word for word in plain if not word.startswith("-"))
    for script in scripts or [next(first, "")]:
        yield from sed_commands(script)


_TEXTS: Mapping[str, Callable[[Words], Iterator[str]]] = {
    **dict.fromkeys(_AWKS, _of_awk),
    "gsed": _of_sed,
    "parallel": _parallel_text,
    "script": _of_script,
    "sed": _of_sed,
    "trap": _of_trap,
    "watch": _of_watch,
}
