"""The packages of `node_modules` and of the system: which one a file belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import child
from minify.node.manifest import Manifest
from minify.node.resolution import GLOBAL, Resolver

NODE_MODULES = "node_modules"
_SYSTEM = frozenset(GLOBAL)
# Hidden directories that are no package; `.prisma` is one, which a generator has made.
_OF_MANAGERS = frozenset(".bin .bun .cache .deno .pnpm .store .vite .yarn".split())


@dataclass(frozen=True, slots=True)
class Package:
    """A directory that is kept or left whole, but for the packages in it."""

    directory: ImagePath
    """Its real path."""
    name: str
    """By which it is asked for: of its directory, whatever its manifest says."""
    manifest: Manifest

    @property
    def shown(self) -> str:
        version = self.manifest.version
        return f"{self.name} {version}" if version else self.name


@dataclass(slots=True)
class Packages:
    """The packages of one image, found when they are asked for."""

    tree: FileTree
    resolver: Resolver
    _known: dict[ImagePath, Package] = field(default_factory=dict)

    def owner(self, path: ImagePath) -> Package | None:
        """The package that a real path is in; None for the application's own files."""
        found = _directory(path)
        if found is None:
            return None
        directory, name = found
        if directory not in self._known:
            manifest = self.resolver.manifest(directory) or Manifest()
            self._known[directory] = Package(directory, name, manifest)
        return self._known[directory]

    def installed(self, directory: ImagePath) -> Iterator[tuple[str, Entry]]:
        """What is in a `node_modules`: names of packages, and their entries, links not followed."""
        for name in self.tree.children(directory):
            if name.startswith("."):
                continue
            entry = self.tree[child(directory, name)]
            if name.startswith("@") and entry.kind is Kind.DIRECTORY:
                for inner in self.tree.children(entry.path):
                    yield f"{name}/{inner}", self.tree[child(entry.path, inner)]
            else:
                yield name, entry


def _directory(path: ImagePath) -> tuple[ImagePath, str] | None:
    """The directory of the innermost package that a path is in, and its name."""
    parts = path.split("/")
    for at in range(len(parts) - 2, 0, -1):
        here = "/".join(parts[: at + 1])
        if parts[at] != NODE_MODULES and here not in _SYSTEM:
            continue
        is_file = parts[at + 1].startswith(".") and at + 2 == len(parts)
        if parts[at + 1] in _OF_MANAGERS or is_file:
            return None  # what is in .pnpm has a node_modules of its own
        number = 2 if parts[at + 1].startswith("@") and at + 2 < len(parts) else 1
        name = "/".join(parts[at + 1 : at + 1 + number])
        return ImagePath(f"{here}/{name}"), name
    return None
