"""How long steps say how far they are, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]
"""Called with the number of units (bytes, mostly) done since the last call."""


class Progress(Protocol):
    """Listens to steps; `report.progress` draws a bar, `SILENT` does nothing."""

    def step(self, label: str, total: int | None) -> AbstractContextManager[Advance]:
        """Begins a step of `total` units, None if it is not known how many there are."""


class _Silent:
    @contextmanager
    def step(self, label: str, total: int | None) -> Iterator[Advance]:  # noqa: ARG002
        yield lambda _: None


SILENT: Progress = _Silent()
