"""Why a path stays or goes: the answer as a value; `why_text` and `why_json` write it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from minify.closure import Excluded, Grade, LeftOut, Likelihood, Reason
from minify.closure.patterns import Dropped
from minify.filetree import Entry, ImagePath, Kind
from minify.filetree.path import ROOT, is_within
from minify.planning import PlannedEntry, Size
from minify.report.explanation import Explanation
from minify.report.lookup import Found, looked_up, pattern


class Fate(Enum):
    """What becomes of a path."""

    KEPT = "kept"
    ADDED = "added"
    """The source does not have it, or nothing asked for it but minify's own additions."""
    DROPPED = "dropped"
    LEFT_OUT = "left out"
    """It may be opened by name, and is not likely enough."""
    UNREACHED = "unreached"
    """A library has it, and no import comes to it."""
    EXCLUDED = "excluded"
    """It is no part of the application in whose directory it is."""


@dataclass(frozen=True, slots=True)
class CrossedLink:
    """A symbolic link on the way to a path."""

    path: ImagePath
    target: str
    is_kept: bool


@dataclass(frozen=True, slots=True)
class Below:
    """How much a directory holds, itself not counted."""

    kept: Size
    source: Size


@dataclass(frozen=True, slots=True)
class Answer:
    """All that is known about one path."""

    asked: str
    """As it was written."""
    fate: Fate
    entry: Entry
    """As it will be written; where it is dropped, as the source has it."""
    links: tuple[CrossedLink, ...]
    """Those crossed on the way from what was asked."""
    is_dangling: bool
    """Whether it is a link that leads nowhere."""
    others: tuple[ImagePath, ...]
    """More paths of that name, where only a name was asked for."""
    packages: tuple[str, ...]
    """Its owners, `name version`; directories may have many."""
    grade: Grade | None
    """None where nothing needs it."""
    chain: tuple[tuple[ImagePath, Reason], ...]
    """From the root to the path: each path and a reason that it is kept for."""
    reasons: tuple[Reason, ...]
    """All of them; where it is dropped, of what would have needed it."""
    change: str
    """What was added or changed on purpose."""
    below: Below | None
    """None for all but directories."""
    likelihood: Likelihood | None
    """Of what is left out; None for all else."""
    dropped_by: str
    """The glob of `--drop` that took it; empty if none did."""
    layers: int
    """How many the source has."""

    @property
    def path(self) -> ImagePath:
        return self.entry.path

    @property
    def keep_with(self) -> str:
        """What to give to `--keep`; it matches the path, whatever characters that has."""
        return pattern(self.path)


def why(explanation: Explanation, *asked: str) -> tuple[Answer, ...]:
    """Why each of `asked` stays or goes: absolute paths, or names as `libz.so.1`.

    UsageError, a line for each, for what the image does not have, with what is close to it.
    """
    index = _Index(explanation)
    return tuple(index.answer(found) for found in looked_up(asked, explanation))


class _Index:
    """A plan by path."""

    def __init__(self, explanation: Explanation) -> None:
        self._given = explanation

    @cached_property
    def _planned(self) -> dict[ImagePath, PlannedEntry]:
        return {item.entry.path: item for item in self._given.result.plan.entries}

    def answer(self, found: Found) -> Answer:
        path = found.entry.path
        keep = self._given.result.plan.keep
        planned = self._planned.get(path)
        left_out = self._left_out(path)
        fate = self._fate(path)
        is_dropped = fate is Fate.DROPPED
        if left_out is not None and is_dropped:
            is_unreached = left_out in self._given.result.plan.keep.unreached
            other = Fate.UNREACHED if is_unreached else Fate.EXCLUDED
            fate = Fate.LEFT_OUT if isinstance(left_out, LeftOut) else other
        kept = (keep.overruled if is_dropped else keep.kept).get(path)
        entry = planned.entry if planned else found.entry
        return Answer(
            asked=found.asked,
            fate=fate,
            entry=entry,
            links=tuple(self._crossed(hop) for hop in found.hops if hop.path != path),
            is_dangling=entry.kind is Kind.SYMLINK and not self._leads_somewhere(path),
            others=found.others,
            packages=self._owners(path),
            grade=kept.grade if kept else None,
            chain=tuple(reversed(keep.why(path))),
            reasons=kept.reasons if kept else left_out.reasons if left_out else (),
            likelihood=left_out.likelihood if isinstance(left_out, LeftOut) else None,
            change=planned.change if planned else "",
            below=self._below(path) if entry.kind is Kind.DIRECTORY else None,
            dropped_by=self._dropped_by(path) if is_dropped else "",
            layers=len(self._given.result.source.layers),
        )

    def _left_out(self, path: ImagePath) -> LeftOut | Excluded | None:
        """What stays out and is `path`, or holds it; None for what has another fate."""
        if path in self._planned or self._dropped_by(path):
            return None
        return next((it for it in self._unlikely if is_within(path, it.path)), None)

    @cached_property
    def _unlikely(self) -> tuple[LeftOut | Excluded, ...]:
        """The deepest first, so that a file's own reasons come before its directory's."""
        keep = self._given.result.plan.keep
        left_out: tuple[LeftOut | Excluded, ...] = (
            *keep.left_out,
            *keep.excluded,
            *keep.unreached,
        )
        return tuple(sorted(left_out, key=lambda item: (-len(item.path), item.path)))

    def _fate(self, path: ImagePath) -> Fate:
        if path in self._given.result.plan.keep.kept:
            return Fate.KEPT
        return Fate.ADDED if path in self._planned or path == ROOT else Fate.DROPPED

    def _crossed(self, hop: Entry) -> CrossedLink:
        return CrossedLink(hop.path, hop.target, hop.path in self._planned)

    def _leads_somewhere(self, path: ImagePath) -> bool:
        return self._given.tree.resolve(path).entry is not None

    def _owners(self, path: ImagePath) -> tuple[str, ...]:
        packages = self._given.packages
        names = sorted(packages.owners(path))
        return tuple(f"{name} {packages[name].version}".rstrip() for name in names)

    def _below(self, path: ImagePath) -> Below:
        inside = (
            item.entry
            for item in self._given.result.plan.entries
            if item.entry.path != path and is_within(item.entry.path, path)
        )
        return Below(Size.of(inside), Size.of(self._given.tree.below(path)))

    def _dropped_by(self, path: ImagePath) -> str:
        """The first glob of `--drop` that matches `path` or what holds it."""
        globs = self._given.dropped
        return next((glob for glob in globs if Dropped((glob,), self._given.tree)(path)), "")
