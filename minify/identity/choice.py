"""Which user the image gets.

In order: what `--user` says; the image's own user, if that is not root; `appuser`, as in the
classic scratch recipe, if its access suffices; else the image's own user, and the summary says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice

from minify.closure import KeepSet
from minify.errors import ClosureError, UsageError
from minify.filetree import FileTree
from minify.identity.access import Credentials, Needed, refusals, unreadable
from minify.identity.accounts import Account, Accounts, Group
from minify.identity.identity import Identity
from minify.identity.state import state_places
from minify.image import ImageConfig

APPUSER = "appuser"
APPUSER_ID = 10001
KEEP = "keep"

_SHOWN_REFUSALS = 3


@dataclass(frozen=True, slots=True)
class _Image:
    """What a choice depends on."""

    config: ImageConfig
    accounts: Accounts
    keep: KeepSet
    tree: FileTree


def choose_user(
    request: str | None, config: ImageConfig, keep: KeepSet, tree: FileTree
) -> Identity:
    """The user of the result. `request` is what `--user` says, None where it is not given.

    UsageError for a requested name that the image does not have; ClosureError for a requested user
    that cannot run the program, and for an image whose own USER does not exist.
    """
    image = _Image(config, Accounts.of(tree), keep, tree)
    if request == KEEP:
        return _own(image, "kept, as --user keep asks")
    if request is not None:
        return _requested(request, image)
    own = _lookup(config.user, image, "USER")
    if own.uid != 0:
        return _own(image, "the image's own")
    account, groups = _appuser(image.accounts)
    refused = _refusals(account.uid, {account.gid, *(group.gid for group in groups)}, image)
    if refused:
        why = f"kept: {account.name} could not run the program: {'; '.join(refused)}"
        return _own(image, why)
    return _identity(account, groups, image, f"{account.uid}", "the default: not root")


def unchanged_user(config: ImageConfig, tree: FileTree) -> Identity:
    """The image's own user with its account files as they are."""
    image = _Image(config, Accounts.of(tree), KeepSet({}, (), (), (), (), {}), tree)
    own = _lookup(config.user, image, "USER")
    why = "the image's own"
    return Identity(config.user, own.uid, own.gid, why, None, None, is_changed=False)


def _refusals(uid: int, gids: set[int], image: _Image) -> list[str]:
    """What keeps a user from running the program, the first few."""
    given = state_places(image.keep.writes, image.tree) if uid not in (0, _own_uid(image)) else ()
    user = Credentials(uid, frozenset(gids))
    return list(islice(refusals(user, Needed(image.keep, image.tree, given)), _SHOWN_REFUSALS))


def _own_uid(image: _Image) -> int | None:
    """The number of the source's user; None if the image has no such account."""
    try:
        return _lookup(image.config.user, image, "USER").uid
    except ClosureError:
        return None


@dataclass(frozen=True, slots=True)
class _User:
    """What a `USER` value means to a runtime."""

    uid: int
    gid: int
    account: Account | None
    groups: tuple[Group, ...]


def _lookup(written: str, image: _Image, named: str) -> _User:
    """The user that `name[:group]` or `uid[:gid]` means, by the image's account files."""
    who, _, group_text = written.partition(":")
    account = image.accounts.account(who or "0")
    if account is None and who and not _is_id(who):
        raise _unknown(named, written, "passwd", who, [a.name for a in image.accounts.accounts])
    uid = account.uid if account else int(who or 0)
    if not group_text:
        gid = account.gid if account else 0
        groups = image.accounts.groups_of(account) if account else ()
        return _User(uid, gid, account, groups)
    group = image.accounts.group(group_text)
    if group is None and not _is_id(group_text):
        names = [g.name for g in image.accounts.groups]
        raise _unknown(named, written, "group", group_text, names)
    gid = group.gid if group else int(group_text)
    return _User(uid, gid, account, (group,) if group else ())


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 2**31


def _unknown(named: str, written: str, file: str, name: str, names: Sequence[str]) -> Exception:
    message = f"{named} {written}: /etc/{file} of the image has no {name!r}"
    if named == "USER":
        return ClosureError(f"{message}, so no engine can start it; name a user with --user")
    return UsageError(
        f"{message}; it has {', '.join(names) or 'no entries'}, and a number always works"
    )


