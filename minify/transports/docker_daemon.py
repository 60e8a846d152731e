"""`docker-daemon:name:tag`: the images of a docker daemon, or of podman's API.

This is the only module that knows the docker SDK. An image is saved to a temporary file and read
as a docker archive; it is written as one, without a name, and the tag is moved last.

https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Image
"""

from __future__ import annotations

import os
import re
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from docker import APIClient
from docker.context import ContextAPI
from docker.errors import APIError, DockerException, ImageNotFound
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from minify.errors import ImageError, MinifyError, OutputError, UsageError
from minify.image.blob import FileBlob, spooled
from minify.image.compression import CHUNK, Compression
from minify.image.digest import Digest
from minify.image.image import Image
from minify.image.platform import Platform
from minify.image.reference import Reference, checked_name
from minify.progress import Progress
from minify.transports import dialects, docker_archive, names
from minify.transports.archive import Archive, read_archive
from minify.transports.layout import blob_path
from minify.transports.names import TaggedName
from minify.transports.options import OpenOptions, Pull, WriteOptions, Written
from minify.transports.publish import failure

# The daemon packs a whole image before the first byte comes, which takes minutes for a large one;
# the SDK gives up after one. docker's own client waits for ever.
_PATIENCE = 3_600

_DEFAULT_SOCKET = "/var/run/docker.sock"
_LOADED_ID = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _Daemon:
    """A daemon that answered, and which error its failures are."""

    client: Any
    """An `APIClient`; half of its methods have no types."""
    error: type[MinifyError]
    name: str
    """What messages call the image."""

    @contextmanager
    def asked_to(self, what: str) -> Iterator[None]:
        """Turns what the SDK raises into this daemon's error: «cannot be `what`»."""
        with self.failing_as(f"{self.name} cannot be {what}"):
            yield

    @contextmanager
    def failing_as(self, failed: str) -> Iterator[None]:
        """Turns what the SDK raises into this daemon's error: `failed` and the cause."""
        try:
            yield
        except (DockerException, RequestException) as error:
            raise self.error(f"{failed}: {_said(error)}") from error

    def inspected(self, image: str) -> Mapping[str, Any] | None:
        """What the daemon knows of `image`; None if it has none of that name or id."""
        with self.asked_to("inspected"):
            try:
                found: Mapping[str, Any] = self.client.inspect_image(image)
            except ImageNotFound:
                return None
            return found


class _NoDaemonError(Exception):
    """Nobody answers where a daemon should; `str()` says where, and why."""


@contextmanager
def _connected(reference: Reference, error: type[MinifyError]) -> Iterator[_Daemon]:
    """The daemon, for as long as the block lasts; `error` if none answers."""
    try:
        daemon = _connection(reference, error)
    except _NoDaemonError as cause:
        raise error(
            f"{reference}: {cause}; start it or set DOCKER_HOST{_elsewhere(reference)}."
            " docker-archive:, oci: and oci-archive: need no daemon"
        ) from cause
    with closing(daemon.client):
        yield daemon


def _connection(reference: Reference, error: type[MinifyError]) -> _Daemon:
    """The daemon; _NoDaemonError if none answers, `error` for an address that is none."""
    arguments = _address(reference, error)
    address = arguments.get("base_url") or f"unix://{_DEFAULT_SOCKET}"
    is_ssh = address.startswith("ssh:")
    try:
        _probe(address)
        client = APIClient(version="auto", timeout=_PATIENCE, use_ssh_client=is_ssh, **arguments)
    except (DockerException, RequestException, OSError, ValueError) as cause:
        raise _NoDaemonError(f"no docker daemon answers at {address}: {_said(cause)}") from cause
    return _Daemon(client, error, str(reference))


def _elsewhere(reference: Reference) -> str:
    """The same name in a registry, which needs no daemon either; ids are in none."""
    name = reference.location
    if names.is_id(name):
        return ""
    return f", or say docker://{names.tagged(name).full} for the registry"


def _probe(address: str) -> None:
    """OSError if nobody listens at a socket's path; the SDK's own error is hard to read."""
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(address.removeprefix("unix://"))


