"""What a layer's tar holds, read strictly.

The stdlib's `tarfile` is forgiving: a corrupt header, a bad PAX record or a cut at a header's
boundary quietly ends its iteration, and with it the whiteouts that would have come. Here every byte
is accounted for: members follow each other without a gap, the archive ends with two zero blocks,
and nothing but zeros follows.

https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13
https://www.gnu.org/software/tar/manual/html_node/Standard.html
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from sys import intern
from typing import NoReturn, Protocol

from minify.errors import ImageError
from minify.filetree import paxrecords, sparse
from minify.filetree.entry import Entry, Kind
from minify.filetree.path import LONGEST_PATH, ImagePath, decoded, encoded, image_path
from minify.filetree.paxrecords import Records
from minify.filetree.tarheader import TarHeader, read_header

_BLOCK = 512
_ZEROS = bytes(_BLOCK)

_KINDS = {
    tarfile.REGTYPE: Kind.FILE,
    tarfile.AREGTYPE: Kind.FILE,
    tarfile.CONTTYPE: Kind.FILE,
    tarfile.GNUTYPE_SPARSE: Kind.FILE,
    tarfile.DIRTYPE: Kind.DIRECTORY,
    tarfile.SYMTYPE: Kind.SYMLINK,
    tarfile.LNKTYPE: Kind.HARDLINK,
    tarfile.CHRTYPE: Kind.CHARACTER,
    tarfile.BLKTYPE: Kind.BLOCK,
    tarfile.FIFOTYPE: Kind.FIFO,
}

_EXTENSIONS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)

_NONE = sparse.Content(0, 0, None, map_in_header=False)

# An extended header holds a name, a link target and some xattrs, 64 KiB each at the most on Linux.
_LARGEST_EXTENDED_HEADER = 1 << 20
_MOST_EXTENDED_HEADERS = 8
_LARGEST_ID = 2**32 - 2
_LARGEST_DEVICE_NUMBER = 0o7777777  # what a ustar header can be written with again


class TarStream(Protocol):
    """What the index needs of a layer: `image.layer.LayerStream` has it."""

    def read(self, size: int, /) -> bytes: ...
    def seek(self, offset: int, /) -> None: ...
    def tell(self) -> int: ...
    def skip(self, size: int) -> None: ...


def read_entries(stream: TarStream, layer: int, name: str) -> Iterator[Entry]:
    """The entries of one layer in the order of the archive, whiteouts among them as files.

    ImageError, beginning with `name`, for anything that is not exactly a tar archive.
    """
    return _Reader(stream, layer, name).entries()


class _Reader:
    def __init__(self, stream: TarStream, layer: int, name: str) -> None:
        self._stream = stream
        self._layer = layer
        self._name = name
        self._last = "the start"

    def entries(self) -> Iterator[Entry]:
        while (block := self._header_block()) is not None:
            yield self._entry(block)

    def _fail(self, what: str) -> NoReturn:
        raise ImageError(f"{self._name}: {what}, after {self._last}")

    def _header_block(self) -> bytes | None:
        """The next header, None at the end of the archive."""
        block = self._stream.read(_BLOCK)
        if block == _ZEROS:
            self._check_end()
            return None
        if len(block) < _BLOCK:
            if not block:
                self._fail("the tar is truncated: it ends without its end marker")
            self._fail(f"the tar is truncated: {len(block)} of a header's {_BLOCK} bytes")
        return block

    def _check_end(self) -> None:
        if self._stream.read(_BLOCK) != _ZEROS:
            self._fail("the tar is truncated or damaged: its end marker is one block, not two")
        while data := self._stream.read(1 << 18):
            if data.count(0) != len(data):
                self._fail("the tar is damaged: bytes follow its end marker")

    def _parse(self, block: bytes) -> TarHeader:
        try:
            header = read_header(block)
        except ValueError as error:
            at = self._stream.tell() - _BLOCK
            self._fail(f"the tar is damaged: byte {at:,} starts no valid header ({error})")
        if header.size < 0:
            self._fail(f"the tar is damaged: {header.name!r} has a size of {header.size}")
        return header

    def _entry(self, block: bytes) -> Entry:
        records: Records = {}
        header = self._parse(block)
        seen: list[bytes] = []
        while header.type in _EXTENSIONS:
            self._check_extension(header.type, seen)
            self._extend(header, records)
            following = self._header_block()
            if following is None:
                self._fail("the tar is damaged: an extended header has no member")
            block = following
            header = self._parse(block)
        return self._member(header, block, records)

    def _check_extension(self, kind: bytes, seen: list[bytes]) -> None:
        """Two of a kind for one member, or a global one among them, are read differently by Go
        and by tarfile; no tool writes them.
        """
        is_first = all(other == tarfile.XGLTYPE for other in seen)
        if not is_first and (kind in seen or kind == tarfile.XGLTYPE):
            self._fail(f"the tar is refused: an extended header {kind!r} after {seen[-1]!r}")
        seen.append(kind)
        if len(seen) > _MOST_EXTENDED_HEADERS:
            self._fail(
                f"the tar is refused: more than {_MOST_EXTENDED_HEADERS} extended headers in a row"
            )

    def _extend(self, header: TarHeader, records: Records) -> None:
        """Puts what an extended header says of the next member into `records`."""
        data = self._extension(header)
        if header.type == tarfile.XHDTYPE:
            try:
                paxrecords.parse(data, records)
            except ValueError as error:
                self._fail(f"the tar is damaged: a PAX header {error}")
        elif header.type == tarfile.GNUTYPE_LONGNAME:
            records["path"] = decoded(data.partition(b"\0")[0])
        elif header.type == tarfile.GNUTYPE_LONGLINK:
            records["linkpath"] = decoded(data.partition(b"\0")[0])
        # Docker and containerd read over global headers, and so the image never had them.

    def _extension(self, header: TarHeader) -> bytes:
        if header.size > _LARGEST_EXTENDED_HEADER:
            self._fail(
                f"the tar is refused: an extended header of {header.size:,} bytes; at most"
                f" {_LARGEST_EXTENDED_HEADER:,} are read"
            )
        padded = _padded(header.size)
        data = self._stream.read(padded)
        if len(data) < padded:
            self._fail("the tar is truncated in an extended header")
        return data[: header.size]

    def _member(self, header: TarHeader, block: bytes, records: Records) -> Entry:
        written = records.get("path") or header.name
        is_sparse = sparse.is_described(records)
        if is_sparse:
            written = records.get("GNU.sparse.name") or written
        kind = _KINDS.get(header.type)
        if kind is None:
            self._fail(f"the tar is refused: {written!r} is of the unknown type {header.type!r}")
        if header.type == tarfile.AREGTYPE and written.endswith("/"):
            kind = Kind.DIRECTORY  # as archives older than ustar have them
        if is_sparse and kind is not Kind.FILE:
            self._fail(f"the tar is damaged: {written!r} is a sparse {kind.value}")
        try:
            path = image_path(written)
            content = self._content(header, block, records) if kind is Kind.FILE else _NONE
            entry = self._described(header, records, path, kind, content)
        except ValueError as error:
            self._fail(f"member {written!r} {error}")
        self._last = f"member {written!r}"
        return entry

    def _described(
        self,
        header: TarHeader,
        records: Records,
        path: ImagePath,
        kind: Kind,
        content: sparse.Content,
    ) -> Entry:
        """The entry that header and records describe; ValueError says what is out of bounds."""
        uname, gname = records.get("uname", header.uname), records.get("gname", header.gname)
        if "\0" in uname or "\0" in gname:
            raise ValueError("has an owner's name with a NUL byte")
        return Entry(
            path,
            kind,
            header.mode & 0o7777,
            _bounded(records.get("uid", header.uid), _LARGEST_ID, "user id"),
            _bounded(records.get("gid", header.gid), _LARGEST_ID, "group id"),
            intern(uname),
            intern(gname),
            paxrecords.checked_time(records.get("mtime") or str(header.mtime)),
            paxrecords.xattrs(records),
            self._target(header, records, kind),
            self._device(header, kind),
            None,
            content.size,
            self._layer,
            content.offset,
            content.runs,
        )

    def _target(self, header: TarHeader, records: Records, kind: Kind) -> str:
        if kind not in (Kind.SYMLINK, Kind.HARDLINK):
            return ""
        target = records.get("linkpath") or header.linkname
        if not target or "\0" in target or len(encoded(target)) > LONGEST_PATH:
            raise ValueError(f"is a {kind.value} to nothing that can be a path")
        if kind is Kind.SYMLINK:
            return target
        try:
            return image_path(target)
        except ValueError as error:
            raise ValueError(f"is a hard link to {target!r}, which {error}") from error

    def _device(self, header: TarHeader, kind: Kind) -> tuple[int, int]:
        if kind not in (Kind.CHARACTER, Kind.BLOCK):
            return (0, 0)
        return (
            _bounded(header.device[0], _LARGEST_DEVICE_NUMBER, "device number"),
            _bounded(header.device[1], _LARGEST_DEVICE_NUMBER, "device number"),
        )

    def _content(self, header: TarHeader, block: bytes, records: Records) -> sparse.Content:
        """Where the file's content is, which is skipped; ValueError for a damaged sparse file."""
        stored = header.size
        if "size" in records:
            stored = _bounded(records["size"], 2**63 - 1, "size")
        start = self._stream.tell()
        try:
            content = sparse.content(self._stream, header.type, block, records, stored)
        except ValueError as error:
            raise ValueError(f"is a damaged sparse file: {error}") from error
        reached = self._stream.tell()
        end = (reached if content.map_in_header else start) + _padded(stored)
        self._stream.skip(end - reached)
        if self._stream.tell() < end:
            raise ValueError(f"is truncated: not all of its {stored:,} bytes are there")
        return content


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _bounded(value: int | str, most: int, what: str) -> int:
    """`value` as a number from 0 to `most`; ValueError otherwise."""
    if isinstance(value, str):
        if not value.isascii() or not value.isdigit() or len(value) > len(str(2**64)):
            raise ValueError(f"has {value[:40]!r} as its {what}")
        value = int(value)
    if not 0 <= value <= most:
        raise ValueError(f"has a {what} of {value}, which is out of bounds")
    return value
