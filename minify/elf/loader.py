"""What ld.so would load for a program: its objects in order, and what it would miss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from minify.elf.elffile import ElfError, ElfFile
from minify.elf.glibc import GlibcSearch
from minify.elf.hints import Hints
from minify.elf.interpreter import Flavour, Interpreter, interpreter_at, usual_interpreter
from minify.elf.linkmap import LinkMap, LoadedObject
from minify.elf.machine import Machine, machine_of
from minify.elf.musl import MuslSearch
from minify.elf.process import Process, System
from minify.elf.reader import read_elf
from minify.elf.search import Circumstances, Request, Requester
from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import joined

_SETUID = 0o4000
_SETGID_EXECUTABLE = 0o2010  # without the x it stands for mandatory locking
_CAPABILITIES = "security.capability"


class Loader:
    """Answers for one tree and one environment what ld.so would do; reads each file once.

    loader = Loader(tree, {"LD_LIBRARY_PATH": "/opt/lib"})
    links = loader.load(tree[ImagePath("/usr/bin/curl")])
    links.interpreter, links.objects, links.missing
    """

    def __init__(self, tree: FileTree, env: Mapping[str, str], directory: str = "/") -> None:
        """`directory` is the working directory, for programs that name relative ones."""
        self._tree = tree
        self._env = dict(env)
        self._directory = directory.rstrip("/")
        self._elfs: dict[tuple[int, int], ElfFile | ElfError | None] = {}
        self._systems: dict[tuple[str, Machine, bool], System] = {}
        self._hints = Hints(tree, self.elf)

    def elf(self, entry: Entry) -> ElfFile | None:
        """What a file says of itself; None if it is no ELF file. ElfError if it is damaged."""
        if entry.kind is not Kind.FILE or not entry.size:
            return None
        # Hard links to one file share its place.
        key = entry.layer, entry.offset
        if key not in self._elfs:
            try:
                self._elfs[key] = read_elf(self._tree.open(entry), entry.size)
            except ElfError as error:
                self._elfs[key] = error
        found = self._elfs[key]
        if isinstance(found, ElfError):
            raise found.with_traceback(None)
        return found

    def load(self, program: Entry) -> LinkMap:
        """What `program` gets when it is started.

        A shared library without an interpreter is taken by itself, as in `load_library`. ElfError
        if `program` is damaged or no ELF file.
        """
        elf = self._elf_of(program)
        if elf.interpreter is None:
            if elf.needed and not elf.is_program:
                return self.load_library(program)
            return LinkMap(program.path, None)
        system = self._system(program, elf)
        main = Requester(program.path, program, elf, None, is_program=True)
        process = self._process(system)
        process.enter(main)
        process.load(system.search.preloads(main))
        process.load((request, main) for request in system.search.requests(elf))
        process.finish()
        return replace(process.link_map(program.path), auditors=tuple(self._auditors(main, system)))

    def _auditors(self, main: Requester, system: System) -> Iterator[LoadedObject]:
        """Each with all that it needs; ld.so goes on without one that lacks something."""
        for asked in system.search.auditors(main):
            process = Process(self._tree, self.elf, system, is_apart=True)
            process.load([asked])
            process.finish()
            found = process.link_map(main.entry.path)
            if not found.missing and not found.unmet:
                yield from found.objects

    def load_library(
        self, library: Entry, *, path: str | None = None, needed_in: LinkMap | None = None
    ) -> LinkMap:
        """What `library` gets when it is loaded later, by name or as a plugin.

        `path` is the one by which it is found, its real path by default. With `needed_in` it joins
        that process: what is loaded there is not loaded again, and the program's RPATH counts.
        Without, it is looked at by itself, with the tree's usual interpreter for its machine. The
        library itself is not among the objects. ElfError if it is damaged or no ELF file.
        """
        elf = self._elf_of(library)
        context = self._context(elf, needed_in)
        process = self._process(context.system, context.objects)
        asker = Requester(path or library.path, library, elf, context.program)
        if process.enter(asker):
            process.load((request, asker) for request in context.system.search.requests(elf))
            process.finish()
        return process.link_map(library.path)

    def load_name(self, name: str, caller: Entry, *, needed_in: LinkMap | None = None) -> LinkMap:
        """What comes of `dlopen(name)` in the object `caller`: `name` itself is the first object.

        Nothing is missing and nothing loaded if the process `needed_in` has it already.
        """
        elf = self._elf_of(caller)
        context = self._context(elf, needed_in)
        asker = context.requesters.get(caller.path)
        if asker is None:
            asker = Requester(caller.path, caller, elf, context.program)
        process = self._process(context.system, context.objects)
        request = Request(name, "dlopen", is_opened=True)
        process.load([(request, context.system.search.opener(asker))])
        process.finish()
        return process.link_map(caller.path)

    def _elf_of(self, entry: Entry) -> ElfFile:
        elf = self.elf(entry)
        if elf is None:
            raise ElfError("is no ELF file")
        return elf

    def _process(self, system: System, objects: Iterable[LoadedObject] = ()) -> Process:
        return Process(self._tree, self.elf, system, objects)

    def _system(self, program: Entry, elf: ElfFile) -> System:
        machine = machine_of(elf)
        is_secure = _is_secure(program)
        path = joined(self._directory, elf.interpreter or "")
        key = path, machine, is_secure
        if key not in self._systems:
            interpreter = interpreter_at(self._tree, path, machine)
            self._systems[key] = self._new_system(interpreter, machine, is_secure=is_secure)
        return self._systems[key]

    def _usual_system(self, elf: ElfFile) -> System:
        machine = machine_of(elf)
        flavour = _flavour(elf)
        key = flavour.value if flavour else "", machine, False
        if key not in self._systems:
            interpreter = usual_interpreter(self._tree, machine, flavour)
            self._systems[key] = self._new_system(interpreter, machine, is_secure=False)
        return self._systems[key]

    def _new_system(self, interpreter: Interpreter, machine: Machine, *, is_secure: bool) -> System:
        at = Circumstances(interpreter, machine, self._env, self._directory, is_secure)
        if interpreter.flavour is Flavour.MUSL:
            return System(interpreter, MuslSearch(self._tree, at), self._hints)
        own = self._own(interpreter)
        search = GlibcSearch(self._tree, at, own.soname if own is not None else None)
        return System(interpreter, search, self._hints, own)

    def _own(self, interpreter: Interpreter) -> ElfFile | None:
        entry = interpreter.resolution.entry if interpreter.resolution else None
        try:
            return self.elf(entry) if entry is not None else None
        except ElfError:
            return None

    def _context(self, elf: ElfFile, process: LinkMap | None) -> _Context:
        """The process that a library joins; an empty one if it is looked at by itself."""
        if process is None:
            return _Context(self._usual_system(elf), None, (), {})
        entry = self._tree[process.program]
        program_elf = self._elf_of(entry)
        if program_elf.interpreter is None:
            # A static program that opens libraries, or a library by itself.
            program, system = None, self._usual_system(elf)
        else:
            program = Requester(entry.path, entry, program_elf, None, is_program=True)
            system = self._system(entry, program_elf)
        return _Context(system, program, process.objects, _requesters(program, process.objects))


@dataclass(frozen=True, slots=True)
class _Context:
    """A process that is already there."""

    system: System
    program: Requester | None
    objects: tuple[LoadedObject, ...]
    requesters: Mapping[ImagePath, Requester]


def _requesters(
    program: Requester | None, objects: Iterable[LoadedObject]
) -> dict[ImagePath, Requester]:
    found: dict[ImagePath, Requester] = {}
    if program is not None:
        found[program.entry.path] = program
    for one in objects:
        entry = one.resolution.entry
        assert entry is not None, one.path
        loader = found.get(one.by, program)
        found.setdefault(entry.path, Requester(one.path, entry, one.elf, loader))
    return found


def _is_secure(program: Entry) -> bool:
    """Whether the kernel sets AT_SECURE: the program runs with more rights than its caller."""
    if program.mode & _SETUID or program.mode & _SETGID_EXECUTABLE == _SETGID_EXECUTABLE:
        return True
    return any(name == _CAPABILITIES for name, _ in program.xattrs)


def _flavour(library: ElfFile) -> Flavour | None:
    """Whose library it is, by the C library that it needs; None if it does not say."""
    for name in library.needed:
        if name == "libc.so" or name.startswith("libc.musl-"):
            return Flavour.MUSL
        if name == "libc.so.6" or name.startswith("ld-linux"):
            return Flavour.GLIBC
    return None
