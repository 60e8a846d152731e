"""Packages that an editable installation finds by a table of its own.

https://setuptools.pypa.io/en/latest/userguide/development_mode.html
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from minify.filetree import FileTree
from minify.python.layout import Installation

_LARGEST = 1 << 20


def mapping(tree: FileTree, installed: Installation) -> Mapping[str, str]:
    """The directory or file of each package in the `MAPPING` of a finder."""
    found: dict[str, str] = {}
    for site in installed.sites:
        for name in tree.children(site):
            if name.startswith("__editable___") and name.endswith("_finder.py"):
                entry = tree.file(f"{site}/{name}")
                if entry is not None and entry.size <= _LARGEST:
                    found |= _table(tree.read(entry))
    return found


def _table(content: bytes) -> dict[str, str]:
    try:
        body = ast.parse(content).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    for node in body:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        target = node.target if isinstance(node, ast.AnnAssign) else target
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id == "MAPPING" and isinstance(value, ast.Dict):
            pairs = zip(value.keys, value.values, strict=True)
            return {
                key.value: item.value
                for key, item in pairs
                if isinstance(key, ast.Constant)
                and isinstance(item, ast.Constant)
                and isinstance(key.value, str)
                and isinstance(item.value, str)
                and item.value.startswith("/")
                and "\0" not in item.value
            }
    return {}
