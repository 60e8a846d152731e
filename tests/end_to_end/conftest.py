from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import pytest
from images.build import BuiltImage
from images.engines import Engine
from images.runner import load

from end_to_end.kit import ARGUMENTS, Report, minified, run_flags


@dataclass(frozen=True, slots=True)
class Pair:
    """An image in the daemon, before and after."""

    fat: str
    slim: str
    report: Report
    flags: tuple[str, ...]
    """Those of the `docker run` line in the summary."""


class Pairs(Protocol):
    """`pair("curl")` minifies the image in the daemon, once; `more` is said to minify too."""

    def __call__(self, name: str, *more: str) -> Pair: ...


@pytest.fixture(scope="session")
def pair(
    docker: Engine,
    image: Callable[[str], BuiltImage],
    tmp_path_factory: pytest.TempPathFactory,
) -> Pairs:
    made: dict[tuple[str, ...], Pair] = {}

    def make(name: str, *more: str) -> Pair:
        if (name, *more) not in made:
            built = image(name)
            load(docker, built.archive)
            slim = built.tag.replace(":fat", f":slim{''.join(more).replace('--', '-')}")
            report, summary = minified(
                # A daemon takes its time to save; for one of them that is a test of it.
                f"docker-archive:{built.archive}" if more else f"docker-daemon:{built.tag}",
                f"docker-daemon:{slim}",
                *ARGUMENTS.get(name, ()),
                *more,
                work=tmp_path_factory.mktemp(name),
                host=docker.host,
            )
            made[name, *more] = Pair(built.tag, slim, report, run_flags(summary))
        return made[name, *more]

    return make
