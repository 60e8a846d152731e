"""What was installed from a directory: the application itself, by `pip install .`.

https://packaging.python.org/en/latest/specifications/direct-url/
"""

from __future__ import annotations

from minify.filetree import FileTree
from minify.filetree.path import decoded
from minify.python.distributions import is_local, rows_of

_LARGEST = 4 << 20
_MOST = 10_000


def names(tree: FileTree, site: str) -> frozenset[str]:
    """The modules, packages and files directly in a site directory that came so."""
    place = tree.directory(site)
    found: set[str] = set()
    for name in tree.children(place.path)[:_MOST] if place is not None else ():
        metadata = f"{site}/{name}"
        if name.endswith(".dist-info") and is_local(_text(tree, f"{metadata}/direct_url.json")):
            listed = rows_of(_text(tree, f"{metadata}/RECORD"))
            found.update(row.partition("/")[0] for row in listed)
    return frozenset(name for name in found if not name.endswith(".dist-info")) - {".."}


def _text(tree: FileTree, path: str) -> str:
    entry = tree.file(path)
    return decoded(tree.read(entry)) if entry is not None and entry.size <= _LARGEST else ""
