"""An `Image` out of what a medium found, with the checks that hold for all media."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from minify.errors import ImageError
from minify.image.blob import SizedBlob
from minify.image.config import ImageConfig
from minify.image.digest import Digest
from minify.image.image import Image, check_layer_count
from minify.image.layer import Layer
from minify.image.platform import Platform


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """A layer's bytes as they lie in the medium, and their digest where the medium states it."""

    blob: SizedBlob
    digest: Digest | None


@dataclass(frozen=True, slots=True)
class Parts:
    """What one image consists of; layers oldest first."""

    config: ImageConfig
    layers: Sequence[StoredLayer]
    annotations: Mapping[str, str] = field(default_factory=dict)
    manifest_digest: Digest | None = None
    index_digest: Digest | None = None


def assembled(parts: Parts, wanted: Platform | None, name: str) -> Image:
    """The image of `parts`; ImageError if it is not one that minify can read, or not `wanted`."""
    config = parts.config
    check_platform(config, wanted, name)
    check_layer_count(config, len(parts.layers), name)
    pairs = zip(parts.layers, config.diff_ids, strict=True)
    layers = tuple(
        Layer(
            stored.blob,
            f"{name}: layer {number} of {len(parts.layers)} ({(stored.digest or diff_id).short})",
            diff_id,
            stored.digest,
            stored.blob.size,
        )
        for number, (stored, diff_id) in enumerate(pairs, 1)
    )
    return Image(name, config, layers, parts.annotations, parts.manifest_digest, parts.index_digest)


def check_platform(config: ImageConfig, wanted: Platform | None, name: str) -> None:
    """ImageError if the image is not for Linux, or not for the platform that was asked for."""
    found = platform_of(config)
    if found.os != "linux":
        raise ImageError(f"{name} is an image for {found}; minify reads Linux images only")
    if wanted is not None and not found.matches(wanted):
        raise ImageError(f"{name} has no image for {wanted}; there is {found}")


def platform_of(config: ImageConfig) -> Platform:
    """The config's platform; docker's oldest images name no operating system."""
    found = config.platform
    return replace(found, os=found.os or "linux")
