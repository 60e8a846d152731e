"""Which directories become the user's: those that the program writes to, and no others."""

from __future__ import annotations

from collections.abc import Iterable

from minify.closure import Writes, places
from minify.filetree import FileTree, ImagePath
from minify.identity.ownership import may_be_given

__all__ = ["may_be_given", "state_places"]

# Mounted by engines and orchestrators, and by nobody else to be written to.
_NEVER = ("/run/secrets", "/var/run/secrets")


def state_places(writes: Iterable[Writes], tree: FileTree) -> tuple[ImagePath, ...]:
    """The real directories of `writes`; those of everybody are never among them.

    A hostile image may call anything a VOLUME, and link its state directory anywhere.
    """
    found: dict[ImagePath, None] = {}
    for finding in writes:
        entry = tree.directory(finding.path)
        if entry is None or entry.path.startswith(_NEVER):
            continue
        if not places.is_shared(entry.path, tree):
            found[entry.path] = None
    return tuple(sorted(found))
