"""Packages that an editable installation finds by a table of its own.

The table stands in a module that a `.pth` file imports: setuptools has it as `MAPPING`, editables
as calls of `map_module`, scikit-build-core as an argument.

https://setuptools.pypa.io/en/latest/userguide/development_mode.html
https://editables.readthedocs.io/en/latest/implementation.html
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import islice

from minify.filetree import FileTree
from minify.filetree.path import parent
from minify.python.finder import NAME
from minify.python.layout import Installation

_LARGEST = 1 << 20
_MOST_NODES = 200_000


def mapping(tree: FileTree, installed: Installation) -> Mapping[str, str]:
    """The directory or file of each module that a table names, by the module's name."""
    found: dict[str, str] = {}
    for file in installed.path_files:
        for name in file.imports:
            entry = tree.file(f"{parent(file.path)}/{name}.py")
            if entry is not None and entry.size <= _LARGEST:
                found |= _table(tree.read(entry))
    return found


def _table(content: bytes) -> dict[str, str]:
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    pairs = (pair for node in islice(ast.walk(tree), _MOST_NODES) for pair in _pairs(node))
    return {
        key.value: value.value
        for key, value in pairs
        if isinstance(key, ast.Constant)
        and isinstance(value, ast.Constant)
        and isinstance(key.value, str)
        and isinstance(value.value, str)
        and NAME.fullmatch(key.value)
        and value.value.startswith("/")
        and "\0" not in value.value
    }


def _pairs(node: ast.AST) -> Iterator[tuple[ast.expr | None, ast.expr]]:
    """What may be a module's name and its path: an item of a table, or two arguments."""
    if isinstance(node, ast.Dict):
        yield from zip(node.keys, node.values, strict=True)
    elif isinstance(node, ast.Call) and len(node.args) > 1:
        yield node.args[0], node.args[1]
