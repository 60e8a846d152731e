"""Every entry that will be written, and the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from minify.closure import KeepSet
from minify.errors import ClosureError, OutputError
from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import ROOT, ancestors, child, encoded, is_within
from minify.identity import Identity
from minify.identity.accounts import GROUP, PASSWD
from minify.identity.state import may_be_given, state_places
from minify.image import ImageConfig
from minify.planning.plan import Plan, PlannedEntry, Size

MINIFIED = "minify"
"""The `created_by` of the one history record of a minified image."""

_RUN = ImagePath("/run")
_TMP = ImagePath("/tmp")  # noqa: S108 (of the image)
# A hole costs nothing in the source and its zeros much in the result.
_LARGEST_EXPANSION = 1 << 30


def make_plan(
    tree: FileTree, config: ImageConfig, keep: KeepSet, identity: Identity, created: str | None
) -> Plan:
    """The plan for `tree` with the closure `keep`. `config` has the user's changes already.

    ClosureError if a hard need is missing, naming who needs what and where it was looked for;
    `created` is an RFC 3339 time, None to carry over the source's.
    """
    if keep.missing:
        raise ClosureError(*described_missing(keep))
    kept = {path: PlannedEntry(tree[path]) for path in keep.kept if _is_written(tree[path])}
    is_done = is_minified(config) and identity.passwd is None
    additions = () if is_done else tuple(_additions(tree, identity))
    planned = {**kept, **_with_parents(additions, kept, tree)}
    if identity.owns_state:
        planned.update(_given_to_user(planned, keep, identity, tree))
    entries = tuple(planned[path] for path in sorted(planned, key=_order))
    _check_expansion(entries)
    size = Size.of(item.entry for item in entries)
    source = Size.of(tree.entries.values())
    added = sum(len(item.content) for item in entries if item.content is not None)
    assert size.bytes <= source.bytes + added, (size, source, added)
    return Plan(entries, _result_config(config, identity, created), keep, identity, source, size)


def described_missing(keep: KeepSet) -> Iterator[str]:
    """Who needs what and where it was looked for, a line each."""
    for item in keep.missing:
        hint = f"; {item.hint}" if item.hint else ""
        yield f"{item.reason.by} needs {item.name} ({item.reason.detail}){item.search}{hint}"


def _is_written(entry: Entry) -> bool:
    """The root has a header only where a layer gave it one."""
    return entry.path != ROOT or entry.layer >= 0


def _order(path: ImagePath) -> tuple[bytes, ...]:
    """Directories right before what is in them, whatever bytes the names have."""
    return tuple(encoded(path).split(b"/")) if path != ROOT else ()


def _additions(tree: FileTree, identity: Identity) -> Iterator[PlannedEntry]:
    """The account files and /tmp."""
    written: dict[ImagePath, str] = {}
    for name, lines in ((PASSWD, identity.passwd), (GROUP, identity.group)):
        if lines is None:
            continue
        path = _account_path(name, tree)
        if path in written:
            raise ClosureError(f"{written[path]} and {name} are one file, {path}; expected two")
        written[path] = name
        yield _account_file(path, encoded("".join(f"{line}\n" for line in lines)), tree)
    found = tree.resolve(_TMP)
    if found.entry is None and not found.hops and found.stopped_at == _TMP:
        entry = Entry(_TMP, Kind.DIRECTORY, 0o1777)
        yield PlannedEntry(entry, change="added: a directory for temporary files")
    elif identity.is_changed and found.entry is not None and _is_closed_directory(found.entry):
        entry = replace(found.entry, mode=0o1777)
        yield PlannedEntry(entry, change=f"mode {found.entry.mode:04o} → 1777: temporary files")


def _is_closed_directory(entry: Entry) -> bool:
    """Whether it is a directory that not everybody may write to."""
    return entry.kind is Kind.DIRECTORY and entry.mode & 0o1777 != 0o1777


def _account_path(name: str, tree: FileTree) -> ImagePath:
    """The real path of an account file, be it there or not.

    ClosureError if something stands there that is no place for one: a directory, a program, a link
    that leads nowhere.
    """
    directory, _, last = name.rpartition("/")
    above = tree.resolve(directory)
    if above.entry is None:
        if above.hops or above.stopped_at in tree:
            raise ClosureError(f"{directory} is in the way of {name}: it leads to no directory")
        return ImagePath(name)
    path = child(above.entry.path, last)
    found = tree.resolve(path)
    if found.entry is None and not found.hops and above.entry.kind is Kind.DIRECTORY:
        return path
    # Account files of mode 0755 come from other systems; a link to an executable is no such file.
    is_odd = found.entry is not None and found.entry.is_executable and bool(found.hops)
    if found.entry is None or found.entry.kind is not Kind.FILE or is_odd:
        raise ClosureError(f"{path} is in the way of {name}: expected a regular file or nothing")
    return found.entry.path


def _account_file(path: ImagePath, content: bytes, tree: FileTree) -> PlannedEntry:
    existing = tree.get(path)
    if existing is None:
        entry = Entry(path, Kind.FILE, 0o644, size=len(content))
        return PlannedEntry(entry, content, "added: the account of the user")
    if tree.read(existing) == content:
        return PlannedEntry(existing)
    entry = replace(existing, size=len(content), link_group=None, sparse=None)
    return PlannedEntry(entry, content, "only the accounts that are needed")


def _with_parents(
    additions: Iterable[PlannedEntry],
    planned: Mapping[ImagePath, PlannedEntry],
    tree: FileTree,
) -> dict[ImagePath, PlannedEntry]:
    """`additions` by path, with the directories above them that are not planned yet."""
    found = {item.entry.path: item for item in additions}
    for path in tuple(found):
        for above in ancestors(path):
            existing = tree.get(above)
            if above in planned or above in found:
                continue
            if existing is None:
                entry = Entry(above, Kind.DIRECTORY, 0o755)
                found[above] = PlannedEntry(entry, change="added: a directory")
            elif _is_written(existing):
                found[above] = PlannedEntry(existing)
    return found


def _given_to_user(
    planned: Mapping[ImagePath, PlannedEntry], keep: KeepSet, identity: Identity, tree: FileTree
) -> Iterator[tuple[ImagePath, PlannedEntry]]:
    """State directories, and what is in them, with the user as the owner."""
    places = state_places(keep.writes, tree)
    theirs = {path for path in planned if any(is_within(path, place) for place in places)}
    theirs |= {_RUN} & planned.keys()
    # All names of an inode, or none: they have one owner.
    groups = {planned[path].entry.link_group for path in planned.keys() - theirs} - {None}
    for path in sorted(theirs):
        item = planned[path]
        entry = item.entry
        if (entry.uid, entry.gid) == (identity.uid, identity.gid) or not may_be_given(entry):
            continue
        if entry.link_group in groups:
            continue
        owned = replace(entry, uid=identity.uid, gid=identity.gid, uname="", gname="")
        given = f"owner {entry.uid}:{entry.gid} → {identity.uid}:{identity.gid}: written to"
        change = "; ".join(filter(None, (item.change, given)))
        yield path, PlannedEntry(owned, item.content, change)


def _check_expansion(entries: Iterable[PlannedEntry]) -> None:
    """OutputError if the holes of sparse files, written as zeros, would take too much room."""
    total = 0
    for item in entries:
        runs = item.entry.sparse
        if runs is None:
            continue
        holes = item.entry.size - sum(length for _, length in runs)
        total += holes
        if total > _LARGEST_EXPANSION:
            raise OutputError(
                f"{item.entry.path} is a sparse file with {holes:,} bytes of holes, which would"
                " be written as zeros; leave it out with --drop"
            )


def _result_config(config: ImageConfig, identity: Identity, created: str | None) -> ImageConfig:
    when = created or config.created
    record = {"created": when, "created_by": MINIFIED} if when else {"created_by": MINIFIED}
    top = {"created": when or None, "history": [record], "rootfs": None}
    user = identity.user or None
    return config.changed(top, {"User": user if user or config.user else None})


def is_minified(config: ImageConfig) -> bool:
    """Whether the image is what minify wrote, with nothing laid on top."""
    records = config.history
    is_one = len(records) == 1 and len(config.diff_ids) == 1
    return is_one and records[0].text("created_by") == MINIFIED
