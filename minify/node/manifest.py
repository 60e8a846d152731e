"""package.json, as far as it says what a package is made of and what it asks for.

https://nodejs.org/api/packages.html, https://docs.npmjs.com/cli/configuring-npm/package-json
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from minify.filetree import FileTree

Json: TypeAlias = bool | float | str | list["Json"] | dict[str, "Json"] | None

_LARGEST = 1 << 22


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one package.json says; of what is of no use or of a wrong type, nothing."""

    name: str = ""
    version: str = ""
    main: str = ""
    exports: Json = None
    """None where there are none: then every file of the package may be asked for."""
    imports: Mapping[str, Json] = field(default_factory=dict)
    dependencies: frozenset[str] = frozenset()
    peers: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    development: frozenset[str] = frozenset()
    """What only those who work on the package need; no name of another set is in it."""
    scripts: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    """The files of `bin` by the names of the commands."""
    workspaces: tuple[str, ...] = ()
    """Patterns of the directories of its own packages."""
    os: frozenset[str] = frozenset()
    cpu: frozenset[str] = frozenset()
    libc: frozenset[str] = frozenset()

    @property
    def asked_for(self) -> frozenset[str]:
        """The packages that it may use when it runs."""
        return self.dependencies | self.peers | self.optional


def read_manifest(tree: FileTree, path: str) -> Manifest | None:
    """The package.json at `path`; None if there is none or it is no object of JSON."""
    entry = tree.file(path)
    if entry is None or entry.size > _LARGEST:
        return None
    try:
        found = json.loads(tree.read(entry))
    except (ValueError, RecursionError):
        return None
    return manifest_of(found) if isinstance(found, dict) else None


def manifest_of(found: Mapping[str, Json]) -> Manifest:
    """What a parsed package.json says."""
    name = _text(found, "name")
    command = found.get("bin")
    running = _names(found, "dependencies")
    peers, optional = _names(found, "peerDependencies"), _names(found, "optionalDependencies")
    single = {name.rpartition("/")[2]: command} if isinstance(command, str) else {}
    return Manifest(
        name=name,
        version=_text(found, "version"),
        main=_text(found, "main"),
        exports=found.get("exports"),
        imports=_object(found, "imports"),
        dependencies=running,
        peers=peers,
        optional=optional,
        development=_names(found, "devDependencies") - running - peers - optional,
        scripts=_texts(found, "scripts"),
        commands=single or _texts(found, "bin"),
        workspaces=tuple(_patterns(found)),
        os=_words(found, "os"),
        cpu=_words(found, "cpu"),
        libc=_words(found, "libc"),
    )


def _text(found: Mapping[str, Json], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) and "\0" not in value else ""


def _object(found: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _texts(found: Mapping[str, Json], key: str) -> Mapping[str, str]:
    items = _object(found, key).items()
    return {name: value for name, value in items if isinstance(value, str) and "\0" not in value}


def _names(found: Mapping[str, Json], key: str) -> frozenset[str]:
    return frozenset(_object(found, key))


def _patterns(found: Mapping[str, Json]) -> Iterator[str]:
    value = found.get("workspaces")
    listed = value.get("packages") if isinstance(value, dict) else value
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, str) and "\0" not in item:
            yield item


def _words(found: Mapping[str, Json], key: str) -> frozenset[str]:
    value = found.get(key)
    words = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return frozenset(word for word in words if isinstance(word, str))
