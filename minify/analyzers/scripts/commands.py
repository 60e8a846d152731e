"""What the commands of a shell script need: programs, files that are read, scripts in directories.

Every command on every branch counts: what is not kept cannot be run, whoever starts the script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from minify.analyzers.scripts import directories
from minify.analyzers.scripts.files import named, programs_in
from minify.analyzers.scripts.helpers import helpers
from minify.analyzers.scripts.lookup import is_users, prints_nothing, programs
from minify.analyzers.scripts.optional import optional
from minify.analyzers.scripts.passing import passes_on
from minify.analyzers.scripts.place import Place
from minify.analyzers.walks import configuration_runs, surveyed
from minify.closure import Context, Finding, Gap, Grade, Need, Reason
from minify.closure.analyzer import Command
from minify.closure.commandline import SHELLS
from minify.closure.innercommands import (
    CommandLine,
    command_lines,
    name_of,
    program_files,
    program_texts,
)
from minify.filetree import Entry, ImagePath
from minify.filetree.path import decoded, joined
from minify.shell import (
    Likelihood,
    Run,
    ShellError,
    Survey,
    Value,
)
from minify.shell.builtins import NAMES
from minify.shell.parser import LARGEST
from minify.shell.survey import Unset
from minify.shell.syntax import Function, Word
from minify.shell.traversal import literals, statements
from minify.shell.values import Unknown, known

_MOST_FILES = 64
"""Files that one script reads and whose names only the image tells."""
_WORD = re.compile(r"[\w./+-]++")
_COMMENT = re.compile(r"(?m)^[ \t]*+#.*$")
_SOURCES = frozenset((".", "source"))

_Site = tuple[str, int, tuple[Word, ...]]
"""A command as it stands in a script, however a walk comes to it."""


def shell_script(entry: Entry, context: Context) -> Iterator[Finding]:
    """What a shell script needs, with what it reads into itself."""
    pending = [entry]
    seen: set[ImagePath] = {entry.path}
    for _ in range(_MOST_FILES):
        if not pending:
            return
        here = pending.pop(0)
        found = surveyed(here, context)
        if isinstance(found, Survey):
            reader = _Reader(found, context)
            yield from reader.findings()
            new = [read for read in reader.read if read.path not in seen]
            pending += new
            seen.update(read.path for read in new)
        elif isinstance(found, ShellError):
            yield from _unparsed(here, found, context)


def _unparsed(entry: Entry, error: ShellError, context: Context) -> Iterator[Finding]:
    """A script that cannot be parsed: every word that is a program's name counts."""
    detail = f"{entry.path}:{error.line} cannot be read as a shell script: {error.what}"
    reason = Reason("script.unread", entry.path, detail)
    yield Gap(reason, "keep what it runs with --keep")
    text = _COMMENT.sub("", decoded(context.tree.read(entry, LARGEST)))
    for word in dict.fromkeys(_WORD.findall(text)):
        found = context.command(word) if word not in NAMES else None
        if found is not None:
            said = Reason("script.word", entry.path, f"{entry.path} has the word {word}")
            yield Need(found.path, said, Grade.HARD)


