"""What starts Node in an image: the command line, scripts, package managers, commands of packages.

https://docs.npmjs.com/cli/using-npm/scripts
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from minify.analyzers.node_settings import LARGEST, of_nodemon, of_pm2
from minify.analyzers.runlines import (
    START,
    RunLine,
    may_start,
    of_configuration,
    of_script,
    of_text,
    surely_run,
)
from minify.closure import CONFIG, USER, Context, Grade, KeepSet, Reason
from minify.closure.commandline import called
from minify.closure.innercommands import UNKNOWN
from minify.filetree import Entry as File
from minify.filetree import ImagePath
from minify.filetree.path import ROOT, ancestors, basename, decoded, joined, parent
from minify.node import PACKAGE_MANAGERS, Entry, Resolver, Task, entry_of, is_node, task_of
from minify.node.commands import entry_of_options, interpreter_in
from minify.node.knowledge import CHECKER
from minify.node.managers import ALL_WORKSPACES
from minify.node.runners import Started, started
from minify.node.workspaces import selected, workspaces

_DEEPEST = 8
_MOST_LAUNCHES = 500
_SHIM = re.compile(r'"\$basedir/([^"$`]{1,500})"')
_OTHERS = frozenset("bun deno electron".split())
_CODE = (".js", ".mjs", ".cjs", ".json", ".ts", ".mts", ".cts", ".tsx")
_SAYS_YES = frozenset(("1", "true", "yes"))
_TRANSPILING = ("TRANSPILE_ONLY", "SWC")


@dataclass(frozen=True, slots=True)
class Launch:
    """One thing that Node is started for."""

    entry: Entry
    by: str
    detail: str
    directory: str
    """The working directory, absolute."""

    @property
    def is_known(self) -> bool:
        """Whether all that decides what is loaded is known."""
        entry = self.entry
        words = (entry.script, entry.text, entry.task, *entry.preloads)
        return entry.is_known and not any(UNKNOWN in word for word in words)


@dataclass(slots=True)
class Launches:
    """Everything that starts Node, complete after `find`."""

    context: Context
    resolver: Resolver
    found: dict[Launch, None] = field(default_factory=dict)
    files: dict[str, Reason] = field(default_factory=dict)
    """Commands of packages, and the shell of package managers: paths that are started."""
    managers: dict[str, None] = field(default_factory=dict)
    """The package managers that are started."""
    runners: dict[str, str] = field(default_factory=dict)
    """Programs of packages that run others, with what starts them."""
    askers: dict[str, None] = field(default_factory=dict)
    """Files that start Node, if only for what it cannot be started for."""
    transpiles: bool = False
    """Whether ts-node is told not to check types, wherever it is started."""
    unknown: str = ""
    """The first that starts what nobody sees, as a sentence."""

    def find(self, keep: KeepSet | None) -> None:
        """Follows the configuration, and what `keep` says is surely run."""
        for preload in entry_of_options(self.context.config.env.get("NODE_OPTIONS", "")).preloads:
            self._compiler(preload, RunLine(("node",), CONFIG, "NODE_OPTIONS"))
        for line in of_configuration(self.context):
            self._line(line, 0)
        for entry, start in surely_run(keep, self.context) if keep is not None else ():
            if words := interpreter_in(start):
                # Whatever it is told to run, a line of another file tells it.
                line = RunLine((*words, entry.path), entry.path, f"#! of {entry.path}")
                self.askers[entry.path] = None
                self._add(line, entry_of(line.words[1:]))
            elif not self.is_managers(entry.path):
                for line in of_script(entry, self.context):
                    self._line(line, 0)

    def is_managers(self, path: ImagePath) -> bool:
        """Whether a file is part of a package manager, which is read by what it is told."""
        scope = self.resolver.scope(parent(path))
        manifest = self.resolver.manifest(scope) if scope is not None else None
        return manifest is not None and manifest.name in PACKAGE_MANAGERS

    def _doubt(self, what: str) -> None:
        self.unknown = self.unknown or what.replace(UNKNOWN, "…")

    def _line(self, line: RunLine, depth: int) -> None:
        name = called(line.words[0])
        if is_node(name):
            self._node(line, line.words[1:], depth)
            return
        found = self._command(line)
        if found is None:
            return
        if name in PACKAGE_MANAGERS:
            self._manager(name, line, depth)
            return
        self._script(found, line, depth)

    def _command(self, line: RunLine) -> File | None:
        """The file of a command: one of a package, or one of PATH."""
        name = line.words[0]
        if UNKNOWN in name or not name:
            return None
        if "/" not in name:
            command = self.context.command(name)
            return command.entry if command is not None else None
        return self.context.tree.file(joined(self._where(line), name))

    def _where(self, line: RunLine) -> str:
        return joined(self.context.workdir, line.directory)

    def _node(self, line: RunLine, words: Sequence[str], depth: int) -> None:
        self.askers[line.by] = None
        entry = entry_of(words)
        if entry.task:
            self._task(Task(entry.task), line, depth)
        elif not self._is_command(entry.script, line):
            self._add(line, entry)
            if "/node_modules/" in f"/{entry.script}":
                name = called(entry.script).removesuffix(".js")
                self._runner(name, entry.operands, line, depth)

    def _is_command(self, script: str, line: RunLine) -> bool:
        """Whether the script is a program by its name, and so none.

        Entrypoints put `node` before what is no program, and nobody knows here what is one.
        """
        if not script or "/" in script or UNKNOWN in script or self.context.command(script) is None:
            return False
        place = joined(self._where(line), script)
        return not any(self.context.tree.file(f"{place}{end}") for end in ("", *_CODE))

    def _add(self, line: RunLine, entry: Entry) -> None:
        launch = Launch(entry, line.by, line.detail, self._where(line))
        self.found[launch] = None
        for preload in entry.preloads:
            self._compiler(preload, line)
        if not launch.is_known or len(self.found) > _MOST_LAUNCHES:
            self._doubt(f"{line.by} starts Node for what only a run knows: {line.detail}")
        for word in entry.operands:
            if UNKNOWN not in word and word.endswith(_CODE):
                self.found[Launch(Entry(word), line.by, line.detail, self._where(line))] = None

    def _compiler(self, preload: str, line: RunLine) -> None:
        """ts-node, unless it only takes types away, reads the declarations of all packages."""
        if preload.partition("/")[0] != CHECKER:
            return
        env = self.context.config.env
        is_told = any(env.get(f"TS_NODE_{name}", "") in _SAYS_YES for name in _TRANSPILING)
        here = self.context.tree.directory(self._where(line))
        settings = self.resolver.typescript.settings(here.path if here is not None else ROOT)
        if is_told or "transpile-only" in preload or settings.transpiles:
            self.transpiles = True
        else:
            self._doubt(f"{line.by} has {CHECKER} check types: {line.detail}")

    def _script(self, file: File, line: RunLine, depth: int) -> None:
        """A program that is a script of Node, or the shell script that pnpm puts in its place."""
        start = self.context.tree.read(file, START)
        if words := interpreter_in(start):
            self._add(line, entry_of((*words[1:], file.path, *line.words[1:])))
        elif start[:2] == b"#!" and file.path.endswith(f"/.bin/{basename(file.path)}"):
            text = decoded(self.context.tree.read(file, 1 << 16))
            for target in dict.fromkeys(_SHIM.findall(text)):
                path = f"{file.path.rpartition('/')[0]}/{target}"
                if self.context.tree.file(path) is not None:
                    self._add(line, Entry(path, operands=tuple(line.words[1:])))
        else:
            return
        self._runner(called(line.words[0]), line.words[1:], line, depth)

    def _runner(self, name: str, words: Sequence[str], line: RunLine, depth: int) -> None:
        """What a program of a package that runs others goes on to run."""
        found = started(name, words)
        if found is None:
            return
        self.runners.setdefault(name, line.by)
        is_nodemon = name == "nodemon" and not of_nodemon(self._where(line), self.context.tree)
        if depth > _DEEPEST or not found.is_known or is_nodemon:
            self._doubt(f"{line.by} has {name} run what nobody sees: {line.detail}")
            return
        self._started(found, line, depth)

    def _started(self, found: Started, line: RunLine, depth: int) -> None:
        where = self._where(line)
        if found.command:
            self._packaged(RunLine(found.command, line.by, line.detail, where), where, depth)
        for text in found.texts:
            for inner in of_text(text, line.by, self.context):
                self._packaged(self._placed(inner, line.detail, where), where, depth)
        for name in self._scripts(found.scripts, where) if found.scripts else ():
            if command := self.context.command("npm"):
                self.managers["npm"] = None
                self.files.setdefault(
                    command.path, Reason("node.script", line.by, f"npm runs {name}")
                )
            self._task(Task(name), line, depth + 1)
        if found.node:
            self._node(line, found.node, depth + 1)
        if found.settings:
            self._settings(found.settings, line)

    def _scripts(self, patterns: Sequence[str], where: str) -> Iterator[str]:
        scope = self._scope(where)
        manifest = self.resolver.manifest(scope) if scope is not None else None
        for pattern in patterns:
            sign = re.compile(re.escape(pattern).replace(r"\*", "[^:]*+", 4))
            known = (name for name in (manifest.scripts if manifest else ()))
            yield from filter(sign.fullmatch, known) if "*" in pattern else (pattern,)

    def _settings(self, name: str, line: RunLine) -> None:
        """The programs of a file of pm2, which is a module itself."""
        where = self._where(line)
        file = self.context.tree.file(joined(where, name))
        text = decoded(self.context.tree.read(file, LARGEST)) if file is not None else ""
        entries = of_pm2(text)
        if file is None or not entries:
            self._doubt(f"{line.by} has a program run what nobody sees in {joined(where, name)}")
            return
        if name.endswith((".js", ".cjs", ".mjs")):
            self._add(line, Entry(file.path))
        for one in entries:
            inner = RunLine(line.words, file.path, f"{file.path} names it", joined(where, one.cwd))
            self._add(inner, entry_of((*one.options, one.script)))

    def _manager(self, name: str, line: RunLine, depth: int) -> None:
        self.managers[name] = None
        words = line.words[1:]
        if name == "corepack" and words:
            name, words = words[0].partition("@")[0], words[1:]
        task = task_of(name, words)
        if task is None or depth > _DEEPEST:
            self._doubt(f"{line.by} has {name} run what nobody sees: {line.detail}")
            return
        self._task(task, line, depth)

    def _task(self, task: Task, line: RunLine, depth: int) -> None:
        where = joined(self._where(line), task.directory)
        for directory in self._places(task, where) if task.workspaces else (where,):
            self._task_in(directory, task, line, depth)

    def _places(self, task: Task, where: str) -> Iterator[str]:
        """The directories of the workspaces that are meant."""
        start = self.context.tree.directory(where)
        found = False
        for root in (start.path, *ancestors(start.path)) if start is not None else ():
            among = workspaces(root, self.context.tree, self.resolver)
            for name in task.workspaces if among else ():
                one = selected(name, among)
                for place in among if name == ALL_WORKSPACES else filter(None, (one,)):
                    has_it = not task.name or task.name in place.manifest.scripts
                    found = True
                    if has_it or place == one:
                        yield place.directory
            if among:
                break
        if not found:
            self._doubt(f"{where.rstrip('/')} has no workspace {', '.join(task.workspaces)}")

    def _task_in(self, where: str, task: Task, line: RunLine, depth: int) -> None:
        """A script of package.json, with what is run before and after, or a package's command."""
        above = self._scope(where)
        manifest = self.resolver.manifest(above) if above is not None else None
        scripts = manifest.scripts if manifest is not None else {}
        names = [name for name in (f"pre{task.name}", task.name, f"post{task.name}") if name]
        by = f"{(above or where).rstrip('/')}/package.json"
        if task.name and task.name in scripts:
            self.files.setdefault("/bin/sh", Reason("node.script", by, f"runs {task.name}"))
            for name in names:
                for inner in of_text(scripts.get(name, ""), by, self.context):
                    placed = self._placed(inner, f"{inner.detail}, the script {name}", above)
                    self._packaged(placed, above or where, depth, is_text=True)
        elif task.name == "start" and not task.command:
            self._add(line, Entry(f"{above or where}/server.js"))
        elif task.command:
            inner = RunLine(task.command, line.by, line.detail, above or where)
            self._packaged(inner, above or where, depth)
        else:
            self._doubt(f"{by} has no script {task.name}")

    def _placed(self, line: RunLine, detail: str, directory: str | None) -> RunLine:
        """The line of a text that is run in another directory than the image's."""
        there = line.directory.removeprefix(self.context.workdir).lstrip("/") or "."
        is_same = line.directory in ("", self.context.workdir)
        base = directory or self.context.workdir
        return RunLine(line.words, line.by, detail, base if is_same else joined(base, there))

    def _packaged(
        self, line: RunLine, directory: str, depth: int, *, is_text: bool = False
    ) -> None:
        """A command that a package manager runs: those of packages come first."""
        name = line.words[0]
        if UNKNOWN in name:
            self._doubt(f"{line.by} runs what only a run knows: {line.detail}")
            return
        for above in (directory, *ancestors(ImagePath(directory))) if "/" not in name else ():
            path = f"{above.rstrip('/')}/node_modules/.bin/{name}"
            file = self.context.tree.file(path)
            if file is not None:
                self.files.setdefault(path, Reason("node.script", line.by, line.detail))
                self._script(file, line, depth + 1)
                return
        command = self.context.command(name) if "/" not in name else None
        if command is not None:
            self.files.setdefault(command.path, Reason("node.script", line.by, line.detail))
        elif not is_text and "/" not in name:
            self._doubt(f"{line.by} runs {name}, which is not installed: {line.detail}")
        self._line(line, depth + 1)

    def _scope(self, directory: str) -> str | None:
        entry = self.context.tree.directory(directory)
        return self.resolver.scope(entry.path) if entry is not None else None


def unexplained(keep: KeepSet, launches: Launches, context: Context) -> str:
    """What else starts Node, or runs JavaScript in its place, as a sentence; empty if nothing."""
    explained = {CONFIG, USER, *launches.askers, *(launch.by for launch in launches.found)}
    for launch in launches.found:
        file = context.tree.file(joined(launch.directory, launch.entry.script))
        explained.update((file.path,) if file is not None else ())
    for path, kept in keep.kept.items():
        entry = context.tree.get(path)
        if kept.grade is not Grade.HARD or entry is None or not entry.is_executable:
            continue
        name = basename(path)
        if name in _OTHERS:
            return f"{path} runs JavaScript too, and what it loads is not followed"
        for why in kept.reasons if is_node(name) else ():
            if why.by in {path, *explained} or not may_start(why, context):
                continue
            if not launches.is_managers(ImagePath(why.by)):
                return f"{why.by} may start Node for what nobody sees ({why.detail})"
    return ""
