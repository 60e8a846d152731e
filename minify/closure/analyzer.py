"""What an analyzer is given and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, Protocol, TypeVar

from minify.closure import environments
from minify.closure.finding import Finding, Grade
from minify.elf.elffile import ElfError, ElfFile
from minify.elf.linkmap import LinkMap
from minify.elf.loader import Loader
from minify.filetree import Entry, FileTree, ImagePath
from minify.filetree.path import joined
from minify.image import ImageConfig
from minify.packages import Packages

_Value = TypeVar("_Value")

# difflib takes some microseconds a name, and more for long ones.
_MOST_COMPARED = 5_000
_LONGEST = 64
_CLOSE = 2


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
    loader: Loader
    _commands: Mapping[str, Command]
    programs: tuple[ImagePath, ...] = ()
    """The programs of ENTRYPOINT, CMD and HEALTHCHECK, those that their scripts go on as, and those
    that the user keeps by their names."""
    kept_programs: frozenset[ImagePath] = frozenset()
    """Those among `programs` that only the user's word makes one: nobody knows who starts them."""
    first_party_packages: frozenset[str] = frozenset()
    """The packages of the same upstream as one that owns a program or a module of one."""
    first_layer: int = 0
    """The layer that the first of the programs came with; those before it are its base."""
    scripts: tuple[ImagePath, ...] = ()
    """Files that a shell of the configuration is told to read."""
    lines: tuple[tuple[str, ...], ...] = ()
    """Command lines that managers of processes start, beside that of the configuration."""
    pruned: frozenset[ImagePath] = frozenset()
    """Directories at which trees end that are kept whole, unless the user asked for the tree."""
    followed: frozenset[ImagePath] = frozenset()
    """Scripts of other languages than the shell's, whose imports are followed."""
    idle: frozenset[ImagePath] = frozenset()
    """Shell scripts of libraries that nothing of what is followed names."""
    _link_maps: dict[ImagePath, LinkMap] = field(default_factory=dict)
    _remembered: dict[Hashable, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: FileTree, config: ImageConfig, packages: Packages) -> Context:
        """The context in which the roots are looked for: no program is known yet."""
        loader = Loader(tree, config.env, config.workdir)
        return cls(tree, config, packages, loader, dict(_commands(tree, config)))

    def starting(
        self,
        programs: tuple[ImagePath, ...],
        scripts: tuple[ImagePath, ...],
        kept: tuple[ImagePath, ...] = (),
        modules: tuple[ImagePath, ...] = (),
        lines: tuple[tuple[str, ...], ...] = (),
    ) -> Context:
        """This context with what the configuration starts and what the user keeps beside it.

        The packages of `modules`, which the programs load, are the application's as well. What was
        read stays read.
        """
        every = tuple(dict.fromkeys((*programs, *kept)))
        owners = (self.packages.owners(path) for path in (*every, *modules))
        upstream = self.packages.upstream(frozenset().union(*owners))
        # A shell or an init that the base brought says nothing of where the application begins.
        layers = [layer for program in programs if (layer := self.tree[program].layer) > 0]
        return replace(
            self,
            programs=every,
            kept_programs=frozenset(kept) - frozenset(programs),
            scripts=scripts,
            lines=lines,
            first_party_packages=upstream,
            first_layer=min(layers, default=0),
        )

    @property
    def workdir(self) -> str:
        """The working directory, absolute."""
        return joined("/", self.config.workdir)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that a process begins with: ENV, and PATH as the runtime sets it."""
        return {"PATH": ":".join(self.config.search_path), **self.config.env}

    @property
    def command_lines(self) -> tuple[tuple[str, ...], ...]:
        """That of the configuration, and those that managers of processes start."""
        return tuple(filter(None, (self.config.argv, *self.lines)))

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

    def remembered(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """What `make` gave when `key` was first asked for; it may depend on the image only."""
        if key not in self._remembered:
            self._remembered[key] = make()
        found: _Value = self._remembered[key]
        return found

    def command(self, name: str) -> Command | None:
        """What `name` starts, looked up by PATH and the working directory; None if nothing."""
        if environments.is_marked(name):
            return self._of_environment(name)
        if "/" in name:
            return self.executable(joined(self.workdir, name))
        return self._commands.get(name)

    def _of_environment(self, name: str) -> Command | None:
        """A command behind `uv run`: the environment's, else that of PATH."""
        known = (self._commands.get(runner) for runner in sorted(environments.RUNNERS))
        roots = [environments.root_of(found.entry.path) for found in known if found is not None]
        env = self.config.env
        for path in environments.places(name, self.tree, env, self.workdir, roots):
            if found := self.executable(path):
                return found
        return self._commands.get(name.rpartition("/")[2])

    def close_commands(self, name: str) -> tuple[str, ...]:
        """The paths of a few commands whose names are close to the last part of `name`."""
        wanted = name.rpartition("/")[2]
        names = [it for it in sorted(self._commands) if abs(len(it) - len(wanted)) <= _CLOSE]
        if len(wanted) > _LONGEST:
            return ()
        near = get_close_matches(wanted, names[:_MOST_COMPARED], cutoff=0.7)
        return tuple(self._commands[it].path for it in near)

    def executable(self, path: str) -> Command | None:
        """The executable file at `path`; None if there is none."""
        return _executable(self.tree, path)

    def candidates(self, name: str) -> tuple[str, ...]:
        """Where `execvp` looks for `name`, in order."""
        if "/" in name:
            return (joined(self.workdir, name),)
        return tuple(f"{where.rstrip('/')}/{name}" for where in _directories(self.config))

    def existing(self, paths: Iterable[str]) -> Iterator[str]:
        """Those of `paths` that lead to something."""
        return (path for path in paths if self.tree.resolve(path).entry is not None)

    def is_first_party(self, path: ImagePath) -> bool:
        """Whether `path` belongs to the application: its programs' packages own it, or none does.

        Where the image has no package database, what came with the programs or after them counts,
        if there are layers before; and places that no distribution fills.
        """
        if path in self.programs:
            return True
        if not self.packages:
            entry = self.tree.get(path)
            if self.first_layer > 0 and entry is not None and entry.layer >= self.first_layer:
                return True
            return not path.startswith(_DISTRIBUTIONS) or path.startswith("/usr/local/")
        owners = self.packages.owners(path)
        return not owners or bool(owners & self.first_party_packages)


