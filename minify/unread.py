"""What packages have for building, checking and explaining them, and who reads that.

A table a language, of `Kind`s: a file of a kind stays if anything that is kept may read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

NOBODY = re.compile(r"(?!)")

# Compilers, and the libraries that are one: they read headers that stand in other packages.
COMPILERS = re.compile(
    r"(?:.{0,40}-)?(?:cc|c\+\+|gcc|g\+\+|clang|clang\+\+|tcc|icx|nvcc|hipcc|zig|gfortran|f77|swig)"
    r"(?:-[\d.]{1,9})?|cc1(?:plus)?|(?:lib)?(?:nvrtc|hiprtc|clang|clang-cpp|cling|tcc|OpenCL|warp)"
    r"(?:[-.\d]{0,12})\.so(?:\.[\d.]{1,12})?"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """Files that a package has for others than who runs it."""

    suffixes: tuple[str, ...]
    shown: str = ""
    """What such a file is, for messages."""
    programs: re.Pattern[str] = NOBODY
    """The names of programs and libraries that read such files."""
    packages: re.Pattern[str] = NOBODY
    """The names of packages that do."""
    calls: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    """Words by which others have a package do it, by that package's name, or the runtime's.
    """
    beside: str = ""
    """The suffix of the file that is read in its place and has to be there."""
    spared: re.Pattern[str] = NOBODY
    """Names of files that stay."""

    @property
    def has_readers(self) -> bool:
        """Whether it is known who reads such files, if it is not the package itself."""
        return bool(self.calls) or (self.programs, self.packages) != (NOBODY, NOBODY)


def unread(
    kinds: Iterable[Kind],
    programs: Iterable[str],
    packages: Iterable[str],
    called: Iterable[str] = (),
) -> tuple[Kind, ...]:
    """The kinds that nobody reads, where these programs, libraries and packages stay.

    `called` are the packages, or the runtime, of whose `calls` something has one.
    """
    names, owners, users = frozenset(programs), frozenset(packages), frozenset(called)
    return tuple(
        kind
        for kind in kinds
        if not any(map(kind.programs.fullmatch, names))
        and not any(map(kind.packages.fullmatch, owners))
        and users.isdisjoint(kind.calls)
    )


def kind_of(path: str, kinds: Iterable[Kind]) -> Kind | None:
    """The first of `kinds` that a file is of, by its name."""
    name = path.rpartition("/")[2]
    found = (kind for kind in kinds if name.endswith(kind.suffixes))
    return next((kind for kind in found if not kind.spared.match(name)), None)
