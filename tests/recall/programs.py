"""Which programs there are: a table. `workloads` has a function of the same name for each.

What minify is told beside ENTRYPOINT and ENV is what the workload itself stands for, and no hint:
a second program that a person or another container starts (psql beside postgres), a file to
convert, the shell in which a check is written, the user who runs it all.
"""

# ruff: noqa: S108  # these are names in trees that nobody else has

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SITE = 18443
"""Where the web server of a workload listens, with a certificate of the tests' authority."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    packages: tuple[str, ...]
    """Debian packages on top of minbase."""
    entrypoint: tuple[str, ...]
    building: tuple[str, ...] = ()
    """More of mmdebstrap's options."""
    named: tuple[str, ...] = ()
    """Programs and files beside ENTRYPOINT that the workload's own command lines name: `--keep`."""
    because: str = ""
    """Why `named` and `options` are the workload's, in half a sentence."""
    options: tuple[str, ...] = ()
    """More of minify's command line."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """ENV beside PATH."""
    user: str = "root"
    """Who runs it: `--user`, and in both trees."""
    trusts_authority: bool = False
    """Whether the tests' certificate authority is installed, and its web server runs."""


_UTF8 = {"LANG": "C.UTF-8"}
_POSTGRES = "/usr/lib/postgresql/15/bin"

_TUNED = (
    Program(
        "curl",
        packages=("curl", "ca-certificates"),
        entrypoint=("/usr/bin/curl",),
        environment=_UTF8,
        trusts_authority=True,
    ),
    Program(
        "nginx",
        packages=("nginx", "ca-certificates"),
        entrypoint=("/usr/sbin/nginx", "-g", "daemon off;"),
    ),
    Program(
        "redis",
        packages=("redis-server", "redis-tools"),
        entrypoint=("/usr/bin/redis-server", "--port", "16379", "--dir", "/tmp"),
        named=("/usr/bin/redis-cli",),
        because="the client that asks",
        user="redis",
    ),
    Program(
        "postgres",
        packages=("postgresql", "postgresql-client"),
        entrypoint=(f"{_POSTGRES}/postgres", "-D", "/tmp/pg", "-p", "15432", "-k", "/tmp"),
        named=tuple(f"{_POSTGRES}/{name}" for name in ("initdb", "pg_dump", "psql")),
        because="who makes the database, asks it and saves it",
        environment=_UTF8,
        user="postgres",
    ),
    Program(
        "git",
        packages=("git", "ca-certificates"),
        entrypoint=("/usr/bin/git",),
        named=("/bin/sh",),
        because="checks are written in sh",
        trusts_authority=True,
    ),
    Program(
        "pam",
        packages=(
            *("sudo", "openssh-server", "openssh-client", "login", "passwd"),
            "libpam-modules",
        ),
        entrypoint=("/usr/sbin/sshd", "-D", "-e", "-p", "12222"),
        building=("--skip=cleanup/run",),  # sshd asks for /run/sshd, which an image has to bring
        named=("/usr/bin/su", "/usr/bin/sudo", "/usr/bin/id"),
        because="what alice runs in her session; she becomes root, and has a password",
        options=("--keep-setuid", "--keep-shadow"),
    ),
    Program(
        "magick",
        packages=(
            *("imagemagick", "libmagickcore-6.q16-6-extra", "fonts-dejavu-core"),
            *("librsvg2-2", "ghostscript"),
        ),
        entrypoint=("/usr/bin/convert",),
        named=("/bin/sh", "/usr/bin/identify", "/app/a.svg"),
        because="checks are written in sh, look at what was made, and have one picture to convert",
    ),
    Program(
        "ffmpeg",
        packages=("ffmpeg", "fonts-dejavu-core"),
        entrypoint=("/usr/bin/ffmpeg",),
        named=("/bin/sh", "/usr/bin/ffprobe"),
        because="checks are written in sh, and look at what was made",
    ),
    Program(
        "dot",
        packages=("graphviz", "fonts-dejavu-core"),
        entrypoint=("/usr/bin/dot",),
        named=("/bin/sh", "/usr/bin/neato", "/app/a.dot"),
        because="checks are written in sh; another layout; the graph to draw",
    ),
    Program("musl", packages=("musl", "libc-bin"), entrypoint=("/app/a",)),
    Program(
        "static",
        packages=("netbase",),
        entrypoint=("/app/a",),
        named=("/app/dyn", "/app/pie"),
        because="the same program, linked in other ways",
    ),
    Program(
        "wget",
        packages=("wget", "ca-certificates"),
        entrypoint=("/usr/bin/wget",),
        environment=_UTF8,
        trusts_authority=True,
    ),
    Program(
        "term",
        packages=(
            *("bash", "less", "nano", "ncurses-bin", "ncurses-base", "file", "locales"),
            *("tzdata", "gettext-base"),
        ),
        entrypoint=("/bin/bash",),
        named=(
            *("/bin/date", "/bin/grep", "/bin/ls", "/usr/bin/envsubst", "/usr/bin/file"),
            *("/usr/bin/find", "/usr/bin/iconv", "/usr/bin/less", "/usr/bin/nano", "/usr/bin/od"),
            *("/usr/bin/sort", "/usr/bin/tput"),
        ),
        because="what is typed into a shell",
        environment={"TERM": "xterm-256color", "LANG": "de_DE.UTF-8"},
    ),
    Program(
        "shell",
        packages=("bash", "redis-server", "gosu", "jq", "curl", "ca-certificates", "procps"),
        entrypoint=("/app/docker-entrypoint.sh", "redis-server", "--port", "16380"),
        trusts_authority=True,
    ),
)

