"""What small configuration files and the environment name: modules, locales, zones.

Each function gives patterns for a row of the table. The files are read as their libraries read
them, as far as that names files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from minify.analyzers.opened.texts import lines_of
from minify.closure import Context
from minify.closure.commandline import called
from minify.closure.patterns import glob
from minify.filetree import Entry

_MOST = 64
_MOST_FILES = 500
_NO_SHELLS = frozenset(("nologin", "false", "sync", "true"))
_PLAIN = re.compile(r"[\w.@+-]{1,64}")
_VALUE = re.compile(r"\s*+(\w+)\s*+=\s*+(\S.*)")


def name_services(entry: Entry, context: Context) -> Iterator[str]:  # noqa: ARG001
    """The modules of the services that nsswitch.conf names.

    https://man7.org/linux/man-pages/man5/nsswitch.conf.5.html
    """
    lines = (line.partition(":")[2] for line in lines_of("/etc/nsswitch.conf", context))
    # Actions as [NOTFOUND=return] look like no service's name.
    named = {word for line in lines for word in line.split() if word.isalnum()}
    yield from (f"@/libnss_{service}.so.2" for service in sorted(named)[:_MOST])


def locales(entry: Entry, context: Context) -> Iterator[str]:  # noqa: ARG001
    """The locales that ENV names, as directories, and the archive that has the others."""
    for value in _locale_names(context):
        language, _, charset = value.partition(".")
        folded = re.sub(r"[^a-z0-9]", "", charset.lower())
        for name in (value, f"{language}.{folded}" if charset else f"{language}.*"):
            yield f"/usr/lib/locale/{name}/"
        yield "/usr/lib/locale/locale-archive"


def message_catalogues(entry: Entry, context: Context) -> Iterator[str]:  # noqa: ARG001
    """The message catalogues of the languages that ENV names."""
    for value in _locale_names(context):
        full = value.partition(".")[0].partition("@")[0]
        for name in dict.fromkeys((full, full.partition("_")[0])):
            if name not in ("C", "POSIX", "en"):
                yield f"/usr/share/locale/{name}/LC_MESSAGES/"


def _locale_names(context: Context) -> Iterable[str]:
    env = context.config.env
    variables = ("LC_ALL", "LANG", *(name for name in sorted(env) if name.startswith("LC_")))
    values = [env[name] for name in variables if name in env]
    values += env.get("LANGUAGE", "").split(":")
    return dict.fromkeys(value for value in values[:_MOST] if _PLAIN.fullmatch(value))


def time_zone(entry: Entry, context: Context) -> Iterator[str]:  # noqa: ARG001
    """The zone that TZ in ENV names."""
    zone = context.config.env.get("TZ", "").removeprefix(":")
    if re.fullmatch(r"[\w+/-]{1,64}", zone):
        yield f"/usr/share/zoneinfo/{zone}"


def terminals(entry: Entry, context: Context) -> Iterator[str]:  # noqa: ARG001
    """The terminal that TERM in ENV names."""
    name = context.config.env.get("TERM", "")
    if _PLAIN.fullmatch(name):
        for place in ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"):
            yield f"{place}/{name[0]}/{name}"
            yield f"{place}/{ord(name[0]):x}/{name}"


def pam_services(entry: Entry, context: Context) -> Iterator[str]:  # noqa: ARG001
    """The services' files of the application, what they include, and their modules.

    https://man7.org/linux/man-pages/man5/pam.conf.5.html
    """
    waiting = [path for path in glob(context.tree, "/etc/pam.d/*") if _is_service(path, context)]
    seen: dict[str, None] = {}
    modules: dict[str, None] = {}
    while waiting and len(seen) < _MOST_FILES:
        path = waiting.pop()
        if path in seen:
            continue
        seen[path] = None
        for line in lines_of(path, context):
            words = line.replace("[", " [").split()
            if words[0] == "@include" and len(words) > 1:
                waiting.append(f"/etc/pam.d/{words[1]}")
            for word in words[1:]:
                if word.endswith(".so"):
                    modules[word if word.startswith("/") else f"@/security/{word}"] = None
            if words[1:2] and words[1] in ("include", "substack") and len(words) > 2:
                waiting.append(f"/etc/pam.d/{words[2]}")
    yield from (*seen, *modules)


def _is_service(path: str, context: Context) -> bool:
    found = context.tree.file(path)
    names = {called(program) for program in context.programs} | {"other", "login"}
    return found is not None and (called(path) in names or context.is_first_party(found.path))


def logins(entry: Entry, context: Context) -> Iterator[str]:  # noqa: ARG001
    """The shells of those who can log in, and the homes of people.

    https://man7.org/linux/man-pages/man5/passwd.5.html
    """
    accounts = (line.split(":") for line in lines_of("/etc/passwd", context))
    can_log_in = [a for a in accounts if len(a) > 6 and called(a[6]) not in _NO_SHELLS]
    yield from dict.fromkeys(account[6] or "/bin/sh" for account in can_log_in[:_MOST_FILES])
    for account in can_log_in[:_MOST_FILES]:
        if account[5].startswith(("/home/", "/root")):
            yield f"{account[5].rstrip('/')}/"


def openssl_modules(entry: Entry, context: Context) -> Iterator[str]:  # noqa: ARG001
    """Providers and engines that openssl.cnf names, by a path or by their section's name.

    https://docs.openssl.org/3.0/man5/config/
    """
    for path in ("/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/usr/local/ssl/openssl.cnf"):
        for line in lines_of(path, context):
            found = _VALUE.fullmatch(line)
            key, value = found.groups() if found else ("", "")
            if key in ("module", "dynamic_path", "SO_PATH") and not re.search(r"[*?\[$]", value):
                yield value if value.startswith("/") else f"@/ossl-modules/{value}"
            elif _PLAIN.fullmatch(value) and key not in ("default", "activate"):
                yield f"@/ossl-modules/{key}.so"
                yield from (f"@/engines-{number}/{key}.so" for number in ("3", "1.1"))


def p11_modules(entry: Entry, context: Context) -> Iterator[str]:  # noqa: ARG001
    """PKCS#11 modules that p11-kit's files name.

    https://p11-glue.github.io/p11-glue/p11-kit/manual/pkcs11-conf.html
    """
    for pattern in ("/usr/share/p11-kit/modules/*.module", "/etc/pkcs11/modules/*.module"):
        for path in glob(context.tree, pattern):
            yield path
            for line in lines_of(path, context):
                key, _, value = line.partition(":")
                if key.strip() == "module":
                    name = value.strip()
                    yield name if name.startswith("/") else f"@/pkcs11/{name}"


def quoted_paths(entry: Entry, context: Context) -> Iterator[str]:  # noqa: ARG001
    """The modules that a cache of gdk-pixbuf or GTK names, in quotes."""
    caches = (
        "/usr/lib/*/gdk-pixbuf-2.0/*/loaders.cache",
        "/usr/lib/gdk-pixbuf-2.0/*/loaders.cache",
    )
    for pattern in caches:
        for path in glob(context.tree, pattern):
            for line in lines_of(path, context):
                found = re.fullmatch(r'"(/[^"*?\[]{1,400})"', line)
                if found:
                    yield found[1]


def odbc_drivers(entry: Entry, context: Context) -> Iterator[str]:  # noqa: ARG001
    """The drivers that odbcinst.ini names."""
    for line in lines_of("/etc/odbcinst.ini", context):
        found = _VALUE.fullmatch(line)
        if found and found[1].lower() in ("driver", "driver64", "setup"):
            value = found[2].strip()
            yield value if value.startswith("/") else f"@/odbc/{called(value)}"


def vendor_libraries(entry: Entry, context: Context) -> Iterator[str]:  # noqa: ARG001
    """The drivers that files of OpenCL's loader name, one a file."""
    for path in glob(context.tree, "/etc/OpenCL/vendors/*.icd"):
        for line in lines_of(path, context):
            yield line if line.startswith("/") else f"@/{called(line)}"
