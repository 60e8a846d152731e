"""What the commands of a shell script write to.

What is asked is not what a command could change but where the program expects to be able to write:
the strongest evidence is a `chown` in an entrypoint, for a directory that it makes or finds.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from minify.closure import Written
from minify.shell import Run, Value

Place = tuple[str, Written]

_INTO_A_FILE = frozenset((">", ">>", ">|", "&>", "&>>", "<>", ">&"))
_NEVER = ("/dev/", "/proc/", "/sys/")
_OPTIONS = {
    "--basedir-data": Written.TREE,
    "--data-dir": Written.TREE,
    "--datadir": Written.TREE,
    "--dbpath": Written.TREE,
    "--pgdata": Written.TREE,
    "--log-error": Written.FILE,
    "--log-file": Written.FILE,
    "--logfile": Written.FILE,
    "--logpath": Written.FILE,
    "--pid": Written.FILE,
    "--pid-file": Written.FILE,
    "--pidfile": Written.FILE,
    "--socket": Written.FILE,
    "--tmpdir": Written.TREE,
    "--unixsocket": Written.FILE,
}
_WITH_VALUE = {
    "install": frozenset("-o -g -m -t -S --owner --group --mode".split()),
    "mkdir": frozenset(("-m", "--mode")),
    "touch": frozenset("-d -r -t".split()),
}


# Where what they are for is so already, anybody may call them; of `chown` more is known.
_MAY_SUCCEED = frozenset("chgrp chown find mkdir rm rmdir".split())


def places(run: Run) -> Iterator[Place]:
    """The absolute paths that a command writes to, and how."""
    for redirected in run.redirections:
        if redirected.operator in _INTO_A_FILE:
            yield from _at(run, redirected.target, Written.FILE)
    words = run.words[1:]
    find = _COMMANDS.get(run.name)
    if find is not None:
        yield from find(run, words)
    for word in words:
        option, equals, _ = word.beginning.partition("=")
        if equals and option in _OPTIONS and word.text is not None:
            value = word.text.partition("=")[2]
            yield from _path(run, value, _OPTIONS[option])


def fails_unwritten(run: Run) -> bool:
    """Whether a command surely fails where it may not write to its `places`."""
    return run.name not in _MAY_SUCCEED and bool(run.redirections or run.name in _COMMANDS)


def _at(run: Run, value: Value, what: Written) -> Iterator[Place]:
    """The path that a word names; `dir/*` and `dir/$name` are in a directory that is written."""
    if value.text is not None:
        yield from _path(run, value.text, what)
        return
    directory, slash, _ = value.beginning.rpartition("/")
    if slash and directory.count("/") >= 2:
        yield from _path(run, directory, Written.TREE)


def _path(run: Run, text: str, what: Written) -> Iterator[Place]:
    if not text or text.isdigit() or text == "-" or "\0" in text:
        return
    if not text.startswith("/"):
        if run.directory is None:
            return
        text = f"{run.directory}/{text}"
    path = posixpath.normpath(text).replace("//", "/")
    if path != "/" and not f"{path}/".startswith(_NEVER):
        yield path, what


def _operands(words: Iterable[Value], with_value: frozenset[str] = frozenset()) -> list[Value]:
    """The words that are neither options nor their values."""
    found: list[Value] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        text = word.beginning
        if text == "--":
            return found + rest
        if text.startswith("-") and len(text) > 1:
            if word.text in with_value and rest:
                rest.pop(0)
            continue
        found.append(word)
    return found


def _each(what: Written, skipped: int = 0) -> Callable[[Run, Sequence[Value]], Iterator[Place]]:
    def find(run: Run, words: Sequence[Value]) -> Iterator[Place]:
        for value in _operands(words, _WITH_VALUE.get(run.name, frozenset()))[skipped:]:
            yield from _at(run, value, what)

    return find


def _changed(run: Run, words: Sequence[Value]) -> Iterator[Place]:
    """`chown OWNER path…`, `chmod MODE path…`: what is prepared is written."""
    is_reference = any(word.beginning.startswith("--reference") for word in words)
    for value in _operands(words)[0 if is_reference else 1 :]:
        yield from _at(run, value, Written.TREE)


def _made(run: Run, words: Sequence[Value]) -> Iterator[Place]:
    for value in _operands(words, _WITH_VALUE["mkdir"]):
        yield from _at(run, value, Written.TREE)


def _copied(run: Run, words: Sequence[Value]) -> Iterator[Place]:
    """The destination of `cp`, `mv`, `ln`, `rsync`, `install`: a directory if it ends in `/`.

    `cp` writes into a file that is there; the others put one in its place.
    """
    operands = _operands(words, _WITH_VALUE.get(run.name, frozenset()))
    texts = [word.text or "" for word in words]
    if run.name == "install" and any(text in ("-d", "--directory") for text in texts):
        for value in operands:
            yield from _at(run, value, Written.TREE)
        return
    if run.name == "mv":
        for value in operands[:-1]:
            yield from _at(run, value, Written.REPLACED)
    if len(operands) > 1:
        last = operands[-1]
        is_tree = len(operands) > 2 or last.end.endswith(("/", "/.")) or _is_recursive(texts)
        one = Written.FILE if run.name == "cp" else Written.REPLACED
        yield from _at(run, last, Written.TREE if is_tree else one)


def _is_recursive(texts: Iterable[str]) -> bool:
    return any(
        text in ("--recursive", "--archive")
        or (text[:1] == "-" and text[:2] != "--" and bool(set(text) & set("aRr")))
        for text in texts
    )


def _edited(run: Run, words: Sequence[Value]) -> Iterator[Place]:
    """`sed -i`: another file takes the place."""
    texts = [word.text or word.beginning for word in words]
    if not any(text.startswith(("-i", "--in-place")) or text in ("-ri", "-Ei") for text in texts):
        return
    has_script = any(text in ("-e", "-f", "--expression", "--file") for text in texts)
    operands = _operands(words, frozenset(("-e", "-f", "--expression", "--file")))
    for value in operands[0 if has_script else 1 :]:
        yield from _at(run, value, Written.REPLACED)


def _found(run: Run, words: Sequence[Value]) -> Iterator[Place]:
    """`find path… -exec chown …`, `-delete`: where it changes what it finds."""
    texts = [word.text or "" for word in words]
    changes = frozenset("chown chgrp chmod rm -delete sed".split())
    if not changes.intersection(texts):
        return
    for value in words:
        if value.beginning[:1] in ("-", "(", "!", "\\"):
            break
        yield from _at(run, value, Written.TREE)


def _initialised(run: Run, words: Sequence[Value]) -> Iterator[Place]:
    for option, value in pairwise(words):
        if option.text in ("-D", "--pgdata"):
            yield from _at(run, value, Written.TREE)


def _temporary(run: Run, words: Sequence[Value]) -> Iterator[Place]:
    texts = [word.text or "" for word in words]
    for text, value in zip(texts, words[1:], strict=False):
        if text in ("-p", "--tmpdir"):
            yield from _at(run, value, Written.TREE)
    for value in _operands(words, frozenset(("-p", "--tmpdir", "--suffix"))):
        if value.beginning.startswith("/"):
            directory = posixpath.dirname(value.beginning)
            yield from _path(run, directory, Written.TREE)


def _certificates(run: Run, _: Sequence[Value]) -> Iterator[Place]:
    yield from _path(run, "/etc/ssl/certs", Written.TREE)


_COMMANDS: Mapping[str, Callable[[Run, Sequence[Value]], Iterator[Place]]] = {
    "chgrp": _changed,
    "chmod": _changed,
    "chown": _changed,
    "cp": _copied,
    "find": _found,
    "initdb": _initialised,
    "install": _copied,
    "ln": _copied,
    "mkdir": _made,
    "mktemp": _temporary,
    "mv": _copied,
    "rm": _each(Written.REPLACED),
    "rmdir": _each(Written.REPLACED),
    "rsync": _copied,
    "sed": _edited,
    "tee": _each(Written.FILE),
    "touch": _each(Written.FILE),
    "truncate": _each(Written.FILE),
    "update-ca-certificates": _certificates,
}
