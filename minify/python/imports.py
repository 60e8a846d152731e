"""What a module imports: names that stand in it, with their lines. Never run.

The application's sources are parsed by `ast`, and those that import by functions; the rest, and
what this Python's grammar refuses (another version's `print x`), is read line by line, ten times as
fast. Bytecode and extensions give the names among their constants.

https://docs.python.org/3/reference/simple_stmts.html#the-import-statement
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum

from minify.python import bytecode, cython, lines
from minify.python.finder import NAME, Module, ModuleKind
from minify.python.syntax import IMPORTERS, LIBRARY, Reader

_ENCODING = re.compile(rb"^[ \t\f]*+#[^\n]*?coding[:=][ \t]*+([-\w.]++)", re.MULTILINE)
_START = 400
_IMPORTER = re.compile(rf"\b(?:{'|'.join(sorted(IMPORTERS))})\(")
_STRING = re.compile(rb"\0(?=([A-Za-z_][\w.]{1,99})\0)")
_MOST_STRINGS = 50_000


class Style(IntEnum):
    """How sure it is that an import happens once its module is imported."""

    TEXT = 0
    """A constant that has the form of a module's name."""
    NESTED = 1
    """Within a function, a condition or a `try`."""
    PLAIN = 2
    """It is the module's own statement."""


class Part(Enum):
    """Whose a module is: the less the program's own, the less of it is taken for an import."""

    APPLICATION = "application"
    LIBRARY = "library"
    STANDARD = "standard library"


@dataclass(frozen=True, slots=True)
class Imported:
    """One name that a module asks for."""

    name: str
    """Absolute. Its last parts may be no modules but attributes."""
    line: int
    """From 1; 0 where there are no lines."""
    style: Style = Style.PLAIN
    is_prefix: bool = False
    """Whether every module below the name is meant: `import_module(f"plugins.{name}")`."""


@dataclass(frozen=True, slots=True)
class Imports:
    """What one module asks for."""

    names: tuple[Imported, ...] = ()
    texts: tuple[tuple[str, int], ...] = ()
    """Short constants without a space, with their lines."""
    unknown: tuple[int, ...] = ()
    """The lines of imports whose name is only known at run time."""
    exported: tuple[str, ...] = ()
    """`__all__`."""
    members: frozenset[str] = frozenset()
    """Of bytecode and of Cython: what may be imported from any of `names`; nobody knows which."""
    may_be_relative: bool = False
    """Whether each of `names` may as well be one of its own package: of bytecode and extensions."""
    libraries: frozenset[str] = frozenset()
    """Those among `texts` that ctypes.util.find_library is given."""
    runs: tuple[int, ...] = ()
    """The lines of calls that start other programs; of sources that are parsed only."""
    programs: tuple[str, ...] = ()
    """The names among `runs` that are constants."""
    is_opaque: bool = False
    """Whether it is an extension whose imports are packed in a way that nobody here reads."""


def package_of(module: Module) -> str:
    """What the relative names of a module are relative to; empty outside of every package."""
    return module.name if module.is_package else module.name.rpartition(".")[0]


def imports_of(
    module: Module, content: bytes, *, is_main: bool = False, part_of: Part = Part.APPLICATION
) -> Imports:
    """What `module` asks for; `content` is that of its file."""
    if module.kind is ModuleKind.NAMESPACE:
        return Imports()
    if module.kind is ModuleKind.EXTENSION or module.member.endswith(".so"):
        return _in_extension(content)
    if module.kind is ModuleKind.BYTECODE or module.member.endswith(".pyc"):
        return _in_bytecode(content)
    package = package_of(module)
    if part_of is Part.LIBRARY and not is_main:
        return in_library(content, package)
    if part_of is Part.STANDARD and not is_main:
        return in_standard_library(content, package)
    return in_source(content, package, is_main=is_main)


def in_source(content: bytes, package: str, *, is_main: bool = False) -> Imports:
    """What the text of a module of `package` asks for; empty for one that is in no package."""
    return _parsed(_decoded(content), package, is_main=is_main)


def in_library(content: bytes, package: str) -> Imports:
    """The same, where a name too many does no harm: a line within a text is an import too."""
    text = _decoded(content)
    return _parsed(text, package) if _IMPORTER.search(text) else _in_lines(text, package)


def in_standard_library(content: bytes, package: str) -> Imports:
    """The same, without what the modules do as scripts, and what they import by functions."""
    return _in_lines(_decoded(content), package, without_scripts=True)


def _in_lines(text: str, package: str, *, without_scripts: bool = False) -> Imports:
    found = lines.imports(text, package, without_scripts=without_scripts)
    names = tuple(
        Imported(name, line, Style.NESTED if is_nested else Style.PLAIN)
        for name, line, is_nested in found
    )
    sought = frozenset(lines.libraries(text, by_variables=not without_scripts))
    return Imports(
        names,
        (*lines.texts(text), *((name, 0) for name in sorted(sought))),
        exported=tuple(lines.exported(text)),
        libraries=sought,
    )


def _parsed(text: str, package: str, *, is_main: bool = False) -> Imports:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a hostile text has any number of them
            tree = ast.parse(text)
        reader = Reader(package, is_main=is_main)
        reader.read(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _in_lines(text, package)
    return Imports(
        tuple(
            Imported(name, line, Style.NESTED if is_nested else Style.PLAIN, is_prefix)
            for name, line, is_nested, is_prefix in reader.names
        ),
        tuple(reader.texts),
        tuple(reader.unknown),
        tuple(reader.exported),
        libraries=frozenset((*reader.libraries, *_perhaps_sought(reader))),
        runs=tuple(reader.runs),
        programs=tuple(reader.programs),
    )


def _perhaps_sought(reader: Reader) -> Iterator[str]:
    """Any text of a module may be a library's name, where that stands in a variable."""
    if reader.seeks_by_variable:
        yield from (text for text, _ in reader.texts if LIBRARY.fullmatch(text))


def _decoded(content: bytes) -> str:
    found = _ENCODING.search(content[:_START])
    encoding = found[1].decode("ascii", "replace") if found else "utf-8"
    try:
        return content.decode(encoding, "replace").removeprefix("\ufeff")
    except (LookupError, UnicodeError, ValueError):
        return content.decode("utf-8", "replace")


def _in_bytecode(content: bytes) -> Imports:
    texts = bytecode.texts(content)
    names = dict.fromkeys(text for text in texts if NAME.fullmatch(text))
    imported = tuple(Imported(name, 0, Style.NESTED) for name in names)
    members = frozenset(name for name in names if "." not in name)
    numbered = tuple((text, 0) for text in texts)
    return Imports(imported, numbered, members=members, may_be_relative=True)


def _in_extension(content: bytes) -> Imports:
    """Every constant of a C module that has the form of a module's name."""
    found: dict[str, None] = {}
    for match in _STRING.finditer(content):
        text = match[1].decode("ascii", "replace")
        if NAME.fullmatch(text):
            found[text] = None
            if len(found) >= _MOST_STRINGS:
                break
    # A library that only calls Cython's code is no module, and imports nothing.
    is_packed = b"PyInit_" in content and cython.is_packed(content)
    packed = cython.packed_texts(content) if is_packed else ()
    found.update(dict.fromkeys(text for text in packed if NAME.fullmatch(text)))
    names = tuple(Imported(name, 0, Style.TEXT) for name in found)
    is_from = cython.is_written(content)
    members = frozenset(name for name in found if "." not in name) if is_from else frozenset()
    is_opaque = is_packed and not packed
    return Imports(names, members=members, may_be_relative=True, is_opaque=is_opaque)
