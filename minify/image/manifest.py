"""Manifests and indexes, in the OCI's and docker's media types.

https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md,
https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md,
https://distribution.github.io/distribution/spec/manifest-v2-2/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from minify.errors import ImageError
from minify.image import jsontext
from minify.image.compression import Compression
from minify.image.digest import Digest
from minify.image.jsontext import Fields, Json
from minify.image.platform import Platform

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_MANIFEST_V1 = "application/vnd.docker.distribution.manifest.v1"

OCI_LAYER = {
    Compression.NONE: "application/vnd.oci.image.layer.v1.tar",
    Compression.GZIP: "application/vnd.oci.image.layer.v1.tar+gzip",
    Compression.ZSTD: "application/vnd.oci.image.layer.v1.tar+zstd",
}

REF_NAME = "org.opencontainers.image.ref.name"
"""The annotation of an index's descriptor that holds the tag."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What one document says of another blob: type, digest and size in bytes."""

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, fields: Fields, name: str) -> Descriptor:
        size = fields.number("size")
        if size is None or size < 0:
            raise ImageError(f"{name}: a descriptor has no valid size")
        try:
            digest = Digest.parse(fields.text("digest"))
        except ValueError as error:
            raise ImageError(f"{name}: {error}") from error
        platform = fields.mapping("platform")
        return cls(
            fields.text("mediaType"),
            digest,
            size,
            Platform.of(platform) if platform else None,
            fields.text_mapping("annotations"),
        )

    def json(self) -> Mapping[str, Json]:
        """The descriptor as a document holds it."""
        raw: dict[str, Json] = {
            "mediaType": self.media_type,
            "digest": str(self.digest),
            "size": self.size,
        }
        if self.platform:
            raw["platform"] = self.platform.json()
        if self.annotations:
            raw["annotations"] = dict(self.annotations)
        return raw


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image: its config and its layers, oldest first."""

    config: Descriptor
    layers: Sequence[Descriptor]
    annotations: Mapping[str, str]

    def write(self) -> bytes:
        """The manifest as an OCI document."""
        raw: dict[str, Json] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.config.json(),
            "layers": [layer.json() for layer in self.layers],
        }
        if self.annotations:
            raw["annotations"] = dict(self.annotations)
        return jsontext.write(raw)


@dataclass(frozen=True, slots=True)
class Index:
    """Several manifests: platforms of one image, or the tags of a layout."""

    manifests: Sequence[Descriptor]
    annotations: Mapping[str, str]

    def write(self) -> bytes:
        """The index as an OCI document."""
        raw: dict[str, Json] = {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [manifest.json() for manifest in self.manifests],
        }
        if self.annotations:
            raw["annotations"] = dict(self.annotations)
        return jsontext.write(raw)


def parse(data: bytes, name: str) -> Manifest | Index:
    """The manifest or index in `data`; ImageError with `name` for anything else."""
    raw = jsontext.read_object(data, name)
    fields = Fields(raw, name)
    if fields.number("schemaVersion") != 2 or fields.text("mediaType").startswith(
        DOCKER_MANIFEST_V1
    ):
        raise ImageError(
            f"{name} has schemaVersion {raw.get('schemaVersion')!r}; expected 2: push the image"
            " again with a docker of this decade"
        )
    annotations = fields.text_mapping("annotations")
    is_index, is_manifest = "manifests" in raw, "layers" in raw or "config" in raw
    if is_index and is_manifest:
        # What one reader takes for this image would be another to the next: CVE-2021-41190.
        raise ImageError(f"{name} is both an image manifest and an index: refused")
    if is_index:
        manifests = [Descriptor.parse(item, name) for item in fields.objects("manifests")]
        return Index(manifests, annotations)
    if "layers" not in raw or "config" not in raw:
        raise ImageError(f"{name} is neither an image manifest nor an index")
    layers = [Descriptor.parse(item, name) for item in fields.objects("layers")]
    return Manifest(Descriptor.parse(fields.child("config"), name), layers, annotations)
