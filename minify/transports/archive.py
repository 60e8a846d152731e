"""An image's outer tar, read strictly: its members are indexed, their bytes stay where they are.

Python's tarfile ends its iteration silently at a corrupt header, a bad size or a cut in
mid-archive, and the image would lose layers or be taken for another. Here every such thing is an
ImageError that names the file and the member. Headers are still parsed by tarfile.

https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13
"""

from __future__ import annotations

import posixpath
import stat
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from minify.errors import ImageError
from minify.image.blob import FileBlob, HostFile, spooled
from minify.image.compression import CHUNK, Compression, detect, plain_stream
from minify.image.layer import SizeLimit

BLOCK = tarfile.BLOCKSIZE

# The largest real archives have some hundred layers, three members each.
_MOST_MEMBERS = 100_000
_MOST_HOPS = 8
# Paths and the like; anything longer is made to exhaust memory.
_EXTENDED_LIMIT = 1 << 20

_REGULAR = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_LINKS = (tarfile.LNKTYPE, tarfile.SYMTYPE)


@dataclass(frozen=True, slots=True)
class Member:
    """One name in the archive: bytes at a place, or another name."""

    offset: int
    size: int
    target: str | None = None
    """The normalised name that a link of either kind leads to."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The named blobs of a tar."""

    name: str
    """What messages call it."""
    content: FileBlob
    members: Mapping[str, Member]
    """Regular files and links by their normalised names; of equal names the last, as in untar."""

    def find(self, path: str) -> FileBlob | None:
        """The bytes of the file called `path`, through links; None if there is none."""
        name = posixpath.normpath(path)
        for _ in range(_MOST_HOPS):
            member = self.members.get(name)
            if member is None:
                return None
            if member.target is None:
                content = self.content
                return FileBlob(content.file, content.offset + member.offset, member.size)
            name = member.target
        raise ImageError(f"{self.name}: member {path} is a link that leads in a circle")


def open_archive(path: Path, name: str) -> Archive:
    """The archive in the file at `path`, which may be compressed as a whole."""
    try:
        _check_kind(path.stat().st_mode, path, name)
        file = HostFile.open(path, name)
    except FileNotFoundError as error:
        raise ImageError(f"{name}: there is no file {path}") from error
    except OSError as error:
        raise ImageError(f"{name}: {path} cannot be opened: {error.strerror}") from error
    return read_archive(_plain(FileBlob.whole(file), name), name)


def _check_kind(mode: int, path: Path, name: str) -> None:
    if stat.S_ISDIR(mode):
        raise ImageError(
            f"{name}: {path} is a directory; expected a tar file. For an OCI layout say"
            f" oci:{path}, for a root filesystem rootfs:{path}"
        )
    if not stat.S_ISREG(mode):
        raise ImageError(f"{name}: {path} is no regular file; save the image to one first")


def _plain(content: FileBlob, name: str) -> FileBlob:
    """`docker save | gzip` is common; such a file is decompressed to disk, to be read anywhere."""
    stored = content.open()
    if detect(stored.read(6), name) is Compression.NONE:
        return content
    stored.seek(0)
    stream = plain_stream(stored, name)
    most = SizeLimit().of(content.size)

    def chunks() -> Iterator[bytes]:
        while chunk := stream.read(CHUNK):
            if stream.tell() > most:
                raise ImageError(
                    f"{name} unpacks to more than {most:,} bytes from {content.size:,}: a"
                    " decompression bomb is refused"
                )
            yield chunk

    return spooled(chunks(), name)


def read_archive(content: FileBlob, name: str) -> Archive:
    """The archive whose plain bytes are `content`; ImageError if they are not a whole tar."""
    return Archive(name, content, _Scan(content, name).members())


