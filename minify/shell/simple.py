"""Simple commands: builtins that change what is known, functions, scripts, and all others.

https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_14
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from minify.shell import builtins, expansion, names, syntax
from minify.shell.assigning import Assignments, Fields, restore, words_of
from minify.shell.builtins import absolute
from minify.shell.expansion import Assumption
from minify.shell.parser import ShellError, parse
from minify.shell.run import Called, Ending, Finder, Here, Redirected, Run
from minify.shell.state import POSITIONAL, WORKING_DIRECTORY, Defined, State, joined
from minify.shell.syntax import Redirection, Script, Simple, Statement, Word
from minify.shell.values import (
    Likelihood,
    Source,
    known,
    likeliest,
    number,
)

_MOST_RUNS = 5_000
_MOST_SCRIPTS = 6
_MOST_TEXTS = 200
_MOST_ALIKE = 2
"""Walks through one script that differ in nothing but its variables."""

Redirections = tuple[Redirected, ...]


class TooMuchError(Exception):
    """The walk has no end in sight."""


class SimpleCommands(Assignments):
    """The half of the walk that is about single commands; `walk` has the other."""

    def __init__(self, assumed: Assumption, finder: Finder | None) -> None:
        super().__init__(assumed)
        self.runs: list[Run] = []
        self.most_runs = _MOST_RUNS
        self.leaves = 0
        """How many `exit`, `exec` and `return` the walk has met."""
        self.exits = 0
        self.returns: list[list[tuple[State, Likelihood]]] = []
        self.rounds: list[list[State]] = []
        """What `break` and `continue` leave of each loop that the walk is in."""
        self.finder = finder
        self._texts = 0
        """How many texts of `eval` and `sh -c` have been parsed: each takes a process."""
        self._started_scripts: Counter[Hashable] = Counter()
        """How often a script was walked with the same arguments in the same position."""

    @abstractmethod
    def statements(self, body: Sequence[Statement], state: State, here: Here) -> Likelihood:
        """Walks a list of statements; gives how sure it is that the last one succeeds."""

    def reads(self, path: str, script: Script) -> None:
        """Is told of each file that the script reads with `.`."""

    def simple(
        self, command: Simple, redirections: tuple[Redirection, ...], state: State, here: Here
    ) -> Likelihood:
        targets = tuple(one.word for one in redirections)
        assigned = [word for one in command.assignments for word in words_of(one)]
        self.substitutions((*command.words, *assigned, *targets), state, here)
        if not command.words:
            self.assign(command.assignments, state)
            if redirections:
                self.emit((), self.redirected(redirections, state), state, here)
            return Likelihood.USUALLY if assigned else Likelihood.SURELY
        worlds = list(state.worlds(names.used((*command.words, *targets))))
        outcomes: list[tuple[Likelihood, State, Likelihood]] = []
        for likelihood, world in worlds:
            inside = replace(
                here,
                likelihood=min(here.likelihood, likelihood),
                written=here.outer or command.words,
            )
            words = expansion.fields(command.words, world, self.assumed)
            redirected = self.redirected(redirections, world)
            outer = {one.name: world.variables.get(one.name) for one in command.assignments}
            self.assign(command.assignments, world)
            status = self.call(words, redirected, world, inside)
            restore(outer, world)
            outcomes.append((likelihood, world, status))
        if len(outcomes) == 1:
            if worlds[0][1] is not state:
                state.become(worlds[0][1])
            return outcomes[0][2]
        state.become(joined([(likelihood, world) for likelihood, world, _ in outcomes]))
        return likeliest([(likelihood, status) for likelihood, _, status in outcomes])

    def redirected(self, redirections: Iterable[Redirection], state: State) -> Redirections:
        return tuple(
            Redirected(one.operator, expansion.value(one.word, state, self.assumed))
            for one in redirections
        )

    def substitutions(self, words: Iterable[Word], state: State, here: Here) -> None:
        """Walks the commands in `$(…)` of words; what they change is theirs."""
        inside = replace(here, is_tolerated=True, is_tail=False)
        for body in syntax.substituted(words):
            counts = self.exits, self.leaves
            self.statements(body, state.copy(), inside)
            self.exits, self.leaves = counts

    def emit(
        self,
        words: Fields,
        redirections: Redirections,
        state: State,
        here: Here,
        ending: Ending = Ending.NONE,
    ) -> None:
        if len(self.runs) >= self.most_runs:
            raise TooMuchError
        directory = state.fields(WORKING_DIRECTORY)
        if ending is Ending.NONE and here.is_background:
            ending = Ending.BACKGROUND
        elif ending is Ending.NONE and here.is_tail:
            ending = Ending.LAST
        is_checked = state.errexit >= Likelihood.USUALLY and not here.is_chained
        stops = (is_checked or here.is_guarded) and not here.is_tolerated and not here.is_contained
        self.runs.append(
            Run(
                words,
                here.path,
                here.line,
                directory[0].text if directory else None,
                min(here.likelihood, state.reach),
                redirections,
                here.is_tolerated,
                stops,
                ending,
                tuple(one.fields[0] for one in state.variables.get("PATH", ()) if one.fields),
                state.is_open,
                here.written,
            )
        )

    def call(
        self, words: Fields, redirections: Redirections, state: State, here: Here
    ) -> Likelihood:
        """One command with known words; gives how sure it is that it succeeds."""
        while words and words[0].source is Source.UNSET:
            words = words[1:]  # a variable before the command, usually empty: $SUDO chown …
        while len(words) > 1 and words[0].text in ("command", "builtin"):
            if words[1].shown.startswith("-"):
                self.emit(words, redirections, state, here)
                return Likelihood.PERHAPS
            words = words[1:]
        if not words:
            return Likelihood.PERHAPS
        name = words[0].text or ""
        function = state.functions.get(name)
        if function is not None:
            if redirections:
                self.emit((), redirections, state, here)
            return self._function(function, words, state, here)
        builtin = _BUILTINS.get(name)
        if builtin is not None:
            return builtin(self, words, redirections, state, here)
        plain = builtins.PLAIN.get(name)
        if plain is None:
            return self._program(words, redirections, state, here)
        if redirections:
            self.emit((), redirections, state, here)
        return plain(words, state)

    def _function(self, defined: Defined, words: Fields, state: State, here: Here) -> Likelihood:
        function = defined.function
        if function.name in here.functions:
            state.is_open = True  # it calls itself: what it does has been walked once
            return Likelihood.PERHAPS
        here = replace(
            here,
            path=defined.path,
            text_line=defined.text_line,
            outer=(),
            functions=(*here.functions, function.name),
        )
        outer = state.variables.get(POSITIONAL)
        state.set(POSITIONAL, *words[1:])
        status = self.returning((function.body,), state, here)
        if outer is not None:
            state.variables[POSITIONAL] = outer
        return status

    def returning(self, body: Sequence[Statement], state: State, here: Here) -> Likelihood:
        """Walks what `return` ends: a function, a file that is read."""
        before, exits = state.reach, self.exits
        self.returns.append([])
        status = self.statements(body, state, here)
        returned = self.returns.pop()
        outcomes = [(one.reach, one, found) for one, found in returned]
        if state.reach > Likelihood.NEVER:
            outcomes.append((state.reach, state.copy(), status))
        if not outcomes:
            return status
        after = joined([(reach, one) for reach, one, _ in outcomes])
        if self.exits == exits:
            after.reach = before
        state.become(after)
        return likeliest([(reach, found) for reach, _, found in outcomes])

    def _program(
        self, words: Fields, redirections: Redirections, state: State, here: Here
    ) -> Likelihood:
        self.emit(words, redirections, state, here)
        self.script(words, state, here)
        name = (words[0].text or "").rpartition("/")[2]
        return Likelihood.USUALLY if name in builtins.DOERS else Likelihood.PERHAPS

    def script(self, words: Fields, state: State, here: Here) -> None:
        """Walks the script that a command starts, in a state of its own."""
        for called in self._started(words, state, here):
            self._script(called, state, here)

    def _script(self, called: Called, state: State, here: Here) -> None:
        inside = state.copy()
        inside.functions = {}
        is_checked = "e" in called.script.options
        inside.errexit = Likelihood.SURELY if is_checked else Likelihood.NEVER
        inside.set(POSITIONAL, *called.arguments)
        name = known(called.path) if called.path else called.name
        if name is not None:
            inside.set("0", name)
        is_fatal = here.is_tail or (state.errexit >= Likelihood.USUALLY and not here.is_chained)
        there = replace(
            here,
            path=called.path or here.path,
            text_line=0 if called.path else here.line,
            scripts=(*here.scripts, called.path),
            is_contained=here.is_contained or not is_fatal,
        )
        meanings = tuple(argument.meaning for argument in called.arguments)
        key = (called.path, meanings, state.reach, there.without_place)
        self._started_scripts[key] += 1
        if called.path and self._started_scripts[key] > _MOST_ALIKE:
            return
        counts = self.exits, self.leaves
        assumed, self.assumed = self.assumed, replace(self.assumed, is_bash=called.script.is_bash)
        self.statements(called.script.statements, inside, there)
        self.assumed = assumed
        self.exits, self.leaves = counts

    def _started(self, words: Fields, state: State, here: Here) -> Iterator[Called]:
        if self.finder is None or len(here.scripts) >= _MOST_SCRIPTS:
            return
        directory = state.fields(WORKING_DIRECTORY)
        for called in self.finder.started(words, directory[0].text if directory else None):
            if not called.path:
                self._count_text()
            if not called.path or called.path not in here.scripts:
                yield called

    def _count_text(self) -> None:
        self._texts += 1
        if self._texts > _MOST_TEXTS:
            raise TooMuchError

    # Builtins

    def leave(self, state: State) -> None:
        state.reach = Likelihood.NEVER
        self.leaves += 1

    def exec(
        self, words: Fields, redirections: Redirections, state: State, here: Here
    ) -> Likelihood:
        rest = words[1:]
        while rest and rest[0].shown.startswith("-"):
            rest = rest[2:] if rest[0].text == "-a" else rest[1:]
        if not rest:
            if redirections:
                self.emit((), redirections, state, here)
            return Likelihood.SURELY
        self.emit(rest, redirections, state, here, Ending.EXEC)
        self.script(rest, state, replace(here, is_tail=True))
        self.exits += 1
        self.leave(state)
        return Likelihood.USUALLY

    def exit(self, words: Fields, _: Redirections, state: State, here: Here) -> Likelihood:
        self.emit(words, (), state, here, Ending.EXIT)
        state.has_failed = len(words) > 1 and words[1].text != "0"
        self.exits += 1
        self.leave(state)
        return Likelihood.SURELY

    def return_(self, words: Fields, _: Redirections, state: State, here: Here) -> Likelihood:
        status = Likelihood.PERHAPS
        if len(words) > 1 and (text := words[1].text) is not None:
            status = Likelihood.SURELY if text == "0" else Likelihood.NEVER
        if not self.returns:  # of the script itself
            self.exits += 1
        else:
            returned = state.copy()
            returned.reach = min(state.reach, here.likelihood)
            self.returns[-1].append((returned, status))
        self.leave(state)
        return status

    def interrupt(self, words: Fields, _: Redirections, state: State, here: Here) -> Likelihood:
        """`break` and `continue`."""
        count = number(words[1]) if len(words) > 1 else 1
        if self.rounds:
            ended = state.copy()
            ended.reach = min(state.reach, here.likelihood)
            outermost = len(self.rounds)
            self.rounds[-min(max(count or 1, 1), outermost)].append(ended)
        state.reach = Likelihood.NEVER
        return Likelihood.SURELY

    def source(
        self, words: Fields, redirections: Redirections, state: State, here: Here
    ) -> Likelihood:
        self.emit(words, redirections, state, here)
        directory = state.fields(WORKING_DIRECTORY)
        path = absolute(words[1], directory[0].text if directory else None) if words[1:] else None
        script = self.finder.sourced(path) if self.finder and path else None
        if script is None or path is None or path in here.scripts:
            state.is_open = True
            return Likelihood.USUALLY
        if len(here.scripts) >= _MOST_SCRIPTS:
            raise TooMuchError
        self.reads(path, script)
        scripts = (*here.scripts, path)
        there = replace(here, path=path, scripts=scripts, is_tail=False, text_line=0)
        self.returning(script.statements, state, there)
        return Likelihood.USUALLY

    def eval(self, words: Fields, _: Redirections, state: State, here: Here) -> Likelihood:
        while len(words) > 1 and words[1].text == "eval":
            words = words[1:]
        texts = [word.text for word in words[1:]]
        plain = [text for text in texts if text is not None]
        self._count_text()
        script = parse(" ".join(plain).encode("utf-8", "replace")) if plain == texts else None
        if script is None or isinstance(script, ShellError):
            self.emit(words, (), state, here)
            state.is_open = True
            return Likelihood.PERHAPS
        outer = here.written if len(script.statements) == 1 else ()
        here = replace(here, depth=here.depth + 1, text_line=here.line, outer=outer)
        return self.statements(script.statements, state, here)


_Builtin = Callable[[SimpleCommands, Fields, Redirections, State, Here], Likelihood]

_BUILTINS: Mapping[str, _Builtin] = {
    ".": SimpleCommands.source,
    "break": SimpleCommands.interrupt,
    "continue": SimpleCommands.interrupt,
    "eval": SimpleCommands.eval,
    "exec": SimpleCommands.exec,
    "exit": SimpleCommands.exit,
    "return": SimpleCommands.return_,
    "source": SimpleCommands.source,
}
