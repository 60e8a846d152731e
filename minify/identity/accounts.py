"""The accounts of an image: /etc/passwd, /etc/group and their shadows.

https://man7.org/linux/man-pages/man5/passwd.5.html, https://man7.org/linux/man-pages/man5/group.5.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from minify.errors import ImageError
from minify.filetree import FileTree
from minify.filetree.path import decoded

PASSWD = "/etc/passwd"  # noqa: S105 (a path)
GROUP = "/etc/group"
SHADOW = "/etc/shadow"
GSHADOW = "/etc/gshadow"
_LARGEST = 8 << 20


@dataclass(frozen=True, slots=True)
class Account:
    """One line of passwd."""

    name: str
    uid: int
    gid: int
    line: str
    """As the file has it, without the newline."""

    @property
    def home(self) -> str:
        """The home directory; `/` where the line does not say, as engines have it."""
        return "".join(self.line.split(":")[5:6]) or "/"


@dataclass(frozen=True, slots=True)
class Group:
    """One line of group."""

    name: str
    gid: int
    members: tuple[str, ...]
    line: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """All accounts and groups, in the order of their files."""

    accounts: tuple[Account, ...]
    groups: tuple[Group, ...]
    lines: Mapping[str, tuple[str, ...]]
    """All lines of each of the four files that the image has, as they are, by its path."""
    _by_name: Mapping[str, Account]
    _by_uid: Mapping[int, Account]
    _group_by_name: Mapping[str, Group]
    _by_gid: Mapping[int, Group]

    @classmethod
    def of(cls, tree: FileTree) -> Accounts:
        """The accounts in `tree`; lines that the C library would skip are skipped."""
        files = {path: _lines(tree, path) for path in (PASSWD, GROUP, SHADOW, GSHADOW)}
        lines = {path: found for path, found in files.items() if found is not None}
        accounts = tuple(filter(None, map(_account, lines.get(PASSWD, ()))))
        groups = tuple(filter(None, map(_group, lines.get(GROUP, ()))))
        # Of several lines with one name or number the first counts.
        return cls(
            accounts,
            groups,
            lines,
            {account.name: account for account in reversed(accounts)},
            {account.uid: account for account in reversed(accounts)},
            {group.name: group for group in reversed(groups)},
            {group.gid: group for group in reversed(groups)},
        )

    def account(self, name_or_uid: str) -> Account | None:
        """The account of that name, else of that number, as `USER` is looked up."""
        number = _number(name_or_uid)
        by_uid = self._by_uid.get(number) if number is not None else None
        return self._by_name.get(name_or_uid) or by_uid

    def named(self, uid: int) -> Account | None:
        """The account of that number."""
        return self._by_uid.get(uid)

    def group(self, name_or_gid: str) -> Group | None:
        """The group of that name, else of that number."""
        number = _number(name_or_gid)
        by_gid = self._by_gid.get(number) if number is not None else None
        return self._group_by_name.get(name_or_gid) or by_gid

    def named_group(self, gid: int) -> Group | None:
        """The group of that number."""
        return self._by_gid.get(gid)

    def groups_of(self, account: Account) -> tuple[Group, ...]:
        """The primary group and those that list the account as a member."""
        return tuple(g for g in self.groups if g.gid == account.gid or account.name in g.members)

    def with_password(self) -> tuple[str, ...]:
        """The names of those who can log in by a password; in shadow(5) `!` and `*` begin none."""
        shadow = (line.split(":") for line in self.lines.get(SHADOW, ()))
        found = (fields[0] for fields in shadow if len(fields) > 1 and fields[1][:1] not in "!*")
        return tuple(name for name in found if name in self._by_name)


def _lines(tree: FileTree, path: str) -> tuple[str, ...] | None:
    entry = tree.file(path)
    if entry is None:
        return None
    if entry.size > _LARGEST:
        raise ImageError(f"{path} has {entry.size:,} bytes; at most {_LARGEST:,} are read")
    text = decoded(tree.read(entry)).removesuffix("\n")
    return tuple(text.split("\n")) if text else ()


def _number(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= 10
    return int(text) if is_number and int(text) < 2**32 - 1 else None


def _account(line: str) -> Account | None:
    fields = line.split(":")
    # Engines read a line with fewer fields than seven as far as it goes.
    if len(fields) < 4 or not fields[0] or line.startswith("#"):
        return None
    uid, gid = _number(fields[2]), _number(fields[3])
    return None if uid is None or gid is None else Account(fields[0], uid, gid, line)


def _group(line: str) -> Group | None:
    fields = line.split(":")
    if len(fields) < 3 or not fields[0] or line.startswith("#"):
        return None
    gid = _number(fields[2])
    members = tuple(filter(None, "".join(fields[3:4]).split(",")))
    return None if gid is None else Group(fields[0], gid, members, line)
