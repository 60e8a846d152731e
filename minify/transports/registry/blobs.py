"""Blobs on their way from a registry into temporary files: resumed, counted, hashed."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Protocol

from minify.image.blob import FileBlob, HostFile, Spool
from minify.image.compression import CHUNK
from minify.image.digest import Digest
from minify.image.manifest import Descriptor
from minify.progress import Advance
from minify.transports.registry.client import Attempts, Client, TransientError
from minify.transports.registry.http import ExchangeError, Request, Response

_WHOLE, _PARTIAL, _BEYOND = 200, 206, 416


@dataclass(frozen=True, slots=True)
class PulledBlob(FileBlob):
    """A blob that a registry has too, so that it need not be sent there again."""

    host: str
    repository: str


class BlobCache(Protocol):
    """Where blobs are looked for before they are pulled: the place for a cache across runs."""

    def find(self, digest: Digest) -> FileBlob | None:
        """The blob of that digest, None if it is not there."""

    def keep(self, digest: Digest, blob: FileBlob) -> None:
        """Takes note of a blob whose digest has been checked."""


class RunCache:
    """The blobs of this run that somebody still holds, so that none is pulled twice."""

    def __init__(self) -> None:
        self._files: weakref.WeakValueDictionary[Digest, HostFile] = weakref.WeakValueDictionary()

    def find(self, digest: Digest) -> FileBlob | None:
        file = self._files.get(digest)
        return None if file is None else FileBlob.whole(file)

    def keep(self, digest: Digest, blob: FileBlob) -> None:
        self._files[digest] = blob.file


class Download:
    """One blob, written to a temporary file while it is hashed."""

    def __init__(self, client: Client, blob: Descriptor, what: str, advance: Advance) -> None:
        """`what` is what messages call the blob."""
        self._client = client
        self._blob = blob
        self._what = what
        self._advance = advance
        self._hasher = blob.digest.hasher()
        self._spool = Spool(f"{client.access.label}: {what}")

    def run(self) -> FileBlob:
        """The blob; the client's error if it cannot be had, or is not what its digest says."""
        self._client.retried(self._attempt)
        found = self._hasher.hexdigest()
        if found != self._blob.digest.hex:
            raise self._client.error(
                f"{self._what} is damaged: its digest is {self._blob.digest.algorithm}:{found};"
                f" expected {self._blob.digest}"
            )
        return self._spool.blob()

    def _attempt(self, attempts: Attempts) -> None:
        """Pulls what is still lacking."""
        if self._spool.size == self._blob.size > 0:
            return
        start = self._spool.size
        headers = {"Range": f"bytes={start}-"} if start else {}
        request = Request("GET", f"blobs/{self._blob.digest}", headers)
        expected = (_WHOLE, _PARTIAL, _BEYOND) if start else (_WHOLE,)
        response = self._client.once(request, f"have {self._what}", expected)
        try:
            self._append(response, self._skipped(response, start), attempts)
        except ExchangeError as error:
            raise self._client.failure(error) from error
        finally:
            response.close()

    def _skipped(self, response: Response, start: int) -> int:
        """How many bytes of the answer are there already: registries may ignore Range."""
        if response.status == _BEYOND:
            raise self._client.error(self._too_short())
        if response.status == _WHOLE:
            return start
        said = response.header("Content-Range")
        if not said.startswith(f"bytes {start}-"):
            raise self._client.error(
                f"{self._what}: asked for the bytes from {start:,}, the registry sent {said!r}"
            )
        return 0

    def _append(self, response: Response, skipped: int, attempts: Attempts) -> None:
        size = self._blob.size
        while data := response.read(CHUNK):
            self._client.check_stopped()
            data, skipped = data[skipped:], max(0, skipped - len(data))
            if self._spool.size + len(data) > size:
                raise self._client.error(
                    f"{self._what} is longer than the {size:,} bytes that its manifest says"
                )
            if data:
                self._spool.write(data)
                self._hasher.update(data)
                self._advance(len(data))
                attempts.progressed()
        if self._spool.size < size:
            # Whether it was cut or has no more, the next answer shows.
            raise TransientError(self._too_short())

    def _too_short(self) -> str:
        return f"{self._what} ends after {self._spool.size:,} of {self._blob.size:,} bytes"
