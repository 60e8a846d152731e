import io
import zipfile
from collections.abc import Mapping

from analyzers.kit import compiled
from filetree.kit import Members, file, tree_of

from minify.filetree import ImagePath
from minify.python import Finder, Module


def shown(module: Module | None) -> str:
    if module is None:
        return ""
    inside = f" {', '.join(module.directories)}" if module.directories else ""
    return f"{module.kind.value} {module.path}{inside}"


def find(members: Members, *names: str, path: tuple[str, ...] = ("/a", "/b")) -> dict[str, str]:
    finder = Finder(tree_of(members), path)
    return {name: shown(finder.find(name)) for name in names}


def test_modules_are_found_as_importlib_does() -> None:
    members = [
        "a/source.py",
        "a/compiled.pyc",
        "a/c.cpython-311-x86_64-linux-gnu.so",
        "a/plain.so",
        "a/stable.abi3.so",
        "a/both.py",
        "a/both.so",
        "a/package/__init__.py",
        "a/package/inner.py",
        "a/package.py",
        "b/source.py",
        "b/late.py",
        "a/not.a.module.py",
        "a/text.txt",
    ]
    assert find(
        members, *"source compiled c plain stable both package package.inner late text gone".split()
    ) == {
        "source": "source /a/source.py",
        "compiled": "bytecode /a/compiled.pyc",
        "c": "extension /a/c.cpython-311-x86_64-linux-gnu.so",
        "plain": "extension /a/plain.so",
        "stable": "extension /a/stable.abi3.so",
        "both": "extension /a/both.so",
        "package": "source /a/package/__init__.py /a/package",
        "package.inner": "source /a/package/inner.py",
        "late": "source /b/late.py",
        "text": "",
        "gone": "",
    }


def test_namespace_has_all_its_directories_unless_a_module_comes() -> None:
    members = ["a/ns/one.py", "b/ns/two.py", "a/other/x.py", "b/other.py"]
    assert find(members, "ns", "ns.one", "ns.two", "other", "other.x") == {
        "ns": "namespace /a/ns /a/ns, /b/ns",
        "ns.one": "source /a/ns/one.py",
        "ns.two": "source /b/ns/two.py",
        "other": "source /b/other.py",
        "other.x": "",
    }


def test_namespaces_of_the_old_kinds_are_spread() -> None:
    text = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)"
    members = (file("a/ns/__init__.py", text), file("b/ns/__init__.py", text), "b/ns/two.py")
    assert find(members, "ns.two") == {"ns.two": "source /b/ns/two.py"}


def test_modules_in_a_zip() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("p/__init__.py", "import os")
        archive.writestr("p/inner.py", "import q")
    finder = Finder(tree_of([file("a/x.egg", out.getvalue())]), ("/a/x.egg",))
    inner = finder.find("p.inner")
    assert shown(inner) == "archived /a/x.egg"
    assert inner is not None
    assert finder.source(inner) == b"import q"


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_zip_may_have_any_name_and_directories_that_are_no_packages() -> None:
    text = "import z"
    content = zipped(
        {
            "__main__.py": "",
            "site-packages/shop/__init__.py": "",
            "site-packages/shop/x.py": text,
            ".deps/one-1-py3-none-any.whl/one/__init__.py": text,
            ".deps/one-1-py3-none-any.whl/one/fast.abi3.so": b"\x7fELF",
            "site-packages/shop/__pycache__/x.cpython-312.pyc": "",
            "site-packages/not-a.module.py": "",
        }
    )
    finder = Finder(tree_of([file("app", content)]), ("/a",)).with_archive(ImagePath("/app"))
    assert {module.name: module.member for module in finder.archived(ImagePath("/app"))} == {
        "__main__": "__main__.py",
        "shop": "site-packages/shop/__init__.py",
        "shop.x": "site-packages/shop/x.py",
        "one": ".deps/one-1-py3-none-any.whl/one/__init__.py",
        "one.fast": ".deps/one-1-py3-none-any.whl/one/fast.abi3.so",
    }
    found = finder.find("shop.x")
    assert found is not None
    assert (found.path, finder.source(found)) == ("/app", text.encode())


def test_libraries_in_a_zip_say_what_they_need() -> None:
    inner = compiled("", "-shared", "-fPIC", "-Wl,--no-as-needed", "-lm")
    content = zipped({"p/c.so": inner, "p.libs/libq.so.1": b"\x7fELF?", "p/x.py": ""})
    finder = Finder(tree_of([file("app.pyz", content)]), ())
    assert finder.needed(ImagePath("/app.pyz")) == ("libm.so.6", "libc.so.6")


def test_damaged_zip_has_no_modules() -> None:
    members = [file("a/x.egg", b"PK\3\4garbage")]
    assert find(members, "p", path=("/a/x.egg",)) == {"p": ""}


def test_all_below_a_package() -> None:
    members = ["a/p/__init__.py", "a/p/q/__init__.py", "a/p/q/r.so", "a/p/data/x.json", "a/p/z.py"]
    finder = Finder(tree_of(members), ("/a",))
    package = finder.find("p")
    assert package is not None
    assert [module.name for module in finder.below(package)] == ["p.q", "p.z", "p.q.r"]


def test_hostile_names_are_nobodys() -> None:
    finder = Finder(tree_of(["a/x.py"]), ("/a",))
    assert [finder.find(name) for name in ("", ".", "..x", "a\0", "x." * 300, "../x")] == [None] * 6


def test_editable_packages_are_found_by_their_table() -> None:
    tree = tree_of(["src/shop/__init__.py", "src/shop/x.py", "src/one.py"])
    finder = Finder(tree, (), {"shop": "/src/shop", "one": "/src/one.py"})
    assert shown(finder.find("shop.x")) == "source /src/shop/x.py"
    assert shown(finder.find("one")) == "source /src/one.py"
    assert finder.mapped == ("/src/shop",)


def test_editable_packages_in_a_namespace() -> None:
    members = ["src/ns/shop/__init__.py", "b/ns/other.py", "src/in/deep/shop/__init__.py"]
    table = {"ns.shop": "/src/ns/shop", "in.deep.shop": "/src/in/deep/shop/__init__.py"}
    finder = Finder(tree_of(members), ("/b",), table)
    assert {
        name: shown(finder.find(name)) for name in ("ns", "ns.shop", "ns.other", "in.deep")
    } == {
        "ns": "namespace /b/ns /b/ns, /src/ns",
        "ns.shop": "source /src/ns/shop/__init__.py /src/ns/shop",
        "ns.other": "source /b/ns/other.py",
        "in.deep": "namespace /src/in/deep /src/in/deep",
    }
    assert shown(finder.find("in.deep.shop")).startswith("source /src/in/deep/shop/__init__.py")
