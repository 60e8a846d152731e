"""One application image measured: fat, slim, and only what its checks open; which of them pass."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from end_to_end.kit import minified, run_flags
from images.engines import Engine
from images.runner import Runner, load

from apps.build import AppImage, build_app
from apps.case import Case
from apps.checks import Result, beside_volumes, perform
from apps.opened import OpenedError, OpenedImage, opened_image

HEAD = (
    "| image | fat MB (files) | slim MB (files) | opened MB (files) | slim ÷ opened "
    "| user | fat | slim | opened |\n"
    "| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: |\n"
)

_MB = 1_000_000
_UNKNOWN = "–"  # noqa: RUF001  # a dash in a table


def row(case: Case, docker: Engine) -> str:
    """A line of the table. The slim image is run as its summary says."""
    image = build_app(case, docker)
    load(docker, image.archive)
    fat = perform(case, Runner(docker, image.tag), image.tag)
    opened = _opened(case, image, docker)
    in_opened = perform(case, Runner(docker, opened.tag), image.tag) if opened else []
    slim = image.tag.replace(":fat", ":slim")
    with tempfile.TemporaryDirectory() as work:
        source, target = f"docker-archive:{image.archive}", f"docker-daemon:{slim}"
        report, summary = minified(source, target, work=Path(work), host=docker.host)
    flags = beside_volumes(case, run_flags(summary))
    in_slim = perform(case, Runner(docker, slim, flags), image.tag)
    sizes = report["size"]
    cells = [
        case.name,
        _size(sizes["before"]["bytes"], sizes["before"]["files"]),
        _size(sizes["after"]["bytes"], sizes["after"]["files"]),
        _size(opened.size, opened.files) if opened else _UNKNOWN,
        f"{sizes['after']['bytes'] / opened.size:.2f}" if opened else _UNKNOWN,
        report["user"]["name"] or report["user"]["user"],
        _passed(case, fat),
        _passed(case, in_slim),
        _passed(case, in_opened) if opened else _UNKNOWN,
    ]
    return f"| {' | '.join(cells)} |\n"


def _opened(case: Case, image: AppImage, docker: Engine) -> OpenedImage | None:
    """None: under a trace the fat image does not pass."""
    try:
        return opened_image(case, image, docker)
    except OpenedError:
        return None


def _size(size: int, files: int) -> str:
    return f"{size / _MB:.1f} ({files:,})"


def _passed(case: Case, results: Sequence[Result]) -> str:
    passed = sum(not one.failure for one in results)
    return f"{passed}/{len(case.check)}"
