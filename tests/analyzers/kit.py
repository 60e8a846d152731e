"""Real programs for the analyzers: small C programs, and the C library they run with."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from pathlib import Path

from filetree.kit import Member, file

LOADER = "/lib64/ld-linux-x86-64.so.2"
LIBRARIES = "/lib/x86_64-linux-gnu"


@functools.cache
def compiled(source: str, *flags: str) -> bytes:
    """The ELF file that gcc makes of a C text."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory, "out")
        command = ["gcc", "-w", "-O0", "-xc", "-", "-xnone", "-o", str(out), *flags]
        subprocess.run(command, input=source.encode(), check=True)
        return out.read_bytes()


def calling(*functions: str, name: str = "app", flags: tuple[str, ...] = ()) -> Member:
    """A program that refers to C functions without calling them at run time."""
    calls = "".join(
        f"extern int {function}(); void *p_{function} = {function};\n" for function in functions
    )
    return file(name, compiled(f"{calls} int main(){{return 0;}}", *flags), mode=0o755)


@functools.cache
def libc() -> tuple[Member, ...]:
    """The machine's own C library and loader, where a tree that is not merged has them."""
    return (
        file(LOADER[1:], Path(LOADER).read_bytes(), mode=0o755),
        file(f"{LIBRARIES[1:]}/libc.so.6", Path(LIBRARIES, "libc.so.6").read_bytes(), mode=0o755),
    )
