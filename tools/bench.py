"""`make bench`: sizes, seconds and peak memory of minify on the test images.

The images lie in OCI layouts with gzip layers, as a registry would give them. Columns:

- seconds, MB peak    the whole command, from start to written archive
- plan                the decision alone: open, merge, close, plan; no layer is written
- bound               decompressing each layer and hashing both forms of it once, with the same zlib
- plan/bound          what docs/design.md asks to be at most 2 with a cold cache

Plan and bound are the best of three, in turn, so that another program's work does not matter.

A second table has what real programs need and what minify keeps of it: docs/recall.md. A third one
has the application images: docs/apps.md.

    tools/bench.py [IMAGE…]          the first table, of these images; with no name, all three
    tools/bench.py recall [NAME…]    the second one
    tools/bench.py apps [NAME…]      the third one; as root, for docker
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from apps import case as cases
from apps import table as apps_table
from images import engines
from images.build import build
from images.cache import cached
from images.checks import CHECKS
from recall import table
from recall.measure import measure
from recall.programs import PROGRAMS
from zlib_ng.zlib_ng import decompressobj

ROOT = Path(__file__).resolve().parents[1]
MB = 1_000_000
CHUNK = 1 << 20
HEAD = (
    "| image | fat MB | slim MB | files | seconds | MB peak | plan s | bound s | plan/bound |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
)

PLAN = """
import sys, time
import minify.analyzers
from minify.pipeline import Options, plan
started = time.perf_counter()
plan(sys.argv[1], Options())
print(time.perf_counter() - started)
"""

# A child's ru_maxrss counts its parent, too; the kernel's own mark starts anew with the program.
WITH_PEAK = """
import re, runpy
try:
    runpy.run_module("minify", run_name="__main__", alter_sys=True)
finally:
    print(re.search(r"VmHWM:\\s+([0-9]+) kB", open("/proc/self/status").read())[1])
"""


def main() -> None:
    names = sys.argv[1:]
    with compiled():
        tables(names)


@contextmanager
def compiled() -> Iterator[None]:
    """What is started in this context finds its modules compiled, as an installer leaves them."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["PYTHONPYCACHEPREFIX"] = cache
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        everything = "import minify.cli.process, minify.pipeline; minify.pipeline._rules()"
        subprocess.run([sys.executable, "-c", everything], check=True, cwd=ROOT)
        yield


def tables(names: Sequence[str]) -> None:
    if names[:1] == ["recall"]:
        recall(names[1:] or list(PROGRAMS))
    elif names[:1] == ["apps"]:
        applications(names[1:] or cases.names())
    elif names:
        sizes(names)
    else:
        sizes(list(CHECKS))
        sys.stdout.write("\n")
        recall(list(PROGRAMS))
        sys.stdout.write("\n")
        applications(cases.names())


def sizes(names: Sequence[str]) -> None:
    sys.stdout.write(HEAD)
    for name in names:
        sys.stdout.write(row(name, compressed_layout(name)))
        sys.stdout.flush()


def recall(names: Sequence[str]) -> None:
    sys.stdout.write(table.HEAD)
    for name in names:
        sys.stdout.write(table.row(measure(PROGRAMS[name])))
        sys.stdout.flush()


def applications(names: Sequence[str]) -> None:
    """Those written before the rules of minify were frozen, and apart from them those after."""
    loaded = [cases.load(name) for name in names]
    with engines.dockerd() as docker:
        for number, freezes in enumerate(sorted({case.freezes for case in loaded})):
            sys.stdout.write("\n" if number else "")
            when = f"after freeze {freezes}" if freezes else "before the rules were frozen"
            sys.stdout.write(f"Written {when}:\n\n{apps_table.HEAD}")
            for case in (one for one in loaded if one.freezes == freezes):
                sys.stdout.write(apps_table.row(case, docker))
                sys.stdout.flush()


def row(name: str, layout: Path) -> str:
    pairs = [(plan_seconds(layout), bound_seconds(layout)) for _ in range(3)]
    planned, bound = (min(column) for column in zip(*pairs, strict=True))
    with tempfile.TemporaryDirectory() as work:
        report = Path(work) / "report.json"
        target = f"docker-archive:{work}/slim.tar"
        seconds, peak = measured(f"oci:{layout}", "-o", target, "--report", str(report), "-q")
        size = json.loads(report.read_text(encoding="utf-8"))["size"]
    cells = [
        name,
        f"{size['before']['bytes'] / MB:.1f}",
        f"{size['after']['bytes'] / MB:.1f}",
        str(size["after"]["files"]),
        f"{seconds:.2f}",
        f"{peak / MB:.0f}",
        f"{planned:.2f}",
        f"{bound:.2f}",
        f"{planned / bound:.1f}",
    ]
    return f"| {' | '.join(cells)} |\n"


def measured(*arguments: str) -> tuple[float, int]:
    """Wall seconds and peak resident bytes of minify."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", WITH_PEAK, *arguments], check=True, stdout=subprocess.PIPE
    )
    return time.perf_counter() - started, int(done.stdout) * 1024


def plan_seconds(layout: Path) -> float:
    return float(subprocess.check_output([sys.executable, "-c", PLAN, f"oci:{layout}"]))


def bound_seconds(layout: Path) -> float:
    index = json.loads((layout / "index.json").read_bytes())
    manifest = json.loads(blob(layout, index["manifests"][0]["digest"]).read_bytes())
    started = time.perf_counter()
    for layer in manifest["layers"]:
        decompress_and_hash(blob(layout, layer["digest"]))
    return time.perf_counter() - started


def decompress_and_hash(path: Path) -> None:
    packed, plain = hashlib.sha256(), hashlib.sha256()
    decompressor = decompressobj(wbits=31)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            packed.update(chunk)
            plain.update(decompressor.decompress(chunk))


def blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")


def compressed_layout(name: str) -> Path:
    """The image as an OCI layout with gzip layers."""
    image = build(name)

    def make(out: Path) -> None:
        plain = image.oci_layout(out / "layout")
        index = json.loads((plain / "index.json").read_bytes())
        entry = index["manifests"][0]
        manifest = json.loads(blob(plain, entry["digest"]).read_bytes())
        for layer in manifest["layers"]:
            packed = gzip.compress(blob(plain, layer["digest"]).read_bytes(), 6, mtime=0)
            blob(plain, layer["digest"]).unlink()
            layer.update(put(plain, packed), mediaType=f"{layer['mediaType']}+gzip")
        entry.update(put(plain, json.dumps(manifest).encode()))
        (plain / "index.json").write_text(json.dumps(index), encoding="utf-8")

    key = hashlib.sha256(repr(image.config).encode()).hexdigest()
    return cached(f"{name}.gzip", key, make) / "layout"


def put(layout: Path, content: bytes) -> dict[str, object]:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    blob(layout, digest).write_bytes(content)
    return {"digest": digest, "size": len(content)}


if __name__ == "__main__":
    main()
