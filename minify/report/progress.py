"""A progress bar on a terminal, and nothing anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from minify.progress import SILENT, Advance, Progress
from minify.report.escape import printable


def for_terminal() -> Progress:
    """A bar on standard error if that is a terminal; silence otherwise, so that logs stay clean."""
    console = Console(stderr=True)
    return _Bars(console) if console.is_terminal else SILENT


class _Bars:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: Bar | None = None

    @contextmanager
    def step(self, label: str, total: int | None) -> Iterator[Advance]:
        with self._bar() as bar:
            # A file's name may hold what rich takes for markup.
            task = bar.add_task(escape(printable(label)), total=total)
            yield lambda done: bar.advance(task, done)
            bar.remove_task(task)

    @contextmanager
    def _bar(self) -> Iterator[Bar]:
        """What shows the steps; a console has one at a time, so a step within another shares it."""
        if self._shown is not None:
            yield self._shown
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
        )
        with Bar(*columns, console=self._console, transient=True) as bar:
            self._shown = bar
            try:
                yield bar
            finally:
                self._shown = None
