"""A certificate authority for the tests, and a server certificate of it. Made once, cached."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from images.cache import cached

HOST = "minify.test"
"""The name on the server certificate; containers get it by `--add-host`."""

_VERSION = "2"


@dataclass(frozen=True, slots=True)
class Authority:
    certificate: Path
    server_certificate: Path
    server_key: Path
    stranger_certificate: Path
    """For the same name, signed by nobody known."""


def authority() -> Authority:
    made = cached("authority", _VERSION.rjust(16, "0"), _make)
    return Authority(
        made / "ca.crt", made / "server.crt", made / "server.key", made / "stranger.crt"
    )


def _make(out: Path) -> None:
    name = f"subjectAltName=DNS:{HOST},DNS:localhost"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    authority = ["-x509", "-days", "7300", "-subj", "/CN=minify test authority"]
    _openssl(out, "req", *authority, *key, "-keyout", "ca.key", "-out", "ca.crt")
    request = ["-subj", f"/CN={HOST}", "-keyout", "server.key", "-out", "server.csr"]
    _openssl(out, "req", "-new", *key, *request)
    (out / "names").write_text(name, encoding="utf-8")
    signed = ["-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"]
    end = ["-days", "7300", "-extfile", "names", "-out", "server.crt"]
    _openssl(out, "x509", "-req", *signed, *end)
    stranger = ["-x509", "-key", "server.key", "-days", "7300", "-subj", f"/CN={HOST}"]
    _openssl(out, "req", *stranger, "-addext", name, "-out", "stranger.crt")


def _openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)
