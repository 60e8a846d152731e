"""One process being filled with objects, breadth first, as ld.so fills it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from minify.elf.elffile import ElfError, ElfFile
from minify.elf.hints import Hints
from minify.elf.interpreter import Interpreter
from minify.elf.linkmap import LinkMap, LoadedObject, Missing
from minify.elf.search import (
    Candidate,
    Judgement,
    Place,
    Request,
    Requester,
    Search,
    Verdict,
)
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


class Process:
    """Takes requests, finds objects, and those ask for more until `finish` returns."""

    def __init__(
        self,
        tree: FileTree,
        elf: Callable[[Entry], ElfFile | None],
        system: System,
        objects: Iterable[LoadedObject],
    ) -> None:
        """`objects` are loaded already, and not among the result's."""
        self._tree = tree
        self._elf = elf
        self._system = system
        self._known: set[str] = set()
        self._inodes: set[tuple[int, int]] = set()
        self._waiting: deque[Requester] = deque()
        self._objects: list[LoadedObject] = []
        self._missing: list[Missing] = []
        self._lookups = 0
        for one in objects:
            entry = one.resolution.entry
            assert entry is not None, one.path
            self._enter(one.name, Requester(one.path, entry, one.elf, None))

    def link_map(self, program: ImagePath) -> LinkMap:
        """What has come of it."""
        return LinkMap(
            program,
            self._system.interpreter.resolution,
            tuple(self._objects),
            tuple(self._missing),
            self._system.search.consulted,
        )

    def enter(self, requester: Requester) -> bool:
        """Takes an object that was found by other means; whether it is new here."""
        return self._enter("", requester)

    def load(self, requests: Iterable[tuple[Request, Requester]]) -> None:
        """Loads what is asked for; what that asks for in turn waits for `finish`."""
        for request, requester in requests:
            if not self._system.search.is_known(request.name, self._known):
                self._load_one(request, requester)

    def finish(self) -> None:
        """Loads what the objects ask for, and those, until there is no more."""
        while self._waiting:
            requester = self._waiting.popleft()
            requests = self._system.search.requests(requester.elf)
            self.load((request, requester) for request in requests)

    def _load_one(self, request: Request, requester: Requester) -> None:
        looked: dict[str, None] = {}
        attempts = tuple(self._attempts(request.name, requester, looked))
        taken = [one for one in attempts if one.judgement.verdict is Verdict.TAKE]
        for attempt in taken:
            self._take(request, requester, attempt)
        if not taken and not request.is_optional:
            hint = self._hint(request.name, requester, attempts)
            missing = Missing(request.name, requester.entry.path, tuple(looked), hint)
            self._missing.append(missing)

    def _attempts(
        self, name: str, requester: Requester, looked: dict[str, None]
    ) -> Iterator[_Attempt]:
        """Every file that some processor comes upon; notes in `looked` the places searched."""
        for place in self._system.search.places(name, requester):
            looked[place.where] = None
            for candidate in place.candidates:
                attempt = self._attempt(place, candidate, requester)
                if attempt is None:
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

    def _take(self, request: Request, requester: Requester, attempt: _Attempt) -> None:
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
        if self._enter(request.name, child):
            self._waiting.append(child)

    def _enter(self, name: str, requester: Requester) -> bool:
        """Takes an object; whether its file is new, for one file is loaded once."""
        self._known.update(self._system.search.names(name, requester.path, requester.elf))
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


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A file of the right name, and what ld.so does with it."""

    place: Place
    candidate: Candidate
    resolution: Resolution
    judgement: Judgement
    elf: ElfFile | None
