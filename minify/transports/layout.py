"""Reading an OCI image layout, wherever its files lie: index → manifest → config and layers.

https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from minify.errors import ImageError
from minify.image import jsontext, manifest
from minify.image.blob import FileBlob, read_all
from minify.image.config import ImageConfig
from minify.image.digest import Digest
from minify.image.image import Image
from minify.image.jsontext import DOCUMENT_LIMIT, Fields
from minify.image.manifest import Descriptor, Index, Manifest
from minify.image.platform import Platform
from minify.transports import names
from minify.transports.assembly import Parts, StoredLayer, assembled, platform_of
from minify.transports.choice import Candidate, Choice
from minify.transports.location import LayoutSelector
from minify.transports.options import OpenOptions

CONTAINERD_NAME = "io.containerd.image.name"
"""The annotation in which docker and containerd keep the full name beside the tag."""

LAYOUT_FILE = "oci-layout"
LAYOUT_VERSION = "1.0.0"
INDEX_FILE = "index.json"

_ATTESTATION = "vnd.docker.reference.type"
_DEEPEST = 4
_MOST_MANIFESTS = 1_000


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
    return _Layout(store, name).image(selector, options.platform)


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
class _Leaf:
    """A manifest that the index leads to; None if its blob is not in the layout."""

    label: str
    descriptor: Descriptor
    manifest: Manifest | None

    @property
    def is_image(self) -> bool:
        return self.manifest is None or self.manifest.config.media_type in (
            manifest.OCI_CONFIG,
            manifest.DOCKER_CONFIG,
        )


@dataclass(frozen=True, slots=True)
class _Layout:
    store: BlobStore
    name: str

    def image(self, selector: LayoutSelector, wanted: Platform | None) -> Image:
        leaf = self._chosen(selector, wanted)
        if leaf.manifest is None:
            raise self._missing(leaf.descriptor, "manifest")
        if not leaf.is_image:
            raise ImageError(
                f"{self.name}: {leaf.label} is an artifact with a config of type"
                f" {leaf.manifest.config.media_type!r}; expected a container image"
            )
        parts = Parts(
            self._config(leaf.manifest),
            self._layers(leaf.manifest),
            leaf.manifest.annotations,
            leaf.descriptor.digest,
        )
        return assembled(parts, wanted, self.name)

    def _chosen(self, selector: LayoutSelector, wanted: Platform | None) -> _Leaf:
        leaves = self._leaves(selector)
        # An engine that saves one platform of many leaves the others' blobs out of the archive.
        present = [leaf for leaf in leaves if leaf.manifest is not None] or leaves
        images = [leaf for leaf in present if leaf.is_image] or present
        if len(images) == 1:
            return images[0]
        candidates = [
            Candidate(leaf.label, self._platform(leaf), leaf.descriptor.digest) for leaf in images
        ]
        usage = f"{self.name}:TAG or {self.name}@DIGEST"
        return images[candidates.index(Choice(wanted, self.name, usage).of(candidates))]

    def _leaves(self, selector: LayoutSelector) -> list[_Leaf]:
        """The manifests that `selector` leaves to choose from; at least one."""
        _, index = read_index(self.store, self.name)
        leaves = []
        for leaf, inner in self._walk(index.manifests, "", 1):
            if selector.digest is None or selector.digest in inner:
                leaves.append(leaf)
            if len(leaves) > _MOST_MANIFESTS:
                raise ImageError(f"{self.name} lists more than {_MOST_MANIFESTS:,} manifests")
        if selector.tag:
            tagged = [d for d in index.manifests if _has_tag(d, selector.tag)]
            leaves = [leaf for leaf, _ in self._walk(tagged, "", 1)]
        if leaves:
            return leaves
        labels = ", ".join(dict.fromkeys(map(_label, index.manifests)))
        if not labels:
            raise ImageError(f"{self.name} holds no image: its index is empty")
        asked = selector.tag or selector.digest or "image"
        raise ImageError(f"{self.name} holds no {asked}; there is {labels}")

    def _walk(
        self, descriptors: Sequence[Descriptor], label: str, depth: int
    ) -> Iterator[tuple[_Leaf, tuple[Digest, ...]]]:
        """The manifests below `descriptors`, each with the digests on the way to it."""
        if depth > _DEEPEST:
            raise ImageError(f"{self.name}: its indexes are nested more than {_DEEPEST} deep")
        for descriptor in descriptors:
            if _is_attestation(descriptor):
                continue
            own = label or _label(descriptor)
            document = self._manifest(descriptor)
            if isinstance(document, Index):
                for leaf, inner in self._walk(document.manifests, own, depth + 1):
                    yield leaf, (descriptor.digest, *inner)
            else:
                yield _Leaf(own, descriptor, document), (descriptor.digest,)

    def _manifest(self, descriptor: Descriptor) -> Manifest | Index | None:
        if self.store.find(blob_path(descriptor.digest)) is None:
            return None
        name = f"{self.name}: manifest {descriptor.digest.short}"
        return manifest.parse(self._verified(descriptor, "manifest"), name)

    def _platform(self, leaf: _Leaf) -> Platform:
        if leaf.descriptor.platform is not None or leaf.manifest is None or not leaf.is_image:
            return leaf.descriptor.platform or Platform("unknown", "unknown")
        return platform_of(self._config(leaf.manifest))

    def _config(self, document: Manifest) -> ImageConfig:
        data = self._verified(document.config, "config")
        return ImageConfig.parse(data, f"{self.name}: config {document.config.digest.short}")

    def _layers(self, document: Manifest) -> list[StoredLayer]:
        layers = []
        for number, descriptor in enumerate(document.layers, 1):
            what = f"layer {number} of {len(document.layers)}"
            self._check_type(descriptor.media_type, what)
            layers.append(StoredLayer(self._sized(descriptor, what), descriptor.digest))
        return layers

    def _check_type(self, media_type: str, what: str) -> None:
        if "+encrypted" in media_type:
            raise ImageError(
                f"{self.name}: {what} is encrypted ({media_type}); decrypt the image first:"
                " skopeo copy --decryption-key …"
            )
        if "nondistributable" in media_type or "foreign" in media_type:
            raise ImageError(
                f"{self.name}: {what} lies elsewhere ({media_type}); expected all layers in the"
                " image"
            )

    def _verified(self, descriptor: Descriptor, what: str) -> bytes:
        """The bytes of a document, which are what the descriptor says they are."""
        name = f"{self.name}: {what} {descriptor.digest.short}"
        data = read_all(self._sized(descriptor, what), limit=DOCUMENT_LIMIT, name=name)
        hasher = descriptor.digest.hasher()
        hasher.update(data)
        if hasher.hexdigest() != descriptor.digest.hex:
            raise ImageError(
                f"{name} is damaged: its digest is {descriptor.digest.algorithm}:"
                f"{hasher.hexdigest()}; expected {descriptor.digest}"
            )
        return data

    def _sized(self, descriptor: Descriptor, what: str) -> FileBlob:
        blob = self.store.find(blob_path(descriptor.digest))
        if blob is None:
            raise self._missing(descriptor, what)
        if blob.size != descriptor.size:
            raise ImageError(
                f"{self.name}: {what} ({descriptor.digest}) has {blob.size:,} bytes; expected"
                f" {descriptor.size:,}; copy the image again"
            )
        return blob

    def _missing(self, descriptor: Descriptor, what: str) -> ImageError:
        return ImageError(
            f"{self.name}: {what} is not there: {blob_path(descriptor.digest)}; copy the image"
            " again"
        )


def _is_attestation(descriptor: Descriptor) -> bool:
    """Whether it is one of buildkit's statements about another manifest."""
    unknown = Platform("unknown", "unknown")
    return descriptor.platform == unknown or _ATTESTATION in descriptor.annotations


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


def _label(descriptor: Descriptor) -> str:
    annotations = descriptor.annotations
    return annotations.get(manifest.REF_NAME) or str(descriptor.digest)
