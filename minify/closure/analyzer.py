"""What an analyzer is given and what it gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from minify.closure.finding import Finding, Grade
from minify.elf.elffile import ElfError, ElfFile
from minify.elf.linkmap import LinkMap
from minify.elf.loader import Loader
from minify.filetree import Entry, FileTree, ImagePath
from minify.filetree.path import ROOT, joined
from minify.image import ImageConfig
from minify.packages import Packages


@dataclass(frozen=True, slots=True)
class Command:
    """An executable and the path by which it was found."""

    path: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Context:
    """What every analyzer may look at: the whole image, nothing of the host.

    The caches make asking twice cheap; they hold nothing that the image does not determine.
    """

    tree: FileTree
    config: ImageConfig
    """The configuration that the result will have, the user's changes included."""
    packages: Packages
    programs: tuple[ImagePath, ...]
    """The programs of ENTRYPOINT, CMD and HEALTHCHECK."""
    loader: Loader
    first_party_packages: frozenset[str]
    """The packages built from the same source as one that owns a program."""
    scripts: tuple[ImagePath, ...] = ()
    """Files that a shell of the configuration is told to read."""
    _link_maps: dict[ImagePath, LinkMap] = field(default_factory=dict)
    _commands: dict[str, Command] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        tree: FileTree,
        config: ImageConfig,
        packages: Packages,
        programs: tuple[ImagePath, ...] = (),
        scripts: tuple[ImagePath, ...] = (),
    ) -> Context:
        owners = (packages.owners(program) for program in programs)
        siblings = packages.siblings(frozenset().union(*owners))
        loader = Loader(tree, config.env, config.workdir)
        return cls(tree, config, packages, programs, loader, siblings, scripts)

    def elf(self, entry: Entry) -> ElfFile | None:
        """The ELF file at `entry`; None if it is none. ElfError if it is a damaged one."""
        return self.loader.elf(entry)

    def is_elf(self, entry: Entry) -> bool:
        """Whether `entry` is an ELF file that can be read."""
        try:
            return self.elf(entry) is not None
        except ElfError:
            return False

    def link_map(self, entry: Entry) -> LinkMap:
        """What the loader would load for the ELF file at `entry`, a program or a lone library."""
        found = self._link_maps.get(entry.path)
        if found is None:
            elf = self.elf(entry)
            is_program = elf is not None and elf.interpreter is not None
            load = self.loader.load if is_program else self.loader.load_library
            found = self._link_maps[entry.path] = load(entry)
        return found

    def command(self, name: str) -> Command | None:
        """What `name` starts, looked up by PATH and the working directory; None if nothing."""
        if "/" in name or not name:
            return self.executable(self.candidates(name)[0]) if name else None
        if not self._commands:
            self._commands.update(self._all_commands())
        return self._commands.get(name)

    def _all_commands(self) -> Iterator[tuple[str, Command]]:
        """Every executable of PATH by its name; of two, the one that comes first there."""
        yield "", Command("", self.tree[ROOT])  # so that an empty PATH is looked through once
        for directory in reversed(dict.fromkeys(self.directories())):
            entry = self.tree.directory(directory)
            for name in self.tree.children(entry.path) if entry else ():
                if found := self.executable(f"{directory.rstrip('/')}/{name}"):
                    yield name, found

    def directories(self) -> tuple[str, ...]:
        """The directories of PATH, as absolute paths."""
        workdir = joined("/", self.config.workdir)
        return tuple(joined(workdir, directory) for directory in self.config.search_path)

    def executable(self, path: str) -> Command | None:
        """The executable file at `path`; None if there is none."""
        entry = self.tree.file(path)
        return Command(path, entry) if entry is not None and entry.is_executable else None

    def candidates(self, name: str) -> tuple[str, ...]:
        """Where `execvp` looks for `name`, in order."""
        if "/" in name:
            return (joined(joined("/", self.config.workdir), name),)
        return tuple(f"{where.rstrip('/')}/{name}" for where in self.directories())

    def existing(self, paths: Iterable[str]) -> Iterator[str]:
        """Those of `paths` that lead to something."""
        return (path for path in paths if self.tree.resolve(path).entry is not None)

    def is_first_party(self, path: ImagePath) -> bool:
        """Whether `path` belongs to the application: its programs' packages own it, or none does.

        Where the image has no package database, only places that no distribution fills count, and
        the programs themselves.
        """
        if path in self.programs:
            return True
        if not self.packages:
            return not path.startswith(_DISTRIBUTIONS) or path.startswith("/usr/local/")
        owners = self.packages.owners(path)
        return not owners or bool(owners & self.first_party_packages)


_DISTRIBUTIONS = ("/bin/", "/etc/", "/lib", "/sbin/", "/usr/", "/var/")


class Analyzer(Protocol):
    """Says what else one kept file needs. Pure: the same file and context, the same findings."""

    def __call__(self, entry: Entry, grade: Grade, context: Context, /) -> Iterable[Finding]: ...


class ImageRule(Protocol):
    """Says what an image needs whatever its files are."""

    def __call__(self, context: Context, /) -> Iterable[Finding]: ...
