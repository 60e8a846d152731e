"""Shell text → syntax tree, by shfmt: one process a script, its answer JSON.

`docs/decisions/0008-shell-parser.md` says why. The text is an image's, so everything about the
process is bounded, and whatever goes wrong is one value: a `ShellError`.
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import re
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minify.errors import UsageError
from minify.shell import building
from minify.shell.syntax import Script

LARGEST = 1 << 18
"""Bytes of a script; those of real images have up to some 60 KiB."""

_LARGEST_ANSWER = 32 << 20
_MOST_MEMORY = 2 << 30  # of address space, most of which Go only reserves
_MOST_TIME = 20  # seconds of the processor's: what is refused is not a matter of the host's load
_TIMEOUT = 120.0
_DEEPEST_BRACKETS = 64
_MOST_SEPARATORS = 30_000
_SEPARATORS = (b";", b"\n", b"|", b"&", b"$", b"`")
_SHORT = 1 << 12
_BRACKETS = re.compile(rb"(?:[({]|\b(?:if|do|case)\b)|(?:[)}]|\b(?:fi|done|esac)\b)")
_CLOSERS = (b")", b"}", b"fi", b"done", b"esac")
_SHEBANG = re.compile(rb"#![ \t]*+(\S++)(?:[ \t]++([^\n]*+))?")
_POSITION = re.compile(r"(?:<standard input>:)?(\d+):\d+: (.*)")


@dataclass(frozen=True, slots=True)
class ShellError:
    """Why a text has no syntax tree."""

    line: int
    """0 where the trouble is the whole text."""
    what: str


def parse(text: bytes) -> Script | ShellError:
    """The syntax tree of a script or of a text for `sh -c`.

    The shell is that of the `#!` line; without one, any. A text for a plain `sh` is read as bash
    reads it, where bash can: that is what finds `[[ ]]` and `local`, which ash and dash have too.
    """
    # A tree takes some hundred times the room of its text, so few of the long ones are kept.
    return _parse_short(text) if len(text) <= _SHORT else _parse_long(text)


def _parse(text: bytes) -> Script | ShellError:
    if len(text) > LARGEST:
        return ShellError(0, f"it has {len(text):,} bytes; at most {LARGEST:,} are read")
    if b"\0" in text:
        return ShellError(text[: text.index(b"\0")].count(b"\n") + 1, "it holds a NUL byte")
    if _bracket_depth(text) > _DEEPEST_BRACKETS:
        return ShellError(0, "its commands are nested too deeply")
    if sum(map(text.count, _SEPARATORS)) > _MOST_SEPARATORS:
        return ShellError(0, "it has too many commands")
    shell, options = _called(text)
    dialects = ("mksh", "bash") if "ksh" in shell else ("bash", "posix")
    if shell == "zsh":
        dialects = ("zsh", "bash")
    plain = text.decode("utf-8", "replace").encode()  # Latin-1 in comments is no fault
    found = first = _parsed(plain, dialects[0])
    if isinstance(first, ShellError) and first.line:
        found = _parsed(plain, dialects[1])
    if isinstance(found, ShellError):
        # The first dialect's complaint is the one that fits the script.
        return first if isinstance(first, ShellError) else found
    return Script(found.statements, shell not in ("sh", "ash", "dash", "busybox"), options)


_parse_short = functools.lru_cache(maxsize=256)(_parse)
_parse_long = functools.lru_cache(maxsize=4)(_parse)


def _called(text: bytes) -> tuple[str, str]:
    """The name of the shell in the `#!` line and the letters of its options."""
    match = _SHEBANG.match(text)
    if match is None:
        return "sh", ""
    words = [match[1], *(match[2] or b"").split()]
    names = [word.rpartition(b"/")[2].decode("utf-8", "replace") for word in words]
    # Heads may come before it: env, busybox, an init (`#!/usr/bin/dumb-init /bin/sh`).
    shell = next((name for name in names if name.endswith("sh")), "sh")
    letters = "".join(option[1:] for option in names if re.fullmatch(r"-[a-zA-Z]+", option))
    return shell, letters


def _bracket_depth(text: bytes) -> int:
    """How deeply brackets and compound commands stand in each other, at most; quotes ignored."""
    depth = deepest = 0
    for token in _BRACKETS.findall(text):
        depth = max(depth - 1, 0) if token in _CLOSERS else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _parsed(text: bytes, dialect: str) -> Script | ShellError:
    answer = _answer(text, dialect)
    if isinstance(answer, ShellError):
        return answer
    try:
        tree = json.loads(answer, object_hook=_without_offsets)
        return Script(building.statements(tree.get("Stmts")))
    except (RecursionError, building.TooDeepError):
        return ShellError(0, "its commands are nested too deeply")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return ShellError(0, f"the parser's answer is not understood ({type(error).__name__})")


def _without_offsets(node: dict[str, Any]) -> Any:
    """A position as its line: one number instead of an object, three of which each node has."""
    return node["Line"] if "Line" in node and "Col" in node else node


def _answer(text: bytes, dialect: str) -> bytes | ShellError:
    """The JSON that shfmt gives; files instead of pipes, so that neither side waits."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out:
        source.write(text)
        source.seek(0)
        command = [_shfmt(), "--to-json", "-ln", dialect]
        with subprocess.Popen(  # noqa: S603 (our own parser; the text is only its input)
            command, stdin=source, stdout=out, stderr=subprocess.PIPE, env={}
        ) as process:
            _limit(process.pid)
            try:
                _, complaint = process.communicate(timeout=_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                return ShellError(0, f"parsing it took more than {_TIMEOUT:.0f} seconds")
        if process.returncode == 0:
            out.seek(0)
            return out.read()
    match = _POSITION.match(complaint[:4096].decode("utf-8", "replace"))
    if match is None:
        return ShellError(0, f"the parser ended with code {process.returncode}")
    return ShellError(int(match[1]), match[2])


def _limit(pid: int) -> None:
    """Bounds what the process may use. It has read nothing of note by then."""
    if not hasattr(resource, "prlimit"):  # pragma: no cover (not Linux)
        return
    limits = (
        (resource.RLIMIT_AS, _MOST_MEMORY),
        (resource.RLIMIT_CPU, _MOST_TIME),
        (resource.RLIMIT_FSIZE, _LARGEST_ANSWER),
    )
    for limit, most in limits:
        try:
            resource.prlimit(pid, limit, (most, most))
        except (ProcessLookupError, PermissionError):
            return  # it has ended already, or the host has lower ones


@functools.cache
def _shfmt() -> str:
    """The binary that the distribution shfmt-py installed, else that of PATH."""
    for path in _installed():
        if path.is_file():
            return str(path)
    found = shutil.which("shfmt")
    if found is None:
        raise UsageError(
            "shfmt, which reads shell scripts, is not installed: it comes with the Python package"
            " shfmt-py, which minify depends on; reinstall minify, or put shfmt on PATH"
        )
    return found


def _installed() -> Iterator[Path]:
    try:
        files = importlib.metadata.files("shfmt-py") or ()
    except importlib.metadata.PackageNotFoundError:
        return
    for file in files:
        if file.name in ("shfmt", "shfmt.exe"):
            yield Path(str(file.locate())).resolve()
