"""What assignments do to variables, to arrays and to their elements.

https://www.gnu.org/software/bash/manual/html_node/Arrays.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from minify.shell import expansion, names, syntax
from minify.shell.expansion import Assumption
from minify.shell.state import Alternative, State
from minify.shell.syntax import Word
from minify.shell.values import Likelihood, Value, concatenated, unknown

Fields = tuple[Value, ...]


class Assignments:
    """The part of the walk that gives variables their values."""

    def __init__(self, assumed: Assumption) -> None:
        self.assumed = assumed

    def assign(self, assignments: Iterable[syntax.Assignment], state: State) -> None:
        for one in assignments:
            self._assign(one, state)

    def _assign(self, one: syntax.Assignment, state: State) -> None:
        if one.value is None and one.items is None:
            return
        used = (*names.used(words_of(one)), *((one.name,) if one.is_appended else ()))
        found: dict[Fields, Likelihood] = {}
        for likelihood, world in state.worlds(used):
            fields = self.assigned(one, world)
            found[fields] = max(found.get(fields, likelihood), likelihood)
        if one.is_element or one.items is not None:
            self._assign_elements(one, found, state)
        if one.is_element:
            state.set(one.name, unknown(f"${one.name}"))
        else:
            state.assign(one.name, [Alternative(*item) for item in found.items()])

    def _assign_elements(
        self, one: syntax.Assignment, found: Iterable[Fields], state: State
    ) -> None:
        """Any one element may be each of those of the array, the earlier ones included."""
        name = names.elements(one.name)
        earlier = state.variables.get(name, ()) if one.is_element or one.is_appended else ()
        new = (Alternative((value,)) for fields in found for value in fields)
        every = dict.fromkeys(replace(a, likelihood=Likelihood.PERHAPS) for a in (*earlier, *new))
        if every:
            state.assign(name, list(every))

    def assigned(self, one: syntax.Assignment, state: State) -> Fields:
        before = state.fields(one.name) or () if one.is_appended else ()
        if one.items is not None:
            return (*before, *expansion.fields(one.items, state, self.assumed))
        value = expansion.value(one.value or Word(()), state, self.assumed)
        return (concatenated((*before[:1], value)),)


def restore(outer: Mapping[str, tuple[Alternative, ...] | None], state: State) -> None:
    """Ends what `name=value command` has set for the command alone."""
    for name, alternatives in outer.items():
        state.variables.pop(name, None)
        if alternatives is not None:
            state.variables[name] = alternatives


def words_of(one: syntax.Assignment) -> tuple[Word, ...]:
    """The words that are expanded for an assignment."""
    return one.items if one.items is not None else (one.value,) if one.value else ()
