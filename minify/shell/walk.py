"""The commands that a script may run, under an assumption about its user.

A walk goes through the script as the shell would, with what is known (`state`). Where a condition
is not known both branches are walked, and what follows them knows what they have in common.
Functions are walked where they are called, and so are scripts that a command starts or reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from minify.shell import conditions, expansion, names, syntax
from minify.shell.expansion import Assumption
from minify.shell.run import Here, Surroundings, Walk
from minify.shell.simple import SimpleCommands, TooMuchError
from minify.shell.state import POSITIONAL, WORKING_DIRECTORY, Alternative, Defined, State, joined
from minify.shell.syntax import Script, Statement, Word
from minify.shell.values import (
    ANY_LIST,
    Likelihood,
    Source,
    Value,
    concatenated,
    known,
    likeliest,
    unknown,
)

_MOST_STEPS = 5_000
_DEEPEST = 80
"""Of statements within statements, functions and scripts included."""


def walk(script: Script, surroundings: Surroundings) -> Walk:
    """The commands that `script` may run, in its order; what surely does not run is not among them.

    Bounded: after some thousand commands the walk ends with `trouble`.
    """
    walker = Walker(surroundings, script)
    try:
        walker.start(script)
    except (TooMuchError, RecursionError):
        return Walk(tuple(walker.runs), "it runs too many commands to follow them all")
    return Walk(tuple(walker.runs))


class Walker(SimpleCommands):
    def __init__(self, surroundings: Surroundings, script: Script) -> None:
        super().__init__(Assumption(surroundings.is_root, script.is_bash), surroundings.finder)
        self._surroundings = surroundings
        self.steps = 0

    def start(self, script: Script) -> None:
        around = self._surroundings
        state = self.beginning()
        state.errexit = Likelihood.SURELY if "e" in script.options else Likelihood.NEVER
        self.statements(script.statements, state, Here(around.path, scripts=(around.path,)))

    def beginning(self) -> State:
        """What a script knows before its first command."""
        around = self._surroundings
        state = State()
        for name, text in around.environment.items():
            state.set(name, _usual(text))
        state.set("0", _usual(around.path))
        state.set(WORKING_DIRECTORY, _usual(around.directory))
        arguments: tuple[Value, ...] = (ANY_LIST,)
        if around.arguments is not None:
            arguments = tuple(map(_usual, around.arguments))
        state.set(POSITIONAL, *arguments)
        return state

    def statements(self, body: Sequence[Statement], state: State, here: Here) -> Likelihood:
        """Walks a list of statements; gives how sure it is that the last one succeeds."""
        status = Likelihood.SURELY
        for number, statement in enumerate(body, 1):
            if state.reach <= Likelihood.NEVER:
                break
            is_tail = here.is_tail and number == len(body)
            status = self._statement(statement, state, replace(here, is_tail=is_tail))
        return status

    def _statement(self, statement: Statement, state: State, here: Here) -> Likelihood:
        self.steps += 1
        if self.steps > _MOST_STEPS or here.depth > _DEEPEST:
            raise TooMuchError
        here = replace(here, depth=here.depth + 1, line=here.text_line or statement.line)
        if statement.is_negated:
            here = replace(here, is_tolerated=True)
        if statement.is_background:
            background = replace(here, is_background=True, is_tail=False)
            self.command(statement, state.copy(), background)
            return Likelihood.SURELY
        status = self.command(statement, state, here)
        return status.negated if statement.is_negated else status

    def command(self, statement: Statement, state: State, here: Here) -> Likelihood:
        command = statement.command
        if isinstance(command, syntax.Simple):
            return self.simple(command, statement.redirections, state, here)
        redirected = self.redirected(statement.redirections, state)
        if redirected:
            self.emit((), redirected, state, replace(here, is_tail=False))
        handler = _HANDLERS[type(command)]
        return handler(self, command, state, here)

    def _in_branch(
        self, body: Sequence[Statement], state: State, here: Here, weight: Likelihood
    ) -> tuple[State, Likelihood]:
        """The state and the status after a branch that is taken with the likelihood `weight`."""
        branch = state.copy()
        branch.reach = Likelihood.SURELY
        inside = replace(here, likelihood=min(here.likelihood, state.reach, weight))
        return branch, self.statements(body, branch, inside)

    def _join(self, state: State, branches: Sequence[tuple[Likelihood, State]]) -> None:
        """Makes `state` what it is after the branches."""
        before = state.reach
        after = joined(branches)
        after.reach = min(before, after.reach)
        state.become(after)

    def group(self, command: syntax.Group, state: State, here: Here) -> Likelihood:
        return self.statements(command.body, state, here)

    def subshell(self, command: syntax.Subshell, state: State, here: Here) -> Likelihood:
        exits = self.exits, self.leaves
        status = self.statements(command.body, state.copy(), here)
        self.exits, self.leaves = exits
        return status

    def pipeline(self, command: syntax.Pipeline, state: State, here: Here) -> Likelihood:
        exits = self.exits, self.leaves
        status = Likelihood.SURELY
        for number, part in enumerate(command.parts, 1):
            is_last = number == len(command.parts)
            inside = here if is_last else replace(here, is_tolerated=True, is_tail=False)
            status = self._statement(part, state.copy(), inside)
        self.exits, self.leaves = exits
        return status

    def and_or(self, command: syntax.AndOr, state: State, here: Here) -> Likelihood:
        operators = command.operators
        parts = command.parts
        inside = [_before(operators[at:], parts[at + 1 :], here) for at in range(len(operators))]
        inside.append(here)
        status = self._statement(command.parts[0], state, inside[0])
        for operator, part, where in zip(operators, command.parts[1:], inside[1:], strict=True):
            weight = status if operator == "&&" else status.negated
            if weight <= Likelihood.NEVER or state.reach <= Likelihood.NEVER:
                continue
            branch, found = self._in_branch((part,), state, where, weight)
            skipped = state.copy()
            skipped.reach = Likelihood.SURELY
            self._join(state, [(weight, branch), (weight.negated, skipped)])
            if branch.reach > Likelihood.NEVER:
                status = min(status, found) if operator == "&&" else max(status, found)
        return status

    def if_(self, command: syntax.If, state: State, here: Here) -> Likelihood:
        branches: list[tuple[Likelihood, State]] = []
        statuses: list[tuple[Likelihood, Likelihood]] = []
        rest = state.copy()
        rest.reach = Likelihood.SURELY
        others = Likelihood.SURELY
        outer = replace(here, likelihood=min(here.likelihood, state.reach))
        for one in command.branches:
            asked = replace(outer, is_tolerated=True, is_tail=False)
            asked = replace(asked, likelihood=min(asked.likelihood, others))
            truth = self.statements(one.condition, rest, asked)
            weight = min(others, truth)
            if weight > Likelihood.NEVER and rest.reach > Likelihood.NEVER:
                branch, status = self._in_branch(one.body, rest, outer, weight)
                branches.append((weight, branch))
                statuses.append((weight, status))
            others = min(others, truth.negated)
            if others <= Likelihood.NEVER:
                break
        if others > Likelihood.NEVER and rest.reach > Likelihood.NEVER:
            branch, status = self._in_branch(command.otherwise, rest, outer, others)
            branches.append((others, branch))
            statuses.append((others, status))
        self._join(state, branches or [(Likelihood.SURELY, rest)])
        return likeliest(statuses)

    def case(self, command: syntax.Case, state: State, here: Here) -> Likelihood:
        branches: list[tuple[Likelihood, State]] = []
        statuses: list[tuple[Likelihood, Likelihood]] = []
        others = Likelihood.SURELY
        falls = Likelihood.NEVER
        self.substitutions((command.word,), state, here)
        for choice in command.choices:
            truth = self._matches(command.word, choice.patterns, state)
            weight = max(min(others, truth), falls)
            falls = min(weight, Likelihood.PERHAPS) if choice.falls_through else Likelihood.NEVER
            if weight > Likelihood.NEVER:
                taken = state if choice.falls_through else _narrowed(command.word, choice, state)
                branch, status = self._in_branch(choice.body, taken, here, weight)
                branches.append((weight, _widened(branch, taken, state)))
                statuses.append((weight, status))
            others = min(others, truth.negated)
        if others > Likelihood.NEVER or not branches:
            skipped = state.copy()
            skipped.reach = Likelihood.SURELY
            branches.append((max(others, Likelihood.SELDOM), skipped))
            statuses.append((others, Likelihood.SURELY))
        self._join(state, branches)
        return likeliest(statuses)

    def _matches(self, word: Word, patterns: Sequence[Word], state: State) -> Likelihood:
        def truth(world: State) -> Likelihood:
            value = expansion.value(word, world, self.assumed)
            found = (expansion.value(pattern, world, self.assumed) for pattern in patterns)
            return max((conditions.matches(value, one) for one in found), default=Likelihood.NEVER)

        return _in_worlds(truth, names.used((word, *patterns)), state)

    def for_(self, command: syntax.For, state: State, here: Here) -> Likelihood:
        self.substitutions(command.items or (), state, here)
        words = state.fields(POSITIONAL) or ()
        if command.items is not None:
            words = expansion.fields(command.items, state, self.assumed)
        is_known = all(word.source not in (Source.LIST, Source.PATTERN) for word in words)
        weight = Likelihood.SURELY if words and is_known else Likelihood.PERHAPS
        if not words:
            return Likelihood.SURELY
        one_each = [Alternative((word,)) for word in dict.fromkeys(words)]
        return self._loop(command.body, state, here, (weight, {command.name: one_each}))

    def while_(self, command: syntax.While, state: State, here: Here) -> Likelihood:
        asked = replace(here, is_tolerated=True, is_tail=False)
        truth = self.statements(command.condition, state, asked)
        weight = truth.negated if command.is_until else truth
        if weight <= Likelihood.NEVER:
            return Likelihood.SURELY
        return self._loop(command.body, state, here, (weight, {}))

    def endless(self, command: syntax.ArithmeticFor, state: State, here: Here) -> Likelihood:
        return self._loop(command.body, state, here, (Likelihood.PERHAPS, {}))

    def _loop(
        self,
        body: Sequence[Statement],
        state: State,
        here: Here,
        entered: tuple[Likelihood, Mapping[str, Sequence[Alternative]]],
    ) -> Likelihood:
        """Walks a body once, for any of its rounds: what it sets is unknown when it begins."""
        weight, variables = entered
        round_ = state.copy()
        for name in names.assigned(body):
            earlier = round_.variables.get(name, (Alternative((round_.unset(name),)),))
            later = (ANY_LIST,) if name == POSITIONAL else (unknown(f"${name}"),)
            round_.assign(name, (*earlier, Alternative(later, Likelihood.PERHAPS)))
        for name, alternatives in variables.items():
            round_.assign(name, alternatives)
        leaves, reach = self.leaves, state.reach
        self.rounds.append([])
        branch, _ = self._in_branch(body, round_, replace(here, is_tail=False), weight)
        ended = [(min(weight, one.reach), one) for one in self.rounds.pop()]
        if self.leaves == leaves:
            for one in (branch, *(one for _, one in ended)):
                one.reach = Likelihood.SURELY
        skipped = state.copy()
        skipped.reach = Likelihood.SURELY
        rest = (min(weight.negated, Likelihood.PERHAPS), skipped)
        self._join(state, [(weight, branch), *ended, rest])
        if self.leaves == leaves:
            state.reach = reach
        return Likelihood.SURELY

    def define(self, command: syntax.Function, state: State, here: Here) -> Likelihood:
        state.functions[command.name] = Defined(command, here.path, here.text_line)
        return Likelihood.SURELY

    def declaration(self, command: syntax.Declaration, state: State, here: Here) -> Likelihood:
        values = (one.value for one in command.assignments)
        self.substitutions((value for value in values if value is not None), state, here)
        self.assign(command.assignments, state)
        return Likelihood.SURELY

    def test(self, command: syntax.Test, state: State, here: Here) -> Likelihood:
        expression = command.expression
        self.substitutions(syntax.operands(expression), state, here)

        def truth(world: State) -> Likelihood:
            return conditions.double_bracket(expression, world, self.assumed)

        return _in_worlds(truth, names.used_by(expression), state)

    def calculate(self, command: syntax.Calculation, state: State, here: Here) -> Likelihood:
        for one in command.expressions:
            self.substitutions(syntax.operands(one), state, here)
            for name in names.set_by(one):
                state.set(name, unknown(f"${name}"))
        if not command.expressions:
            return Likelihood.PERHAPS
        last = command.expressions[-1]

        def truth(world: State) -> Likelihood:
            return conditions.calculation(last, world, self.assumed)

        return _in_worlds(truth, names.used_by(last), state)


_HANDLERS: Mapping[type, Callable[[Walker, Any, State, Here], Likelihood]] = {
    syntax.AndOr: Walker.and_or,
    syntax.ArithmeticFor: Walker.endless,
    syntax.Calculation: Walker.calculate,
    syntax.Case: Walker.case,
    syntax.Declaration: Walker.declaration,
    syntax.For: Walker.for_,
    syntax.Function: Walker.define,
    syntax.Group: Walker.group,
    syntax.If: Walker.if_,
    syntax.Pipeline: Walker.pipeline,
    syntax.Subshell: Walker.subshell,
    syntax.Test: Walker.test,
    syntax.While: Walker.while_,
}


def _usual(text: str) -> Value:
    """A value that the image gives, and `docker run` may change."""
    return known(text, is_certain=False)


def _narrowed(word: Word, choice: syntax.Choice, state: State) -> State:
    """`state`, where a variable that holds names of a pattern has the ending of a `case`'s choice.

    So `for f in /x/*; do case "$f" in *.sh) . "$f"` reads no other files.
    """
    part = word.parts[0] if len(word.parts) == 1 else None
    fields = state.fields(part.name) if isinstance(part, syntax.Parameter) else None
    endings = [_ending(pattern) for pattern in choice.patterns]
    if fields is None or len(fields) != 1 or not all(endings):
        return state
    last = fields[0].parts[-1:]
    if Value(last).source is not Source.PATTERN or not isinstance(part, syntax.Parameter):
        return state
    narrowed = state.copy()
    found = [Alternative((concatenated((fields[0], known(one))),)) for one in endings if one]
    narrowed.assign(part.name, found)
    return narrowed


def _ending(pattern: Word) -> str:
    """`.sh` of `*.sh`; empty for another pattern."""
    first, *rest = pattern.parts or (None,)
    is_any = isinstance(first, syntax.Pattern) and first.text == "*"
    return (Word(tuple(rest)).text or "") if is_any else ""


def _widened(branch: State, taken: State, state: State) -> State:
    """What a branch leaves behind: what it was narrowed to is what it was, unless it was set."""
    for name, before in state.variables.items():
        narrowed = taken.variables.get(name)
        if narrowed is not before and branch.variables.get(name) is narrowed:
            branch.variables[name] = before
    return branch


def _in_worlds(
    truth: Callable[[State], Likelihood], used: Iterable[str], state: State
) -> Likelihood:
    return likeliest([(weight, truth(world)) for weight, world in state.worlds(used)])


def _before(operators: Sequence[str], following: Sequence[Statement], here: Here) -> Here:
    """Where a part of `a && b || c` stands, of the operators and parts that follow it."""
    for operator, part in zip(operators, following, strict=True):
        if operator == "||":
            if _gives_up(part):
                return replace(here, is_guarded=True, is_tail=False)
            return replace(here, is_tolerated=True, is_tail=False)
    return replace(here, is_chained=True, is_tail=False, is_guarded=here.is_tail)


def _gives_up(statement: Statement) -> bool:
    """Whether what follows `||` ends the script as a failure."""
    command = statement.command
    while isinstance(command, syntax.Group) and command.body:
        command = command.body[-1].command
    if not isinstance(command, syntax.Simple) or not command.words:
        return False
    texts = [word.text for word in command.words]
    return texts[0] in ("exit", "return", "die", "fatal", "false") and texts[1:] != ["0"]
