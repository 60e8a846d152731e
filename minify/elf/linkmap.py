"""What a program, or a library, gets from ld.so: values only."""

from __future__ import annotations

from dataclasses import dataclass

from minify.elf.elffile import ElfFile, VersionNeed
from minify.filetree import ImagePath, Resolution


@dataclass(frozen=True, slots=True)
class LoadedObject:
    """One file that was loaded for one name."""

    name: str
    """As it was asked for: the DT_NEEDED string."""
    path: str
    """By which it was found; `..` and links are still in it."""
    resolution: Resolution
    """Where `path` leads, with every link crossed; it has an entry."""
    elf: ElfFile
    by: ImagePath
    """The real path of the object that asked for it."""
    how: str
    """In human words: `DT_NEEDED libz.so.1, default path`."""
    level: str = ""
    """What only some processors have, so that others get another file of this name:
    `glibc-hwcaps/x86-64-v3`. Empty for the file that any processor gets.
    """

    @property
    def real_path(self) -> ImagePath:
        """The path of the file itself, links followed."""
        assert self.resolution.entry is not None, self.path
        return self.resolution.entry.path


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that ld.so would end with an error for."""

    name: str
    by: ImagePath
    """The real path of the object that asks for it."""
    looked: tuple[str, ...]
    """The directories, and the cache, in the order in which they are searched."""
    hint: str
    """What may be wrong, for the user; empty if nothing is known."""


@dataclass(frozen=True, slots=True)
class UnmetVersion:
    """A symbol version for whose absence ld.so ends with an error."""

    need: VersionNeed
    by: ImagePath
    """The real path of the object that needs it."""
    found: ImagePath | None
    """The file that is loaded by the name and does not define it; None if the object that needs it
    does not ask for that file, nor does another, as after a careless edit of its needs.
    """
    hint: str
    """What may be wrong, for the user."""


@dataclass(frozen=True, slots=True)
class LinkMap:
    """All that one process loads, as far as its files say it beforehand."""

    program: ImagePath
    """The real path of the program; of the library that was asked about, if it was one."""
    interpreter: Resolution | None
    """Without an entry if it is missing. None for a static program, and for a library in a tree
    that has no interpreter for it.
    """
    objects: tuple[LoadedObject, ...] = ()
    """In the order in which they are loaded, breadth first. A file that is found by two names is
    here twice, for both ways to it count. Every level's variant of a library is here.
    """
    missing: tuple[Missing, ...] = ()
    unmet: tuple[UnmetVersion, ...] = ()
    auditors: tuple[LoadedObject, ...] = ()
    """What LD_AUDIT and DT_AUDIT bring, in namespaces of their own: the objects do not know them.
    An auditor that cannot be loaded is not here, for ld.so goes on without it.
    """
    consulted: tuple[Resolution, ...] = ()
    """Files besides objects that the interpreter reads: ld.so.cache, ld.so.preload, musl's list."""
