"""Slim images do what the fat ones do, in a real engine."""

from __future__ import annotations

import pytest
from images.checks import CHECKS
from images.engines import Engine
from images.runner import Runner, size_of

from end_to_end.conftest import Pairs
from end_to_end.exported import exported
from end_to_end.kit import images

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("name", images(CHECKS))
def test_slim_image_passes_the_check_of_the_fat_one(docker: Engine, pair: Pairs, name: str) -> None:
    CHECKS[name](Runner(docker, pair(name).slim))


@pytest.mark.parametrize("name", images(CHECKS))
def test_slim_image_is_smaller(docker: Engine, pair: Pairs, name: str) -> None:
    fat, slim = size_of(docker, pair(name).fat), size_of(docker, pair(name).slim)
    assert slim < fat
    sizes = pair(name).report["size"]
    assert sizes["after"]["bytes"] < sizes["before"]["bytes"]
    assert sizes["after"]["files"] < sizes["before"]["files"]


@pytest.mark.parametrize("name", images(CHECKS))
def test_slim_image_differs_only_as_its_report_says(docker: Engine, pair: Pairs, name: str) -> None:
    fat = exported(docker, pair(name).fat)
    slim = exported(docker, pair(name).slim)
    changed = {e["path"] for e in pair(name).report["entries"] if e["change"]}
    other = {path for path, found in slim.items() if fat.get(path) != found}
    assert other <= changed
