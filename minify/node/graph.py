"""From the entries of a program to every module and package that it may load, and who asks.

A module is reached *surely* along names that stand in the code; the rest (texts that are a
package's name, a directory of modules of which one is chosen at run time) reaches only what an
installation for production has: who works on the application has the others for himself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import is_within, parent
from minify.node.knowledge import (
    BUILT_IN,
    CHECKER,
    LOADERS,
    PACKAGE_MANAGERS,
    WORDS,
    is_aside,
    is_managers,
    is_tool,
)
from minify.node.manifest import Manifest
from minify.node.origin import Origin
from minify.node.packages import NODE_MODULES, Package, Packages
from minify.node.platform import Machine
from minify.node.production import Production
from minify.node.reader import Reader
from minify.node.requires import Request, Requests, Style, requests_of
from minify.node.resolution import Resolved, Resolver, split_name
from minify.node.typescript import is_typed, sources

_MOST_MODULES = 60_000
_CODE = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts")


@dataclass(slots=True)
class Graph:
    """What the entries of one image reach. Its results are complete after `follow`."""

    tree: FileTree
    resolver: Resolver
    machine: Machine
    applications: tuple[ImagePath, ...] = ()
    """Directories whose files, other than those of `node_modules`, are the application's."""
    transpiles: bool = False
    """Whether types are only taken away, which needs no declarations of them."""
    modules: dict[ImagePath, Origin] = field(default_factory=dict)
    """The files, by their real paths, each with the first that asked for it."""
    packages: dict[ImagePath, tuple[Package, Origin]] = field(default_factory=dict)
    """The packages, by their real directories."""
    links: dict[str, Origin] = field(default_factory=dict)
    """Paths on which something was found, where links are on the way to it."""
    unknown: dict[ImagePath, tuple[int, ...]] = field(default_factory=dict)
    """The application's files that load what only a run knows, with the lines."""
    expanded: dict[ImagePath, None] = field(default_factory=dict)
    """Packages any module of which may be loaded."""
    tool: tuple[Package, Origin] | None = None
    """A reached package that loads what configuration names: nobody knows what that is."""
    located: dict[ImagePath, None] = field(default_factory=dict)
    """Packages whose files the application may read at any path."""
    read: Reader = field(init=False)
    """What the modules ask for that are followed."""
    is_complete: bool = True
    _packages: Packages = field(init=False)
    _queue: deque[tuple[Entry, Origin]] = field(default_factory=deque)
    _everything: bool = False
    _production: Production = field(init=False)

    def __post_init__(self) -> None:
        self.read = Reader(self.tree)
        self._packages = Packages(self.tree, self.resolver)
        self._production = Production(self.tree, self.resolver, self.applications)

    def name(self, name: str, directory: str, origin: Origin) -> bool:
        """Reaches what `name` means to a module in `directory`; whether there is something."""
        found = False
        here = self.tree.directory(directory)
        for style in Style if here is not None else ():
            for resolved in self.resolver.resolve(name, ImagePath(directory), style):
                self.resolved(resolved, origin)
                found = True
        return found

    def named(self, name: str, directory: str, origin: Origin) -> None:
        """Reaches the package that configuration names, or the module at a path."""
        here = self.tree.directory(directory)
        package, _ = split_name(name)
        if here is None:
            return
        self._texts_of_files(name, here.path, origin)
        if package and self._is_name(package):
            for place in self.resolver.package_directories(package, here.path):
                self._package_at(place, origin)
                self.name(name, here.path, origin)
                break

    def text(self, source: str, directory: str, origin: Origin) -> None:
        """Reaches what a text of `--eval` asks for."""
        found = requests_of(source.encode("utf-8", "replace"))
        for request in found.names:
            self.name(request.name, directory, origin)
        if found.unknown:
            self._all_of_application(origin)

    def owner(self, path: ImagePath) -> Package | None:
        """The package that a real path is in; None for the application's own files."""
        return self._packages.owner(path)

    def for_production(self) -> Iterator[Package]:
        """The packages that an installation without `devDependencies` has."""
        for directory in sorted(self._production.directories):
            owner = self._packages.owner(ImagePath(f"{directory}/package.json"))
            if owner is not None:
                yield owner

    def resolved(self, resolved: Resolved, origin: Origin) -> None:
        """Reaches a file."""
        entry = resolved.entry
        owner = self._packages.owner(entry.path)
        if not origin.is_sure and owner is not None and not self._is_for_production(owner):
            return
        if resolved.via != entry.path:
            self.links.setdefault(resolved.via, origin)
        self._reach(entry, origin)

    def _reach(self, entry: Entry, origin: Origin) -> None:
        known = self.modules.get(entry.path)
        if known is not None and (known.is_sure or not origin.is_sure):
            return
        if len(self.modules) >= _MOST_MODULES:
            self.is_complete = False
            return
        self.modules[entry.path] = origin
        owner = self._packages.owner(entry.path)
        if owner is not None:
            self.package(owner, origin)
        elif is_typed(entry.path):
            self._compile(entry.path, origin)
        self._queue.append((entry, origin))

    def _compile(self, path: ImagePath, origin: Origin) -> None:
        """Modules are in TypeScript: what its settings name is loaded too."""
        settings = self.resolver.typescript.settings(parent(path))
        for name in settings.modules:
            self.name(name, parent(path), origin)
        for file in settings.files:
            entry = self.tree.file(file)
            if entry is not None:
                detail = f"settings of {path} extend it"
                self.resolved(Resolved(file, entry), Origin(path, detail))
        if path.endswith("x"):
            for name in settings.jsx:
                self.name(f"{name}/jsx-runtime", parent(path), origin)
                self.name(f"{name}/jsx-dev-runtime", parent(path), origin)
        if not self.resolver.compiles:
            self.resolver.compiles = True
            if self._everything:
                self._everything = False
                self._all_of_application(Origin(origin.by, origin.detail, is_sure=False))

    def package(self, package: Package, origin: Origin) -> None:
        """Reaches a package, and what it has for this machine in packages of their own."""
        if package.directory in self.packages:
            return
        self.packages[package.directory] = (package, origin)
        if origin.is_sure:
            self._production.bring(package.directory)
        checks = package.name == CHECKER and not self.transpiles
        if (checks or is_tool(package.name)) and self.tool is None:
            self.tool = (package, origin)
        for name in sorted(package.manifest.peers) if package.name == CHECKER else ():
            # Its settings say which of these compiles.
            self.named(name, package.directory, origin)
        for name in sorted(package.manifest.optional):
            for place in self.resolver.package_directories(name, package.directory):
                self._for_machine(place, package)
                break

    def _for_machine(self, place: str, of: Package) -> None:
        manifest = self.resolver.manifest(place)
        if manifest is None or not (manifest.os or manifest.cpu or manifest.libc):
            return
        if self._is_for_here(manifest, place):
            detail = f"{of.shown} has it for {self.machine.shown}"
            self._package_at(place, Origin(of.directory, detail))

    def _is_for_here(self, manifest: Manifest, place: str) -> bool:
        machine = self.machine
        return machine.takes(manifest) and machine.loads(manifest, place, self.tree)

    def _package_at(self, place: str, origin: Origin) -> None:
        entry = self.tree.directory(place)
        owner = self._packages.owner(ImagePath(f"{entry.path}/package.json")) if entry else None
        if entry is None or owner is None:
            return
        if not origin.is_sure and not self._is_for_production(owner):
            return
        if place != entry.path:
            self.links.setdefault(place, origin)
        self.package(owner, origin)

    def follow(self) -> None:
        """Goes on until nothing new is reached, or it is of no use."""
        while self._queue and self.is_complete and self.tool is None:
            entry, origin = self._queue.popleft()
            if entry.path.endswith((".json", ".node")) or is_managers(entry.path):
                continue
            self._follow(entry, origin)
            self.is_complete &= self.read.is_complete
        self._link()

    def _link(self) -> None:
        """Links to packages that are kept: those with links on the way are found by more names."""
        for package, _ in tuple(self.packages.values()):
            for name in sorted(package.manifest.asked_for):
                place = next(self.resolver.directories(name, package.directory), "")
                entry = self.tree.directory(place) if place else None
                if entry is not None and place != entry.path and entry.path in self.packages:
                    detail = f"{package.shown} has it among its dependencies"
                    self.links.setdefault(place, Origin(package.directory, detail))

    def _follow(self, entry: Entry, origin: Origin) -> None:
        path, directory = entry.path, parent(entry.path)
        owner = self._packages.owner(path)
        requests = self.read.requests(entry, owner.name if owner is not None else "")
        for request in requests.names:
            asks = self._asks(path, request, is_sure=origin.is_sure)
            self._request(request, directory, asks)
            if owner is None and request.is_path:
                self._locate(request.name, directory)
        if owner is None:
            self._texts_of_application(path, requests, is_sure=origin.is_sure)
            if requests.unknown:
                self.unknown[path] = requests.unknown
                self._all_of_application(Origin(path, _loads(path, requests.unknown), False))
        else:
            self._texts_of_package(path, owner, requests)
            loaders = tuple(one.line for one in requests.names if one.name in LOADERS)
            if lines := requests.unknown or loaders:
                self._expand(owner, Origin(path, _loads(path, lines), False))

    def _asks(self, path: ImagePath, request: Request, *, is_sure: bool) -> Origin:
        more = "…" if request.is_prefix else ""
        detail = f"{path} asks for {request.name}{more} at line {request.line}"
        return Origin(path, detail, is_sure)

    def _request(self, request: Request, directory: ImagePath, origin: Origin) -> None:
        if not request.is_prefix:
            found = self.resolver.resolve(request.name, directory, request.style)
            for resolved in found:
                self.resolved(resolved, origin)
            if not found and self._is_strange(request.name, origin.by):
                # An alias that something of the application gives to its own modules.
                self._all_of_application(Origin(origin.by, origin.detail, is_sure=False))
            return
        if request.name.startswith(("./", "../", "/")):
            is_own = self._packages.owner(directory) is None and bool(request.name.strip("./"))
            chosen = Origin(origin.by, origin.detail, origin.is_sure and is_own)
            for resolved in self.resolver.below(request.name, directory):
                if not is_aside(resolved.via, directory):
                    self.resolved(resolved, chosen)
            return
        package, rest = split_name(request.name)
        if package and rest != ".":
            for place in self.resolver.package_directories(package, directory):
                self._package_at(place, origin)
                base = self.tree.directory(place)
                for resolved in self.resolver.below(rest, base.path) if base else ():
                    self.resolved(resolved, Origin(origin.by, origin.detail, is_sure=False))
                break
            return
        self._starting(request.name, directory, origin)

    def _is_strange(self, name: str, path: str) -> bool:
        """Whether the application asks for what neither Node nor an installed package is."""
        is_relative = name.startswith((".", "/")) or ":" in name
        if is_relative or self._packages.owner(ImagePath(path)) is not None:
            return False
        if name.partition("/")[0] in BUILT_IN:
            return False
        # Of what only says types, nothing is left to be loaded.
        package = split_name(name)[0].removeprefix("@").replace("/", "__")
        types = self.resolver.package_directories(f"@types/{package}", parent(ImagePath(path)))
        return not is_typed(path) or next(types, None) is None

    def _starting(self, prefix: str, directory: ImagePath, origin: Origin) -> None:
        """Packages of which only the beginning of the name is known."""
        for name in self.resolver.starting(prefix, directory):
            for place in self.resolver.package_directories(name, directory):
                manifest = self.resolver.manifest(place)
                if manifest is None or self._is_for_here(manifest, place):
                    self._package_at(place, Origin(origin.by, origin.detail, is_sure=False))
                    self.name(name, directory, Origin(origin.by, origin.detail, is_sure=False))
                break

    def _texts_of_application(self, path: ImagePath, requests: Requests, *, is_sure: bool) -> None:
        """Constants that name packages, files of packages and files of the application."""
        directory = parent(path)
        for text, line in requests.texts:
            origin = Origin(path, f"{path}:{line} has the text {text}", is_sure)
            _, marker, rest = text.rpartition(f"{NODE_MODULES}/")
            self.named(rest if marker else text, directory, origin)
            if marker:
                self._locate(rest, directory)

    def _locate(self, name: str, directory: ImagePath) -> None:
        """Notes that the application knows where a package is: it may read or serve any file."""
        package, _ = split_name(name)
        places = self.resolver.package_directories(package, directory) if package else iter(())
        entry = next(filter(None, map(self.tree.directory, places)), None)
        if entry is not None:
            self.located[entry.path] = None

    def _texts_of_package(self, path: ImagePath, owner: Package, requests: Requests) -> None:
        """Constants that name what the package says it uses, and its own files."""
        directory = parent(path)
        for text, line in requests.texts:
            origin = Origin(path, f"{path}:{line} has the text {text}", is_sure=False)
            self._texts_of_files(text, directory, origin)
            package, _ = split_name(text)
            if not package or package == owner.name or package in PACKAGE_MANAGERS:
                continue  # that a package starts others says nothing of what it is used for
            is_asked_for = package in owner.manifest.asked_for
            if is_asked_for or (owner.directory in self.expanded and self._is_name(package)):
                self.name(text, directory, origin)

    def _texts_of_files(self, text: str, directory: ImagePath, origin: Origin) -> None:
        """A text that is the path of a module: of a worker, of a process."""
        if not text.endswith(_CODE) or len(text) < 4:
            return
        places = [directory, *(a for a in self.applications if is_within(directory, a))]
        for place in dict.fromkeys(places):
            path = f"{place}/{text}" if text[:1] != "/" else text
            entry = self.tree.file(path)
            for source in sources(path) if entry is None and self.resolver.compiles else ():
                entry = entry or self.tree.file(source)
            if entry is not None and (text[:1] != "/" or self._is_ours(entry.path)):
                self.resolved(Resolved(entry.path, entry), origin)

    def _is_name(self, package: str) -> bool:
        return package not in WORDS

    def _is_ours(self, path: ImagePath) -> bool:
        return any(is_within(path, application) for application in self.applications)

    def _expand(self, owner: Package, origin: Origin) -> None:
        """Any module of the package may be loaded, and what the application names to it."""
        if owner.directory in self.expanded:
            return
        self.expanded[owner.directory] = None
        for entry in self.resolver.modules(owner.directory):
            if not is_aside(entry.path, owner.directory):
                self._reach(entry, origin)
        for path, requests in self.read:
            if self._packages.owner(path) == owner:
                self._texts_of_package(path, owner, requests)
        self._all_of_application(origin)

    def _all_of_application(self, origin: Origin) -> None:
        """Any module of the application may be loaded, but tests and what builds it."""
        if self._everything:
            return
        self._everything = True
        for application in self.applications:
            for entry in self.resolver.modules(application):
                if not is_aside(entry.path, application):
                    self._reach(entry, origin)

    def texts_of_applications(self) -> Iterator[str]:
        """What the reached modules of applications ask for, and their other constants."""
        for path, requests in self.read:
            if self._packages.owner(path) is None:
                yield from (request.name for request in requests.names)
                yield from (text for text, _ in requests.texts)

    def _is_for_production(self, package: Package) -> bool:
        is_generated = package.name.startswith(".")
        is_ours = self._is_ours(package.directory)
        return is_generated or not is_ours or self._production.has(package.directory)

    def installed(self) -> Iterator[ImagePath]:
        """Every `node_modules` below the applications' directories, real paths."""
        for application in self.applications:
            stack = [application]
            while stack:
                here = stack.pop()
                for name in self.tree.children(here):
                    entry = self.tree[ImagePath(f"{here.rstrip('/')}/{name}")]
                    if entry.kind is Kind.DIRECTORY:
                        stack.append(entry.path)
                        if name == NODE_MODULES:
                            yield entry.path


def _loads(path: ImagePath, lines: tuple[int, ...]) -> str:
    return f"{path} loads a module that only a run knows (line {lines[0]})"
