"""What libraries for names, keys and passwords open by themselves: configuration and modules."""

from __future__ import annotations

from minify.analyzers.opened import configured
from minify.analyzers.opened.rule import Calls, Contains, Rule, Scope, calls, library, module
from minify.closure import Likelihood

CERTAIN, LIKELY, GUESSED = reversed(Likelihood)

_TLS = library("ssl", "crypto", "gnutls", "nss3", "mbedtls", "wolfssl", r"curl[\w-]*", "tls")
_CRYPTO = library("crypto")
_OPENSSLDIR = ("/usr/lib/ssl", "/usr/local/ssl", "/etc/pki/tls", "/etc/ssl1.1")
_IN_OPENSSLDIR = ("certs", "cert.pem", "openssl.cnf", "ct_log_list.cnf", "private")
_OPENSSL_FILES = (
    "/etc/ssl/openssl.cnf",
    "/etc/ssl/openssl.cnf.d/*.cnf",
    "/etc/ssl/ct_log_list.cnf",
    "/etc/crypto-policies/back-ends/opensslcnf.config",
    "/etc/crypto-policies/back-ends/openssl.config",
    # OPENSSLDIR is compiled in; in it are links to the above, and scripts that nothing runs.
    *(f"{directory}/{name}" for directory in _OPENSSLDIR for name in _IN_OPENSSLDIR),
)
_SASL = ("@/sasl2/", "/usr/lib/sasl2/", "/etc/sasl2/", "/etc/sasl/")
_PAM = (
    "/etc/pam.conf",
    "/etc/security/",
    "/etc/environment",
    "/etc/login.defs",
    "/etc/default/locale",
)

