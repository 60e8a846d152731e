"""One blob on its way into a registry: not sent if it is there, mounted if a neighbour has it.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-blobs
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from minify.errors import ImageError, MinifyError
from minify.image.blob import Blob
from minify.image.compression import CHUNK
from minify.image.digest import Digest
from minify.image.manifest import Descriptor
from minify.progress import Advance
from minify.transports.registry.client import Attempts, Client, StoppedError, TransientError
from minify.transports.registry.http import Request, Response

# Above this a cut would cost too much: a blob in chunks goes on with the one that was cut.
_CHUNKED_ABOVE = 1 << 30
_CHUNK_SIZE = 32 << 20

_UPLOADS = "blobs/uploads/"
_BYTES = {"Content-Type": "application/octet-stream"}
_TAKE_UPLOADS = "take uploads"
_TOO_LARGE = 413
_CANCELLED = (200, 202, 204, 400, 404, 405, 416, 501)
"""That a session is gone, or that the registry cannot end it."""
_RANGE = re.compile(r"(?:bytes=)?0-(\d{1,18})", re.ASCII)


class DamagedError(Exception):
    """What is to be sent cannot be read, or is not what it should be: no fault of the registry."""


@dataclass(frozen=True, slots=True)
class _Slice:
    """A part of a blob as a request's body."""

    blob: Blob
    start: int
    size: int
    advance: Advance
    expected: Digest | None = None
    """What all of it must hash to; the last bytes are not sent if it does not."""
    name: str = ""

    def chunks(self) -> Iterator[bytes]:
        try:
            yield from self._read()
        except ImageError as error:
            raise DamagedError(*error.lines) from error

    def _read(self) -> Iterator[bytes]:
        stream = self.blob.open()
        stream.seek(self.start)
        left = self.size
        hasher = self.expected.hasher() if self.expected else None
        while left > 0 and (data := stream.read(min(CHUNK, left))):
            left -= len(data)
            if hasher is not None:
                hasher.update(data)
                self._check(hasher.hexdigest(), left)
            yield data
            self.advance(len(data))
        if left:
            raise ImageError(f"{self.name} is {left:,} bytes shorter than it says")

    def _check(self, found: str, left: int) -> None:
        if not left and self.expected is not None and found != self.expected.hex:
            raise ImageError(
                f"{self.name} is damaged: its digest is {self.expected.algorithm}:{found}; the"
                f" image says {self.expected}"
            )


@dataclass(frozen=True, slots=True)
class Part:
    """A blob of an image that is to be in the registry."""

    descriptor: Descriptor
    blob: Blob
    name: str
    """What messages call it."""
    origin: str = ""
    """Another repository of the registry that has the blob."""


