"""What the modules of each package name: other modules, files, directories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TypeAlias

from minify.filetree import ImagePath
from minify.node.graph import Graph

Owner: TypeAlias = ImagePath | None
"""A package's directory; None for the application."""

_NOTHING: frozenset[str] = frozenset()


class Texts:
    """The names that are asked for and the other constants; `graph` is complete."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def knows(self, owner: Owner) -> bool:
        """Whether a module of the owner's has been read."""
        return owner in self._of

    def names(self, owner: Owner) -> frozenset[str]:
        """The last parts of paths, and what is none."""
        return self._names.get(owner, _NOTHING)

    def directories(self, owner: Owner) -> frozenset[str]:
        """The parts of paths."""
        return self._directories.get(owner, _NOTHING)

    def suffixes(self, owner: Owner) -> frozenset[str]:
        """Ends of names by which files are looked for: `.md`, of `*.md` and of `${name}.md`."""
        return self._suffixes.get(owner, _NOTHING)

    @cached_property
    def names_of_files(self) -> frozenset[str]:
        """The last parts of all paths."""
        return frozenset().union(*self._names.values())

    @cached_property
    def _of(self) -> Mapping[Owner, set[str]]:
        found: dict[Owner, set[str]] = defaultdict(set)
        for path, requests in self._graph.read:
            owner = self._graph.owner(path)
            texts = found[owner.directory if owner is not None else None]
            texts.update(request.name for request in requests.names)
            texts.update(text for text, _ in requests.texts)
        return dict(found)

    @cached_property
    def _names(self) -> Mapping[Owner, frozenset[str]]:
        return self._each(lambda text: (text.rstrip("/").rpartition("/")[2],))

    @cached_property
    def _suffixes(self) -> Mapping[Owner, frozenset[str]]:
        return {
            owner: frozenset(name[name.rfind("*") + 1 :] for name in names if name[:1] in ".*")
            for owner, names in self._names.items()
        }

    @cached_property
    def _directories(self) -> Mapping[Owner, frozenset[str]]:
        return self._each(lambda text: text.split("/") if "/" in text else ())

    def _each(self, parts: Callable[[str], Iterable[str]]) -> Mapping[Owner, frozenset[str]]:
        return {
            owner: frozenset(part for text in texts for part in parts(text))
            for owner, texts in self._of.items()
        }
