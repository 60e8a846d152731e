"""The packages of an image and the paths they own, whatever manager installed them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from minify.filetree import FileTree, ImagePath
from minify.filetree.path import basename, child, parent
from minify.packages import apk, dpkg
from minify.packages.package import Package

__all__ = ["Package", "Packages", "read_packages"]


class Packages:
    """All packages of an image. False if there is no database; then nobody owns anything."""

    def __init__(self, packages: Iterable[Package], tree: FileTree) -> None:
        self._packages: dict[str, Package] = {}
        for package in packages:
            # Two architectures of one package share its name.
            other = self._packages.get(package.name)
            paths = (*other.paths, *package.paths) if other else package.paths
            self._packages[package.name] = replace(package, paths=paths)
        self._tree = tree

    def __bool__(self) -> bool:
        return bool(self._packages)

    def __getitem__(self, name: str) -> Package:
        return self._packages[name]

    @cached_property
    def _owners(self) -> Mapping[ImagePath, frozenset[str]]:
        owners: dict[ImagePath, frozenset[str]] = {}
        real: dict[str, ImagePath] = {}
        for package in self._packages.values():
            mine = frozenset((package.name,))
            for written in package.paths:
                path = self._real(written, real)
                owners[path] = owners[path] | mine if path in owners else mine
        return owners

    def _real(self, written: ImagePath, known: dict[str, ImagePath]) -> ImagePath:
        """Where a packaged name is: `/bin/sh` of a package is `/usr/bin/sh` in a merged tree."""
        directory = parent(written)
        if directory not in known:
            entry = self._tree.resolve(directory).entry
            known[directory] = entry.path if entry else directory
        return child(known[directory], basename(written)) if written != "/" else written

    def owners(self, path: ImagePath) -> frozenset[str]:
        """The names of the packages that have `path`; directories have many owners."""
        return self._owners.get(path, frozenset())

    def siblings(self, names: Iterable[str]) -> frozenset[str]:
        """`names` and every package built from the same sources."""
        sources = {self._packages[name].source for name in names}
        return frozenset(p.name for p in self._packages.values() if p.source in sources)

    def upstream(self, names: Iterable[str]) -> frozenset[str]:
        """`names`, what is built from the same sources, and what metapackages among them stand for.

        `php-cli` of php-defaults depends on `php8.2-cli` of php8.2: the same upstream, for the
        letters at the beginning are the same.
        """
        found = self.siblings(names)
        meant = {
            other
            for name in found
            if (stem := _stem_of_metapackage(self._packages[name].source))
            for other in self._packages[name].depends
            if other in self._packages and self._packages[other].source.startswith(stem)
        }
        return found | self.siblings(meant)

    def dependants(self, name: str) -> Sequence[str]:
        """The packages that say that they depend on `name`, sorted."""
        return self._dependants.get(name, ())

    @cached_property
    def _dependants(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for package in sorted(self._packages):
            for other in self._packages[package].depends:
                found.setdefault(other, []).append(package)
        return found

    def __contains__(self, name: str) -> bool:
        return name in self._packages

    def paths(self, name: str) -> Sequence[ImagePath]:
        """The real paths of one package, files and directories, sorted."""
        return self._paths.get(name, ())

    @cached_property
    def _paths(self) -> Mapping[str, Sequence[ImagePath]]:
        paths: dict[str, list[ImagePath]] = {}
        for path in sorted(self._owners):
            for name in self._owners[path]:
                paths.setdefault(name, []).append(path)
        return paths


_METAPACKAGE = re.compile(r"([a-z]{3,40})[\d.]*-(?:defaults|common|meta)")


def _stem_of_metapackage(source: str) -> str:
    """What the source of the code itself begins with; empty if `source` has the code."""
    found = _METAPACKAGE.fullmatch(source)
    return found[1] if found else ""


def read_packages(tree: FileTree) -> Packages:
    """The packages of all databases in `tree`. What cannot be parsed in one is left out of it."""
    return Packages((*dpkg.read(tree), *apk.read(tree)), tree)
