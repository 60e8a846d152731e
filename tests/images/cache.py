"""Things that are costly to make, kept outside the repository."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def directory() -> Path:
    """`$MINIFY_CACHE`, else the user's cache directory; below it `minify-fixtures`."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("MINIFY_CACHE") or home) / "minify-fixtures"


def cached(name: str, key: str, make: Callable[[Path], None]) -> Path:
    """The directory `name-key`, filled by `make` if it is not there yet.

    Complete or absent: it is filled under another name and renamed. Of two processes one makes it.
    Directories of the same name with other keys are out of date and go.
    """
    parent = directory()
    parent.mkdir(parents=True, exist_ok=True)
    final = parent / f"{name}-{key[:16]}"
    with (parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if final.is_dir():
            return final
        for old in parent.glob(f"{name}-" + "[0-9a-f]" * 16):
            shutil.rmtree(old)
        with tempfile.TemporaryDirectory(dir=parent, prefix=f"{name}.making-") as making:
            content = Path(making) / "content"
            content.mkdir()
            make(content)
            content.rename(final)
    return final