RULES = (
    Rule(
        "tls",
        _TLS,
        CERTAIN,
        "certificates are verified",
        "0.4 MB",
        # Debian, Alpine, Fedora and SUSE; each tree is links and certificates only.
        keeps=(
            "/etc/ssl/certs/",
            "/etc/ssl/cert.pem",
            "/etc/ssl1.1/certs/",
            "/etc/pki/tls/certs/",
            "/etc/pki/tls/cert.pem",
            "/etc/pki/ca-trust/extracted/",
            "/var/lib/ca-certificates/",
            "/etc/gnutls/config",
            "/etc/crypto-policies/back-ends/gnutls.config",
            *_OPENSSL_FILES,
        ),
    ),
    Rule(
        "tls.configured",
        _CRYPTO,
        CERTAIN,
        "openssl.cnf names providers and engines",
        "not measured",
        finds=configured.openssl_modules,
    ),
    Rule(
        "tls.static",
        Contains((b"OPENSSL_CONF\0",)),
        LIKELY,
        "OpenSSL is linked into it",
        "10 KB",
        keeps=_OPENSSL_FILES,
    ),
    Rule(
        "tls.provider",
        Calls(frozenset(("OSSL_PROVIDER_load", "OSSL_PROVIDER_try_load"))),
        LIKELY,
        "providers are loaded by name",
        "0.12 MB",
        keeps=("@/ossl-modules/",),
    ),
    Rule(
        "tls.modules",
        _CRYPTO,
        GUESSED,
        "a user may ask for old ciphers, or for hardware",
        "0.2 MB; in 13 programs that were traced nothing was opened",
        keeps=("@/ossl-modules/", "@/engines-3/", "@/engines-1.1/"),
    ),
    Rule(
        "nss3.modules",
        library("nss3"),
        CERTAIN,
        "ciphers and root certificates are modules",
        "1.8 MB",
        keeps=tuple(
            f"@/{place}lib{name}"
            for place in ("", "nss/")
            for name in ("softokn3.*", "freebl3.*", "freeblpriv3.*", "nssdbm3.*", "nssckbi.so")
        ),
    ),
    Rule(
        "p11-kit",
        library("p11-kit"),
        CERTAIN,
        "modules are loaded that its files name",
        "not measured",
        keeps=("/etc/pkcs11/pkcs11.conf", "/usr/share/p11-kit/*/"),
        finds=configured.p11_modules,
    ),
    Rule(
        "sasl",
        calls("sasl_client_init sasl_server_init sasl_client_new sasl_server_new"),
        LIKELY,
        "each way to authenticate is a module",
        "1.9 MB with the database that one mechanism needs",
        keeps=_SASL,
        scope=Scope.FIRST_PARTY,
    ),
    Rule(
        "sasl.modules",
        library("sasl2"),
        GUESSED,
        "each way to authenticate is a module, for another library that may use it",
        "1.9 MB; in two programs that were traced nothing was opened",
        keeps=_SASL,
    ),
    Rule(
        "kerberos",
        library("krb5", "gssapi_krb5", "heimbase", "gssapi"),
        CERTAIN,
        "realms and mechanisms are configured",
        "not measured",
        keeps=(
            "/etc/krb5.conf",
            "/etc/krb5.conf.d/",
            "/etc/krb5/krb5.conf",
            "/etc/gss/mech",
            "/etc/gss/mech.d/",
            "/usr/etc/krb5.conf",
        ),
    ),
    Rule(
        "kerberos.plugins",
        calls("krb5_init_context gss_init_sec_context gss_accept_sec_context gss_acquire_cred"),
        LIKELY,
        "ways to authenticate are plug-ins",
        "80 KB",
        keeps=("@/krb5/plugins/",),
        scope=Scope.FIRST_PARTY,
    ),
    Rule(
        "kerberos.plugins",
        library("krb5"),
        GUESSED,
        "ways to authenticate are plug-ins, for another library that may use it",
        "80 KB",
        keeps=("@/krb5/plugins/",),
    ),
    Rule(
        "pam",
        calls("pam_start pam_start_confdir"),
        CERTAIN,
        "whoever logs in is authenticated as pam.d says, by modules",
        "2 MB, and what the modules need",
        keeps=_PAM,
        finds=configured.pam_services,
        scope=Scope.FIRST_PARTY,
    ),
    Rule(
        "pam",
        library("pam"),
        LIKELY,
        "whoever logs in is authenticated as pam.d says, by modules",
        "2 MB, and what the modules need",
        keeps=_PAM,
        finds=configured.pam_services,
    ),
    Rule(
        "pam.helpers",
        module("pam_unix"),
        LIKELY,
        "a password is checked by a helper where the program is not root",
        "40 KB",
        keeps=("/usr/sbin/unix_chkpwd", "/sbin/unix_chkpwd"),
    ),
    Rule(
        "pam.motd",
        module("pam_motd"),
        LIKELY,
        "whoever logs in is greeted by scripts",
        "70 KB",
        keeps=(
            "/etc/motd",
            "/etc/motd.d/",
            "/etc/update-motd.d/",
            "/usr/bin/run-parts",
            "/bin/run-parts",
            "/usr/bin/env",
        ),
    ),
    Rule(
        "pam.sessions",
        calls("pam_open_session"),
        LIKELY,
        "whoever logs in gets a shell and a home",
        "1.3 MB for bash",
        finds=configured.logins,
        scope=Scope.FIRST_PARTY,
    ),
    Rule(
        "ldap",
        library(r"ldap(_r)?(-[\d.]+)?"),
        CERTAIN,
        "its defaults are configured",
        "not measured",
        keeps=("/etc/ldap/ldap.conf", "/etc/openldap/ldap.conf"),
    ),
    Rule(
        "rdma",
        library("ibverbs"),
        LIKELY,
        "each kind of hardware has a driver",
        "not measured",
        keeps=("/etc/libibverbs.d/", "@/libibverbs/"),
    ),
    Rule(
        "xtables",
        library("xtables"),
        CERTAIN,
        "matches and targets of rules are modules",
        "not measured",
        keeps=("@/xtables/", "/etc/xtables.conf"),
    ),
    Rule(
        "cryptsetup",
        library("cryptsetup"),
        LIKELY,
        "kinds of tokens are modules",
        "60 KB",
        keeps=("@/cryptsetup/",),
    ),
    Rule(
        "snmp",
        library("netsnmp"),
        LIKELY,
        "names of objects are read from tables",
        "not measured",
        keeps=("/etc/snmp/snmp.conf", "/usr/share/snmp/mibs/", "/var/lib/snmp/mibs/"),
    ),
)
