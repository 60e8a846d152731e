"""The web server of a workload: files of a directory over TLS, on loopback."""

from __future__ import annotations

import functools
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from images.authority import authority

from recall.programs import SITE


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
        pass


class _Server(ThreadingHTTPServer):
    def __init__(self, context: ssl.SSLContext, directory: Path) -> None:
        handler = functools.partial(_Handler, directory=str(directory))
        super().__init__(("127.0.0.1", SITE), handler)
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        with (
            suppress(OSError),  # a client that does not trust us hangs up
            self._context.wrap_socket(request, server_side=True) as secured,
        ):
            super().finish_request(secured, client_address)


@contextmanager
def served(directory: Path) -> Iterator[None]:
    """Serves `directory` at https://minify.test:SITE until the end of the block."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made = authority()
    context.load_cert_chain(made.server_certificate, made.server_key)
    with _Server(context, directory) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
