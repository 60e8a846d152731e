"""`make demo`: makes an image out of this machine's own files, minifies it, shows the summary.

No daemon, no privilege, no network. The image is what `FROM debian` and `ENTRYPOINT ["tar"]` would
give: the essential Debian packages of this machine. tar needs a handful of libraries; all
else may go. Nothing secret is read: only files that packages ship, and the accounts.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

WORK = Path(__file__).resolve().parents[1] / "build-cache" / "demo"
ACCOUNTS = ("/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/ld.so.cache")
MERGED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")


def main() -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    fat, slim = WORK / "fat.tar", WORK / "slim.tar"
    source = ["rootfs:/", "--entrypoint", "tar"]
    if shutil.which("dpkg-query"):
        started = time.monotonic()
        write_image(fat, [essential_files(), documentation()])
        say(f"Made an image out of this machine's packages in {time.monotonic() - started:.1f} s:")
        say(f"{shown(fat)}, {archive_size(fat)}; 'size' below is the content of its files alone\n")
        source = [f"docker-archive:{shown(fat)}"]
    command = ["minify", *source, "-o", f"docker-archive:{shown(slim)}:demo:slim"]
    say(f"$ {' '.join(command)}")
    done = subprocess.run([sys.executable, "-m", *command], check=False)
    if done.returncode:
        sys.exit(done.returncode)
    say(f"\n{shown(slim)}, {archive_size(slim)}: where there is a docker, the lines above run it")


def shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def archive_size(path: Path) -> str:
    """What the file takes: headers and padding of its tar too, compressed layers as they are."""
    return f"an archive of {path.stat().st_size / 1e6:.1f} MB"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def essential_files() -> list[str]:
    """Every path of the packages that each Debian system has, and the state that they made."""
    listing = ["dpkg-query", "--listfiles", *essential_packages()]
    lines = subprocess.run(listing, check=True, capture_output=True, encoding="utf-8").stdout
    shipped = {line for line in lines.splitlines() if line.startswith("/") and line != "/."}
    return sorted({*shipped, *ACCOUNTS, *MERGED, "/var/lib/dpkg/status"})


def essential_packages() -> list[str]:
    """The essential packages, with all that they depend on: libraries, for the most part."""
    form = "${db:Status-Abbrev}|${Essential}|${Package}|${Pre-Depends},${Depends}\n"
    show = ["dpkg-query", "--show", f"--showformat={form}"]
    text = subprocess.run(show, check=True, capture_output=True, encoding="utf-8").stdout
    rows = [row.split("|", 3) for row in text.splitlines() if row.startswith("ii")]
    depends = {name: dependencies(fields) for _, _, name, fields in rows}
    found: set[str] = set()
    waiting = ["base-files", *(name for _, essential, name, _ in rows if essential == "yes")]
    while waiting:
        name = waiting.pop()
        if name in depends and name not in found:
            found.add(name)
            waiting += depends[name]
    return sorted(found)


def dependencies(fields: str) -> list[str]:
    """The names in `libc6 (>= 2.34), debconf | debconf-2.0`."""
    alternatives = fields.replace("|", ",").split(",")
    return [name.split("(")[0].split(":")[0].strip() for name in alternatives]


def documentation() -> list[str]:
    """A second layer, as a Dockerfile's next step would add one."""
    return [str(path) for path in sorted(Path("/usr/share/doc").glob("*/changelog*"))]


def write_image(out: Path, layers: Sequence[Sequence[str]]) -> None:
    """A docker archive with a layer for each list of this machine's paths."""
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive:
        names, diff_ids = [], []
        for number, paths in enumerate(layers):
            layer = WORK / f"layer-{number}.tar"
            write_layer(layer, paths)
            with layer.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            archive.add(layer, f"{digest}/layer.tar")
            layer.unlink()
            names.append(f"{digest}/layer.tar")
            diff_ids.append(f"sha256:{digest}")
        config = json.dumps(image_config(diff_ids)).encode()
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        add_bytes(archive, name, config)
        entry = {"Config": name, "RepoTags": ["demo:fat"], "Layers": names}
        add_bytes(archive, "manifest.json", json.dumps([entry]).encode())


def write_layer(out: Path, paths: Sequence[str]) -> None:
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar:
        for path in with_parents(paths):
            tar.add(path, path.lstrip("/"), recursive=False)


def with_parents(paths: Sequence[str]) -> Iterator[str]:
    """Each path that exists after its directories; through links as this machine has them."""
    seen = {"/"}
    for path in paths:
        place = Path(path)
        if not (place.exists() or place.is_symlink()):
            continue
        real = place.parent.resolve() / place.name
        for name in (*map(str, reversed(real.parents)), str(real)):
            if name not in seen:
                seen.add(name)
                yield name


def image_config(diff_ids: list[str]) -> dict[str, object]:
    machine = platform.machine()
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine),
        "os": "linux",
        "created": "2023-11-14T22:13:20Z",
        "config": {"Env": [path], "Entrypoint": ["tar"], "Cmd": ["--version"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created_by": f"files of this machine, layer {d}"} for d in diff_ids],
    }


def add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    main()
