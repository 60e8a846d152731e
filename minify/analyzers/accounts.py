"""Accounts that configuration or a program names: nginx's `user www-data;` and its like.

The program looks the name up in passwd when it starts, whoever it runs as.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from minify.analyzers.directives import configuration_text, directives
from minify.closure import EVERYBODY, Context, Finding, Grade, Need, Reason, RunsAs, places
from minify.closure.application import application
from minify.elf.elffile import ElfError, ElfFile
from minify.filetree import Entry
from minify.filetree.path import basename, decoded

PASSWD, GROUP = "/etc/passwd", "/etc/group"
_LARGEST_TEXT = 1 << 20
_MOST_DIRECTIVES = 20_000
_LARGEST_PROGRAM = 64 << 20
_LOOK_UPS = frozenset("getpwnam getpwnam_r getgrnam getgrnam_r".split())
_BECOMES = frozenset(
    "initgroups setegid seteuid setgid setgroups setresuid setreuid setuid".split()
)
# Every distribution has them, and any program has their names as words of its own; who becomes one
# of them is told so by configuration (httpd's `User daemon`).
_WORDS = frozenset(
    b"backup bin daemon files games list lp man news operator sync sys users uucp".split()
)
_PAM = "libpam.so"
_FIRST_PERSON = 1000
_NO_SHELLS = frozenset(("false", "nologin", "sync", "true"))
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
# Folded. The value of each is an account or a group, in any dialect.
_DIRECTIVES = frozenset(
    """
    -u agentgroup agentuser cacheeffectivegroup cacheeffectiveuser gid group listengroup listenowner
    mailowner privdroptogroup privdroptouser servergroupname serverusername setgid setgidgroup
    setuid uid user username
    """.split()
)
_ENDINGS = ("rungroup", "runuser")


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:  # noqa: ARG001
    if entry.path in context.programs:
        yield from _in_program(entry, context)
    else:
        yield from _in_configuration(entry, context)


def _in_configuration(entry: Entry, context: Context) -> Iterator[Finding]:
    for found in islice(directives(configuration_text(entry, context)), _MOST_DIRECTIVES):
        if found.name not in _DIRECTIVES and not found.name.endswith(_ENDINGS):
            continue
        account = found.words[0].partition(":")[0] if found.words else ""
        if _NAME.fullmatch(account):
            detail = f"says {found.shown!r}"
            yield RunsAs(account, Reason("config-file.account", entry.path, detail))


def _in_program(entry: Entry, context: Context) -> Iterator[Finding]:
    try:
        elf = context.elf(entry)
    except ElfError:
        return
    if elf is not None:
        yield from _looked_up(entry, elf, context)
        yield from _by_pam(entry, elf, context)


def _looked_up(entry: Entry, elf: ElfFile, context: Context) -> Iterator[Finding]:
    """Accounts whose names are strings of a program that looks accounts up: dnsmasq's `nobody`."""
    if not elf.imports & _LOOK_UPS or entry.size > _LARGEST_PROGRAM:
        return
    names = {name for path in (PASSWD, GROUP) for name in _names(path, context)} - _WORDS
    for name in sorted(_strings_among(names, b"\0%b\0" % context.tree.read(entry))):
        detail = f"contains {decoded(name)!r} and looks accounts up"
        yield RunsAs(decoded(name), Reason("elf.account", entry.path, detail))


def _names(path: str, context: Context) -> Iterator[bytes]:
    file = context.tree.file(path)
    lines = context.tree.read(file, _LARGEST_TEXT).split(b"\n") if file else ()
    for name in (line.partition(b":")[0] for line in lines):
        if name and b"\0" not in name:
            yield name


def _strings_among(names: Iterable[bytes], data: bytes) -> set[bytes]:
    """Those of `names` that stand between two NULs: one pass, however many there are."""
    wanted = set(names)
    firsts = b"".join(re.escape(bytes([first])) for first in sorted({name[0] for name in wanted}))
    if not firsts:
        return set()
    pattern = re.compile(rb"\0([%b][^\0:\n]{0,255}+)(?=\0)" % firsts)
    return {match[1] for match in pattern.finditer(data) if match[1] in wanted}


def _by_pam(entry: Entry, elf: ElfFile, context: Context) -> Iterator[Finding]:
    """Everybody, for a program that asks for passwords and can become the one who knows one.

    postgres links PAM too and needs no root for it, so this does not say that root is needed.
    """
    if not elf.imports & _BECOMES:
        return
    objects = context.link_map(entry).objects
    if any(loaded.name.rpartition("/")[2].startswith(_PAM) for loaded in objects):
        detail = "authenticates with PAM and can become another user"
        yield RunsAs(EVERYBODY, Reason("elf.pam", entry.path, detail))
        yield from login_shells(entry.path, context)


def login_homes(by: str, context: Context) -> Iterator[Finding]:
    """The homes of those who can log in, and of who does so without a name: vsftpd's `ftp`."""
    entry = context.tree.file(by)
    found = _in_program(entry, context) if entry else ()
    named = {one.account for one in found if isinstance(one, RunsAs)} - {EVERYBODY}
    for fields in _accounts(context):
        home = (
            context.tree.directory(fields[5]) if _is_person(fields) or fields[0] in named else None
        )
        if home is None or places.is_distributions(home.path, context.tree):
            continue
        if context.is_first_party(home.path):
            yield from application(
                home.path, Reason("account.home", by, f"the home of {fields[0]}")
            )


def login_shells(by: str, context: Context) -> Iterator[Finding]:
    """The shells of those who can log in: root, and the accounts that people have.

    A daemon's account seldom has one that is meant; who has none is refused by sshd and su.
    """
    for fields in _accounts(context):
        may_log_in = _is_person(fields) or fields[2] == "0"
        shell = context.executable(fields[6]) if may_log_in else None
        if shell is not None:
            # sshd asks whether it is there even of who may only fetch files.
            is_shell = basename(shell.entry.path) not in _NO_SHELLS
            reason = Reason("account.shell", by, f"the login shell of {fields[0]}")
            yield Need(shell.path, reason, Grade.HARD if is_shell else Grade.SOFT)


def _accounts(context: Context) -> Iterator[list[str]]:
    """The seven fields of each account."""
    file = context.tree.file(PASSWD)
    lines = decoded(context.tree.read(file, _LARGEST_TEXT)).split("\n") if file else ()
    yield from (fields for fields in (line.split(":") for line in lines) if len(fields) > 6)


def _is_person(fields: list[str]) -> bool:
    number = fields[2]
    return number.isascii() and number.isdigit() and int(number[:10]) >= _FIRST_PERSON
