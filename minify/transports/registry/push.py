"""Images into a registry: blobs first, manifests next, the tag last.

A tag therefore never leads to something that is not whole. What was sent before a failure is
referred to by nothing, and the registry's garbage collection removes it.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#push
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import closing

from minify.errors import OutputError
from minify.image.blob import Blob, BytesBlob
from minify.image.compression import CHUNK
from minify.image.digest import Digest
from minify.image.image import Image
from minify.image.layer import Layer
from minify.image.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor
from minify.image.reference import Reference
from minify.transports.options import WriteOptions, Written, WrittenIndex
from minify.transports.registry.blobs import PulledBlob
from minify.transports.registry.client import Access, Client, guarded
from minify.transports.registry.http import Patience, Request
from minify.transports.registry.name import RegistryName
from minify.transports.registry.upload import Part, Upload
from minify.transports.source_index import ImageIndex
from minify.transports.storing import (
    StoredImage,
    described,
    described_index,
    layer_type,
    written_index,
)

_PATIENCE = Patience()


def check_output(
    reference: Reference, options: WriteOptions, patience: Patience = _PATIENCE
) -> None:
    """OutputError if the registry does not answer or does not let us push; leaves nothing there."""
    client = _client(reference, (), options, patience)
    with closing(client):
        Upload.try_out(client)


def write_image(
    image: Image, reference: Reference, options: WriteOptions, patience: Patience = _PATIENCE
) -> Written:
    """Pushes `image`, which is checked meanwhile; the tag moves as the last step."""
    client = _client(reference, [image], options, patience)
    with closing(client):
        (stored,) = _push_blobs(client, [image], options)
        data = stored.manifest.write()
        _put_manifest(client, client.name.tag, OCI_MANIFEST, data)
    return Written(str(reference), stored.manifest.config.digest, stored.descriptor.digest)


def write_index(
    index: ImageIndex, reference: Reference, options: WriteOptions, patience: Patience = _PATIENCE
) -> WrittenIndex:
    """Pushes all images of `index`, each by its digest, and the index last."""
    images = [one.image for one in index.images]
    client = _client(reference, images, options, patience)
    with closing(client):
        stored = _push_blobs(client, images, options)
        for one in stored:
            digest = str(one.descriptor.digest)
            _put_manifest(client, digest, OCI_MANIFEST, one.manifest.write())
        data = described_index(index, stored).write()
        _put_manifest(client, client.name.tag, OCI_INDEX, data)
    place = f"docker://{client.name.host}/{client.name.repository}"
    return written_index(str(reference), place, Digest.of(data), stored)


def _client(
    reference: Reference, images: Iterable[Image], options: WriteOptions, patience: Patience
) -> Client:
    name = RegistryName.of_output(reference)
    blobs = (layer.blob for image in images for layer in image.layers)
    others = {origin for blob in blobs if (origin := _origin(blob, name))}
    return Client(
        Access(
            name,
            f"{reference} cannot be written",
            OutputError,
            "pull,push",
            tuple(sorted(others)),
            options.tls_verify,
            patience,
        )
    )


def _origin(blob: Blob, name: RegistryName) -> str:
    """The other repository of the same registry that has the blob; empty if none is known."""
    if not isinstance(blob, PulledBlob) or blob.host != name.host:
        return ""
    return "" if blob.repository == name.repository else blob.repository


def _push_blobs(client: Client, images: list[Image], options: WriteOptions) -> list[StoredImage]:
    """Sends what the registry lacks, each blob once, and runs the check beside that."""
    stored, parts = [], []
    for image in images:
        assert len(image.config.diff_ids) == len(image.layers), "a virtual layer has to be built"
        layers = [_part(layer, client.name) for layer in image.layers]
        one = described(image, [layer.descriptor for layer in layers])
        config = Part(one.manifest.config, BytesBlob(image.config.data), f"{image.name}: config")
        stored.append(one)
        parts += [*layers, config]
    unique = {part.descriptor.digest: part for part in reversed(parts)}
    total = sum(part.descriptor.size for part in unique.values())
    with options.progress.step("pushing", total) as told:
        advance = guarded(told)
        uploads = [Upload(client, part, advance) for part in unique.values()]
        client.in_parallel([upload.run for upload in uploads], options.check)
    return stored


def _part(layer: Layer, name: RegistryName) -> Part:
    """A layer as it is stored; its digest is computed if the medium has not stated it."""
    stated = layer.digest
    if stated is None or stated.algorithm != "sha256" or layer.size is None:
        layer.open().verify()  # what is hashed here cannot be compared with what is stated
        stated, size = _hashed(layer.blob)
    else:
        size = layer.size
    layer.blob.check_unchanged()
    descriptor = Descriptor(layer_type(layer), stated, size)
    return Part(descriptor, layer.blob, layer.name, _origin(layer.blob, name))


def _hashed(blob: Blob) -> tuple[Digest, int]:
    hasher = hashlib.sha256()
    stream = blob.open()
    while data := stream.read(CHUNK):
        hasher.update(data)
    return Digest("sha256", hasher.hexdigest()), stream.tell()


def _put_manifest(client: Client, manifest: str, media_type: str, data: bytes) -> None:
    """Puts a manifest under a tag or its digest, and makes sure that the registry has these bytes.

    Some registries rewrite what they are given; then the digest that we tell would lead nowhere.
    """
    request = Request("PUT", f"manifests/{manifest}", {"Content-Type": media_type}, data)
    response = client.exchange(request, f"take the manifest {manifest}", (200, 201, 202))
    response.close()
    said = response.header("Docker-Content-Digest")
    if said and said != str(Digest.of(data)):
        raise client.error(
            f"{client.name.host} made another manifest of it: {said[:80]}; expected"
            f" {Digest.of(data)}"
        )
