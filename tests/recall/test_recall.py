"""Every file that a real program needs is kept, and its whole workload passes: docs/recall.md."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest
from _pytest.mark import ParameterSet
from conftest import require

from recall.measure import measure
from recall.programs import PROGRAMS
from recall.workloads import WORKLOADS

pytestmark = [pytest.mark.engine, pytest.mark.long]


SHORT: Mapping[str, str] = {}
"""Programs of which something is missed today, and what."""

_TOOLS = """
    mmdebstrap strace unshare chroot mount cp tar gcc musl-gcc git openssl ssh sftp ssh-keygen curl
""".split()


def _programs() -> list[ParameterSet]:
    def marks(name: str) -> list[pytest.MarkDecorator]:
        # Only what the test asserts may fail: the proof itself has to work.
        reason = SHORT.get(name)
        return [pytest.mark.xfail(reason=reason, raises=AssertionError)] if reason else []

    return [pytest.param(name, marks=marks(name)) for name in PROGRAMS]


def test_every_program_has_a_workload() -> None:
    assert WORKLOADS.keys() == PROGRAMS.keys()


@pytest.mark.parametrize("name", _programs())
def test_nothing_that_a_program_needs_is_missed(name: str) -> None:
    require(*_TOOLS)
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    assert measure(PROGRAMS[name]).failures() == []
