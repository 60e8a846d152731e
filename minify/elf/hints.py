"""Why a library may not have been found, in words for the user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from minify.elf.elffile import ElfError, ElfFile
from minify.elf.interpreter import Flavour, Interpreter
from minify.elf.ldconfig import ConfiguredDirectory, configured_directories
from minify.elf.machine import machine_of
from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import basename

_MOST_PLACES = 3


class Hints:
    """Looks where ld.so does not."""

    def __init__(self, tree: FileTree, elf: Callable[[Entry], ElfFile | None]) -> None:
        self._tree = tree
        self._elf = elf

    @cached_property
    def _configured(self) -> tuple[ConfiguredDirectory, ...]:
        return configured_directories(self._tree)

    @cached_property
    def _libraries(self) -> dict[str, list[ImagePath]]:
        """Where the tree has names that are like a library's."""
        found: dict[str, list[ImagePath]] = {}
        for path, entry in self._tree.entries.items():
            name = basename(path)
            if ".so" in name and entry.kind in (Kind.FILE, Kind.SYMLINK):
                found.setdefault(name, []).append(path)
        return found

    def hint(self, name: str, wanted: ElfFile, interpreter: Interpreter) -> str:
        """What to tell about `name`, which an object like `wanted` does not get."""
        if not name:
            return "the name is empty"
        if interpreter.flavour is Flavour.GLIBC:
            for configured in self._configured:
                path = f"{configured.directory.rstrip('/')}/{name}"
                if self._what(path, wanted) == "":
                    return (
                        f"{configured.directory}, named in {configured.conf}, has it, but"
                        f" {interpreter.cache} does not list it: run ldconfig in the image"
                    )
        paths = sorted(self._libraries.get(name.rpartition("/")[2], ()))
        good = [path for path in paths if self._what(path, wanted) == ""]
        if good:
            more = "" if len(good) <= _MOST_PLACES else " and elsewhere"
            return f"{', '.join(good[:_MOST_PLACES])}{more} is not where it is looked for"
        return "; ".join(self._others(paths, wanted))

    def _others(self, paths: list[ImagePath], wanted: ElfFile) -> Iterator[str]:
        for path in paths[:_MOST_PLACES]:
            what = self._what(path, wanted)
            if what:
                yield f"found {path} but it {what}"

    def _what(self, path: str, wanted: ElfFile) -> str | None:
        """What is wrong with the file at `path`: nothing if empty; None if there is no file."""
        entry = self._tree.file(path)
        if entry is None:
            return "leads nowhere" if self._tree.get(path) is not None else None
        try:
            elf = self._elf(entry)
        except ElfError as error:
            return f"is damaged: it {error}"
        if elf is None:
            return "is no ELF file"
        return "" if elf.is_alike(wanted) else f"is for {machine_of(elf).name}"
