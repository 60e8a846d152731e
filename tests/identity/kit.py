"""A whole identity in a few strings, from an image and findings in a few words.

identity = chosen("", [*ACCOUNTS, file("app", mode=0o755)], keeping("/app"))
assert shown(identity) == {
    "user": "10001 = appuser 10001:10001, changed",
    "why": "the default: not root",
    …
}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from filetree.kit import Member, file, tree_of

from minify.closure import (
    CONFIG,
    Grade,
    KeepSet,
    Kept,
    NeedsRoot,
    Reason,
    RunsAs,
    Writes,
    Written,
)
from minify.filetree import ImagePath
from minify.filetree.path import ancestors
from minify.identity import Identity, Wishes, choose_user
from minify.image import ImageConfig
from minify.image.jsontext import Json

USERS = "root:x:0:0:root:/root:/bin/bash\nweb:x:33:33::/var/www:/bin/sh\n"
GROUPS = "root:x:0:\nweb:x:33:\nssl:x:110:web\ndocker:x:999:other\n"
ACCOUNTS: tuple[Member | str, ...] = (file("etc/passwd", USERS), file("etc/group", GROUPS))

ROOT_LINE = "root:x:0:0:root:/root:/bin/bash"
WEB_LINE = "web:x:33:33::/var/www:/bin/sh"
APPUSER_LINE = "appuser:x:10001:10001::/nonexistent:/sbin/nologin"


def keeping(
    *hard: str, rule: str = "config.entrypoint", soft: Mapping[str, str] | None = None
) -> KeepSet:
    """Hard paths by one rule, and soft ones with the rule of each."""
    reasons = {path: (Grade.HARD, Reason(rule, CONFIG, "test")) for path in hard}
    reasons |= {
        path: (Grade.SOFT, Reason(named, CONFIG, "test")) for path, named in (soft or {}).items()
    }
    kept = {ImagePath(path): Kept(grade, (reason,)) for path, (grade, reason) in reasons.items()}
    for path in tuple(kept):
        for above in ancestors(path):
            kept.setdefault(above, Kept(Grade.SOFT, (Reason("parent", path, "holds it"),)))
    return KeepSet({path: kept[path] for path in sorted(kept)}, (), (), (), (), {})


def runs_as(*accounts: str, rule: str = "script.drop", grade: Grade = Grade.HARD) -> KeepSet:
    """Nothing but accounts that `/entry` changes to."""
    reason = Reason(rule, "/entry", "test")
    found = tuple(RunsAs(account, reason, grade) for account in accounts)
    return replace(keeping(), runs_as=found)


def writes(*paths: str, what: Written = Written.TREE, rule: str = "script.writes") -> KeepSet:
    reason = Reason(rule, "/entry", "test")
    return replace(keeping(), writes=tuple(Writes(path, reason, what) for path in paths))


def needs_root(detail: str, unless: str = "") -> KeepSet:
    reason = Reason("script.root", "/entry", detail)
    return replace(keeping(), needs_root=(NeedsRoot(reason, unless),))


def together(*keeps: KeepSet) -> KeepSet:
    """All findings of several."""
    paths = {path for each in keeps for path in each.kept}
    return KeepSet(
        kept={path: _merged(path, keeps) for path in sorted(paths)},
        missing=(),
        gaps=(),
        runs_as=tuple(f for each in keeps for f in each.runs_as),
        writes=tuple(f for each in keeps for f in each.writes),
        overruled={},
        needs_root=tuple(f for each in keeps for f in each.needs_root),
    )


def _merged(path: ImagePath, keeps: Sequence[KeepSet]) -> Kept:
    found = [each.kept[path] for each in keeps if path in each.kept]
    reasons = {reason for kept in found for reason in kept.reasons}
    return Kept(max(kept.grade for kept in found), tuple(sorted(reasons)))


def chosen(
    user: str,
    members: Sequence[Member | str],
    keep: KeepSet,
    wishes: Wishes = Wishes(),  # noqa: B008 (frozen)
    **run: Json,
) -> Identity:
    config = ImageConfig.new({"config": {"User": user, **run}}, "test")
    return choose_user(wishes, config, keep, tree_of(members))


def shown(identity: Identity, *without: str) -> dict[str, str]:
    """All that the identity says but the fields `without`; what is empty is left out."""
    groups = ",".join(map(str, sorted(identity.groups - {identity.gid})))
    user = f"{identity.user or 'as it is'} = {identity.name} {identity.uid}:{identity.gid}"
    is_changed = ", changed" if identity.is_changed else ""
    is_arbitrary = ", arbitrary" if identity.is_arbitrary else ""
    whole = {
        "user": f"{user}{f'+{groups}' if groups else ''}{is_changed}{is_arbitrary}",
        "why": identity.why,
        "passwd": _lines(identity.passwd),
        "group": _lines(identity.group),
        "shadow": " ".join(identity.shadow or ()),
        "gshadow": " ".join(identity.gshadow or ()),
        "rejected": _joined(f"{r.user}: {', '.join(r.refusals)}" for r in identity.rejected),
        "given": given(identity),
        "withheld": _joined(f"{w.path}: {w.why}" for w in identity.withheld),
        "opened": opened(identity),
        "home": identity.home or "",
        "warnings": _joined(identity.warnings),
        "gaps": _joined(f"{gap.reason.rule} {gap.reason.detail}" for gap in identity.gaps),
    }
    return {name: text for name, text in whole.items() if text and name not in without}


def given(identity: Identity) -> str:
    """`/data/** (new /run/app)`: trees with stars, what is made as new."""
    items = (
        f"{'new ' if item.is_new else ''}{item.path}{'/**' if item.is_tree else ''}"
        for item in identity.given
    )
    return " ".join(items)


def opened(identity: Identity) -> str:
    return " ".join(f"{o.path}={o.gid}:{o.mode:04o}" for o in identity.opened)


def _lines(lines: tuple[str, ...] | None) -> str:
    return "as it is" if lines is None else " ".join(lines)


def _joined(texts: Iterable[str]) -> str:
    return " | ".join(texts)
