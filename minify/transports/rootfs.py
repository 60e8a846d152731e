"""`rootfs:/path`, a root filesystem of the host, `/` included: one layer that is never stored.

The layer is unverifiable (nothing states its digest) and its blob is made up while it is read, so
it cannot be written as it is: `build` makes a real layer of what is kept.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from minify.errors import ImageError
from minify.image.config import ImageConfig
from minify.image.image import Image
from minify.image.jsontext import Json
from minify.image.layer import Layer
from minify.image.platform import Platform
from minify.image.reference import Reference
from minify.transports.hostdir import HostDirectory
from minify.transports.hosttar import HostTar
from minify.transports.mounts import pseudo_devices
from minify.transports.options import OpenOptions

# Some program of these is in every root filesystem that has any for its own architecture.
_WELL_KNOWN = (b"bin/sh", b"usr/bin/env", b"bin/busybox", b"sbin/init", b"usr/bin/bash")

# e_machine → platform, by class (1: 32 bits) and byte order (1: little).
# https://www.sco.com/developers/gabi/latest/ch4.eheader.html, GOARCH's names.
_MACHINES = {
    (62, 2, 1): Platform("linux", "amd64"),
    (62, 1, 1): Platform("linux", "amd64"),  # x32
    (3, 1, 1): Platform("linux", "386"),
    (183, 2, 1): Platform("linux", "arm64", "v8"),
    (40, 1, 1): Platform("linux", "arm", "v7"),
    (21, 2, 1): Platform("linux", "ppc64le"),
    (21, 2, 2): Platform("linux", "ppc64"),
    (22, 2, 2): Platform("linux", "s390x"),
    (243, 2, 1): Platform("linux", "riscv64"),
    (258, 2, 1): Platform("linux", "loong64"),
    (8, 2, 1): Platform("linux", "mips64le"),
    (8, 2, 2): Platform("linux", "mips64"),
    (8, 1, 1): Platform("linux", "mipsle"),
    (8, 1, 2): Platform("linux", "mips"),
}


def open_image(reference: Reference, options: OpenOptions) -> Image:
    """The directory as an image of one layer, with a config that says nothing but its platform."""
    root = HostDirectory(Path(reference.location), str(reference))
    try:
        pseudo = pseudo_devices()
    except OSError as error:
        raise ImageError(
            f"{reference}: the host's mounts cannot be read ({error.strerror}:"
            f" {error.filename}), so its pseudo file systems cannot be told; mount /proc"
        ) from error
    platform = options.platform or _platform_of(root) or Platform.host()
    if platform.os != "linux":
        raise ImageError(f"{reference}: minify reads Linux images only; found {platform}")
    layer = Layer(HostTar.of(root, pseudo), f"{reference}: the root filesystem")
    return Image(str(reference), _config(platform, str(reference)), (layer,))


def _config(platform: Platform, name: str) -> ImageConfig:
    variant: dict[str, Json] = {"variant": platform.variant} if platform.variant else {}
    return ImageConfig.new(
        {
            "architecture": platform.architecture,
            "os": platform.os,
            **variant,
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": []},
        },
        f"{name}: config",
    )


def _platform_of(root: HostDirectory) -> Platform | None:
    """The platform of the first well-known program that is an ELF file."""
    for program in _WELL_KNOWN:
        path = root.resolve(program)
        if path is None:
            continue
        try:
            fd = root.open_file(path)
        except OSError:  # for this question any other program will do
            continue
        try:
            platform = _platform_of_elf(os.pread(fd, 20, 0))
        finally:
            os.close(fd)
        if platform is not None:
            return platform
    return None


def _platform_of_elf(start: bytes) -> Platform | None:
    if len(start) < 20 or not start.startswith(b"\x7fELF") or start[5] not in (1, 2):
        return None
    (machine,) = struct.unpack("<H" if start[5] == 1 else ">H", start[18:20])
    return _MACHINES.get((machine, start[4], start[5]))
