"""`.note.dlopen`: what compilers and assemblers write is read, and nothing of it can do harm."""

from __future__ import annotations

import json
import re
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import require

from elf.cross import TARGETS, linked, stripped_of_section_headers
from elf.lab import Lab
from elf.test_reader import read, record
from minify.elf import DlopenNote, ElfFile, Priority

REQUIRED, RECOMMENDED, SUGGESTED = Priority.REQUIRED, Priority.RECOMMENDED, Priority.SUGGESTED


def assembled(*texts: str, owner: str = "FDO", kind: int = 0x407C0C0A) -> str:
    """The notes as an assembler source, each in a record of its own."""
    lines = ['.section .note.dlopen, "a", %note', ".balign 4"]
    for text in texts:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        lines += [
            ".4byte 2f - 1f",
            ".4byte 4f - 3f",
            f".4byte {kind:#x}",
            f'1: .asciz "{owner}"',
            "2: .balign 4",
            f'3: .asciz "{quoted}"',
            "4: .balign 4",
        ]
    return "\n".join([*lines, ""])


def _written(tmp_path: Path, source: str, target: str = "x86_64") -> Path:
    return linked(target, tmp_path / "libx.so", ["-shared"], source)


def _notes(path: Path) -> tuple[Sequence[DlopenNote], str]:
    elf = record(path)
    return elf.dlopen_notes, elf.notes_fault


BPF = """[{"soname": ["libbpf.so.1", "libbpf.so.0"], "feature": "bpf",
 "description": "Filters für Pakete", "priority": "suggested"}]""".replace("\n", "")


@pytest.mark.parametrize("target", TARGETS)
def test_notes_of_every_class_and_byte_order_are_read(tmp_path: Path, target: str) -> None:
    source = assembled(BPF, '[{"soname": ["liba.so"]}, {"soname": ["libb.so"]}]', "[]")
    path = _written(tmp_path, source, target)
    bpf = DlopenNote(("libbpf.so.1", "libbpf.so.0"), SUGGESTED, "bpf", "Filters für Pakete")
    plain = [DlopenNote((name,), RECOMMENDED) for name in ("liba.so", "libb.so")]
    assert _notes(path) == ((bpf, *plain), "")


def test_notes_are_what_objcopy_takes_out_of_the_section(tmp_path: Path) -> None:
    require("objcopy")
    path = _written(tmp_path, assembled(BPF, '[{"soname":["liba.so"],"priority":"required"}]'))
    out = tmp_path / "notes"
    command = ["objcopy", "-O", "binary", "--only-section=.note.dlopen", str(path), str(out)]
    subprocess.run(command, check=True)
    texts = re.findall(rb"FDO\0(\[.*?\])\0", out.read_bytes())
    theirs = [item for text in texts for item in json.loads(text)]
    notes, _ = _notes(path)
    assert [(list(one.sonames), one.priority.value) for one in notes] == [
        (item["soname"], item["priority"]) for item in theirs
    ]
    assert len(theirs) == 2


def test_notes_of_programs_are_read(lab: Lab) -> None:
    """Beside the compiler's own notes, which are aligned to 8; in static programs too."""
    code = f'__asm__({json.dumps(assembled(BPF))} ".text\\n");\nint main(void) {{ return 0; }}'
    for flags in ([], ["-static"], ["-static-pie"], ["-no-pie"]):
        notes, fault = _notes(lab.program("prog", flags=flags, code=code))
        assert ([one.sonames for one in notes], fault) == ([("libbpf.so.1", "libbpf.so.0")], "")


def test_section_headers_are_not_needed(tmp_path: Path) -> None:
    elf = read(stripped_of_section_headers(_written(tmp_path, assembled(BPF))))
    assert elf is not None
    assert [one.feature for one in elf.dlopen_notes] == ["bpf"]


def test_first_edition_of_the_specification_is_read(tmp_path: Path) -> None:
    source = assembled('{"soname": "libfoo.so.1", "feature": "foo", "priority": "required"}')
    assert _notes(_written(tmp_path, source)) == (
        (DlopenNote(("libfoo.so.1",), REQUIRED, "foo"),),
        "",
    )


def test_unknown_keys_are_for_later_editions(tmp_path: Path) -> None:
    source = assembled('[{"soname": ["liba.so"], "since": {"version": [1, 2.5, null]}}]')
    assert _notes(_written(tmp_path, source)) == ((DlopenNote(("liba.so",), RECOMMENDED),), "")


