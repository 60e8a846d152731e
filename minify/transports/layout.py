"""Reading an OCI image layout, wherever its files lie: index → manifest → config and layers.

https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from minify.errors import ImageError
from minify.image import jsontext, manifest
from minify.image.blob import FileBlob, read_all
from minify.image.digest import Digest
from minify.image.image import Image
from minify.image.jsontext import DOCUMENT_LIMIT, Fields
from minify.image.manifest import Descriptor, Index, Manifest
from minify.transports import names
from minify.transports.assembly import StoredLayer
from minify.transports.location import LayoutSelector
from minify.transports.options import OpenOptions
from minify.transports.selection import Leaf, Selection, checked, label_of
from minify.transports.source_index import SourceIndex

CONTAINERD_NAME = "io.containerd.image.name"
"""The annotation in which docker and containerd keep the full name beside the tag."""

LAYOUT_FILE = "oci-layout"
LAYOUT_VERSION = "1.0.0"
INDEX_FILE = "index.json"


class BlobStore(Protocol):
    """Files by their names in a layout: a directory, or the members of a tar."""

    def find(self, path: str) -> FileBlob | None:
        """The regular file at `path`, None if there is none."""


def blob_path(digest: Digest) -> str:
    """Where a layout keeps the blob of `digest`."""
    return f"blobs/{digest.algorithm}/{digest.hex}"


def open_layout(
    store: BlobStore, selector: LayoutSelector, options: OpenOptions, name: str
) -> Image:
    """The image that `selector` and `options` choose in the layout in `store`."""
    layout = _Layout(store, name)
    selection = _selection(layout)
    leaf = selection.chosen(_leaves(layout, selection, selector), options.platform)
    return selection.image(leaf, options.platform)


def open_index(store: BlobStore, selector: LayoutSelector, name: str) -> SourceIndex:
    """Every image of the index that `selector` chooses in the layout in `store`."""
    layout = _Layout(store, name)
    selection = _selection(layout)
    return selection.index(_leaves(layout, selection, selector))


def _selection(layout: _Layout) -> Selection:
    return Selection(layout, f"{layout.name}:TAG or {layout.name}@DIGEST")


def read_index(store: BlobStore, name: str) -> tuple[bytes, Index]:
    """The index of a layout, as bytes and parsed; ImageError if it is no layout."""
    for path in (LAYOUT_FILE, INDEX_FILE):
        if store.find(path) is None:
            raise ImageError(f"{name} is no OCI layout: it has no {path}")
    version = jsontext.read_object(_document(store, LAYOUT_FILE, name), f"{name}: {LAYOUT_FILE}")
    found = Fields(version, f"{name}: {LAYOUT_FILE}").text("imageLayoutVersion")
    if found.partition(".")[0] != "1":
        raise ImageError(f"{name}: imageLayoutVersion is {found!r}; expected {LAYOUT_VERSION}")
    data = _document(store, INDEX_FILE, name)
    index = manifest.parse(data, f"{name}: {INDEX_FILE}")
    if isinstance(index, Manifest):
        raise ImageError(f"{name}: {INDEX_FILE} is a manifest; expected an index")
    return data, index


def _document(store: BlobStore, path: str, name: str) -> bytes:
    blob = store.find(path)
    if blob is None:
        raise ImageError(f"{name} has no {path}")
    return read_all(blob, limit=DOCUMENT_LIMIT, name=f"{name}: {path}")


@dataclass(frozen=True, slots=True)
class _Layout:
    """The blobs of a layout, as `Contents`."""

    store: BlobStore
    name: str
    is_remote: bool = False

    def manifest(self, descriptor: Descriptor) -> bytes | None:
        if self.store.find(blob_path(descriptor.digest)) is None:
            return None
        return self._verified(descriptor, "manifest")

    def config(self, descriptor: Descriptor) -> bytes:
        return self._verified(descriptor, "config")

    def layers(self, document: Manifest) -> list[StoredLayer]:
        count = len(document.layers)
        return [
            StoredLayer(self._sized(descriptor, f"layer {number} of {count}"), descriptor.digest)
            for number, descriptor in enumerate(document.layers, 1)
        ]

    def missing(self, descriptor: Descriptor, what: str) -> ImageError:
        return ImageError(
            f"{self.name}: {what} is not there: {blob_path(descriptor.digest)}; copy the image"
            " again"
        )

    def _verified(self, descriptor: Descriptor, what: str) -> bytes:
        name = f"{self.name}: {what} {descriptor.digest.short}"
        data = read_all(self._sized(descriptor, what), limit=DOCUMENT_LIMIT, name=name)
        return checked(data, descriptor, name)

    def _sized(self, descriptor: Descriptor, what: str) -> FileBlob:
        blob = self.store.find(blob_path(descriptor.digest))
        if blob is None:
            raise self.missing(descriptor, what)
        if blob.size != descriptor.size:
            raise ImageError(
                f"{self.name}: {what} ({descriptor.digest}) has {blob.size:,} bytes; expected"
                f" {descriptor.size:,}; copy the image again"
            )
        return blob


def _leaves(layout: _Layout, selection: Selection, selector: LayoutSelector) -> list[Leaf]:
    """The manifests that `selector` leaves to choose from; at least one."""
    _, index = read_index(layout.store, layout.name)
    descriptors: Sequence[Descriptor] = index.manifests
    if selector.tag:
        descriptors = [one for one in descriptors if _has_tag(one, selector.tag)]
    leaves = selection.leaves(descriptors)
    if selector.digest is not None:
        leaves = [leaf for leaf in leaves if leaf.leads_to(selector.digest)]
    if leaves:
        return leaves
    labels = ", ".join(dict.fromkeys(map(label_of, index.manifests)))
    if not labels:
        raise ImageError(f"{layout.name} holds no image: its index is empty")
    asked = selector.tag or selector.digest or "image"
    raise ImageError(f"{layout.name} holds no {asked}; there is {labels}")


def _has_tag(descriptor: Descriptor, tag: str) -> bool:
    stated = [descriptor.annotations.get(key) for key in (manifest.REF_NAME, CONTAINERD_NAME)]
    return any(
        text and (text == tag or names.tagged(text) == names.tagged(tag) or _tag_of(text) == tag)
        for text in stated
    )


def _tag_of(text: str) -> str:
    """The tag in `name:tag`; empty for a text that is a tag only, or a name only."""
    name, colon, tag = text.rpartition(":")
    return tag if colon and name and "/" not in tag else ""
