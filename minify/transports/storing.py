"""An image's blobs copied into a layout, checked while they are copied.

What is written is the same for every medium: OCI documents, layers as the image holds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from minify.errors import ImageError
from minify.image import jsontext
from minify.image.compression import CHUNK, Compression, detect
from minify.image.compressor import Compressor, compressor
from minify.image.digest import Digest
from minify.image.image import Image
from minify.image.layer import Layer
from minify.image.manifest import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Descriptor, Index, Manifest
from minify.progress import Advance, Progress
from minify.transports.assembly import platform_of
from minify.transports.layout import LAYOUT_VERSION
from minify.transports.options import Written, WrittenIndex
from minify.transports.source_index import ImageIndex

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


def store(
    image: Image, writer: BlobWriter, progress: Progress, *, zstd_as: Compression = Compression.ZSTD
) -> StoredImage:
    """Writes the blobs of `image`; ImageError if its bytes are not what it says.

    Layers in zstd are written as `zstd_as`, all others as they are.
    """
    assert len(image.config.diff_ids) == len(image.layers), "a virtual layer has to be built first"
    sizes = [layer.size for layer in image.layers]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    with progress.step("writing", total) as advance:
        layers = [
            _store_repacked(layer, zstd_as, writer, advance)
            if zstd_as is not Compression.ZSTD and _compression(layer) is Compression.ZSTD
            else _store_layer(layer, writer, advance)
            for layer in image.layers
        ]
    writer.put([image.config.data])
    stored = described(image, layers)
    writer.put([stored.manifest.write()])
    return stored


def described(image: Image, layers: Sequence[Descriptor]) -> StoredImage:
    """What is stored of `image` beside its layers, whose blobs are `layers`."""
    config = Descriptor(OCI_CONFIG, Digest.of(image.config.data), len(image.config.data))
    document = Manifest(config, layers, image.annotations)
    data = document.write()
    platform = platform_of(image.config)
    return StoredImage(Descriptor(OCI_MANIFEST, Digest.of(data), len(data), platform), document)


def described_index(index: ImageIndex, images: Sequence[StoredImage]) -> Index:
    """The document of `index`, whose images are stored as `images`."""
    entries = [
        replace(stored.descriptor, platform=one.platform, annotations=one.annotations)
        for one, stored in zip(index.images, images, strict=True)
    ]
    return Index(entries, index.annotations)


def written_index(
    reference: str, place: str, digest: Digest, images: Sequence[StoredImage]
) -> WrittenIndex:
    """What is told of an index that was written; its images are `place@digest`."""
    written = (
        Written(
            f"{place}@{one.descriptor.digest}",
            one.manifest.config.digest,
            one.descriptor.digest,
        )
        for one in images
    )
    return WrittenIndex(reference, digest, tuple(written))


def layer_type(layer: Layer) -> str:
    """The media type of a layer, by its first bytes."""
    return OCI_LAYER[_compression(layer)]


def _compression(layer: Layer) -> Compression:
    return detect(layer.blob.open().read(6), layer.name)


def _store_layer(layer: Layer, writer: BlobWriter, advance: Advance) -> Descriptor:
    stated = layer.digest
    if stated is None or stated.algorithm != "sha256":
        layer.open().verify()  # what is hashed below cannot be compared with what is stated
    stream = layer.blob.open()

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
    return Descriptor(layer_type(layer), stored.digest, stored.size)


def _store_repacked(
    layer: Layer, compression: Compression, writer: BlobWriter, advance: Advance
) -> Descriptor:
    stream = layer.open()

    def chunks(packer: Compressor) -> Iterator[bytes]:
        told = 0
        while chunk := stream.read(CHUNK):
            yield packer.compress(chunk)
            advance(stream.stored_reached - told)
            told = stream.stored_reached
        yield packer.flush()

    with compressor(compression) as packer:
        stored = writer.put(chunks(packer))
    stream.verify()
    layer.blob.check_unchanged()
    return Descriptor(OCI_LAYER[compression], stored.digest, stored.size)
