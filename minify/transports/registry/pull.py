"""Images out of a registry: manifest, config, layers, each checked against its digest.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pull
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

from minify.errors import ImageError, UsageError
from minify.image.digest import Digest
from minify.image.image import Image
from minify.image.jsontext import DOCUMENT_LIMIT
from minify.image.manifest import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
)
from minify.image.reference import Reference
from minify.transports.assembly import StoredLayer
from minify.transports.options import OpenOptions
from minify.transports.registry.blobs import (
    BlobCache,
    Download,
    Downloads,
    PulledBlob,
    RunCache,
)
from minify.transports.registry.client import Access, Client
from minify.transports.registry.http import ExchangeError, Patience, Request, Response
from minify.transports.registry.name import RegistryName
from minify.transports.selection import Selection, checked
from minify.transports.source_index import SourceIndex

_MANIFESTS = {"Accept": f"{OCI_INDEX}, {OCI_MANIFEST}, {DOCKER_INDEX}, {DOCKER_MANIFEST}"}
_PATIENCE = Patience()


def open_image(reference: Reference, options: OpenOptions, patience: Patience = _PATIENCE) -> Image:
    """The image that `reference` and `options.platform` name; its layers arrive by and by."""
    repository = _Repository.of(reference, options, patience)
    with closing(repository.client):
        top = repository.resolved(reference, options)
        selection = repository.selection
        leaf = selection.chosen(selection.leaves([top], label=str(reference)), options.platform)
        return selection.image(leaf, options.platform)


def open_images(
    reference: Reference, options: OpenOptions, patience: Patience = _PATIENCE
) -> SourceIndex:
    """All images that `reference` names; each is pulled when it is opened."""
    repository = _Repository.of(reference, options, patience)
    with closing(repository.client):
        top = repository.resolved(reference, options)
        selection = repository.selection
        return selection.index(selection.leaves([top], label=str(reference)))


@dataclass(frozen=True, slots=True)
class _Repository:
    """The blobs of a repository, as `Contents`."""

    client: Client
    cache: BlobCache = field(default_factory=RunCache)
    """The place for a cache across runs."""
    is_remote: bool = True
    _documents: dict[Digest, bytes] = field(default_factory=dict)
    """Manifests and configs that have been read, which each costs a request."""

    @classmethod
    def of(cls, reference: Reference, options: OpenOptions, patience: Patience) -> _Repository:
        name = RegistryName.of(reference)
        access = Access(
            name, str(reference), ImageError, tls_verify=options.tls_verify, patience=patience
        )
        return cls(Client(access))

    @property
    def name(self) -> str:
        return self.client.access.label

    @property
    def selection(self) -> Selection:
        host, repository = self.client.name.host, self.client.name.repository
        return Selection(self, f"docker://{host}/{repository}:TAG")

    def resolved(self, reference: Reference, options: OpenOptions) -> Descriptor:
        """What the name leads to now; UsageError if it may lead elsewhere later and must not."""
        wanted = self.client.name
        data, said = self._document(f"manifests/{wanted.manifest}", "have the manifest", _MANIFESTS)
        descriptor = Descriptor("", wanted.digest or Digest.of(data), len(data))
        checked(data, descriptor, f"{self.name}: manifest")
        if wanted.digest is None and said.startswith("sha256:") and said != str(descriptor.digest):
            raise ImageError(
                f"{self.name}: manifest is damaged: its digest is {descriptor.digest}; the"
                f" registry says {said[:80]}"
            )
        if options.require_digest and wanted.digest is None:
            raise UsageError(
                f"{reference}: --require-digest: a tag can be moved; now it is"
                f" docker://{wanted.at(descriptor.digest)}"
            )
        self._documents[descriptor.digest] = data
        return descriptor

    def manifest(self, descriptor: Descriptor) -> bytes:
        return self._checked(descriptor, "manifest", f"manifests/{descriptor.digest}", _MANIFESTS)

    def config(self, descriptor: Descriptor) -> bytes:
        return self._checked(descriptor, "config", f"blobs/{descriptor.digest}", {})

    def layers(self, document: Manifest) -> Sequence[StoredLayer]:
        """They arrive while they are read, the oldest first."""
        found: dict[Digest, PulledBlob] = {}
        wanted: dict[Digest, Download] = {}
        for number, layer in enumerate(document.layers, 1):
            held = self.cache.find(layer.digest)
            if held is not None:
                found[layer.digest] = held
            elif layer.digest not in wanted:
                what = f"layer {number} of {len(document.layers)} ({layer.digest.short})"
                wanted[layer.digest] = Download(self.client, layer, what)
        downloads = Downloads(self.client, tuple(wanted.values()))
        name = self.client.name
        for digest, download in wanted.items():
            blob = PulledBlob(download.arrival, name.host, name.repository, downloads)
            self.cache.keep(digest, blob)
            found[digest] = blob
        return [StoredLayer(found[layer.digest], layer.digest) for layer in document.layers]

    def missing(self, descriptor: Descriptor, what: str) -> ImageError:
        return ImageError(f"{self.name}: {what} {descriptor.digest} is not there")

    def _checked(
        self, descriptor: Descriptor, what: str, path: str, headers: dict[str, str]
    ) -> bytes:
        name = f"{self.name}: {what} {descriptor.digest.short}"
        if descriptor.digest not in self._documents:
            data, _ = self._document(path, f"have the {what} {descriptor.digest}", headers)
            self._documents[descriptor.digest] = checked(data, descriptor, name)
        return checked(self._documents[descriptor.digest], descriptor, name)

    def _document(self, path: str, what: str, headers: dict[str, str]) -> tuple[bytes, str]:
        """A small document, and the digest that the registry says it has."""

        def attempt(_: object) -> tuple[bytes, str]:
            response = self.client.once(Request("GET", path, headers), what)
            try:
                return self._start(response, path), response.header("Docker-Content-Digest")
            except ExchangeError as error:
                raise self.client.failure(error) from error
            finally:
                response.close()

        return self.client.retried(attempt)

    def _start(self, response: Response, path: str) -> bytes:
        data = response.start(DOCUMENT_LIMIT + 1)
        if len(data) > DOCUMENT_LIMIT:
            raise self.client.error(
                f"{path} is larger than {DOCUMENT_LIMIT:,} bytes, which no such document is"
            )
        return data
