"""Which user the image gets.

In order: what `--user` says; the image's own user, if that is not root; the account that the
program itself drops to; `appuser`, as in the classic scratch recipe; else the image's own user, and
the summary says why each other one could not run the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from minify.closure import CONFIG, EVERYBODY, Gap, KeepSet, Reason
from minify.errors import ClosureError, UsageError
from minify.filetree import Entry, FileTree
from minify.identity.access import ANY_UID, EXECUTE, WRITE, Credentials, access, unreadable
from minify.identity.account_files import AccountFiles, account_files, for_pam
from minify.identity.accounts import GSHADOW, SHADOW, Accounts
from minify.identity.candidates import service_account
from minify.identity.home import Home, Homes, given_volumes, home, volume_warnings
from minify.identity.identity import Identity, Opened, Rejected, Wishes
from minify.identity.ownership import Ownership, given_paths
from minify.identity.users import User, appuser, own_user, requested_user, user_of
from minify.identity.writable import MOUNTED, Writable, is_vital, writable, written_by_a_new_user
from minify.image import ImageConfig

KEEP = "keep"
_OWN = "the image's own"
_STAYS_ROOT = "identity.root"
_DEFAULT = "the default: not root"
_SHOWN_REFUSALS = 3
_SHOWN_NAMES = 3


def choose_user(wishes: Wishes, config: ImageConfig, keep: KeepSet, tree: FileTree) -> Identity:
    """The user of the result, its account files, and what becomes its own.

    UsageError for a requested name that the image does not have and for a path that cannot be made
    writable; ClosureError for a requested user that cannot run the program, for `--arbitrary-uid`
    where nobody but root can, and for an image whose own USER does not exist.
    """
    image = _Image(wishes, config, Accounts.of(tree), keep, tree)
    if wishes.user == KEEP:
        return _as_asked(image)
    if wishes.user is not None:
        return _requested(wishes.user, image)
    own = own_user(config.user, image.accounts)
    return _own(own, image) if own.uid != 0 else _default(image)


def unchanged_user(wishes: Wishes, config: ImageConfig, keep: KeepSet, tree: FileTree) -> Identity:
    """The image's own user with its account files as they are, as for what is minified already.

    What `--writable` and `--arbitrary-uid` ask for is done all the same; root is no such user, so
    with the latter another is chosen.
    """
    image = _Image(wishes, config, Accounts.of(tree), keep, tree)
    own = own_user(config.user, image.accounts)
    shadows = (image.accounts.lines.get(path) for path in (SHADOW, GSHADOW))
    files = AccountFiles(None, None, *shadows)
    if not wishes.arbitrary_uid:
        written = config.user
        identity = _identity(_kept(own, image), _OWN, image, files)
        # That nobody else could be the user is as true as the first time.
        again = _default(image).gaps if own.uid == 0 and wishes.user is None else ()
        root = tuple(gap for gap in again if gap.reason.rule == _STAYS_ROOT)
        return replace(identity, user=written, gaps=(*root, *identity.gaps))
    return _own(own, image, files) if own.uid != 0 else choose_user(wishes, config, keep, tree)


@dataclass(frozen=True, slots=True)
class _Image:
    """What a choice depends on."""

    wishes: Wishes
    config: ImageConfig
    accounts: Accounts
    keep: KeepSet
    tree: FileTree

    @property
    def own(self) -> User | None:
        """The source's user; None if the image has no such account."""
        user = user_of(self.config.user, self.accounts)
        return user if isinstance(user, User) else None

    def is_own(self, user: User) -> bool:
        own = self.own
        return own is not None and own.uid == user.uid


@dataclass(frozen=True, slots=True)
class _Trial:
    """What it takes to run the program as a user, and what stands in the way."""

    user: User
    users: tuple[Credentials, ...]
    """Who has to be able to run it: the user, and anybody with group 0 where that is asked for."""
    writable: Writable
    owner: Ownership
    refusals: tuple[str, ...] = ()
    """The first few."""
    opened: tuple[Opened, ...] = ()
    source: User | None = None
    """As whom the program ran, where that is another than the source's user."""


def _kept(own: User, image: _Image) -> _Trial:
    """The source's user, unchecked, with what is wished and no more."""
    found = writable((), image.wishes.writable, image.keep, image.tree)
    if own.uid == 0:
        # Root may write to all there is.
        found = replace(found, given=tuple(item for item in found.given if item.is_new))
        return _Trial(own, (own.credentials,), found, Ownership(0, own.gid))
    paths = given_paths(found.given, image.keep.kept, image.tree)
    return _Trial(own, (own.credentials,), found, Ownership(own.uid, own.gid, paths))


