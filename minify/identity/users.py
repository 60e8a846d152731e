"""A user as a runtime sees it: what `USER name:group` means by the image's account files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

from minify.errors import ClosureError, UsageError, option
from minify.identity.access import Credentials
from minify.identity.accounts import Account, Accounts, Group

APPUSER = "appuser"
APPUSER_ID = 10001


@dataclass(frozen=True, slots=True)
class User:
    """What a `USER` value means to a runtime."""

    uid: int
    gid: int
    account: Account | None
    groups: tuple[Group, ...]
    """Those that have a line, the primary one and the supplementary ones."""
    has_group: bool = False
    """Whether the group is named beside the user; then there are no supplementary ones."""

    @property
    def name(self) -> str:
        """The name of the account; empty for a number without one."""
        return self.account.name if self.account else ""

    @property
    def shown(self) -> str:
        """A name, or a number where there is none."""
        return self.name or str(self.uid)

    @property
    def written(self) -> str:
        """The value of USER: the number alone keeps the account's supplementary groups."""
        return f"{self.uid}:{self.gid}" if self.has_group else f"{self.uid}"

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.uid, frozenset((self.gid, *(group.gid for group in self.groups))))

    def in_group_0(self, accounts: Accounts) -> User:
        """The same user with group 0 and no other, whatever passwd says of it."""
        known = (accounts.named_group(0), *self.groups)
        group = next((group for group in known if group is not None and group.gid == 0), None)
        # Without an account, or with one in group 0, the number alone means that group.
        has_group = self.account is not None and self.account.gid != 0
        groups = (group,) if group is not None else ()
        return replace(self, gid=0, groups=groups, has_group=has_group)


def user_of(written: str, accounts: Accounts) -> User | str:
    """The user that `name[:group]` or `uid[:gid]` means; a text says which file lacks what."""
    who, _, group_text = written.partition(":")
    account = accounts.account(who or "0")
    if account is None and who and not _is_id(who):
        return f"/etc/passwd of the image has no {who!r}"
    uid = account.uid if account else int(who or 0)
    if not group_text:
        groups = accounts.groups_of(account) if account else ()
        return User(uid, account.gid if account else 0, account, groups)
    group = accounts.group(group_text)
    if group is None and not _is_id(group_text):
        return f"/etc/group of the image has no {group_text!r}"
    gid = group.gid if group else int(group_text)
    return User(uid, gid, account, (group,) if group else (), has_group=True)


def own_user(written: str, accounts: Accounts) -> User:
    """The user of the source's USER; ClosureError if the image has no such account."""
    user = user_of(written, accounts)
    if isinstance(user, str):
        raise ClosureError(
            f"USER {written}: {user}, so no engine can start it; name a user with --user"
        )
    return user


def requested_user(written: str, accounts: Accounts) -> User:
    """The user that `--user` names; UsageError if the image has no such account."""
    asked = option("--user", written)
    if not written or written.startswith(":"):
        raise UsageError(f"{asked}: expected NAME, UID, either with :GROUP, or keep")
    user = user_of(written, accounts)
    if isinstance(user, str):
        is_group = user.startswith("/etc/group")
        known = accounts.groups if is_group else accounts.accounts
        names = ", ".join(item.name for item in known) or "no entries"
        raise UsageError(
            f"{asked}: {user}; it has {names}, and a number below 2147483648 always works"
        )
    return with_account(user, accounts)


def with_account(user: User, accounts: Accounts) -> User:
    """`user` with an account and a group, which are new for a number that has none."""
    if user.account is not None or user.uid == 0:
        return user
    gid = user.gid if user.has_group else user.uid
    group = accounts.named_group(gid)
    account = _new_account(_free_name(accounts), user.uid, gid)
    groups = user.groups or (group or _new_group(account.name, gid),)
    return User(user.uid, gid, account, groups, user.has_group)


def appuser(accounts: Accounts, *, in_group_0: bool) -> User:
    """The default user; an image that has an `appuser` already keeps that one as it is."""
    existing = accounts.account(APPUSER)
    if existing is not None and existing.uid != 0:
        user = User(existing.uid, existing.gid, existing, accounts.groups_of(existing))
        return user.in_group_0(accounts) if in_group_0 else user
    number = _free_number([account.uid for account in accounts.accounts], accounts.groups)
    name = _free_name(accounts)
    if in_group_0:
        group = accounts.named_group(0) or _new_group("root", 0)
        return User(number, 0, _new_account(name, number, 0), (group,))
    account = _new_account(name, number, number)
    return User(number, number, account, (_new_group(name, number),))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 2**31


def _free_number(uids: Sequence[int], groups: Sequence[Group]) -> int:
    taken = {*uids, *(group.gid for group in groups)}
    return next(number for number in count(APPUSER_ID) if number not in taken)


def _free_name(accounts: Accounts) -> str:
    taken = {a.name for a in accounts.accounts} | {g.name for g in accounts.groups}
    names = (f"{APPUSER}{number or ''}" for number in count())
    return next(name for name in names if name not in taken)


def _new_account(name: str, uid: int, gid: int) -> Account:
    return Account(name, uid, gid, f"{name}:x:{uid}:{gid}::/nonexistent:/sbin/nologin")


def _new_group(name: str, gid: int) -> Group:
    return Group(name, gid, (), f"{name}:x:{gid}:")
