"""What starts Node in an image: the command line, scripts, package managers, commands of packages.

https://docs.npmjs.com/cli/using-npm/scripts
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

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
from minify.filetree.path import ancestors, basename, decoded, joined
from minify.node import PACKAGE_MANAGERS, Entry, Resolver, Task, entry_of, is_node, task_of
from minify.node.commands import interpreter_in

_DEEPEST = 8
_SHIM = re.compile(r'"\$basedir/([^"$`]{1,500})"')
_OTHERS = frozenset("bun deno electron".split())
_CODE = (".js", ".mjs", ".cjs", ".json")


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
    is_known: bool = True
    """False if something starts what nobody sees."""

    def find(self, keep: KeepSet | None) -> None:
        """Follows the configuration, and what `keep` says is surely run."""
        for line in of_configuration(self.context):
            self._line(line, 0)
        for entry, start in surely_run(keep, self.context) if keep is not None else ():
            if words := interpreter_in(start):
                reason = RunLine((*words, entry.path), entry.path, f"#! of {entry.path}")
                self._node(reason, reason.words[1:])
            else:
                for line in of_script(entry, self.context):
                    self._line(line, 0)

    def _line(self, line: RunLine, depth: int) -> None:
        name = called(line.words[0])
        if is_node(name):
            self._node(line, line.words[1:])
            return
        found = self._command(line)
        if found is None:
            return
        if name in PACKAGE_MANAGERS:
            self._manager(name, line, depth)
            return
        self._script(found, line)

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

    def _node(self, line: RunLine, words: Sequence[str]) -> None:
        entry = entry_of(words)
        if entry.task:
            self._task(Task(entry.task), line, 0)
            return
        self._add(line, entry)

    def _add(self, line: RunLine, entry: Entry) -> None:
        launch = Launch(entry, line.by, line.detail, self._where(line))
        self.found[launch] = None
        self.is_known = self.is_known and launch.is_known
        for word in entry.operands:
            if UNKNOWN not in word and word.endswith(_CODE):
                self.found[Launch(Entry(word), line.by, line.detail, self._where(line))] = None

    def _script(self, file: File, line: RunLine) -> None:
        """A program that is a script of Node, or the shell script that pnpm puts in its place."""
        start = self.context.tree.read(file, START)
        if words := interpreter_in(start):
            entry = entry_of((*words[1:], file.path, *line.words[1:]))
            self._add(line, entry)
        elif start[:2] == b"#!" and file.path.endswith(f"/.bin/{basename(file.path)}"):
            text = decoded(self.context.tree.read(file, 1 << 16))
            for target in dict.fromkeys(_SHIM.findall(text)):
                path = f"{file.path.rpartition('/')[0]}/{target}"
                if self.context.tree.file(path) is not None:
                    self._add(line, Entry(path, operands=tuple(line.words[1:])))

    def _manager(self, name: str, line: RunLine, depth: int) -> None:
        self.managers[name] = None
        task = task_of(name, line.words[1:])
        if task is None or depth > _DEEPEST:
            self.is_known = False
            return
        self._task(task, line, depth)

    def _task(self, task: Task, line: RunLine, depth: int) -> None:
        """A script of package.json, with what is run before and after, or a package's command."""
        where = joined(self._where(line), task.directory)
        above = self._scope(where)
        manifest = self.resolver.manifest(above) if above is not None else None
        scripts = manifest.scripts if manifest is not None else {}
        names = [name for name in (f"pre{task.name}", task.name, f"post{task.name}") if name]
        by = f"{(above or where).rstrip('/')}/package.json"
        if task.name and task.name in scripts:
            self.files.setdefault("/bin/sh", Reason("node.script", by, f"runs {task.name}"))
            for name in names:
                for inner in of_text(scripts.get(name, ""), by, self.context):
                    self._packaged(inner, above or where, name, depth)
        elif task.name == "start" and not task.command:
            self._add(line, Entry(f"{above or where}/server.js"))
        elif task.command:
            inner = RunLine(task.command, line.by, line.detail, above or where)
            self._packaged(inner, above or where, "", depth)
        else:
            self.is_known = False

    def _packaged(self, line: RunLine, directory: str, script: str, depth: int) -> None:
        """A command that a package manager runs: those of packages come first."""
        if line.by.endswith("/package.json"):
            detail = f"{line.detail}, the script {script}" if script else line.detail
            there = joined(directory, line.directory.removeprefix(self.context.workdir) or ".")
            is_same = line.directory in ("", self.context.workdir)
            where = directory if is_same else there
            line = RunLine(line.words, line.by, detail, where)
        name = line.words[0]
        if UNKNOWN in name:
            self.is_known = False
            return
        for above in (directory, *ancestors(ImagePath(directory))) if "/" not in name else ():
            path = f"{above.rstrip('/')}/node_modules/.bin/{name}"
            file = self.context.tree.file(path)
            if file is not None:
                self.files.setdefault(path, Reason("node.script", line.by, line.detail))
                self._script(file, line)
                return
        command = self.context.command(name) if "/" not in name else None
        if command is not None:
            self.files.setdefault(command.path, Reason("node.script", line.by, line.detail))
        elif not script and "/" not in name:
            self.is_known = False  # npx would download it
        self._line(line, depth + 1)

    def _scope(self, directory: str) -> str | None:
        entry = self.context.tree.directory(directory)
        return self.resolver.scope(entry.path) if entry is not None else None


def is_explained(keep: KeepSet, launches: Launches, context: Context) -> bool:
    """Whether all that starts Node is among `launches`; and nothing else runs JavaScript."""
    explained = {CONFIG, USER, *(launch.by for launch in launches.found)}
    for launch in launches.found:
        file = context.tree.file(joined(launch.directory, launch.entry.script))
        explained.update((file.path,) if file is not None else ())
    for path, kept in keep.kept.items():
        entry = context.tree.get(path)
        if kept.grade is not Grade.HARD or entry is None or not entry.is_executable:
            continue
        name = basename(path)
        if name in _OTHERS:
            return False
        if is_node(name) and any(
            may_start(why, context) for why in kept.reasons if why.by not in {path, *explained}
        ):
            return False
    return True
