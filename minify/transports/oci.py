"""`oci:dir[:tag]`, an OCI layout in a directory."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from minify.errors import ImageError, OutputError
from minify.image import jsontext
from minify.image.blob import FileBlob, HostFile
from minify.image.digest import Digest
from minify.image.image import Image
from minify.image.jsontext import Fields, Json
from minify.image.manifest import OCI_INDEX, REF_NAME, Descriptor
from minify.image.reference import Reference
from minify.transports.layout import (
    INDEX_FILE,
    LAYOUT_FILE,
    blob_path,
    open_index,
    open_layout,
    read_index,
)
from minify.transports.location import split_layout, split_output
from minify.transports.options import OpenOptions, WriteOptions, Written, WrittenIndex
from minify.transports.publish import failure, temporary_name, write_at
from minify.transports.source_index import ImageIndex, SourceIndex
from minify.transports.storing import (
    LAYOUT_DOCUMENT,
    StoredBlob,
    described_index,
    store,
    written_index,
)


def open_image(reference: Reference, options: OpenOptions) -> Image:
    """The image that `reference` chooses in a layout of the host."""
    path, selector = split_layout(reference)
    directory = _directory(path, f"{reference.transport}:{path}")
    return open_layout(directory, selector, options, directory.name)


def open_images(reference: Reference, options: OpenOptions) -> SourceIndex:  # noqa: ARG001 (as all media's)
    """All images that `reference` chooses in a layout of the host."""
    path, selector = split_layout(reference)
    directory = _directory(path, f"{reference.transport}:{path}")
    return open_index(directory, selector, directory.name)


def _directory(path: Path, name: str) -> _Directory:
    if path.is_file():
        raise ImageError(
            f"{name} is a file; expected the directory of an OCI layout. Say oci-archive:{path} or"
            f" docker-archive:{path}"
        )
    if not path.is_dir():
        raise ImageError(f"{name}: there is no directory {path}")
    return _Directory(path, name)


@dataclass(frozen=True, slots=True)
class _Directory:
    """The files of a layout's directory, which may be hostile."""

    path: Path
    name: str

    def find(self, path: str) -> FileBlob | None:
        """A link could lead to any file of the host, so the last step follows none."""
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
        try:
            fd = os.open(self.path / path, flags)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):  # a link; a socket
                raise self._irregular(path) from error
            raise ImageError(f"{self.name}: {path} cannot be opened: {error.strerror}") from error
        file = HostFile(fd, f"{self.name}: {path}")
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise self._irregular(path)
        return FileBlob.whole(file)

    def _irregular(self, path: str) -> ImageError:
        return ImageError(f"{self.name}: {path} is no regular file; copy the layout again")


def check_output(reference: Reference, options: WriteOptions) -> None:  # noqa: ARG001 (a tag moves without force)
    """UsageError or OutputError if the layout cannot be written; leaves nothing behind."""
    path, _ = split_output(reference)
    name = str(reference)
    try:
        is_new = _is_new(path, name)
        inside = (path / INDEX_FILE, path / blob_path(Digest.of(b"")))
        for place in (path,) if is_new else inside:
            if is_new or place.parent.is_dir():
                probe = temporary_name(place)
                probe.mkdir()
                probe.rmdir()
    except OSError as error:
        # /proc is there, and nothing can be made in it.
        if isinstance(error, FileNotFoundError) and not path.parent.is_dir():
            raise OutputError(
                f"{name} cannot be written: there is no directory {path.parent}; create it first"
            ) from error
        raise failure(name, error) from error


def write_image(image: Image, reference: Reference, options: WriteOptions) -> Written:
    """Adds `image` to a layout, or makes one; the tag moves as the last step.

    There is no lock: of two writers to one layout at the same time, the index of the second wins.
    """
    with _layout_writer(reference) as (writer, annotations):
        stored = store(image, writer, options.progress)
        writer.publish(replace(stored.descriptor, annotations=annotations))
    return Written(writer.name, stored.manifest.config.digest, stored.descriptor.digest)


def write_index(index: ImageIndex, reference: Reference, options: WriteOptions) -> WrittenIndex:
    """Adds an index to a layout with all its images, as `write_image` adds one."""
    with _layout_writer(reference) as (writer, annotations):
        stored = [store(one.image, writer, options.progress) for one in index.images]
        document = writer.put([described_index(index, stored).write()])
        writer.publish(Descriptor(OCI_INDEX, document.digest, document.size, None, annotations))
    path, _ = split_output(reference)
    return written_index(writer.name, f"oci:{path}", document.digest, stored)


