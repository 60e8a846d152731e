"""What the standard library imports without a statement, and what of it nobody means: data.

Each from the source of CPython 3.8 to 3.14. What a version does not have is not found, and that is
all.
"""

from __future__ import annotations

from collections.abc import Mapping

# What every start imports, and what the interpreter's own C code imports when it is called:
# time.strptime, pickle, warnings, tracebacks, `-m`.
STARTING = tuple(
    """
    _bootlocale _collections_abc _compat_pickle _sitebuiltins _strptime _weakrefset
    abc ast codecs collections copyreg encodings enum functools genericpath importlib importlib.abc
    importlib.machinery importlib.util io keyword linecache locale operator os pkgutil posixpath re
    reprlib runpy site sitecustomize stat token tokenize traceback types usercustomize warnings
    zipimport
    """.split()
)

# Packages whose modules are imported by names that configuration or data gives: codecs, handlers,
# start methods, parsers.
WHOLE = frozenset("curses dbm encodings logging multiprocessing sqlite3 wsgiref zoneinfo".split())

# Names that a module imports by texts that it puts together.
IMPORTED: Mapping[str, tuple[str, ...]] = {
    "datetime": ("_strptime",),
    "hashlib": ("_hashlib", "_md5", "_sha1", "_sha2", "_sha3", "_sha256", "_sha512", "_blake2"),
    "pickle": ("_compat_pickle", "copyreg"),
    # It takes all that numpy has in `__all__`.
    "scipy._external.array_api_compat.numpy": ("numpy.f2py",),
    "ssl": ("encodings.idna",),
    "socket": ("encodings.idna",),
    "xml.sax": ("xml.sax.expatreader",),
    "zoneinfo": ("tzdata",),
}

# Files in the directory of the standard library that a module reads, as globs.
DATA: Mapping[str, tuple[str, ...]] = {
    "sysconfig": ("_sysconfigdata*", "_sysconfig_vars*", "__pycache__/_sysconfigdata*"),
    "_sysconfigdata": ("_sysconfigdata*",),
    "lib2to3": ("lib2to3/*.txt", "lib2to3/*.pickle"),
    "ensurepip": ("ensurepip/_bundled/*",),
    "pydoc": ("pydoc_data/*",),
    "idlelib": ("idlelib/*.def", "idlelib/Icons/*"),
    "turtle": ("turtledemo/*",),
    "venv": ("venv/scripts/*/*",),
    "wsgiref": ("wsgiref/*.txt",),
}

# Files anywhere that a module reads, or programs that it runs.
OUTSIDE: Mapping[str, tuple[str, ...]] = {
    "mimetypes": ("/etc/mime.types",),
    "ctypes.util": ("/sbin/ldconfig", "/usr/sbin/ldconfig", "/bin/sh"),
    "curses": ("/usr/share/terminfo", "/lib/terminfo", "/etc/terminfo"),
    "subprocess": ("/bin/sh",),
}

# Modules in Python that stand in for one in C, where that is missing.
REPLACED: Mapping[str, str] = {"_pydatetime": "_datetime", "_pydecimal": "_decimal"}

# What a .pth file imports to put setuptools' copy in the place of distutils, which Python has no
# more from 3.12 on, and Debian's only in parts.
# https://setuptools.pypa.io/en/latest/deprecated/distutils-legacy.html
DISTUTILS = "distutils"
HOOK_OF_DISTUTILS = "_distutils_hack"
COPY_OF_DISTUTILS = "setuptools._distutils"

# What a module imports for another system than Linux.
ELSEWHERE = frozenset((("ctypes.util", "ctypes._aix"), ("platform", "plistlib")))

# Texts in every extension that a compiler wrote, whatever it is for.
FROM_COMPILERS = frozenset(("asyncio.coroutines", "backports_abc", "cython_runtime"))

# What the library's own functions for people import, and nothing else means: help(), breakpoint(),
# self-tests. Followed only from a module's first level, and never because a text has the name.
FOR_PEOPLE = frozenset(
    """
    _pyrepl antigravity cgitb cProfile distutils doctest ensurepip idlelib lib2to3 pdb pip profile
    pydoc pydoc_data readline rlcompleter setuptools test this tkinter turtle turtledemo unittest
    venv webbrowser
    """.split()
)

# Distributions that build, test and check; what a library has for them in reserve is not followed.
FOR_DEVELOPERS = frozenset(
    """
    black build coverage cython flake8 flit-core hatchling hypothesis ipykernel ipython jedi
    meson-python mypy nose nox numpydoc pip pkg-resources poetry-core pre-commit pybind11 pyflakes
    pyinstaller pylint pyright pytest pytest-asyncio pytest-cov ruff setuptools setuptools-scm
    sphinx tox virtualenv wheel
    """.split()
)


def is_for_developers(distribution: str) -> bool:
    """Whether a distribution, or the system's package of it, is a tool of developers."""
    name = distribution.removeprefix("python3-").removeprefix("py3-")
    return name in FOR_DEVELOPERS


# Groups of entry points for tools that are not the program.
FOR_TOOLS = frozenset(
    """
    console_scripts distutils.commands distutils.setup_keywords egg_info.writers gui_scripts
    hypothesis pip pylint pyinstaller40 pytest11 setuptools.finalize_distribution_options
    setuptools.installation sphinx.builders
    """.split()
)

# Packages below a distribution's own that are for whoever tests or builds it. Those for building,
# and its own tests, are not meant by a function that imports them: `numpy.f2py` is an attribute.
_BUILDING = frozenset("_tests distutils f2py test tests".split())
TESTING = _BUILDING | {"testing"}


def is_for_building(name: str) -> bool:
    """Whether a module is in one of them that only a statement of its own means."""
    return not _BUILDING.isdisjoint(name.split(".")[1:])


_ASIDE = frozenset(
    """
    __main__ _examples _pyinstaller _testing benchmark benchmarks conftest distutils doc docs
    example examples f2py mypy_plugin noxfile setup setuptools_ext test testing tests _tests
    """.split()
)


def is_aside(name: str) -> bool:
    """Whether a module is for tests or tools by its name, so that only its importers mean it."""
    parts = name.split(".")[1:] or [name]
    return any(
        part in _ASIDE
        or part.startswith(("test_", "idle_", "bench_"))
        or part.endswith(("_test", "_tests", "doctest", "doctestcompare"))
        for part in parts
    )
