"""From needs to everything that stays: a work list run to its fixpoint.

Each path is visited once for each grade it reaches, so the result does not depend on the order of
the findings: only the set of reasons counts, and what is reported is sorted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from minify.closure import places
from minify.closure.analyzer import Analyzer, Context
from minify.closure.cost import costs
from minify.closure.finding import (
    CONFIG,
    USER,
    ByName,
    Finding,
    Gap,
    Grade,
    Likelihood,
    Missing,
    Need,
    NeedsRoot,
    Reason,
    RunsAs,
    Unread,
    Writes,
    Written,
)
from minify.closure.keepset import Excluded, KeepSet, Kept
from minify.closure.unlikely import Unlikely
from minify.errors import ImageError
from minify.filetree import Entry, FileTree, ImagePath, Kind, Resolution
from minify.filetree.path import ancestors, child, is_within

NEEDED = "elf.needed"
"""The rule of a library that a program loads, resolved in that program's context."""

ALONE = "elf.plugin"
"""The rule of what a library needs when it is looked at without a program."""

BEHIND = "elf.plugin.needed"
"""The rule of what a library lacks that is loaded for such a one, in its context."""

_MOUNTED = ("/dev/", "/proc/", "/sys/")

_Store = dict[ImagePath, dict[Reason, None]]


def solve(
    roots: Iterable[Finding],
    analyzers: Sequence[Analyzer],
    context: Context,
    is_dropped: Callable[[ImagePath], bool] = lambda _: False,
    least: Likelihood = Likelihood.LIKELY,
) -> KeepSet:
    """Everything that `roots` bring. What `is_dropped` names is not kept, and asks for nothing.

    Neither is what is less likely than `least`; it is told as left out.

    ImageError for a loop of links on a hard need's way.
    """
    solver = _Solver(analyzers, context, is_dropped, least)
    solver.run(roots)
    return solver.result()


