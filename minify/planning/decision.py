"""Every entry that will be written, and the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from minify.closure import CONFIG, KeepSet, Reason, told
from minify.closure.commandline import UserSwitch
from minify.errors import ClosureError, OutputError
from minify.filetree import FileTree, ImagePath, Kind
from minify.filetree.path import ROOT, encoded
from minify.identity import Accounts, Identity
from minify.image import ImageConfig
from minify.planning import additions, hardening, ownership
from minify.planning.advice import advice
from minify.planning.capabilities import XATTR
from minify.planning.configuration import (
    config_changes,
    is_minified,
    needless_switch,
    result_config,
)
from minify.planning.hardening import Hardening
from minify.planning.plan import ChangeKind, Plan, PlannedEntry, Size

# A hole costs nothing in the source and its zeros much in the result.
_LARGEST_EXPANSION = 1 << 30

_Planned = dict[ImagePath, PlannedEntry]


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What is said about a plan beside what to keep and who runs it."""

    created: str | None = None
    """RFC 3339 time of the result; None to carry over the source's."""
    keep_setuid: bool = False
    """Whether setuid and setgid bits stay on files."""
    source: ImageConfig | None = None
    """The source's configuration without the user's edits, to tell what is otherwise; None where
    there are none."""


@dataclass(frozen=True, slots=True)
class _Source:
    """What a plan is made of."""

    tree: FileTree
    config: ImageConfig
    keep: KeepSet
    identity: Identity


def make_plan(
    tree: FileTree,
    config: ImageConfig,
    keep: KeepSet,
    identity: Identity,
    options: PlanOptions = PlanOptions(),
) -> Plan:
    """The plan for `tree` with the closure `keep`. `config` has the user's changes already.

    ClosureError if a hard need is missing, naming who needs what and where it was looked for.
    What is minified already is not hardened again: that was decided the first time.
    """
    if keep.missing:
        raise ClosureError(*described_missing(keep, config, options.source or config))
    source = _Source(tree, config, keep, identity)
    kept = {
        path: PlannedEntry(tree[path]) for path in keep.kept if additions.is_written(tree[path])
    }
    added = _added(kept, source)
    how = Hardening.of(keep, identity, tree, keep_setuid=options.keep_setuid)
    hardened = dict(added)
    if not is_minified(config):
        hardened.update(hardening.hardened(added, how))
    planned = _owned(hardened, source)
    _check_not_worse(planned, tree)
    entries = tuple(planned[path] for path in sorted(planned, key=_order))
    _check_expansion(entries)
    size = Size.of(item.entry for item in entries)
    gaps = {*keep.gaps, *identity.gaps, *hardening.hardening_gaps(added, hardened, how)}
    switch = needless_switch(config, identity, Accounts.of(tree))
    result = result_config(config, identity, switch, options.created)
    return Plan(
        entries=entries,
        config=result,
        keep=keep,
        identity=identity,
        source=_checked_size(size, entries, tree),
        size=size,
        config_changes=config_changes(
            options.source or config, result, _reasons(config, identity, switch)
        ),
        gaps=told(gaps),
        warnings=(*identity.warnings, *hardening.hardening_warnings(entries, how)),
        advice=advice((item.entry for item in entries), result, keep, identity, tree),
    )


def described_missing(keep: KeepSet, config: ImageConfig, source: ImageConfig) -> Iterator[str]:
    """Who needs what and where it was looked for, a line each.

    The configuration is `config`, which the user may have made of `source`.
    """
    for item in keep.missing:
        hint = f"; {item.hint}" if item.hint else ""
        by = _asker(item.reason, config, source)
        yield f"{by} needs {item.name} ({item.reason.detail}){item.search}{hint}"


def _asker(reason: Reason, config: ImageConfig, source: ImageConfig) -> str:
    """Who asks: of a command that the user gave, the option."""
    if reason.by == CONFIG and reason.rule in ("config.entrypoint", "config.cmd"):
        if config.entrypoint != source.entrypoint:
            return "--entrypoint"
        if config.cmd != source.cmd:
            return "--cmd"
    return reason.by


def _order(path: ImagePath) -> tuple[bytes, ...]:
    """Directories right before what is in them, whatever bytes the names have."""
    return tuple(encoded(path).split(b"/")) if path != ROOT else ()


def _added(kept: Mapping[ImagePath, PlannedEntry], source: _Source) -> _Planned:
    """What is kept, and what the result has beside it, with the directories above."""
    tree, identity = source.tree, source.identity
    new = [*additions.account_files(identity, tree)]
    if identity.passwd is not None or not is_minified(source.config):
        is_changed = identity.is_changed
        new += additions.temporary_directories(kept, tree, is_changed=is_changed)
    new += (
        item
        for item in ownership.new_directories(identity, kept, tree)
        if item.entry.path not in source.keep.overruled
    )
    return {**kept, **additions.with_parents(new, kept, tree)}


def _owned(planned: _Planned, source: _Source) -> _Planned:
    """`planned` with what is given and opened to the user."""
    given = {**planned, **ownership.given(planned, source.identity, source.tree)}
    return {**given, **ownership.opened(given, source.identity)}


def _reasons(
    config: ImageConfig, identity: Identity, switch: UserSwitch | None
) -> Mapping[str, str]:
    saw = "what the program saw in the source"
    home = f"{identity.uid} cannot use that of the source" if "HOME" in config.env else saw
    found = {"USER": identity.why, "ENV HOME": home}
    if switch is not None:
        why = f"it runs as {switch.account} already, and only root can switch"
        found |= {"ENTRYPOINT": why, "CMD": why}
        if switch.sets_home:
            found["ENV HOME"] = f"it is that of {switch.account}, as the switch set it"
    return found


def _checked_size(size: Size, entries: Iterable[PlannedEntry], tree: FileTree) -> Size:
    """The size of the source, which the result does not exceed but by what was added."""
    source = Size.of(tree.entries.values())
    added = sum(len(item.content) for item in entries if item.content is not None)
    assert size.bytes <= source.bytes + added, (size, source, added)
    return source


def _check_not_worse(planned: _Planned, tree: FileTree) -> None:
    """Nothing has a privilege that the source did not give, but the temporary directories."""
    for path, item in planned.items():
        entry, old = item.entry, tree.get(path)
        had = old.mode if old is not None else 0
        is_temporary = ChangeKind.TEMPORARY in {change.kind for change in item.changes}
        if entry.kind is Kind.FILE:
            assert not entry.mode & ~had & 0o6000, (item, old)
            xattrs = old.xattrs if old is not None else ()
            assert {x for x in entry.xattrs if x[0] == XATTR} <= set(xattrs), (item, old)
        if entry.kind is not Kind.SYMLINK and old is not None and not is_temporary:
            assert not entry.mode & ~had & 0o002, (item, old)


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
