"""From the entries of a program to every module that it may import, each with who asks for it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from minify.filetree import FileTree, ImagePath
from minify.filetree.path import basename, is_within, parent
from minify.python import cython, setuptools, standard_library
from minify.python.application import modules_of
from minify.python.distributions import Distribution, Distributions, normalized
from minify.python.finder import NAME, Finder, Module, ModuleKind
from minify.python.imports import Imported, Imports, Part, Style, imports_of, in_library, package_of
from minify.python.layout import Installation
from minify.python.reached import Origin, Reached
from minify.python.unread import SCRIPTS, SUFFIXES

_MOST_MODULES = 60_000
_LIBRARY = re.compile(r"lib[\w.+-]{1,80}\.so(?:\.\d{1,4}){0,3}")
_MAINS = ("__main__.py", "__main__.pyc")


@dataclass(slots=True)
class Graph:
    """What the entries of one installation reach. Its results are complete after `follow`."""

    tree: FileTree
    finder: Finder
    distributions: Distributions
    installed: Installation
    application: tuple[str, ...] = ()
    """Directories all of whose modules are the application's."""
    own: set[str] = field(default_factory=set)
    """Distributions that are the application, for it is they that are started."""
    reached: dict[ImagePath, Reached] = field(default_factory=dict)
    """By the real path of the module's file."""
    links: dict[ImagePath, Reached] = field(default_factory=dict)
    """The same by the paths of links to their files."""
    names: dict[str, None] = field(default_factory=dict)
    """Of the modules, in the order in which they were reached."""
    whole: dict[str, tuple[Distribution, Origin]] = field(default_factory=dict)
    """Distributions that are reached, by name."""
    named: dict[str, tuple[Distribution, Origin]] = field(default_factory=dict)
    """Distributions whose metadata alone is asked for."""
    libraries: dict[str, Origin] = field(default_factory=dict)
    """Names of shared libraries among the constants."""
    sought: dict[str, Origin] = field(default_factory=dict)
    """Libraries by the names that `find_library` is given: `ssl`, for libssl.so.3."""
    unknown: dict[ImagePath, tuple[int, ...]] = field(default_factory=dict)
    """The application's files with imports that are only known at run time, and the lines."""
    files: set[str] = field(default_factory=set)
    """Names of files of the kinds that nobody reads otherwise, and of shell scripts, among the
    constants."""
    runs: dict[ImagePath, tuple[int, ...]] = field(default_factory=dict)
    """The application's files that start other programs, and the lines."""
    programs: dict[str, Origin] = field(default_factory=dict)
    """The programs among them whose names are constants."""
    is_complete: bool = True
    """Whether it ended before its bound."""
    finds_libraries: bool = False
    """Whether anything but the standard library calls ctypes.util.find_library."""
    _queue: deque[tuple[Module, bool]] = field(default_factory=deque)
    _expanded: set[str] = field(default_factory=set)
    _aside: set[ImagePath] = field(default_factory=set)

    def start(self) -> None:
        """What every start of the interpreter imports."""
        origin = Origin("", "every start of Python imports it")
        for name in standard_library.STARTING:
            self.name(name, origin)
        for file in self.installed.path_files:
            owner = self.distributions.owner(file.path)
            if owner is None or not standard_library.is_for_developers(owner.name):
                for name in file.imports:
                    self.name(name, Origin(file.path, f"{basename(file.path)} imports it"))

    def name(self, name: str, origin: Origin, *, is_aside: bool = False) -> bool:
        """Reaches the module `name` and the packages that it is in; whether there is one."""
        parts = name.split(".")[:16]
        found = False
        for number in range(1, len(parts) + 1):
            module = self.finder.find(".".join(parts[:number]))
            if module is None:
                break
            found = number == len(parts)
            own = is_aside and standard_library.is_aside(module.name)
            self.module(module, origin, is_aside=own)
        return found

    def module(
        self, module: Module, origin: Origin, *, is_main: bool = False, is_aside: bool = False
    ) -> None:
        """Reaches a module. Of one that stands `aside`, what it has for developers is not meant."""
        if module.kind is ModuleKind.NAMESPACE:
            self.names[module.name] = None
            return
        path = self._real(module)
        if path in self.reached:
            if module.path != self.reached[path].module.path and module.path != path:
                self.links.setdefault(module.path, Reached(module, origin, None))
            if path in self._aside and not is_aside:
                self._aside.discard(path)
                self._queue.append((module, is_main))
            return
        if len(self.reached) >= _MOST_MODULES:
            self.is_complete = False
            return
        if is_aside:
            self._aside.add(path)
        distribution = self._distribution(path)
        self.reached[path] = Reached(module, origin, distribution)
        self.names[module.name] = None
        if distribution is not None:
            self.whole.setdefault(distribution.name, (distribution, origin))
        self._queue.append((module, is_main))

    def below(self, directory: str, origin: Origin) -> None:
        """Reaches every module of an application's directory but its tests."""
        for module in modules_of(self.tree, directory, self.installed.managed):
            self.module(module, origin)

    def in_archive(self, archive: ImagePath, origin: Origin) -> bool:
        """Reaches all in a zip with a program, which may unpack it to run; whether it is one."""
        modules = tuple(self.finder.archived(archive))
        if all(one.member not in _MAINS for one in modules):
            return False
        self.finder = self.finder.with_archive(archive)
        for module in modules:
            self.module(module, origin, is_main=module.member in _MAINS)
        inside = Origin(archive, f"a library in {archive} needs it")
        self.libraries |= {n: self.libraries.get(n, inside) for n in self.finder.needed(archive)}
        return True

    def follow(self) -> None:
        """Goes on until nothing new is reached."""
        while self._queue and self.is_complete:
            module, is_main = self._queue.popleft()
            content = self.finder.source(module)
            part = self._part(self._real(module))
            self.finds_libraries |= part is not Part.STANDARD and b"find_library" in content
            self._imports(module, imports_of(module, content, is_main=is_main, part_of=part))
            self._of_unit(module)
            if module.kind is ModuleKind.EXTENSION:
                text = self.finder.text_beside(module)
                self._imports(module, in_library(text, package_of(module)))
                self._beside(module)

    def _sources(self, extension: Module, path: ImagePath) -> bool:
        """Follows what Cython made an extension of, where that is beside it; whether it is."""
        directory = parent(path)
        package, _, stem = extension.name.rpartition(".")
        if not package or self.tree.file(f"{directory}/{stem}.pyx") is None:
            return False
        # It includes others, from everywhere below.
        for entry in self.tree.below(directory):
            if entry.path.endswith(cython.SOURCES) and entry.size <= cython.LARGEST_SOURCE:
                found = in_library(self.tree.read(entry), package)
                self._imports(Module(extension.name, ModuleKind.SOURCE, entry.path), found)
        return True

    def _beside(self, extension: Module) -> None:
        """The modules beside an extension, whose texts a compiler may have packed together."""
        package = self.finder.find(extension.name.rpartition(".")[0])
        path = self._real(extension)
        for name in self.finder.submodules(package) if package is not None else ():
            module = self.finder.find(name)
            if module is None or module.is_package or standard_library.is_aside(name):
                continue
            self.module(module, Origin(path, f"beside {path}"), is_aside=True)

    def _real(self, module: Module) -> ImagePath:
        if module.kind is ModuleKind.ARCHIVED:
            return ImagePath(f"{module.path}/{module.member}")
        entry = self.tree.file(module.path)
        return entry.path if entry is not None else module.path

    def _distribution(self, path: ImagePath) -> Distribution | None:
        if self.is_application(path):
            return None
        return self.distributions.owner(path)

    def is_application(self, path: str) -> bool:
        """Whether a file is in a directory of the application, and in no site directory there."""
        inside = any(is_within(ImagePath(path), ImagePath(one)) for one in self.application)
        return inside and not any(is_within(ImagePath(path), one) for one in self.installed.managed)

    def _is_own(self, path: ImagePath) -> bool:
        """Whether it is the application's, be it installed as a distribution."""
        owner = self.distributions.owner(path)
        return (owner is not None and owner.name in self.own) or self.is_application(path)

    def _part(self, path: ImagePath) -> Part:
        if self._is_own(path):
            return Part.APPLICATION
        return Part.STANDARD if self.installed.is_standard(path) else Part.LIBRARY

    def _imports(self, module: Module, imports: Imports) -> None:
        path = self._real(module)
        own = self.is_application(path)
        meant = [
            item for item in self._known(module, imports) if own or self._is_meant(item, module)
        ]
        for item in meant:
            if own or (module.name, item.name) not in standard_library.ELSEWHERE:
                self._imported(item, path)
        for name in imports.exported:
            is_aside = standard_library.is_aside(f"{module.name}.{name}")
            if module.is_package and not self.installed.is_standard(path) and not is_aside:
                self.name(f"{module.name}.{name}", Origin(path, "__all__ names it"))
        self._members(meant if imports.members else (), imports.members, path)
        if imports.is_opaque and not self._sources(module, path):
            self._all_standard(Origin(path, f"{path} is Cython's, and its imports are packed"))
        self._texts(imports, path)
        if module.name == "__main__":
            self._scripts(imports, path)
        if imports.unknown and own:
            self.unknown[path] = imports.unknown
        elif imports.unknown and not self.installed.is_standard(path):
            self._expand(path, imports.unknown[0])

    def _known(self, module: Module, imports: Imports) -> Iterator[Imported]:
        """The imports of which there is anything: an extension has thousands of other texts."""
        for item in imports.names:
            top = item.name.partition(".")[0]
            if self.finder.find(top) is not None or top == standard_library.DISTUTILS:
                yield item
        name = package_of(module) if imports.may_be_relative else ""
        package = self.finder.find(name) if name else None
        if package is None:
            return
        beside = {one.rpartition(".")[2] for one in self.finder.submodules(package)}
        for item in imports.names:
            if item.name.partition(".")[0] in beside:
                yield replace(item, name=f"{name}.{item.name}")

    def _runs(self, imports: Imports, path: ImagePath) -> None:
        if imports.runs:
            self.runs[path] = imports.runs
        for name in imports.programs:
            self.programs.setdefault(name, Origin(path, f"{path} runs {name}"))

    def _imported(self, item: Imported, path: ImagePath) -> None:
        line = f" at line {item.line}" if item.line else ""
        origin = Origin(path, f"{path} imports {item.name}{line}")
        is_sure = item.style is Style.PLAIN and path not in self._aside
        self.name(item.name, origin, is_aside=not (is_sure or self.is_application(path)))
        for name in setuptools.stand_ins(item.name, self.finder, self.installed):
            self.name(name, Origin(path, f"{origin.detail}, which setuptools has"))
        package = self.finder.find(item.name) if item.is_prefix else None
        if package is not None:
            self._all_of(package, Origin(path, f"{path} imports from {item.name}{line} by name"))

    def _is_meant(self, item: Imported, by: Module) -> bool:
        """Whether a library's import is more than what it has in reserve for people and tools."""
        path = self._real(by)
        top = item.name.partition(".")[0]
        if item.name in standard_library.FROM_COMPILERS and item.style is Style.TEXT:
            return False
        better = standard_library.REPLACED.get(top)
        if better is not None and self.finder.find(better) is not None:
            return False
        if item.style is Style.PLAIN and path not in self._aside:
            return True
        if top in standard_library.FOR_PEOPLE and top not in self.names:
            return False
        module = self.finder.find(top)
        if module is None or module.kind is ModuleKind.NAMESPACE:
            return True
        owner, mine = self._distribution(self._real(module)), self._distribution(path)
        is_own = owner is not None and mine is not None and mine.name == owner.name
        if is_own and standard_library.is_for_building(item.name):
            return standard_library.is_for_building(by.name)
        return is_own or owner is None or not standard_library.is_for_developers(owner.name)

    def _members(self, meant: Iterable[Imported], members: frozenset[str], path: ImagePath) -> None:
        """What bytecode may import from the packages that it names."""
        for item in meant:
            package = self.finder.find(item.name)
            if package is not None and package.is_package:
                for name in self.finder.submodules(package):
                    is_aside = standard_library.is_aside(name)
                    if name.rpartition(".")[2] in members and not is_aside:
                        self.name(name, Origin(path, f"{path} imports {name}"))

    def _texts(self, imports: Imports, path: ImagePath) -> None:
        own = self._is_own(path)
        if own:
            self._runs(imports, path)
        for text, line in imports.texts:
            where = f"{path}:{line}" if line else path
            origin = Origin(path, f"{where} has the text {text}")
            if text in self.distributions.groups and text not in standard_library.FOR_TOOLS:
                self._group(text, Origin(path, f"{where} names the entry points {text}"))
            if text.endswith((*SUFFIXES, *SCRIPTS)):
                self.files.add(text.rpartition("/")[2])
            if _LIBRARY.fullmatch(text):
                self.libraries.setdefault(text, origin)
            elif text in imports.libraries:
                self.sought.setdefault(text, origin)
            distribution = self.distributions.by_name.get(normalized(text))
            if distribution is not None and not self.installed.is_standard(path):
                self.named.setdefault(distribution.name, (distribution, origin))
            if own:
                self.mentioned(text.partition(":")[0], origin)

    def _scripts(self, imports: Imports, path: ImagePath) -> None:
        """What a script of easy_install runs, and the metadata in which it looks that up."""
        for distribution, reference in setuptools.started(imports.texts, self.distributions):
            origin = Origin(path, f"{path} runs the entry point {reference}")
            self.named.setdefault(distribution.name, (distribution, origin))
            self.name(reference.partition(":")[0], origin)

    def mentioned(self, text: str, origin: Origin, *, is_sure: bool = False) -> None:
        """Reaches what a text of the application names: of a package, all is meant.

        One word may be any word, unless it `is_sure`.
        """
        if not NAME.fullmatch(text) or text in standard_library.FOR_PEOPLE:
            return
        module = self.finder.find(text.partition(".")[0])
        is_sure = is_sure or "." in text
        if module is None or not (is_sure or module.is_package):
            return
        if not is_sure and self.installed.is_standard(self._real(module)):
            return
        owner = self._distribution(self._real(module))
        if owner is not None and standard_library.is_for_developers(owner.name):
            return
        self.name(text, origin)
        package = self.finder.find(text)
        if (
            package is not None
            and package.is_package
            and not self.installed.is_standard(package.path)
        ):
            self._all_of(package, origin)

    def _group(self, group: str, origin: Origin) -> None:
        for distribution, reference in self.distributions.groups[group]:
            self.whole.setdefault(distribution.name, (distribution, origin))
            self.name(reference.partition(":")[0], origin)

    def _expand(self, path: ImagePath, line: int) -> None:
        """All of a distribution that imports by names which nobody sees."""
        distribution = self._distribution(path)
        if distribution is None or distribution.name in self._expanded:
            return
        self._expanded.add(distribution.name)
        origin = Origin(path, f"{path} imports by a name that is made at line {line}")
        tops = {
            file[len(site) + 1 :].partition("/")[0].partition(".")[0]
            for file in distribution.files
            for site in self.installed.sites
            if is_within(ImagePath(file), site)
        }
        for top in sorted(tops):
            module = self.finder.find(top)
            if module is not None:
                self._all_of(module, origin, of=distribution)

    def _all_of(self, package: Module, origin: Origin, of: Distribution | None = None) -> None:
        """Every module below a package but those for tests and tools."""
        for module in self.finder.below(package):
            if standard_library.is_aside(module.name) or module.kind is ModuleKind.NAMESPACE:
                continue
            path = self._real(module)
            if of is not None and self._distribution(path) != of:
                continue
            if path not in self.reached:
                self.module(module, origin, is_aside=True)

    def _all_standard(self, origin: Origin) -> None:
        """All of the standard library but what is for people and tests."""
        place = self.installed.standard
        if place in self._expanded:
            return
        self._expanded.add(place)
        root = Module("", ModuleKind.NAMESPACE, place, (str(place), f"{place}/lib-dynload"))
        for dotted in self.finder.submodules(root):
            module = self.finder.find(dotted[1:])
            is_spared = dotted[1:] in standard_library.FOR_PEOPLE
            if module is None or is_spared or standard_library.is_aside(module.name):
                continue
            if self.installed.is_standard(self._real(module)):
                self.module(module, origin, is_aside=True)
                self._all_of(module, origin)

    def _of_unit(self, module: Module) -> None:
        """What comes with a module of the standard library: the rest of its package."""
        path = self._real(module)
        if not self.installed.is_standard(path):
            return
        for name in standard_library.IMPORTED.get(module.name, ()):
            self.name(name, Origin(path, f"{module.name} imports {name} by a name that it makes"))
        top = module.name.partition(".")[0]
        if module.name == top and top in standard_library.WHOLE:
            self._all_of(module, Origin(path, f"part of {top}, kept whole"))
