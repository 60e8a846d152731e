from __future__ import annotations

from pathlib import Path

import pytest
from filetree.kit import Member, image_of

from cli.kit import APP, Made
from minify.image import Reference
from minify.image.jsontext import Json
from minify.transports import WriteOptions, write_image


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Writes a small image and gives its reference."""

    def make(*members: Member | str, run: dict[str, Json] | None = None) -> str:
        reference = f"oci:{tmp_path / 'in'}"
        image = image_of(run or {"Cmd": ["/app"]}, [*APP, *members])
        write_image(image, Reference.parse(reference), WriteOptions())
        return reference

    return make
