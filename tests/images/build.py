"""From a recipe to a docker archive, an OCI layout, or its layers. Everything is cached."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from images.applications import FIXTURES
from images.archive import Config, image_config, write_docker_archive, write_oci_layout
from images.assembled import musl_arm_program
from images.authority import authority
from images.cache import cached
from images.layers import EPOCH, LayerWriter, open_layer, write_difference
from images.recipes import RECIPES, Recipe

_EXTRACTED = ("--variant=extract", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr")


class BuildError(Exception):
    """mmdebstrap failed; what it said is in the message."""


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image that lies in files."""

    archive: Path
    """A docker archive."""
    tag: str
    """The name that `docker load` gives it."""
    config: Config
    layers: tuple[Path, ...]
    """Plain tars, oldest first."""

    def oci_layout(self, out: Path, *more: Path) -> Path:
        """Writes the image to `out` as an OCI layout, with `more` layers on top."""
        layers = (*self.layers, *more)
        config = image_config(self.config["architecture"], self.config["config"], layers)
        write_oci_layout(out, config, layers)
        return out


def build(name: str) -> BuiltImage:
    """The image of RECIPES[name], built if the cache lacks it (half a minute)."""
    recipe = RECIPES[name]
    layers = []
    if recipe.debian:
        layers.append(_base())
    if recipe.packages:
        layers.append(_packages_layer(recipe))
    if recipe.application:
        layers.append(_application_layer(name, recipe.application))
    return _image(name, _architecture(), recipe.process, tuple(layers))


def build_foreign(architecture: str = "arm64") -> BuiltImage:
    """curl of another architecture: unpacked, nothing run, so without an ld.so.cache."""
    packages = RECIPES["curl"].packages
    options = (f"--architectures={architecture}", *_EXTRACTED)

    def make(out: Path) -> None:
        _debootstrap(out / "root.tar", packages, *options)

    key = _key("foreign", _suite(), _FORGET, repr(packages), repr(options))
    layer = cached(f"curl-{architecture}.layer", key, make) / "root.tar"
    process = {"Env": RECIPES["curl"].process["Env"], "Entrypoint": ["curl"]}
    return _image(f"curl-{architecture}", architecture, process, (layer,))


def build_musl_arm() -> BuiltImage:
    """A program for musl on 32-bit ARM that prints $GREETING; unpacked, nothing run."""
    # Mirrors are less steady for this architecture, and nobody is served by its programs.
    plain = '--setup-hook=find "$1/etc/apt" -type f -exec sed -i /security/d {} +'
    options = ("--architectures=armhf", *_EXTRACTED, plain)

    def make(out: Path) -> None:
        root = out / "root.tar"
        _debootstrap(root, ("musl",), *options)
        with open_layer(out / "layer.tar") as tar:
            layer = LayerWriter(tar)
            layer.directory("/srv")
            layer.file("/srv/greet", musl_arm_program(root), mode=0o755)

    key = _key("musl-arm", _suite(), _source("assembled.py", "layers.py"), _FORGET, repr(options))
    made = cached("musl-arm.layer", key, make)
    process = {"Env": ["GREETING=hello from musl"], "Cmd": ["/srv/greet"]}
    return _image("musl-arm", "arm", process, (made / "root.tar", made / "layer.tar"))


def _image(
    name: str, architecture: str, process: Mapping[str, object], layers: tuple[Path, ...]
) -> BuiltImage:
    tag = f"minify-test/{name}:fat"
    config = image_config(architecture, process, layers)

    def make(out: Path) -> None:
        write_docker_archive(out / "image.tar", tag, config, layers)

    made = cached(f"{name}.image", _key("image", tag, repr(config)), make)
    return BuiltImage(made / "image.tar", tag, config, layers)


def _base() -> Path:
    def make(out: Path) -> None:
        _debootstrap(out / "root.tar", ())

    return cached("base.layer", _key("base", _suite(), _FORGET), make) / "root.tar"


def _packages_layer(recipe: Recipe) -> Path:
    """What the packages add to the base, as `apt-get install` in a Dockerfile would."""
    hooks = recipe.hooks
    if recipe.test_ca:
        certificate = authority().certificate
        target = '"$1/usr/local/share/ca-certificates/minify-test.crt"'
        install = f"install -D -m 644 {shlex.quote(str(certificate))} {target}"
        hooks = (*hooks, install, 'chroot "$1" update-ca-certificates')
    base = _base()

    def make(out: Path) -> None:
        full = out / "root.tar"
        _debootstrap(full, recipe.packages, *(f"--customize-hook={hook}" for hook in hooks))
        write_difference(base, full, out / "layer.tar")
        full.unlink()

    ca = authority().certificate.read_text(encoding="ascii") if recipe.test_ca else ""
    key = _key("packages", _source("layers.py"), str(base), repr(recipe.packages), repr(hooks), ca)
    return cached(f"{'-'.join(recipe.packages)}.layer", key, make) / "layer.tar"


# Fixtures that no application layer is made of.
_APART = frozenset(("apps", "opened", "recall"))

# What mmdebstrap copies from this machine is no part of an image.
_FORGET = '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname"'


def _debootstrap(out: Path, packages: Sequence[str], *options: str) -> None:
    """A Debian root filesystem as a plain tar: minbase, unless `options` say something else."""
    include = [f"--include={','.join(packages)}"] if packages else []
    command = ["mmdebstrap", "--variant=minbase", *include, *options, _FORGET, _suite(), str(out)]
    done = subprocess.run(
        command,
        env=os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH)},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr[-3000:]}")


def _application_layer(name: str, write: Callable[[LayerWriter], None]) -> Path:
    def make(out: Path) -> None:
        with open_layer(out / "layer.tar") as tar:
            write(LayerWriter(tar))

    files = [
        file for own in FIXTURES.iterdir() if own.name not in _APART for file in own.rglob("*")
    ]
    sources = sorted(file for file in (*files, authority().server_certificate) if file.is_file())
    modules = _source("applications.py", "layers.py", "programs.py")
    texts = (file.read_text("utf-8", "surrogateescape") for file in sources)
    key = _key("application", modules, _suite(), *texts)
    return cached(f"{name}.application", key, make) / "layer.tar"


def _source(*modules: str) -> str:
    """The text of modules which decide the bytes of layers: part of their keys."""
    return "".join((Path(__file__).parent / module).read_text("utf-8") for module in modules)


def _suite() -> str:
    """This machine's Debian release, so that what is compiled here runs there."""
    release = platform.freedesktop_os_release()
    return release["VERSION_CODENAME"] if release["ID"] == "debian" else "bookworm"


def _architecture() -> str:
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
