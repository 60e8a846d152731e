"""From what a module asks for to files, as Node does it.

https://nodejs.org/api/modules.html#all-together,
https://nodejs.org/api/esm.html#resolution-algorithm-specification
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import ancestors, joined
from minify.node.conditions import exported, matched
from minify.node.manifest import Manifest, read_manifest
from minify.node.requires import Style
from minify.node.typescript import SUFFIXES, TypeScript, is_typed, sources

_SUFFIXES = (".js", ".json", ".node", ".mjs", ".cjs")
_MOST_BELOW = 20_000
_LONGEST_NAME = 1024

GLOBAL = tuple(
    """
    /usr/share/nodejs /usr/lib/nodejs /usr/local/lib/node_modules /usr/lib/node_modules
    """.split()
)
"""Where distributions put what every program may ask for by its name."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A file that a name leads to."""

    via: str
    """The path that Node tries, links and all."""
    entry: Entry


@dataclass(slots=True)
class Resolver:
    """Where names lead in one image. `search` has the directories of NODE_PATH."""

    tree: FileTree
    search: Sequence[str] = ()
    conditions: frozenset[str] = frozenset()
    """Those of `--conditions`."""
    compiles: bool = False
    """Whether modules in TypeScript are loaded, so that a source may be meant by its result."""
    typescript: TypeScript = field(init=False)
    _listings: dict[str, frozenset[str]] = field(default_factory=dict)
    _manifests: dict[str, Manifest | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.typescript = TypeScript(self.tree)

    def manifest(self, directory: str) -> Manifest | None:
        """The package.json in `directory`."""
        if directory not in self._manifests:
            path = f"{directory.rstrip('/')}/package.json"
            self._manifests[directory] = read_manifest(self.tree, path)
        return self._manifests[directory]

    def resolve(self, name: str, directory: ImagePath, style: Style) -> tuple[Resolved, ...]:
        """The files that `name` may lead to, asked for by a module in `directory` (a real path).

        More than one if that depends on conditions. Empty for what Node has built in, and for what
        is not there.
        """
        if not name or "\0" in name or len(name) > _LONGEST_NAME or name.startswith("node:"):
            return ()
        name = name.partition("?")[0].removeprefix("file://")
        if name.startswith(("/", "./", "../")) or name in (".", ".."):
            return tuple(self._path(joined(directory, name)))
        if name.startswith("#"):
            return tuple(dict.fromkeys(self._imported(name, directory, style)))
        found = tuple(dict.fromkeys(self._package(name, directory, style)))
        if "/node_modules/" not in directory and (self.compiles or not found):
            found += tuple(self._aliased(name, directory))
        return found

    def directories(self, name: str, directory: ImagePath) -> Iterator[str]:
        """Where Node looks for the package `name`, in order; those that are there."""
        for above in (directory, *ancestors(directory)):
            place = f"{above.rstrip('/')}/node_modules"
            if not above.endswith("/node_modules") and self._has(place, name):
                yield f"{place}/{name}"

    def _has(self, place: str, name: str) -> bool:
        """Whether there is a directory of that name; most that are asked for are not there."""
        is_listed = name.partition("/")[0] in self._listing(place)
        return is_listed and self.tree.directory(f"{place}/{name}") is not None

    def _listing(self, place: str) -> frozenset[str]:
        if place not in self._listings:
            entry = self.tree.directory(place)
            names = self.tree.children(entry.path) if entry is not None else ()
            self._listings[place] = frozenset(names)
        return self._listings[place]

    def scope(self, directory: ImagePath) -> ImagePath | None:
        """The directory of the package that a module in `directory` belongs to."""
        for here in (directory, *ancestors(directory)):
            if here.endswith("/node_modules"):
                return None
            if self.tree.get(f"{here.rstrip('/')}/package.json") is not None:
                return here
        return None

    def package_directories(self, name: str, directory: ImagePath) -> Iterator[str]:
        """The same with those of NODE_PATH and of the system."""
        yield from self.directories(name, directory)
        for place in (*self.search, *GLOBAL):
            if place and self._has(place, name):
                yield f"{place}/{name}"

    def starting(self, prefix: str, directory: ImagePath) -> Iterator[str]:
        """Names of packages that begin with `prefix`: what `require(prefix + x)` may be."""
        scope, slash, rest = prefix.rpartition("/")
        if not prefix or (slash and not scope.startswith("@")):
            return
        for above in (directory, *ancestors(directory)):
            here = self.tree.directory(f"{above.rstrip('/')}/node_modules/{scope}".rstrip("/"))
            for name in self.tree.children(here.path) if here else ():
                if name.startswith(rest) and not name.startswith("."):
                    yield f"{scope}{slash}{name}"

    def below(self, prefix: str, directory: ImagePath) -> Iterator[Resolved]:
        """The modules whose path begins with `prefix`, relative to `directory`."""
        base, _, rest = joined(directory, prefix).rpartition("/")
        start = self.tree.directory(base or "/")
        if start is None or start.path == "/":
            return
        number = 0
        for name in self.tree.children(start.path):
            if not name.startswith(rest) or name == "node_modules":
                continue
            entry = self.tree.resolve(f"{start.path}/{name}").entry
            if entry is None:
                continue
            found = (entry,) if entry.kind is Kind.FILE else self.modules(entry.path)
            for module in found:
                number += 1
                if number <= _MOST_BELOW and self.is_module(module.path):
                    yield Resolved(module.path, module)

    def modules(self, directory: ImagePath) -> Iterator[Entry]:
        """The files of modules below a directory, without other packages' and without links."""
        stack = [directory]
        while stack:
            here = stack.pop()
            for name in self.tree.children(here):
                entry = self.tree[ImagePath(f"{here.rstrip('/')}/{name}")]
                if entry.kind is Kind.DIRECTORY and name != "node_modules":
                    stack.append(entry.path)
                elif entry.kind is Kind.FILE and self.is_module(entry.path):
                    yield entry

    def is_module(self, path: str) -> bool:
        """Whether a file is one of those that are loaded, by its name."""
        return path.endswith(_SUFFIXES) or (
            self.compiles and "/node_modules/" not in path and is_typed(path)
        )

    def _path(self, path: str) -> Iterator[Resolved]:
        """LOAD_AS_FILE, then LOAD_AS_DIRECTORY."""
        if not path.endswith("/"):
            candidates = (path, *(path + suffix for suffix in _SUFFIXES))
            found = list(self._first(candidates))
            is_own = "/node_modules/" not in path
            if (self.compiles and is_own) or (not found and (self.compiles or is_own)):
                found += self._first(sources(path))
            yield from found
            if found:
                return
        yield from self._directory(path.rstrip("/"))

    def _first(self, paths: Iterable[str]) -> Iterator[Resolved]:
        """The first that is there."""
        for path in paths:
            if (entry := self.tree.file(path)) is not None:
                yield Resolved(path, entry)
                return

    def _directory(self, path: str) -> Iterator[Resolved]:
        if self.tree.directory(path or "/") is None:
            return
        manifest = self.manifest(path)
        if manifest is not None and manifest.main:
            main = f"{path}/{manifest.main.removeprefix('./').rstrip('/')}"
            suffixes = ("", *_SUFFIXES, *(f"/index{suffix}" for suffix in _SUFFIXES))
            for suffix in suffixes:
                if (entry := self.tree.file(main + suffix)) is not None:
                    yield Resolved(main + suffix, entry)
                    return
        yield from self._first(f"{path}/index{suffix}" for suffix in (*_SUFFIXES, *SUFFIXES))

    def _aliased(self, name: str, directory: ImagePath) -> Iterator[Resolved]:
        """What a name means by the settings of TypeScript."""
        for alias in self.typescript.settings(directory).aliases:
            for path in alias.paths(name):
                yield from self._path(path)

    def _package(self, name: str, directory: ImagePath, style: Style) -> Iterator[Resolved]:
        package, subpath = split_name(name)
        if not package:
            return
        own = self._own(package, directory)
        if own is not None:
            manifest = self.manifest(own)
            if manifest is not None and manifest.exports is not None:
                found = tuple(self._exported(own, manifest, subpath, style))
                if found:
                    yield from found
                    return
        for place in self.package_directories(package, directory):
            found = tuple(self._in_package(place, subpath, style))
            if found:
                yield from found
                return
        for place in (*self.search, *GLOBAL):  # a lone file: /usr/share/nodejs/once.js
            names = {f"{package}{suffix}" for suffix in ("", *_SUFFIXES)}
            is_listed = place and not names.isdisjoint(self._listing(place))
            found = tuple(self._path(f"{place}/{name}")) if is_listed else ()
            if found:
                yield from found
                return

    def _own(self, package: str, directory: ImagePath) -> str | None:
        """The package that the module belongs to, if it asks for it by its own name."""
        scope = self.scope(directory)
        manifest = self.manifest(scope) if scope is not None else None
        return scope if manifest is not None and manifest.name == package else None

    def _in_package(self, place: str, subpath: str, style: Style) -> Iterator[Resolved]:
        manifest = self.manifest(place)
        if manifest is not None and manifest.exports is not None:
            yield from self._exported(place, manifest, subpath, style)
        else:
            yield from self._path(joined(place, subpath) if subpath != "." else f"{place}/")

    def _exported(
        self, place: str, manifest: Manifest, subpath: str, style: Style
    ) -> Iterator[Resolved]:
        for target in exported(manifest.exports, subpath, style, self.conditions):
            yield from self._target(place, target)

    def _target(self, place: str, target: str) -> Iterator[Resolved]:
        if not target.startswith("./") or "\0" in target or len(target) > _LONGEST_NAME:
            return
        path = f"{place}/{target[2:]}"
        yield from self._first((path, *(sources(path) if self.compiles else ())))

    def _imported(self, name: str, directory: ImagePath, style: Style) -> Iterator[Resolved]:
        """`#name`, by `imports` of the module's own package."""
        scope = self.scope(directory)
        manifest = self.manifest(scope) if scope is not None else None
        if scope is None or manifest is None:
            return
        for target in matched(manifest.imports, name, style, self.conditions):
            if target.startswith("./"):
                yield from self._target(scope, target)
            elif target and not target.startswith(("#", "/", "../")):
                yield from self._package(target, scope, style)


def split_name(name: str) -> tuple[str, str]:
    """A bare name as its package and the path in it: `("@a/b", "./c")`; empty if it is none."""
    parts = name.split("/")
    number = 2 if name.startswith("@") else 1
    package = "/".join(parts[:number])
    is_path = package in (".", "..") or package.startswith("%")
    if len(parts) < number or not all(parts[:number]) or is_path:
        return "", ""
    rest = "/".join(parts[number:])
    return package, f"./{rest}" if rest else "."
