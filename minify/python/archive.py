"""What is in a zip that Python imports from, or that has a program in it.

A program in a zip (zipapp, shiv, pex) may unpack itself when it is started, and import what no
import from a zip reaches: extensions, and what is below directories that are no packages.

https://docs.python.org/3/library/zipimport.html
https://docs.python.org/3/library/zipapp.html
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from minify.elf.elffile import ElfError
from minify.elf.reader import read_elf
from minify.filetree import FileTree, Kind

LARGEST = 128 << 20
"""The size of the largest zip that is read."""
_LARGEST_MEMBER = 64 << 20
_LARGEST_IN_ALL = 1 << 30
_MOST_MEMBERS = 60_000
_DEEPEST = 24
_IDENTIFIER = re.compile(r"[^\W\d]\w{0,99}")
_MODULE = re.compile(r"(?P<stem>[^./]++)(?:\.(?:pyc?|so|(?:cpython-|abi3|pypy)[\w.-]{1,80}+))")
_LIBRARY = re.compile(r".*\.so(?:\.[\d.]{1,20})?")


class Archives:
    """The zips of one image. Of one that is damaged, or too large, nothing is found."""

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self._places: dict[str, tuple[str, str]] = {}
        self._names: dict[str, frozenset[str]] = {}
        self._last: tuple[str, zipfile.ZipFile | None] = "", None

    def split(self, place: str) -> tuple[str, str]:
        """The file of a search path's item, and the directory within it with its slash.

        Both are empty if no part of the path is a file; a zip may have any name.
        """
        if place not in self._places:
            archive, inside = place, ""
            for _ in range(_DEEPEST):
                if not archive or "\0" in archive or self._tree.file(archive) is not None:
                    break
                archive, _, last = archive.rpartition("/")
                inside = f"{last}/{inside}"
            is_file = "\0" not in archive and self._tree.file(archive) is not None
            self._places[place] = (archive, inside) if archive and is_file else ("", "")
        return self._places[place]

    def members(self, archive: str) -> frozenset[str]:
        """The names of the files in it."""
        if archive not in self._names:
            opened = self._opened(archive)
            names = opened.namelist()[:_MOST_MEMBERS] if opened is not None else ()
            self._names[archive] = frozenset(names)
        return self._names[archive]

    def content(self, archive: str, name: str, most: int = _LARGEST_MEMBER) -> bytes:
        """The first bytes of a member; empty if it cannot be read."""
        opened = self._opened(archive)
        if opened is None:
            return b""
        try:
            with opened.open(name) as stream:
                return stream.read(most)
        except (zipfile.BadZipFile, ValueError, OSError, KeyError, RuntimeError, zlib.error):
            return b""

    def modules(self, archive: str) -> Iterator[tuple[str, str, str]]:
        """Each module's name, the directory within that it is found from, and its member.

        A name begins behind the last directory that cannot be a package's: `site-packages`,
        `.deps/shop-1-py3-none-any.whl`.
        """
        for member in sorted(self.members(archive)):
            above, _, last = member.rpartition("/")
            match = _MODULE.fullmatch(last)
            if match is None or not _IDENTIFIER.fullmatch(match["stem"]):
                continue
            directories = above.split("/") if above else []
            at = len(directories)
            while at and _IDENTIFIER.fullmatch(directories[at - 1]):
                at -= 1
            stem = [] if match["stem"] == "__init__" else [match["stem"]]
            name = ".".join((*directories[at:], *stem))
            if name and "__pycache__" not in directories:
                yield name, "/".join(directories[:at]), member

    def needed(self, archive: str) -> tuple[str, ...]:
        """The names of the libraries that shared libraries in it are linked to."""
        found: dict[str, None] = {}
        left = _LARGEST_IN_ALL
        for member in sorted(filter(_LIBRARY.fullmatch, self.members(archive))):
            content = self.content(archive, member)
            left -= len(content)
            if left < 0:
                break
            found |= dict.fromkeys(needed_by(content))
        return tuple(found)

    def _opened(self, archive: str) -> zipfile.ZipFile | None:
        if self._last[0] != archive:
            self._last = archive, self._read(archive)
        return self._last[1]

    def _read(self, archive: str) -> zipfile.ZipFile | None:
        entry = self._tree.file(archive)
        if entry is None or entry.kind is not Kind.FILE or entry.size > LARGEST:
            return None
        try:
            return zipfile.ZipFile(io.BytesIO(self._tree.read(entry)))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            return None


def needed_by(content: bytes) -> tuple[str, ...]:
    """The names of the libraries that one is linked to; nothing if it is none."""
    try:
        elf = read_elf(_Content(content), len(content))
    except ElfError:
        return ()
    return elf.needed if elf is not None else ()


class _Content:
    """Bytes as a stream."""

    def __init__(self, content: bytes) -> None:
        self._stream = io.BytesIO(content)

    def read(self, size: int, /) -> bytes:
        return self._stream.read(size)

    def seek(self, offset: int, /) -> None:
        self._stream.seek(offset)

    def tell(self) -> int:
        return self._stream.tell()
