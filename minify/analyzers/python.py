"""Python programs: what their imports reach, in the place of all that is installed.

The closure with every library whole says which interpreters run, and which scripts. What they are
started for is followed, import by import, for each interpreter that all is known of; the others
keep what they have. Kept are distributions whole, the standard library by modules and packages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from minify.analyzers import python_data, python_runners
from minify.analyzers.opened.private_scripts import idle
from minify.analyzers.python_launches import Launch, launches, unexplained
from minify.closure import (
    CONFIG,
    Context,
    Finding,
    Gap,
    KeepSet,
    Level,
    Need,
    Pruning,
    Reason,
    places,
)
from minify.closure.patterns import glob
from minify.filetree import ImagePath, Kind
from minify.filetree.path import basename, is_within, joined, parent
from minify.python import (
    Distribution,
    Distributions,
    EntryKind,
    Finder,
    Graph,
    Installation,
    Mentioned,
    Module,
    ModuleKind,
    Origin,
    Reached,
    in_source,
    standard_library,
)
from minify.python.archive import LARGEST as LARGEST_ARCHIVE
from minify.python.editable import mapping
from minify.python.members import Members
from minify.python.unread import SCRIPTS

# Where ldconfig finds libraries in the common distributions; what is loaded, ld.so's search says.
_LIBRARY_DIRECTORIES = tuple(
    "/lib /lib64 /lib/*-linux-* /usr/lib /usr/lib64 /usr/lib/*-linux-* /usr/local/lib".split()
)
# https://setuptools.pypa.io/en/latest/deprecated/pkg_resources.html#namespace-package-support
_NAMESPACE = "-nspkg.pth"
_VERSIONED = re.compile(r"\.so(?:\.\d++)*+\Z")


def prune(keep: KeepSet, context: Context, level: Level) -> Pruning:
    """What stays of the libraries of every interpreter that all is known of."""
    if level is Level.SAFE:
        return Pruning()
    programs, spared = context.remembered("python.programs", lambda: _followed(keep, context))
    directories = {directory for program in programs for directory in program.directories()}
    findings = (finding for program in programs for finding in program.findings(level))
    graphs = [program.graph for program in programs]
    scripts = frozenset(path for one in graphs for path in (*one.reached, *one.finder.programs))
    kept = frozenset(directories) - spared
    names = frozenset().union(*(one.files for one in graphs))

    def is_named(path: ImagePath) -> bool:
        # What has no suffix may be any constant.
        return basename(path) in names or not path.endswith(SCRIPTS)

    return Pruning(kept, tuple(findings), scripts, frozenset(idle(keep, kept, is_named)))


def _followed(keep: KeepSet, context: Context) -> tuple[tuple[_Program, ...], frozenset[ImagePath]]:
    """The interpreters that all is known of, and the directories of the others."""
    every = launches(keep, context)
    unknown = unexplained(keep, every, context)
    names = frozenset(map(basename, keep.kept))
    by_installation: dict[Installation, list[Launch]] = {}
    for launch in every:
        by_installation.setdefault(launch.installation, []).append(launch)
    followed: list[_Program] = []
    spared: set[ImagePath] = set()
    for installed, started in by_installation.items():
        program = _Program(installed, context, keep, names)
        if installed.program in unknown or not program.follow(started):
            spared.update(installed.managed)
        else:
            followed.append(program)
    return tuple(followed), frozenset(spared)


@dataclass(slots=True)
class _Program:
    """Everything that one installation is started for."""

    installed: Installation
    context: Context
    keep: KeepSet
    """The closure with every library whole."""
    kept: frozenset[str]
    """The names of the files that stay when every library is whole."""
    graph: Graph = field(init=False)
    mentioned: Mentioned = field(init=False)

    def follow(self, started: Iterable[Launch]) -> bool:
        """Follows the imports; whether all that is started was found."""
        tree, installed = self.context.tree, self.installed
        started = tuple(started)
        roots = tuple(dict.fromkeys(root for one in started for root in self._roots(one)))
        first = (*roots, *(one.first for one in started if one.first), self.context.workdir)
        finder = Finder(tree, installed.search_path(first), mapping(tree, installed))
        owned = Distributions(tree, installed, self.context.packages)
        sources = (one.source for one in owned.all if one.source)
        added = tuple(d for file in installed.path_files for d in file.directories)
        application = dict.fromkeys((*roots, *sources, *added, *finder.mapped))
        own = tuple(d for d in application if self._is_application(d))
        local = {one.name for one in owned.all if one.is_local}
        self.graph = Graph(tree, finder, owned, installed, own, local)
        self.mentioned = Mentioned(self.graph)
        self.graph.start()
        self._editable(owned, added)
        are_there = [self._enter(one) for one in started]
        if not all(are_there):
            return False
        for directory in own:
            self.graph.below(directory, Origin("", f"the application is in {directory}"))
        self._variables()
        for path, text in python_data.texts(self.keep, self.graph, self.context):
            self.mentioned.text(text, partial(_in_file, path))
        self.graph.follow()
        return self.graph.is_complete

    def _editable(self, owned: Distributions, added: Sequence[str]) -> None:
        """The metadata of what is installed as it is being developed: the application's own."""
        for one in owned.all:
            beside = one.metadata is not None and parent(one.metadata) in added
            if (one.source or beside) and not standard_library.is_for_developers(one.name):
                origin = Origin("", f"{one.name} is the application")
                self.graph.named.setdefault(one.name, (one, origin))

    def _roots(self, launch: Launch) -> Iterator[str]:
        """The directories of the application that a launch names."""
        yield self.context.workdir
        yield from self.installed.variables
        words = launch.entry.operands
        yield from (joined(self.context.workdir, w) for w in (*words, *_values(words)))
        if launch.entry.kind is EntryKind.SCRIPT:
            path = launch.path(self.context.workdir)
            yield path if self.context.tree.directory(path) else path.rpartition("/")[0]

    def _is_application(self, path: str) -> bool:
        """Whether all modules of a directory are the application's, for nobody shares it."""
        entry = self.context.tree.directory(path) if "\0" not in path else None
        if entry is None or places.is_shared(entry.path, self.context.tree):
            return False
        inside = any(is_within(entry.path, managed) for managed in self.installed.managed)
        is_bin = entry.path == f"{self.installed.prefix}/bin"
        above = any(is_within(managed, entry.path) for managed in self.installed.managed)
        # A directory that has the interpreter in it may still be the application's.
        return not inside and not is_bin and (not above or entry.path != self.installed.prefix)

    def _enter(self, launch: Launch) -> bool:
        """Reaches what one launch starts; whether it is there."""
        entry, graph = launch.entry, self.graph
        origin = Origin(launch.by, launch.detail)
        for word in entry.operands:
            self.mentioned.word(word, origin)
        if entry.kind is EntryKind.TEXT:
            for item in in_source(entry.value.encode("utf-8", "replace"), "").names:
                graph.name(item.name, origin)
            return True
        if entry.kind is EntryKind.MODULE:
            is_there = graph.name(entry.value, origin)
            main = graph.finder.find(f"{entry.value}.__main__")
            if main is not None:
                graph.module(main, origin, is_main=True)
            return is_there
        path = launch.path(self.context.workdir)
        found = self.context.tree.resolve(path).entry
        if found is not None and found.kind is Kind.DIRECTORY:
            path = f"{path}/__main__.py"
            found = self.context.tree.file(path)
        if found is None:
            return False
        return self._script(ImagePath(path), origin)

    def _script(self, path: ImagePath, origin: Origin) -> bool:
        entry = self.context.tree.file(path)
        if entry is None:
            return False
        kind = ModuleKind.SOURCE
        if self.context.tree.read(entry, 4)[2:4] == b"\r\n":
            kind = ModuleKind.BYTECODE
        if entry.size > LARGEST_ARCHIVE:
            return False
        if self.graph.in_archive(entry.path, origin):
            return True
        self.graph.module(Module("__main__", kind, path), origin, is_main=True)
        return True

    def _variables(self) -> None:
        """Modules that variables name: DJANGO_SETTINGS_MODULE, FLASK_APP, CELERY_APP."""
        for variable, value in self.context.config.env.items():
            self.mentioned.word(value, Origin(CONFIG, f"ENV {variable}={value}"))

    def directories(self) -> Iterator[ImagePath]:
        """Where modules are kept one by one."""
        yield from self.installed.managed
        programs = self.context.tree.directory(f"{self.installed.prefix}/bin")
        if programs is not None and self._is_environment:
            yield programs.path

    @property
    def _is_environment(self) -> bool:
        return self.context.tree.file(f"{self.installed.prefix}/pyvenv.cfg") is not None

    def findings(self, level: Level) -> Iterator[Finding]:
        """What the program needs of the library."""
        graph = self.graph
        for path, reached in graph.reached.items():
            yield from self._module(path, reached)
        for path, reached in graph.links.items():
            yield from self._module(path, reached)
        is_tight = level is Level.TIGHT
        members = Members(self.context.tree, graph, self.kept, only_reached=is_tight)
        for distribution, origin in graph.whole.values():
            yield from self._distribution(distribution, origin, members)
        for distribution, origin in graph.named.values():
            if distribution.metadata is not None and distribution.name not in graph.whole:
                reason = Reason("python.metadata", self._by(origin), origin.detail)
                yield Need(distribution.metadata, reason, whole_tree=True)
        yield from self._data()
        yield from self._libraries()
        yield from self._own()
        for name, origin in graph.programs.items():
            command = self.context.command(name)
            if command is not None:
                yield Need(command.path, Reason("python.program", origin.by, origin.detail))
        yield from self._told()

    def _told(self) -> Iterator[Finding]:
        """What the modules do that is not known until they run."""
        graph = self.graph
        yield from python_runners.unpacked(graph.finder, self.context)
        yield from python_runners.of_users(graph.reached, self.context)
        for path, lines in graph.unknown.items():
            shown = ", ".join(map(str, lines[:5]))
            detail = f"{path} imports by a name that is only known at run time (line {shown})"
            yield Gap(Reason("python.dynamic", path, detail), "keep it with --keep")
        for path, lines in graph.runs.items():
            shown = ", ".join(map(str, lines[:5]))
            detail = f"{path} runs other programs (line {shown}): they are not followed"
            yield Gap(Reason("python.runs", path, detail), "keep what it runs with --keep")

    def _by(self, origin: Origin) -> str:
        return origin.by or self.installed.program

    def _module(self, path: ImagePath, reached: Reached) -> Iterator[Finding]:
        module = reached.module
        reason = Reason("python.import", self._by(reached.origin), reached.origin.detail)
        yield Need(module.path, reason)
        if module.kind is ModuleKind.SOURCE and not self.graph.is_application(path):
            # A link has its bytecode beside itself.
            yield from (Need(cached, reason) for cached in self._cached(module.path))
        if not any(is_within(path, managed) for managed in self.installed.managed):
            yield from self._unowned(module, reason)

    def _unowned(self, module: Module, reason: Reason) -> Iterator[Finding]:
        """All of the package that a module outside of every library is in, with its data."""
        top = module.path
        for _ in range(module.name.count(".") + int(module.is_package)):
            top = parent(top)
        if top != module.path and not places.is_shared(top, self.context.tree):
            yield Need(top, reason, whole_tree=True)

    def _cached(self, source: ImagePath) -> Iterator[str]:
        """The bytecode of a source for this interpreter."""
        directory = ImagePath(f"{parent(source)}/__pycache__")
        stem = basename(source).removesuffix(".py")
        major, minor = self.installed.version
        names = (f"{stem}.{name}-{major}{minor}" for name in ("cpython", "pypy"))
        for name in names:
            for suffix in (".pyc", ".opt-1.pyc", ".opt-2.pyc"):
                if self.context.tree.get(f"{directory}/{name}{suffix}"):
                    yield f"{directory}/{name}{suffix}"

    def _distribution(
        self, distribution: Distribution, origin: Origin, members: Members
    ) -> Iterator[Finding]:
        detail = f"part of {distribution.name}: {origin.detail}"
        reason = Reason("python.distribution", self._by(origin), detail)
        for path in distribution.files or filter(None, (distribution.metadata,)):
            entry = self.context.tree.get(path)
            if entry is None:
                continue
            if entry.kind is Kind.DIRECTORY:
                yield from self._tree(entry.path, reason, members)
            elif members.stays(entry.path):
                yield Need(path, reason)
                if path.endswith(".py"):
                    yield from (Need(cached, reason) for cached in self._cached(entry.path))

    def _tree(self, top: ImagePath, reason: Reason, members: Members) -> Iterator[Finding]:
        if top.endswith((".dist-info", ".egg-info")):
            yield Need(top, reason, whole_tree=True)
            return
        for entry in self.context.tree.below(top):
            if entry.kind is not Kind.DIRECTORY and members.stays(entry.path):
                yield Need(entry.path, reason)
                if entry.path.endswith(".py"):
                    yield from (Need(cached, reason) for cached in self._cached(entry.path))

    def _data(self) -> Iterator[Finding]:
        """What modules of the standard library read and run."""
        program, tree = self.installed.program, self.context.tree
        for name, patterns in standard_library.DATA.items():
            for pattern in patterns if name in self.graph.names else ():
                for path in glob(tree, f"{self.installed.standard}/{pattern}"):
                    yield Need(path, Reason("python.data", program, f"{name} reads {pattern}"))
        for name, paths in standard_library.OUTSIDE.items():
            if name == "ctypes.util" and not self.graph.finds_libraries:
                continue  # the rest of it runs nothing
            for path in self.context.existing(paths) if name in self.graph.names else ():
                yield Need(path, Reason("python.data", program, f"{name} uses it"), whole_tree=True)

    def _libraries(self) -> Iterator[Finding]:
        """Shared libraries that the program's texts name, for ctypes and cffi."""
        program = self.context.tree[self.installed.program]
        if not self.context.is_elf(program):
            return
        sought = ((n, o) for s, o in self.graph.sought.items() for n in self._sonames(s))
        for name, origin in (*self.graph.libraries.items(), *sought):
            loaded = self.context.loader.load_name(name, program, needed_in=None)
            if loaded.objects and not any(missing.name == name for missing in loaded.missing):
                reason = Reason("python.library", self._by(origin), origin.detail)
                yield Need(loaded.objects[0].path, reason)

    def _sonames(self, name: str) -> Iterator[str]:
        """What ctypes.util.find_library may give for a name: files like `lib{name}.so.3`."""
        found = self.context.remembered("python.sonames", lambda: _all_sonames(self.context))
        yield from found.get(f"lib{name}", ())

    def _is_read(self, path_file: ImagePath) -> bool:
        """Whether a `.pth` file is meant; one that makes a namespace fails without its package."""
        owner = self.graph.distributions.owner(path_file)
        if owner is None:
            return True
        if path_file.endswith(_NAMESPACE) and owner.name not in self.graph.whole:
            return False
        return not standard_library.is_for_developers(owner.name)

    def _own(self) -> Iterator[Finding]:
        """The interpreter's own files among those that are decided one by one."""
        program, tree = self.installed.program, self.context.tree
        for file in self.installed.path_files:
            if self._is_read(file.path):
                yield Need(file.path, Reason("python.path", program, "read at every start"))
        if self._is_environment:
            prefix = self.installed.prefix
            recorded = {path for one in self.graph.distributions.all for path in one.files}
            for name in tree.children(ImagePath(f"{prefix}/bin")):
                path = f"{prefix}/bin/{name}"
                if path not in recorded and not name.lower().startswith("activate"):
                    yield Need(path, Reason("python.environment", program, f"in {prefix}"))


def _in_file(path: ImagePath, name: str, line: int) -> Origin:
    return Origin(path, f"{path}:{line} names {name}")


def _all_sonames(context: Context) -> Mapping[str, tuple[str, ...]]:
    """The files that ldconfig may know, by their names before `.so`."""
    found: dict[str, set[str]] = {}
    for directory in _LIBRARY_DIRECTORIES:
        for path in glob(context.tree, f"{directory}/lib*.so*"):
            name = basename(ImagePath(path))
            if match := _VERSIONED.search(name):
                found.setdefault(name[: match.start()], set()).add(name)
    return {stem: tuple(sorted(names)) for stem, names in found.items()}


def _values(words: Iterable[str]) -> Iterator[str]:
    """The values of `--option=value`."""
    return (word.partition("=")[2] for word in words if word.startswith("-") and "=" in word)
