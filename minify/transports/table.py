"""Every medium that minify knows, in one table; a new one is a module and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from minify.errors import UsageError
from minify.image.image import Image
from minify.image.reference import Reference, Transport
from minify.transports import (
    docker_archive,
    oci,
    oci_archive,
    rootfs,
)
from minify.transports.options import OpenOptions, WriteOptions, Written


@dataclass(frozen=True, slots=True)
class Output:
    """How a medium is written to."""

    check: Callable[[Reference, WriteOptions], None]
    write: Callable[[Image, Reference, WriteOptions], Written]


@dataclass(frozen=True, slots=True)
class Medium:
    """What can be done with one transport. `output` None: it is read only."""

    open: Callable[[Reference, OpenOptions], Image]
    output: Output | None


# The docker SDK takes longer to import than a small image to minify, and most runs in CI have no
# daemon to speak to.
def _open_from_daemon(reference: Reference, options: OpenOptions) -> Image:
    from minify.transports import docker_daemon  # noqa: PLC0415

    return docker_daemon.open_image(reference, options)


def _check_daemon(reference: Reference, options: WriteOptions) -> None:
    from minify.transports import docker_daemon  # noqa: PLC0415

    docker_daemon.check_output(reference, options)


def _write_to_daemon(image: Image, reference: Reference, options: WriteOptions) -> Written:
    from minify.transports import docker_daemon  # noqa: PLC0415

    return docker_daemon.write_image(image, reference, options)


# The HTTP client takes as long, and most files have nothing to do with a registry.
def _open_from_registry(reference: Reference, options: OpenOptions) -> Image:
    from minify.transports.registry import pull  # noqa: PLC0415

    return pull.open_image(reference, options)


def _check_registry(reference: Reference, options: WriteOptions) -> None:
    from minify.transports.registry import push  # noqa: PLC0415

    push.check_output(reference, options)


def _write_to_registry(image: Image, reference: Reference, options: WriteOptions) -> Written:
    from minify.transports.registry import push  # noqa: PLC0415

    return push.write_image(image, reference, options)


_DAEMON = Medium(_open_from_daemon, Output(_check_daemon, _write_to_daemon))

TRANSPORTS: Mapping[Transport, Medium] = {
    Transport.NAME: _DAEMON,
    Transport.DOCKER_DAEMON: _DAEMON,
    Transport.REGISTRY: Medium(_open_from_registry, Output(_check_registry, _write_to_registry)),
    Transport.DOCKER_ARCHIVE: Medium(
        docker_archive.open_image, Output(docker_archive.check_output, docker_archive.write_image)
    ),
    Transport.OCI: Medium(oci.open_image, Output(oci.check_output, oci.write_image)),
    Transport.OCI_ARCHIVE: Medium(
        oci_archive.open_image, Output(oci_archive.check_output, oci_archive.write_image)
    ),
    Transport.ROOTFS: Medium(rootfs.open_image, None),
}


def open_image(reference: Reference, options: OpenOptions) -> Image:
    """The image that `reference` names; ImageError if there is none that can be read."""
    image = TRANSPORTS[reference.transport].open(reference, options)
    return replace(image, name=str(reference))  # a medium's own messages leave the selector out


def check_output(reference: Reference, options: WriteOptions) -> None:
    """Whether `reference` could be written now, before the work begins; leaves nothing behind.

    Raises UsageError for what is no output, OutputError for one that cannot be written.
    """
    _output(reference).check(reference, options)


def write_image(image: Image, reference: Reference, options: WriteOptions) -> Written:
    """Publishes `image` as `reference`, whole or not at all.

    Raises OutputError if there is no room or no right to; ImageError if the image's bytes are not
    what it says they are.
    """
    return _output(reference).write(image, reference, options)


def _output(reference: Reference) -> Output:
    output = TRANSPORTS[reference.transport].output
    if output is None:
        writable = ", ".join(f"{key}:" for key, row in TRANSPORTS.items() if key and row.output)
        raise UsageError(f"{reference}: {reference.transport}: is no output; expected {writable}")
    return output
