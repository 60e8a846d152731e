"""What the C library opens by itself when certain functions are called (rules 5 to 9, 18).

The evidence is the symbols that a program or library imports. A static program imports none; there
the strings that the functions leave in it are the evidence, in Go programs as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from minify.closure import Context, Finding, Grade, Need, Reason
from minify.elf.elffile import ElfError, ElfFile
from minify.filetree import Entry
from minify.filetree.path import decoded, parent


@dataclass(frozen=True, slots=True)
class _Rule:
    """Functions (or, in a static program, strings) and what they make the C library open."""

    name: str
    symbols: frozenset[str]
    strings: tuple[bytes, ...]
    paths: tuple[str, ...]
    trees: tuple[str, ...] = ()


_RULES = (
    _Rule(
        "libc.nss",
        frozenset(
            """
            getaddrinfo getnameinfo gethostbyname gethostbyname2 gethostbyaddr gethostbyname_r
            gethostbyname2_r gethostbyaddr_r getservbyname getservbyport getservbyname_r
            getservbyport_r getprotobyname getprotobynumber getprotobyname_r getpwnam getpwuid
            getpwnam_r getpwuid_r getpwent getgrnam getgrgid getgrnam_r getgrgid_r getgrent
            getgrouplist initgroups getspnam getnetbyname
            """.split()
        ),
        (b"/etc/nsswitch.conf", b"nsswitch.conf", b"/etc/hosts"),
        (
            "/etc/nsswitch.conf",
            "/etc/services",
            "/etc/protocols",
            "/etc/host.conf",
            "/etc/gai.conf",
        ),
    ),
    _Rule(
        "libc.libgcc",
        frozenset("pthread_create pthread_exit pthread_cancel backtrace thrd_create".split()),
        (),
        (),
    ),
    _Rule(
        "libc.locale",
        frozenset("setlocale newlocale uselocale".split()),
        (b"/usr/lib/locale/locale-archive",),
        ("/usr/share/locale/locale.alias", "/etc/locale.alias"),
        ("/usr/lib/locale",),
    ),
    _Rule(
        "libc.shell",
        frozenset("system popen wordexp".split()),
        (b"/bin/sh",),
        ("/bin/sh",),
    ),
    _Rule(
        "libc.timezone",
        frozenset(
            """
            localtime localtime_r tzset mktime strftime wcsftime timelocal __localtime64
            __localtime64_r __mktime64
            """.split()
        ),
        (b"/usr/share/zoneinfo", b"/etc/localtime"),
        ("/etc/localtime", "/etc/timezone"),
    ),
)

_ICONV = frozenset(("iconv_open",))
_WIDE = frozenset("mbstowcs mbsrtowcs mbrtowc mbtowc wcstombs wcrtomb btowc nl_langinfo".split())
_ZONEINFO = "/usr/share/zoneinfo"
# Copies of all zones in other time scales: 5 of 8 MB.
_OTHER_TIME_SCALES = frozenset(("right", "posix"))
_MOST_SERVICES = 64
_NSS_ALWAYS = ("files", "dns", "compat")
_LARGEST_TEXT = 1 << 16
_GCONV_EVIDENCE = b"gconv-modules"
_GLIBC_NSS = b"libnss_"
_SHELL = b"/bin/sh\0"


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:  # noqa: ARG001
    try:
        elf = context.elf(entry)
    except ElfError:
        return  # said by elf_needed
    if elf is None:
        return
    if elf.is_dynamic and elf.needed:
        yield from _by_imports(entry, elf, context)
    elif elf.interpreter is None and entry.is_executable:
        yield from _by_strings(entry, context)


def _by_imports(entry: Entry, elf: ElfFile, context: Context) -> Iterator[Finding]:
    directories = _libc_directories(entry, context)
    for rule in _RULES:
        called = sorted(elf.imports & rule.symbols)
        if called:
            reason = Reason(rule.name, entry.path, f"calls {', '.join(called[:3])}")
            yield from _needs(rule, reason, directories, context)
    if entry.path in context.programs and _strings_in(entry, context, (_SHELL,)):
        reason = Reason("libc.shell", entry.path, "contains /bin/sh")
        yield from (Need(path, reason) for path in context.existing(("/bin/sh",)))
    if iconv := sorted(elf.imports & (_ICONV | _WIDE)):
        reason = Reason("libc.gconv", entry.path, f"calls {', '.join(iconv[:3])}")
        whole = "iconv_open" in elf.imports and context.is_first_party(entry.path)
        yield from _gconv(reason, directories, context, whole=whole)


def _by_strings(entry: Entry, context: Context) -> Iterator[Finding]:
    wanted = (_GCONV_EVIDENCE, _GLIBC_NSS, *(text for rule in _RULES for text in rule.strings))
    found = _strings_in(entry, context, wanted)
    # Go reads the same files, and loads nothing.
    libraries = _default_directories(context)
    directories = libraries if _GLIBC_NSS in found else ()
    for rule in _RULES:
        if evidence := [text for text in rule.strings if text in found]:
            reason = Reason(rule.name, entry.path, f"contains {decoded(evidence[0])}")
            yield from _needs(rule, reason, directories, context)
    if _GCONV_EVIDENCE in found:
        reason = Reason("libc.gconv", entry.path, "is static and contains gconv-modules")
        yield from _gconv(reason, libraries, context, whole=True)
        # A gconv module is a library like any other: static glibc loads the dynamic one for it.
        yield from _in_directories("libc.so.6", reason, libraries, context)


def _needs(
    rule: _Rule, reason: Reason, directories: Iterable[str], context: Context
) -> Iterator[Finding]:
    yield from (Need(path, reason) for path in context.existing(rule.paths))
    yield from (Need(path, reason, whole_tree=True) for path in context.existing(rule.trees))
    if rule.name == "libc.nss":
        for service in _nss_services(context):
            yield from _in_directories(f"libnss_{service}.so.2", reason, directories, context)
    elif rule.name == "libc.libgcc":
        yield from _in_directories("libgcc_s.so.1", reason, directories, context)
    elif rule.name == "libc.timezone":
        zoneinfo = context.tree.directory(_ZONEINFO)
        for name in context.tree.children(zoneinfo.path) if zoneinfo else ():
            if name not in _OTHER_TIME_SCALES:
                yield Need(f"{_ZONEINFO}/{name}", reason, whole_tree=True)


def _nss_services(context: Context) -> tuple[str, ...]:
    """The services that nsswitch.conf names, and those that glibc falls back to."""
    entry = context.tree.file("/etc/nsswitch.conf")
    text = decoded(context.tree.read(entry, _LARGEST_TEXT)) if entry else ""
    lines = (line.partition("#")[0].partition(":")[2] for line in text.splitlines())
    # Actions as [NOTFOUND=return] look like no service's name.
    named = {word for line in lines for word in line.split() if word.isalnum()}
    return tuple(sorted(named | set(_NSS_ALWAYS)))[:_MOST_SERVICES]


def _gconv(
    reason: Reason, directories: Iterable[str], context: Context, *, whole: bool
) -> Iterator[Finding]:
    for directory in directories:
        gconv = f"{directory}/gconv"
        if context.tree.directory(gconv) is None:
            continue
        if whole:
            yield Need(gconv, reason, whole_tree=True)
            continue
        cache_only = (f"{gconv}/gconv-modules.cache",)
        yield from (Need(path, reason) for path in context.existing(cache_only))


def _in_directories(
    name: str, reason: Reason, directories: Iterable[str], context: Context
) -> Iterator[Finding]:
    found = context.existing(f"{directory}/{name}" for directory in directories)
    path = next(found, None)
    if path is not None:
        yield Need(path, Reason(reason.rule, reason.by, f"{reason.detail}, which opens {name}"))


def _libc_directories(entry: Entry, context: Context) -> tuple[str, ...]:
    """The directory of the C library that `entry` runs with, then the usual ones."""
    loaded = context.link_map(entry).objects
    libc = (item.resolution.entry for item in loaded if item.name.startswith("libc.so."))
    own = [parent(found.path) for found in libc if found is not None]
    return tuple(dict.fromkeys((*own, *_default_directories(context))))


def _default_directories(context: Context) -> tuple[str, ...]:
    """The library directories that the image has, multiarch ones first."""
    usr_lib = context.tree.directory("/usr/lib")
    names = context.tree.children(usr_lib.path) if usr_lib else ()
    multiarch = (f"/usr/lib/{name}" for name in names if "-linux-" in name)
    return (*multiarch, "/usr/lib64", "/lib64", "/usr/lib", "/lib")


def _strings_in(entry: Entry, context: Context, wanted: tuple[bytes, ...]) -> frozenset[bytes]:
    """Which of `wanted` the file contains."""
    longest = max(map(len, wanted))
    found: set[bytes] = set()
    tail = b""
    for chunk in context.tree.chunks(entry):
        window = tail + chunk
        found.update(text for text in wanted if text in window)
        tail = window[-longest:]
    return frozenset(found)
