"""All commands of a script, on every branch, with what can be known of their words.

A walk says what may run under an assumption about the user. What is needed to run the script is
more: what the walk leaves out depends on arguments, files and users that another run may have. So
the script is walked as root and as another user, and every command that neither came to, or that
has a word which neither knew, is looked at by itself, with each variable holding any value that the
script gives it anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise, takewhile

from minify.shell import expansion, syntax, traversal
from minify.shell.assigning import Fields
from minify.shell.parser import parse
from minify.shell.run import PRINTED, Ending, Here, Run, Surroundings
from minify.shell.simple import Redirections, TooMuchError
from minify.shell.state import POSITIONAL, WORKING_DIRECTORY, Alternative, State
from minify.shell.syntax import Redirection, Script, Simple, Statement, Word
from minify.shell.values import (
    ANY_LIST,
    Known,
    Likelihood,
    Source,
    Unknown,
    Value,
    concatenated,
    known,
)
from minify.shell.walk import Walker

_MOST_RUNS = 40_000
_MOST_NAMED = 40_000
_MOST_ASSIGNMENTS = 2_000
_MOST_VALUES = 8
_TEXTS = frozenset(("<<", "<<-", "<<<"))


_Site = tuple[str, int, tuple[Word, ...]]
"""A command as it stands in a script: path, line, words."""


@dataclass(frozen=True, slots=True)
class Named:
    """A word anywhere in a script: an operand of a builtin, a value that is assigned, a target."""

    value: Value
    path: str
    line: int
    directory: str | None
    """The working directory; None if it is not known."""
    is_assigned: bool = False
    """Whether it is a value of a variable, which another word may use."""


@dataclass(frozen=True, slots=True)
class Unset:
    """A variable without a value, where a command stands."""

    written: str
    path: str
    line: int
    following: Value | None
    """The word that is the command then; None if there is none."""
    command: tuple[Word, ...] = ()
    """The command as it stands in the script."""
    is_expected: bool = False
    """Whether the script knows that it may have none: it asks for that, or for its truth."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What the commands of a script, and of the files that it reads, are."""

    runs: tuple[Run, ...]
    """A command may be among them several times, with other words; one that the walks did not come
    to has the likelihood NEVER."""
    named: tuple[Named, ...]
    scripts: Mapping[str, Script]
    """The script itself and the files that it reads, by path."""
    unset: tuple[Unset, ...]


def survey(script: Script, surroundings: Surroundings) -> Survey:
    """All commands of `script`; the finder of `surroundings` says what its texts are.

    `is_root` does not matter.
    """
    found = _Found()
    found.scripts[surroundings.path] = script
    for is_root in (True, False):
        surveyor = _Surveyor(replace(surroundings, is_root=is_root), script, found)
        try:
            surveyor.start(script)
        except (TooMuchError, RecursionError):
            continue  # what was not come to is looked at by itself
        finally:
            found.runs.update(dict.fromkeys(surveyor.runs))
    rest = _Surveyor(surroundings, script, found)
    rest.look_at_rest()
    found.runs.update(dict.fromkeys(rest.runs))
    return Survey(tuple(found.runs), tuple(found.named), found.scripts, tuple(found.unset))


@dataclass(slots=True)
class _Found:
    """What the walks of one survey have found together."""

    runs: dict[Run, None] = field(default_factory=dict)
    named: dict[Named, None] = field(default_factory=dict)
    scripts: dict[str, Script] = field(default_factory=dict)
    unset: dict[Unset, None] = field(default_factory=dict)
    reached: dict[int, Simple] = field(default_factory=dict)
    """The commands that a walk came to, by identity: equal ones may stand in several places."""

    def unresolved(self) -> set[_Site]:
        """Where the commands stand of which no walk knew all words."""
        every: dict[_Site, bool] = {}
        for run in self.runs:
            site = run.path, run.line, run.written
            every[site] = every.get(site, False) or None not in run.texts
        return {site for site, is_known in every.items() if not is_known}


