"""The merged filesystem of an image: names, resolution, contents."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from minify.errors import ImageError
from minify.filetree import links
from minify.filetree.entry import Entry, Kind
from minify.filetree.links import Resolution
from minify.filetree.overlay import Overlay
from minify.filetree.path import ImagePath, child
from minify.filetree.tarindex import TarStream, read_entries
from minify.image.blob import Stream
from minify.image.compression import SeekPoints
from minify.image.kept import Room
from minify.image.layer import Layer, LayerStream
from minify.progress import SILENT, Advance, Progress

_CHUNK = 1 << 18
_MOST_POINTS, _FEWEST_POINTS = 1024, 8
_LARGEST_WHOLE = 1 << 27


class FileTree:
    """All names of an image, and their contents read on demand from its layers.

        tree = FileTree.from_layers(image.layers)
        tree.resolve("/bin/sh").entry        # the entry of /usr/bin/dash, links crossed
        tree.read(tree["/etc/passwd"])       # bytes

    Keys are real paths: no component above the last is a symbolic link.
    """

    def __init__(self, overlay: Overlay, streams: Sequence[TarStream]) -> None:
        self._entries = overlay.entries
        self._children = overlay.children
        self._streams = tuple(streams)

    @classmethod
    def from_layers(
        cls, layers: Sequence[Layer], progress: Progress = SILENT, room: Room | None = None
    ) -> FileTree:
        """Reads, checks and merges `layers`, oldest first. ImageError names layer and member.

        With `room`, programs and libraries are decompressed once: for a tree whose files are read.
        """
        overlay = Overlay()
        streams = []
        # The budget is the image's, whatever the number of its layers.
        points = SeekPoints(most=max(_FEWEST_POINTS, _MOST_POINTS // max(len(layers), 1)))
        for number, layer in enumerate(layers):
            stream = layer.open(points=points, room=room)
            label = f"reading layer {number + 1} of {len(layers)}"
            with progress.step(label, layer.size) as advance:
                members = read_entries(stream, number, layer.name)
                try:
                    overlay.apply(_reporting(members, stream, advance), layer.name)
                    stream.verify()
                except ImageError:
                    # That its bytes are not the right ones is the better reason.
                    layer.blob.check_unchanged()
                    raise
            streams.append(stream)
        return cls(overlay, streams)

    @property
    def entries(self) -> Mapping[ImagePath, Entry]:
        """All entries by path, the root included, in no particular order."""
        return MappingProxyType(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def __getitem__(self, path: ImagePath) -> Entry:
        return self._entries[path]

    def get(self, path: str) -> Entry | None:
        """The entry whose real path is `path`; no link is followed."""
        return self._entries.get(ImagePath(path))

    def children(self, directory: ImagePath) -> tuple[str, ...]:
        """The names in `directory`, sorted; empty if it is none."""
        return tuple(sorted(self._children.get(directory, ())))

    def below(self, directory: ImagePath) -> Iterator[Entry]:
        """Every entry below `directory`, parents first, siblings sorted; links are not followed."""
        stack = [child(directory, name) for name in reversed(self.children(directory))]
        while stack:
            path = stack.pop()
            yield self._entries[path]
            stack += [child(path, name) for name in reversed(self.children(path))]

    def resolve(self, path: str, *, follow_last: bool = True) -> Resolution:
        """Where the absolute `path` leads, as the kernel follows it."""
        return links.resolve(self._entries, path, follow_last=follow_last)

    def file(self, path: str) -> Entry | None:
        """The regular file that `path` leads to, if it leads to one."""
        entry = self.resolve(path).entry
        return entry if entry is not None and entry.kind is Kind.FILE else None

    def directory(self, path: str) -> Entry | None:
        """The directory that `path` leads to, if it leads to one."""
        entry = self.resolve(path).entry
        return entry if entry is not None and entry.kind is Kind.DIRECTORY else None

    def open(self, entry: Entry) -> Stream:
        """The content of a file; ImageError if the layer turns out shorter than its index."""
        assert entry.kind is Kind.FILE, entry
        stored = _Stored(self._streams[entry.layer], entry)
        return stored if entry.sparse is None else _Expanded(stored, entry)

    def read(self, entry: Entry, limit: int | None = None) -> bytes:
        """The first `limit` bytes of a file's content, all of it by default.

        Then ImageError if that is too large to be held in memory: a hole has any size for nothing.
        """
        if limit is None and entry.size > _LARGEST_WHOLE:
            raise ImageError(
                f"{entry.path!r} has {entry.size:,} bytes; as a file of its kind it is refused"
                f" above {_LARGEST_WHOLE:,}"
            )
        return self.open(entry).read(entry.size if limit is None else limit)

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """A file's content, piece by piece."""
        stream = self.open(entry)
        while data := stream.read(_CHUNK):
            yield data


def _reporting(members: Iterable[Entry], stream: LayerStream, advance: Advance) -> Iterator[Entry]:
    """`members`, with the progress through their layer's stored bytes told to `advance`."""
    told = 0
    for member in members:
        yield member
        if (reached := stream.stored_reached) > told:
            advance(reached - told)
            told = reached


class _Stored:
    """The stored bytes of one file; for all but sparse ones that is its content."""

    def __init__(self, stream: TarStream, entry: Entry) -> None:
        self._stream = stream
        self._entry = entry
        runs = entry.sparse
        self._size = entry.size if runs is None else sum(length for _, length in runs)
        self._position = 0

    def read(self, size: int, /) -> bytes:
        size = min(size, self._size - self._position)
        if size <= 0:
            return b""
        self._stream.seek(self._entry.offset + self._position)
        data = self._stream.read(size)
        if len(data) < size:
            raise ImageError(f"{self._entry.path!r}: its layer ends within its content")
        self._position += size
        return data

    def seek(self, offset: int, /) -> None:
        self._position = offset

    def tell(self) -> int:
        return self._position


class _Expanded:
    """A sparse file's content, its holes as zeros."""

    def __init__(self, stored: _Stored, entry: Entry) -> None:
        self._stored = stored
        self._size = entry.size
        self._runs = entry.sparse or ()
        self._starts = [offset for offset, _ in self._runs]
        self._before = [0]
        for _, length in self._runs:
            self._before.append(self._before[-1] + length)
        self._position = 0

    def read(self, size: int, /) -> bytes:
        end = min(self._position + size, self._size)
        parts = []
        while self._position < end:
            parts.append(self._piece(end))
            self._position += len(parts[-1])
        return b"".join(parts)

    def _piece(self, end: int) -> bytes:
        """The bytes from the position to the end of the run or hole it is in, up to `end`."""
        index = bisect_right(self._starts, self._position) - 1
        if index >= 0:
            start, length = self._runs[index]
            within = self._position - start
            if within < length:
                self._stored.seek(self._before[index] + within)
                return self._stored.read(min(length - within, end - self._position))
        following = self._starts[index + 1] if index + 1 < len(self._starts) else self._size
        return bytes(min(following, end) - self._position)

    def seek(self, offset: int, /) -> None:
        self._position = offset

    def tell(self) -> int:
        return self._position