def _tried(user: User, image: _Image) -> _Trial:
    """`user` with all that the program writes to given and all that it reads opened."""
    keep, tree, wishes = image.keep, image.tree, image.wishes
    users: tuple[Credentials, ...] = (user.credentials,)
    if wishes.arbitrary_uid:
        user = user.in_group_0(image.accounts)
        users = (user.credentials, Credentials(ANY_UID, frozenset((0,))))
    elif image.is_own(user) or user.uid == 0:
        trial = _kept(user, image)
        found = access(users, trial.owner, keep, tree)
        # What its own image did not let it read stays closed to it.
        refusals = (*found.refusals, *(f"{each.path} cannot be read" for each in found.opened))
        return replace(trial, refusals=refusals[:_SHOWN_REFUSALS])
    given = writable(written_by_a_new_user(keep, image.config, tree), wishes.writable, keep, tree)
    paths = given_paths(given.given, keep.kept, tree)
    owner = Ownership(user.uid, user.gid, paths, is_arbitrary=wishes.arbitrary_uid)
    found = access(users, owner, keep, tree)
    must = _must_write(given, users, owner, tree)
    refusals = (*_needs_root(user, image), *must, *found.refusals)[:_SHOWN_REFUSALS]
    opened = {item.path: item for item in found.opened}
    return _Trial(user, users, given, replace(owner, opened=opened), refusals, found.opened)


def _needs_root(user: User, image: _Image) -> Iterator[str]:
    for finding in image.keep.needs_root:
        if image.wishes.arbitrary_uid or not _is_excepted(user, finding.unless, image.accounts):
            yield f"{finding.reason.by} needs root ({finding.reason.detail})"


def _is_excepted(user: User, unless: str, accounts: Accounts) -> bool:
    """Whether `unless`, which is `account`, `account:group` or `:group`, is the user."""
    name, _, group_text = unless.partition(":")
    account, group = accounts.account(name), accounts.group(group_text)
    uid = f"{account.uid}" if account is not None else name
    gid = f"{group.gid}" if group is not None else group_text
    gids = {f"{number}" for number in user.credentials.gids}
    return bool(unless) and uid in ("", f"{user.uid}") and gid in ("", *gids)


def _must_write(
    found: Writable, users: Iterable[Credentials], owner: Ownership, tree: FileTree
) -> Iterator[str]:
    """What a script ends without and that is neither given nor the users' already."""
    for item in found.withheld:
        if not is_vital(item.reason):
            continue
        directory = tree.directory(item.path.rpartition("/")[0] or "/")
        is_mounted = item.path in MOUNTED
        if is_mounted or directory is None or not _may_write(users, owner.of(directory)):
            yield f"{item.reason.by} needs root ({item.reason.detail}: {item.why})"


def _may_write(users: Iterable[Credentials], entry: Entry) -> bool:
    return all(user.may(entry, WRITE | EXECUTE) for user in users)


def _as_asked(image: _Image) -> Identity:
    """The source's user by `--user keep`, as the source writes it."""
    if image.wishes.arbitrary_uid:
        raise UsageError(
            "--user keep and --arbitrary-uid: what any user shall be able to do cannot stay as it"
            " is; leave one of them out"
        )
    own = own_user(image.config.user, image.accounts)
    identity = _identity(_kept(own, image), "kept, as --user keep asks", image)
    return replace(identity, user=image.config.user)


def _requested(written: str, image: _Image) -> Identity:
    user = requested_user(written, image.accounts)
    if image.wishes.arbitrary_uid and (user.uid == 0 or (user.has_group and user.gid != 0)):
        raise UsageError(
            f"--user {written} and --arbitrary-uid: expected a user that is not root, without a"
            " group or with group 0"
        )
    trial = _tried(user, image)
    if trial.refusals:
        raise ClosureError(
            f"--user {written}: this user could not run the program:"
            f" {'; '.join(trial.refusals)}; change the owner or mode in the source image, or choose"
            " another user"
        )
    return _identity(trial, "as --user asks", image)


def _own(own: User, image: _Image, files: AccountFiles | None = None) -> Identity:
    """The image's own user, which is checked only where others shall be able to do as much."""
    if not image.wishes.arbitrary_uid:
        return _identity(_kept(own, image), _OWN, image, files)
    trial = _tried(own, image)
    if trial.refusals:
        raise _nobody_with_group_0(trial.refusals)
    return _identity(trial, _OWN, image, files)


