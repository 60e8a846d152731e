"""Whom to trust, and who we are: TLS contexts with the directories that docker and podman have.

https://docs.docker.com/engine/security/certificates/,
https://github.com/containers/image/blob/main/docs/containers-certs.d.5.md
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

from minify.errors import ImageError


def tls_context(host: str, *, verify: bool) -> ssl.SSLContext:
    """A context for connections to `host` (with its port); ImageError for a file that is none.

    OpenSSL itself looks at SSL_CERT_FILE and SSL_CERT_DIR.
    """
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or None
    try:
        context = ssl.create_default_context(
            cafile=bundle if bundle and Path(bundle).is_file() else None,
            capath=bundle if bundle and Path(bundle).is_dir() else None,
        )
    except (OSError, ssl.SSLError) as error:
        raise ImageError(f"REQUESTS_CA_BUNDLE {bundle}: this is no bundle: {error}") from error
    for directory in _directories(host):
        _load(context, directory)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _directories(host: str) -> Iterator[Path]:
    """Those that exist and can be looked into, the user's own last."""
    if host.strip(".") == "":  # a redirect may lead to any name
        return
    home = os.environ.get("HOME", "")
    config = os.environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    roots = ["/etc/docker", "/etc/containers"]
    roots += [f"{config}/docker", f"{config}/containers"] if config else []
    for root in roots:
        directory = Path(root, "certs.d", host)
        if os.access(directory, os.R_OK | os.X_OK):
            yield directory


def _load(context: ssl.SSLContext, directory: Path) -> None:
    """`*.crt` are CAs; `NAME.cert` with `NAME.key` is what we show of ourselves."""
    for path in sorted(directory.iterdir()):
        try:
            if path.suffix == ".crt":
                context.load_verify_locations(cafile=path)
            elif path.suffix == ".cert":
                context.load_cert_chain(path, path.with_suffix(".key"))
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "reason", None) or error.strerror or str(error)
            raise ImageError(f"{path}: this certificate cannot be used: {reason}") from error
