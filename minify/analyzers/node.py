"""Node programs: the packages that their modules reach, in the place of all that is installed.

The closure with every package says whether Node runs, and for which scripts. What they load is
followed from file to file; a package that is reached is kept whole, and nothing stays of one that
is not. Where something starts Node for what nobody sees, or a tool is run that loads what
configuration names, all stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from minify.analyzers.node_corepack import fetched
from minify.analyzers.node_launches import Launch, Launches, unexplained
from minify.analyzers.node_workspaces import unreached
from minify.analyzers.opened.private_scripts import idle
from minify.closure import (
    CONFIG,
    Context,
    Finding,
    Gap,
    Grade,
    KeepSet,
    Level,
    Need,
    Pruning,
    Reason,
    Unread,
    Writes,
    places,
)
from minify.closure.application import application
from minify.closure.patterns import glob
from minify.filetree import ImagePath, Kind
from minify.filetree.path import ancestors, basename, is_within, joined, parent
from minify.node import CPUS, Graph, Machine, Origin, Package, Resolver, entry_of_options, is_node
from minify.node.configured import named_in_files, named_in_variables
from minify.node.knowledge import is_managers
from minify.node.members import Members
from minify.node.packages import NODE_MODULES
from minify.node.resolution import GLOBAL
from minify.node.texts import Texts
from minify.node.unread import MAPS, NODE

_ZIPPED = (".pnp.cjs", ".pnp.js")


def find(context: Context) -> Iterator[Finding]:
    """What a package manager of the command line runs: commands of packages, by a shell."""
    launches = Launches(context, Resolver(context.tree))
    launches.find(None)
    for path, reason in launches.files.items():
        yield Need(path, reason, Grade.HARD)
    yield from fetched(launches.managers, context)
    for name, by in launches.runners.items():
        if name.startswith("pm2"):
            yield from _home_of_pm2(by, context)


def _home_of_pm2(by: str, context: Context) -> Iterator[Finding]:
    """pm2 ends where it cannot write below its home, which another user than root may not have."""
    home = context.config.env.get("PM2_HOME", "")
    if home.startswith("/"):
        yield Writes(home, Reason("node.pm2", by, f"pm2 writes to PM2_HOME {home}"))
    elif context.config.user.partition(":")[0] in ("", "0", "root"):
        detail = "pm2 writes below its HOME, and only root's is known"
        yield Gap(Reason("node.pm2", by, detail), "say where with --env PM2_HOME=/tmp/pm2")


def prune(keep: KeepSet, context: Context, level: Level) -> Pruning:
    """What stays of `node_modules` and of the system's packages."""
    if level is Level.SAFE:
        return Pruning()
    program = context.remembered("node.program", lambda: _followed(keep, context))
    if program is None:
        return Pruning()
    if isinstance(program, str):
        return Pruning(spared=(f"all of Node's packages stay: {program}",))
    names = program.texts.names_of_files

    def is_named(path: ImagePath) -> bool:
        # What a package manager starts is known without its modules.
        return basename(path) in names and not is_managers(path)

    return Pruning(
        frozenset((*program.directories, *program.managers())),
        tuple(program.findings(level)),
        frozenset(program.graph.modules),
        frozenset(idle(keep, program.libraries(), is_named)),
    )


