"""Names of packages that configuration has: variables, and files of an application."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from minify.filetree import FileTree, ImagePath, Kind
from minify.filetree.path import decoded

_SUFFIXES = tuple(".json .json5 .yaml .yml .toml .html .ejs .pug .hbs .njk .css .conf".split())
_OF_TOOLS = re.compile(
    r"package(?:-lock)?\.json|npm-shrinkwrap\.json|pnpm-\S+\.yaml|composer\.json|lerna\.json"
    r"|(?:ts|js)config\S*\.json|nest-cli\.json|turbo\.json|nx\.json|angular\.json|docker-compose\S*"
    r"|\..*"
)
_NAME = re.compile(r"(?<![\w@./-])(?:[\w./-]{0,300}node_modules/)?(@?[\w][\w./-]{0,199})")
_LARGEST = 1 << 18
_MOST_FILES = 400


def named_in_variables(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What may be a name in the value of a variable, with the variable's name."""
    for variable, value in env.items():
        if variable != "PATH" and len(value) <= _LARGEST:
            for name in dict.fromkeys(_NAME.findall(value)):
                yield name, variable


def named_in_files(tree: FileTree, directory: ImagePath) -> Iterator[tuple[str, ImagePath]]:
    """What may be a name in the data of an application, once each, with the first file."""
    seen: set[str] = set()
    number, stack = 0, [directory]
    while stack and number < _MOST_FILES:
        here = stack.pop()
        for child in tree.children(here):
            entry = tree[ImagePath(f"{here.rstrip('/')}/{child}")]
            if entry.kind is Kind.DIRECTORY and child != "node_modules":
                stack.append(entry.path)
            elif entry.kind is Kind.FILE and child.endswith(_SUFFIXES):
                if entry.size > _LARGEST or _OF_TOOLS.fullmatch(child):
                    continue
                number += 1
                for name in dict.fromkeys(_NAME.findall(decoded(tree.read(entry)))):
                    if name not in seen:
                        seen.add(name)
                        yield name, entry.path
