"""One installed package."""

from __future__ import annotations

from dataclasses import dataclass

from minify.filetree import ImagePath


@dataclass(frozen=True, slots=True)
class Package:
    """A package as its database has it."""

    name: str
    version: str
    source: str
    """The source package that it was built from; its own name where none is stated."""
    paths: tuple[ImagePath, ...]
    """Files and directories as the package names them, links among their parents included."""
    depends: tuple[str, ...] = ()
    """The names of packages that it depends on, alternatives among them."""
