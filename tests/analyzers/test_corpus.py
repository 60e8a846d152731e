"""Entrypoint scripts of many shapes: exactly the commands that they need are kept.

And, as root under real shells, whatever they run in the whole image is among them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from analyzers import corpus, corpus_root

NAMES = sorted(corpus.cases())


def named(name: str) -> ParameterSet:
    """A case, which must fail as long as its page says that it does."""
    why = corpus.cases()[name].known_failure
    marks = [pytest.mark.xfail(reason=why, strict=True)] if why else []
    return pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", [*map(named, NAMES)])
def test_exactly_what_a_script_needs_is_kept(name: str) -> None:
    case = corpus.cases()[name]
    kept = (corpus.kept_commands(name), corpus.gaps(name), corpus.files_left(name))
    assert kept == (case.commands, case.gaps, case.left)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus_root.template(tmp_path_factory.mktemp("template"))


@pytest.mark.engine
@pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, corpus_root.TOOLS)),
    reason="needs root, bash, dash, busybox, unshare and the usual tools",
)
@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_script_runs_is_among_the_expected(
    name: str, template: Path, tmp_path: Path
) -> None:
    case = corpus.cases()[name]
    tmp_path.chmod(0o755)
    ran: dict[str, None] = {}
    for number, how in enumerate(case.inputs):
        root = tmp_path / str(number)
        corpus_root.make_root(root, template, case, corpus.members(name))
        ran |= dict.fromkeys(corpus_root.called(root, template, case, how))
    assert corpus.names_of(name, ran) <= {*case.commands}
