"""The same input gives the same digests, whatever surrounds the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from images.build import BuiltImage
from images.checks import CHECKS

from end_to_end.kit import ARGUMENTS, Report, images, minify

pytestmark = pytest.mark.engine

Images = Callable[[str], BuiltImage]

IMAGES = images(CHECKS, {"login"})

SURROUNDINGS = (
    ({"TZ": "UTC", "LC_ALL": "C"}, 0o022),
    ({"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}, 0o077),
)


def _digests(report: Report) -> tuple[object, ...]:
    output = report["output"]
    return (output["image_id"], tuple(output["diff_ids"]))


@pytest.mark.parametrize("name", IMAGES)
def test_umask_time_zone_and_locale_do_not_matter(image: Images, name: str, tmp_path: Path) -> None:
    source = f"docker-archive:{image(name).archive}"
    outputs = [tmp_path / "first.tar", tmp_path / "second.tar"]
    digests = {
        _digests(
            minify(
                source,
                f"docker-archive:{out}:app:slim",
                *ARGUMENTS.get(name, ()),
                work=tmp_path,
                environment=environment,
                umask=umask,
            )
        )
        for out, (environment, umask) in zip(outputs, SURROUNDINGS, strict=True)
    }
    assert len(digests) == 1
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


@pytest.mark.parametrize("name", IMAGES)
def test_minifying_again_changes_nothing(image: Images, name: str, tmp_path: Path) -> None:
    once, twice = tmp_path / "once.tar", tmp_path / "twice.tar"
    told = ARGUMENTS.get(name, ())
    source = f"docker-archive:{image(name).archive}"
    first = minify(source, f"docker-archive:{once}:app:slim", *told, work=tmp_path)
    source = f"docker-archive:{once}"
    second = minify(source, f"docker-archive:{twice}:app:slim", *told, work=tmp_path)
    assert _digests(first) == _digests(second)
