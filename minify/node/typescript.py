"""Modules in TypeScript, which a program that is started with Node compiles as they are loaded.

Such programs (tsx, ts-node, swc-node, esbuild-register, Node since 22.18) look for modules as Node
does, and for a source where the module that would be made of it is asked for.
https://www.typescriptlang.org/docs/handbook/modules/reference.html,
https://www.typescriptlang.org/tsconfig/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from minify.filetree import FileTree, ImagePath
from minify.filetree.path import ancestors, decoded, joined, parent
from minify.node.manifest import Json

SUFFIXES = (".ts", ".tsx", ".mts", ".cts", ".jsx")
_SOURCES: Mapping[str, tuple[str, ...]] = {
    ".js": (".ts", ".tsx", ".jsx"),
    ".jsx": (".tsx",),
    ".mjs": (".mts",),
    ".cjs": (".cts",),
}
_DECLARATION = re.compile(r".*\.d\.(?:[\w-]+\.)?[cm]?ts")
_SETTINGS = re.compile(r"tsconfig(?:\.[\w.-]+)?\.json")
_COMMENT = re.compile(r'("(?:[^"\\\n]++|\\.)*+")|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/')
_LAST_COMMA = re.compile(r'("(?:[^"\\\n]++|\\.)*+")|,(?=\s*+[}\]])')
_LARGEST = 1 << 18
_MOST_FILES = 20
_DEEPEST = 8
_MOST_ALIASES = 500


def is_typed(path: str) -> bool:
    """Whether a file is a module in TypeScript (or JSX), not only declarations."""
    return path.endswith(SUFFIXES) and not _DECLARATION.fullmatch(path)


def sources(path: str) -> Iterator[str]:
    """The files that may be compiled to what is asked for as `path`, likely ones first."""
    dot = path.rfind(".")
    for suffix in _SOURCES.get(path[dot:], ()) if dot > 0 else ():
        yield path[:dot] + suffix
    for suffix in SUFFIXES:
        yield path + suffix


@dataclass(frozen=True, slots=True)
class Alias:
    """Names that stand for paths: one of `paths`, or `baseUrl` for all."""

    before: str
    after: str
    """What follows the `*`."""
    has_star: bool
    targets: tuple[str, ...]
    """Absolute paths, each with a `*` for what the name has in its place."""

    def paths(self, name: str) -> Iterator[str]:
        """Where the module of that name may be."""
        if not self.has_star:
            yield from self.targets if name == self.before else ()
            return
        is_long_enough = len(name) >= len(self.before) + len(self.after)
        if is_long_enough and name.startswith(self.before) and name.endswith(self.after):
            star = name[len(self.before) : len(name) - len(self.after)]
            for target in self.targets:
                yield target.replace("*", star, 1)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the tsconfig files say that hold for a directory."""

    aliases: tuple[Alias, ...] = ()
    files: tuple[str, ...] = ()
    """Those of packages, which others extend."""
    modules: tuple[str, ...] = ()
    """Modules that are loaded before, or that what is compiled asks for."""
    jsx: tuple[str, ...] = ("react",)
    """The packages whose functions stand for JSX."""
    transpiles: bool = False
    """Whether ts-node shall not check types."""


@dataclass(slots=True)
class TypeScript:
    """The settings of one image, read when they are asked for."""

    tree: FileTree
    _known: dict[str, Settings] = field(default_factory=dict)

    def settings(self, directory: ImagePath) -> Settings:
        """Those of every tsconfig*.json in `directory` and above: which one is meant is unknown."""
        if directory not in self._known:
            own = _Read(self.tree)
            own.all_of(directory)
            above = self.settings(parent(directory)) if directory != "/" else Settings()
            self._known[directory] = own.settings(above)
        return self._known[directory]


@dataclass(slots=True)
class _Read:
    """What the files of one directory and those that they extend say."""

    tree: FileTree
    aliases: list[Alias] = field(default_factory=list)
    files: dict[str, None] = field(default_factory=dict)
    modules: dict[str, None] = field(default_factory=dict)
    jsx: dict[str, None] = field(default_factory=dict)
    transpiles: bool = False
    _seen: set[ImagePath] = field(default_factory=set)

    def settings(self, above: Settings) -> Settings:
        return Settings(
            (*self.aliases[:_MOST_ALIASES], *above.aliases)[:_MOST_ALIASES],
            tuple(dict.fromkeys((*self.files, *above.files))),
            tuple(dict.fromkeys((*self.modules, *above.modules))),
            tuple(dict.fromkeys((*self.jsx, *above.jsx))),
            self.transpiles or above.transpiles,
        )

    def all_of(self, directory: ImagePath) -> None:
        names = (name for name in self.tree.children(directory) if _SETTINGS.fullmatch(name))
        for _, name in zip(range(_MOST_FILES), names, strict=False):
            self._file(f"{directory.rstrip('/')}/{name}", 0)

    def _file(self, path: str, depth: int) -> None:
        entry = self.tree.file(path)
        if entry is None or entry.path in self._seen or entry.size > _LARGEST or depth > _DEEPEST:
            return
        self._seen.add(entry.path)
        if "/node_modules/" in path:
            self.files[path] = None
        said = _object(parsed(decoded(self.tree.read(entry))))
        directory = parent(entry.path)
        options = _object(said.get("compilerOptions"))
        self.aliases += _aliases(options, directory)
        self.jsx.update(dict.fromkeys(_texts(options.get("jsxImportSource"))))
        if options.get("importHelpers") is True:
            self.modules.update(dict.fromkeys(("tslib", "@swc/helpers")))
        of_node = _object(said.get("ts-node"))
        self.modules.update(dict.fromkeys(_texts(of_node.get("require"))))
        self.transpiles |= of_node.get("transpileOnly") is True or bool(of_node.get("swc"))
        for name in _texts(said.get("extends")):
            for place in _extended(name, directory):
                self._file(place, depth + 1)


def _extended(name: str, directory: ImagePath) -> Iterator[str]:
    """Where the settings may be that others extend."""
    if name.startswith((".", "/")):
        path = joined(directory, name)
        yield from (path, f"{path}.json", f"{path}/tsconfig.json")
        return
    for above in (directory, *ancestors(directory)):
        path = f"{above.rstrip('/')}/node_modules/{name}"
        yield from (path, f"{path}.json", f"{path}/tsconfig.json")


def _aliases(options: Mapping[str, Json], directory: ImagePath) -> Iterator[Alias]:
    base = next(_texts(options.get("baseUrl")), None)
    root = joined(directory, base) if base is not None else directory
    for name, value in _object(options.get("paths")).items():
        before, star, after = name.partition("*")
        targets = tuple(joined(root, target) for target in _texts(value))
        if before + star and targets:
            yield Alias(before, after, bool(star), targets)
    if base is not None:
        yield Alias("", "", True, (f"{root.rstrip('/')}/*",))


def parsed(text: str) -> Json:
    """JSON with comments and last commas; None if it is none."""
    plain = _LAST_COMMA.sub(r"\1", _COMMENT.sub(r"\1", text.removeprefix("\ufeff")))
    try:
        found: Json = json.loads(plain)
    except (ValueError, RecursionError):
        return None
    return found


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _texts(value: Json) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str) and item and "\0" not in item and len(item) <= 1024:
            yield item
