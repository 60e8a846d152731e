"""One layer of an image: stored bytes that hold a tar, and what is known about them.

https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md
"""

from __future__ import annotations

from dataclasses import dataclass

from minify.errors import ImageError
from minify.image.blob import Blob, Stream
from minify.image.compression import CHUNK, GzipStream, SeekPoints, plain_stream
from minify.image.digest import Digest
from minify.image.kept import Contents, Room

_POINTS = SeekPoints()


@dataclass(frozen=True, slots=True)
class SizeLimit:
    """The bound on a layer's plain tar, against decompression bombs.

    gzip cannot shrink below 1:1030, zstd can go below 1:10,000; real layers stay under 1:20, a
    preallocated database file aside, for which the first `free` bytes are.
    """

    free: int = 4 << 30
    ratio: int = 100
    most: int = 256 << 30

    def of(self, stored_size: int) -> int:
        """The most plain bytes allowed for a layer of `stored_size` bytes."""
        return min(self.most, max(self.free, stored_size * self.ratio))


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer as a medium has it; what the medium does not state is None and not compared."""

    blob: Blob
    name: str
    """What messages call it: `layer 3 of 7 (sha256:9f2c…)`."""
    diff_id: Digest | None = None
    """The digest of the plain tar."""
    digest: Digest | None = None
    """The digest of the bytes as stored."""
    size: int | None = None
    """The number of bytes as stored."""

    @property
    def is_verifiable(self) -> bool:
        """Whether anything is known that the bytes can be compared with."""
        return self.diff_id is not None or self.digest is not None

    def open(
        self,
        limit: SizeLimit = SizeLimit(),
        points: SeekPoints = _POINTS,
        room: Room | None = None,
    ) -> LayerStream:
        """The plain tar. Its bytes count as checked once `LayerStream.verify` has returned.

        Where there is `room`, the programs and libraries that are skipped are kept in it.
        """
        return LayerStream(self, limit, points, room)


class LayerStream:
    """A layer's plain tar, hashed while it is read for the first time, then read at any place."""

    def __init__(
        self, layer: Layer, limit: SizeLimit, points: SeekPoints, room: Room | None
    ) -> None:
        self._layer = layer
        self._limit = limit
        self._stored = _Hashed(layer.blob.open(), layer.digest)
        plain = plain_stream(self._stored, layer.name, points)
        self._is_compressed = plain is not self._stored
        is_slow = isinstance(plain, GzipStream)
        self._kept = Contents(room) if room is not None and is_slow else None
        # A layer stored plain has one hash that says both.
        is_same = not self._is_compressed and layer.digest == layer.diff_id
        self._plain = _Hashed(plain, None if is_same else layer.diff_id)
        self._is_read_whole = layer.is_verifiable or self._is_compressed
        self._position = 0
        self._block = b""
        self._block_start = 0

    def read(self, size: int, /) -> bytes:
        start = self._position - self._block_start
        if start >= 0 and start + size <= len(self._block):
            self._position += size
            return self._block[start : start + size]
        data = self._some(size)
        if len(data) < size:
            parts = [data]
            while (missing := size - sum(map(len, parts))) and (part := self._some(missing)):
                parts.append(part)
            data = b"".join(parts)
        return data

    def _some(self, most: int) -> bytes:
        """The next bytes, at least one and at most `most`; none at the end."""
        start = self._position - self._block_start
        if not 0 <= start < len(self._block):
            if self._position != self._plain.reached or not self._is_read_whole:
                return self._elsewhere(most)
            # Whatever is read for the first time is read in order, and hashed in large pieces.
            self._plain.seek(self._position)
            self._block, self._block_start, start = self._decompressed(CHUNK), self._position, 0
        data = self._block[start : start + most]
        self._position += len(data)
        return data

    def _elsewhere(self, size: int) -> bytes:
        """The `size` bytes from the position, fewer only at the end: kept, or decompressed anew."""
        at = self._position
        data = (
            self._kept.read(at, size)
            if self._kept is not None and at < self._plain.reached
            else None
        )
        if data is None:
            self._plain.seek(at)
            data = self._decompressed(size)
        self._position += len(data)
        return data

    def _decompressed(self, size: int) -> bytes:
        data = self._plain.read(size)
        if self._is_compressed and self._plain.reached > self._limit.free:
            self._check_ratio()
        return data

    def seek(self, offset: int, /) -> None:
        self._position = offset

    def tell(self) -> int:
        return self._position

    @property
    def stored_reached(self) -> int:
        """How many of the stored bytes have been read, for progress bars."""
        return self._stored.reached

    def skip(self, size: int) -> None:
        """Moves on by `size` bytes; reads them if they have to be hashed or decompressed.

        A compressed layer would otherwise be unpacked that far before its bound is looked at.
        """
        if not self._is_read_whole:
            self._position += size
            return
        kept, left = self._kept, size
        while left > 0 and (data := self._some(min(left, CHUNK))):
            if kept is not None:
                is_wanted = left < size or kept.wants(data, size)
                kept = kept if is_wanted and kept.add(self._position - len(data), data) else None
            left -= len(data)

    def _check_ratio(self) -> None:
        most = self._limit.of(self._stored.reached)
        if self._plain.reached > most:
            raise ImageError(
                f"{self._layer.name} unpacks to more than {most:,} bytes from"
                f" {self._stored.reached:,} stored ones: a decompression bomb is refused"
            )

    def verify(self) -> None:
        """Reads on to the end and compares digests and size with what the layer states.

        Raises ImageError naming the layer, what was expected and what was found.
        """
        if not self._layer.is_verifiable:
            return
        # One after the other: the stored bytes' position is the decompressor's till it is done, and
        # a plain layer's two streams are one.
        self._position = self._plain.reached
        while self._some(CHUNK):
            pass
        self._block = b""
        self._stored.seek(self._stored.reached)
        while self._stored.read(CHUNK):
            pass
        layer = self._layer
        if layer.size is not None and self._stored.reached != layer.size:
            raise ImageError(
                f"{layer.name} has {self._stored.reached:,} bytes; its manifest says {layer.size:,}"
            )
        self._compare(layer.digest, self._stored.digest(), "digest")
        self._compare(layer.diff_id, self._plain.digest(), "diff_id")

    def _compare(self, stated: Digest | None, found: Digest | None, what: str) -> None:
        if stated is not None and found is not None and stated != found:
            raise ImageError(
                f"{self._layer.name} is damaged: its {what} is {found}; the image says {stated}"
            )


class _Hashed:
    """A stream that hashes what is read beyond the furthest place reached so far."""

    def __init__(self, stream: Stream, stated: Digest | None) -> None:
        self._stream = stream
        self._stated = stated
        self._hash = stated.hasher() if stated else None
        self.reached = 0

    def read(self, size: int, /) -> bytes:
        start = self._stream.tell()
        data = self._stream.read(size)
        end = start + len(data)
        if data and end > self.reached:
            if self._hash is not None:
                if start > self.reached:
                    raise AssertionError("a stream that is hashed was read out of order")
                self._hash.update(data[self.reached - start :] if start < self.reached else data)
            self.reached = end
        return data

    def seek(self, offset: int, /) -> None:
        self._stream.seek(offset)

    def tell(self) -> int:
        return self._stream.tell()

    def digest(self) -> Digest | None:
        if self._hash is None or self._stated is None:
            return None
        return Digest(self._stated.algorithm, self._hash.hexdigest())
