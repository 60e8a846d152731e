"""What distributions have for building and translating others, and who reads that: data."""

from __future__ import annotations

import re

from minify.unread import COMPILERS, Kind

KINDS = (
    Kind(
        tuple(".a .c .cc .cpp .cxx .f .f90 .h .hh .hpp .hxx .pyf".split()),
        programs=COMPILERS,
        packages=re.compile(
            r"cupy.*|cppyy.*|pycuda|pyopencl|pythran|taichi|triton.*|warp-lang|ziglang"
        ),
    ),
    Kind((".pyx", ".pxd", ".pxi"), packages=re.compile(r"cython|pythran")),
    Kind(
        (".pyi",),
        packages=re.compile(
            r"basedmypy|jedi|lazy-loader|mypy|pylint|pyright|pyrefly|pytype|typeshed-client"
        ),
    ),
    Kind(
        (".po", ".pot"),
        programs=re.compile(r"msg(?:attrib|cat|conv|filter|fmt|merge|unfmt)"),
        packages=re.compile(r"babel|django-rosetta|polib|translate-toolkit|translation-finder"),
        beside=".mo",
    ),
)

SUFFIXES = tuple(suffix for kind in KINDS for suffix in kind.suffixes)

SCRIPTS = (".sh", ".bash", ".ash")
"""Shell scripts, which are run by their names."""
