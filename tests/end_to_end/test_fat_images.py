"""The checks hold for the images as they were built: what they ask is fair."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from images.build import BuiltImage
from images.checks import CHECKS
from images.engines import Engine
from images.runner import Runner, load

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("name", CHECKS)
def test_fat_image_passes_its_check(
    docker: Engine, image: Callable[[str], BuiltImage], name: str
) -> None:
    built = image(name)
    load(docker, built.archive)
    CHECKS[name](Runner(docker, built.tag))
