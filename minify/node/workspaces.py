"""The workspaces of an application: packages of its own, each with a package.json.

https://docs.npmjs.com/cli/using-npm/workspaces, https://pnpm.io/pnpm-workspace_yaml
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from minify.filetree import FileTree, ImagePath
from minify.filetree.path import decoded
from minify.node.manifest import Manifest
from minify.node.resolution import Resolver

_PNPM = "pnpm-workspace.yaml"
_LARGEST = 1 << 18
_MOST = 2_000
_MOST_DIRECTORIES = 20_000
_LONGEST_PATTERN = 256
_MOST_STARS = 4
_ITEM = re.compile(r"\s*+-\s*+[\"']?([^\"'#\s]++)")


@dataclass(frozen=True, slots=True)
class Workspace:
    """One package of an application."""

    directory: ImagePath
    path: str
    """From the application's root, without a slash at its beginning."""
    manifest: Manifest


def workspaces(root: ImagePath, tree: FileTree, resolver: Resolver) -> tuple[Workspace, ...]:
    """Those that the manifest in `root` declares, by their paths; empty if it has none."""
    patterns = tuple(_declared(root, tree, resolver))
    if not patterns:
        return ()
    found = []
    for directory in _packages(root, tree):
        path = directory[len(root) :].strip("/")
        manifest = resolver.manifest(directory)
        if manifest is not None and any(pattern.fullmatch(path) for pattern in patterns):
            found.append(Workspace(directory, path, manifest))
    return tuple(sorted(found[:_MOST], key=lambda one: one.path))


def selected(name: str, among: Sequence[Workspace]) -> Workspace | None:
    """The one of that name or path."""
    path = name.removeprefix("./").rstrip("/")
    return next((one for one in among if name == one.manifest.name or path == one.path), None)


def _declared(root: ImagePath, tree: FileTree, resolver: Resolver) -> Iterator[re.Pattern[str]]:
    manifest = resolver.manifest(root)
    texts = list(manifest.workspaces if manifest is not None else ())
    entry = tree.file(f"{root.rstrip('/')}/{_PNPM}")
    if entry is not None and entry.size <= _LARGEST:
        texts += _of_pnpm(decoded(tree.read(entry)))
    for text in texts:
        is_bounded = len(text) <= _LONGEST_PATTERN and text.count("*") <= _MOST_STARS
        if is_bounded and not text.startswith("!"):
            yield _pattern(text.removeprefix("./").rstrip("/"))


def _of_pnpm(text: str) -> Iterator[str]:
    """What is below `packages:`; YAML that says it otherwise says nothing here."""
    is_inside = False
    for line in text.splitlines():
        if line[:1] not in (" ", "-", "#", ""):
            is_inside = line.startswith("packages:")
        elif is_inside and (item := _ITEM.match(line)):
            yield item[1]


def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/?|\*)", text)
    signs = {"*": "[^/]*", "**": ".*", "**/": "(?:.*/)?"}
    return re.compile("".join(signs.get(part, re.escape(part)) for part in parts))


def _packages(root: ImagePath, tree: FileTree) -> Iterator[ImagePath]:
    """The directories below `root` with a package.json, installed packages not among them."""
    stack, number = [root], 0
    while stack and number < _MOST_DIRECTORIES:
        here = stack.pop()
        for name in tree.children(here):
            path = ImagePath(f"{here.rstrip('/')}/{name}")
            if name == "package.json" and here != root:
                yield here
            elif name != "node_modules" and not name.startswith(".") and tree.children(path):
                number += 1
                stack.append(path)
