"""With a row of the table a real program does its work, and without that one row it does not."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest
from conftest import require

from analyzers.alone.cases import CASES, Case, row
from analyzers.alone.tree import whole
from analyzers.kit import unpack
from minify.analyzers import ANALYZERS, IMAGE_RULES
from minify.analyzers.opened import RULES, matching
from minify.analyzers.opened.rule import Rule
from minify.closure import Context, solve
from minify.closure.roots import find_roots
from minify.filetree import FileTree
from minify.identity import Wishes, unchanged_user
from minify.image import ImageConfig, Reference
from minify.packages import Packages, read_packages
from minify.planning import Plan, PlanOptions, make_plan
from minify.transports import OpenOptions, open_image

pytestmark = [pytest.mark.engine, pytest.mark.long]


class _Whole:
    """The tree of all cases, read once."""

    def __init__(self) -> None:
        self.root = whole()
        self.image = open_image(Reference.parse(f"rootfs:{self.root}"), OpenOptions())
        self.tree = FileTree.from_layers(self.image.layers)
        self.packages: Packages = read_packages(self.tree)

    def plan(self, case: Case, rules: Sequence[Rule]) -> Plan:
        """What is planned for a case by these rows, with no more than its own row needs."""
        config = self._config(case)
        context = Context.of(self.tree, config, self.packages)
        roots = find_roots(context, may_be_idle=False)
        context = context.starting(roots.programs, roots.scripts)
        found = chain(roots.findings, *(rule(context) for rule in IMAGE_RULES))
        by_table = matching.analyzer(rules)
        analyzers = [by_table if one is matching.analyze else one for one in ANALYZERS]
        keep = solve(found, analyzers, context, least=case.least or row(case).likelihood)
        identity = unchanged_user(Wishes(), config, keep, self.tree)
        return make_plan(self.tree, config, keep, identity, PlanOptions())

    def _config(self, case: Case) -> ImageConfig:
        env = [f"{name}={value}" for name, value in _environment(case).items()]
        return self.image.config.changed(run={"Cmd": list(_command(case)), "Env": env})


def _command(case: Case) -> tuple[str, ...]:
    return case.command or (f"/usr/local/bin/{case.name}",)


def _environment(case: Case) -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"} | dict(case.environment)


def _prints(case: Case, root: Path) -> bool:
    """Whether it prints what it has to; a command prints more."""
    done = subprocess.run(
        ["unshare", "--net", "chroot", str(root), *_command(case)],
        env=_environment(case),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    printed = done.stdout.decode("utf-8", "replace")
    return case.prints in printed if case.command else case.prints == printed


@pytest.fixture(scope="module")
def everything() -> _Whole:
    require("mmdebstrap", "gcc", "unshare", "chroot", "iconv")
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    return _Whole()


def _works(everything: _Whole, case: Case, rules: Sequence[Rule], root: Path) -> bool:
    root.mkdir()
    unpack(everything.plan(case, rules), everything.tree, root)
    (root / "dev").mkdir(exist_ok=True)
    for name, minor in (("null", 3), ("urandom", 9)):
        os.mknod(root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
    return _prints(case, root)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_the_row_and_nothing_else_keeps_the_program_running(
    everything: _Whole, case: Case, tmp_path: Path
) -> None:
    without = [rule for rule in RULES if rule is not row(case)]
    assert _prints(case, everything.root)
    assert _works(everything, case, RULES, tmp_path / "with")
    assert not _works(everything, case, without, tmp_path / "without")
