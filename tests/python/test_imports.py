import marshal
import sysconfig
from pathlib import Path

import pytest
from filetree.kit import tree_of

from minify.filetree import ImagePath
from minify.python import Finder, Imports, Module, ModuleKind, in_source
from minify.python.imports import imports_of, in_library

STANDARD = Path(sysconfig.get_path("stdlib"))
TEXT = """\
import os, xml.dom as dom
from . import a
from ..up import (b,  # why
    c as d)
try: import fast
except ImportError: fast = None
if TYPE_CHECKING:
    import typed
def f():
    from late import \\
        later
class C:
    import inner
if __name__ == "__main__":
    import script
"""


def names(found: Imports) -> list[str]:
    return [f"{item.line} {item.name} {item.style.name.lower()}" for item in found.names]


def test_names_of_a_source_with_lines_and_how_sure_they_are() -> None:
    assert names(in_source(TEXT.encode(), "top.package")) == [
        "1 os plain",
        "1 xml.dom plain",
        "2 top.package plain",
        "2 top.package.a plain",
        "3 top.up plain",
        "3 top.up.b plain",
        "3 top.up.c plain",
        "5 fast nested",
        "10 late nested",
        "10 late.later nested",
        "13 inner plain",
    ]


def test_library_is_read_by_lines_with_the_same_names() -> None:
    by_lines = {item.name for item in in_library(TEXT.encode(), "top.package").names}
    assert by_lines == {item.name for item in in_source(TEXT.encode(), "top.package").names}


def test_script_runs_what_is_for_scripts() -> None:
    assert "15 script nested" in names(in_source(TEXT.encode(), "", is_main=True))


def test_platforms_that_are_not_linux_are_left_out() -> None:
    text = """\
import sys
if sys.platform == "win32":
    import winreg
else:
    import posix
if os.name != "nt":
    import pwd
else:
    import msvcrt
"""
    assert {item.name for item in in_source(text.encode(), "").names} == {"sys", "posix", "pwd"}


CALLS = {
    'import_module("a.b")': ["a.b"],
    '__import__("a")': ["a"],
    'importlib.import_module(".c", __package__)': ["p.c"],
    'import_module(f"plugins.{name}")': ["plugins.*"],
    'import_module("plugins.%s" % name)': ["plugins.*"],
    'import_module("plugins." + name)': ["plugins.*"],
    'import_module("plugins.{}".format(name))': ["plugins.*"],
    'import_module("." + name, __package__)': ["p.*"],
    'import_string("a.b:c")': ["a.b"],
    "import_module(name)": ["?1"],
    "pkgutil.iter_modules(__path__)": ["?1"],
    "load_module(name)": [],
}


@pytest.mark.parametrize("call", CALLS)
def test_imports_by_functions(call: str) -> None:
    found = in_library(call.encode(), "p")
    asked = [f"{item.name}{'.*' if item.is_prefix else ''}" for item in found.names]
    assert [*asked, *(f"?{line}" for line in found.unknown)] == CALLS[call]


def test_libraries_that_are_sought_by_a_variable_have_any_of_the_texts_as_name() -> None:
    text = "N = ('magic', 'a b', 'lib*')\nfor n in N: find_library(n)\n"
    assert in_source(text.encode(), "").libraries == {"magic"}
    assert in_library(text.encode(), "").libraries == {"magic"}
    assert in_library(b"x = 'magic'\ndef find_library(name): pass\n", "").libraries == set()


def test_other_versions_grammar_is_read_by_lines() -> None:
    found = in_source(b"print 'x'\nimport cPickle\nfrom a import b\n", "")
    assert names(found) == ["2 cPickle plain", "3 a plain", "3 a.b plain"]


def test_module_of_a_command_is_asked_for() -> None:
    found = in_source(b"run([sys.executable, '-m', 'http.server', '8000'])", "")
    assert {item.name for item in found.names} == {"http.server", "http.server.__main__"}


def test_hostile_nesting_does_no_harm() -> None:
    assert in_source(b"import a\nx = " + b"(" * 50_000, "").names[0].name == "a"
    assert in_source(b"import a\nx = " + b"-" * 50_000 + b"1", "").names[0].name == "a"


def test_lines_have_every_import_of_the_standard_library() -> None:
    for path in sorted(STANDARD.glob("*.py"))[::4]:
        content = path.read_bytes()
        by_tree = {item.name for item in in_source(content, "").names if not item.is_prefix}
        missed = by_tree - {item.name for item in in_library(content, "").names}
        assert missed == set(), path


def test_bytecode_gives_the_names_among_its_constants() -> None:
    code = compile("import os.path\nfrom late import part\nX = 'a.b:c'", "x.py", "exec")
    module = Module("x", ModuleKind.BYTECODE, ImagePath("/x.pyc"))
    found = imports_of(module, bytes(16) + marshal.dumps(code))
    assert {"os.path", "late"} <= {item.name for item in found.names}
    assert "part" in found.members
    assert ("a.b:c", 0) in found.texts


def test_extension_gives_the_names_among_its_strings() -> None:
    module = Module("lxml.etree", ModuleKind.EXTENSION, ImagePath("/x.so"))
    found = imports_of(module, b"\x7fELF\0_elementpath\0no name\0gzip\0")
    assert [item.name for item in found.names] == ["_elementpath", "gzip"]
    assert found.may_be_relative


def test_exported_names_and_texts() -> None:
    found = in_source(b"__all__ = ['a', 'b']\nAPPS = ['shop.cart', 'two words']\n", "p")
    assert found.exported == ("a", "b")
    assert ("shop.cart", 2) in found.texts
    assert "two words" not in {text for text, _ in found.texts}


def test_namespace_asks_for_nothing() -> None:
    tree = tree_of(["a/ns/x.py"])
    module = Finder(tree, ("/a",)).find("ns")
    assert module is not None
    assert imports_of(module, b"") == Imports()
