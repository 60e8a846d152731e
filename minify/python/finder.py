"""From a dotted name to the file that Python would import, without a cache of its own.

https://docs.python.org/3/reference/import.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from minify.filetree import FileTree, ImagePath
from minify.filetree.path import child, parent
from minify.python.archive import Archives

NAME = re.compile(r"[^\W\d]\w{0,99}(?:\.[^\W\d]\w{0,99}){0,15}")
"""A dotted name, as far as any program has them."""

_EXTENSION = re.compile(r"([^\W\d]\w*)(?:\.(?:cpython-|pypy\d|abi3|cp\d)[\w.+-]{0,80})?\.so")
_SPREAD = re.compile(rb"\bextend_path\b|\bdeclare_namespace\b")
_LARGEST_MEMBER = 4 << 20
_LARGEST_EXTENSION = 32 << 20
_START_OF_PACKAGE = 1 << 16


class ModuleKind(Enum):
    SOURCE = "source"
    BYTECODE = "bytecode"
    """A `.pyc` in the place of its source."""
    EXTENSION = "extension"
    NAMESPACE = "namespace"
    """A package that has no file, only directories."""
    ARCHIVED = "archived"
    """A source, bytecode or extension within a zip."""


@dataclass(frozen=True, slots=True)
class Module:
    """What one name imports."""

    name: str
    kind: ModuleKind
    path: ImagePath
    """Its file, by the name under which it was found; a namespace's first directory; the zip."""
    directories: tuple[str, ...] = ()
    """Where its submodules are; empty if it is no package."""
    member: str = ""
    """The name within the zip."""

    @property
    def is_package(self) -> bool:
        return bool(self.directories)


@dataclass(frozen=True, slots=True)
class _Listing:
    """What is in one directory."""

    names: frozenset[str]
    extensions: Mapping[str, str]
    """The files of extension modules by the modules' names."""


