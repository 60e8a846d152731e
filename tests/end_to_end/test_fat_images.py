"""The checks hold for the images as they were built: what they ask is fair."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from images.build import BuiltImage
from images.checks import CHECKS, NO_PING_SOCKETS
from images.engines import Engine
from images.runner import Runner, load

from end_to_end.kit import images

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("name", images(CHECKS))
def test_fat_image_passes_its_check(
    docker: Engine, image: Callable[[str], BuiltImage], name: str
) -> None:
    built = image(name)
    load(docker, built.archive)
    CHECKS[name](Runner(docker, built.tag))


def test_ping_is_not_started_without_its_capability(
    docker: Engine, image: Callable[[str], BuiltImage]
) -> None:
    load(docker, image("ping").archive)
    run = Runner(docker, image("ping").tag, ("--cap-drop", "ALL", "--user", "65534"))
    code, output = run.try_run()
    assert code != 0
    assert "operation not permitted" in output
    assert " 0% packet loss" in run(flags=("--cap-add", "NET_RAW", *NO_PING_SOCKETS))
