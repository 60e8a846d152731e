"""What distributions have for building and translating others, and who reads that: data.

A file of such a kind stays if anything that is kept may read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NOBODY = re.compile(r"(?!)")
# Compilers, and the libraries that are one: they read headers that stand in other distributions.
_COMPILERS = re.compile(
    r"(?:.{0,40}-)?(?:cc|c\+\+|gcc|g\+\+|clang|clang\+\+|tcc|icx|nvcc|hipcc|zig|gfortran|f77|swig)"
    r"(?:-[\d.]{1,9})?|cc1(?:plus)?|(?:lib)?(?:nvrtc|hiprtc|clang|clang-cpp|cling|tcc|OpenCL|warp)"
    r"(?:[-.\d]{0,12})\.so(?:\.[\d.]{1,12})?"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """Files that a distribution has for others."""

    suffixes: tuple[str, ...]
    programs: re.Pattern[str]
    """The names of programs and libraries that read such files."""
    distributions: re.Pattern[str]
    """The names of distributions that do."""
    beside: str = ""
    """The suffix of the file that is read in its place and has to be there."""


KINDS = (
    Kind(
        tuple(".a .c .cc .cpp .cxx .f .f90 .h .hh .hpp .hxx .pyf".split()),
        _COMPILERS,
        re.compile(r"cupy.*|cppyy.*|pycuda|pyopencl|pythran|taichi|triton.*|warp-lang|ziglang"),
    ),
    Kind((".pyx", ".pxd", ".pxi"), _NOBODY, re.compile(r"cython|pythran")),
    Kind(
        (".pyi",),
        _NOBODY,
        re.compile(
            r"basedmypy|jedi|lazy-loader|mypy|pylint|pyright|pyrefly|pytype|typeshed-client"
        ),
    ),
    Kind(
        (".po", ".pot"),
        re.compile(r"msg(?:attrib|cat|conv|filter|fmt|merge|unfmt)"),
        re.compile(r"babel|django-rosetta|polib|translate-toolkit|translation-finder"),
        beside=".mo",
    ),
)

SUFFIXES = tuple(suffix for kind in KINDS for suffix in kind.suffixes)

SCRIPTS = (".sh", ".bash", ".ash")
"""Shell scripts, which are run by their names."""


def kinds(programs: Iterable[str], distributions: Iterable[str]) -> tuple[Kind, ...]:
    """The kinds that nobody reads, where these programs and libraries stay, by their names."""
    names, owners = frozenset(programs), frozenset(distributions)
    return tuple(
        kind
        for kind in KINDS
        if not any(map(kind.programs.fullmatch, names))
        and not any(map(kind.distributions.fullmatch, owners))
    )
