"""Which files of a package stay that is kept whole: all but those that nobody reads.

What is left out is of a kind (`unread`), in a directory for those who work on the package, or made
for another machine. It stays if a module of the package's own, or of the application, names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from minify.filetree import FileTree, ImagePath
from minify.filetree.path import ancestors, basename
from minify.node.graph import Graph
from minify.node.knowledge import is_aside, is_managers
from minify.node.packages import NODE_MODULES, Package
from minify.node.texts import Texts
from minify.node.unread import DESCRIPTIONS, DIRECTORIES, KINDS, SETTINGS
from minify.unread import kind_of, unread

_ELF = b"\x7fELF"
_MODULE_SUFFIXES = (".js", ".mjs", ".cjs")
_OBJECTS = ("build/Release/obj.target/", "build/Release/obj/", "build/Release/.deps/")
_LIBRARY = re.compile(r"[^/]+\.(?:node|so(?:\.\d{1,9}){0,4})")


class Members:
    """Decides for the packages of one followed program; `graph` is complete.

    `programs` are the names of the programs and libraries that stay. `only_reached` leaves out
    modules that nothing reaches.
    """

    def __init__(
        self,
        tree: FileTree,
        graph: Graph,
        texts: Texts,
        programs: Iterable[str],
        *,
        only_reached: bool,
    ) -> None:
        self._tree = tree
        self._graph = graph
        self._texts = texts
        self._only_reached = only_reached
        names = (package.name for package, _ in graph.packages.values())
        self._unread = unread(KINDS, programs, names, graph.read.called)

    def unread(self, path: ImagePath) -> str:
        """What the file at `path` of a package is that nobody reads; empty of one that stays."""
        package = self._graph.owner(path)
        if package is None or self._is_served(package):
            return ""
        if not self._is_for_here(path):
            return "for another machine"
        if path in self._graph.modules or self._is_program(path):
            return ""
        within = path[len(package.directory) + 1 :]
        found = self._of_kind(within, package) or self._in_directory(within, package)
        if found or not self._only_reached or package.directory in self._graph.expanded:
            return found
        is_module = path.endswith(_MODULE_SUFFIXES) or is_aside(path, package.directory)
        return "a module that nothing reaches" if is_module else ""

    def _is_served(self, package: Package) -> bool:
        """Whether the application may give any file of a package away, as to a browser."""
        return package.directory in self._graph.located or NODE_MODULES in self._texts.names(None)

    def _is_program(self, path: ImagePath) -> bool:
        """Whether a file that is called as one of Windows is Linux's: npm's bun is `bun.exe`."""
        entry = self._tree.file(path) if path.endswith(".exe") else None
        return entry is not None and self._tree.read(entry, len(_ELF)) == _ELF

    def _is_for_here(self, path: ImagePath) -> bool:
        """Whether a library can be loaded in this image, if it is one."""
        entry = self._tree.file(path) if _LIBRARY.fullmatch(basename(path)) else None
        return entry is None or self._graph.machine.can_load(entry, self._tree)

    def _of_kind(self, within: str, package: Package) -> str:
        """What a file is of a kind that nobody reads; empty if a constant names it."""
        kind = kind_of(within, self._unread)
        if kind is not None:
            stays = not kind.has_readers and self._may_open(within, package)
            is_named = self._is_named(within, kind.suffixes, package)
            return "" if stays or is_named else kind.shown
        shown = "what a compiler left" if within.startswith(_OBJECTS) else ""
        shown = "settings of a tool" if SETTINGS.fullmatch(within) else shown
        shown = (
            "a map of a module that nothing reaches" if self._is_idle(within, package) else shown
        )
        return "" if self._is_named(within, (), package) else shown

    def _is_idle(self, within: str, package: Package) -> bool:
        """Whether a file is the source map of a module beside it that is not reached."""
        module = ImagePath(f"{package.directory}/{within.removesuffix('.map')}")
        is_map = within.endswith((".js.map", ".mjs.map", ".cjs.map"))
        is_followed = self._texts.knows(package.directory)
        return is_map and is_followed and module not in self._graph.modules

    def _is_named(self, within: str, suffixes: Iterable[str], package: Package) -> bool:
        """Whether a constant has the name of a file, or its suffix."""
        own, name = self._texts.names(package.directory), within.rpartition("/")[2]
        # Whoever has a suffix among its constants looks for its own files of that kind.
        ends = self._texts.suffixes(package.directory)
        is_sought = any(end.endswith(tuple(suffixes)) and name.endswith(end) for end in ends)
        return is_sought or name in own or name in self._texts.names(None)

    def _may_open(self, within: str, package: Package) -> bool:
        """Whether the package may open a file of a directory that it names."""
        owner, texts = package.directory, self._texts
        above = within.split("/")[:-1]
        named = not texts.directories(owner).isdisjoint(above) or (
            not texts.names(owner).isdisjoint(above)
        )
        return named or not self._is_known(package)

    def _is_known(self, package: Package) -> bool:
        """Whether it is known what the package itself opens."""
        return is_managers(f"{package.directory}/") or self._texts.knows(package.directory)

    def _in_directory(self, within: str, package: Package) -> str:
        """In which directory a file is that only those open who work on the package."""
        above = within.split("/")[:-1]
        names = DIRECTORIES | DESCRIPTIONS
        at = next((number for number, name in enumerate(above) if name in names), None)
        if at is None:
            return ""
        top = "/".join((package.directory, *above[: at + 1]))
        is_opened = top in self._holding or self._is_opened(above[at], package)
        return "" if is_opened else f"in {above[at]}, of which nothing is reached"

    def _is_opened(self, directory: str, package: Package) -> bool:
        """Whether something may open a directory of that name."""
        owner, texts = package.directory, self._texts
        if is_managers(f"{owner}/"):
            return directory == "spec"  # what it loads is not followed
        if not self._is_known(package) or directory in texts.directories(owner):
            return True
        if directory not in DESCRIPTIONS:
            return False  # such a word says nothing by itself
        # What loads others by names that only a run knows may open their directories, too.
        return owner in self._graph.expanded or any(
            directory in texts.names(one) for one in (owner, *self._graph.expanded)
        )

    @cached_property
    def _holding(self) -> frozenset[str]:
        """The directories that hold a module which is reached."""
        return frozenset(above for path in self._graph.modules for above in ancestors(path))
