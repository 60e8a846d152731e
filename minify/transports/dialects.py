"""A tar that is an OCI layout and what `docker load` takes, both at once.

Docker 20.10 refuses an archive with a layout alone, and umoci reads nothing else, so every archive
carries both. Docker 20.10 cannot load a layer in zstd, and podman cannot save one again as a docker
archive, so none is written. The bytes follow from the image and its name alone: no times, no
owners, fixed order.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, replace

from minify.image import jsontext
from minify.image.compression import Compression
from minify.image.digest import Digest
from minify.image.image import Image
from minify.image.manifest import OCI_INDEX, REF_NAME, Descriptor, Index
from minify.progress import Progress
from minify.transports.archive import BLOCK
from minify.transports.layout import CONTAINERD_NAME, INDEX_FILE, LAYOUT_FILE, blob_path
from minify.transports.names import TaggedName
from minify.transports.options import Written
from minify.transports.publish import failure, write_at
from minify.transports.source_index import ImageIndex
from minify.transports.storing import (
    LAYOUT_DOCUMENT,
    StoredBlob,
    StoredImage,
    described_index,
    store,
)

# The most that the size field of a ustar header holds.
_USTAR_LIMIT = 8 << 30


@dataclass(frozen=True, slots=True)
class Target:
    """An empty file to write to, and what the image in it will be called."""

    fd: int
    name: str
    """What messages call the output."""
    tag: TaggedName | None = None
    """docker's name for the image; None leaves it without one."""
    ref_name: str = ""
    """The layout's name for it, where that is not docker's tag."""
    zstd_as: Compression = Compression.GZIP
    """How layers in zstd are written; NONE is faster where the archive does not last."""


def write(image: Image, target: Target, progress: Progress) -> Written:
    """Writes `image` to the file of `target`; ImageError if its bytes are not what it says."""
    writer = _begun(target)
    stored = store(image, writer, progress, zstd_as=target.zstd_as)
    entry = replace(stored.descriptor, annotations=_annotations(target))
    writer.add(INDEX_FILE, Index([entry], {}).write())
    writer.add("manifest.json", _docker_manifest(stored, target.tag))
    writer.finish()
    return Written(target.name, stored.manifest.config.digest, stored.descriptor.digest)


def write_index(
    index: ImageIndex, target: Target, progress: Progress
) -> tuple[Digest, list[StoredImage]]:
    """Writes all images of `index` as an OCI layout; the index's digest, and what was stored.

    No manifest.json: by it, engines would load the images of all platforms as their own one's.
    """
    writer = _begun(target)
    stored = [store(one.image, writer, progress, zstd_as=target.zstd_as) for one in index.images]
    document = writer.put([described_index(index, stored).write()])
    entry = Descriptor(OCI_INDEX, document.digest, document.size, None, _annotations(target))
    writer.add(INDEX_FILE, Index([entry], {}).write())
    writer.finish()
    return document.digest, stored


def _begun(target: Target) -> _ArchiveWriter:
    writer = _ArchiveWriter(target)
    writer.add(LAYOUT_FILE, LAYOUT_DOCUMENT)
    writer.add_directory("blobs/")
    writer.add_directory("blobs/sha256/")
    return writer


def _annotations(target: Target) -> dict[str, str]:
    if target.tag:
        return {CONTAINERD_NAME: target.tag.full, REF_NAME: target.tag.tag}
    return {REF_NAME: target.ref_name} if target.ref_name else {}


def _docker_manifest(stored: StoredImage, tag: TaggedName | None) -> bytes:
    def path(descriptor: Descriptor) -> str:
        return blob_path(descriptor.digest)

    return jsontext.write(
        [
            {
                "Config": path(stored.manifest.config),
                "RepoTags": [str(tag)] if tag else None,
                "Layers": [path(layer) for layer in stored.manifest.layers],
            }
        ]
    )


class _ArchiveWriter:
    """Appends members; a blob's header is written when its digest and size are known."""

    def __init__(self, target: Target) -> None:
        self._fd = target.fd
        self._name = target.name
        self._position = 0
        self._blobs: set[Digest] = set()

    def put(self, chunks: Iterable[bytes]) -> StoredBlob:
        hasher = hashlib.sha256()
        start = self._position
        self._position += BLOCK
        size = 0
        for chunk in chunks:
            hasher.update(chunk)
            self._append(chunk)
            size += len(chunk)
        digest = Digest("sha256", hasher.hexdigest())
        if digest in self._blobs:  # layers may be equal; the next member goes over it
            self._position = start
            return StoredBlob(digest, size)
        self._blobs.add(digest)
        self._pad(size)
        write_at(self._fd, _header(blob_path(digest), size), start, self._name)
        return StoredBlob(digest, size)

    def add(self, path: str, data: bytes) -> None:
        """A small member that is no blob."""
        self._append(_header(path, len(data)) + data)
        self._pad(len(data))

    def add_directory(self, path: str) -> None:
        info = tarfile.TarInfo(path)
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        self._append(info.tobuf(tarfile.USTAR_FORMAT, "utf-8"))

    def finish(self) -> None:
        """The end marker, padded to a whole record as tar programs do."""
        end = self._position + 2 * BLOCK
        record = tarfile.RECORDSIZE
        try:
            # Truncated first: what was written of a blob that is there already ends here.
            os.ftruncate(self._fd, self._position)
        except OSError as error:
            raise failure(self._name, error) from error
        self._append(bytes((end + record - 1) // record * record - self._position))

    def _append(self, data: bytes) -> None:
        write_at(self._fd, data, self._position, self._name)
        self._position += len(data)

    def _pad(self, size: int) -> None:
        self._append(bytes(-size % BLOCK))


def _header(path: str, size: int) -> bytes:
    """One block, whatever the size, so that its place can be kept free.

    Above 8 GiB the size is in base 256, which GNU tar began and Go's and Python's readers know.
    """
    info = tarfile.TarInfo(path)
    info.size = size
    if size < _USTAR_LIMIT:
        header = info.tobuf(tarfile.USTAR_FORMAT, "utf-8")
    else:
        header = info.tobuf(tarfile.GNU_FORMAT, "utf-8")
    assert len(header) == BLOCK, path
    return header
