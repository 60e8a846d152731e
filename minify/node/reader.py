"""The modules of one image, each read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from minify.filetree import Entry, FileTree, ImagePath
from minify.node.requires import Requests, requests_of
from minify.node.unread import called_in

_MOST_BYTES = 1 << 29


@dataclass(slots=True)
class Reader:
    """What modules ask for, as far as they have been read."""

    tree: FileTree
    is_complete: bool = True
    """Whether all that was asked for could be read."""
    called: set[str] = field(default_factory=set)
    """The packages, or Node, that are called to read what nobody reads otherwise (`unread`)."""
    _read: dict[ImagePath, Requests] = field(default_factory=dict)
    _bytes: int = 0

    def requests(self, entry: Entry, package: str) -> Requests:
        """What a module of a package asks for; nothing, if too much has been read before."""
        if entry.path not in self._read:
            self._bytes += entry.size
            if self._bytes > _MOST_BYTES:
                self.is_complete = False
                return Requests()
            content = self.tree.read(entry)
            self.called.update(called_in(content, package))
            found = requests_of(content)
            if not found.is_complete:
                found = Requests(found.names, found.texts, found.unknown or (1,))
            self._read[entry.path] = found
        return self._read[entry.path]

    def __iter__(self) -> Iterator[tuple[ImagePath, Requests]]:
        """Every module that has been read."""
        yield from tuple(self._read.items())
