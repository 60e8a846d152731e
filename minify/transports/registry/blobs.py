"""Blobs on their way from a registry into temporary files: resumed, counted, hashed.

They are read while they arrive: docs/decisions/0027-while-it-arrives.md.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from minify.image.arriving import Arrival, ArrivingBlob
from minify.image.compression import CHUNK
from minify.image.digest import Digest
from minify.image.manifest import Descriptor
from minify.transports.registry.client import (
    THREADS,
    Attempts,
    Client,
    StoppedError,
    TransientError,
)
from minify.transports.registry.http import ExchangeError, Request, Response

_WHOLE, _PARTIAL, _BEYOND = 200, 206, 416


# What it may take until a thread that was told to end has done so.
_LONGEST_END = 1.0


@dataclass(frozen=True, slots=True, weakref_slot=True)
class PulledBlob(ArrivingBlob):
    """A blob that a registry has too, so that it need not be sent there again."""

    host: str
    repository: str
    downloads: Downloads
    """What brings it; held, for it ends with the last of its blobs."""


class BlobCache(Protocol):
    """Where blobs are looked for before they are pulled: the place for a cache across runs."""

    def find(self, digest: Digest) -> PulledBlob | None:
        """The blob of that digest, None if it is not there."""

    def keep(self, digest: Digest, blob: PulledBlob) -> None:
        """Takes note of a blob, which gives its last byte only if its digest is that."""


class RunCache:
    """The blobs of this run that somebody still holds, so that none is pulled twice."""

    def __init__(self) -> None:
        self._blobs: weakref.WeakValueDictionary[Digest, PulledBlob] = weakref.WeakValueDictionary()

    def find(self, digest: Digest) -> PulledBlob | None:
        blob = self._blobs.get(digest)
        return None if blob is None or blob.arrival.has_failed else blob

    def keep(self, digest: Digest, blob: PulledBlob) -> None:
        self._blobs[digest] = blob


class Download:
    """One blob, written to a temporary file while it is hashed."""

    def __init__(self, client: Client, blob: Descriptor, what: str) -> None:
        """`what` is what messages call the blob."""
        self.arrival = Arrival(blob.size, f"{client.access.label}: {what}")
        self._client = client
        self._blob = blob
        self._what = what
        self._hasher = blob.digest.hasher()

    @property
    def digest(self) -> Digest:
        return self._blob.digest

    def run(self) -> None:
        """Brings it; the client's error if it cannot be had, or is not what its digest says."""
        self._client.retried(self._attempt)
        found = self._hasher.hexdigest()
        if found != self._blob.digest.hex:
            raise self._client.error(
                f"{self._what} is damaged: its digest is {self._blob.digest.algorithm}:{found};"
                f" expected {self._blob.digest}"
            )
        self.arrival.end()

    def _attempt(self, attempts: Attempts) -> None:
        """Pulls what is still lacking."""
        start = self.arrival.reached
        if start == self._blob.size > 0:
            return
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
            if self.arrival.reached + len(data) > size:
                raise self._client.error(
                    f"{self._what} is longer than the {size:,} bytes that its manifest says"
                )
            if data:
                self._hasher.update(data)
                self.arrival.write(data)
                attempts.progressed()
        if self.arrival.reached < size:
            # Whether it was cut or has no more, the next answer shows.
            raise TransientError(self._too_short())

    def _too_short(self) -> str:
        return f"{self._what} ends after {self.arrival.reached:,} of {self._blob.size:,} bytes"


class Downloads:
    """Blobs that arrive in threads of their own, in their order, from the moment it is made.

    The first failure is all of theirs. They end when this is forgotten, and with the process.
    """

    def __init__(self, client: Client, downloads: Sequence[Download]) -> None:
        work = _Work(client, downloads)
        weakref.finalize(self, work.stop)
        work.start()


class _Work:
    """What the threads know; nothing here leads to `Downloads`, which nobody could forget then."""

    def __init__(self, client: Client, downloads: Sequence[Download]) -> None:
        self._client = client
        self._downloads = tuple(downloads)
        self._left = list(reversed(downloads))
        self._lock = threading.Lock()
        # Daemons: an interpreter that ends waits for others before it lets anybody stop them.
        self._threads = [
            threading.Thread(target=self._run, name=f"minify-registry-{number}", daemon=True)
            for number in range(min(THREADS, len(downloads)))
        ]
        self._running = len(self._threads)

    def start(self) -> None:
        if self._threads:
            self._client.share()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends what still runs."""
        if not self._running:
            return
        self._fail(StoppedError())
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(_LONGEST_END)

    def _run(self) -> None:
        try:
            while download := self._next():
                download.run()
        except BaseException as error:  # noqa: BLE001 (whoever reads shall have it)
            self._fail(error)
        with self._lock:
            self._running -= 1
            is_last = not self._running
        if is_last:
            self._client.close()

    def _next(self) -> Download | None:
        with self._lock:
            return self._left.pop() if self._left else None

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._left.clear()
        for download in self._downloads:
            download.arrival.fail(error)
        self._client.stop()
