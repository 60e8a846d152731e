from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from images.build import BuiltImage
from images.engines import Engine
from images.runner import load

from end_to_end.kit import Report, minify


@dataclass(frozen=True, slots=True)
class Pair:
    """An image in the daemon, before and after."""

    fat: str
    slim: str
    report: Report


@pytest.fixture(scope="session")
def pair(
    docker: Engine,
    image: Callable[[str], BuiltImage],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Pair]:
    """`pair("curl")` minifies the image in the daemon, once."""
    made: dict[str, Pair] = {}

    def make(name: str) -> Pair:
        if name not in made:
            built = image(name)
            load(docker, built.archive)
            slim = built.tag.replace(":fat", ":slim")
            report = minify(
                f"docker-daemon:{built.tag}",
                f"docker-daemon:{slim}",
                work=tmp_path_factory.mktemp(name),
                host=docker.host,
            )
            made[name] = Pair(built.tag, slim, report)
        return made[name]

    return make
