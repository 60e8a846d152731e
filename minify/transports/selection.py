"""The manifests that an index leads to, and the images that they are: layouts and registries alike.

https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from minify.errors import ImageError
from minify.image import manifest
from minify.image.config import ImageConfig
from minify.image.digest import Digest
from minify.image.image import Image, check_layer_count
from minify.image.manifest import Descriptor, Index, Manifest
from minify.image.platform import Platform
from minify.transports.assembly import Parts, StoredLayer, assembled, check_platform, platform_of
from minify.transports.choice import Candidate, Choice
from minify.transports.source_index import SourceImage, SourceIndex

_ATTESTATION = "vnd.docker.reference.type"
_UNKNOWN = Platform("unknown", "unknown")
_DEEPEST = 4
_MOST_MANIFESTS = 1_000
_IMAGES = (manifest.OCI_MANIFEST, manifest.DOCKER_MANIFEST)
_CONFIGS = (manifest.OCI_CONFIG, manifest.DOCKER_CONFIG)


class Contents(Protocol):
    """Blobs by their descriptors, in a layout or a registry."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def is_remote(self) -> bool:
        """Whether each manifest costs a request, so that none is read that need not be."""

    def manifest(self, descriptor: Descriptor) -> bytes | None:
        """A manifest's bytes, as `checked` gives them; None if they are not there."""

    def config(self, descriptor: Descriptor) -> bytes:
        """A config's bytes, as `checked` gives them."""

    def layers(self, document: Manifest) -> Sequence[StoredLayer]:
        """The layers' bytes; they are checked by whoever reads them."""

    def missing(self, descriptor: Descriptor, what: str) -> ImageError:
        """What is said of a blob that is not there."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A manifest that an index leads to."""

    label: str
    """How the reference's selector names it."""
    descriptor: Descriptor
    within: tuple[Digest, ...] = ()
    """The indexes on the way to it, the outermost first."""
    top: Index | None = None
    """The outermost of them."""
    document: Manifest | None = None
    """None if it has not been read."""
    is_there: bool = True
    is_attestation: bool = False
    """Whether it is one of buildkit's statements about another manifest."""

    @property
    def is_image(self) -> bool:
        return self.document is None or self.document.config.media_type in _CONFIGS

    def leads_to(self, digest: Digest) -> bool:
        """Whether `digest` is the manifest's or an index's on the way to it."""
        return digest == self.descriptor.digest or digest in self.within


