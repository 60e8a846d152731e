"""Certificates and OpenSSL's own files (rule 12)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from minify.closure import Context, Finding, Grade, Need, Reason
from minify.filetree import Entry
from minify.filetree.path import basename, parent

_LIBRARIES = re.compile(r"lib(ssl|crypto|gnutls|nss3|mbedtls|wolfssl|curl[\w-]*|tls)\.so[\d.]*")

# Debian, Alpine, Fedora and SUSE; each tree is links and certificates only.
_TRUST = (
    "/etc/ssl/certs",
    "/etc/ssl1.1/certs",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
    "/var/lib/ca-certificates",
)
_FILES = (
    "/etc/ssl/openssl.cnf",
    "/etc/ssl/cert.pem",
    "/etc/ssl1.1/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/ct_log_list.cnf",
    "/etc/gnutls/config",
    "/etc/crypto-policies/back-ends/opensslcnf.config",
    "/etc/crypto-policies/back-ends/openssl.config",
    "/etc/crypto-policies/back-ends/gnutls.config",
)
# OPENSSLDIR is compiled in; in it are links to the above, and scripts that nothing runs.
_OPENSSLDIR = ("/usr/lib/ssl", "/usr/local/ssl", "/etc/pki/tls")
_IN_OPENSSLDIR = ("certs", "cert.pem", "openssl.cnf", "ct_log_list.cnf", "private")
_MODULES = ("ossl-modules", "engines-3", "engines-1.1")


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:  # noqa: ARG001
    name = basename(entry.path)
    if not _LIBRARIES.fullmatch(name) or not context.is_elf(entry):
        return
    reason = Reason("tls", entry.path, f"{name} verifies certificates")
    yield from (Need(path, reason, whole_tree=True) for path in context.existing(_TRUST))
    inside = (f"{directory}/{item}" for directory in _OPENSSLDIR for item in _IN_OPENSSLDIR)
    yield from (Need(path, reason) for path in context.existing((*_FILES, *inside)))
    if name.startswith("libcrypto"):
        modules = Reason("tls.modules", entry.path, f"{name} loads providers and engines by name")
        beside = (f"{parent(entry.path)}/{directory}" for directory in _MODULES)
        yield from (Need(path, modules, whole_tree=True) for path in context.existing(beside))
