"""Which proxy leads to a host: HTTP_PROXY, HTTPS_PROXY and NO_PROXY as docker reads them.

https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
"""

from __future__ import annotations

import ipaddress
from urllib.request import getproxies_environment

from minify.transports.registry.name import hostname, is_loopback


def proxy_for(scheme: str, address: str) -> str | None:
    """The URL of the proxy to use for `address`, `host:port`; None: connect directly."""
    proxies = getproxies_environment()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or is_loopback(address):
        return None
    excluded = proxies.get("no", "").split(",")
    if any(_is_meant(item.strip().lower(), address.lower()) for item in excluded):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_meant(item: str, address: str) -> bool:
    """Whether an item of NO_PROXY means `address`: a domain, an address, a network, all.

    The standard library's own reading knows no networks (`10.0.0.0/8`).
    """
    host = hostname(address)
    if item in ("*", address, host):
        return True
    name, colon, port = item.rpartition(":")
    if colon and port.isdigit() and not address.endswith(f":{port}"):
        return False
    domain = (name if colon and port.isdigit() else item).removeprefix("*")
    if domain and (host == domain or host.endswith(f".{domain.removeprefix('.')}")):
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(item, strict=False)
    except ValueError:  # a name is in no network
        return False
