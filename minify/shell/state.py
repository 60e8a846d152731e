"""What a script knows at one point: variables, positional parameters, directory, options.

A variable may have several values, of branches that joined: each with how likely it is. Where a
command's words use such variables, it is looked at once in each of the `worlds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

from minify.shell.syntax import Function
from minify.shell.values import Likelihood, Source, Value, unknown

POSITIONAL = "@"
"""The name of the positional parameters among the variables; `0` is `$0`."""

WORKING_DIRECTORY = "PWD"

_SET_BY_OTHERS = frozenset(
    """
    BASH BASHPID BASH_VERSION EUID FUNCNAME GROUPS HOME HOSTNAME HOSTTYPE IFS LINENO LOGNAME OLDPWD
    OPTARG OPTIND OSTYPE PATH PIPESTATUS PPID PWD RANDOM REPLY SECONDS SHELL SHLVL TERM UID USER _
    """.split()
)
"""Variables that a shell or a runtime sets."""

_MOST_VALUES = 8
_MOST_WORLDS = 16
_MOST_VARIABLES = 512
_MOST_WORDS = 256

Fields = tuple[Value, ...]
"""A variable's words: one, or those of an array."""


@dataclass(frozen=True, slots=True)
class Alternative:
    fields: Fields
    likelihood: Likelihood = Likelihood.SURELY


Variables = dict[str, tuple[Alternative, ...]]


@dataclass(frozen=True, slots=True)
class Defined:
    """A function and where it is defined."""

    function: Function
    path: str
    text_line: int = 0
    """The line of the text that defines it, where that is a word of a command; else 0."""


@dataclass(slots=True)
class State:
    """Changed by the walker as it goes; each branch has its own copy."""

    variables: Variables = field(default_factory=dict)
    functions: dict[str, Defined] = field(default_factory=dict)
    reach: Likelihood = Likelihood.SURELY
    """How likely it is that this point is reached from the beginning of the branch."""
    errexit: Likelihood = Likelihood.NEVER
    """Whether a failure ends the script: `set -e`."""
    has_failed: bool = False
    """Whether the script has ended here by a failure of its own: `exit 1`."""
    is_open: bool = False
    """Whether something that is not known may have set variables: a file that was sourced."""

    def copy(self) -> State:
        variables, functions = dict(self.variables), dict(self.functions)
        return State(variables, functions, self.reach, self.errexit, self.has_failed, self.is_open)

    def become(self, other: State) -> None:
        """Takes over what another state, which is not used again, holds."""
        self.variables, self.functions = other.variables, other.functions
        self.reach, self.errexit, self.is_open = other.reach, other.errexit, other.is_open
        self.has_failed = other.has_failed

    def unset(self, name: str) -> Value:
        """The value of a variable that is not among the known ones."""
        is_set = self.is_open or name in _SET_BY_OTHERS or not name.isidentifier()
        return unknown(f"${name}", Source.OTHER if is_set else Source.UNSET)

    def fields(self, name: str) -> Fields | None:
        """The words of a variable that has one value; None if nothing is known of it."""
        found = self.variables.get(name, ())
        return found[0].fields if len(found) == 1 else None

    def assign(self, name: str, alternatives: Sequence[Alternative]) -> None:
        """Sets a variable; of too many values those that are known stay, and an unknown one."""
        if len(self.variables) >= _MOST_VARIABLES and name not in self.variables:
            return
        is_long = any(len(one.fields) > _MOST_WORDS for one in alternatives)
        if not alternatives or is_long:
            alternatives = (Alternative((unknown(f"${name}"),)),)
        if len(alternatives) > _MOST_VALUES:
            known = [one for one in alternatives if all(v.text is not None for v in one.fields)]
            likelihood = max(one.likelihood for one in alternatives)
            other = Alternative((unknown(f"${name}"),), likelihood)
            alternatives = (*known[: _MOST_VALUES - 1], other)
        self.variables[name] = tuple(alternatives)

    def set(self, name: str, *fields: Value) -> None:
        self.assign(name, (Alternative(fields),))

    def worlds(self, names: Iterable[str]) -> Iterator[tuple[Likelihood, State]]:
        """This state once for each combination of the values of the variables `names`.

        Where these are too many, the variables that come last are unknown: the first is most often
        the command itself.
        """
        several: list[str] = []
        others: list[str] = []
        combinations = 1
        for name in dict.fromkeys(names):
            number = len(self.variables.get(name, ()))
            if number > 1 and combinations * number <= _MOST_WORLDS:
                several.append(name)
                combinations *= number
            elif number > 1:
                others.append(name)
        if not several:
            yield Likelihood.SURELY, self
            return
        for chosen in product(*(self.variables[name] for name in several)):
            state = self.copy()
            for name in others:
                state.set(name, unknown(f"${name}"))
            state.variables.update(
                (name, (one,)) for name, one in zip(several, chosen, strict=True)
            )
            yield min(one.likelihood for one in chosen), state