def _directories(config: ImageConfig) -> tuple[str, ...]:
    """The directories of PATH, as absolute paths; a relative one is below WORKDIR."""
    workdir = joined("/", config.workdir)
    return tuple(joined(workdir, directory) for directory in config.search_path)


def _commands(tree: FileTree, config: ImageConfig) -> Iterator[tuple[str, Command]]:
    """Every executable of PATH by its name; of one name, the one that counts comes last."""
    for directory in reversed(dict.fromkeys(_directories(config))):
        entry = tree.directory(directory)
        for name in tree.children(entry.path) if entry else ():
            if found := _executable(tree, f"{directory.rstrip('/')}/{name}"):
                yield name, found


def _executable(tree: FileTree, path: str) -> Command | None:
    entry = tree.file(path)
    return Command(path, entry) if entry is not None and entry.is_executable else None


_DISTRIBUTIONS = ("/bin/", "/etc/", "/lib", "/sbin/", "/usr/", "/var/")


class Analyzer(Protocol):
    """Says what else one kept file needs. Pure: the same file and context, the same findings."""

    def __call__(self, entry: Entry, grade: Grade, context: Context, /) -> Iterable[Finding]: ...


class ImageRule(Protocol):
    """Says what an image needs whatever its files are."""

    def __call__(self, context: Context, /) -> Iterable[Finding]: ...
