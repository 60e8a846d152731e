"""What is said when a registry refuses or cannot be reached: one line with what to do."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from minify.errors import ImageError
from minify.image import jsontext
from minify.image.jsontext import Fields
from minify.transports.registry.http import ExchangeError, Fault, Response
from minify.transports.registry.name import RegistryName

_BODY_LIMIT = 1 << 16
_SHOWN = 300

TRANSIENT = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Statuses after which the same request may succeed later."""


def said(response: Response) -> str:
    """The status and what the registry says of it: `404 MANIFEST_UNKNOWN: manifest unknown`.

    https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes
    """
    try:
        data = response.start(_BODY_LIMIT)
        errors = Fields(jsontext.read_object(data, "errors"), "errors").objects("errors")
        texts = [f"{one.text('code')}: {one.text('message')}".strip(": ") for one in errors]
    except (ExchangeError, ImageError):  # a page for people, or nothing; the status says it too
        texts = []
    return f"{response.status} {'; '.join(texts)}".strip()[:_SHOWN]


def refused(response: Response, name: RegistryName, what: str) -> str:
    """Why the registry does not do `what` ("have the manifest"), and the next step."""
    host, answer = name.host, said(response)
    answered_by = _address(response.url)
    by = host if answered_by == name.address else f"{answered_by}, where {host} leads to,"
    status = response.status
    if status == 401:
        return f"{by} does not {what} without a login that it knows ({answer}): docker login {host}"
    if status == 403:
        return (
            f"{by} does not {what} ({answer}); check the rights on {name.repository} of the user"
            f" who is logged in: docker login {host}"
        )
    if status == 404:
        return f"{by} does not {what} ({answer}); check the name {name}"
    if status == 429:
        return f"{by} gets too many requests ({answer}); try again later, or docker login {host}"
    if status >= 500:
        return f"{by} is in trouble ({answer}); try again later"
    return f"{by} does not {what} ({answer})"


def unreachable(failure: ExchangeError, name: RegistryName) -> str:
    """Why there was no answer, and the next step."""
    address = _address(failure.url)
    if failure.fault is Fault.NOT_FOUND:
        return f"there is no host {address} ({failure}); check the name and the network"
    if failure.fault is Fault.CERTIFICATE:
        return (
            f"the certificate of {address} is not trusted ({failure}); put its CA into"
            f" /etc/docker/certs.d/{name.host}/ca.crt or SSL_CERT_FILE, or say --tls-verify=false"
        )
    if failure.fault is Fault.TLS:
        return (
            f"{address} does not speak TLS as expected ({failure}); for a registry without TLS say"
            " --tls-verify=false"
        )
    if failure.fault is Fault.TLS_ALERT:
        return (
            f"{address} does not accept us ({failure}); a certificate to show and its key belong"
            f" into /etc/docker/certs.d/{name.host}/ as client.cert and client.key"
        )
    if failure.fault is Fault.CUT:
        return f"{address} cut the connection ({failure}); try again later"
    if failure.fault is Fault.PROXY:
        return f"{address} cannot be reached ({failure}); check HTTPS_PROXY and NO_PROXY"
    if failure.fault is Fault.OTHER:
        return f"{address} does not answer as a registry ({failure})"
    return f"{address} does not answer ({failure}); check that it runs, and the network"


def _address(url: str) -> str:
    """Host and port of a URL, which may be of a registry's making."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or url[:_SHOWN]
    except ValueError:
        return url[:_SHOWN]


def retry_after(response: Response) -> float | None:
    """The seconds that Retry-After asks for; None if it does not.

    https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    """
    text = response.header("Retry-After").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
