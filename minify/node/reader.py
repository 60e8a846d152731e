"""The modules of one image, each read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from minify.filetree import Entry, FileTree, ImagePath
from minify.node.requires import Requests, requests_of

_MOST_BYTES = 1 << 29


@dataclass(slots=True)
class Reader:
    """What modules ask for, as far as they have been read."""

    tree: FileTree
    is_complete: bool = True
    """Whether all that was asked for could be read."""
    _read: dict[ImagePath, Requests] = field(default_factory=dict)
    _bytes: int = 0

    def requests(self, entry: Entry) -> Requests:
        """What a module asks for; nothing, if too much has been read before."""
        if entry.path not in self._read:
            self._bytes += entry.size
            if self._bytes > _MOST_BYTES:
                self.is_complete = False
                return Requests()
            found = requests_of(self.tree.read(entry))
            if not found.is_complete:
                found = Requests(found.names, found.texts, found.unknown or (1,))
            self._read[entry.path] = found
        return self._read[entry.path]

    def __iter__(self) -> Iterator[tuple[ImagePath, Requests]]:
        """Every module that has been read."""
        yield from tuple(self._read.items())
