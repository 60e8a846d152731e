"""One process being filled with objects, breadth first, as ld.so fills it."""

from __future__ import annotations

import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from minify.elf.elffile import ElfError, ElfFile
from minify.elf.hints import Hints
from minify.elf.interpreter import Interpreter
from minify.elf.linkmap import LinkMap, LoadedObject, Missing, UnmetVersion
from minify.elf.search import (
    Candidate,
    Judgement,
    Place,
    Request,
    Requester,
    Search,
    Verdict,
)
from minify.elf.versions import unmet_versions
from minify.errors import ImageError
from minify.filetree import Entry, FileTree, ImagePath, Kind, Resolution

# The largest desktop programs make some ten thousand; more are made to keep us busy.
_MOST_LOOKUPS = 200_000
# Whoever reads the messages has stopped before.
_MOST_HINTS = 100


@dataclass(frozen=True, slots=True)
class System:
    """An interpreter and its rules, for processes that are alike."""

    interpreter: Interpreter
    search: Search
    hints: Hints
    own: ElfFile | None = None
    """The interpreter's own file, if it can be read."""


class Process:
    """Takes requests, finds objects, and those ask for more until `finish` returns."""

    def __init__(
        self,
        tree: FileTree,
        elf: Callable[[Entry], ElfFile | None],
        system: System,
        objects: Iterable[LoadedObject] = (),
        *,
        is_apart: bool = False,
    ) -> None:
        """`objects` are loaded already, and not among the result's.

        `is_apart` says that it is a namespace besides the program's, where the interpreter is not.
        """
        self._tree = tree
        self._elf = elf
        self._system = system
        # What goes by a name: one object, or its variants for better processors.
        self._named: dict[str, list[Requester]] = {}
        self._asked: set[str] = set()
        self._new: list[Requester] = []
        self._inodes: set[tuple[int, int]] = set()
        self._waiting: deque[Requester] = deque()
        self._objects: list[LoadedObject] = []
        self._missing: list[Missing] = []
        self._lookups = 0
        self._is_apart = is_apart
        variants: dict[str, list[Requester]] = {}
        for one in objects:
            entry = one.resolution.entry
            assert entry is not None, one.path
            self._asked.add(one.name)
            group = variants.setdefault(one.name, [])
            self._enter(one.name, Requester(one.path, entry, one.elf, None), group)

    def link_map(self, program: ImagePath) -> LinkMap:
        """What has come of it."""
        return LinkMap(
            program,
            self._system.interpreter.resolution,
            tuple(self._objects),
            tuple(self._missing),
            tuple(self._unmet()),
            consulted=self._system.search.consulted,
        )

    def _unmet(self) -> Iterator[UnmetVersion]:
        """What ld.so ends with an error for once all that it needs is loaded."""
        if not self._system.search.checks_versions:
            return
        unmet = (one for asker in self._new for one in unmet_versions(asker, self._providers))
        yield from islice(unmet, _MOST_HINTS)

    def _providers(self, file: str) -> Sequence[tuple[ImagePath, ElfFile]] | None:
        """What goes by a name; None if nothing does, for nobody has asked for it."""
        if file in self._named and file in self._asked:
            return [(one.entry.path, one.elf) for one in self._named[file]]
        interpreter = self._system.interpreter.resolution
        if self._is_apart or not self._system.search.is_known(file, frozenset()):
            return () if file in self._asked else None  # it is missing, and that is said
        if interpreter is None or interpreter.entry is None or self._system.own is None:
            return ()
        return [(interpreter.entry.path, self._system.own)]

    def enter(self, requester: Requester) -> bool:
        """Takes an object that was found by other means; whether it is new here."""
        is_new = self._enter("", requester, [])
        if is_new:
            self._new.append(requester)
        return is_new

    def load(self, requests: Iterable[tuple[Request, Requester]]) -> None:
        """Loads what is asked for; what that asks for in turn waits for `finish`."""
        for request, requester in requests:
            self._asked.add(request.name)
            if not self._is_known(request.name):
                self._load_one(request, requester)

    def _is_known(self, name: str) -> bool:
        if self._is_apart:
            return not name or name in self._named
        return self._system.search.is_known(name, self._named.keys())

    def finish(self) -> None:
        """Loads what the objects ask for, and those, until there is no more."""
        while self._waiting:
            requester = self._waiting.popleft()
            requests = self._system.search.requests(requester.elf)
            self.load((request, requester) for request in requests)

    def _load_one(self, request: Request, requester: Requester) -> None:
        looked: dict[str, None] = {}
        attempts = tuple(self._attempts(request, requester, looked))
        taken = [one for one in attempts if one.judgement.verdict is Verdict.TAKE]
        group: list[Requester] = []
        for attempt in taken:
            self._take(request, requester, attempt, group)
        if not taken and not request.is_optional:
            hint = self._hint(request.name, requester, attempts)
            missing = Missing(request.name, requester.entry.path, tuple(looked), hint)
            self._missing.append(missing)

    def _attempts(
        self, request: Request, requester: Requester, looked: dict[str, None]
    ) -> Iterator[_Attempt]:
        """Every file that some processor comes upon; notes in `looked` the places searched."""
        for place in self._system.search.places(request, requester):
            looked[place.where] = None
            for candidate in place.candidates:
                attempt = self._attempt(place, candidate, requester)
                if attempt is None or _is_passed_over(attempt, request):
                    continue
                yield attempt
                verdict = attempt.judgement.verdict
                if verdict is Verdict.STOP or (verdict is Verdict.TAKE and not candidate.level):
                    return

    def _attempt(self, place: Place, candidate: Candidate, requester: Requester) -> _Attempt | None:
        """What happens at a path; None if there is no file."""
        self._lookups += 1
        if self._lookups > _MOST_LOOKUPS:
            raise ImageError(
                f"{requester.entry.path!r} makes ld.so look for libraries in more than"
                f" {_MOST_LOOKUPS:,} places: a hostile file is refused"
            )
        resolution = self._tree.resolve(candidate.path)
        entry = resolution.entry
        if entry is None:
            return None
        judgement, elf = self._judged(entry, requester)
        return _Attempt(place, candidate, resolution, judgement, elf)

    def _judged(self, entry: Entry, requester: Requester) -> tuple[Judgement, ElfFile | None]:
        if entry.kind is not Kind.FILE:
            return Judgement(Verdict.STOP, f"is a {entry.kind.value}"), None
        try:
            elf = self._elf(entry)
        except ElfError as error:
            return Judgement(Verdict.STOP, f"is damaged: it {error}"), None
        return self._system.search.judgement(elf, requester), elf

    def _take(
        self, request: Request, requester: Requester, attempt: _Attempt, group: list[Requester]
    ) -> None:
        path, level, elf = attempt.candidate.path, attempt.candidate.level, attempt.elf
        entry = attempt.resolution.entry
        assert elf is not None and entry is not None, path  # noqa: PT018 (one fact)
        how = f"{request.tag} {request.name}, {attempt.place.how}"
        loaded = LoadedObject(
            name=request.name,
            path=path,
            resolution=attempt.resolution,
            elf=elf,
            by=requester.entry.path,
            how=f"{how}, {level}" if level else how,
            level=level,
        )
        self._objects.append(loaded)
        loader = requester.program if request.is_opened else requester
        child = Requester(path, entry, elf, loader)
        if self._enter(request.name, child, group):
            self._new.append(child)
            self._waiting.append(child)

    def _enter(self, name: str, requester: Requester, group: list[Requester]) -> bool:
        """Takes an object into its `group`; whether its file is new: one file is loaded once."""
        group.append(requester)
        for known in self._system.search.names(name, requester.path, requester.elf):
            self._named.setdefault(known, group)
        inode = requester.entry.layer, requester.entry.offset
        is_new = inode not in self._inodes
        self._inodes.add(inode)
        return is_new

    def _hint(self, name: str, requester: Requester, attempts: tuple[_Attempt, ...]) -> str:
        last = attempts[-1] if attempts else None
        if last is not None and last.judgement.verdict is Verdict.STOP:
            return f"{last.candidate.path} {last.judgement.why}, and ld.so looks no further"
        if len(self._missing) >= _MOST_HINTS:
            return ""
        found = self._system.hints.hint(name, requester.elf, self._system.interpreter)
        skipped = [f"found {one.candidate.path} but it {one.judgement.why}" for one in attempts]
        return found or "; ".join(skipped)


def _is_passed_over(attempt: _Attempt, request: Request) -> bool:
    """Whether ld.so does not trust the file for a setuid program."""
    entry = attempt.resolution.entry
    return (
        request.needs_setuid
        and "/" not in request.name
        and (entry is None or not entry.mode & stat.S_ISUID)
    )


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A file of the right name, and what ld.so does with it."""

    place: Place
    candidate: Candidate
    resolution: Resolution
    judgement: Judgement
    elf: ElfFile | None
