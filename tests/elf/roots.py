"""Root filesystems with real programs and libraries, each made once; ld.so runs in them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import require
from images.build import build_foreign
from images.cache import cached

from elf.lab import MUSL
from minify.filetree import FileTree
from minify.image import Layer
from minify.image.blob import FileBlob, HostFile

# Four hundred packages: large graphs, private directories, RUNPATHs, plugins, 32-bit libraries.
LARGE = (
    *("ffmpeg", "imagemagick", "graphviz", "git", "php-cli", "postgresql-15", "libgtk-3-bin"),
    *("qtbase5-dev-tools", "qdbus-qt5", "default-jre-headless", "python3-numpy", "libc6-i386"),
)
# GTK 3 and 4, Qt 5 and 6, with their plugins.
DESKTOP = (
    *(
        "gedit",
        "evince",
        "kwrite",
        "vlc-bin",
        "vlc-plugin-qt",
        "libgtk-4-bin",
        "libwebkit2gtk-4.1-0",
    ),
    *("qt6-base-dev-tools", "qt6-image-formats-plugins", "qml6-module-qtquick-controls"),
)
# For other architectures, where nothing is configured and so nothing run.
FOREIGN = ("curl", "git", "imagemagick", "python3-numpy", "libgtk-3-0", "postgresql-15")
# Of two releases.
MIXED = ("curl", "git", "imagemagick", "openssl", "php-cli", "python3-minimal")
_EXTRACTED = ("--variant=extract", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr")

WHEELS = (
    *("numpy==2.4.6", "scipy==1.17.1", "lxml==6.1.3", "cryptography==50.0.2", "pillow==13.0.0"),
    *("cffi==2.0.0",),
)
_SITE = "opt/venv/lib/python3.11/site-packages"

QEMU = {
    "amd64": "",
    "i386": "qemu-i386-static",
    "arm64": "qemu-aarch64-static",
    "armhf": "qemu-arm-static",
    "ppc64el": "qemu-ppc64le-static",
    "s390x": "qemu-s390x-static",
}
"""What runs the programs of Debian's architectures here."""


@dataclass(frozen=True, slots=True)
class Root:
    """Layers, and a command before the name of a program of theirs that runs it."""

    layers: Sequence[Path]
    command: tuple[str, ...]


def unpacked(layers: Sequence[Path], directory: Path, architecture: str = "amd64") -> Root:
    """The layers' files in a directory. What whiteouts hide stays; no library is among it."""
    require("tar", "chroot")
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    for layer in layers:
        command = ["tar", "-x", "-C", str(directory), "--exclude=.wh.*", "--exclude=./dev/*"]
        subprocess.run([*command, "-f", str(layer)], check=True)
    chroot = ("chroot", str(directory))
    emulator = QEMU[architecture]
    if not emulator:
        return Root(layers, chroot)
    require(emulator)
    copy = directory / "qemu"
    copy.write_bytes(Path("/usr/bin", emulator).read_bytes())
    copy.chmod(0o755)
    return Root(layers, (*chroot, "/qemu"))


def tree_of_layers(layers: Sequence[Path]) -> FileTree:
    files = [HostFile.open(path, path.name) for path in layers]
    return FileTree.from_layers([Layer(FileBlob.whole(one), one.name) for one in files])


def with_cache(root: Root, directory: Path) -> Root:
    """The root after its own ldconfig has run in it."""
    subprocess.run([*root.command, "/usr/sbin/ldconfig"], check=True)
    cache = directory.parent / "cache.tar"
    subprocess.run(["tar", "-c", "-C", directory, "-f", cache, "./etc/ld.so.cache"], check=True)
    return Root((*root.layers, cache), root.command)


def debian(name: str, packages: Sequence[str], *options: str, suite: str = "bookworm") -> Path:
    """A layer with Debian packages."""
    require("mmdebstrap")

    def make(out: Path) -> None:
        command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}", *options]
        subprocess.run([*command, suite, str(out / "root.tar")], check=True)

    # The options count only where there are some: the key of a root that many have stays.
    key = _key(packages, *options) if options else _key(packages)
    return cached(f"{name}.root", key, make) / "root.tar"


def newer_programs() -> Path:
    """A layer with programs and libraries of a later Debian release."""
    return debian("newer", MIXED, *_EXTRACTED, suite="trixie")


def older_libraries() -> Path:
    """A layer with the libraries of the release before, C library and all, at the same places."""
    whole = debian("older", MIXED, *_EXTRACTED)

    def make(out: Path) -> None:
        (out / "root").mkdir()
        command = ["tar", "-x", "-C", str(out / "root"), "-f", str(whole)]
        subprocess.run([*command, "./usr/lib/x86_64-linux-gnu"], check=True)
        _archive(out)

    return cached("older-libraries.root", _key(str(whole)), make) / "root.tar"


def foreign(architecture: str) -> Path:
    """A layer with the packages of another architecture, as they are unpacked."""
    options = (f"--architectures={architecture}", "--variant=extract")
    merged = _EXTRACTED[1]
    # Nobody is served by these programs, and mirrors are less steady for these architectures.
    plain = '--setup-hook=find "$1/etc/apt" -type f -exec sed -i /security/d {} +'
    return debian(f"foreign-{architecture}", FOREIGN, *options, merged, plain)


def small_foreign() -> Sequence[Path]:
    """curl for arm64."""
    require("mmdebstrap")
    return build_foreign().layers


def wheels(platform: str) -> Path:
    """A layer with Python wheels that bring libraries of their own, and find them by RPATH."""

    def make(out: Path) -> None:
        site = out / "root" / _SITE
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
        command += ["--target", str(site), "--python-version=3.11", "--implementation=cp"]
        command += ["--only-binary=:all:", *(f"--platform={one}" for one in _platforms(platform))]
        subprocess.run([*command, *WHEELS], check=True)
        _archive(out)

    return cached(f"wheels-{platform}.root", _key(WHEELS, _SITE), make) / "root.tar"


def _platforms(platform: str) -> tuple[str, ...]:
    newer = {"manylinux": "manylinux_2_28_x86_64", "musllinux": "musllinux_1_2_x86_64"}[platform]
    older = {"manylinux": "manylinux2014_x86_64", "musllinux": "musllinux_1_1_x86_64"}[platform]
    return newer, older


def musl() -> Path:
    """A layer with this machine's musl, at the place that programs name."""

    def make(out: Path) -> None:
        target = out / "root" / MUSL.interpreter.lstrip("/")
        target.parent.mkdir(parents=True)
        target.write_bytes(Path(MUSL.interpreter).read_bytes())
        target.chmod(0o755)
        _archive(out)

    digest = hashlib.sha256(Path(MUSL.interpreter).read_bytes()).hexdigest()
    return cached("musl.root", digest, make) / "root.tar"


def _archive(out: Path) -> None:
    """Makes `root.tar` of the directory `root`."""
    subprocess.run(["tar", "-c", "-C", out / "root", "-f", out / "root.tar", "."], check=True)
    subprocess.run(["rm", "-r", out / "root"], check=True)


def _key(*parts: object) -> str:
    text = repr(parts[0]) if len(parts) == 1 else repr(parts)
    return hashlib.sha256(text.encode()).hexdigest()
