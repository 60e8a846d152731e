"""A plain name: the docker daemon's image if a daemon answers and has it, else the registry's.

As an output it is the daemon's. `docker-daemon:` and `docker://` say which of the two is meant.
"""

from __future__ import annotations

from pathlib import Path

from minify.errors import ImageError
from minify.image.image import Image
from minify.image.reference import Reference, Transport, checked_name
from minify.transports import docker_daemon, names
from minify.transports.docker_daemon import Absence
from minify.transports.options import OpenOptions, Pull


def open_image(reference: Reference, options: OpenOptions) -> Image:
    """The image of that name; the error, if there is none, says of both places why."""
    name = checked_name(reference.location)
    if options.pull is Pull.ALWAYS and not names.is_id(name):
        return _pulled(reference, options, "")
    found = docker_daemon.find_image(reference, options)
    if not isinstance(found, Absence):
        return found
    if names.is_id(name):
        raise ImageError(f"{reference}: {found.reason}, and an id cannot be pulled")
    if options.pull is Pull.NEVER:
        raise ImageError(
            f"{reference}: {found.reason}; --pull missing would ask the registry for"
            f" docker://{names.tagged(name).full}"
        )
    return _pulled(reference, options, found.reason)


def _pulled(reference: Reference, options: OpenOptions, absence: str) -> Image:
    """The registry's image; `absence` is why it is not the daemon's."""
    # As in `table`: whoever has the image in a daemon needs no HTTP client.
    from minify.transports.registry import pull  # noqa: PLC0415

    try:
        return pull.open_image(Reference(Transport.REGISTRY, reference.location), options)
    except ImageError as error:
        if not absence:
            raise
        first, *rest = error.lines
        hint = _path_hint(reference.location)
        raise ImageError(f"{first}; {absence}{hint}", *rest) from error


def _path_hint(name: str) -> str:
    """What to say if a path of the host was meant; it is asked for when no image was found only.

    A directory often has the name of the image that is built from it.
    """
    if Path(name).is_dir():
        return f"; for the directory {name} say oci:{name} or rootfs:{name}"
    if Path(name).exists():
        return f"; for the file {name} say docker-archive:{name} or oci-archive:{name}"
    return ""
