"""What is known of a value, and how sure a condition is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TypeAlias

LONGEST = 4096
"""Characters of a value; a longer one is as good as unknown."""


class Likelihood(IntEnum):
    """How sure it is that a condition holds or a command runs.

    USUALLY and SELDOM depend on what the image says and `docker run` can change: ENV, CMD. The
    logic is Kleene's with five values: not is `-x`, and is `min`, or is `max`.
    """

    NEVER = -2
    SELDOM = -1
    PERHAPS = 0
    USUALLY = 1
    SURELY = 2

    @property
    def negated(self) -> Likelihood:
        return Likelihood(-self)


class Source(Enum):
    """Where an unknown text comes from."""

    USER = "user"
    """It is the name or the number of the user that runs the script, who is not root."""
    LIST = "list"
    """It is any number of words: `"$@"` where nobody knows them."""
    UNSET = "unset"
    """It is a variable that neither the image nor the script has set: usually empty."""
    PATTERN = "pattern"
    """It is the names that match a pattern."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Known:
    text: str
    is_certain: bool = True
    """False for what the image says and `docker run` can change."""


@dataclass(frozen=True, slots=True)
class Unknown:
    written: str
    """As a script could write it, to be shown."""
    source: Source = Source.OTHER


ValuePart: TypeAlias = Known | Unknown


@dataclass(frozen=True, slots=True)
class Value:
    """One word after expansion; neighbouring known parts are one."""

    parts: tuple[ValuePart, ...]

    @property
    def text(self) -> str | None:
        """The whole text, None if a part of it is unknown."""
        if not self.parts:
            return ""
        part = self.parts[0]
        return part.text if len(self.parts) == 1 and isinstance(part, Known) else None

    @property
    def is_certain(self) -> bool:
        return all(isinstance(part, Known) and part.is_certain for part in self.parts)

    @property
    def beginning(self) -> str:
        """The known text before the first unknown part."""
        part = self.parts[0] if self.parts else None
        return part.text if isinstance(part, Known) else ""

    @property
    def end(self) -> str:
        """The known text after the last unknown part."""
        part = self.parts[-1] if self.parts else None
        return part.text if isinstance(part, Known) else ""

    @property
    def source(self) -> Source | None:
        """Where the value comes from if no part of it is known; None if a part is."""
        part = self.parts[0] if len(self.parts) == 1 else None
        return part.source if isinstance(part, Unknown) else None

    @property
    def meaning(self) -> tuple[str | Source, ...]:
        """What is known of it, without how its unknown parts are written."""
        return tuple(p.text if isinstance(p, Known) else p.source for p in self.parts)

    @property
    def shown(self) -> str:
        return "".join(p.text if isinstance(p, Known) else p.written for p in self.parts)


def known(text: str, *, is_certain: bool = True) -> Value:
    return Value((Known(text, is_certain),))


def unknown(written: str, source: Source = Source.OTHER) -> Value:
    return Value((Unknown(written, source),))


ANY_LIST = unknown("$@", Source.LIST)
"""Any number of words that nobody knows."""


def concatenated(values: Iterable[Value]) -> Value:
    """The value that `values` are when written without a space between."""
    parts: list[ValuePart] = []
    length = 0
    for value in values:
        for part in value.parts:
            last = parts[-1] if parts else None
            if isinstance(part, Known) and isinstance(last, Known):
                is_certain = last.is_certain and part.is_certain
                parts[-1] = Known(last.text + part.text, is_certain)
            else:
                parts.append(part)
            length += len(part.text if isinstance(part, Known) else part.written)
    if length > LONGEST:
        return unknown("…")
    return Value(tuple(parts))


def equal(left: Value, right: Value) -> Likelihood:
    """How sure it is that two values are the same text."""
    if left.text is None:
        left, right = right, left
    if left.text is None:
        return Likelihood.PERHAPS
    if right.text is not None:
        return of(left.text == right.text, is_certain=left.is_certain and right.is_certain)
    if right.source is Source.UNSET:
        return Likelihood.USUALLY if left.text == "" else Likelihood.SELDOM
    could_be = left.text.startswith(right.beginning) and left.text.endswith(right.end)
    rest = left.text.removeprefix(right.beginning)
    is_other = Value(right.parts[-1:]).source is Source.USER and rest in ("0", "root", "")
    if could_be and not (is_other and len(right.parts) <= 2):
        return Likelihood.PERHAPS
    return of(value=False, is_certain=left.is_certain and _is_mostly_certain(right))


def nonempty(value: Value) -> Likelihood:
    """How sure it is that a value has any text."""
    if value.text is not None:
        return of(value.text != "", is_certain=value.is_certain)
    if value.source is Source.UNSET:
        return Likelihood.SELDOM
    has_text = any(p.source is Source.USER if isinstance(p, Unknown) else p for p in value.parts)
    return Likelihood.SURELY if has_text else Likelihood.PERHAPS


def _is_mostly_certain(value: Value) -> bool:
    return all(part.is_certain for part in value.parts if isinstance(part, Known))


def of(value: bool, *, is_certain: bool) -> Likelihood:  # noqa: FBT001 (it is what is said)
    """A plain truth, surely or only usually."""
    if value:
        return Likelihood.SURELY if is_certain else Likelihood.USUALLY
    return Likelihood.NEVER if is_certain else Likelihood.SELDOM


def compared(left: Value, operator: str, right: Value) -> Likelihood:
    """How sure a comparison of numbers is: `-eq`, `-ne`, `-lt`, `-le`, `-gt`, `-ge`."""
    if left.source is Source.USER:
        return _with_user(operator, right)
    if right.source is Source.USER:
        return _with_user(_MIRRORED[operator], left)
    first, second = number(left), number(right)
    if first is None or second is None:
        return Likelihood.PERHAPS
    is_certain = left.is_certain and right.is_certain
    return of(_COMPARISONS[operator](first, second), is_certain=is_certain)


def _with_user(operator: str, right: Value) -> Likelihood:
    """A user's number, which is not 0, against another number."""
    limit = number(right)
    if limit is None:
        return Likelihood.PERHAPS
    always = {"-ne": limit == 0, "-gt": limit <= 0, "-ge": limit <= 1}
    never = {"-eq": limit == 0, "-lt": limit <= 1, "-le": limit <= 0}
    if always.get(operator):
        return of(value=True, is_certain=right.is_certain)
    if never.get(operator):
        return of(value=False, is_certain=right.is_certain)
    return Likelihood.PERHAPS


def number(value: Value) -> int | None:
    """The decimal number that a value is; None if it is none, or unknown."""
    text = (value.text or "").strip()
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 18
    return int(text) if is_number else None


_MIRRORED = {"-eq": "-eq", "-ne": "-ne", "-lt": "-gt", "-le": "-ge", "-gt": "-lt", "-ge": "-le"}
_COMPARISONS = {
    "-eq": int.__eq__,
    "-ne": int.__ne__,
    "-lt": int.__lt__,
    "-le": int.__le__,
    "-gt": int.__gt__,
    "-ge": int.__ge__,
}
COMPARISONS = frozenset(_COMPARISONS)


def likeliest(statuses: Sequence[tuple[Likelihood, Likelihood]]) -> Likelihood:
    """The status after branches, each with how likely it was taken and what its status is."""
    found = {status for _, status in statuses}
    if not found:
        return Likelihood.SURELY
    if len(found) == 1:
        return found.pop()
    weight, status = max(statuses, key=lambda one: one[0])
    if weight < Likelihood.USUALLY:
        return Likelihood.PERHAPS
    return max(min(status, Likelihood.USUALLY), Likelihood.SELDOM)