def _address(reference: Reference, error: type[MinifyError]) -> dict[str, Any]:
    """How to reach the daemon, found in docker's own order: DOCKER_HOST, then the context."""
    if os.environ.get("DOCKER_HOST"):
        try:
            return dict(kwargs_from_env())
        except DockerException as cause:  # a certificate that is not there
            raise error(f"{reference}: DOCKER_CERT_PATH: {cause}") from cause
    wanted = os.environ.get("DOCKER_CONTEXT") or None
    try:
        context = ContextAPI.get_context(wanted)
    except Exception as cause:  # the SDK raises bare Exceptions for a damaged file
        raise error(f"{reference}: the docker context cannot be read: {cause}") from cause
    if context is None:
        raise error(
            f"{reference}: there is no docker context {wanted or '(the current one)'}; docker"
            " context ls shows them"
        )
    tls = {"tls": context.TLSConfig} if context.TLSConfig else {}
    return {"base_url": context.Host, **tls} if context.Host else {}


def _said(error: BaseException) -> str:
    """The cause in the daemon's words, or the system's."""
    if isinstance(error, APIError) and error.explanation:
        return error.explanation.strip()
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror
        inner = next((one for one in seen.args if isinstance(one, BaseException)), None)
        seen = inner or seen.__cause__ or seen.__context__
    return str(error)


def open_image(reference: Reference, options: OpenOptions) -> Image:
    """The image that the daemon has, or pulls, saved to a temporary file."""
    checked_name(reference.location)
    with _connected(reference, ImageError) as daemon:
        return _opened(daemon, _found(daemon, reference.location, options), reference, options)


@dataclass(frozen=True, slots=True)
class Absence:
    """Why there is no image in a daemon."""

    reason: str


def find_image(reference: Reference, options: OpenOptions) -> Image | Absence:
    """The image if a daemon answers and has it; nothing is pulled."""
    checked_name(reference.location)
    try:
        daemon = _connection(reference, ImageError)
    except _NoDaemonError as cause:
        return Absence(str(cause))
    with closing(daemon.client):
        found = daemon.inspected(reference.location)
        if found is None:
            return Absence("the daemon has no such image")
        return _opened(daemon, found, reference, options)


def _opened(
    daemon: _Daemon, found: Mapping[str, Any], reference: Reference, options: OpenOptions
) -> Image:
    name = str(reference)
    image_id = f"sha256:{str(found['Id']).removeprefix('sha256:')}"
    if options.require_digest and not _is_fixed(reference.location, image_id):
        raise UsageError(
            f"{reference}: --require-digest: a tag can be moved; now it is docker-daemon:{image_id}"
        )
    _check_platform(found, options.platform, name)
    archive = read_archive(_saved(daemon, image_id, found, options.progress), name)
    image = docker_archive.image_in(archive, "", options, name)
    _check_identity(image, archive, image_id)
    return image


def _is_fixed(name: str, image_id: str) -> bool:
    """Whether `name` is a digest or an id, which nobody can move to another image."""
    return "@" in name or image_id.startswith(f"sha256:{name.removeprefix('sha256:')}")


def _check_platform(found: Mapping[str, Any], wanted: Platform | None, name: str) -> None:
    """Before a large image is saved in vain; the variant is checked when the config is read."""
    has = Platform(str(found.get("Os")), str(found.get("Architecture")))
    if wanted and has != Platform(wanted.os, wanted.architecture):
        raise ImageError(
            f"{name} has no image for {wanted}; the daemon has {has}; --pull always gets the other"
            " one"
        )


def _found(daemon: _Daemon, name: str, options: OpenOptions) -> Mapping[str, Any]:
    found = None if options.pull is Pull.ALWAYS else daemon.inspected(name)
    if found is None and options.pull is not Pull.NEVER:
        _pull(daemon, name, options)
        found = daemon.inspected(name)
    if found is None:
        hint = "; --pull missing lets the daemon pull it" if options.pull is Pull.NEVER else ""
        raise ImageError(f"{daemon.name}: the daemon has no such image{hint}")
    return found


def _pull(daemon: _Daemon, name: str, options: OpenOptions) -> None:
    if names.is_id(name):
        raise ImageError(f"{daemon.name}: the daemon has no such image, and an id cannot be pulled")
    platform = str(options.platform) if options.platform else None
    target = name if "@" in name else str(names.tagged(name))
    failed = f"{daemon.name} cannot be pulled"
    if options.pull is Pull.MISSING:
        failed = f"the daemon has no image {name}, and pulling it failed"
    step = options.progress.step(f"pulling {name}", None)
    with daemon.failing_as(failed), step as advance:
        done: dict[str, int] = {}
        events = daemon.client.pull(target, stream=True, decode=True, platform=platform)
        for event in _checked(events):
            if event.get("status") == "Downloading":
                current = int(event.get("progressDetail", {}).get("current") or 0)
                layer = str(event.get("id"))
                advance(max(0, current - done.get(layer, 0)))
                done[layer] = current


