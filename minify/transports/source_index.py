"""The images of all platforms that one reference names, as they were found and as they are written.

    source = open_images(Reference.parse("docker://host/app:1"), OpenOptions())
    slim = [PlatformImage.of(minified(one.open()), one) for one in source.images]
    write_index(ImageIndex(tuple(slim), source.annotations), target, WriteOptions())

https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from minify.image.digest import Digest
from minify.image.image import Image
from minify.image.platform import Platform


@dataclass(frozen=True, slots=True)
class SourceImage:
    """One entry of an index that was read. Its image is fetched when it is opened."""

    platform: Platform
    """The index's own word for it: a config may leave the variant out."""
    digest: Digest
    """The manifest's."""
    annotations: Mapping[str, str]
    """The entry's, not the manifest's."""
    open: Callable[[], Image]
    """The image; ImageError if it cannot be read. It is fetched again by each call."""


@dataclass(frozen=True, slots=True)
class SourceIndex:
    """What a reference leads to: the entries of an index, or one image."""

    images: tuple[SourceImage, ...]
    """In the index's order; at least one."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """The index's."""
    digest: Digest | None = None
    """The index's; None if the reference names one image."""
    skipped: tuple[str, ...] = ()
    """What is no Linux image, in words: attestations, artifacts, other systems."""


@dataclass(frozen=True, slots=True)
class PlatformImage:
    """An image as an entry of an index that is to be written."""

    image: Image
    platform: Platform
    annotations: Mapping[str, str] = field(default_factory=dict)
    """The entry's, not the manifest's."""

    @classmethod
    def of(cls, image: Image, source: SourceImage) -> PlatformImage:
        """`image` in the place that `source` had."""
        return cls(image, source.platform, source.annotations)


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """An index that is to be written; its entries are written in their order."""

    images: tuple[PlatformImage, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
