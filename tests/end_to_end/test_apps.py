"""Application images as their authors write them: the slim one does what the fat one does."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from apps.build import AppImage, build_app
from apps.case import Case, load, names
from apps.checks import beside_volumes, failures, perform
from apps.opened import opened_image
from conftest import require
from images.engines import Engine
from images.runner import Runner, user_of
from images.runner import load as load_archive

from end_to_end.exported import exported
from end_to_end.kit import Report, minified, run_flags

pytestmark = pytest.mark.engine

CASES = [load(name) for name in names()]


def cases(*, slim: bool = False, of: Callable[[Case], bool] = lambda _: True) -> list[ParameterSet]:
    found = []
    for case in filter(of, CASES):
        marks = [pytest.mark.long] if case.long else []
        if slim and case.known_failure:
            marks.append(pytest.mark.xfail(reason=case.known_failure, raises=AssertionError))
        found.append(pytest.param(case, id=case.name, marks=marks))
    return found


@pytest.fixture(scope="session")
def fat(docker: Engine) -> Callable[[Case], AppImage]:
    """The image of a case, in the daemon."""
    require("mmdebstrap", "openssl")
    loaded: dict[str, AppImage] = {}

    def make(case: Case) -> AppImage:
        if case.name not in loaded:
            require(*(("npm",) if case.npm else ()))
            loaded[case.name] = build_app(case, docker)
            load_archive(docker, loaded[case.name].archive)
        return loaded[case.name]

    return make


@dataclass(frozen=True, slots=True)
class Slim:
    tag: str
    report: Report
    flags: tuple[str, ...]
    """Those of the `docker run` line in the summary."""


@pytest.fixture(scope="session")
def slim(
    docker: Engine,
    fat: Callable[[Case], AppImage],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Case], Slim]:
    """What minify makes of a case without being told anything, in the daemon."""
    made: dict[str, Slim] = {}

    def make(case: Case) -> Slim:
        if case.name not in made:
            image = fat(case)
            tag = image.tag.replace(":fat", ":slim")
            work = tmp_path_factory.mktemp(case.name)
            source, target = f"docker-archive:{image.archive}", f"docker-daemon:{tag}"
            report, summary = minified(source, target, work=work, host=docker.host)
            made[case.name] = Slim(tag, report, run_flags(summary))
        return made[case.name]

    return make


@pytest.mark.parametrize("case", cases())
def test_fat_image_passes_its_checks(
    docker: Engine, fat: Callable[[Case], AppImage], case: Case
) -> None:
    tag = fat(case).tag
    assert failures(perform(case, Runner(docker, tag), tag)) == []


@pytest.mark.parametrize("case", cases(slim=True))
def test_slim_image_passes_the_checks_run_as_its_summary_says(
    docker: Engine, fat: Callable[[Case], AppImage], slim: Callable[[Case], Slim], case: Case
) -> None:
    made = slim(case)
    run = Runner(docker, made.tag, beside_volumes(case, made.flags))
    assert failures(perform(case, run, fat(case).tag)) == []
    stays_root = user_of(docker, made.tag).partition(":")[0] in ("", "0", "root")
    assert stays_root == bool(case.root)
    assert stays_root == any(gap["rule"] == "identity.root" for gap in made.report["gaps"])
    assert made.report["size"]["after"]["bytes"] < made.report["size"]["before"]["bytes"]


@pytest.mark.parametrize("case", cases())
def test_gaps_are_those_that_the_case_states(slim: Callable[[Case], Slim], case: Case) -> None:
    gaps = slim(case).report["gaps"]
    assert all(gap["by"] in gap["detail"] for gap in gaps if gap["by"].startswith("/"))
    found = {f"{gap['rule']} {gap['by']}" for gap in gaps if gap["rule"] != "identity.root"}
    assert case.gaps is None or sorted(found) == sorted(case.gaps)


@pytest.mark.long
@pytest.mark.parametrize("name", ["cron", "django", "supervisor"])
def test_a_second_run_writes_the_same_and_tells_the_same_gaps(
    fat: Callable[[Case], AppImage], name: str, tmp_path: Path
) -> None:
    source = f"docker-archive:{fat(load(name)).archive}"
    once, _ = minified(source, f"oci:{tmp_path}/once", work=tmp_path)
    twice, _ = minified(f"oci:{tmp_path}/once", f"oci:{tmp_path}/twice", work=tmp_path)
    assert twice["output"]["manifest_digest"] == once["output"]["manifest_digest"]
    assert twice["gaps"] == once["gaps"]


@pytest.mark.long
@pytest.mark.parametrize("case", cases(slim=True))
def test_slim_image_passes_the_checks_run_without_flags(
    docker: Engine, fat: Callable[[Case], AppImage], slim: Callable[[Case], Slim], case: Case
) -> None:
    run = Runner(docker, slim(case).tag)
    assert failures(perform(case, run, fat(case).tag)) == []


@pytest.mark.long
@pytest.mark.parametrize("name", ["busybox", "plugin-cli", "redis"])
def test_image_of_what_was_opened_passes_the_checks_and_is_smaller(
    docker: Engine, fat: Callable[[Case], AppImage], slim: Callable[[Case], Slim], name: str
) -> None:
    require("strace")
    case = load(name)
    opened = opened_image(case, fat(case), docker)
    assert failures(perform(case, Runner(docker, opened.tag), fat(case).tag)) == []
    assert opened.size <= slim(case).report["size"]["after"]["bytes"]


def opened_files(docker: Engine, case: Case, image: AppImage, pattern: re.Pattern[str]) -> set[str]:
    """Those of these names that processes open while the checks run on the fat image."""
    require("strace")
    # Links are in that image whether they were followed or not.
    tag = opened_image(case, image, docker).tag
    regular = [name for name, file in exported(docker, tag).items() if file.kind == tarfile.REGTYPE]
    found = set(filter(pattern.fullmatch, regular))
    assert len(found) > 50
    return found


_OF_NODE = re.compile(r".*\.(?:[cm]?js|json|node)")


@pytest.mark.long
@pytest.mark.parametrize("case", cases(slim=True, of=lambda case: case.name.startswith("node-")))
def test_modules_that_node_opens_are_kept(
    docker: Engine, fat: Callable[[Case], AppImage], slim: Callable[[Case], Slim], case: Case
) -> None:
    # All that `require.cache` has in the end, and what is read without being run besides.
    modules = opened_files(docker, case, fat(case), _OF_NODE)
    assert modules - exported(docker, slim(case).tag).keys() == set()


_OF_PYTHON = re.compile(
    r".*\.(?:pyc?|pth|zip|so(?:\.[0-9.]+)?)"
    r"|.*\.(?:dist|egg)-info(?:/.*)?"
    r"|.*/pyvenv\.cfg"
)

_READ_IN_VAIN: Mapping[str, str] = {
    r"distutils-precedence\.pth": "every start-up reads it; for programs that import distutils",
    r"_distutils_hack/.*": "what that line imports",
    r"(?:pip|setuptools)-[^/]*\.dist-info/entry_points\.txt": (
        "entry_points() reads those of all distributions; none of theirs is of a group asked for"
    ),
}
"""What a venv has for installing alone, below its site-packages, and why Python opens it still."""


def _is_read_in_vain(path: str) -> bool:
    _, _, name = path.rpartition("/site-packages/")
    return any(re.fullmatch(pattern, name) for pattern in _READ_IN_VAIN)


@pytest.mark.long
@pytest.mark.parametrize("case", cases(slim=True, of=lambda case: case.wheels))
def test_modules_that_python_opens_are_kept(
    docker: Engine, fat: Callable[[Case], AppImage], slim: Callable[[Case], Slim], case: Case
) -> None:
    # All that `-X importtime` would name; .pth files and metadata besides.
    modules = opened_files(docker, case, fat(case), _OF_PYTHON)
    missing = modules - exported(docker, slim(case).tag).keys()
    assert {path for path in missing if not _is_read_in_vain(path)} == set()
