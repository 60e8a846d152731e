"""Alpine's database.

https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2
"""

from __future__ import annotations

from collections.abc import Iterator

from minify.filetree import FileTree, ImagePath, image_path
from minify.filetree.path import decoded
from minify.packages.package import Package

_PLACES = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_LARGEST = 64 << 20


def read(tree: FileTree) -> Iterator[Package]:
    """The installed packages; none where there is no database."""
    databases = (tree.file(path) for path in _PLACES)
    database = next((entry for entry in databases if entry is not None), None)
    if database is None or database.size > _LARGEST:
        return
    for record in decoded(tree.read(database)).split("\n\n"):
        package = _package(record)
        if package.name:
            yield package


def _package(record: str) -> Package:
    fields: dict[str, str] = {}
    paths: list[ImagePath] = []
    directory = ""
    for line in record.split("\n"):
        key, _, value = line.partition(":")
        if key == "F":
            directory = value
        written = {"F": value, "R": f"{directory}/{value}"}.get(key)
        if written is None:
            fields.setdefault(key, value)
            continue
        try:
            paths.append(image_path(written))
        except ValueError:
            continue  # a name that no layer can hold names nothing here
    name = fields.get("P", "")
    return Package(name, fields.get("V", ""), fields.get("o", "") or name, tuple(paths))