@pytest.mark.parametrize(("owner", "kind"), [("GNU", 0x407C0C0A), ("FDO", 0xCAFE1A7E)])
def test_notes_of_others_are_passed_over(tmp_path: Path, owner: str, kind: int) -> None:
    """systemd's package note has the same owner."""
    path = _written(tmp_path, assembled('{"type": "deb"}', owner=owner, kind=kind))
    assert _notes(path) == ((), "")


_NO_PRIORITY = "`priority` is none of those that there are"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "it is no JSON, or has a key twice"),
        ("nonsense", "it is no JSON, or has a key twice"),
        ('[{"soname": ["liba.so"]', "it is no JSON, or has a key twice"),
        ('[{"soname": ["a"], "soname": ["b"]}]', "it is no JSON, or has a key twice"),
        ("[" * 50000, "it is no JSON, or has a key twice"),
        ("1", "it is no list of objects"),
        ('[["liba.so"]]', "it is no list of objects"),
        ("[{}]", "`soname` is no list of names"),
        ('[{"soname": []}]', "`soname` is no list of names"),
        ('[{"soname": {"a": 1}}]', "`soname` is no list of names"),
        ('[{"soname": [1]}]', "`soname` is no text"),
        ('[{"soname": [""]}]', "`soname` has 0 characters"),
        ('[{"soname": ["a\\nb"]}]', "`soname` is no text"),
        ('[{"soname": ["%s"]}]' % ("a" * 1001), "`soname` has 1,001 characters"),
        ('[{"soname": [%s"a"]}]' % ('"a",' * 20), "`soname` is no list of names"),
        ('[{"soname": ["a"], "priority": "urgent"}]', _NO_PRIORITY),
        ('[{"soname": ["a"], "priority": ["required"]}]', _NO_PRIORITY),
        ('[{"soname": ["a"], "feature": null}]', "`feature` is no text"),
        ('[{"soname": ["a"], "description": "\\u001b[2J"}]', "`description` is no text"),
        ("[%s1]" % ('{"soname": ["a"]},' * 501), "it names more than 500 libraries"),
        (" " * 65536, "it has 65,537 bytes"),
        ("9" * 5000, "it is no JSON, or has a key twice"),
    ],
)
def test_damaged_note_is_told_and_the_file_is_read(tmp_path: Path, text: str, fault: str) -> None:
    path = _written(tmp_path, assembled('[{"soname": ["good.so"]}]', text))
    notes, found = _notes(path)
    assert found == fault
    assert notes[0] == DlopenNote(("good.so",), RECOMMENDED)
    assert len(notes) <= 500


def _with_segment(notes: bytes, size: int | None = None, offset: int = 176) -> ElfFile:
    """A library that is nothing but a PT_NOTE segment."""
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, 4096, 4096, 4096)
    length = len(notes) if size is None else size
    note = struct.pack("<IIQQQQQQ", 4, 4, offset, offset, 0, length, length, 4)
    elf = read(header + load + note + notes)
    assert elf is not None
    return elf


def _record(text: bytes, length: int | None = None) -> bytes:
    size = len(text) if length is None else length
    return struct.pack("<III4s", 4, size, 0x407C0C0A, b"FDO\0") + text + bytes(-len(text) % 4)


@pytest.mark.parametrize(
    ("elf", "fault"),
    [
        (_with_segment(b""), ""),
        (_with_segment(b"\0" * 11), ""),
        (_with_segment(_record(b'[{"soname":["a"]}]')[:-4], None), "it has 18 bytes"),
        (_with_segment(_record(b"[]", 2**32 - 1)), "it has 4,294,967,295 bytes"),
        (_with_segment(struct.pack("<III", 2**32 - 1, 2**32 - 1, 0x407C0C0A)), ""),
        (_with_segment(b"", 100), "wants 12 bytes at 0xb0; the file has 176"),
        (_with_segment(b"", 2**64 - 1), "wants 12 bytes at 0xb0; the file has 176"),
        (_with_segment(b"", 100, 2**64 - 1), f"wants 12 bytes at {2**64 - 1:#x}; the file has 176"),
        (_with_segment(bytes(12) * 5000), "there are more than 4,096 notes"),
    ],
)
def test_segment_that_cannot_be_is_told(elf: ElfFile, fault: str) -> None:
    assert (elf.dlopen_notes, elf.notes_fault) == ((), fault)