def _default(image: _Image) -> Identity:
    """The program's own account, `appuser`, or root: the first that can run it."""
    accounts = image.accounts
    found = service_account(image.keep.runs_as, accounts)
    candidates = [(appuser(accounts, in_group_0=image.wishes.arbitrary_uid), _DEFAULT)]
    if found.user is not None and found.reason is not None:
        by, detail = found.reason.by, found.reason.detail
        evidence = detail if by in detail else f"{by}: {detail}"
        by_itself = (found.user, f"the program changes to it by itself ({evidence})")
        candidates = [by_itself, *(each for each in candidates if each[0].uid != found.user.uid)]
    rejected = list(found.rejected)
    tried: list[Rejected] = []
    for user, why in candidates:
        trial = _tried(user, image)
        if not trial.refusals:
            is_service = user is found.user and found.sees_own_home
            trial = replace(trial, source=user if is_service else None)
            identity = _identity(trial, why, image)
            return replace(identity, rejected=(*rejected, *tried))
        tried.append(Rejected(user.shown, trial.refusals))
    if image.wishes.arbitrary_uid:
        raise _nobody_with_group_0(tried[0].refusals)
    return _root(image, tried[0], (*rejected, *tried))


def _root(image: _Image, decisive: Rejected, rejected: tuple[Rejected, ...]) -> Identity:
    """The image's own root, since nobody else could run the program."""
    refused = "; ".join(decisive.refusals)
    why = f"{decisive.user} could not run the program: {refused}"
    hint = "say --user keep if root is meant, else change that in the source image"
    gap = Gap(Reason(_STAYS_ROOT, CONFIG, f"the user stays root: {why}"), hint)
    own = own_user(image.config.user, image.accounts)
    identity = _identity(_kept(own, image), f"kept: {why}", image)
    return replace(identity, rejected=rejected, gaps=(gap, *identity.gaps))


def _nobody_with_group_0(refusals: Iterable[str]) -> ClosureError:
    return ClosureError(
        f"--arbitrary-uid: a user with group 0 could not run the program: {'; '.join(refusals)};"
        " change that in the source image"
    )


def _identity(
    trial: _Trial, why: str, image: _Image, files: AccountFiles | None = None
) -> Identity:
    """What was tried, decided; `files` where account files stay as they are."""
    user, owner = trial.user, trial.owner
    is_changed = not image.is_own(user)
    files = files or _files(user, owner, image)
    gaps: tuple[Gap, ...] = ()
    found = Home()
    warnings = list(trial.writable.warnings)
    if is_changed or owner.is_arbitrary:
        homes = Homes(trial.users, owner, image.keep, image.tree)
        found = home(trial.source or image.own, user, image.config, homes)
        warnings += filter(None, (found.warning,))
        was = trial.source is not None
        closed = unreadable(trial.users, owner, image.keep, image.tree, is_as_before=was)
        gaps = tuple(closed)
    if files.shadow is None:
        gaps += tuple(_without_passwords(image))
    if is_changed and user.uid != 0:
        theirs = {item.path for item in trial.writable.given} | owner.paths
        # An entrypoint that changes its user gives it what the engine has made.
        maker = 0 if trial.source is None else user.uid
        volumes = given_volumes(image.config.volumes, theirs, image.tree, maker)
        warnings += volume_warnings(volumes, user, image.accounts)
    is_as_written = user.uid == 0 and not is_changed and image.wishes.user in (None, KEEP)
    return Identity(
        user=image.config.user if is_as_written else user.written,
        uid=user.uid,
        gid=user.gid,
        why=why,
        passwd=files.passwd,
        group=files.group,
        shadow=files.shadow,
        gshadow=files.gshadow,
        is_changed=is_changed,
        gaps=gaps,
        name=user.name,
        groups=user.credentials.gids,
        given=trial.writable.given,
        withheld=trial.writable.withheld,
        opened=trial.opened,
        home=found.value,
        warnings=tuple(warnings),
        is_arbitrary=owner.is_arbitrary,
    )


def _without_passwords(image: _Image) -> Iterator[Gap]:
    """What lets people log in whose passwords are left out."""
    names = image.accounts.with_password()
    shown = ", ".join(names[:_SHOWN_NAMES]) + (", …" if len(names) > _SHOWN_NAMES else "")
    asking = {found.reason.by for found in image.keep.runs_as if found.account == EVERYBODY}
    # A script of /etc/init.d and what it starts are one.
    programs = {program.rpartition("/")[2]: program for program in sorted(asking)}
    for program in programs.values() if names else ():
        detail = f"lets people log in, and the passwords of {shown} in {SHADOW} are left out"
        reason = Reason("identity.shadow", program, detail)
        yield Gap(reason, "if they log in by password, say --keep-shadow")


def _files(user: User, owner: Ownership, image: _Image) -> AccountFiles:
    entries = (owner.of(image.tree[path]) for path in image.keep.kept)
    shadow = image.wishes.keep_shadow
    runs_as = image.keep.runs_as
    files = account_files(user, runs_as, entries, image.accounts, keep_shadow=shadow)
    is_asked = any(path.endswith("/pam_unix.so") for path in image.keep.kept)
    return for_pam(files, image.accounts) if is_asked else files
