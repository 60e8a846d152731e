"""The modules of an application, whether anything imports them or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from minify.filetree import FileTree, ImagePath
from minify.python import standard_library
from minify.python.finder import Module, ModuleKind

_MOST_MODULES = 60_000
_ANOTHER_PLACE = frozenset("node_modules site-packages dist-packages __pycache__".split())
_KINDS: Mapping[str, ModuleKind] = {"py": ModuleKind.SOURCE, "pyc": ModuleKind.BYTECODE}


def modules_of(tree: FileTree, directory: str, without: Iterable[ImagePath]) -> Iterator[Module]:
    """The modules in an application's directory, named by their paths below it."""
    entry = tree.directory(directory)
    others = frozenset(without)
    stack: list[tuple[ImagePath, tuple[str, ...]]] = [(entry.path, ())] if entry else []
    number = 0
    while stack and number < _MOST_MODULES:
        here, above = stack.pop()
        for name in tree.children(here):
            path = ImagePath(f"{here.rstrip('/')}/{name}")
            stem, _, suffix = name.partition(".")
            parts = (*above, stem)
            if name.startswith(".") or standard_library.is_aside(f"app.{stem}"):
                continue
            if tree.get(path) is not None and tree.children(path):
                is_environment = tree.get(f"{path}/pyvenv.cfg") is not None
                if path not in others and name not in _ANOTHER_PLACE and not is_environment:
                    stack.append((path, parts))
            elif kind := _KINDS.get(suffix):
                number += 1
                own = above if stem == "__init__" else parts
                inside = (str(here),) if stem == "__init__" else ()
                yield Module(".".join(own) or stem, kind, path, inside)