_UNSEEN = (
    Program(
        "lighttpd",
        packages=("lighttpd", "lighttpd-mod-deflate", "lighttpd-mod-openssl"),
        entrypoint=("/usr/sbin/lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf"),
        building=("--skip=cleanup/run",),
    ),
    Program(
        "apache",
        packages=("apache2",),
        entrypoint=("/usr/sbin/apache2ctl", "-D", "FOREGROUND"),
    ),
    Program(
        "haproxy",
        packages=("haproxy", "ca-certificates"),
        entrypoint=("/usr/sbin/haproxy", "-W", "-db", "-f", "/etc/haproxy/haproxy.cfg"),
        trusts_authority=True,
    ),
    Program(
        "mosquitto",
        packages=("mosquitto", "mosquitto-clients", "ca-certificates"),
        entrypoint=("/usr/sbin/mosquitto", "-c", "/etc/mosquitto/mosquitto.conf"),
        building=("--skip=cleanup/run",),
        named=("/usr/bin/mosquitto_pub", "/usr/bin/mosquitto_sub", "/usr/bin/mosquitto_ctrl"),
        because="the clients that ask",
        trusts_authority=True,
    ),
    Program(
        "named",
        packages=("bind9", "bind9-dnsutils"),
        entrypoint=("/usr/sbin/named", "-g", "-u", "bind"),
        building=("--skip=cleanup/run",),
        named=("/usr/bin/dig", "/usr/sbin/rndc", "/usr/bin/named-checkconf"),
        because="who asks it and who steers it",
    ),
    Program(
        "slapd",
        packages=("slapd", "ldap-utils", "libldap-common", "libsasl2-modules", "ca-certificates"),
        entrypoint=(
            *("/usr/sbin/slapd", "-d", "0", "-f", "/etc/ldap/slapd.conf", "-u", "openldap"),
            *("-g", "openldap", "-h", "ldap://localhost:10389/"),
        ),
        building=("--skip=cleanup/run",),
        named=(
            *("/usr/bin/ldapadd", "/usr/bin/ldappasswd", "/usr/bin/ldapsearch"),
            *("/usr/bin/ldapwhoami", "/app/people.ldif"),
        ),
        because="who asks it and fills it, and with what",
        trusts_authority=True,
    ),
    Program(
        "dovecot",
        packages=("dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd", "dovecot-sieve"),
        entrypoint=("/usr/sbin/dovecot", "-F"),
        building=("--skip=cleanup/run",),
        named=("/usr/bin/doveadm", "/home/alice"),
        because="who steers it; the home of who has mail; the system's accounts are asked first",
        options=("--keep-shadow",),
    ),
    Program(
        "mariadb",
        packages=("mariadb-server", "mariadb-client"),
        entrypoint=(
            *("/usr/sbin/mariadbd", "--datadir=/tmp/my", "--socket=/tmp/my.sock"),
            *("--port=13306", "--pid-file=/tmp/my.pid"),
        ),
        named=(
            *("/usr/bin/mariadb-install-db", "/usr/bin/mariadb", "/usr/bin/mariadb-dump"),
            *("/usr/bin/mariadb-tzinfo-to-sql", "/bin/sh", "/usr/bin/grep"),
        ),
        because="who makes the database, asks it and saves it; a pipe is written in sh",
        user="mysql",
    ),
    Program(
        "gs",
        packages=("ghostscript", "poppler-utils", "poppler-data"),
        entrypoint=("/usr/bin/gs",),
        named=(
            *("/bin/sh", "/usr/bin/ps2pdf", "/usr/bin/pdftotext", "/usr/bin/pdftoppm"),
            *("/app/a.ps", "/app/cjk.pdf"),
        ),
        because="checks are written in sh; who reads what was made; the documents",
    ),
    Program(
        "gnuplot",
        packages=("gnuplot-nox", "fonts-dejavu-core"),
        entrypoint=("/usr/bin/gnuplot",),
    ),
    Program(
        "sox",
        packages=("sox", "libsox-fmt-all"),
        entrypoint=("/usr/bin/sox",),
        named=("/bin/sh", "/usr/bin/grep", "/usr/bin/soxi"),
        because="checks are written in sh, and look at what was made",
    ),
    Program(
        "gstreamer",
        packages=(
            *("gstreamer1.0-tools", "gstreamer1.0-plugins-base", "gstreamer1.0-plugins-good"),
            *("gstreamer1.0-x", "fonts-dejavu-core"),
        ),
        entrypoint=("/usr/bin/gst-launch-1.0",),
        named=("/bin/sh", "/usr/bin/gst-inspect-1.0", "/usr/bin/grep", "/usr/bin/head"),
        because="checks are written in sh; who lists what there is",
    ),
    Program(
        "gdal",
        packages=("gdal-bin",),
        entrypoint=("/usr/bin/ogr2ogr",),
        named=(
            *("/bin/sh", "/usr/bin/gdaltransform", "/usr/bin/gdal_translate", "/usr/bin/gdalwarp"),
            *("/usr/bin/gdalinfo", "/usr/bin/ogrinfo", "/usr/bin/gdalsrsinfo", "/usr/bin/grep"),
            *("/app/places.csv", "/app/places.geojson"),
        ),
        because="checks are written in sh; the other programs of the package; maps to convert",
    ),
    Program(
        "gpg",
        packages=("gnupg",),
        entrypoint=("/usr/bin/gpg",),
        named=("/bin/sh", "/usr/bin/gpgsm", "/usr/bin/gpgconf", "/usr/bin/awk"),
        because="checks are written in sh; the same for X.509",
    ),
    Program(
        "nmap",
        packages=("nmap", "ca-certificates"),
        entrypoint=("/usr/bin/nmap",),
        trusts_authority=True,
    ),
    Program(
        "vim",
        packages=("vim",),
        entrypoint=("/usr/bin/vim",),
        environment={"TERM": "xterm-256color", "LANG": "C.UTF-8"},
    ),
)

TUNED: Mapping[str, Program] = {program.name: program for program in _TUNED}
"""Those that the rules were made for."""

UNSEEN: Mapping[str, Program] = {program.name: program for program in _UNSEEN}
"""Those that the rules had not seen when they were first measured; see docs/recall.md."""

PROGRAMS: Mapping[str, Program] = {**TUNED, **UNSEEN}
