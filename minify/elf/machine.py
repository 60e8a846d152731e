"""What differs from one machine to the next: names, directories, levels of its processors.

https://sourceware.org/git/?p=glibc.git;a=blob;f=sysdeps/generic/ldconfig.h
https://wiki.debian.org/Multiarch/Tuples
"""

from __future__ import annotations

from dataclasses import dataclass

from minify.elf.elffile import EF_ARM_ABI_FLOAT_SOFT, ElfFile


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine and ABI that Linux runs on."""

    name: str
    """As uname and people call it."""
    multiarch: str = ""
    """Debian's name for its library directory."""
    library_directory: str = "lib64"
    """Where glibc is by default, below / and /usr, and what $LIB stands for."""
    interpreter: str = ""
    """glibc's ABI-defined path."""
    musl: str = ""
    """What musl calls it."""
    cache_flags: frozenset[int] = frozenset()
    """How ld.so.cache marks its libraries; empty if that is not known."""
    platforms: tuple[str, ...] = ()
    """What $PLATFORM may stand for, which the processor decides."""
    levels: tuple[str, ...] = ()
    """Subdirectories of glibc-hwcaps, the best first."""
    legacy: tuple[str, ...] = ()
    """Subdirectories that glibc until 2.36 searched, `tls` aside, in the order in which they nest:
    platforms, then the processor's features. One name may be both.
    """


_X86_64 = ("haswell", "xeon_phi", "x86_64", "avx512_1", "x86_64")
_I386 = ("i686", "i586", "i486", "i386", "sse2")
_ARM = ("v8l", "v7l", "v6l")
_POWER = ("power10", "power9", "power8", "power7")
_Z = ("z17", "z16", "z15", "z14", "z13")
_OLD_Z = (*_Z, "zEC12", "z196", "z10")

# By e_machine, class and byte order.
_MACHINES: dict[tuple[int, int, bool], Machine] = {
    (62, 64, True): Machine(
        "x86_64",
        "x86_64-linux-gnu",
        interpreter="/lib64/ld-linux-x86-64.so.2",
        musl="x86_64",
        cache_flags=frozenset({0x303}),
        platforms=("x86_64",),
        levels=("x86-64-v4", "x86-64-v3", "x86-64-v2"),
        legacy=_X86_64,
    ),
    (62, 32, True): Machine(
        "x32",
        "x86_64-linux-gnux32",
        library_directory="libx32",
        interpreter="/libx32/ld-linux-x32.so.2",
        musl="x32",
        cache_flags=frozenset({0x803}),
        platforms=("x86_64",),
        levels=("x86-64-v4", "x86-64-v3", "x86-64-v2"),
        legacy=_X86_64,
    ),
    (3, 32, True): Machine(
        "i386",
        "i386-linux-gnu",
        library_directory="lib",
        interpreter="/lib/ld-linux.so.2",
        musl="i386",
        cache_flags=frozenset({0x3, 0x1}),  # 1 is a library that needs no C library
        platforms=("i686", "i586", "i486", "i386"),
        legacy=_I386,
    ),
    (183, 64, True): Machine(
        "aarch64",
        "aarch64-linux-gnu",
        interpreter="/lib/ld-linux-aarch64.so.1",
        musl="aarch64",
        cache_flags=frozenset({0xA03}),
        platforms=("aarch64",),
        legacy=("aarch64", "atomics"),
    ),
    (40, 32, True): Machine(
        "armhf",
        "arm-linux-gnueabihf",
        library_directory="lib",
        interpreter="/lib/ld-linux-armhf.so.3",
        musl="armhf",
        cache_flags=frozenset({0x903, 0x3}),
        platforms=_ARM,
        legacy=(*_ARM, "neon", "vfp"),
    ),
    (243, 64, True): Machine(
        "riscv64",
        "riscv64-linux-gnu",
        library_directory="lib64/lp64d",
        interpreter="/lib/ld-linux-riscv64-lp64d.so.1",
        musl="riscv64",
        cache_flags=frozenset({0x1003}),
    ),
    (21, 64, True): Machine(
        "ppc64le",
        "powerpc64le-linux-gnu",
        interpreter="/lib64/ld64.so.2",
        musl="powerpc64le",
        cache_flags=frozenset({0x503}),
        platforms=_POWER,
        levels=("power10", "power9"),
        legacy=(*_POWER, "altivec", "dfp"),
    ),
    (21, 64, False): Machine(
        "ppc64",
        "powerpc64-linux-gnu",
        interpreter="/lib64/ld64.so.1",
        musl="powerpc64",
        cache_flags=frozenset({0x503}),
        platforms=_POWER,
        legacy=(*_POWER, "altivec", "dfp"),
    ),
    (22, 64, False): Machine(
        "s390x",
        "s390x-linux-gnu",
        interpreter="/lib/ld64.so.1",
        musl="s390x",
        cache_flags=frozenset({0x403}),
        platforms=_OLD_Z,
        levels=_Z,
        legacy=(*_OLD_Z, "vxe2", "vxe", "vx", "dfp", "eimm", "ldisp", "zarch"),
    ),
    (258, 64, True): Machine(
        "loongarch64",
        "loongarch64-linux-gnu",
        interpreter="/lib64/ld-linux-loongarch-lp64d.so.1",
        musl="loongarch64",
        cache_flags=frozenset({0x1203}),
    ),
    (8, 64, True): Machine(
        "mips64el",
        "mips64el-linux-gnuabi64",
        interpreter="/lib64/ld.so.1",
        musl="mips64el",
        cache_flags=frozenset({0x703, 0xE03}),
    ),
}

_ARMEL = Machine(
    "armel",
    "arm-linux-gnueabi",
    library_directory="lib",
    interpreter="/lib/ld-linux.so.3",
    musl="arm",
    cache_flags=frozenset({0xB03, 0x3}),
    platforms=_ARM,
    legacy=(*_ARM, "neon", "vfp"),
)


def machine_of(elf: ElfFile) -> Machine:
    """The machine that `elf` is for; one with only a name if it is not known."""
    if elf.machine == 40 and elf.flags & EF_ARM_ABI_FLOAT_SOFT:
        return _ARMEL
    known = _MACHINES.get((elf.machine, elf.bits, elf.is_little_endian))
    if known is not None:
        return known
    order = "little" if elf.is_little_endian else "big"
    library_directory = "lib64" if elf.bits == 64 else "lib"
    name = f"machine {elf.machine} ({elf.bits} bits, {order}-endian)"
    return Machine(name, library_directory=library_directory)