def _own(image: _Image, why: str) -> Identity:
    """The image's own user: all account lines stay for root, only its own for another."""
    user = _lookup(image.config.user, image, "USER")
    written = image.config.user
    if user.uid == 0:
        return Identity(written, 0, user.gid, why, None, None, is_changed=False)
    passwd, group = _lines(user.account, user.groups, image)
    return Identity(written, user.uid, user.gid, why, passwd, group, is_changed=False)


def _requested(request: str, image: _Image) -> Identity:
    if not request or request.startswith(":"):
        raise UsageError(f"--user {request!r}: expected NAME, UID, either with :GROUP, or keep")
    user = _lookup(request, image, "--user")
    has_group = ":" in request
    if user.account is None and user.uid != 0:
        gid = user.gid if has_group else user.uid
        account = _new_account(_free_name(image.accounts), user.uid, gid)
        user = _User(user.uid, gid, account, user.groups or (_new_group(account.name, gid),))
    refused = _refusals(user.uid, {user.gid, *(group.gid for group in user.groups)}, image)
    if refused:
        raise ClosureError(
            f"--user {request}: this user could not run the program: {'; '.join(refused)};"
            " change the owner or mode in the source image, or choose another user"
        )
    # The number alone keeps the supplementary groups that the account has.
    written = f"{user.uid}:{user.gid}" if has_group else f"{user.uid}"
    if user.account is None:
        return Identity(written, 0, user.gid, "as --user asks", None, None, is_changed=True)
    return _identity(user.account, user.groups, image, written, "as --user asks")


def _identity(
    account: Account, groups: Sequence[Group], image: _Image, written: str, why: str
) -> Identity:
    passwd, group = _lines(account, groups, image)
    gid = int(written.partition(":")[2] or account.gid)
    if _own_uid(image) == account.uid:
        return Identity(written, account.uid, gid, why, passwd, group, is_changed=False)
    user = Credentials(account.uid, frozenset((gid, *(item.gid for item in groups))))
    needed = Needed(image.keep, image.tree, state_places(image.keep.writes, image.tree))
    gaps = tuple(unreadable(user, needed))
    return Identity(written, account.uid, gid, why, passwd, group, is_changed=True, gaps=gaps)


def _lines(
    account: Account | None, groups: Sequence[Group], image: _Image
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines of passwd and group: the user's own, and accounts that configuration names."""
    accounts = {account.name: account} if account else {}
    kept_groups = {group.name: group for group in groups}
    for named in (finding.account for finding in image.keep.runs_as):
        by_name = [a for a in image.accounts.accounts if a.name == named]
        accounts.update((a.name, a) for a in by_name)
        kept_groups.update((g.name, g) for g in image.accounts.groups if g.name == named)
        for other in by_name:
            primary = (g for g in image.accounts.groups if g.gid == other.gid)
            kept_groups.update((g.name, g) for g in primary)
    by_uid = sorted(accounts.values(), key=lambda a: (a.uid, a.name))
    by_gid = sorted(kept_groups.values(), key=lambda g: (g.gid, g.name))
    return tuple(a.line for a in by_uid), tuple(g.line for g in by_gid)


def _appuser(accounts: Accounts) -> tuple[Account, tuple[Group, ...]]:
    """The default user; an image that has an `appuser` already keeps that one as it is."""
    existing = accounts.account(APPUSER)
    if existing is not None and existing.uid != 0:
        return existing, accounts.groups_of(existing)
    taken = {account.uid for account in accounts.accounts} | {g.gid for g in accounts.groups}
    number = next(number for number in count(APPUSER_ID) if number not in taken)
    name = _free_name(accounts)
    return _new_account(name, number, number), (_new_group(name, number),)


def _free_name(accounts: Accounts) -> str:
    taken = {a.name for a in accounts.accounts} | {g.name for g in accounts.groups}
    names = (f"{APPUSER}{number or ''}" for number in count())
    return next(name for name in names if name not in taken)


def _new_account(name: str, uid: int, gid: int) -> Account:
    return Account(name, uid, gid, f"{name}:x:{uid}:{gid}::/nonexistent:/sbin/nologin")


def _new_group(name: str, gid: int) -> Group:
    return Group(name, gid, (), f"{name}:x:{gid}:")
