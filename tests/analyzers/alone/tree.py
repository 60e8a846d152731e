"""The tree of all cases: Debian packages, their configuration, the compiled programs. Cached."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import asdict
from pathlib import Path

from images.applications import FIXTURES
from images.cache import cached
from images.layers import EPOCH

from analyzers.alone.cases import CASES, PACKAGES, Case

_FIXTURE = FIXTURES / "opened"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_PLACE = "usr/local/bin"
_SHOW = """
#define show(...) return printf(__VA_ARGS__), fflush(0), _exit(0), 0
"""


def whole() -> Path:
    """The root directory, which nothing may change."""
    sources = sorted(file for file in _FIXTURE.glob("**/*") if file.is_file())
    texts = [f"{file.relative_to(_FIXTURE)}\0{file.read_text('utf-8')}" for file in sources]
    tables = [repr(PACKAGES), repr([asdict(case) for case in CASES]), _SHOW, _PLACE]
    key = hashlib.sha256("\0".join([*tables, *texts]).encode()).hexdigest()

    def make(out: Path) -> None:
        base = cached("opened.base", hashlib.sha256(repr(PACKAGES).encode()).hexdigest(), _base)
        root = out / "root"
        subprocess.run(["cp", "-a", "--reflink=auto", str(base / "root"), str(root)], check=True)
        subprocess.run(["bash", str(_FIXTURE / "setup.sh"), str(root)], cwd=_FIXTURE, check=True)
        for case in CASES:
            if case.main:
                _compile(case, root)

    return cached("opened", key, make) / "root"


def _base(out: Path) -> None:
    include = f"--include={','.join(PACKAGES)}"
    command = ["unshare", "--mount", "mmdebstrap", "--variant=minbase", include, "bookworm"]
    subprocess.run(
        [*command, str(out / "root")],
        env=os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH)},
        check=True,
    )


def _compile(case: Case, root: Path) -> None:
    # Not in a directory of an application, which stays whole: each is to be alone.
    source = f"{_SHOW}{case.before}\nint main(void) {{\n{case.main}\n}}\n"
    libraries = [f"-l:{name}" for name in case.libraries]
    flags = ["-w", "-O0", "-Wl,--allow-shlib-undefined"]
    command = ["gcc", *flags, "-xc", "-", "-xnone", "-o", str(root / _PLACE / case.name)]
    command += [f"-L{root}/{_LIBRARIES}", *libraries]
    subprocess.run(command, input=source.encode(), check=True)