class _Surveyor(Walker):
    """A walk that writes down what it comes to."""

    def __init__(self, surroundings: Surroundings, script: Script, found: _Found) -> None:
        super().__init__(surroundings, script)
        self._found = found
        self._at = Here(surroundings.path)
        self._unresolved: set[_Site] = set()

    def command(self, statement: Statement, state: State, here: Here) -> Likelihood:
        self._at = here
        words: Iterable[Word] = ()
        match statement.command:
            case syntax.For(_, items):
                words = items or ()
            case syntax.Test(expression):
                words = syntax.operands(expression)
            case syntax.Pipeline(parts):
                self._look_at_piped(parts, state, here)
        self._name(expansion.fields(words, state, self.assumed), state, here)
        return super().command(statement, state, here)

    def reads(self, path: str, script: Script) -> None:
        self._found.scripts[path] = script

    def simple(
        self, command: Simple, redirections: tuple[Redirection, ...], state: State, here: Here
    ) -> Likelihood:
        status = super().simple(command, redirections, state, here)
        self._found.reached[id(command)] = command
        return status

    def _look_at_piped(self, parts: Iterable[Statement], state: State, here: Here) -> None:
        """The commands in a text that is printed into a shell."""
        for writer, reader in pairwise(parts):
            if not isinstance(writer.command, Simple) or not isinstance(reader.command, Simple):
                continue
            words = expansion.fields(reader.command.words, state, self.assumed)
            if words and self.finder and self.finder.reads_text(words):
                told = expansion.fields(writer.command.words, state, self.assumed)
                given = self.redirected(writer.redirections, state)
                for text in _printed(told, given):
                    self._look_at_input(text, words, state, replace(here, line=writer.line))

    def call(
        self, words: Fields, redirections: Redirections, state: State, here: Here
    ) -> Likelihood:
        targets = (one.target for one in redirections if one.operator not in _TEXTS)
        self._name((*words, *targets), state, here)
        unset = tuple(takewhile(_is_unset, words))
        following = words[len(unset)] if len(words) > len(unset) else None
        is_asked = min(here.likelihood, state.reach) <= Likelihood.SELDOM
        is_expected = is_asked or (here.is_tolerated and following is None)
        site = here.path, here.line, following, here.written
        for word in unset:
            self._found.unset[Unset(word.shown, *site, is_expected)] = None
        if words and words[0].text == "eval":
            self._look_at_text(words[1:], state, here)
        status = super().call(words, redirections, state, here)
        for one in redirections:
            if one.operator in _TEXTS and self.finder and self.finder.reads_text(words):
                self._look_at_input(one.target, words, state, here)
        return status

    def emit(
        self,
        words: Fields,
        redirections: Redirections,
        state: State,
        here: Here,
        ending: Ending = Ending.NONE,
    ) -> None:
        if not words:
            # `$(<file)`, `while read …; done <file`: no command takes them through `call`.
            targets = (one.target for one in redirections if one.operator not in _TEXTS)
            self._name(targets, state, here)
        super().emit(words, redirections, state, here, ending)

    def _look_at_input(self, text: Value, words: Fields, state: State, here: Here) -> None:
        """The commands in a here-document for a shell."""
        script = parse(written(text).encode("utf-8", "replace"))
        if isinstance(script, Script):
            inside = state.copy()
            inside.functions = {}
            inside.reach = Likelihood.SURELY
            inside.set(POSITIONAL, *words[1:])
            self.statements(script.statements, inside, replace(here, text_line=here.line))

    def assigned(self, one: syntax.Assignment, state: State) -> Fields:
        fields = super().assigned(one, state)
        self._name(fields, state, self._at, is_assigned=True)
        return fields

    def _name(
        self, values: Iterable[Value], state: State, here: Here, *, is_assigned: bool = False
    ) -> None:
        directory = state.fields(WORKING_DIRECTORY)
        where = directory[0].text if directory else None
        for value in values:
            if len(self._found.named) < _MOST_NAMED:
                one = Named(value, here.path, here.line, where, is_assigned)
                self._found.named[one] = None

    def _look_at_text(self, words: Fields, state: State, here: Here) -> None:
        """The commands of `eval` where a part of its text is not known."""
        if all(word.text is not None for word in words):
            return
        script = parse(" ".join(map(written, words)).encode("utf-8", "replace"))
        if isinstance(script, Script):
            outer = here.written if len(script.statements) == 1 else ()
            inside = replace(here, likelihood=Likelihood.NEVER, text_line=here.line, outer=outer)
            self.statements(script.statements, state.copy(), inside)

    def look_at_rest(self) -> None:
        """Every command that no walk came to, by itself."""
        self.most_runs = _MOST_RUNS
        self._unresolved = self._found.unresolved()
        seen: set[str] = set()
        total = 0
        while pending := [path for path in self._found.scripts if path not in seen]:
            state = self._anywhere()
            for path in pending:
                seen.add(path)
                for statement in traversal.statements(self._found.scripts[path]):
                    self.steps = total
                    self._look_at(statement, state, Here(path, likelihood=Likelihood.NEVER))
                    total = self.steps

    def _look_at(self, statement: Statement, state: State, here: Here) -> None:
        here = replace(here, line=statement.line, is_tail=False)
        command = statement.command
        if not isinstance(command, Simple):
            targets = self.redirected(statement.redirections, state)
            self._name((one.target for one in targets), state, here)
            return
        is_known = (here.path, here.line, command.words) not in self._unresolved
        if id(command) in self._found.reached and is_known:
            return
        try:
            self.simple(command, statement.redirections, state.copy(), here)
        except (TooMuchError, RecursionError):
            words = expansion.fields(command.words, state, self.assumed)
            self._name(words, state, here)
            if words and len(self.runs) < _MOST_RUNS:
                self.emit(words, (), state, here)

    def _anywhere(self) -> State:
        """What a script may know somewhere: of each variable every value that it is given."""
        state = self.beginning()
        state.set(POSITIONAL, ANY_LIST)
        state.is_open = True
        assigned = [
            (Here(path, line=statement.line), one)
            for path, script in self._found.scripts.items()
            for statement in traversal.statements(script)
            for one in traversal.assignments(statement)
        ][:_MOST_ASSIGNMENTS]
        for _ in range(2):  # a value may use a variable that is assigned further down
            for self._at, one in assigned:
                self._may_be(one, state)
        for path, script in self._found.scripts.items():
            for statement in traversal.statements(script):
                if isinstance(statement.command, syntax.Function):
                    self.define(statement.command, state, Here(path))
        return state

    def _may_be(self, one: syntax.Assignment, state: State) -> None:
        before = state.variables.get(one.name, ())
        self.assign((one,), state)
        after = state.variables.get(one.name, ())
        every = dict.fromkeys(alternative.fields for alternative in (*before, *after))
        # One of which nothing is known adds nothing to others.
        some = [fields for fields in every if any(map(_is_partly_known, fields))]
        chosen = (some or list(every))[:_MOST_VALUES]
        state.assign(one.name, [Alternative(fields, Likelihood.PERHAPS) for fields in chosen])


def _printed(words: Fields, redirections: Redirections) -> Iterator[Value]:
    """The texts that a command prints which does nothing else."""
    name = words[0].text if words else None
    if name == "cat" and len(words) == 1:
        yield from (one.target for one in redirections if one.operator in _TEXTS)
    elif name == "echo":
        yield concatenated(piece for word in words[1:] for piece in (word, known(" ")))
    elif name == "printf":
        yield from words[1:]


def _is_unset(word: Value) -> bool:
    return word.source is Source.UNSET


def _is_partly_known(value: Value) -> bool:
    return any(isinstance(part, Known) and part.text for part in value.parts)


def written(value: Value) -> str:
    """A value as a text that a shell reads as the same; what is not known is a variable there."""
    return "".join(
        part.text if isinstance(part, Known) else _variable(part) for part in value.parts
    )


def _variable(part: Unknown) -> str:
    # `_` is set by the shell itself, so nobody takes it for one that is usually empty.
    if PRINTED.fullmatch(part.written):
        return part.written
    name = part.written.removeprefix("$")
    is_plain = part.written.startswith("$") and name.isidentifier()
    return f"${{{name}}}" if is_plain else "${_}"
