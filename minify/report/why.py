"""Why a path stays or goes: the answer as a value; `why_text` and `why_json` write it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from minify.closure import Excluded, Grade, LeftOut, Likelihood, Reason
from minify.closure.patterns import Dropped
from minify.errors import UsageError
from minify.filetree import Entry, ImagePath, Kind
from minify.filetree.path import ROOT, ancestors, is_within
from minify.planning import PlannedEntry, Size
from minify.report.explanation import Explanation
from minify.report.lookup import Found, Unclear, looked_up, pattern


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
    def is_kept(self) -> bool:
        """Whether the result has it."""
        return self.fate in (Fate.KEPT, Fate.ADDED)

    @property
    def keep_with(self) -> str:
        """What to give to `--keep`; it matches the path, whatever characters that has."""
        return pattern(self.path)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What was asked and cannot be answered."""

    asked: str
    problem: str
    """What the image does not have, with what is close to it."""
    candidates: tuple[tuple[ImagePath, Fate], ...] = ()
    """The paths that a name may mean, and what becomes of each."""

    @property
    def line(self) -> str:
        """What is said of it; an empty one is quoted, so that it can be seen."""
        return f"{self.asked or repr(self.asked)}: {self.problem}"


def why(explanation: Explanation, *asked: str) -> tuple[Answer, ...]:
    """Why each of `asked` stays or goes: absolute paths, names as `libz.so.1`, globs.

    A glob has an answer for each match. UsageError, a line for each, for what the image does not
    have, with what is close to it.
    """
    given, refused = answers(explanation, *asked)
    if refused:
        raise UsageError(*(item.line for item in refused))
    return given


def answers(
    explanation: Explanation, *asked: str
) -> tuple[tuple[Answer, ...], tuple[Unanswered, ...]]:
    """What `why` gives for those of `asked` that have an answer, and those that have none."""
    index = _Index(explanation)
    given: list[Answer] = []
    refused: list[Unanswered] = []
    for text in asked:
        found = looked_up(text, explanation)
        if isinstance(found, Unclear):
            candidates = tuple((path, index.fate(path)) for path in found.candidates)
            refused.append(Unanswered(text, found.problem, candidates))
        else:
            given += map(index.answer, found)
    return tuple(given), tuple(refused)


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
        fate = self.fate(path)
        kept = (keep.overruled if fate is Fate.DROPPED else keep.kept).get(path)
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
            reasons=kept.reasons if kept else self._why_not(path, left_out),
            likelihood=left_out.likelihood if isinstance(left_out, LeftOut) else None,
            change=planned.change if planned else "",
            below=self._below(path) if entry.kind is Kind.DIRECTORY else None,
            dropped_by=self._dropped_by(path) if fate is Fate.DROPPED else "",
            layers=len(self._given.result.source.layers),
        )

    def _why_not(self, path: ImagePath, left_out: LeftOut | Excluded | None) -> tuple[Reason, ...]:
        """Why something would stay, and of what stays otherwise why it does not, which is first."""
        unread = self._given.result.plan.keep.unread.get(path)
        return (*((unread,) if unread else ()), *(left_out.reasons if left_out else ()))

    def _left_out(self, path: ImagePath) -> LeftOut | Excluded | None:
        """What stays out and is `path`, or holds it; None for what has another fate."""
        if path in self._planned or self._dropped_by(path):
            return None
        # The deepest first, so that a file's own reasons come before its directory's.
        found = (self._unlikely.get(above) for above in (path, *ancestors(path)))
        return next((item for item in found if item is not None), None)

    @cached_property
    def _unlikely(self) -> dict[ImagePath, LeftOut | Excluded]:
        keep = self._given.result.plan.keep
        found: dict[ImagePath, LeftOut | Excluded] = {}
        for items in (keep.unreached, keep.excluded, keep.left_out):
            found |= {item.path: item for item in items}
        return found

    def fate(self, path: ImagePath) -> Fate:
        """What becomes of a path of the source."""
        keep = self._given.result.plan.keep
        if path in keep.kept:
            return Fate.KEPT
        if path in self._planned or path == ROOT:
            return Fate.ADDED
        left_out = self._left_out(path)
        if isinstance(left_out, LeftOut):
            return Fate.LEFT_OUT
        if left_out is None:
            return Fate.DROPPED
        return Fate.UNREACHED if left_out in keep.unreached else Fate.EXCLUDED

    def _crossed(self, hop: Entry) -> CrossedLink:
        return CrossedLink(hop.path, hop.target, hop.path in self._planned)

    def _leads_somewhere(self, path: ImagePath) -> bool:
        return self._given.tree.resolve(path).entry is not None

    def _owners(self, path: ImagePath) -> tuple[str, ...]:
        packages = self._given.packages
        names = sorted(packages.owners(path))
        return tuple(f"{name} {packages[name].version}".rstrip() for name in names)

    def _below(self, path: ImagePath) -> Below:
        source = tuple(self._given.tree.below(path))
        planned = (self._planned.get(entry.path) for entry in source)
        stays = [item.entry for item in planned if item is not None]
        stays += (it for it in self._added if it.path != path and is_within(it.path, path))
        return Below(Size.of(stays), Size.of(source))

    @cached_property
    def _added(self) -> tuple[Entry, ...]:
        """What the source does not have."""
        tree = self._given.tree
        return tuple(item.entry for path, item in self._planned.items() if path not in tree)

    def _dropped_by(self, path: ImagePath) -> str:
        """The first glob of `--drop` that matches `path` or what holds it."""
        return next((glob for glob, is_dropped in self._dropped if is_dropped(path)), "")

    @cached_property
    def _dropped(self) -> tuple[tuple[str, Dropped], ...]:
        return tuple((glob, Dropped((glob,), self._given.tree)) for glob in self._given.dropped)
