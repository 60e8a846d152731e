"""`oci-archive:file.tar[:tag]`, an OCI layout in a tar."""

from __future__ import annotations

from pathlib import Path

from minify.errors import ImageError
from minify.image.image import Image
from minify.image.reference import Reference
from minify.transports import dialects
from minify.transports.archive import Archive, open_archive
from minify.transports.layout import INDEX_FILE, open_index, open_layout
from minify.transports.location import split_layout, split_output
from minify.transports.options import OpenOptions, WriteOptions, Written, WrittenIndex
from minify.transports.publish import check_file, new_file
from minify.transports.source_index import ImageIndex, SourceIndex
from minify.transports.storing import written_index


def open_image(reference: Reference, options: OpenOptions) -> Image:
    """The image that `reference` chooses in a layout in a tar."""
    path, selector = split_layout(reference)
    archive = _archive(path, f"{reference.transport}:{path}")
    return open_layout(archive, selector, options, archive.name)


def open_images(reference: Reference, options: OpenOptions) -> SourceIndex:  # noqa: ARG001 (as all media's)
    """All images that `reference` chooses in a layout in a tar."""
    path, selector = split_layout(reference)
    archive = _archive(path, f"{reference.transport}:{path}")
    return open_index(archive, selector, archive.name)


def _archive(path: Path, name: str) -> Archive:
    archive = open_archive(path, name)
    if archive.find(INDEX_FILE) is None and archive.find("manifest.json") is not None:
        raise ImageError(
            f"{name} has no {INDEX_FILE}, it is a docker archive; say docker-archive:{path}"
        )
    return archive


def check_output(reference: Reference, options: WriteOptions) -> None:
    """UsageError or OutputError if the archive cannot be written; leaves nothing behind."""
    path, _ = split_output(reference)
    check_file(path, str(reference), force=options.force)


def write_image(image: Image, reference: Reference, options: WriteOptions) -> Written:
    """Writes an archive in both dialects; the tag is the layout's."""
    path, tag = split_output(reference)
    name = str(reference)
    with new_file(path, name, force=options.force) as fd:
        return dialects.write(image, dialects.Target(fd, name, ref_name=tag), options.progress)


def write_index(index: ImageIndex, reference: Reference, options: WriteOptions) -> WrittenIndex:
    """Writes an archive that is an OCI layout only: docker's dialect has no platforms."""
    path, tag = split_output(reference)
    name = str(reference)
    with new_file(path, name, force=options.force) as fd:
        target = dialects.Target(fd, name, ref_name=tag)
        digest, stored = dialects.write_index(index, target, options.progress)
    return written_index(name, f"oci-archive:{path}", digest, stored)
