"""One HTTP exchange at a time: no redirects, no retries, no decoding, nothing read ahead.

This is the only module that knows urllib3. What it raises becomes one `ExchangeError`, which says
whether another try may help.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    InsecureRequestWarning,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
)
from urllib3.exceptions import (
    SSLError as TlsError,
)
from urllib3.util import Timeout, make_headers, parse_url

from minify.transports.registry.proxies import proxy_for
from minify.transports.registry.tls import tls_context

_USER_AGENT = "minify"
# What is worth reading of an answer that nobody wants, to use its connection again.
_DRAINED = 1 << 16


class Fault(Enum):
    """Why there is no answer, or no whole one."""

    NOT_FOUND = "the name is not known"
    UNREACHABLE = "nobody answers"
    TIMEOUT = "it took too long"
    CUT = "the connection was cut"
    CERTIFICATE = "the certificate is not trusted"
    TLS = "no TLS is spoken"
    TLS_ALERT = "TLS is spoken, and not with us"
    PROXY = "the proxy refuses"
    OTHER = "this is no HTTP"


class ExchangeError(Exception):
    """An exchange that did not come to its end; `str()` is the cause in the system's words."""

    def __init__(self, fault: Fault, text: str, url: str) -> None:
        super().__init__(text)
        self.fault = fault
        self.url = url

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later."""
        return self.fault in (Fault.UNREACHABLE, Fault.TIMEOUT, Fault.CUT)


class Body(Protocol):
    """What a request sends; it is opened once for each time that it is sent."""

    @property
    def size(self) -> int: ...

    def chunks(self) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. The URL is absolute; a secret belongs into the headers only."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | bytes | None = None


class Response:
    """An answer whose body has not been read yet."""

    def __init__(self, raw: urllib3.BaseHTTPResponse, url: str) -> None:
        self._raw = raw
        self.url = url
        self.status = raw.status

    def header(self, name: str) -> str:
        """The header called `name`, whatever its case; empty if there is none."""
        return self._raw.headers.get(name, "")

    def headers(self, name: str) -> list[str]:
        """All headers called `name`."""
        return self._raw.headers.getlist(name)

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; empty at the end. ExchangeError if it was cut."""
        with _failures(self.url):
            return self._raw.read(size, decode_content=False)

    def start(self, limit: int) -> bytes:
        """The body's first bytes: `limit` of them, or all if it has fewer."""
        data = b""
        while len(data) < limit and (more := self.read(limit - len(data))):
            data += more
        return data

    def close(self) -> None:
        """Done with it; the connection is used again if there is little left to read."""
        try:
            self.start(_DRAINED)
        except ExchangeError:
            pass  # nobody wanted the rest
        finally:
            self._raw.close()

    def abort(self) -> None:
        """Ends a `read` that waits in another thread."""
        with suppress(ValueError, RuntimeError, OSError):  # it is over already
            self._raw.shutdown()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds, and how often to try."""

    connect: float = 20
    read: float = 60
    attempts: int = 5
    """In a row, without any progress."""
    first_delay: float = 0.25
    """Doubled after each attempt."""
    longest_delay: float = 60
    """A registry that asks for more (Retry-After) is not waited for."""


class Http:
    """Connections to any host, kept for the next request; used by several threads."""

    def __init__(self, *, tls_verify: bool, patience: Patience) -> None:
        self.tls_verify = tls_verify
        self._timeout = Timeout(connect=patience.connect, read=patience.read)
        self._pools: dict[tuple[str, str], urllib3.PoolManager] = {}
        self._lock = threading.Lock()
        if not tls_verify:  # the user has said so; a warning a request says it no better
            urllib3.disable_warnings(InsecureRequestWarning)

    def send(self, request: Request) -> Response:
        """The answer to `request`, of whatever status; ExchangeError if there is none."""
        with _failures(request.url):
            parts = urlsplit(request.url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"{request.url!r} is no URL of a registry")
            address = parts.netloc.rpartition("@")[2]
            raw = self._pool(parts.scheme, address).urlopen(
                request.method,
                request.url,
                headers=self._headers(request),
                body=_sent(request.body),
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
        return Response(raw, request.url)

    @staticmethod
    def _headers(request: Request) -> dict[str, str]:
        size = None if request.body is None else _size(request.body)
        length = {} if size is None else {"Content-Length": str(size)}
        if request.body is None and request.method in ("POST", "PUT", "PATCH"):
            length = {"Content-Length": "0"}
        identity = {"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"}
        return {**identity, **length, **request.headers}

    def _pool(self, scheme: str, address: str) -> urllib3.PoolManager:
        with self._lock:
            key = (scheme, address)
            if key not in self._pools:
                self._pools[key] = self._new_pool(scheme, address)
            return self._pools[key]

    def _new_pool(self, scheme: str, address: str) -> urllib3.PoolManager:
        context = tls_context(address, verify=self.tls_verify) if scheme == "https" else None
        proxy = proxy_for(scheme, address)
        if proxy is None:
            return urllib3.PoolManager(maxsize=4, timeout=self._timeout, ssl_context=context)
        login = parse_url(proxy).auth
        return urllib3.ProxyManager(
            proxy,
            maxsize=4,
            timeout=self._timeout,
            ssl_context=context,
            proxy_headers=make_headers(proxy_basic_auth=login) if login else None,
        )

    def close(self) -> None:
        """Closes what is kept open."""
        with self._lock:
            for pool in self._pools.values():
                pool.clear()


def _size(body: Body | bytes) -> int:
    return len(body) if isinstance(body, bytes) else body.size


def _sent(body: Body | bytes | None) -> bytes | Iterator[bytes] | None:
    return body if body is None or isinstance(body, bytes) else body.chunks()


@contextmanager
def _failures(url: str) -> Iterator[None]:
    """Turns what urllib3 and the standard library raise into ExchangeError."""
    try:
        yield
    except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        raise _failure(error, url) from error


def _failure(error: BaseException, url: str) -> ExchangeError:
    if isinstance(error, ProxyError):
        inner = _failure(error.original_error, url)
        fault = inner.fault if inner.is_transient else Fault.PROXY
        return ExchangeError(fault, f"the proxy: {inner}", url)
    cause = _cause(error)
    return ExchangeError(_fault(error, cause), _text(cause), url)


def _fault(error: BaseException, cause: BaseException) -> Fault:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Fault.CERTIFICATE
    if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Fault.CUT
    if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or ""):
        return Fault.TLS_ALERT
    if isinstance(error, TlsError) or isinstance(cause, ssl.SSLError):
        return Fault.TLS
    if isinstance(error, NameResolutionError) or isinstance(cause, socket.gaierror):
        return Fault.NOT_FOUND
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError | TimeoutError):
        # NewConnectionError is a ConnectTimeoutError to urllib3.
        return Fault.UNREACHABLE if isinstance(error, NewConnectionError) else Fault.TIMEOUT
    if isinstance(error, NewConnectionError):
        return Fault.UNREACHABLE
    if isinstance(error, ProtocolError | http.client.IncompleteRead | ConnectionError):
        return Fault.CUT
    return Fault.OTHER


def _cause(error: BaseException) -> BaseException:
    """The innermost error that the system or OpenSSL raised."""
    seen, found = error, error
    for _ in range(8):
        inner = next((one for one in reversed(seen.args) if isinstance(one, BaseException)), None)
        following = inner or seen.__cause__ or seen.__context__
        if following is None:
            break
        seen = following
        if isinstance(seen, OSError | http.client.HTTPException):
            found = seen
    return found


def _text(cause: BaseException) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    if isinstance(cause, ssl.SSLError):
        return (cause.reason or "").replace("_", " ").lower() or str(cause)
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    if isinstance(cause, TimeoutError | ReadTimeoutError | ConnectTimeoutError):
        return "no answer in time"
    return str(cause).partition("\n")[0] or type(cause).__name__
