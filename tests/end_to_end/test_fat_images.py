"""The checks hold for the images as they were built: what they ask is fair."""

from __future__ import annotations

import pytest
from images.build import build
from images.checks import CHECKS, flags
from images.engines import Engine
from images.runner import Runner, load

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("name", CHECKS)
def test_fat_image_passes_its_check(docker: Engine, name: str) -> None:
    image = build(name)
    load(docker, image.archive)
    CHECKS[name](Runner(docker, image.tag, flags(name)))
