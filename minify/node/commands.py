"""What a command line of Node starts.

https://nodejs.org/api/cli.html
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

_NODE = re.compile(r"node(?:js)?(?:-?\d[\d.]*)?")
_PRELOADS = frozenset("-r --require --import --loader --experimental-loader".split())
_TEXTS = frozenset("-e --eval -p --print -pe".split())
_CONDITIONS = frozenset("-C --conditions".split())
# Their value may be the next word.
_WITH_VALUE = frozenset(
    """
    --env-file --env-file-if-exists --icu-data-dir --input-type --openssl-config --title
    --redirect-warnings --diagnostic-dir --report-dir --report-directory --report-filename
    --disable-warning --experimental-config-file --trace-event-categories
    --max-http-header-size --unhandled-rejections --watch-path --stack-trace-limit
    --test-name-pattern --test-reporter --test-reporter-destination --heapsnapshot-signal
    --secure-heap --secure-heap-min --tls-cipher-list --tls-keylog --dns-result-order
    --experimental-default-type --localstorage-file --snapshot-blob --build-snapshot-config
    --allow-fs-read --allow-fs-write
    """.split()
)
_MOST_WORDS = 1 << 10


@dataclass(frozen=True, slots=True)
class Entry:
    """What one command line of Node asks for."""

    script: str = ""
    """The file, as it is written; empty if there is none."""
    preloads: tuple[str, ...] = ()
    """Modules that are loaded before, by names or paths."""
    text: str = ""
    """Of `--eval`."""
    conditions: frozenset[str] = frozenset()
    task: str = ""
    """Of `--run`: a script of package.json."""
    operands: tuple[str, ...] = ()
    is_known: bool = True
    """Whether it is one of a program: not a test run, which looks for its files."""
    reads_maps: bool = False
    """Whether Node is told to read source maps."""


def is_node(word: str) -> bool:
    """Whether a program of that name is Node."""
    return _NODE.fullmatch(word.rpartition("/")[2]) is not None


def entry_of(words: Sequence[str]) -> Entry:
    """What Node, called with `words`, asks for."""
    rest = list(words[:_MOST_WORDS])
    preloads: list[str] = []
    conditions: set[str] = set()
    text, task, is_known, reads_maps = "", "", True, False
    while rest and rest[0].startswith("-") and rest[0] != "-":
        option, has_value, value = rest.pop(0).partition("=")
        if option == "--":
            break
        takes = option in _PRELOADS | _TEXTS | _CONDITIONS | _WITH_VALUE | {"--run"}
        if takes and not has_value and rest:
            value = rest.pop(0)
        if option in _PRELOADS:
            preloads.append(value)
        elif option in _CONDITIONS:
            conditions.add(value)
        elif option in _TEXTS:
            text = value
        elif option == "--run":
            task = value
        elif option in ("--test", "--snapshot-blob", "--experimental-config-file"):
            is_known = False
        elif option == "--enable-source-maps":
            reads_maps = True
    script = rest.pop(0) if rest and not text and not task else ""
    named = "" if script == "-" else script
    before = tuple(preloads)
    said = frozenset(conditions)
    return Entry(named, before, text, said, task, tuple(rest), is_known, reads_maps)


def entry_of_options(options: str) -> Entry:
    """What `NODE_OPTIONS` asks for: there is no script among them."""
    try:
        words = shlex.split(options)
    except ValueError:
        words = options.split()
    found = entry_of(words)
    return replace(found, script="", text="", task="", operands=())


def interpreter_in(start: bytes) -> tuple[str, ...]:
    """The words of a `#!` line that names Node, Node first; empty if it names another."""
    if not start.startswith(b"#!"):
        return ()
    line = start[2:].partition(b"\n")[0].decode("utf-8", "replace").split()[:16]
    if line and line[0].rpartition("/")[2] == "env":
        line = [word for word in line[1:] if word != "-S" and "=" not in word]
    return tuple(line) if line and is_node(line[0]) else ()
