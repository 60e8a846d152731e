"""A decision in a few words: members and an identity in, every entry of the result out.

result = decided([program("app"), directory("data")], identity_of(33, given=[given("/data")]))
assert shown(result) == {
    "/app": "file 0755",
    "/data": "dir 0755 33:33 | given: owner 0:0 → 33:33: written to",
    "/tmp": "dir 1777 | added: added: a directory for temporary files",
}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from filetree.kit import Member, Members, described, file, tree_of

from minify.closure import CONFIG, Grade, KeepSet, Kept, NeedsRoot, Reason, RunsAs, Writes
from minify.filetree import FileTree, ImagePath
from minify.identity import Given, Identity, Opened
from minify.image import ImageConfig
from minify.image.jsontext import Json
from minify.planning import Plan, PlannedEntry, PlanOptions, make_plan
from minify.planning.capabilities import file_capabilities

REASON = Reason("test", CONFIG, "test")
ROOT_USER = Identity("", 0, 0, "kept", None, None, is_changed=False)

# What `setcap` writes: cap_net_raw=ep, cap_net_raw=p; https://man7.org/linux/man-pages/man7/capabilities.7.html
NET_RAW_EP = bytes.fromhex("0100000200200000000000000000000000000000")
NET_RAW_P = bytes.fromhex("0000000200200000000000000000000000000000")


def program(name: str, *, mode: int = 0o755, capabilities: bytes = b"") -> Member:
    value = capabilities.decode("utf-8", "surrogateescape")
    return file(name, mode=mode, xattrs={"security.capability": value} if value else None)


def identity_of(
    uid: int,
    *,
    given: Iterable[Given] = (),
    opened: Iterable[Opened] = (),
    is_changed: bool = True,
    is_arbitrary: bool = False,
) -> Identity:
    """A user whose group has its number, without account files."""
    gid = 0 if is_arbitrary else uid
    user = Identity(f"{uid}", uid, gid, "test", None, None, is_changed)
    return replace(
        user,
        groups=frozenset((gid,)),
        given=tuple(given),
        opened=tuple(opened),
        is_arbitrary=is_arbitrary,
    )


def given(path: str, *, is_tree: bool = True, is_new: bool = False) -> Given:
    return Given(ImagePath(path), REASON, is_tree, is_new)


def keep_of(
    tree: FileTree,
    *,
    hard: Iterable[str] = (),
    writes: Iterable[Writes] = (),
    runs_as: Iterable[RunsAs] = (),
    needs_root: Iterable[NeedsRoot] = (),
    rules: Mapping[str, str] | None = None,
) -> KeepSet:
    """All of a tree is kept, SOFT but for `hard`; `rules` are those of some paths, else `test`."""
    named = rules or {}
    kept = {
        path: Kept(
            Grade.HARD if path in hard else Grade.SOFT,
            (Reason(named.get(path, "test"), CONFIG, "test"),),
        )
        for path in tree.entries
    }
    return KeepSet(kept, (), (), tuple(runs_as), tuple(writes), {}, tuple(needs_root))


def config_of(run: Mapping[str, Json] | None = None) -> ImageConfig:
    return ImageConfig.new({"config": run or {}}, "test")


def decided(
    members: Members,
    identity: Identity,
    keep: KeepSet | None = None,
    *,
    options: PlanOptions | None = None,
    run: Mapping[str, Json] | None = None,
    top: Mapping[str, Json] | None = None,
) -> Plan:
    """The plan for a tree of `members` of which all is kept, unless `keep` says otherwise."""
    tree = tree_of(members)
    config = config_of(run).changed(top)
    return make_plan(tree, config, keep or keep_of(tree), identity, options or PlanOptions())


def shown(plan: Plan) -> dict[str, str]:
    """Every entry of the result: what it is, its capabilities, `|` and what was changed."""
    return {item.entry.path: " | ".join(_parts(item)) for item in plan.entries}


def _parts(item: PlannedEntry) -> Iterable[str]:
    found = file_capabilities(item.entry)
    plain = replace(item.entry, xattrs=(), size=0)
    yield described(plain) if found is None else f"{described(plain)} {found}"
    for change in item.changes:
        yield f"{change.kind.value}: {change.text}"
