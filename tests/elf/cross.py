"""ELF files for other machines, made by GNU as and ld from next to nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from conftest import require

# What is nothing but assembler must say that it hands numbers over as hardware does.
_PROLOGUES = {"armhf": ".eabi_attribute Tag_ABI_VFP_args, 1\n"}

# The prefix of the tools, and what as and ld must be told.
TARGETS = {
    "x86_64": ("", [], []),
    "i386": ("", ["--32"], ["-m", "elf_i386"]),
    "aarch64": ("aarch64-linux-gnu-", [], []),
    "armhf": ("arm-linux-gnueabihf-", [], []),
    "ppc64le": ("powerpc64le-linux-gnu-", [], []),
    "riscv64": ("riscv64-linux-gnu-", [], []),
    "s390x": ("s390x-linux-gnu-", [], []),
}


def linked(target: str, out: Path, flags: Sequence[str], source: str = "") -> Path:
    """What ld makes with `flags` of an assembler source."""
    prefix, as_flags, ld_flags = TARGETS[target]
    require(f"{prefix}as", f"{prefix}ld")
    out.parent.mkdir(parents=True, exist_ok=True)
    object_file = out.with_suffix(".o")
    _run([f"{prefix}as", *as_flags, "-o", str(object_file)], _PROLOGUES.get(target, "") + source)
    _run([f"{prefix}ld", *ld_flags, "-o", str(out), *flags, str(object_file)])
    object_file.unlink()
    return out


def stripped_of_section_headers(path: Path) -> bytes:
    """The file without its section headers, which no loader needs."""
    data = bytearray(path.read_bytes())
    assert data[4] == 2, "for 64 bits only"
    data[40:48] = bytes(8)
    data[58:64] = bytes(6)
    return bytes(data)


def _run(command: list[str], text: str = "") -> None:
    assert shutil.which(command[0]), command
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
