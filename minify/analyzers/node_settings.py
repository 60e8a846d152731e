"""Files that tell a program which scripts of Node to run: those of pm2 and of nodemon.

https://pm2.keymetrics.io/docs/usage/application-declaration/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from minify.filetree import FileTree

_KEY = re.compile(
    r"""["']?\b(?P<key>script|cwd|interpreter|exec_interpreter|node_args|nodeArgs|interpreter_args)["']?\s*+:\s*+
    (?:(?P<quote>["'`])(?P<text>[^"'`\n]{0,500})(?P=quote)|(?P<plain>[\w./@-]{1,500}))?+""",
    re.VERBOSE,
)
_NODE = re.compile(r"(?:.*/)?node")
LARGEST = 1 << 18
"""Bytes that are read of such a file."""
_CODE = (".js", ".mjs", ".cjs")


@dataclass(frozen=True, slots=True)
class Declared:
    """A program that such a file declares."""

    script: str
    cwd: str = ""
    options: tuple[str, ...] = ()
    """Words for Node."""


def of_pm2(text: str) -> tuple[Declared, ...]:
    """The programs of an ecosystem file (JSON, YAML, JavaScript); empty if not all are known."""
    try:
        return tuple(_declared(text))
    except ValueError:
        return ()


def _declared(text: str) -> Iterator[Declared]:
    found: dict[str, str] = {}
    for match in _KEY.finditer(text):
        key, value = match["key"], match["text"] or match["plain"]
        if value is None or "${" in value:
            raise ValueError(key)
        if key in found and (key == "script" or "script" in found):
            yield _one(found)
            found = {}
        found[key] = value
    yield _one(found)


def _one(found: dict[str, str]) -> Declared:
    interpreter = found.get("interpreter", found.get("exec_interpreter", "node"))
    script = found.get("script", "")
    if not _NODE.fullmatch(interpreter) or not (script.endswith(_CODE) or "/" in script):
        raise ValueError(script)
    options = found.get("node_args", found.get("nodeArgs", found.get("interpreter_args", "")))
    return Declared(script, found.get("cwd", ""), tuple(options.split()))


def of_nodemon(directory: str, tree: FileTree) -> bool:
    """Whether nodemon, started in `directory`, runs its operands with Node and nothing else."""
    entry = tree.file(f"{directory.rstrip('/')}/nodemon.json")
    if entry is None:
        return True
    return entry.size <= LARGEST and b'"exec' not in tree.read(entry)
