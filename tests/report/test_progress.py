from __future__ import annotations

import io
from contextlib import suppress

from rich.console import Console

from minify.report.progress import _Bars


def test_a_step_within_another_shares_its_bar() -> None:
    output = io.StringIO()
    bars = _Bars(Console(file=output, force_terminal=True, width=80))
    for _ in range(2):  # the second time after an error
        with suppress(ZeroDivisionError), bars.step("pushing", 10) as outer:
            with bars.step("reading [layer]", None) as inner:
                inner(3)
            outer(10)
            raise ZeroDivisionError
    assert "pushing" in output.getvalue()
    assert "reading [layer]" in output.getvalue()
