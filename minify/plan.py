"""The decision: every entry that will be written, the configuration, the user, and why.

A plan is complete before a byte is written. What is shown (`--dry-run`), what is built and what is
checked afterwards are this one value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from minify.closure import KeepSet
from minify.errors import ClosureError, OutputError
from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import ROOT, ancestors, encoded, is_within
from minify.identity import Identity
from minify.identity.accounts import GROUP, PASSWD
from minify.image import ImageConfig

MINIFIED = "minify"
"""The `created_by` of the one history record of a minified image."""

_TMP = ImagePath("/tmp")  # noqa: S108 (of the image)
_RUN = ImagePath("/run")
# A hole costs nothing in the source and its zeros much in the result.
_LARGEST_EXPANSION = 1 << 30


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """One entry of the result."""

    entry: Entry
    """As it will be written."""
    content: bytes | None = None
    """New content; None where it is the source's."""
    change: str = ""
    """What was added or changed on purpose; empty where it is exactly as in the source."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much an image or a plan holds."""

    bytes: int
    """Content of all files, each inode once."""
    files: int
    """Entries of all kinds, directories included."""

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Size:
        total, number = 0, 0
        groups: set[int] = set()
        for entry in entries:
            number += 1
            if entry.link_group is not None:
                if entry.link_group in groups:
                    continue
                groups.add(entry.link_group)
            total += entry.size
        return cls(total, number)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be written."""

    entries: tuple[PlannedEntry, ...]
    """Sorted by path, so every directory comes before what is in it."""
    config: ImageConfig
    """Complete but for the layer's diff_id, which only the built layer has."""
    keep: KeepSet
    identity: Identity
    source: Size
    size: Size

    @property
    def changes(self) -> tuple[PlannedEntry, ...]:
        """What is not exactly as the source has it."""
        return tuple(planned for planned in self.entries if planned.change)


def make_plan(
    tree: FileTree, config: ImageConfig, keep: KeepSet, identity: Identity, created: str | None
) -> Plan:
    """The plan for `tree` with the closure `keep`. `config` has the user's changes already.

    ClosureError if a hard need is missing, naming who needs what and where it was looked for;
    `created` is an RFC 3339 time, None to carry over the source's.
    """
    if keep.missing:
        raise ClosureError(described_missing(keep))
    planned = {path: PlannedEntry(tree[path]) for path in keep.kept if _is_written(tree[path])}
    for addition in _additions(planned, tree, identity):
        planned[addition.entry.path] = addition
    if identity.owns_state:
        planned.update(_given_to_user(planned, keep, identity))
    entries = tuple(planned[path] for path in sorted(planned, key=_order))
    _check_expansion(entries)
    return Plan(
        entries,
        _result_config(config, identity, created),
        keep,
        identity,
        Size.of(tree.entries.values()),
        Size.of(item.entry for item in entries),
    )


def described_missing(keep: KeepSet) -> str:
    """Who needs what and where it was looked for, a line each."""
    lines = []
    for item in keep.missing:
        looked = f"; looked in {', '.join(item.looked)}" if item.looked else ""
        hint = f"; {item.hint}" if item.hint else ""
        lines.append(f"{item.reason.by} needs {item.name} ({item.reason.detail}){looked}{hint}")
    return "\n".join(lines)


def _is_written(entry: Entry) -> bool:
    """The root has a header only where a layer gave it one."""
    return entry.path != ROOT or entry.layer >= 0


def _order(path: ImagePath) -> tuple[bytes, ...]:
    """Directories right before what is in them, whatever bytes the names have."""
    return tuple(encoded(path).split(b"/")) if path != ROOT else ()


def _additions(
    planned: Mapping[ImagePath, PlannedEntry], tree: FileTree, identity: Identity
) -> Iterator[PlannedEntry]:
    """The account files and /tmp, with directories above them that the source lacks."""
    for written, lines in ((PASSWD, identity.passwd), (GROUP, identity.group)):
        if lines is not None:
            yield from _account_file(written, lines, planned, tree)
    if _TMP not in tree:
        entry = Entry(_TMP, Kind.DIRECTORY, 0o1777)
        yield PlannedEntry(entry, change="added: a directory for temporary files")


def _account_file(
    written: str, lines: tuple[str, ...], planned: Mapping[ImagePath, PlannedEntry], tree: FileTree
) -> Iterator[PlannedEntry]:
    found = tree.resolve(written)
    content = encoded("".join(f"{line}\n" for line in lines))
    path = found.entry.path if found.entry else found.stopped_at
    if found.entry is not None and found.entry.kind is not Kind.FILE:
        raise ClosureError(f"{path} is a {found.entry.kind.value}; expected a regular file")
    yield from (PlannedEntry(hop) for hop in found.hops)
    yield from _parents(path, planned, tree)
    if found.entry is None:
        entry = Entry(path, Kind.FILE, 0o644, size=len(content))
        yield PlannedEntry(entry, content, "added: the account of the user")
    elif tree.read(found.entry) == content:
        yield PlannedEntry(found.entry)
    else:
        entry = replace(found.entry, size=len(content), link_group=None, sparse=None)
        yield PlannedEntry(entry, content, "changed: only the accounts that are needed")


def _parents(
    path: ImagePath, planned: Mapping[ImagePath, PlannedEntry], tree: FileTree
) -> Iterator[PlannedEntry]:
    for above in ancestors(path):
        if above in planned:
            continue
        existing = tree.get(above)
        if existing is None:
            yield PlannedEntry(Entry(above, Kind.DIRECTORY, 0o755), change="added: a directory")
        elif _is_written(existing):
            yield PlannedEntry(existing)


def _given_to_user(
    planned: Mapping[ImagePath, PlannedEntry], keep: KeepSet, identity: Identity
) -> Iterator[tuple[ImagePath, PlannedEntry]]:
    """State directories, and what is in them, with the user as the owner."""
    places = [ImagePath(finding.path) for finding in keep.writes]
    for path, item in planned.items():
        if path != _RUN and not any(is_within(path, place) for place in places):
            continue
        entry = item.entry
        if (entry.uid, entry.gid) == (identity.uid, identity.gid) or entry.kind is Kind.SYMLINK:
            continue
        owned = replace(entry, uid=identity.uid, gid=identity.gid, uname="", gname="")
        change = f"owner {entry.uid}:{entry.gid} → {identity.uid}:{identity.gid}: written to"
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