@dataclass(frozen=True, slots=True)
class Selection:
    """Finds images in some contents."""

    contents: Contents
    usage: str
    """How messages write a selection."""

    def leaves(self, descriptors: Sequence[Descriptor], *, label: str = "") -> list[Leaf]:
        """All manifests below `descriptors`, attestations too; ImageError for too many."""
        leaves = []
        for leaf in self._walk(descriptors, Leaf(label, Descriptor("", Digest("", ""), 0))):
            leaves.append(leaf)
            if len(leaves) > _MOST_MANIFESTS:
                raise ImageError(f"{self._name} lists more than {_MOST_MANIFESTS:,} manifests")
        return leaves

    def chosen(self, leaves: Sequence[Leaf], wanted: Platform | None) -> Leaf:
        """The one image that is meant; ImageError lists what there is otherwise."""
        candidates = [leaf for leaf in leaves if not leaf.is_attestation]
        # An engine that saves one platform of many leaves the others' blobs out of the archive.
        present = [leaf for leaf in candidates if leaf.is_there] or candidates
        images = [leaf for leaf in present if leaf.is_image] or present
        if not images:
            raise ImageError(f"{self._name} holds no image: there are attestations only")
        if len(images) == 1:
            return images[0]
        described = [
            Candidate(leaf.label, self._platform(leaf), leaf.descriptor.digest) for leaf in images
        ]
        choice = Choice(wanted, self._name, self.usage)
        return images[described.index(choice.of(described))]

    def image(self, leaf: Leaf, wanted: Platform | None) -> Image:
        """The image of `leaf`; ImageError if it is none, or not for `wanted`."""
        document = leaf.document or self._read(leaf.descriptor)
        if document is None:
            raise self.contents.missing(leaf.descriptor, "manifest")
        if isinstance(document, Index):
            raise ImageError(
                f"{self._name}: {leaf.descriptor.digest} is an index; its entry says"
                f" {leaf.descriptor.media_type!r}"
            )
        if document.config.media_type not in _CONFIGS:
            raise ImageError(
                f"{self._name}: {leaf.label} is an artifact with a config of type"
                f" {document.config.media_type!r}; expected a container image"
            )
        for number, layer in enumerate(document.layers, 1):
            self._check_type(layer.media_type, f"layer {number} of {len(document.layers)}")
        config = self._config(document)
        entry = leaf.descriptor.platform
        if wanted is not None and not config.platform.variant and entry and entry.matches(wanted):
            wanted = replace(wanted, variant="")  # which only the index's entry states
        # Before layers are fetched in vain.
        check_platform(config, wanted, self._name)
        check_layer_count(config, len(document.layers), self._name)
        parts = Parts(
            config,
            self.contents.layers(document),
            document.annotations,
            leaf.descriptor.digest,
            leaf.within[0] if leaf.within else None,
        )
        return assembled(parts, wanted, self._name)

    def index(self, leaves: Sequence[Leaf]) -> SourceIndex:
        """Every image of `leaves`, which are of one label; ImageError if there is none."""
        found, skipped = [], []
        for leaf in leaves:
            reason = self._reason_to_skip(leaf)
            if reason:
                skipped.append(f"{leaf.descriptor.digest.short}: {reason}")
            else:
                found.append(leaf)
        if not found:
            raise ImageError(f"{self._name} holds no Linux image; there is {', '.join(skipped)}")
        labels = dict.fromkeys(leaf.label for leaf in found)
        if len(labels) > 1:
            raise ImageError(
                f"{self._name} holds several images; choose one with {self.usage}:"
                f" {', '.join(labels)}"
            )
        first = found[0]
        return SourceIndex(
            tuple(self._source(leaf) for leaf in found),
            first.top.annotations if first.top else {},
            first.within[0] if first.within else None,
            tuple(skipped),
        )

    def _source(self, leaf: Leaf) -> SourceImage:
        platform = self._platform(leaf)
        return SourceImage(
            platform,
            leaf.descriptor.digest,
            {
                key: value
                for key, value in leaf.descriptor.annotations.items()
                # The layout's own, at its top: the tag, which is the output's.
                if leaf.within or not key.startswith(("org.opencontainers.image.ref.", "io.conta"))
            },
            lambda: self.image(leaf, Platform(platform.os, platform.architecture)),
        )

    def _reason_to_skip(self, leaf: Leaf) -> str:
        if leaf.is_attestation:
            return leaf.descriptor.annotations.get(_ATTESTATION, "an attestation")
        if not leaf.is_there:
            return f"{leaf.descriptor.platform or 'its manifest'} is not there"
        if not leaf.is_image:
            return "an artifact"
        platform = self._platform(leaf)
        return "" if platform.os == "linux" else f"an image for {platform}"

    def _walk(self, descriptors: Sequence[Descriptor], above: Leaf) -> Iterator[Leaf]:
        if len(above.within) >= _DEEPEST:
            raise ImageError(f"{self._name}: its indexes are nested more than {_DEEPEST} deep")
        for descriptor in descriptors:
            label = above.label or label_of(descriptor)
            if _is_attestation(descriptor):
                yield Leaf(label, descriptor, above.within, above.top, is_attestation=True)
                continue
            if self.contents.is_remote and descriptor.platform and descriptor.media_type in _IMAGES:
                yield Leaf(label, descriptor, above.within, above.top)
                continue
            document = self._read(descriptor)
            if isinstance(document, Index):
                within = (*above.within, descriptor.digest)
                inner = Leaf(label, descriptor, within, above.top or document)
                yield from self._walk(document.manifests, inner)
            else:
                is_there = document is not None
                yield Leaf(label, descriptor, above.within, above.top, document, is_there)

    def _read(self, descriptor: Descriptor) -> Manifest | Index | None:
        data = self.contents.manifest(descriptor)
        if data is None:
            return None
        return manifest.parse(data, f"{self._name}: manifest {descriptor.digest.short}")

    def _platform(self, leaf: Leaf) -> Platform:
        if leaf.descriptor.platform is not None or leaf.document is None or not leaf.is_image:
            return leaf.descriptor.platform or _UNKNOWN
        return platform_of(self._config(leaf.document))

    def _config(self, document: Manifest) -> ImageConfig:
        data = self.contents.config(document.config)
        return ImageConfig.parse(data, f"{self._name}: config {document.config.digest.short}")

    def _check_type(self, media_type: str, what: str) -> None:
        if "+encrypted" in media_type:
            raise ImageError(
                f"{self._name}: {what} is encrypted ({media_type}); decrypt the image first:"
                " skopeo copy --decryption-key …"
            )
        if "nondistributable" in media_type or "foreign" in media_type:
            raise ImageError(
                f"{self._name}: {what} lies elsewhere ({media_type}); expected all layers in the"
                " image"
            )

    @property
    def _name(self) -> str:
        return self.contents.name


def checked(data: bytes, descriptor: Descriptor, name: str) -> bytes:
    """`data` if it is what the descriptor says; ImageError, beginning with `name`, if not."""
    if len(data) != descriptor.size:
        raise ImageError(f"{name} has {len(data):,} bytes; expected {descriptor.size:,}")
    hasher = descriptor.digest.hasher()
    hasher.update(data)
    if hasher.hexdigest() != descriptor.digest.hex:
        raise ImageError(
            f"{name} is damaged: its digest is {descriptor.digest.algorithm}:"
            f"{hasher.hexdigest()}; expected {descriptor.digest}"
        )
    return data


def _is_attestation(descriptor: Descriptor) -> bool:
    return descriptor.platform == _UNKNOWN or _ATTESTATION in descriptor.annotations


def label_of(descriptor: Descriptor) -> str:
    """The tag of a layout's entry, else its digest."""
    return descriptor.annotations.get(manifest.REF_NAME) or str(descriptor.digest)