@dataclass(frozen=True, slots=True)
class _Program:
    """Everything that Node is started for, followed."""

    context: Context
    graph: Graph
    launches: Launches
    directories: tuple[ImagePath, ...]
    texts: Texts
    kept: frozenset[str]
    """The names of the programs and libraries that stay when every package does."""

    def libraries(self) -> Iterator[ImagePath]:
        """Where packages are, those of package managers among them."""
        yield from self.directories
        places = (self.context.tree.directory(place) for place in GLOBAL)
        yield from (place.path for place in places if place is not None)

    def managers(self) -> Iterator[ImagePath]:
        """The package managers that are reached: what starts an application, and is none."""
        for directory in self.graph.packages:
            if is_managers(f"{directory}/"):
                yield directory

    def findings(self, level: Level) -> Iterator[Finding]:
        """What is kept in the place of the directories."""
        for path, reason in self.launches.files.items():
            yield Need(path, reason, Grade.HARD)
        for via, origin in self.graph.links.items():
            yield Need(via, _reason("node.module", origin))
        members = self._members(only_reached=level is Level.TIGHT)
        for package, origin in self.graph.packages.values():
            yield from self._package(package, origin, members)
        if self.graph.unknown:
            yield from self._production(level)
        for path, origin in self.graph.modules.items():
            if self.graph.owner(path) is None:
                yield from self._own(path, origin)
        if self.launches.managers:
            yield from self._of_managers()

    def _members(self, *, only_reached: bool) -> Members:
        tree, graph = self.context.tree, self.graph
        return Members(tree, graph, self.texts, self.kept, only_reached=only_reached)

    def _package(
        self, package: Package, origin: Origin, members: Members, *, is_alone: bool = True
    ) -> Iterator[Finding]:
        reason = _reason("node.package", origin)
        part = Reason("node.package", package.directory, f"part of {package.shown}, kept whole")
        tree = self.context.tree
        yield Need(package.directory, reason)
        stack = [package.directory]
        while stack:
            here = stack.pop()
            entry = tree[here]
            if entry.kind is Kind.DIRECTORY:
                is_others = is_alone and basename(here) == NODE_MODULES and here in self.directories
                names = () if is_others else tree.children(here)
                stack += [ImagePath(f"{here}/{name}") for name in names]
                if not names and not is_others:
                    yield Need(here, part)
            elif why := members.unread(here):
                yield Unread(here, Reason("node.unread", package.directory, why))
            else:
                yield Need(here, reason if here == package.directory else part)

    def _production(self, level: Level) -> Iterator[Finding]:
        """What production has: the application loads what only a run knows."""
        path, lines = next(iter(self.graph.unknown.items()))
        members = self._members(only_reached=False)
        detail = f"{path} loads a module that only a run knows (line {lines[0]})"
        for package in self.graph.for_production():
            if package.directory not in self.graph.packages:
                origin = Origin(path, detail)
                yield from self._package(package, origin, members, is_alone=False)
        if level is Level.TIGHT:
            for asker, where in self.graph.unknown.items():
                shown = ", ".join(map(str, where[:5]))
                text = f"{asker} loads a module that only a run knows (line {shown})"
                yield Gap(Reason("node.dynamic", asker, text), "keep it with --keep")

    def _own(self, path: ImagePath, origin: Origin) -> Iterator[Finding]:
        """A module of no package, with what is beside it in a package of a workspace."""
        reason = _reason("node.module", origin)
        yield Need(path, reason)
        scope = self.graph.resolver.scope(parent(path))
        if scope is not None and not places.is_shared(scope, self.context.tree):
            yield from application(scope, reason)

    def _of_managers(self) -> Iterator[Finding]:
        """What package managers write beside the packages, and read again."""
        for directory in self.directories:
            manifest = self.context.tree.file(f"{directory}/package.json")
            if manifest is not None:
                reason = Reason("node.package", CONFIG, "package managers read it")
                yield Need(manifest.path, reason)
            for name in self.context.tree.children(directory):
                entry = self.context.tree[ImagePath(f"{directory}/{name}")]
                if name.startswith(".") and entry.kind is Kind.FILE:
                    reason = Reason("node.package", CONFIG, "package managers read it")
                    yield Need(entry.path, reason)


def _reason(rule: str, origin: Origin) -> Reason:
    return Reason(rule, origin.by or CONFIG, origin.detail)


def _followed(keep: KeepSet, context: Context) -> _Program | str | None:
    """The programs of an image; None if there is none, or why not all is known of it."""
    hard = (path for path, kept in keep.kept.items() if kept.grade is Grade.HARD)
    if not any(is_node(basename(path)) for path in hard):
        return None
    env = context.config.env
    options = entry_of_options(env.get("NODE_OPTIONS", ""))
    # Debian's addons are beside its libraries, and Node looks there too.
    search = (*env.get("NODE_PATH", "").split(":"), *glob(context.tree, "/usr/lib/*/nodejs"))
    resolver = Resolver(context.tree, search)
    launches = Launches(context, resolver)
    launches.find(keep)
    doubt = launches.unknown or unexplained(keep, launches, context)
    if not launches.found:
        return doubt or "nothing starts it that can be seen"
    if doubt or not options.is_known:
        return doubt or "NODE_OPTIONS has it look for its modules itself"
    conditions = (one.entry.conditions for one in launches.found)
    resolver.conditions = options.conditions.union(*conditions)
    applications = _applications(launches, context)
    for zipped in (f"{one}/{name}" for one in applications for name in _ZIPPED):
        if context.tree.get(zipped):
            return f"they are in archives, of which {zipped} is the index"
    machine = _machine(keep, context)
    graph = Graph(context.tree, resolver, machine, applications, launches.transpiles)
    if options.reads_maps or any(_reads_maps(launch, resolver) for launch in launches.found):
        graph.read.called.add(NODE)
    return _entered(graph, launches, options.preloads, keep, context)


def _reads_maps(launch: Launch, resolver: Resolver) -> bool:
    """Whether source maps are read, by an option or by what a script sets before (NODE_OPTIONS)."""
    scope = resolver.scope(ImagePath(launch.directory))
    manifest = resolver.manifest(scope) if scope is not None else None
    texts = manifest.scripts.values() if manifest is not None else ()
    return launch.entry.reads_maps or any(MAPS in text for text in texts)


