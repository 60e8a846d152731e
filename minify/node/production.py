"""What an installation without `devDependencies` has: what a program is meant to run with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from minify.filetree import FileTree, ImagePath
from minify.filetree.path import ancestors
from minify.node.resolution import Resolver


@dataclass(slots=True)
class Production:
    """What of the packages of `applications` may be used without being surely asked for."""

    tree: FileTree
    resolver: Resolver
    applications: tuple[ImagePath, ...]
    directories: frozenset[ImagePath] = field(init=False)
    """Those that an installation without `devDependencies` has."""
    _brought: set[ImagePath] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.directories = _production(self.tree, self.resolver, self.applications)

    def has(self, directory: ImagePath) -> bool:
        """Whether a package is one of them, or came with one; any, if no manifest says so."""
        here: str = directory
        while here and here not in self.directories and here not in self._brought:
            here = here.rpartition("/node_modules/")[0]
        return bool(here) or not self.directories

    def bring(self, directory: ImagePath) -> None:
        """Adds a package that is surely used, whatever it is meant for, and its dependencies."""
        stack = [directory] if self.directories else []
        while stack:
            here = stack.pop()
            if here in self.directories or here in self._brought:
                continue
            self._brought.add(here)
            manifest = self.resolver.manifest(here)
            for name in sorted(manifest.dependencies if manifest else ()):
                place = next(self.resolver.package_directories(name, here), None)
                entry = self.tree.directory(place) if place is not None else None
                stack += (entry.path,) if entry is not None else ()


def _production(
    tree: FileTree, resolver: Resolver, applications: Iterable[ImagePath]
) -> frozenset[ImagePath]:
    """The directories of the packages that `dependencies` reach, from manifest to manifest.

    Empty where no manifest says so; then all that is installed may be meant.
    """
    found: set[ImagePath] = set()
    stack = [root for one in applications for root in _roots(one, tree, resolver)]
    seen = set(stack)
    while stack:
        directory = stack.pop()
        manifest = resolver.manifest(directory)
        for name in sorted(manifest.asked_for if manifest else ()):
            for place in resolver.package_directories(name, directory):
                entry = tree.directory(place)
                if entry is not None and entry.path not in seen:
                    seen.add(entry.path)
                    found.add(entry.path)
                    stack.append(entry.path)
                break
    return frozenset(found)


def _roots(application: ImagePath, tree: FileTree, resolver: Resolver) -> Iterator[ImagePath]:
    """Manifests of an application: above it, its own, those of its workspaces."""
    for here in (application, *ancestors(application)):
        if resolver.manifest(here) is not None:
            yield here
    stack = [application]
    while stack:
        here = stack.pop()
        for name in tree.children(here):
            path = ImagePath(f"{here.rstrip('/')}/{name}")
            if name == "package.json" and here != application:
                yield here
            elif name != "node_modules" and not name.startswith(".") and tree.children(path):
                stack.append(path)