class _Reader:
    """Goes through what a survey has found; `read` is complete when `findings` is used up."""

    def __init__(self, found: Survey, context: Context) -> None:
        self._found = found
        self._context = context
        self._by_configuration = configuration_runs(context)
        self._directories = tuple(directories.gone_through(found, context))
        self._functions = frozenset(_functions(found))
        self._optional = optional(found)
        self._known: dict[_Site, set[Value]] = {}
        """The commands that are known in one of the ways to come to them, and their names."""
        self._started: set[tuple[str, int, Value | None]] = set()
        """Where something is run that is there."""
        self._guessed: dict[_Site, list[tuple[Value, Place]]] = {}
        """The commands whose names are known in part."""
        self._unknown: dict[_Site, tuple[str, Value, Place]] = {}
        """What is done with what is not known, and where."""
        self._texts: dict[_Site, tuple[Value, Place] | None] = {}
        """The texts of `sh -c` that are not known, None where one is known in another way."""
        self.read: list[Entry] = []
        """More shell texts, which the survey did not come to."""

    def findings(self) -> Iterator[Finding]:
        for one in self._found.unset:
            if self._is_expected(one):
                self._known.setdefault((one.path, one.line, one.command), set())
        for path, script in self._found.scripts.items():
            for text, line in literals(script):
                yield from programs_in(text, Place(path, line, None), self._context)
        for run in self._runs():
            yield from self._run(run)
        for word in self._found.named:
            place = Place.of(word)
            yield from named(word.value, place, self._context, is_use=not word.is_assigned)
        yield from self._guesses()
        yield from self._gaps()

    def _is_expected(self, one: Unset) -> bool:
        return one.is_expected or one.written.removeprefix("$") in self._optional

    def _runs(self) -> Iterator[Run]:
        """The runs of the survey, and those of the configuration's command in the same files."""
        paths = self._found.scripts
        return chain(
            *(self._by_configuration.get(path, ()) for path in paths),
            self._found.runs,
        )

    def _run(self, run: Run) -> Iterator[Finding]:
        place = Place.of(run)
        for number, line in enumerate(command_lines(run.words)):
            name = line.words[0]
            if line.is_applet or (number == 0 and name.text in NAMES):
                # What a head runs is a file, even if the shell has a builtin of that name.
                self._builtin(line.words, run, place)
            else:
                yield from self._program(line, run, place)
            if name.text in _SOURCES and number == 0 and len(line.words) > 1:
                yield from self._read_file(line.words[1], "reads", run, place)
            elif name_of(line.words) in SHELLS:
                yield from self._shell(line.words, run, place)
            elif name_of(line.words) == "run-parts":
                yield from self._run_parts(line.words, place)
            yield from self._helpers(line, run, place)
        for file in program_files(run.words):
            yield from self._program_file(file, place)
        for word in run.words[1:]:
            yield from self._operand(word, place)
        yield from self._arguments(run, place)

    def _builtin(self, words: tuple[Value, ...], run: Run, place: Place) -> None:
        """What `eval` runs may be wholly unknown; what a part of it is the survey looks at."""
        if words[0].text == "eval" and words[1:] and all(map(_is_unknown, words[1:])):
            if is_users(words[1]):
                self._know(run)
            else:
                self._unknown.setdefault(_site(run), ("runs", words[1], place))
        elif words[0].text not in _SOURCES:
            self._know(run)

    def _know(self, run: Run) -> None:
        self._known.setdefault(_site(run), set()).add(run.words[0])

    def _arguments(self, run: Run, place: Place) -> Iterator[Finding]:
        if run.path in self._found.scripts and run.likelihood is not Likelihood.NEVER:
            for word in run.words[1:]:
                # What a script is given whoever starts it names, in the line where it does.
                if not (word.beginning.startswith("/") and passes_on(run.written)):
                    yield from named(word, place, self._context, is_use=True)

    def _helpers(self, line: CommandLine, run: Run, place: Place) -> Iterator[Finding]:
        for name in helpers(line.words):
            for found in programs(name, place, run.search, self._context):
                reason = place.reason(
                    "script.command", f"runs {name_of(line.words)} with {name.shown}"
                )
                yield Need(found.path, reason, Grade.HARD)

    def _program(self, line: CommandLine, run: Run, place: Place) -> Iterator[Finding]:
        name = line.words[0]
        search = line.searched(run.search)
        found = programs(name, place, search, self._context) if name.text is not None else ()
        for command in found:
            yield self._started_by(name, command, place)
        if name.text == "{}":
            yield from self._made_up("runs", name, run, place)
        elif name.text is not None or self._is_users(name) or prints_nothing(name):
            self._know(run)
        if name.text is None:
            self._guessed.setdefault(_site(run), []).append((name, place))

    def _is_users(self, name: Value) -> bool:
        """Whether a command is what whoever starts the script names, or leaves out."""
        return is_users(name) or name.shown.removeprefix("$") in self._optional

    def _started_by(self, name: Value, command: Command, place: Place) -> Need:
        self._started.add((place.path, place.line, name))
        reason = place.reason("script.command", f"runs {name.shown}")
        return Need(command.path, reason, Grade.HARD)

    def _guesses(self) -> Iterator[Finding]:
        """Commands whose name is never known, by the part of it that is."""
        for site, names in self._guessed.items():
            for name, place in names if site not in self._known else ():
                found = programs(name, place, (), self._context)
                for command in found:
                    yield self._started_by(name, command, place)
                if not found and not is_users(name) and not self._may_be_function(name):
                    yield from self._made_up("runs", name, site, place)

    def _may_be_function(self, name: Value) -> bool:
        """Whether a function of the script may have a name: `"cmd_$action"`."""
        begin, end = name.beginning, name.end
        return bool(begin or end) and any(
            one.startswith(begin) and one.endswith(end) for one in self._functions
        )

    def _made_up(self, what: str, name: Value, run: Run | _Site, place: Place) -> Iterator[Finding]:
        """What is run or read by a made-up name, out of directories that are gone through."""
        if not self._directories:
            site = run if isinstance(run, tuple) else _site(run)
            self._unknown.setdefault(site, (what, name, place))
            return
        for directory in self._directories:
            for file in directories.scripts(directory, self._context):
                reason = place.reason("script.directory", f"{what} what is in {directory}")
                yield Need(file.path, reason, Grade.HARD)
                self._follow(file)

    def _read_file(self, word: Value, what: str, run: Run, place: Place) -> Iterator[Finding]:
        """A file that is read as shell text: most have no `#!`."""
        found = directories.read_files(word, place, self._context)
        for path in found:
            yield Need(path, place.reason("script.path", f"{what} {word.shown}"), Grade.HARD)
            file = self._context.tree.file(path)
            if file is not None:
                self._follow(file)
        if found or word.text is not None or is_users(word):
            self._know(run)
        else:
            yield from self._made_up(what, word, run, place)

    def _follow(self, file: Entry) -> None:
        is_read = file.path in self._found.scripts
        # One that has a `#!` line is looked at by itself.
        if not is_read and self._context.tree.read(file, 2) != b"#!":
            self.read.append(file)

    def _program_file(self, word: Value, place: Place) -> Iterator[Finding]:
        """What a program of awk or sed in a file has a shell run."""
        path = place.absolute(word.text or "", self._context)
        entry = self._context.tree.file(path) if word.text else None
        text = decoded(self._context.tree.read(entry, LARGEST)) if entry else ""
        for command in program_texts(text):
            words = tuple(known(piece) for piece in command.split())
            for line in command_lines(words):
                for found in programs(line.words[0], place, (), self._context):
                    reason = place.reason(
                        "script.command", f"runs {word.shown}, and that {command}"
                    )
                    yield Need(found.path, reason, Grade.HARD)

    def _shell(self, words: tuple[Value, ...], run: Run, place: Place) -> Iterator[Finding]:
        """The script that a shell is given."""
        rest = [word for word in words[1:] if not word.beginning.startswith(("-", "+"))]
        options = "".join(w.text or "" for w in words[1:] if w.beginning.startswith("-"))
        if rest and "c" in options:
            is_known = not _is_unknown(rest[0]) or is_users(rest[0])
            unknown = None if is_known else (rest[0], place)
            self._texts[_site(run)] = unknown and self._texts.get(_site(run), unknown)
        elif rest and "c" not in options and "s" not in options:
            if rest[0].text == "{}":
                yield from self._made_up("runs", rest[0], run, place)
            elif "/" in rest[0].shown or rest[0].text is None:
                yield from self._read_file(rest[0], "runs", run, place)

    def _run_parts(self, words: tuple[Value, ...], place: Place) -> Iterator[Finding]:
        for word in words[1:]:
            directory = self._context.tree.directory(joined("/", word.text or "/"))
            if word.text is None or not word.text.startswith("/") or directory is None:
                continue
            for file in directories.scripts(directory.path, self._context):
                reason = place.reason("script.directory", f"runs what is in {word.text}")
                yield Need(file.path, reason, Grade.HARD)

    def _operand(self, word: Value, place: Place) -> Iterator[Finding]:
        """An operand that is a command's name: `command -v curl`, a wrapper that nobody knows."""
        text = word.text
        if text is None or len(text) < 2 or "/" in text or text in NAMES or "\0" in text:
            return
        found = self._context.command(text)
        if found is not None:
            yield Need(found.path, place.reason("script.word", f"has the word {text}"))

    def _gaps(self) -> Iterator[Finding]:
        found: dict[tuple[str, str, str], int] = {}
        for site, (what, name, place) in self._unknown.items():
            if site not in self._known:
                found.setdefault((place.path, what, name.shown), place.line)
        for name, place in filter(None, self._texts.values()):
            found.setdefault((place.path, "runs", name.shown), place.line)
        for one in self._found.unset:
            if self._is_expected(one):
                continue
            others = self._known.get((one.path, one.line, one.command), set()) - {one.following}
            if not others and (one.path, one.line, one.following) not in self._started:
                found.setdefault((one.path, "runs", one.written), one.line)
        for (path, what, written), line in found.items():
            detail = f"{what} {written!r}, which is only known at run time"
            reason = Place(path, line, None).reason("script.dynamic", detail)
            yield Gap(reason, f"keep what it {what} with --keep")


def _functions(found: Survey) -> Iterator[str]:
    for script in found.scripts.values():
        for statement in statements(script):
            if isinstance(statement.command, Function):
                yield statement.command.name


def _is_unknown(word: Value) -> bool:
    return all(isinstance(part, Unknown) for part in word.parts) and bool(word.parts)


def _site(run: Run) -> _Site:
    return run.path, run.line, run.written
