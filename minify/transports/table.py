"""Every medium that minify knows, in one table; a new one is a module and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from minify.errors import UsageError
from minify.image.image import Image
from minify.image.reference import Reference, Transport
from minify.transports import (
    docker_archive,
    names,
    oci,
    oci_archive,
    rootfs,
)
from minify.transports.options import OpenOptions, WriteOptions, Written, WrittenIndex
from minify.transports.source_index import ImageIndex, SourceImage, SourceIndex


@dataclass(frozen=True, slots=True)
class Output:
    """How a medium is written to. `write_index` None: it holds no index."""

    check: Callable[[Reference, WriteOptions], None]
    write: Callable[[Image, Reference, WriteOptions], Written]
    write_index: Callable[[ImageIndex, Reference, WriteOptions], WrittenIndex] | None = None
    checks: bool = False
    """Whether `write` runs `WriteOptions.check` itself, beside its own work."""


@dataclass(frozen=True, slots=True)
class Medium:
    """What can be done with one transport.

    `output` None: it is read only. `open_images` None: it holds no index.
    """

    open: Callable[[Reference, OpenOptions], Image]
    output: Output | None
    open_images: Callable[[Reference, OpenOptions], SourceIndex] | None = None


# The docker SDK takes longer to import than a small image to minify, and most runs in CI have no
# daemon to speak to. The registry's HTTP client takes nearly as long.
def _open_by_name(reference: Reference, options: OpenOptions) -> Image:
    from minify.transports import named  # noqa: PLC0415

    return named.open_image(reference, options)


def _open_from_daemon(reference: Reference, options: OpenOptions) -> Image:
    from minify.transports import docker_daemon  # noqa: PLC0415

    return docker_daemon.open_image(reference, options)


def _check_daemon(reference: Reference, options: WriteOptions) -> None:
    from minify.transports import docker_daemon  # noqa: PLC0415

    docker_daemon.check_output(reference, options)


def _write_to_daemon(image: Image, reference: Reference, options: WriteOptions) -> Written:
    from minify.transports import docker_daemon  # noqa: PLC0415

    return docker_daemon.write_image(image, reference, options)


def _open_from_registry(reference: Reference, options: OpenOptions) -> Image:
    from minify.transports.registry import pull  # noqa: PLC0415

    return pull.open_image(reference, options)


def _open_all_from_registry(reference: Reference, options: OpenOptions) -> SourceIndex:
    from minify.transports.registry import pull  # noqa: PLC0415

    return pull.open_images(reference, options)


def _check_registry(reference: Reference, options: WriteOptions) -> None:
    from minify.transports.registry import push  # noqa: PLC0415

    push.check_output(reference, options)


def _write_to_registry(image: Image, reference: Reference, options: WriteOptions) -> Written:
    from minify.transports.registry import push  # noqa: PLC0415

    return push.write_image(image, reference, options)


def _write_index_to_registry(
    index: ImageIndex, reference: Reference, options: WriteOptions
) -> WrittenIndex:
    from minify.transports.registry import push  # noqa: PLC0415

    return push.write_index(index, reference, options)


_TO_DAEMON = Output(_check_daemon, _write_to_daemon)

TRANSPORTS: Mapping[Transport, Medium] = {
    Transport.NAME: Medium(_open_by_name, _TO_DAEMON),
    Transport.DOCKER_DAEMON: Medium(_open_from_daemon, _TO_DAEMON),
    Transport.REGISTRY: Medium(
        _open_from_registry,
        Output(_check_registry, _write_to_registry, _write_index_to_registry, checks=True),
        _open_all_from_registry,
    ),
    Transport.DOCKER_ARCHIVE: Medium(
        docker_archive.open_image, Output(docker_archive.check_output, docker_archive.write_image)
    ),
    Transport.OCI: Medium(
        oci.open_image,
        Output(oci.check_output, oci.write_image, oci.write_index),
        oci.open_images,
    ),
    Transport.OCI_ARCHIVE: Medium(
        oci_archive.open_image,
        Output(oci_archive.check_output, oci_archive.write_image, oci_archive.write_index),
        oci_archive.open_images,
    ),
    Transport.ROOTFS: Medium(rootfs.open_image, None),
}


def open_image(reference: Reference, options: OpenOptions) -> Image:
    """The image that `reference` names; ImageError if there is none that can be read."""
    image = TRANSPORTS[reference.transport].open(reference, options)
    return replace(image, name=str(reference))  # a medium's own messages leave the selector out


def open_images(reference: Reference, options: OpenOptions) -> SourceIndex:
    """Every Linux image that `reference` leads to, whatever `options.platform` says.

    Raises UsageError for a medium that holds one platform only, ImageError if there is no image.
    """
    open_all = TRANSPORTS[reference.transport].open_images
    if open_all is None:
        raise UsageError(
            f"{reference}: {_kind(reference.transport)} holds an image for one platform; for all"
            f" of them name {_index_media(reference)}"
        )
    found = open_all(reference, options)
    return replace(
        found, images=tuple(_named(one, f"{reference} ({one.platform})") for one in found.images)
    )


def _named(source: SourceImage, name: str) -> SourceImage:
    return replace(source, open=lambda: replace(source.open(), name=name))


def _kind(transport: Transport) -> str:
    return _prefix(transport) if transport else "a daemon"


def _prefix(transport: Transport) -> str:
    return f"{transport}://" if transport is Transport.REGISTRY else f"{transport}:"


def _index_media(reference: Reference) -> str:
    media = ", ".join(_prefix(key) for key, row in TRANSPORTS.items() if row.open_images)
    if reference.transport in (Transport.NAME, Transport.DOCKER_DAEMON):
        return f"docker://{names.tagged(reference.location).full}, or one of {media}"
    return f"one of {media}"


def holds_index(transport: Transport) -> bool:
    """Whether a medium holds images for several platforms under one name, read and written."""
    row = TRANSPORTS[transport]
    return row.open_images is not None and row.output is not None


def check_output(reference: Reference, options: WriteOptions) -> None:
    """Whether `reference` could be written now, before the work begins; leaves nothing behind.

    Raises UsageError for what is no output, OutputError for one that cannot be written.
    """
    _output(reference).check(reference, options)


def write_image(image: Image, reference: Reference, options: WriteOptions) -> Written:
    """Publishes `image` as `reference`, whole or not at all.

    Raises OutputError if there is no room or no right to; ImageError if the image's bytes are not
    what it says they are; whatever `options.check` raises.
    """
    output = _output(reference)
    if not output.checks:
        options.check()
    return output.write(image, reference, options)


def check_index_output(reference: Reference, options: WriteOptions) -> None:
    """The same as `check_output`, for an index; UsageError for a medium that holds none."""
    _index_output(reference)
    check_output(reference, options)


def write_index(index: ImageIndex, reference: Reference, options: WriteOptions) -> WrittenIndex:
    """Publishes the images of `index` as one, whole or not at all; raises as `write_image` does."""
    assert index.images, "an index of no images is no image"
    return _index_output(reference)(index, reference, options)


def _index_output(
    reference: Reference,
) -> Callable[[ImageIndex, Reference, WriteOptions], WrittenIndex]:
    write = _output(reference).write_index
    if write is None:
        raise UsageError(
            f"{reference}: {_kind(reference.transport)} holds an image for one platform; for"
            f" several name {_index_media(reference)}"
        )
    return write


def _output(reference: Reference) -> Output:
    output = TRANSPORTS[reference.transport].output
    if output is None:
        writable = ", ".join(_prefix(key) for key, row in TRANSPORTS.items() if key and row.output)
        raise UsageError(f"{reference}: {reference.transport}: is no output; expected {writable}")
    return output
