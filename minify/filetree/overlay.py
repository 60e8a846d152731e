"""Layers laid over each other: whiteouts, opaque directories, replacements, hard links.

https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md#applying-changesets
What the specification leaves open is as in docs/decisions/0003-overlay.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from minify.errors import ImageError
from minify.filetree.entry import IMPLIED, Entry, Kind
from minify.filetree.links import MOST_LINKS
from minify.filetree.path import LONGEST_PATH, ROOT, ImagePath, basename, child, parent

_WHITEOUT = ".wh."
_AUFS = ".wh..wh."  # aufs' own files; one of them is a marker that all engines know
_OPAQUE = ".wh..wh..opq"

_MOST_ENTRIES = 4_000_000


class Overlay:
    """A merged filesystem under construction; `apply` takes the layers, oldest first."""

    def __init__(self) -> None:
        root = Entry(ROOT, Kind.DIRECTORY, 0o755)
        self.entries: dict[ImagePath, Entry] = {ROOT: root}
        self.children: dict[ImagePath, dict[str, None]] = {ROOT: {}}
        self._link_groups = 0
        self._of_this_layer: set[ImagePath] = set()

    def apply(self, members: Iterable[Entry], name: str) -> None:
        """Lays one layer on top; ImageError, beginning with `name`, if it cannot be laid."""
        self._of_this_layer = set()
        for member in members:
            try:
                self._apply_member(member)
            except ValueError as error:
                raise ImageError(f"{name}: member {member.path!r} {error}") from error
            if len(self.entries) > _MOST_ENTRIES:
                raise ImageError(f"{name}: more than {_MOST_ENTRIES:,} files: refused")

    def _apply_member(self, member: Entry) -> None:
        path = member.path
        if _WHITEOUT in path and self._is_mark(path):
            return
        if path == ROOT:
            if member.kind is not Kind.DIRECTORY:
                raise ValueError(f"makes the root a {member.kind.value}")
            self.entries[ROOT] = member
            return
        directory = parent(path)
        existing = self.entries.get(directory)
        if existing is None or existing.kind is not Kind.DIRECTORY:
            directory = self._directory(directory, create=True)
            member = replace(member, path=_bounded(child(directory, basename(path))))
        if member.kind is Kind.HARDLINK:
            self._remove(member.path)  # before its target is looked for, as engines do
            member = self._linked(member)
        self._put(member)

    def _is_mark(self, path: ImagePath) -> bool:
        """Whether `path` is a whiteout or such, which is then carried out."""
        *above, name = path.split("/")
        if any(part.startswith(_AUFS) for part in above):
            return True
        if any(part.startswith(_WHITEOUT) for part in above):
            raise ValueError("is below a whiteout, which is no directory")
        if not name.startswith(_WHITEOUT):
            return False
        if name.startswith(_AUFS) and name != _OPAQUE:
            return True
        hidden = name.removeprefix(_WHITEOUT)
        if hidden in ("", ".", ".."):
            raise ValueError("is a whiteout of no name")
        try:
            directory = self._directory(parent(path), create=False)
        except _NoDirectoryError:
            return True  # what is not there needs no hiding
        if name == _OPAQUE:
            for inner in tuple(self.children[directory]):
                self._hide(child(directory, inner))
        else:
            self._hide(child(directory, hidden))
        return True

    def _hide(self, path: ImagePath) -> None:
        """Removes what lower layers have at and below `path`; this layer's own stays.

        So does a directory that this layer has names in, but as one that they alone imply: the
        outcome is the same wherever in the archive the mark stands.
        """
        for inner in self._children_first(path):
            if inner in self._of_this_layer:
                continue
            if self.children.get(inner):
                self._put(_implied(inner))
            else:
                self._remove_one(inner)

    def _remove(self, path: ImagePath) -> None:
        for inner in self._children_first(path):
            self._remove_one(inner)

    def _remove_one(self, path: ImagePath) -> None:
        self.children.pop(path, None)
        del self.entries[path]
        del self.children[parent(path)][basename(path)]

    def _children_first(self, path: ImagePath) -> tuple[ImagePath, ...]:
        """`path` and all below it, each directory after what it holds; empty if it is not there."""
        if path not in self.entries:
            return ()
        found = [path]
        for directory in found:  # grows while it is walked
            found += [child(directory, name) for name in self.children.get(directory, ())]
        return tuple(reversed(found))

    def _put(self, entry: Entry) -> None:
        path = entry.path
        old = self.entries.get(path)
        if old is not None and old.kind is Kind.DIRECTORY and entry.kind is not Kind.DIRECTORY:
            self._remove(path)
        self.entries[path] = entry
        self._of_this_layer.add(path)
        self.children[parent(path)][basename(path)] = None
        if entry.kind is Kind.DIRECTORY:
            self.children.setdefault(path, {})

    def _linked(self, link: Entry) -> Entry:
        """What a hard link gives: another name for its target's inode."""
        written = ImagePath(link.target)
        try:
            directory = self._directory(parent(written), create=False)
            target = self.entries.get(child(directory, basename(written)))
        except _NoDirectoryError:
            target = None
        if target is None:
            raise ValueError(f"is a hard link to {written!r}, which does not exist")
        if target.kind is Kind.DIRECTORY:
            raise ValueError(f"is a hard link to {written!r}, which is a directory")
        if target.link_group is None:
            self._link_groups += 1
            target = replace(target, link_group=self._link_groups)
            self.entries[target.path] = target
        return replace(target, path=link.path)

    def _directory(self, path: ImagePath, *, create: bool) -> ImagePath:
        """Where the directory `path` really is, links followed; made if it is missing.

        _NoDirectoryError for a loop, for something else that is in its place, or if it is missing
        and not to be made.
        """
        here = ROOT
        links = 0
        rest = _Components(path)
        for name in rest:
            if name == "..":
                here = parent(here)
                continue
            step = _bounded(child(here, name))
            entry = self.entries.get(step)
            if entry is None:
                if not create:
                    raise _NoDirectoryError(f"is below {step!r}, which does not exist")
                self._put(_implied(step))
                here = step
            elif entry.kind is Kind.DIRECTORY:
                here = step
            elif entry.kind is Kind.SYMLINK:
                links += 1
                if links > MOST_LINKS:
                    raise _NoDirectoryError(f"is behind a loop of symbolic links at {step!r}")
                here = ROOT if entry.target.startswith("/") else here
                rest.push(entry.target)
            else:
                raise _NoDirectoryError(f"is below {step!r}, which is a {entry.kind.value}")
        return here


class _NoDirectoryError(ValueError):
    """A path does not lead to a directory."""


def _implied(path: ImagePath) -> Entry:
    """The directory that is there because of what is below it; the root's, as engines make it."""
    return Entry(path, Kind.DIRECTORY, 0o755, layer=IMPLIED)


class _Components(Iterator[str]):
    """The components of a path, into which those of a link's target can be pushed."""

    def __init__(self, path: str) -> None:
        self._stack: list[str] = []
        self.push(path)

    def push(self, path: str) -> None:
        self._stack += [part for part in reversed(path.split("/")) if part not in ("", ".")]

    def __next__(self) -> str:
        if not self._stack:
            raise StopIteration
        return self._stack.pop()


def _bounded(path: ImagePath) -> ImagePath:
    """`path`; ValueError if links made it longer than any engine can reach."""
    if len(path) > LONGEST_PATH:
        raise ValueError(f"is, behind links, longer than {LONGEST_PATH:,} bytes")
    return path
