"""The application's data files that may name modules: JSON, YAML, TOML, INI and the like.

A logger's formatter, a pipeline's steps and a worker's tasks are named there, and imported by that.
"""

from __future__ import annotations

from collections.abc import Iterator

from minify.analyzers.configuration import LOCKS
from minify.closure import Context, KeepSet
from minify.filetree import ImagePath, Kind
from minify.filetree.path import basename, decoded, is_within
from minify.python import Graph, standard_library

_SUFFIXES = tuple(
    f".{suffix}"
    for suffix in """
    cfg cnf conf config env ini json json5 jsonc properties toml xml yaml yml
    """.split()
)
# They tell the tools of developers what to do, and name what is checked, built or tested by them.
_FOR_DEVELOPERS = frozenset(
    """
    pyproject.toml setup.cfg tox.ini pytest.ini mypy.ini .mypy.ini ruff.toml .ruff.toml .flake8
    package.json composer.json tsconfig.json mkdocs.yml mkdocs.yaml environment.yml
    docker-compose.yml docker-compose.yaml compose.yml compose.yaml
    """.split()
)
_ASIDE = standard_library.TESTING | frozenset(
    ".devcontainer .git .github .gitlab .idea .vscode node_modules".split()
)
_LARGEST_TEXT = 1 << 20
_MOST_FILES = 5_000
_MOST_BYTES = 64 << 20


def texts(keep: KeepSet, graph: Graph, context: Context) -> Iterator[tuple[ImagePath, str]]:
    """The data files of the application that stay when every library is whole, with their texts."""
    left_files, left_bytes = _MOST_FILES, _MOST_BYTES
    for path in sorted(keep.kept):
        if not path.endswith(_SUFFIXES) or not _is_applications(path, graph, context):
            continue
        entry = context.tree.get(path)
        if entry is None or entry.kind is not Kind.FILE or entry.size > _LARGEST_TEXT:
            continue
        left_files, left_bytes = left_files - 1, left_bytes - entry.size
        if min(left_files, left_bytes) < 0:
            return
        data = context.tree.read(entry)
        if b"\0" not in data:
            yield path, decoded(data)


def _is_applications(path: ImagePath, graph: Graph, context: Context) -> bool:
    """Whether a data file is the application's own, and for the program."""
    above = path.split("/")[1:-1]
    if basename(path) in _FOR_DEVELOPERS or path.endswith(LOCKS):
        return False
    if not _ASIDE.isdisjoint(above):
        return False
    if any(is_within(path, managed) for managed in graph.installed.managed):
        return False
    return graph.is_application(path) or context.is_first_party(path)
