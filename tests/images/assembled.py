"""A program for musl on 32-bit ARM, made by GNU as and ld: no compiler for it is needed."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from pathlib import Path

_LIBC = "usr/lib/arm-linux-musleabihf/libc.so"

SOURCE = """
.eabi_attribute Tag_ABI_VFP_args, 1
.text
.global _start
_start:
    mov fp, #0
    mov lr, #0
    ldr r1, [sp]
    add r2, sp, #4
    mov r3, #0
    ldr r0, =main
    bic sp, sp, #7
    bl __libc_start_main
main:
    push {r4, lr}
    ldr r0, =variable
    bl getenv
    bl puts
    mov r0, #0
    pop {r4, pc}
.section .rodata
variable: .asciz "GREETING"
"""
"""Prints the variable GREETING, by functions of the C library."""


def musl_arm_program(root: Path) -> bytes:
    """A dynamic executable against the musl in the plain tar `root`."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with tarfile.open(root, "r:") as tar:
            libc = tar.extractfile(f"./{_LIBC}")
            assert libc is not None
            (directory / "libc.so").write_bytes(libc.read())
        prefix, loader = "arm-linux-gnueabihf-", "/lib/ld-musl-armhf.so.1"
        assemble = [f"{prefix}as", "-march=armv7-a", "-o", f"{name}/greet.o"]
        subprocess.run(assemble, input=SOURCE, text=True, check=True)
        link = [f"{prefix}ld", "-o", f"{name}/greet", f"--dynamic-linker={loader}"]
        subprocess.run([*link, f"{name}/greet.o", f"-L{name}", "-l:libc.so"], check=True)
        return (directory / "greet").read_bytes()
