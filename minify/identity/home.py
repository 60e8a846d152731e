"""HOME: what the program saw, where its new user can use it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from minify.closure import KeepSet
from minify.filetree import FileTree, ImagePath, Kind
from minify.filetree.path import ROOT
from minify.identity.access import EXECUTE, READ, Barriers, Credentials, owner_and_mode
from minify.identity.accounts import Accounts
from minify.identity.ownership import Ownership
from minify.identity.users import User
from minify.image import ImageConfig


@dataclass(frozen=True, slots=True)
class Home:
    """What to set HOME to in the configuration, None to leave it alone; and what to say of it."""

    value: str | None = None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Homes:
    """The result, as far as a home in it matters."""

    users: tuple[Credentials, ...]
    owner: Ownership
    keep: KeepSet
    tree: FileTree

    def obstacle(self, home: str) -> str:
        """Why `home` cannot be read and entered, as the end of a sentence; empty if it can."""
        found = self.tree.resolve(home)
        if found.entry is None:
            return "does not exist"
        if found.entry.kind is not Kind.DIRECTORY:
            return "is no directory"
        passed = [*found.hops, found.entry]
        if not all(self._is_there(each.path) for each in passed):
            return "is not in the result"
        barriers = Barriers(self.users, self.owner, self.tree)
        barrier = next(filter(None, (barriers.above(each.path) for each in passed)), None)
        if barrier is None and not barriers.may(found.entry, READ | EXECUTE):
            barrier = found.entry
        if barrier is None:
            return ""
        where = "" if barrier is found.entry else f"{barrier.path} "
        shown = owner_and_mode(self.owner.of(barrier))
        return f"{barriers.who} cannot enter and read ({where}{shown})"

    def _is_there(self, path: ImagePath) -> bool:
        return path == ROOT or path in self.keep.kept or path in self.owner.paths


def home(source: User | None, user: User, config: ImageConfig, homes: Homes) -> Home:
    """The home of `user`, where the program ran as `source` before.

    Engines set HOME from passwd unless the configuration does, to `/` for a number without a line.
    https://docs.docker.com/reference/dockerfile/#user, and moby's `user.GetExecUser`
    """
    configured = config.env.get("HOME", "")
    was = configured or _passwd_home(source)
    will = _passwd_home(user)
    obstacle = homes.obstacle(was) if was.startswith("/") else ""
    if not obstacle:
        # A number that passwd does not have gets another home than the account has.
        is_same = was == will and (not homes.owner.is_arbitrary or will == "/")
        return Home(None if configured or is_same else was)
    was_usable = homes.tree.directory(was) is not None
    if was == will or not was_usable:
        return Home()
    missing = "" if homes.tree.directory(will) else ", which does not exist"
    said = f"HOME was {was}, which {obstacle}: it is {will}{missing}"
    return Home(will if configured else None, said)


def given_volumes(
    volumes: Iterable[str], theirs: Container[ImagePath], tree: FileTree, maker: int
) -> Iterator[tuple[str, int]]:
    """Each VOLUME that becomes the user's, and whose its directory is in the source.

    One that the image does not have is the `maker`'s once the program runs.
    """
    for volume in volumes:
        path = f"/{volume.lstrip('/')}"
        entry = tree.directory(path)
        if entry is not None and entry.path in theirs:
            yield volume, entry.uid
        elif entry is None and ImagePath(path) in theirs:
            yield volume, maker


def volume_warnings(
    volumes: Iterable[tuple[str, int]], user: User, accounts: Accounts
) -> Iterator[str]:
    """A line for each VOLUME that belonged to another user than it will.

    Engines fill a volume when they make it, and leave those alone that exist.
    """
    for volume, uid in volumes:
        if uid != user.uid:
            account = accounts.named(uid)
            named = f" ({account.name})" if account is not None else ""
            yield (
                f"VOLUME {volume} belonged to {uid}{named}, and the user is {user.uid}"
                f" ({user.shown}): files in existing volumes may need another owner"
            )


def _passwd_home(user: User | None) -> str:
    return user.account.home if user is not None and user.account is not None else "/"
