"""`docker://host/name:tag`: the place that a registry's own client will have."""

from __future__ import annotations

from typing import NoReturn

from minify.errors import UsageError
from minify.image.image import Image
from minify.image.reference import Reference
from minify.transports.options import OpenOptions, WriteOptions, Written


def _refuse(reference: Reference) -> NoReturn:
    raise UsageError(
        f"{reference}: registries are not supported without a daemon yet; use"
        f" docker-daemon:{reference.location}, or copy it with skopeo copy {reference} oci:dir:tag"
        " (the other way round for an output)"
    )


def open_image(reference: Reference, options: OpenOptions) -> Image:  # noqa: ARG001 (as all media's)
    _refuse(reference)


def check_output(reference: Reference, options: WriteOptions) -> None:  # noqa: ARG001 (likewise)
    _refuse(reference)


def write_image(image: Image, reference: Reference, options: WriteOptions) -> Written:  # noqa: ARG001 (likewise)
    _refuse(reference)