class Upload:
    """What it takes to have one blob in the registry."""

    def __init__(self, client: Client, part: Part, advance: Advance) -> None:
        self._client = client
        self._part = part
        self._advance = advance
        self._in_chunks = part.descriptor.size > _CHUNKED_ABOVE
        self._sent = 0

    @classmethod
    def try_out(cls, client: Client) -> None:
        """The client's error if the registry takes no uploads from us; leaves none behind."""
        request = Request("POST", _UPLOADS)
        response = client.exchange(request, _TAKE_UPLOADS, (202,))
        location = _location(client, response)
        response.close()
        client.retried(lambda _: _cancel(client, location))

    def run(self) -> None:
        """Sends the blob if it has to be; the client's error if that fails."""
        if self._is_there():
            self._tell(self._part.descriptor.size)
        else:
            self._client.retried(self._attempt)

    def _is_there(self) -> bool:
        request = Request("HEAD", f"blobs/{self._part.descriptor.digest}")
        response = self._client.exchange(request, _TAKE_UPLOADS, (200, 404))
        response.close()
        return response.status == 200

    def _attempt(self, _: Attempts) -> None:
        """Sends all of it in a session of its own, which is cancelled if the bytes are not ours."""
        self._tell(-self._sent)
        digest = self._part.descriptor.digest
        mount = (
            f"?mount={digest}&from={quote(self._part.origin, safe='')}" if self._part.origin else ""
        )
        request = Request("POST", f"{_UPLOADS}{mount}")
        response = self._client.once(request, _TAKE_UPLOADS, (201, 202))
        response.close()
        if response.status == 201:
            self._tell(self._part.descriptor.size)
            return
        location = _location(self._client, response)
        try:
            if self._in_chunks:
                least = response.header("OCI-Chunk-Min-Length")
                location = self._send_chunks(location, int(least) if least.isdecimal() else 0)
                self._finish(location, None)
            else:
                whole = self._slice(0, self._part.descriptor.size, digest)
                if self._finish(location, whole) == _TOO_LARGE:
                    self._in_chunks = True
                    raise TransientError(f"{self._part.name} is too large for one request")
        except DamagedError as error:
            # Whether that works is the registry's concern: it forgets sessions in the end.
            with suppress(MinifyError, TransientError, StoppedError):
                _cancel(self._client, location)
            raise ImageError(*error.args) from error

    def _finish(self, location: str, body: _Slice | None) -> int:
        """Ends the session with the last bytes; the status, which may be that they are too many."""
        url = f"{location}{'&' if '?' in location else '?'}digest={self._part.descriptor.digest}"
        request = Request("PUT", url, _BYTES, body)
        expected = (201, 204, _TOO_LARGE) if body is not None else (201, 204)
        response = self._client.once(request, f"take {self._part.name}", expected)
        response.close()
        return response.status

    def _send_chunks(self, location: str, least: int) -> str:
        """Sends the blob piece by piece; where to end the session."""
        size = self._part.descriptor.size
        for _ in self._slice(0, size, self._part.descriptor.digest, silent=True).chunks():
            pass  # a piece at a time it could not be told that the bytes are not ours
        start, step = 0, max(least, min(_CHUNK_SIZE, size // 2 + 1))
        while start < size:
            piece = _Piece(self._client, location, self._slice(start, min(step, size - start)))
            location, start = self._client.retried(piece.attempt)
        return location

    def _slice(
        self, start: int, size: int, expected: Digest | None = None, *, silent: bool = False
    ) -> _Slice:
        advance = (lambda _: None) if silent else self._tell
        return _Slice(self._part.blob, start, size, advance, expected, self._part.name)

    def _tell(self, size: int) -> None:
        self._sent += size
        self._advance(size)


class _Piece:
    """One chunk of a session; after a failure the registry says how much of it has arrived."""

    def __init__(self, client: Client, location: str, body: _Slice) -> None:
        self._client = client
        self._location = location
        self._body = body
        self._has_failed = False

    def attempt(self, _: Attempts) -> tuple[str, int]:
        """Where the next chunk goes, and from which byte on."""
        start = self._body.start
        if self._has_failed:
            request = Request("GET", self._location)
            state = self._client.once(request, _TAKE_UPLOADS, (204,))
            state.close()
            reached = _reached(state)
            if reached > start:
                return _location(self._client, state), reached
        self._has_failed = True
        end = start + self._body.size - 1
        headers = {**_BYTES, "Content-Range": f"{start}-{end}"}
        request = Request("PATCH", self._location, headers, self._body)
        response = self._client.once(request, f"take {self._body.name}", (202,))
        response.close()
        return _location(self._client, response), _reached(response) or end + 1


def _reached(response: Response) -> int:
    """How many bytes have arrived; 0 if the registry does not say, which it writes `0-0` too."""
    match = _RANGE.fullmatch(response.header("Range").strip())
    return int(match[1]) + 1 if match and match[1] != "0" else 0


def _location(client: Client, response: Response) -> str:
    location = response.header("Location")
    if not location:
        raise client.error(f"{client.name.host} begins an upload and does not say where")
    return client.located(response, location)


def _cancel(client: Client, location: str) -> None:
    """Ends a session; registries that cannot do it forget sessions by themselves."""
    request = Request("DELETE", location)
    client.once(request, "cancel an upload", _CANCELLED).close()