def _checked(events: Any) -> Iterator[Mapping[str, Any]]:
    """The events of a stream, which is read to its end so that its connection is done with.

    An error comes inside it, under a status of 200; it is raised as the SDK raises others.
    """
    errors = []
    for event in events:
        if isinstance(event, Mapping):
            if "error" in event:
                errors.append(str(event["error"]).strip())
            yield event
    if errors:
        raise DockerException(errors[0])


def _saved(
    daemon: _Daemon, image_id: str, found: Mapping[str, Any], progress: Progress
) -> FileBlob:
    """The archive of the image with that id; by the name it could be another one by now."""

    def chunks() -> Iterator[bytes]:
        with progress.step("saving from the daemon", found.get("Size")) as advance:
            for chunk in daemon.client.get_image(image_id):
                yield chunk
                advance(len(chunk))

    with daemon.asked_to("saved"):
        return spooled(chunks(), daemon.name)


def _check_identity(image: Image, archive: Archive, image_id: str) -> None:
    """An id is the config's digest; with containerd's store that of a manifest or an index."""
    stated = Digest.parse(image_id)
    if image.config.digest != stated and archive.find(blob_path(stated)) is None:
        raise ImageError(
            f"{image.name}: the daemon saved image {image.config.digest}; expected {stated}; try"
            " again"
        )


def _output_name(reference: Reference) -> TaggedName:
    return names.output_name(reference.location, reference)


def check_output(reference: Reference, options: WriteOptions) -> None:  # noqa: ARG001 (a tag moves without force)
    """UsageError for a name that cannot be set; OutputError if no daemon answers."""
    _output_name(reference)
    with _connected(reference, OutputError):
        return


def write_image(image: Image, reference: Reference, options: WriteOptions) -> Written:
    """Loads `image` without a name, checks what the daemon has made of it, and moves the tag."""
    name = _output_name(reference)
    with _connected(reference, OutputError) as daemon, _removed_on_error(daemon, image) as loaded:
        loaded.append(_load(daemon, image, options.progress) or str(image.config.digest))
        _check_loaded(daemon, image, loaded[-1])
        with daemon.asked_to("tagged"):
            daemon.client.tag(loaded[-1], name.repository, name.tag)
    return Written(str(reference), image.config.digest, None)


@contextmanager
def _removed_on_error(daemon: _Daemon, image: Image) -> Iterator[list[str]]:
    """Removes the ids in the list, if the block ends with an error and they were not there before.

    It starts with the id that the image has in a daemon that keeps configs.
    """
    loaded = [str(image.config.digest)]
    existed = daemon.inspected(loaded[0]) is not None
    try:
        yield loaded
    except BaseException:
        for image_id in () if existed else loaded:
            with suppress(DockerException, RequestException):
                daemon.client.remove_image(image_id)
        raise


def _load(daemon: _Daemon, image: Image, progress: Progress) -> str | None:
    """Sends the image as an archive; the id that the daemon gave it, None if it did not say."""
    try:
        temporary = tempfile.TemporaryFile(prefix="minify-")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise failure(daemon.name, error) from error
    with temporary:
        target = dialects.Target(temporary.fileno(), daemon.name, zstd_as=Compression.NONE)
        dialects.write(image, target, progress)
        size = os.fstat(temporary.fileno()).st_size

        def chunks() -> Iterator[bytes]:
            with progress.step("loading into the daemon", size) as advance:
                while chunk := temporary.read(CHUNK):
                    yield chunk
                    advance(len(chunk))

        with daemon.asked_to("loaded"):
            events = daemon.client.load_image(chunks(), quiet=True)
            texts = [str(event.get("stream", "")) for event in _checked(events)]
    found = _LOADED_ID.findall(" ".join(texts))
    return found[-1] if found else None


def _check_loaded(daemon: _Daemon, image: Image, loaded: str) -> None:
    found = daemon.inspected(loaded)
    if found is None:
        raise OutputError(f"{daemon.name}: the daemon loaded the image and has no {loaded} now")
    layers = found.get("RootFS", {}).get("Layers") or []
    expected = [str(diff_id) for diff_id in image.config.diff_ids]
    if layers != expected:
        raise OutputError(
            f"{daemon.name}: the daemon made other layers of the image: {layers}; expected"
            f" {expected}"
        )