class _Solver:
    def __init__(
        self,
        analyzers: Sequence[Analyzer],
        context: Context,
        is_dropped: Callable[[ImagePath], bool],
        least: Likelihood,
    ) -> None:
        self._unlikely = Unlikely(context.tree, least)
        self._analyzers = analyzers
        self._context = context
        self._is_dropped = is_dropped
        self._reasons: _Store = {}
        self._overruled: _Store = {}
        self._grades: dict[ImagePath, Grade] = {}
        self._missing: dict[Missing, None] = {}
        self._gaps: dict[Gap, None] = {}
        self._runs_as: dict[RunsAs, None] = {}
        self._writes: dict[Writes, None] = {}
        self._needs_root: dict[NeedsRoot, None] = {}
        self._trees: dict[tuple[Reason, tuple[str, ...]], set[ImagePath]] = {}
        self._excluded: _Store = {}
        self._unreached: _Store = {}
        self._pending: deque[tuple[ImagePath, Need]] = deque()
        self._unread: dict[ImagePath, Reason] = {}
        self._by_name: dict[ImagePath, Reason] = {}
        self._queue: deque[tuple[Entry, Grade]] = deque()

    def run(self, roots: Iterable[Finding]) -> None:
        self._collect(roots)
        while self._pending or self._queue:
            if self._pending:
                self._keep_tree(*self._pending.popleft())
                continue
            entry, grade = self._queue.popleft()
            if grade < self._grades[entry.path]:
                continue  # it has become harder since, and is queued again
            for analyze in self._analyzers:
                self._collect(analyze(entry, grade, self._context))

    def _collect(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            match finding:
                case Need():
                    self._need(finding)
                case ByName():
                    self._by_name.setdefault(finding.path, finding.reason)
                case Missing():
                    self._missing[finding] = None
                case Gap():
                    self._gaps[finding] = None
                case RunsAs():
                    self._runs_as[finding] = None
                case Writes():
                    self._writes[finding] = None
                case Unread():
                    self._unread[finding.path] = finding.reason
                case NeedsRoot():
                    self._needs_root[finding] = None

    def _need(self, need: Need, *, must_exist: bool = True) -> None:
        found = self._context.tree.resolve(need.path)
        if self._is_behind_dropped(found, need) or self._unlikely.takes(need, found):
            return
        for hop in found.hops:
            on_the_way = Reason("link", need.reason.by, f"a link on the way to {need.path}")
            self._keep(hop, need.reason if hop.path == need.path else on_the_way, need.grade)
        if found.entry is None:
            if must_exist:
                self._unresolved(found, need)
            return
        self._keep(found.entry, need.reason, need.grade)
        if need.whole_tree and found.entry.kind is Kind.DIRECTORY:
            self._pending.append((found.entry.path, need))

    def _is_behind_dropped(self, found: Resolution, need: Need) -> bool:
        """Whether the user dropped what is needed or a link on the way; then it is recorded."""
        on_the_way = [hop.path for hop in found.hops]
        if found.entry is not None:
            on_the_way.append(found.entry.path)
        dropped = [path for path in on_the_way if self._is_dropped(path)]
        for path in dropped:
            self._overruled.setdefault(path, {})[need.reason] = None
            self._grades[path] = max(need.grade, self._grades.get(path, Grade.SOFT))
        return bool(dropped)

    def _keep(self, entry: Entry, reason: Reason, grade: Grade) -> None:
        self._reasons.setdefault(entry.path, {})[reason] = None
        known = self._grades.get(entry.path)
        if known is None or grade > known:
            self._grades[entry.path] = grade
            if entry.kind is Kind.FILE:
                self._queue.append((entry, grade))

    def _keep_tree(self, directory: ImagePath, need: Need) -> None:
        """Keeps all below `directory` by the rule of `need`; what is walked for it is done."""
        tree, reason, without = self._context.tree, need.reason, need.without
        # Many files may name one directory: below it, the rule alone counts.
        whole = Reason(reason.rule, directory, f"in {directory}, kept whole")
        top = reason if (reason, without) in self._trees else whole
        walked = self._trees.setdefault((top, without), set())
        # What the user and the configuration name is meant as it is.
        by_name = {} if reason.by in (USER, CONFIG) else self._by_name
        stack = [directory]
        while stack:
            here = stack.pop()
            if here in walked:
                continue
            walked.add(here)
            if here in self._context.pruned and reason.by != USER:
                self._unreached.setdefault(here, {})[top] = None
                continue
            for name in tree.children(here):
                entry = tree[child(here, name)]
                if self._is_dropped(entry.path):
                    continue
                if entry.path in by_name:
                    guess = Likelihood.GUESSED
                    self._need(Need(entry.path, by_name[entry.path], likelihood=guess))
                    continue
                if entry.path.endswith(without):
                    self._excluded.setdefault(entry.path, {})[top] = None
                    continue
                if entry.kind is Kind.SYMLINK:
                    is_part = self._is_part(entry, here)
                    link = Need(entry.path, top, whole_tree=is_part, without=without)
                    # One that leads nowhere stays as it is: nothing is known to follow it.
                    self._need(link, must_exist=False)
                    continue
                self._keep(entry, top, Grade.SOFT)
                if entry.kind is Kind.DIRECTORY:
                    stack.append(entry.path)

    def _is_part(self, link: Entry, directory: ImagePath) -> bool:
        """Whether a link in a tree leads to a directory that belongs to whatever the tree is."""
        target = self._context.tree.directory(link.path)
        if target is None or is_within(directory, target.path):
            return False
        return not places.is_shared(target.path, self._context.tree)

    def _unresolved(self, found: Resolution, need: Need) -> None:
        if need.grade is Grade.HARD and found.is_loop:
            layer = found.hops[-1].layer + 1
            raise ImageError(
                f"{need.path}, which {need.reason.by} needs ({need.reason.detail}), is a loop of"
                f" symbolic links at {found.stopped_at} (layer {layer})"
            )
        if need.grade is Grade.SOFT and f"{found.stopped_at}/".startswith(_MOUNTED):
            return  # a link to what only a running container has: /dev/stdout, /proc/self/fd/1
        what = "is a loop of links" if found.is_loop else f"{found.stopped_at} does not exist"
        missing = Missing(need.path, need.reason, need.grade, (found.stopped_at,), what)
        self._missing[missing] = None

    def result(self) -> KeepSet:
        self._keep_parents()
        # A library's unmet needs count in the context of the programs, or of what else loads it.
        in_context = {
            path
            for path, reasons in self._reasons.items()
            if any(r.rule == NEEDED or (r.rule == ALONE and r.by != path) for r in reasons)
        }
        soft = [m for m in self._missing if m.grade is Grade.SOFT]
        hard = [m for m in self._missing if m.grade is Grade.HARD]
        broken = [m for m in soft if m.reason.rule != ALONE or m.reason.by not in in_context]
        gaps = {*self._gaps, *(_gap(missing) for missing in broken)}
        return KeepSet(
            kept={path: self._kept(path, self._reasons) for path in sorted(self._reasons)},
            missing=tuple(sorted(hard, key=lambda m: (m.reason, m.name))),
            gaps=tuple(sorted(gaps)),
            runs_as=tuple(sorted(self._runs_as, key=lambda r: (r.account, r.reason, r.grade))),
            writes=tuple(_agreeing(self._writes, self._context.tree)),
            needs_root=tuple(sorted(self._needs_root, key=lambda n: (n.reason, n.unless))),
            overruled={path: self._kept(path, self._overruled) for path in sorted(self._overruled)},
            left_out=self._unlikely.left_out(self._reasons.keys()),
            excluded=tuple(self._told(self._excluded)),
            unreached=tuple(self._told(self._unreached)),
            unread={p: why for p, why in self._unread.items() if p not in self._reasons},
        )

    def _told(self, store: _Store) -> Iterator[Excluded]:
        trees = dict.fromkeys(store, True)
        for path, size, files in costs(trees, self._reasons.keys(), self._context.tree):
            yield Excluded(path, tuple(sorted(store[path])), size, files)

    def _kept(self, path: ImagePath, store: _Store) -> Kept:
        return Kept(self._grades.get(path, Grade.SOFT), tuple(sorted(store[path])))

    def _keep_parents(self) -> None:
        for path in sorted(self._reasons):
            for above in ancestors(path):
                if above in self._reasons:
                    # Its own ancestors come with it, or have come.
                    break
                self._reasons[above] = {Reason("parent", path, "holds it"): None}
        for path in self._reasons:
            self._grades.setdefault(path, Grade.SOFT)


def _gap(missing: Missing) -> Gap:
    reason = missing.reason
    detail = f"{reason.detail}: {missing.name} is missing in the source{missing.search}"
    return Gap(Reason(reason.rule, reason.by, detail), missing.hint)


def _agreeing(writes: Iterable[Writes], tree: FileTree) -> Iterable[Writes]:
    """`writes` sorted; what one finding knows to be a file is no directory to another (`chown`)."""
    files = {one.path for one in writes if one.what is not Written.TREE}
    agreed = {
        replace(one, what=Written.FILE)
        if one.what is Written.TREE and one.path in files and tree.directory(one.path) is None
        else one
        for one in writes
    }
    return sorted(agreed, key=lambda w: (w.path, w.reason, w.what.value))
