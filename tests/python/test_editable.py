"""The tables that editable installations find packages by."""

from filetree.kit import file, tree_of

from minify.python import installation
from minify.python.editable import mapping

SITE = "usr/lib/python3.11/site-packages"
BASE = (file("usr/bin/python3.11", "ELF", mode=0o755), "usr/lib/python3.11/os.py")


def table(path_file: str, name: str, text: str) -> dict[str, str]:
    members = (*BASE, file(f"{SITE}/x.pth", path_file), file(f"{SITE}/{name}.py", text))
    tree = tree_of(members)
    installed = installation(tree, "/usr/bin/python3.11", {})
    assert installed is not None
    return dict(mapping(tree, installed))


def test_table_of_setuptools() -> None:
    name = "__editable___shop_1_0_finder"
    text = "MAPPING: dict[str, str] = {'shop': '/src/shop', 'n.s': '/src/n/s'}\nN = {'n': ['/n']}\n"
    assert table(f"import {name}; {name}.install()", name, text) == {
        "shop": "/src/shop",
        "n.s": "/src/n/s",
    }


def test_calls_of_editables() -> None:
    text = "from editables import R as F\nF.map_module('shop', '/src/shop/__init__.py')\n"
    assert table("import _editable_impl_shop", "_editable_impl_shop", text) == {
        "shop": "/src/shop/__init__.py"
    }


def test_argument_of_scikit_build() -> None:
    text = "install({'shop.x': '/src/shop/x.py'}, {'shop.c': 'shop/c.so'}, None, False, True)\n"
    assert table("import _shop_editable", "_shop_editable", text) == {"shop.x": "/src/shop/x.py"}


def test_what_is_no_table_is_no_harm() -> None:
    assert table("import x", "x", "(((") == {}
    assert table("import x", "x", "T = {'../a': '/b', 'c': 'd', 1: '/e', 'f': '/\\0', **g}") == {}
