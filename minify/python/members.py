"""Which files of a distribution that is reached stay: all but its tests and what nobody reads."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from minify.filetree import FileTree, ImagePath
from minify.filetree.path import ancestors, basename, is_within
from minify.python.graph import Graph
from minify.python.standard_library import TESTING
from minify.python.unread import KINDS
from minify.unread import kind_of, unread

_MODULE_SUFFIXES = (".py", ".pyc")
_WITHOUT_CODE = (".pyi", ".pyx", ".pxd", ".h", ".hpp", ".c", ".cpp", ".a")


class Members:
    """Decides for the distributions of one followed program; `graph` is complete.

    `programs` are the names of the programs and libraries that stay. `only_reached` leaves out
    modules that no import reaches.
    """

    def __init__(
        self, tree: FileTree, graph: Graph, programs: Iterable[str], *, only_reached: bool
    ) -> None:
        self._tree = tree
        self._graph = graph
        self._only_reached = only_reached
        self._unread = unread(KINDS, (*programs, *graph.libraries), graph.whole)

    def stays(self, path: ImagePath) -> bool:
        """Whether the file at `path` does."""
        if "/__pycache__/" in path:
            return False  # it comes with its source
        if path in self._graph.reached:
            return True
        above = path.split("/")[:-1]
        if TESTING.intersection(above) and self._site(path) and not self._is_tested(above):
            return False
        if self._is_unread(path):
            return False
        if not self._only_reached:
            return True
        return not path.endswith((*_MODULE_SUFFIXES, *_WITHOUT_CODE)) and not _is_extension(path)

    def _is_unread(self, path: ImagePath) -> bool:
        """Whether a file is of a kind that nobody reads, and no module that is reached names it."""
        kind = kind_of(path, self._unread)
        if kind is None or basename(path) in self._graph.files:
            return False
        stem = path.rpartition(".")[0]
        return not kind.beside or self._tree.file(f"{stem}{kind.beside}") is not None

    def _site(self, path: ImagePath) -> bool:
        return any(is_within(path, site) for site in self._graph.installed.sites)

    def _is_tested(self, above: list[str]) -> bool:
        """Whether something imports from the tests that a file is among, the innermost."""
        at = max(number for number, name in enumerate(above) if name in TESTING)
        return "/".join(above[: at + 1]) in self._holding

    @cached_property
    def _holding(self) -> frozenset[str]:
        """The directories that hold a module which is reached."""
        return frozenset(above for path in self._graph.reached for above in ancestors(path))


def _is_extension(path: ImagePath) -> bool:
    """Whether a shared library is an extension, which only imports load."""
    # Of mypyc, all modules are in one, whose name is made at build time.
    is_module = ".cpython-" in basename(path) or path.endswith(".abi3.so")
    return is_module and "__mypyc." not in basename(path)
