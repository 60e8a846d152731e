"""What an installation without `devDependencies` has: what a program is meant to run with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from minify.filetree import FileTree, ImagePath
from minify.filetree.path import ancestors
from minify.node.resolution import Resolver


def production(
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


def installed_with(
    directory: ImagePath, tree: FileTree, resolver: Resolver, known: set[ImagePath]
) -> None:
    """Puts a package and those that its `dependencies` reach into `known`."""
    stack = [directory]
    while stack:
        here = stack.pop()
        if here in known:
            continue
        known.add(here)
        manifest = resolver.manifest(here)
        for name in sorted(manifest.dependencies if manifest else ()):
            place = next(resolver.package_directories(name, here), None)
            entry = tree.directory(place) if place is not None else None
            stack += (entry.path,) if entry is not None else ()


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