def joined(branches: Sequence[tuple[Likelihood, State]]) -> State:
    """The state after branches, each with how likely it was taken; the likeliest comes first."""
    alive = [(weight, state) for weight, state in branches if state.reach > Likelihood.NEVER]
    alive = [(weight, state) for weight, state in alive if weight > Likelihood.NEVER]
    if not alive:
        state = branches[0][1].copy()
        state.reach = Likelihood.NEVER
        return state
    reach = _joined_reach(_expected(branches))
    alive.sort(key=lambda branch: branch[0], reverse=True)
    if len(alive) == 1:
        state = alive[0][1].copy()
        state.reach = reach
        return state
    state = State(reach=reach, is_open=any(branch.is_open for _, branch in alive))
    names = dict.fromkeys(name for _, branch in alive for name in branch.variables)
    first = alive[0][1].variables
    for name in names:
        same = first.get(name)
        if same is not None and all(one.variables.get(name) is same for _, one in alive):
            state.variables[name] = same
        else:
            state.assign(name, _joined_values(name, alive))
    for _, branch in reversed(alive):
        state.functions.update(branch.functions)
    options = {branch.errexit for _, branch in alive}
    state.errexit = options.pop() if len(options) == 1 else Likelihood.PERHAPS
    return state


def _expected(
    branches: Sequence[tuple[Likelihood, State]],
) -> list[tuple[Likelihood, Likelihood]]:
    """The weight and reach of branches, where one that ends as a failure is not expected.

    `[ -f config ] || exit 1`: an image for which that fails is no use to anybody.
    """
    taken = [(weight, state) for weight, state in branches if weight > Likelihood.NEVER]
    failed = [w for w, s in taken if s.has_failed and w <= Likelihood.PERHAPS]
    others = [(weight, state.reach) for weight, state in taken if not state.has_failed]
    if not failed or not others:
        return [(weight, state.reach) for weight, state in taken]
    if len(others) == 1:
        return [(Likelihood.USUALLY, min(others[0][1], Likelihood.USUALLY))]
    return [(weight, min(reach, Likelihood.USUALLY)) for weight, reach in others]


def _joined_values(name: str, branches: Sequence[tuple[Likelihood, State]]) -> list[Alternative]:
    values = [
        branch.variables.get(name, (Alternative((branch.unset(name),)),)) for _, branch in branches
    ]
    if all(value == values[0] for value in values):
        return list(values[0])
    found: dict[Fields, Likelihood] = {}
    for (weight, _), alternatives in zip(branches, values, strict=True):
        for one in alternatives:
            likelihood = min(weight, one.likelihood)
            found[one.fields] = max(found.get(one.fields, likelihood), likelihood)
    return [Alternative(fields, likelihood) for fields, likelihood in found.items()]


def _joined_reach(branches: Sequence[tuple[Likelihood, Likelihood]]) -> Likelihood:
    """How likely the point after branches is reached, of each branch's weight and reach.

    It is not where there is no branch that may be taken.
    """
    if not branches:
        return Likelihood.NEVER
    reaches = {reach for _, reach in branches}
    if len(reaches) == 1:
        return reaches.pop()
    weight, reach = max(branches, key=lambda branch: branch[0])
    if weight >= Likelihood.USUALLY:
        if reach > Likelihood.NEVER:
            return min(weight, reach)
        return max(min(weight, reach) for weight, reach in branches if reach > Likelihood.NEVER)
    if min(reaches) > Likelihood.NEVER:
        return min(reaches)
    return max(min(weight, reach) for weight, reach in branches if reach > Likelihood.NEVER)
