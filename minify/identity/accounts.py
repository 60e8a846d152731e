"""The accounts of an image: /etc/passwd and /etc/group.

https://man7.org/linux/man-pages/man5/passwd.5.html, https://man7.org/linux/man-pages/man5/group.5.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from minify.errors import ImageError
from minify.filetree import FileTree
from minify.filetree.path import decoded

PASSWD = "/etc/passwd"  # noqa: S105 (a path)
GROUP = "/etc/group"
_LARGEST = 8 << 20


@dataclass(frozen=True, slots=True)
class Account:
    """One line of passwd."""

    name: str
    uid: int
    gid: int
    line: str
    """As the file has it, without the newline."""


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

    @classmethod
    def of(cls, tree: FileTree) -> Accounts:
        """The accounts in `tree`; lines that the C library would skip are skipped."""
        accounts = filter(None, map(_account, _lines(tree, PASSWD)))
        groups = filter(None, map(_group, _lines(tree, GROUP)))
        return cls(tuple(accounts), tuple(groups))

    def account(self, name_or_uid: str) -> Account | None:
        """The account of that name, else of that number, as `USER` is looked up."""
        by_name = (account for account in self.accounts if account.name == name_or_uid)
        number = _number(name_or_uid)
        by_uid = (account for account in self.accounts if account.uid == number)
        return next(by_name, None) or next(by_uid, None)

    def group(self, name_or_gid: str) -> Group | None:
        """The group of that name, else of that number."""
        by_name = (group for group in self.groups if group.name == name_or_gid)
        number = _number(name_or_gid)
        by_gid = (group for group in self.groups if group.gid == number)
        return next(by_name, None) or next(by_gid, None)

    def groups_of(self, account: Account) -> tuple[Group, ...]:
        """The primary group and those that list the account as a member."""
        return tuple(g for g in self.groups if g.gid == account.gid or account.name in g.members)


def _lines(tree: FileTree, path: str) -> Iterator[str]:
    entry = tree.file(path)
    if entry is None:
        return
    if entry.size > _LARGEST:
        raise ImageError(f"{path} has {entry.size:,} bytes; at most {_LARGEST:,} are read")
    yield from decoded(tree.read(entry)).split("\n")


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
