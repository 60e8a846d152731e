"""What one ELF file says of itself, as far as loading it is concerned."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ElfError(Exception):
    """A file that begins as ELF and is damaged or hostile; the text says where."""


class ElfKind(Enum):
    """The file's e_type."""

    RELOCATABLE = "relocatable"
    EXECUTABLE = "executable"
    SHARED = "shared object"
    """Position-independent programs are shared objects too."""
    CORE = "core dump"
    OTHER = "of an unknown type"


_EM_ARM = 40
EF_ARM_ABI_FLOAT_SOFT = 0x200
_EM_RISCV = 243
_EF_RISCV_FLOAT_ABI = 0x6

DF_1_NODEFLIB = 0x800
DF_1_PIE = 0x08000000


@dataclass(frozen=True, slots=True)
class VersionNeed:
    """A symbol version that must be defined by the object that is loaded for `file`."""

    file: str
    version: str
    is_weak: bool
    """Whether ld.so only warns if it is missing."""


class Priority(Enum):
    """What a file says of a library that it opens while it runs."""

    REQUIRED = "required"
    """It does not work without."""
    RECOMMENDED = "recommended"
    """It works, and in most cases the library should be there."""
    SUGGESTED = "suggested"
    """For full installations only."""


@dataclass(frozen=True, slots=True)
class DlopenNote:
    """A library that a file opens while it runs, as it says itself in `.note.dlopen`."""

    sonames: tuple[str, ...]
    """Alternatives, the best first: the first that there is counts. At least one."""
    priority: Priority
    feature: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class ElfFile:
    """The header, the interpreter and the dynamic section; text is as the file has it."""

    kind: ElfKind
    bits: int
    """32 or 64."""
    is_little_endian: bool
    machine: int
    """The header's e_machine."""
    os_abi: int = 0
    flags: int = 0
    """The header's e_flags, which mean something per machine."""
    interpreter: str | None = None
    is_dynamic: bool = False
    """Whether there is a dynamic section; static programs have none."""
    needed: tuple[str, ...] = ()
    soname: str | None = None
    rpath: str | None = None
    runpath: str | None = None
    flags_1: int = 0
    filters: tuple[str, ...] = ()
    auxiliaries: tuple[str, ...] = ()
    audits: tuple[str, ...] = ()
    """DT_AUDIT and DT_DEPAUDIT, each a list separated by colons."""
    versions_needed: tuple[VersionNeed, ...] = ()
    versions_defined: frozenset[str] | None = None
    """All in DT_VERDEF, the one that is the file's own name too; None if there is no DT_VERDEF, so
    that ld.so asks no version of it.
    """
    imports: frozenset[str] = frozenset()
    """The names of undefined dynamic symbols, weak ones included, without versions."""
    dlopen_notes: tuple[DlopenNote, ...] = ()
    notes_fault: str = ""
    """What is wrong with the first such note that cannot be read; empty if all can."""

    @property
    def is_program(self) -> bool:
        """Whether a kernel can start it, be it static; not every file with an interpreter is meant
        to be (libc.so.6 has one).
        """
        if self.kind is ElfKind.EXECUTABLE or self.interpreter is not None:
            return True
        return self.kind is ElfKind.SHARED and bool(self.flags_1 & DF_1_PIE)

    @property
    def can_be_loaded(self) -> bool:
        """Whether ld.so takes files of this type."""
        return self.kind in (ElfKind.EXECUTABLE, ElfKind.SHARED)

    def is_alike(self, other: ElfFile) -> bool:
        """Whether one process can hold both: the same class, byte order, machine and ABI."""
        return (self.bits, self.is_little_endian, self.machine, self._abi) == (
            other.bits,
            other.is_little_endian,
            other.machine,
            other._abi,
        )

    @property
    def _abi(self) -> int:
        """What e_flags say of how numbers are handed over, where ld.so looks at that."""
        if self.machine == _EM_RISCV:
            return self.flags & _EF_RISCV_FLOAT_ABI
        # Files that are nothing but assembler say neither, and go with hardware.
        return self.flags & EF_ARM_ABI_FLOAT_SOFT if self.machine == _EM_ARM else 0