def _entered(
    graph: Graph, launches: Launches, preloads: Iterable[str], keep: KeepSet, context: Context
) -> _Program | str:
    """What the graph reaches from all that is started."""
    absent = _enter(graph, launches, preloads, context)
    if absent:
        return absent
    graph.follow()
    if graph.tool is not None:
        package, origin = graph.tool
        return f"{package.shown} loads what its settings name ({origin.detail})"
    if not graph.is_complete:
        return "there are too many to be read"
    directories = (*_directories(graph, launches), *unreached(graph, launches, context))
    kept = frozenset(_programs(keep, context))
    return _Program(context, graph, launches, directories, Texts(graph), kept)


def _programs(keep: KeepSet, context: Context) -> Iterator[str]:
    """The names of the programs and libraries that stay when every package does."""
    for path in keep.kept:
        entry = context.tree.get(path)
        if entry is not None and entry.kind is not Kind.DIRECTORY:
            name = basename(path)
            if entry.is_executable or ".so" in name or entry.kind is Kind.SYMLINK:
                yield name


def _enter(graph: Graph, launches: Launches, preloads: Iterable[str], context: Context) -> str:
    """Reaches all that is started; what of it is not there, as a sentence."""
    for launch in launches.found:
        origin = Origin("" if launch.by == CONFIG else launch.by, launch.detail)
        entry = launch.entry
        for name in (*preloads, *entry.preloads):
            # Paths are looked for from the working directory, whether or not they say so.
            relative = f"./{name}" if not name.startswith((".", "/")) else name
            found = graph.name(relative, launch.directory, origin)
            if not graph.name(name, launch.directory, origin) and not found:
                return f"{name}, which Node shall load before all, is not in the image"
        if entry.text:
            graph.text(entry.text, launch.directory, origin)
        path = joined(launch.directory, entry.script)
        if entry.script and not graph.name(path, launch.directory, origin):
            return f"Node is started for {path}, which is not in the image"
    for name, variable in named_in_variables(context.config.env):
        for directory in (*graph.applications, context.workdir):
            graph.named(name, directory, Origin("", f"ENV {variable} names it"))
    for directory in graph.applications:
        for name, path in named_in_files(context.tree, directory):
            origin = Origin(path, f"{path} names it", is_sure=False)
            graph.named(name, directory, origin)
    return ""


def _applications(launches: Launches, context: Context) -> tuple[ImagePath, ...]:
    """The directories of which nobody but the application has a share, the outermost ones."""
    tree = context.tree
    found: dict[ImagePath, None] = {}
    for launch in launches.found:
        path = joined(launch.directory, launch.entry.script)
        entry = tree.resolve(path).entry or tree.file(f"{path}.js")
        starts = [tree.directory(launch.directory), entry if launch.entry.script else None]
        for start in starts:
            above = _outermost(start.path, context) if start is not None else None
            if above is not None:
                found[above] = None
    inner = {one for one in found for other in found if one != other and is_within(one, other)}
    return tuple(sorted(found.keys() - inner))


def _outermost(path: ImagePath, context: Context) -> ImagePath | None:
    if any(is_within(path, ImagePath(place)) for place in GLOBAL):
        return None
    own = [
        here
        for here in (path, *ancestors(path))
        if not places.is_shared(here, context.tree) and not here.startswith("/etc/")
    ]
    return own[-1] if own else None


def _directories(graph: Graph, launches: Launches) -> Iterator[ImagePath]:
    """Where packages are kept one by one."""
    yield from graph.installed()
    for place in GLOBAL:
        entry = graph.tree.directory(place)
        # A distribution's package manager has its packages there, not in its own directory.
        is_spared = launches.managers and "nodejs" in place
        if entry is not None and not is_spared:
            yield entry.path


def _machine(keep: KeepSet, context: Context) -> Machine:
    programs = (context.tree[path] for path in sorted(keep.kept) if is_node(basename(path)))
    elves = (context.elf(one) for one in programs if context.is_elf(one))
    program = next((elf for elf in elves if elf is not None and elf.is_program), None)
    libraries = {name for place in ("/lib", "/lib64") for name in _names(place, context)}
    has_musl = any(name.startswith("ld-musl-") for name in libraries)
    has_glibc = any(name.startswith(("ld-linux", "ld64.so")) for name in libraries)
    libc = "musl" if has_musl and not has_glibc else "glibc" if has_glibc and not has_musl else ""
    return Machine(CPUS.get(context.config.platform.architecture, ""), libc, program)


def _names(place: str, context: Context) -> tuple[str, ...]:
    entry = context.tree.directory(place)
    return context.tree.children(entry.path) if entry is not None else ()
