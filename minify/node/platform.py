"""The machine that an image is for, in the words of package.json.

https://docs.npmjs.com/cli/configuring-npm/package-json#cpu, which are those of `process.arch`
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Machine:
    """A system, a processor and a C library."""

    cpu: str
    """Empty if it is not known: then any will do."""
    libc: str = ""
    """`glibc` or `musl`; empty as above."""

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


def _is_among(value: str, words: Collection[str]) -> bool:
    allowed = [word for word in words if not word.startswith("!")]
    if f"!{value}" in words:
        return False
    return not value or not allowed or value in allowed or "any" in allowed
