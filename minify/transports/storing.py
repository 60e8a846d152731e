"""An image's blobs copied into a layout, checked while they are copied.

What is written is the same for every medium: OCI documents, layers as the image holds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from minify.errors import ImageError
from minify.image import jsontext
from minify.image.compression import CHUNK, detect
from minify.image.digest import Digest
from minify.image.image import Image
from minify.image.layer import Layer
from minify.image.manifest import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Descriptor, Manifest
from minify.progress import Advance, Progress
from minify.transports.assembly import platform_of
from minify.transports.layout import LAYOUT_VERSION

LAYOUT_DOCUMENT = jsontext.write({"imageLayoutVersion": LAYOUT_VERSION})


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob that was written; size in bytes."""

    digest: Digest
    size: int


class BlobWriter(Protocol):
    """A place that blobs are written to, each under its sha256 digest."""

    def put(self, chunks: Iterable[bytes]) -> StoredBlob:
        """Writes one blob; OutputError if there is no room."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image whose blobs are all written: what an index entry says of it, and its parts."""

    descriptor: Descriptor
    manifest: Manifest


def store(image: Image, writer: BlobWriter, progress: Progress) -> StoredImage:
    """Writes the blobs of `image`; ImageError if its bytes are not what it says."""
    assert len(image.config.diff_ids) == len(image.layers), "a virtual layer has to be built first"
    layers = _store_layers(image.layers, writer, progress)
    config = writer.put([image.config.data])
    document = Manifest(
        Descriptor(OCI_CONFIG, config.digest, config.size), layers, image.annotations
    )
    stored = writer.put([document.write()])
    platform = platform_of(image.config)
    return StoredImage(Descriptor(OCI_MANIFEST, stored.digest, stored.size, platform), document)


def _store_layers(
    layers: Sequence[Layer], writer: BlobWriter, progress: Progress
) -> list[Descriptor]:
    sizes = [layer.size for layer in layers]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    with progress.step("writing", total) as advance:
        return [_store_layer(layer, writer, advance) for layer in layers]


def _store_layer(layer: Layer, writer: BlobWriter, advance: Advance) -> Descriptor:
    stated = layer.digest
    if stated is None or stated.algorithm != "sha256":
        layer.open().verify()  # what is hashed below cannot be compared with what is stated
    stream = layer.blob.open()
    compression = detect(stream.read(6), layer.name)
    stream.seek(0)

    def chunks() -> Iterator[bytes]:
        while chunk := stream.read(CHUNK):
            yield chunk
            advance(len(chunk))

    stored = writer.put(chunks())
    layer.blob.check_unchanged()
    if stated is not None and stated.algorithm == "sha256" and stored.digest != stated:
        raise ImageError(
            f"{layer.name} is damaged: its digest is {stored.digest}; the image says {stated}"
        )
    return Descriptor(OCI_LAYER[compression], stored.digest, stored.size)
