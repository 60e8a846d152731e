"""`docker-archive:file.tar[:name:tag|:@N]`, what `docker save` writes, in both its dialects.

Before docker 25 a layer is `<id>/layer.tar`, plain, or a link to another image's; since then the
archive is an OCI layout too and layers are `blobs/sha256/<hex>`. `manifest.json` is common to both
and is what docker itself loads by, so it is what is read here:
https://github.com/moby/docker-image-spec/blob/main/spec.md#combined-image-json--filesystem-changeset-format
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from minify.errors import ImageError, UsageError
from minify.image import jsontext
from minify.image.blob import FileBlob, read_all
from minify.image.config import ImageConfig
from minify.image.digest import Digest
from minify.image.image import Image
from minify.image.jsontext import DOCUMENT_LIMIT, Fields
from minify.image.reference import Reference
from minify.transports import dialects, names
from minify.transports.archive import Archive, open_archive
from minify.transports.assembly import Parts, StoredLayer, assembled, platform_of
from minify.transports.choice import Candidate, Choice
from minify.transports.location import split
from minify.transports.names import TaggedName
from minify.transports.options import OpenOptions, WriteOptions, Written
from minify.transports.publish import check_file, new_file

_BLOB = re.compile(r"blobs/(sha256|sha512)/([0-9a-f]+)")
_CONFIG = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")


def open_image(reference: Reference, options: OpenOptions) -> Image:
    """The image that `reference` chooses in an archive of the host."""
    location = split(reference.location)
    name = f"{reference.transport}:{location.path}"
    archive = open_archive(location.path, name)
    return image_in(archive, location.selector, options, name)


def image_in(archive: Archive, selector: str, options: OpenOptions, name: str) -> Image:
    """The image that `selector` chooses in `archive`; empty: its only one."""
    entries = _selected(_entries(archive), selector, name)
    configs = [_config(archive, entry) for entry in entries]
    candidates = [
        Candidate(entry.label, platform_of(config), config.digest)
        for entry, config in zip(entries, configs, strict=True)
    ]
    choice = Choice(options.platform, name, f"{name}:NAME:TAG or {name}:@NUMBER")
    index = candidates.index(choice.of(candidates))
    layers = [_layer(archive, path) for path in entries[index].layers]
    return assembled(Parts(configs[index], layers), options.platform, name)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One image of manifest.json."""

    number: int
    config: str
    tags: Sequence[str]
    layers: Sequence[str]

    @property
    def label(self) -> str:
        return " ".join(self.tags) or f"@{self.number}"


def _entries(archive: Archive) -> list[_Entry]:
    blob = archive.find("manifest.json")
    if blob is None:
        raise _no_manifest(archive)
    name = f"{archive.name}: manifest.json"
    array = jsontext.read_array(read_all(blob, limit=DOCUMENT_LIMIT, name=name), name)
    entries = Fields({"images": array}, name).objects("images")
    if not entries:
        raise ImageError(f"{archive.name} holds no image: its manifest.json is empty")
    return [
        _Entry(number, one.text("Config"), one.texts("RepoTags"), one.texts("Layers"))
        for number, one in enumerate(entries)
    ]


def _no_manifest(archive: Archive) -> ImageError:
    _, _, path = archive.name.partition(":")
    if archive.find("index.json") is not None:
        return ImageError(
            f"{archive.name} has no manifest.json, it is an OCI archive; say oci-archive:{path}"
        )
    return ImageError(
        f"{archive.name} has no manifest.json, so it is nothing that docker save wrote; for a"
        " tar of a root filesystem (docker export) unpack it and say rootfs:DIRECTORY"
    )


def _selected(entries: list[_Entry], selector: str, name: str) -> list[_Entry]:
    if not selector:
        return entries
    if selector.startswith("@"):
        digits = selector[1:]
        if not (digits.isascii() and digits.isdigit()):
            raise UsageError(f"{name}:{selector}: expected a number after @, 0 for the first image")
        found = [entry for entry in entries if str(entry.number) == str(int(digits))]
    else:
        wanted = names.tagged(selector)
        found = [entry for entry in entries if wanted in map(names.tagged, entry.tags)]
    if not found:
        labels = ", ".join(entry.label for entry in entries)
        raise ImageError(f"{name} holds no image {selector}; there is {labels}")
    return found


def _config(archive: Archive, entry: _Entry) -> ImageConfig:
    blob = archive.find(entry.config) if entry.config else None
    if blob is None:
        raise ImageError(
            f"{archive.name}: config {entry.config} is not in the archive; save the image again"
        )
    match = _CONFIG.fullmatch(entry.config)
    stated = Digest("sha256", match[1]) if match else None
    name = f"{archive.name}: config {stated.short if stated else entry.config}"
    data = read_all(blob, limit=DOCUMENT_LIMIT, name=name)
    if stated is not None and Digest.of(data) != stated:
        raise ImageError(
            f"{name} is damaged: its digest is {Digest.of(data)}; save the image again"
        )
    return ImageConfig.parse(data, name)


def _layer(archive: Archive, path: str) -> StoredLayer:
    blob: FileBlob | None = archive.find(path)
    if blob is None:
        raise ImageError(
            f"{archive.name}: layer {path} is listed but not in the archive; save the image again"
        )
    match = _BLOB.fullmatch(path)
    if match is None:
        return StoredLayer(blob, None)
    try:
        return StoredLayer(blob, Digest.parse(f"{match[1]}:{match[2]}"))
    except ValueError as error:
        raise ImageError(f"{archive.name}: layer {path}: {error}") from error


def _name(reference: Reference, selector: str) -> TaggedName | None:
    if selector.startswith("@"):
        raise UsageError(f"{reference}: an output is given a name:tag, not a number")
    return names.output_name(selector, reference) if selector else None


def check_output(reference: Reference, options: WriteOptions) -> None:
    """UsageError or OutputError if the archive cannot be written; leaves nothing behind."""
    location = split(reference.location)
    _name(reference, location.selector)
    check_file(location.path, str(reference), force=options.force)


def write_image(image: Image, reference: Reference, options: WriteOptions) -> Written:
    """Writes an archive in both dialects; the name, if there is one, is its only tag."""
    location = split(reference.location)
    tag = _name(reference, location.selector)
    name = str(reference)
    with new_file(location.path, name, force=options.force) as fd:
        target = dialects.Target(fd, name, tag)
        return dialects.write(image, target, options.progress)
