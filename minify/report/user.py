"""The decision about the user, as members of a JSON report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from minify.identity import Given, Identity, Opened, Rejected, Withheld
from minify.report.escape import printable
from minify.report.members import JsonObject, reason


def account_names(lines: Iterable[str]) -> tuple[str, ...]:
    """The names that lines of passwd, group or shadow begin with; what follows may be a secret."""
    return tuple(line.partition(":")[0] for line in lines)


def user(identity: Identity) -> JsonObject:
    """Who it is, who was considered before, and what was done for it."""
    return {
        "user": printable(identity.user),
        "name": printable(identity.name),
        "uid": identity.uid,
        "gid": identity.gid,
        "groups": sorted(identity.groups),
        "arbitrary_uid": identity.is_arbitrary,
        "changed": identity.is_changed,
        "why": printable(identity.why),
        "rejected": [_rejected(item) for item in identity.rejected],
        "home": None if identity.home is None else printable(identity.home),
        "given": [_given(item) for item in identity.given],
        "withheld": [_withheld(item) for item in identity.withheld],
        "opened": [_opened(item) for item in identity.opened],
        "accounts": {
            "passwd": _names(identity.passwd),
            "group": _names(identity.group),
            "shadow": _names(identity.shadow),
        },
    }


def _names(lines: Sequence[str] | None) -> list[str] | None:
    return None if lines is None else [printable(name) for name in account_names(lines)]


def _rejected(item: Rejected) -> JsonObject:
    return {"user": printable(item.user), "refusals": [printable(text) for text in item.refusals]}


def _given(item: Given) -> JsonObject:
    return {
        "path": printable(item.path),
        "tree": item.is_tree,
        "new": item.is_new,
        "reason": reason(item.reason),
    }


def _withheld(item: Withheld) -> JsonObject:
    path, why = printable(item.path), printable(item.why)
    return {"path": path, "why": why, "reason": reason(item.reason)}


def _opened(item: Opened) -> JsonObject:
    return {
        "path": printable(item.path),
        "gid": item.gid,
        "mode": f"{item.mode:04o}",
        "reason": reason(item.reason),
    }
