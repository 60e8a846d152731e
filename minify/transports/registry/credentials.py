"""What `docker login` and `podman login` have left: user and password, or an identity token.

https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md,
https://docs.docker.com/reference/cli/docker/login/#credential-stores,
https://github.com/docker/docker-credential-helpers
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from minify.errors import ImageError
from minify.image import jsontext
from minify.image.jsontext import DOCUMENT_LIMIT, Fields
from minify.transports.registry.name import DOCKER_HUB, RegistryName

# docker's own key for Docker Hub, by its first protocol.
_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io")
_HELPER = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
_HELPER_SECONDS = 60
_HELPER_TOKEN = "<token>"  # noqa: S105 (the user name that stands for an identity token)
# The helpers' own wording, which docker compares as well.
_HELPER_NOT_FOUND = "credentials not found"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's secret; one of the two forms. It is in no `repr`, so in no traceback."""

    user: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of an `Authorization: Basic` header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def find_credentials(name: RegistryName) -> Credentials | None:
    """The credentials of the first file that has some for `name`; None: be anonymous.

    Raises ImageError for a file or a helper that cannot be made sense of.
    """
    for file in _files():
        found = _in_file(file, name)
        if found is not None:
            return found
    return None


def _files() -> Iterator[Fields]:
    """The files that there are; podman's own variable names the only one."""
    explicit = os.environ.get("REGISTRY_AUTH_FILE")
    if explicit:
        yield _read(Path(explicit), f"REGISTRY_AUTH_FILE {explicit}")
        return
    home = os.environ.get("HOME", "")
    docker = os.environ.get("DOCKER_CONFIG") or (f"{home}/.docker" if home else "")
    config = os.environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    candidates = (
        (docker, "config.json"),
        (runtime, "containers/auth.json"),
        (config, "containers/auth.json"),
    )
    for directory, file in candidates:
        path = Path(directory, file)
        # A home of somebody else's, as `setpriv` leaves it, is as good as none.
        if directory and os.access(path, os.R_OK):
            yield _read(path, str(path))


def _read(path: Path, name: str) -> Fields:
    try:
        with path.open("rb") as file:
            data = file.read(DOCUMENT_LIMIT + 1)
    except OSError as error:
        raise ImageError(f"{name} cannot be read: {error.strerror}") from error
    if len(data) > DOCUMENT_LIMIT:
        raise ImageError(f"{name} is larger than {DOCUMENT_LIMIT:,} bytes; expected docker's login")
    return Fields(jsontext.read_object(data, name) if data.strip() else {}, name)


def _in_file(file: Fields, name: RegistryName) -> Credentials | None:
    """Helpers before stored secrets, and of these the most specific key, as podman does."""
    helpers = file.text_mapping("credHelpers")
    keys = [name.host, *(_HUB_KEYS if name.host == DOCKER_HUB else ())]
    for key in keys:
        if key in helpers:
            return _asked(helpers[key], key)
    store = file.text("credsStore")
    if store:
        for key in _store_keys(name):
            found = _asked(store, key)
            if found is not None:
                return found
    return _stored(file.child("auths"), file.mapping("auths"), name)


def _store_keys(name: RegistryName) -> tuple[str, ...]:
    """What a store is asked for, which takes its time; `docker login` uses the first."""
    return (_HUB_KEYS[0], name.host) if name.host == DOCKER_HUB else (name.host,)


def _stored(auths: Fields, entries: Mapping[str, object], name: RegistryName) -> Credentials | None:
    for key in _keys(name):
        for written in (key, f"https://{key}", f"https://{key}/", f"http://{key}"):
            if written in entries:
                found = _of_entry(auths.child(written), written)
                if found is not None:
                    return found
    return None


def _keys(name: RegistryName) -> Iterator[str]:
    """`host/name/space`, `host/name`, `host`, and the other names of Docker Hub."""
    parts = name.repository.split("/")
    for end in range(len(parts), 0, -1):
        yield f"{name.host}/{'/'.join(parts[:end])}"
    yield name.host
    if name.host == DOCKER_HUB:
        yield from _HUB_KEYS
    yield f"{name.host}/v1/"
    yield f"{name.host}/v2/"


def _of_entry(entry: Fields, key: str) -> Credentials | None:
    token = entry.text("identitytoken")
    if token:
        return Credentials(identity_token=token)
    written = entry.text("auth")
    if not written:
        user = entry.text("username")
        return Credentials(user, entry.text("password")) if user else None
    try:
        decoded = base64.b64decode(written, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ImageError(
            f"auths.{key}: auth is no base64 of user:password; log in again"
        ) from error
    user, _, password = decoded.partition(":")
    return Credentials(user, password.strip("\0"))


def _asked(helper: str, server: str) -> Credentials | None:
    """What `docker-credential-HELPER get` says of `server`."""
    program = f"docker-credential-{helper}"
    if not _HELPER.fullmatch(helper):
        raise ImageError(f"{program}: this is no credential helper's name")
    try:
        done = subprocess.run(  # noqa: S603 (the user's own configuration names it)
            [program, "get"],
            input=server.encode(),
            capture_output=True,
            timeout=_HELPER_SECONDS,
            check=False,
        )
    except OSError as error:
        raise ImageError(
            f"{program}, which docker's configuration names for {server}, cannot be run:"
            f" {error.strerror}; install it, or set DOCKER_CONFIG to another directory"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ImageError(f"{program} has not answered for {_HELPER_SECONDS} seconds") from error
    if done.returncode != 0:
        said = (done.stdout.strip() or done.stderr.strip()).decode("utf-8", "replace")
        if _HELPER_NOT_FOUND in said:
            return None
        first = said.partition("\n")[0][:200]
        raise ImageError(f"{program} failed for {server}: {first or done.returncode}")
    return _of_helper(done.stdout, program)


def _of_helper(answer: bytes, program: str) -> Credentials | None:
    name = f"the answer of {program}"
    if len(answer) > DOCUMENT_LIMIT:
        raise ImageError(f"{name} is larger than {DOCUMENT_LIMIT:,} bytes")
    fields = Fields(jsontext.read_object(answer, name), name)
    user, secret = fields.text("Username"), fields.text("Secret")
    if user == _HELPER_TOKEN:
        return Credentials(identity_token=secret)
    return Credentials(user, secret) if user or secret else None
