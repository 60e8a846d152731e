"""The whole root filesystem of a program: Debian packages and its application, cached."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from images.applications import FIXTURES
from images.authority import authority
from images.cache import cached
from images.layers import EPOCH

from recall.programs import Program

SUITE = "bookworm"

# What mmdebstrap copies from this machine is no part of an image.
_FORGET = '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname"'


class RecallError(Exception):
    """The proof itself failed: a tree cannot be made, or a workload fails on the whole tree."""


@dataclass(frozen=True, slots=True)
class WholeTree:
    """A root filesystem that nothing may change."""

    root: Path
    beside: Path
    """What the workload has outside of the tree: `site/` for the web server, keys."""
    key: str
    """The same for the same content."""


def whole_tree(program: Program) -> WholeTree:
    """The tree of `program`, made if the cache lacks it (a minute)."""
    fixture = FIXTURES / "recall" / program.name
    sources = sorted(file for file in fixture.glob("**/*") if file.is_file())
    certificates = authority().certificate.parent
    parts = (
        *(SUITE, _FORGET, repr((program.packages, program.building, program.trusts_authority))),
        *(f"{file.relative_to(fixture)}\0{file.read_text('utf-8')}" for file in sources),
        *(file.read_text("utf-8") for file in sorted(certificates.glob("*.crt"))),
    )
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def make(out: Path) -> None:
        (out / "beside/site").mkdir(parents=True)
        (out / "beside/site/index.html").write_text("hello over tls\n", encoding="utf-8")
        hooks = _hooks(program, fixture, certificates, out / "beside")
        _debootstrap(out / "root", program, hooks)

    made = cached(f"recall-{program.name}", key, make)
    return WholeTree(made / "root", made / "beside", key)


def _hooks(program: Program, fixture: Path, certificates: Path, beside: Path) -> list[str]:
    """Shell commands that put the application in place, the tree in `$1`."""
    hooks = []
    if program.trusts_authority:
        target = '"$1/usr/local/share/ca-certificates/minify-test.crt"'
        certificate = shlex.quote(str(certificates / "ca.crt"))
        hooks.append(f"install -D -m 644 {certificate} {target}")
        hooks.append('chroot "$1" update-ca-certificates')
    if (fixture / "root").is_dir():
        source = shlex.quote(f"{fixture}/root/.")
        hooks.append(f'cp -r --preserve=mode {source} "$1/"')
    if (fixture / "setup.sh").is_file():
        paths = f"{shlex.quote(str(certificates))} {shlex.quote(str(beside))}"
        hooks.append(f'cd {shlex.quote(str(fixture))} && bash setup.sh "$1" {paths}')
    return hooks


def _debootstrap(root: Path, program: Program, hooks: list[str]) -> None:
    customize = [f"--customize-hook={hook}" for hook in hooks]
    include = f"--include={','.join(program.packages)}"
    options = ("--variant=minbase", include, *program.building, *customize, _FORGET)
    # What it mounts into the tree goes with it, even if it is killed.
    command = ["unshare", "--mount", "mmdebstrap", *options, SUITE, str(root)]
    done = subprocess.run(
        command,
        env=os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH)},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        shutil.rmtree(root, ignore_errors=True)
        said = done.stderr[-3000:]
        raise RecallError(f"{' '.join(command)}: exit {done.returncode}\n{said}")