class Finder:
    """Knows every module of one search path.

    `mapping` has packages by name, as editable installations state them: the directory, or the
    file, of each.
    """

    def __init__(
        self,
        tree: FileTree,
        search_path: tuple[str, ...],
        mapping: Mapping[str, str] | None = None,
        archives: Archives | None = None,
    ) -> None:
        self._tree = tree
        self._mapping = mapping or {}
        self._found: dict[str, Module | None] = {}
        self._listings: dict[str, _Listing] = {}
        self._archives = archives or Archives(tree)
        self.search_path = search_path
        self.programs: tuple[ImagePath, ...] = ()
        """The zips with a program that were added."""

    @property
    def mapped(self) -> tuple[str, ...]:
        """The directories of editable packages."""
        directories = (_package_of(path) for path in self._mapping.values())
        return tuple(path for path in directories if self._tree.directory(path))

    def with_archive(self, archive: ImagePath) -> Finder:
        """The same, looking first into a zip and the directories in it that are no packages."""
        inside = {f"{archive}/{above}": None for _, above, _ in self._archives.modules(archive)}
        first = (str(archive), *(place.rstrip("/") for place in inside))
        path = tuple(dict.fromkeys((*first, *self.search_path)))
        finder = Finder(self._tree, path, self._mapping, self._archives)
        finder.programs = (*self.programs, archive)
        return finder

    def is_unpacked(self, archive: ImagePath) -> bool:
        """Whether a program in a zip unpacks itself: it has what no import from a zip reaches."""
        modules = self._archives.modules(archive)
        return any(above or member.endswith(".so") for _, above, member in modules)

    def archived(self, archive: ImagePath) -> Iterator[Module]:
        """Every module in a zip, extensions too, which no import from a zip finds."""
        for name, _, member in self._archives.modules(archive):
            inside = member.rpartition("/")[0]
            directories = (f"{archive}/{inside}",) if "/__init__.py" in f"/{member}" else ()
            yield Module(name, ModuleKind.ARCHIVED, archive, directories, member)

    def needed(self, archive: ImagePath) -> tuple[str, ...]:
        """The libraries that those in a zip are linked to."""
        return self._archives.needed(archive)

    def find(self, name: str) -> Module | None:
        """The module of the absolute `name`; None if there is none, as for those built in."""
        if name not in self._found:
            self._found[name] = None
            if len(name) <= 500 and NAME.fullmatch(name):
                self._found[name] = self._looked_up(name)
        return self._found[name]

    def submodules(self, package: Module) -> Iterator[str]:
        """The names of the modules directly in a package, sorted."""
        stems = {
            _module_name(file) or file
            for directory in package.directories
            for file in self._listing(directory).names
            if _module_name(file) or self._is_package_directory(directory, file)
        }
        return (f"{package.name}.{stem}" for stem in sorted(stems - {"__init__", "__main__"}))

    def below(self, package: Module, *, most: int = 5_000) -> Iterator[Module]:
        """Every module below a package, parents first; namespaces without a module are none."""
        stack = [package]
        number = 0
        while stack and number < most:
            for name in self.submodules(stack.pop()):
                module = self.find(name)
                if module is not None:
                    number += 1
                    yield module
                    if module.is_package:
                        stack.append(module)

    def source(self, module: Module) -> bytes:
        """The content of a module's file, as much as is read of one; empty for a namespace."""
        if module.kind is ModuleKind.ARCHIVED:
            return self._archives.content(module.path, module.member, _LARGEST_MEMBER)
        entry = self._tree.file(module.path)
        if entry is None or module.kind is ModuleKind.NAMESPACE:
            return b""
        is_extension = module.kind is ModuleKind.EXTENSION
        return self._tree.read(entry, _LARGEST_EXTENSION if is_extension else _LARGEST_MEMBER)

    def text_beside(self, extension: Module) -> bytes:
        """The source that an extension was compiled from (mypyc), where it is beside it."""
        directory, _, file = extension.path.rpartition("/")
        entry = self._tree.file(f"{directory}/{file.partition('.')[0]}.py")
        return self._tree.read(entry, _LARGEST_MEMBER) if entry is not None else b""

    def _looked_up(self, name: str) -> Module | None:
        if name in self._mapping:
            return self._mapped(name)
        above, _, last = name.rpartition(".")
        if not above:
            there = last in self._first_names
            return self._spread(name, self._in(self.search_path, name, last) if there else None)
        package = self.find(above)
        if package is None or not package.is_package:
            return None
        return self._spread(name, self._in(package.directories, name, last))

    @cached_property
    def _first_names(self) -> frozenset[str]:
        """The beginnings of all names at the first level: most that is asked for is no module."""
        found: set[str] = set()
        for place in self.search_path:
            archive, inside = self._archives.split(place)
            members = self._archives.members(archive) if archive else ()
            within = (name[len(inside) :].partition("/")[0] for name in members)
            names = (*self._listing(place).names, *within)
            found.update(name.partition(".")[0] for name in names)
        return frozenset(found)

    def _mapped(self, name: str) -> Module | None:
        target = self._mapping[name]
        if self._tree.file(target):
            package = _package_of(target)
            inside = (package,) if package != target else ()
            return Module(name, ModuleKind.SOURCE, ImagePath(target), inside)
        above, _, last = target.rpartition("/")
        return self._in((above or "/",), name, last)

    def _spread(self, name: str, found: Module | None) -> Module | None:
        """A namespace with the directories of those packages in it that are editable."""
        if not self._mapping or (found is not None and found.kind is not ModuleKind.NAMESPACE):
            return found
        inner = ((k[len(name) :], v) for k, v in self._mapping.items() if k.startswith(f"{name}."))
        others = (_above(path, rest.count(".")) for rest, path in inner)
        every = tuple(dict.fromkeys((*(found.directories if found else ()), *others)))
        if not every:
            return None
        return Module(name, ModuleKind.NAMESPACE, ImagePath(every[0]), every)

    def _in(self, directories: tuple[str, ...], name: str, last: str) -> Module | None:
        portions: list[str] = []
        for directory in directories:
            children = self._listing(directory).names
            if not children:
                found = self._archived(directory, name, last)
                if found is not None:
                    return found
                continue
            if last in children and self._tree.directory(f"{directory}/{last}"):
                found = self._regular(f"{directory}/{last}", name, "__init__")
                if found is not None:
                    return self._package(found, directories, last)
                portions.append(f"{directory}/{last}")
            found = self._regular(directory, name, last)
            if found is not None:
                return found
        if not portions:
            return None
        return Module(name, ModuleKind.NAMESPACE, ImagePath(portions[0]), tuple(portions))

    def _package(self, init: Module, directories: tuple[str, ...], last: str) -> Module:
        """A package with its directories: those of a namespace of the old kinds are many."""
        own = parent(init.path)
        entry = self._tree.file(init.path)
        start = self._tree.read(entry, _START_OF_PACKAGE) if entry else b""
        others: list[str] = []
        if init.kind is ModuleKind.SOURCE and _SPREAD.search(start):
            others = [f"{d}/{last}" for d in directories if self._tree.directory(f"{d}/{last}")]
        every = tuple(dict.fromkeys((str(own), *others)))
        return Module(init.name, init.kind, init.path, every)

    def _regular(self, directory: str, name: str, last: str) -> Module | None:
        """The module `last` of one directory, in the order of importlib's loaders."""
        listing = self._listing(directory)
        if last in listing.extensions:
            path = child(ImagePath(directory), listing.extensions[last])
            return Module(name, ModuleKind.EXTENSION, path)
        for suffix, kind in ((".py", ModuleKind.SOURCE), (".pyc", ModuleKind.BYTECODE)):
            if f"{last}{suffix}" in listing.names and self._tree.file(
                f"{directory}/{last}{suffix}"
            ):
                return Module(name, kind, child(ImagePath(directory), f"{last}{suffix}"))
        return None

    def _listing(self, directory: str) -> _Listing:
        if directory not in self._listings:
            entry = self._tree.directory(directory)
            names = self._tree.children(entry.path) if entry is not None else ()
            matches = (_EXTENSION.fullmatch(name) for name in reversed(names))
            extensions = {match[1]: match[0] for match in matches if match is not None}
            self._listings[directory] = _Listing(frozenset(names), extensions)
        return self._listings[directory]

    def _is_package_directory(self, directory: str, name: str) -> bool:
        """Whether a name is that of a directory with a module in it, or below it."""
        if not NAME.fullmatch(name) or "." in name or name == "__pycache__":
            return False
        return any(_module_name(file) for file in self._listing(f"{directory}/{name}").names)

    def _archived(self, place: str, name: str, last: str) -> Module | None:
        """A source in a zip: `place` is its file, or a directory within it."""
        archive, inside = self._archives.split(place)
        members = self._archives.members(archive) if archive else frozenset[str]()
        for stem, is_package in ((f"{inside}{last}/__init__", True), (f"{inside}{last}", False)):
            for suffix in (".py", ".pyc"):
                if f"{stem}{suffix}" in members:
                    directories = (f"{archive}/{inside}{last}",) if is_package else ()
                    path = ImagePath(archive)
                    member = f"{stem}{suffix}"
                    return Module(name, ModuleKind.ARCHIVED, path, directories, member)
        return None


def _module_name(file: str) -> str:
    """The name of the module in a file of that name; empty if it is none."""
    match = _EXTENSION.fullmatch(file)
    if match is not None:
        return match[1]
    stem, dot, suffix = file.rpartition(".")
    return stem if dot and suffix in ("py", "pyc") and NAME.fullmatch(stem) else ""


def _package_of(target: str) -> str:
    """A package's directory, where its `__init__.py` is meant; else the target itself."""
    above, _, last = target.rpartition("/")
    return above if last.startswith("__init__.") else target


def _above(target: str, levels: int) -> str:
    """The directory so many levels above a package or module."""
    here = _package_of(target)
    for _ in range(levels):
        here = here.rpartition("/")[0]
    return here or "/"
