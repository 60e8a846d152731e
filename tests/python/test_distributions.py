from filetree.kit import Members, file, tree_of

from minify.filetree import FileTree, ImagePath
from minify.packages import read_packages
from minify.python import Distributions, Installation, installation

SITE = "usr/lib/python3.11/site-packages"
BASE = (file("usr/bin/python3.11", "ELF", mode=0o755), "usr/lib/python3.11/os.py")
RECORD = """\
shop/__init__.py,,
shop/data.txt,,
../../../bin/shop,,
"shop/with,comma.txt",,
shop-1.0.dist-info/RECORD,,
gone.py,,
/etc/shop.conf,,
"""
POINTS = "[console_scripts]\nshop = shop.cli:main\n[shop.formats]\nyaml = shop.y:dump [extra]\n"


def read(
    *members: str | object, path: str = "/usr/bin/python3.11"
) -> tuple[FileTree, Distributions]:
    tree = tree_of([*BASE, *members])  # type: ignore[list-item]
    installed = installation(tree, path, {})
    assert isinstance(installed, Installation)
    return tree, Distributions(tree, installed, read_packages(tree))


def whole() -> Members:
    return [
        f"{SITE}/shop/__init__.py",
        f"{SITE}/shop/data.txt",
        f"{SITE}/shop/with,comma.txt",
        "usr/bin/shop",
        "etc/shop.conf",
        file(f"{SITE}/shop-1.0.dist-info/RECORD", RECORD),
        file(f"{SITE}/shop-1.0.dist-info/entry_points.txt", POINTS),
    ]


def test_record_says_what_is_its_own() -> None:
    _, distributions = read(*whole())
    (shop,) = distributions.all
    assert shop.name == "shop"
    assert set(shop.files) == {
        f"/{SITE}/shop/__init__.py",
        f"/{SITE}/shop/data.txt",
        f"/{SITE}/shop/with,comma.txt",
        "/usr/bin/shop",
        "/etc/shop.conf",
        f"/{SITE}/shop-1.0.dist-info",
        f"/{SITE}/shop-1.0.dist-info/RECORD",
    }
    assert distributions.owner(ImagePath(f"/{SITE}/shop/data.txt")) == shop
    assert distributions.groups == {
        "console_scripts": ((shop, "shop.cli:main"),),
        "shop.formats": ((shop, "shop.y:dump"),),
    }


def test_bytecode_in_the_place_of_a_listed_source_is_its_own() -> None:
    record = file(f"{SITE}/shop-1.dist-info/RECORD", "shop/__init__.py,,\nshop/gone.py,,\n")
    _, distributions = read(f"{SITE}/shop/__init__.pyc", record)
    (shop,) = distributions.all
    assert distributions.owner(ImagePath(f"/{SITE}/shop/__init__.pyc")) == shop


def test_metadata_beside_the_sources_that_setup_py_develops() -> None:
    points = file("src/shop.egg-info/entry_points.txt", POINTS)
    link = file(f"{SITE}/easy-install.pth", "/src\n")
    _, distributions = read(points, link)
    assert {one.name: one.metadata for one in distributions.all} == {"shop": "/src/shop.egg-info"}
    assert "console_scripts" in distributions.groups


def test_what_nobody_has_a_list_of_is_its_own() -> None:
    _, distributions = read(f"{SITE}/lone/__init__.py", f"{SITE}/lone/x.py", f"{SITE}/one.py")
    lone = distributions.owner(ImagePath(f"/{SITE}/lone/x.py"))
    one = distributions.owner(ImagePath(f"/{SITE}/one.py"))
    assert lone is not None
    assert lone.files == (f"/{SITE}/lone",)
    assert one is not None
    assert one.files == (f"/{SITE}/one.py",)
    assert distributions.owner(ImagePath("/app/x.py")) is None


def test_old_metadata_names_its_packages() -> None:
    _, distributions = read(
        f"{SITE}/old/__init__.py",
        file(f"{SITE}/Old_Thing-2.0.egg-info/top_level.txt", "old\n"),
        file(f"{SITE}/listed-1.egg-info/installed-files.txt", "../listed.py\n"),
        f"{SITE}/listed.py",
    )
    old = distributions.owner(ImagePath(f"/{SITE}/old/__init__.py"))
    assert old is not None
    assert old.name == "old-thing"
    assert old.files == (f"/{SITE}/old", f"/{SITE}/Old_Thing-2.0.egg-info")
    listed = distributions.by_name["listed"]
    assert listed.files == (f"/{SITE}/listed-1.egg-info", f"/{SITE}/listed.py")


def test_packages_of_the_system_are_units() -> None:
    status = "Package: python3-yaml\nStatus: install ok installed\nVersion: 6\nArchitecture: all\n"
    _, distributions = read(
        file("var/lib/dpkg/status", status),
        file("var/lib/dpkg/info/python3-yaml.list", f"/{SITE}/yaml\n/{SITE}/yaml/__init__.py\n"),
        f"{SITE}/yaml/__init__.py",
    )
    yaml = distributions.owner(ImagePath(f"/{SITE}/yaml/__init__.py"))
    assert yaml is not None
    assert (yaml.name, yaml.files) == ("python3-yaml", (f"/{SITE}/yaml/__init__.py",))


def test_damaged_metadata_is_no_harm() -> None:
    _, distributions = read(
        file(f"{SITE}/a-1.dist-info/RECORD", b'\0\xff,\n"unclosed'),
        file(f"{SITE}/a-1.dist-info/entry_points.txt", "[[[\nx"),
        file(f"{SITE}/a-1.dist-info/direct_url.json", "[" * 100_000),
    )
    assert distributions.by_name["a"].entry_points == ()


def test_editable_installation_names_its_directory() -> None:
    url = '{"url": "file:///src/shop", "dir_info": {"editable": true}}'
    _, distributions = read(file(f"{SITE}/shop-1.dist-info/direct_url.json", url))
    assert distributions.by_name["shop"].source == "/src/shop"
