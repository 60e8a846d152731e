"""Which files belong together: what pip, or the system's package manager, installed as one.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

from __future__ import annotations

import configparser
import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import basename, decoded, is_within, joined, parent
from minify.packages import Packages
from minify.python.layout import Installation

_LARGEST_TEXT = 16 << 20
_MOST_FILES = 200_000
_SUFFIXES = (".dist-info", ".egg-info", ".egg")
_VERSION = re.compile(r"-\d")
_SEPARATORS = re.compile(r"[-_.]+")


def normalized(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return _SEPARATORS.sub("-", name).lower()


@dataclass(frozen=True, slots=True)
class Distribution:
    """What was installed as one, by name; or what stands in a site directory by itself."""

    name: str
    """Normalised."""
    metadata: ImagePath | None
    """Its `.dist-info`, `.egg-info` or egg; None if it has none."""
    files: tuple[str, ...]
    """Its files and links, by real paths, where they exist; a directory stands for its tree."""
    entry_points: tuple[tuple[str, str], ...] = ()
    """Group and object reference: `("console_scripts", "pip._internal.cli.main:main")`."""
    source: str = ""
    """The directory that an editable installation is of; empty if it is none."""
    is_local: bool = False
    """Whether it was installed from a directory, as `pip install .` does."""


class Distributions:
    """Everything in the site directories of an installation."""

    def __init__(self, tree: FileTree, installed: Installation, packages: Packages) -> None:
        self._tree = tree
        self._sites = installed.sites
        # The metadata of what setup.py develops is beside its sources.
        added = (d for file in installed.path_files for d in file.directories)
        self._developed = tuple(ImagePath(d) for d in dict.fromkeys(added))
        self._packages = packages
        self._by_package: dict[str, Distribution] = {}
        self._lone: dict[str, Distribution] = {}

    @cached_property
    def all(self) -> tuple[Distribution, ...]:
        """Those with metadata, in the order of the search path; of one name the first counts."""
        found: dict[str, Distribution] = {}
        for site in (*self._sites, *self._developed):
            for name in self._tree.children(site):
                if name.endswith(_SUFFIXES):
                    stem = _VERSION.split(name.rpartition(".")[0], maxsplit=1)[0]
                    own = self._read(ImagePath(f"{site}/{name}"), normalized(stem))
                    found.setdefault(own.name, own)
        return tuple(found.values())

    @cached_property
    def by_name(self) -> Mapping[str, Distribution]:
        return {distribution.name: distribution for distribution in self.all}

    @cached_property
    def groups(self) -> Mapping[str, tuple[tuple[Distribution, str], ...]]:
        """Who offers something in a group of entry points, and its object reference."""
        found: dict[str, list[tuple[Distribution, str]]] = {}
        for distribution in self.all:
            for group, reference in distribution.entry_points:
                found.setdefault(group, []).append((distribution, reference))
        return {group: tuple(offers) for group, offers in found.items()}

    def owner(self, path: ImagePath) -> Distribution | None:
        """What the file at `path` is part of; None if it is below no site directory."""
        known = self._owners.get(path)
        if known is not None:
            return known
        for egg in self._eggs:
            if egg.metadata is not None and is_within(path, egg.metadata):
                return egg
        site = next((site for site in self._sites if is_within(path, site)), None)
        if site is None:
            return None
        names = sorted(self._packages.owners(path))
        return self._packaged(names[0]) if names else self._alone(path, site)

    @cached_property
    def _owners(self) -> Mapping[ImagePath, Distribution]:
        return {ImagePath(f): one for one in reversed(self.all) for f in one.files}

    @cached_property
    def _eggs(self) -> tuple[Distribution, ...]:
        return tuple(one for one in self.all if one.metadata and one.metadata.endswith(".egg"))

    def _packaged(self, name: str) -> Distribution:
        """What a package of the system has in the site directories."""
        if name not in self._by_package:
            paths = (
                path
                for path in self._packages.paths(name)
                if any(is_within(path, site) for site in self._sites) and self._is_file(path)
            )
            files = tuple(paths)
            inside = {basename(parent(ImagePath(f))) for f in files} | {
                basename(ImagePath(f)) for f in files
            }
            own = [one for one in self.all if one.metadata and basename(one.metadata) in inside]
            points = tuple(point for one in own for point in one.entry_points)
            self._by_package[name] = Distribution(name, None, files, points)
        return self._by_package[name]

    def _alone(self, path: ImagePath, site: ImagePath) -> Distribution:
        """A module or a package that nobody has a list of."""
        top = path[len(site) + 1 :].partition("/")[0]
        key = f"{site}/{top}"
        if key not in self._lone:
            stem = top.partition(".")[0]
            beside = (f"{site}/{stem}.libs", f"{site}/{stem}_libs")
            files = (key, *(other for other in beside if self._tree.directory(other)))
            own = next((one for one in self.all if stem in _top_level(one, self._tree)), None)
            if own is not None and own.metadata is not None:
                files = (*files, str(own.metadata))
            points = own.entry_points if own is not None else ()
            name = own.name if own is not None else normalized(stem)
            metadata = own.metadata if own is not None else None
            self._lone[key] = Distribution(name, metadata, files, points)
        return self._lone[key]

    def _is_file(self, path: str) -> bool:
        entry = self._tree.get(path)
        return entry is not None and entry.kind is not Kind.DIRECTORY

    def _read(self, metadata: ImagePath, name: str) -> Distribution:
        site = parent(metadata)
        files = tuple(self._recorded(metadata, site))
        inside = f"{metadata}/EGG-INFO" if metadata.endswith(".egg") else metadata
        points = tuple(_entry_points(self._text(f"{inside}/entry_points.txt")))
        url = self._text(f"{metadata}/direct_url.json")
        return Distribution(name, metadata, files, points, _editable(url), is_local(url))

    def _recorded(self, metadata: ImagePath, site: ImagePath) -> Iterator[str]:
        """The files of the lists that installers write; an egg is its own."""
        if metadata.endswith(".egg"):
            yield metadata
            return
        rows = rows_of(self._text(f"{metadata}/RECORD"))
        listed = self._text(f"{metadata}/installed-files.txt").splitlines()[:_MOST_FILES]
        written = [joined(site, row) for row in rows]
        written += [joined(metadata, line) for line in listed if line]
        if not written:
            return
        yield metadata
        seen: set[str] = set()
        for path in written:
            entry = self._entry(path)
            if entry is None and path.endswith(".py"):
                entry = self._entry(f"{path}c")  # only the bytecode was left, in its place
            if entry is not None and entry.kind is not Kind.DIRECTORY and entry.path not in seen:
                seen.add(entry.path)
                yield entry.path

    def _entry(self, written: str) -> Entry | None:
        if "\0" in written:
            return None
        found = self._tree.get(written)
        return found or self._tree.resolve(written, follow_last=False).entry

    def _text(self, path: str) -> str:
        entry = self._tree.file(path)
        if entry is None or entry.size > _LARGEST_TEXT:
            return ""
        return decoded(self._tree.read(entry))


def rows_of(text: str) -> Iterator[str]:
    """The paths of a RECORD."""
    try:
        for number, row in enumerate(csv.reader(text.splitlines())):
            if number >= _MOST_FILES:
                return
            if row and row[0]:
                yield row[0]
    except csv.Error:
        return


def _entry_points(text: str) -> Iterator[tuple[str, str]]:
    """https://packaging.python.org/en/latest/specifications/entry-points/"""
    parser = configparser.ConfigParser(
        delimiters=("=",), interpolation=None, strict=False, allow_no_value=True
    )
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for group in parser.sections():
        for _, reference in parser.items(group):
            if reference:
                yield group, reference.partition("[")[0].strip()


def _editable(text: str) -> str:
    """The directory of an editable installation."""
    found = _directory(text)
    if found is None or found[1].get("editable") is not True:
        return ""
    return found[0].removeprefix("file://")


def is_local(text: str) -> bool:
    """Whether a `direct_url.json` is that of a directory. https://peps.python.org/pep-0610/"""
    return _directory(text) is not None


def _directory(text: str) -> tuple[str, Mapping[str, object]] | None:
    """The URL of a directory and what is said of it; None for another's, or for none."""
    try:
        found = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    url, info = found.get("url"), found.get("dir_info")
    return (url, info) if isinstance(url, str) and isinstance(info, dict) else None


def _top_level(distribution: Distribution, tree: FileTree) -> tuple[str, ...]:
    if distribution.metadata is None or distribution.files:
        return ()
    entry = tree.file(f"{distribution.metadata}/top_level.txt")
    if entry is None or entry.size > _LARGEST_TEXT:
        return (distribution.name.replace("-", "_"),)
    return tuple(decoded(tree.read(entry)).split())
