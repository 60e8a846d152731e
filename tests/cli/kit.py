"""minify as a process of its own, on small images that are made here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
from filetree.kit import Members, file

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"
APP: Members = [file("app", "#!/bin/tool\n", mode=0o755), file("bin/tool", "\x7f", mode=0o755)]
EVIL = "etc/e\x1b[31m\n\udcff"

Made = Callable[..., str]
"""`made("etc/a", run={"Cmd": ["/app"]})` writes a small image and gives its reference."""


def run(*arguments: object, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "minify", *map(str, arguments)],
        capture_output=True,
        encoding=environment.get("PYTHONIOENCODING", "utf-8"),
        env={**os.environ, **environment},
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def document(text: str) -> dict[str, Any]:
    """A JSON report, which is as its schema says."""
    found: dict[str, Any] = json.loads(text)
    jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    return found
