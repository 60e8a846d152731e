"""Which accounts the program itself drops to, by the best evidence there is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from minify.closure import CONFIG, EVERYBODY, Grade, Reason, RunsAs
from minify.identity.accounts import Accounts
from minify.identity.identity import Rejected
from minify.identity.users import User, user_of, with_account


class _Evidence(IntEnum):
    """How much a finding says of who the program becomes, the best first."""

    ENTRYPOINT = 0
    """The command line, or a script that it starts."""
    CONFIGURATION = 1
    """What the program is told, if the entrypoint does not say otherwise."""
    UNIT = 2
    """What the distribution would have done."""

    @classmethod
    def of(cls, reason: Reason) -> _Evidence:
        if reason.by == CONFIG or reason.rule.startswith(("script.", "config.")):
            return cls.ENTRYPOINT
        return cls.UNIT if reason.rule == "unit" else cls.CONFIGURATION


@dataclass(frozen=True, slots=True)
class Candidates:
    """The account that the program drops to, if one is the one; and what is none, and why."""

    user: User | None
    reason: Reason | None
    """The evidence for it."""
    rejected: tuple[Rejected, ...]

    @property
    def sees_own_home(self) -> bool:
        """Whether the program had the account's own HOME: gosu, su-exec and su set it."""
        return self.reason is not None and _Evidence.of(self.reason) is _Evidence.ENTRYPOINT


def service_account(runs_as: Iterable[RunsAs], accounts: Accounts) -> Candidates:
    """The account that the entrypoint surely changes to, else the one that it is told of.

    Root is none, nor is an account that the image does not have; of several different accounts with
    equal evidence none is chosen.
    """
    sure = [f for f in runs_as if f.grade is Grade.HARD and f.account != EVERYBODY]
    rejected: list[Rejected] = []
    for evidence in _Evidence:
        equal = (finding for finding in sure if _Evidence.of(finding.reason) is evidence)
        found, unknown = _users(equal, accounts)
        rejected += unknown
        uids = {user.uid for user, _ in found}
        if len(uids) == 1:
            user, reason = found[0]
            return Candidates(with_account(user, accounts), reason, tuple(rejected))
        if uids:
            return Candidates(None, None, (*rejected, *_ambiguous(found)))
    return Candidates(None, None, tuple(rejected))


def _users(
    findings: Iterable[RunsAs], accounts: Accounts
) -> tuple[list[tuple[User, Reason]], list[Rejected]]:
    """The users but root that findings name, and the names that the image does not have.

    A number has no need of a name. Where one names a group and another does not, the name alone
    comes first: then the account has all its groups.
    """
    reasons: dict[str, Reason] = {}
    for finding in findings:
        reasons.setdefault(finding.account, finding.reason)
    found: list[tuple[User, Reason]] = []
    unknown = []
    for written, reason in reasons.items():
        user = user_of(written, accounts)
        if isinstance(user, str):
            said = f"{reason.by} changes to {written} ({reason.detail}), but {user}"
            unknown.append(Rejected(written, (said,)))
        elif user.uid != 0:
            found.append((user, reason))
    return sorted(found, key=lambda item: item[0].has_group), unknown


def _ambiguous(found: Iterable[tuple[User, Reason]]) -> Iterable[Rejected]:
    by_uid = {user.uid: (user, reason) for user, reason in reversed(list(found))}
    names = sorted(user.shown for user, _ in by_uid.values())
    for user, reason in sorted(by_uid.values(), key=lambda item: item[0].shown):
        others = ", ".join(name for name in names if name != user.shown)
        said = f"it is one of several that the program changes to, {others} too"
        yield Rejected(user.shown, (f"{said} ({reason.by}: {reason.detail})",))
