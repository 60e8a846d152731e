"""The machine that an image is for, in the words of package.json.

https://docs.npmjs.com/cli/configuring-npm/package-json#cpu, which are those of `process.arch`
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from minify.elf.elffile import ElfError, ElfFile
from minify.elf.reader import read_elf
from minify.filetree import Entry, FileTree
from minify.node.manifest import Manifest

CPUS: Mapping[str, str] = {
    "amd64": "x64",
    "386": "ia32",
    "arm": "arm",
    "arm64": "arm64",
    "loong64": "loong64",
    "mips64le": "mips64el",
    "mipsle": "mipsel",
    "ppc64le": "ppc64",
    "riscv64": "riscv64",
    "s390x": "s390x",
}
"""`process.arch` by the architecture's name in an image's configuration."""

# PE, and Mach-O in both byte orders and sizes.
_OTHER_FORMATS = (
    b"MZ",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xfe\xed\xfa",
    b"\xca\xfe\xba\xbe",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """A system, a processor and a C library."""

    cpu: str
    """Empty if it is not known: then any will do."""
    libc: str = ""
    """`glibc` or `musl`; empty as above."""
    program: ElfFile | None = None
    """Node itself, if it is known."""

    @property
    def shown(self) -> str:
        return "-".join(filter(None, ("linux", self.cpu, self.libc)))

    def takes(self, manifest: Manifest) -> bool:
        """Whether a package can be installed here, by what it says of itself."""
        return (
            _is_among("linux", manifest.os)
            and _is_among(self.cpu, manifest.cpu)
            and _is_among(self.libc, manifest.libc)
        )

    def loads(self, manifest: Manifest, directory: str, tree: FileTree) -> bool:
        """Whether the addon that a package of `directory` consists of can be loaded here.

        Not all that have one for each C library say for which it is.
        """
        entry = tree.file(f"{directory}/{manifest.main}") if manifest.main else None
        return entry is None or not entry.path.endswith(".node") or self.can_load(entry, tree)

    def can_load(self, entry: Entry, tree: FileTree) -> bool:
        """Whether a library could be loaded by its format, its machine and its C library.

        What is no library at all may be read for another reason.
        """
        try:
            elf = read_elf(tree.open(entry), entry.size)
        except ElfError:
            return True
        if elf is None:
            return not tree.read(entry, 4).startswith(_OTHER_FORMATS)
        if self.program is not None and not elf.is_alike(self.program):
            return False
        libc = next(filter(None, map(_libc_of, elf.needed)), "")
        return not libc or not self.libc or libc == self.libc


def _libc_of(soname: str) -> str:
    """The C library that has a SONAME; empty if it is another library's."""
    if soname == "libc.so" or soname.startswith("libc.musl-"):
        return "musl"
    return "glibc" if soname.startswith("libc.so.") else ""


def _is_among(value: str, words: Collection[str]) -> bool:
    allowed = [word for word in words if not word.startswith("!")]
    if f"!{value}" in words:
        return False
    return not value or not allowed or value in allowed or "any" in allowed