@contextmanager
def _layout_writer(reference: Reference) -> Iterator[tuple[_LayoutWriter, dict[str, str]]]:
    """A writer of a layout, and the annotations of the entry that is to be published."""
    path, tag = split_output(reference)
    name = str(reference)
    try:
        place = _new_layout if _is_new(path, name) else _existing_layout
        with place(path) as directory:
            writer = _LayoutWriter(directory, name)
            with writer.undone_on_error():
                writer.begin()
                yield writer, {REF_NAME: tag} if tag else {}
    except OSError as error:
        raise failure(name, error) from error


def _is_new(path: Path, name: str) -> bool:
    """Whether the layout is to be made; OutputError if something else is in its place."""
    if not os.path.lexists(path):
        return True
    if not path.is_dir():
        raise OutputError(f"{name} cannot be written: {path} is no directory")
    if next(path.iterdir(), None) is None:
        return False
    try:
        read_index(_Directory(path, name), name)
    except ImageError as error:
        raise OutputError(
            f"{name} cannot be written: the directory is neither empty nor an OCI layout: {error}"
        ) from error
    return False


@contextmanager
def _new_layout(path: Path) -> Iterator[Path]:
    """A directory that is at `path` once the block has ended without an error."""
    temporary = temporary_name(path)
    temporary.mkdir()
    try:
        yield temporary
        temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


@contextmanager
def _existing_layout(path: Path) -> Iterator[Path]:
    yield path


class _LayoutWriter:
    """Adds blobs under temporary names and renames them; remembers what is new."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._made: list[Path] = []
        self.name = name

    def begin(self) -> None:
        """What every layout has, where it is not there yet."""
        for directory in ("blobs", "blobs/sha256"):
            path = self._path / directory
            if not path.is_dir():
                path.mkdir()
                self._made.append(path)
        if not (self._path / LAYOUT_FILE).exists():
            layout = self._path / LAYOUT_FILE
            self._move(self._beside(layout, LAYOUT_DOCUMENT), layout)

    def put(self, chunks: Iterable[bytes]) -> StoredBlob:
        temporary = temporary_name(self._path / "blobs" / "sha256" / "new")
        self._made.append(temporary)
        stored = _write_file(temporary, chunks, self.name)
        # A blob of that name is replaced too: it should be the same, and if not, it is now.
        self._move(temporary, self._path / blob_path(stored.digest))
        return stored

    def publish(self, entry: Descriptor) -> None:
        """Puts the image into the index, in the place of what had its tag."""
        path = self._path / INDEX_FILE
        old: dict[str, Json] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
        if path.exists():
            data, _ = read_index(_Directory(self._path, self.name), self.name)
            old = dict(jsontext.read_object(data, self.name))
        tag = entry.annotations.get(REF_NAME, "")
        kept = [
            item
            for item in Fields(old, self.name).items("manifests")
            if isinstance(item, Mapping) and _tag_of(item, self.name) != tag
        ]
        index = jsontext.write({**old, "manifests": [*kept, entry.json()]})
        temporary = self._beside(path, index)
        made, self._made = self._made, [temporary]  # from here on the blobs are referred to
        try:
            temporary.replace(path)
        except OSError:
            self._made = [*made, temporary]
            raise

    def _beside(self, path: Path, data: bytes) -> Path:
        temporary = temporary_name(path)
        self._made.append(temporary)
        _write_file(temporary, [data], self.name)
        return temporary

    def _move(self, temporary: Path, path: Path) -> None:
        is_new = not os.path.lexists(path)
        if is_new:
            self._made.append(path)
        temporary.replace(path)
        self._made.remove(temporary)

    @contextmanager
    def undone_on_error(self) -> Iterator[None]:
        """Removes what was added, newest first, if the block ends with an error."""
        try:
            yield
        except BaseException:
            for path in reversed(self._made):
                with suppress(OSError):
                    if path.is_dir():
                        path.rmdir()
                    else:
                        path.unlink()
            raise


def _tag_of(item: Mapping[str, Json], name: str) -> str:
    return Fields(item, name).text_mapping("annotations").get(REF_NAME, "")


def _write_file(path: Path, chunks: Iterable[bytes], name: str) -> StoredBlob:
    hasher = hashlib.sha256()
    size = 0
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        for chunk in chunks:
            hasher.update(chunk)
            write_at(fd, chunk, size, name)
            size += len(chunk)
        os.fsync(fd)
    finally:
        os.close(fd)
    return StoredBlob(Digest("sha256", hasher.hexdigest()), size)
