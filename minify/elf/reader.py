"""An ELF file read into a frozen record; the only module that knows pyelftools.

pyelftools parses the header and the program headers, each from bytes whose offset and size were
checked. Its `ELFFile` is not used: it takes seconds and gigabytes for some hostile files, wants
section headers, which no loader looks at, and is slow with symbols. The tables that the dynamic
section leads to are read by address (`dynamic`, `symbols`).

https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
"""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import lru_cache
from typing import Any

from elftools.common.exceptions import ELFError as PyelftoolsError
from elftools.construct import ConstructError
from elftools.elf.enums import ENUM_E_MACHINE
from elftools.elf.structs import ELFStructs

from minify.elf.dynamic import Dynamic, Layout, Segment, Tag, versions_defined, versions_needed
from minify.elf.elffile import ElfError, ElfFile, ElfKind
from minify.elf.notes import Notes
from minify.elf.symbols import imports
from minify.elf.window import Window
from minify.filetree.path import decoded
from minify.image.blob import Stream

_MAGIC = b"\x7fELF"
_BITS = {1: 32, 2: 64}
_ORDERS = {1: "<", 2: ">"}
_KINDS = {
    "ET_REL": ElfKind.RELOCATABLE,
    "ET_EXEC": ElfKind.EXECUTABLE,
    "ET_DYN": ElfKind.SHARED,
    "ET_CORE": ElfKind.CORE,
}
# The kernel's own bounds: execve refuses more bytes of program headers, or a longer name.
_MOST_PROGRAM_HEADERS = 65536
_LONGEST_INTERPRETER = 4096


def read_elf(stream: Stream, size: int) -> ElfFile | None:
    """The record of the file of `size` bytes; None if it is no ELF at all.

    Reads the header and the tables that ld.so would read, mostly two blocks of 64 KiB. Raises
    ElfError if the file is damaged, and what `stream` raises.
    """
    window = Window(stream, size)
    if size < len(_MAGIC) or window.at(0, len(_MAGIC)) != _MAGIC:
        return None
    try:
        return _read(window)
    except (PyelftoolsError, ConstructError) as error:
        raise ElfError(f"has a header that cannot be read: {error}") from error
    except (ArithmeticError, LookupError, ValueError, TypeError, struct.error) as error:
        raise ElfError(f"cannot be read: {error}") from error
    except (MemoryError, RecursionError) as error:
        raise ElfError("wants more memory than any ELF file does") from error


def _read(window: Window) -> ElfFile:
    ident = window.at(0, 16)
    bits, order = _BITS.get(ident[4]), _ORDERS.get(ident[5])
    if bits is None or order is None:
        raise ElfError(f"has class {ident[4]} and byte order {ident[5]}, which do not exist")
    form = _header_form(bits, order)
    header = form.parse(window.at(0, form.sizeof()))
    kind, machine = header.e_type, header.e_machine
    record = ElfFile(
        kind=_KINDS.get(kind, ElfKind.OTHER),
        bits=bits,
        is_little_endian=order == "<",
        machine=machine if isinstance(machine, int) else ENUM_E_MACHINE[machine],
        os_abi=ident[7],
        flags=header.e_flags,
    )
    if not record.can_be_loaded:
        return record
    form = _program_header_form(bits, order, kind, machine, header.e_ident.EI_OSABI)
    return _with_segments(record, window, order, _program_headers(window, form, header))


# pyelftools builds its parsers anew for each file, which takes longer than all that they do here.
@lru_cache
def _header_form(bits: int, order: str) -> Any:
    structs: Any = ELFStructs(little_endian=order == "<", elfclass=bits)
    structs.create_basic_structs()
    return structs.Elf_Ehdr


@lru_cache
def _program_header_form(bits: int, order: str, kind: Any, machine: Any, os_abi: Any) -> Any:
    structs: Any = ELFStructs(little_endian=order == "<", elfclass=bits)
    structs.create_basic_structs()
    structs.create_advanced_structs(kind, machine, os_abi)
    return structs.Elf_Phdr


def _program_headers(window: Window, form: Any, header: Any) -> list[Any]:
    if not header.e_phnum:
        return []
    size = form.sizeof()
    if header.e_phentsize != size:
        raise ElfError(f"has program headers of {header.e_phentsize} bytes, not {size}")
    total = header.e_phnum * size
    if total > _MOST_PROGRAM_HEADERS:
        raise ElfError(f"has {header.e_phnum:,} program headers")
    data = window.at(header.e_phoff, total)
    return [form.parse(data[start : start + size]) for start in range(0, total, size)]


def _with_segments(record: ElfFile, window: Window, order: str, headers: list[Any]) -> ElfFile:
    interpreter = None
    dynamic = None
    segments = []
    notes = Notes(window, order)
    for header in headers:
        offset, size = header.p_offset, header.p_filesz
        match header.p_type:
            case "PT_LOAD" if size:
                segments.append(Segment(header.p_vaddr, offset, size))
            case "PT_INTERP" if interpreter is None:
                interpreter = _interpreter(window, offset, size)
            case "PT_DYNAMIC" if size:
                dynamic = offset, size
            case "PT_NOTE" if size:
                notes.read(offset, size, header.p_align)
    record = replace(
        record,
        interpreter=interpreter,
        dlopen_notes=tuple(notes.found),
        notes_fault=notes.fault,
    )
    if dynamic is None:
        return record
    layout = Layout(record.bits, order, record.machine, tuple(segments))
    return _with_dynamic(record, Dynamic(window, layout, *dynamic))


def _interpreter(window: Window, offset: int, size: int) -> str:
    if size > _LONGEST_INTERPRETER:
        raise ElfError(f"names its interpreter in {size:,} bytes")
    return decoded(window.at(offset, size).partition(b"\0")[0])


def _with_dynamic(record: ElfFile, dynamic: Dynamic) -> ElfFile:
    return replace(
        record,
        is_dynamic=True,
        needed=dynamic.strings(Tag.NEEDED),
        soname=dynamic.text(Tag.SONAME),
        rpath=dynamic.text(Tag.RPATH),
        runpath=dynamic.text(Tag.RUNPATH),
        flags_1=dynamic.value(Tag.FLAGS_1) or 0,
        filters=dynamic.strings(Tag.FILTER),
        auxiliaries=dynamic.strings(Tag.AUXILIARY),
        audits=dynamic.strings(Tag.AUDIT) + dynamic.strings(Tag.DEPAUDIT),
        versions_needed=versions_needed(dynamic),
        versions_defined=versions_defined(dynamic),
        imports=imports(dynamic),
    )
