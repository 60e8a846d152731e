"""Commands to which a script passes its own arguments on."""

from __future__ import annotations

from collections.abc import Iterable

from minify.shell.syntax import Parameter, Part, Word


def passes_on(words: Iterable[Word]) -> bool:
    """Whether all that a command leaves to the shell are arguments: `exec gzip -d "$@"`."""
    expanded = [part for word in words if word.text is None for part in word.parts]
    return bool(expanded) and all(map(_is_argument, expanded))


def _is_argument(part: Part) -> bool:
    if not isinstance(part, Parameter) or part.operator:
        return False
    return part.name in ("@", "*") or part.name.isdigit()