class _Scan:
    """One walk over the headers, from the first byte to the last."""

    def __init__(self, content: FileBlob, name: str) -> None:
        self._stream = content.open()
        self._size = content.size
        self._name = name
        self._last = ""  # the member read last, for messages
        self._extended: dict[str, str] = {}  # what the next header is overruled by

    def members(self) -> dict[str, Member]:
        found: dict[str, Member] = {}
        count = 0
        while (header := self._header()) is not None:
            count += 1
            if count > _MOST_MEMBERS:
                raise self._error(f"it has more than {_MOST_MEMBERS:,} members; no image has")
            if not self._is_extension(header):
                self._add(header, found)
        return found

    def _add(self, header: tarfile.TarInfo, found: dict[str, Member]) -> None:
        extended, self._extended = self._extended, {}
        path = self._normal(extended.get("path", header.name))
        self._last = path
        if header.type == tarfile.DIRTYPE:
            return
        if header.type in _LINKS:
            target = extended.get("linkpath", header.linkname)
            if header.type == tarfile.SYMTYPE:
                target = posixpath.join(posixpath.dirname(path), target)
            found[path] = Member(0, 0, self._normal(target))
            return
        if header.type not in _REGULAR:
            raise self._error(f"it is of type {header.type!r}, which no image archive has", path)
        size = self._number(extended["size"]) if "size" in extended else header.size
        offset = self._stream.tell()
        self._skip(size)
        found[path] = Member(offset, size)

    def _header(self) -> tarfile.TarInfo | None:
        """The next header, None at a whole end of the archive."""
        start = self._stream.tell()
        block = self._stream.read(BLOCK)
        if len(block) < BLOCK:
            if start == 0:
                size = f"it has only {self._size:,} bytes" if self._size else "it is empty"
                raise ImageError(f"{self._name} is no tar archive: {size}")
            raise self._error(
                f"it is truncated: it ends after {self._size:,} bytes without an end marker"
            )
        if not block.strip(b"\0"):
            self._check_end()
            return None
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except (tarfile.HeaderError, ValueError) as error:
            if start == 0:
                raise ImageError(f"{self._name} is no tar archive: {error}") from error
            raise self._error(f"the header at byte {start:,} is corrupt: {error}") from error
        if header.size < 0:
            raise self._error(f"the header at byte {start:,} has a negative size")
        return header

    def _check_end(self) -> None:
        """Two blocks of zeros are the end marker, and writers pad with more of them."""
        second = self._stream.read(BLOCK)
        if len(second) < BLOCK:
            raise self._error("it is truncated: its end marker is not whole")
        rest = second
        while rest:
            if rest.strip(b"\0"):
                at = self._stream.tell() - len(rest.lstrip(b"\0"))
                raise self._error(f"bytes that are no tar follow its end marker at byte {at:,}")
            rest = self._stream.read(CHUNK)
        if self._extended:
            raise self._error("an extended header is not followed by a member")

    def _is_extension(self, header: tarfile.TarInfo) -> bool:
        """Whether the header only says something of the next one, which is then remembered."""
        if header.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
            records = dict(self._records(self._extension(header)))
            if any(key.startswith("GNU.sparse.") for key in records):
                raise self._error("a sparse member is in no image archive", records.get("path"))
            self._extended.update(records)
        elif header.type == tarfile.XGLTYPE:
            # Git writes its commit here. What overrules members has no place in an image.
            for key, _ in self._records(self._extension(header)):
                if key in ("path", "linkpath", "size"):
                    raise self._error(f"a global extended header sets {key}")
        elif header.type in (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK):
            key = "path" if header.type == tarfile.GNUTYPE_LONGNAME else "linkpath"
            text, _, _ = self._extension(header).partition(b"\0")
            self._extended[key] = text.decode("utf-8", "surrogateescape")
        else:
            return False
        return True

    def _extension(self, header: tarfile.TarInfo) -> bytes:
        if header.size > _EXTENDED_LIMIT:
            raise self._error(f"an extended header has {header.size:,} bytes")
        start = self._stream.tell()
        data = self._stream.read(header.size)
        self._stream.seek(start)
        self._skip(header.size)
        return data

    def _records(self, data: bytes) -> Iterator[tuple[str, str]]:
        """The `length key=value` lines of a pax header."""
        while data:
            digits, space, _ = data[:20].partition(b" ")
            length = int(digits) if space and digits.isdigit() else 0
            record = data[len(digits) + 1 : length]
            key, equals, value = record[:-1].partition(b"=")
            if length > len(data) or record[-1:] != b"\n" or not equals:
                raise self._error("an extended header is malformed")
            yield key.decode("utf-8", "replace"), value.decode("utf-8", "surrogateescape")
            data = data[length:]

    def _skip(self, size: int) -> None:
        """Moves behind `size` bytes of data and the padding after them."""
        end = self._stream.tell() + (size + BLOCK - 1) // BLOCK * BLOCK
        if end > self._size:
            raise self._error(f"it is truncated: it has {self._size:,} bytes of at least {end:,}")
        self._stream.seek(end)

    def _normal(self, path: str) -> str:
        """`path` without `./` and slashes at its ends, as blobs are looked up."""
        normal = posixpath.normpath(path.lstrip("/"))
        if normal == ".." or normal.startswith("../"):
            raise self._error("its name or target climbs out of the archive", path)
        return normal

    def _number(self, text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 20:
            raise self._error(f"its size is {text[:40]!r}")
        return int(text)

    def _error(self, what: str, member: str | None = None) -> ImageError:
        place = f"member {member}: " if member else ""
        after = f" (after member {self._last})" if self._last and not member else ""
        return ImageError(f"{self._name}: {place}{what}{after}; save the image again")
