"""The lines of passwd, group and their shadows: exactly the accounts that are needed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from minify.closure import EVERYBODY, RunsAs
from minify.filetree import Entry
from minify.identity.accounts import GROUP, GSHADOW, PASSWD, SHADOW, Account, Accounts, Group
from minify.identity.users import User

_Lines = tuple[str, ...] | None
_IN_SHADOW = re.compile(r"^([^:\n]++):x:")


@dataclass(frozen=True, slots=True)
class AccountFiles:
    """The lines of the four files; None to leave one as it is, or out if it is a shadow."""

    passwd: _Lines
    group: _Lines
    shadow: _Lines = None
    gshadow: _Lines = None


def account_files(
    user: User,
    runs_as: Iterable[RunsAs],
    entries: Iterable[Entry],
    accounts: Accounts,
    *,
    keep_shadow: bool,
) -> AccountFiles:
    """The accounts of `user`, of the owners of `entries`, and of those that findings name.

    All lines stay for root, who may become anybody, and where anybody may log in; what is new
    comes after them.
    """
    named = {finding.account for finding in runs_as}
    if user.uid == 0 or EVERYBODY in named:
        passwd, group = _all_lines(user, accounts)
        shadows = (accounts.lines.get(path) for path in (SHADOW, GSHADOW))
        return AccountFiles(passwd, group, *(shadows if keep_shadow else ()))
    needed = _Needed(user, accounts)
    needed.add_owners(entries)
    for name in sorted(named):
        needed.add_named(name)
    return needed.files(keep_shadow=keep_shadow)


def for_pam(files: AccountFiles, accounts: Accounts) -> AccountFiles:
    """`files` where PAM asks about accounts, and shadow is left out.

    A passwd that sends it there would have everybody refused, cron's jobs and logins by key too.
    """
    lines = files.passwd if files.passwd is not None else accounts.lines.get(PASSWD)
    if lines is None or files.shadow is not None or SHADOW not in accounts.lines:
        return files
    plain = tuple(_IN_SHADOW.sub(r"\1:*:", line) for line in lines)
    return replace(files, passwd=plain) if plain != lines else files


def _all_lines(user: User, accounts: Accounts) -> tuple[_Lines, _Lines]:
    """What is there with what is new; None where nothing is."""
    is_new = user.account is not None and accounts.account(user.account.name) is None
    account = (user.account.line,) if user.account and is_new else ()
    groups = tuple(group.line for group in user.groups if accounts.group(group.name) is None)
    return (
        (*accounts.lines.get(PASSWD, ()), *account) if account else None,
        (*accounts.lines.get(GROUP, ()), *groups) if groups else None,
    )


class _Needed:
    """Collects accounts and groups, each once, under its name."""

    def __init__(self, user: User, accounts: Accounts) -> None:
        self._all = accounts
        self._user = user
        self._accounts: dict[str, Account] = {}
        self._groups: dict[str, Group] = {group.name: group for group in user.groups}
        self._add(user.account)

    def add_owners(self, entries: Iterable[Entry]) -> None:
        owners = {(entry.uid, entry.gid) for entry in entries}
        known = {account.uid for account in self._accounts.values()}
        for uid in {uid for uid, _ in owners} - known:
            self._add(self._all.named(uid))
        known = {group.gid for group in self._groups.values()}
        for gid in {gid for _, gid in owners} - known:
            self._add_group(self._all.named_group(gid))

    def add_named(self, written: str) -> None:
        """The account that a finding names, and the group called the same or beside it."""
        who, _, group = written.partition(":")
        self._add(self._all.account(who))
        self._add_group(self._all.group(group or who))

    def _add(self, account: Account | None) -> None:
        if account is not None:
            self._accounts[account.name] = account
            self._add_group(self._all.named_group(account.gid))

    def _add_group(self, group: Group | None) -> None:
        if group is not None:
            self._groups.setdefault(group.name, group)

    def files(self, *, keep_shadow: bool) -> AccountFiles:
        # Of several accounts with one number, runtimes take the first.
        own = self._user.name
        by_uid = sorted(self._accounts.values(), key=lambda a: (a.uid, a.name != own, a.name))
        by_gid = sorted(self._groups.values(), key=lambda g: (g.gid, g.name))
        files = AccountFiles(
            self._unless_nothing(PASSWD, (account.line for account in by_uid)),
            self._unless_nothing(GROUP, (group.line for group in by_gid)),
        )
        if not keep_shadow:
            return files
        shadow = self._shadow(SHADOW, self._accounts.keys())
        gshadow = self._shadow(GSHADOW, self._groups.keys())
        return AccountFiles(files.passwd, files.group, shadow, gshadow)

    def _unless_nothing(self, path: str, lines: Iterator[str]) -> _Lines:
        """An image that has no such file gets none without need."""
        found = tuple(lines)
        return found if found or path in self._all.lines else None

    def _shadow(self, path: str, names: Iterable[str]) -> _Lines:
        lines, kept = self._all.lines.get(path), set(names)
        if lines is None:
            return None
        return tuple(line for line in lines if line.partition(":")[0] in kept)
