"""Small files that nearly every program or the C library reads (rule 4), and the trust store."""

from __future__ import annotations

from collections.abc import Iterator

from minify.closure import CONFIG, Context, Finding, Need, Reason

_IDENTITY = (
    "/etc/passwd",
    "/etc/group",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/environment",
    "/etc/mime.types",
)
# What scanners tell the distribution by.
_DISTRIBUTION = (
    "/etc/os-release",
    "/usr/lib/os-release",
    "/etc/debian_version",
    "/etc/alpine-release",
    "/etc/redhat-release",
    "/etc/system-release",
)
# Debian and Alpine, Alpine's other name, Fedora (two), SUSE.
CA_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
)


def find(context: Context) -> Iterator[Finding]:
    identity = Reason("base.identity", CONFIG, "read by the C library of any program")
    distribution = Reason("base.distribution", CONFIG, "says which distribution this is")
    bundle = Reason("base.ca-bundle", CONFIG, "the CA certificates, kept in every image")
    for paths, reason in (
        (_IDENTITY, identity),
        (_DISTRIBUTION, distribution),
        (CA_BUNDLES, bundle),
    ):
        yield from (Need(path, reason) for path in context.existing(paths))
