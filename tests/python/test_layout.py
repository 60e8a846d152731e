import pytest
from filetree.kit import Members, file, tree_of

from minify.python import Installation, installation

DEBIAN = (
    "usr/bin/python3 -> python3.11",
    file("usr/bin/python3.11", "ELF", mode=0o755),
    "usr/lib/python3.11/os.py",
    "usr/lib/python3/dist-packages/",
    "usr/local/lib/python3.11/dist-packages/",
)
LOCAL = (
    file("usr/local/bin/python3.12", "ELF", mode=0o755),
    "usr/local/bin/python -> python3.12",
    "usr/local/lib/python3.12/os.py",
    "usr/local/lib/python3.12/site-packages/",
)
VENV = (
    "opt/venv/bin/python -> /usr/bin/python3",
    file("opt/venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\n"),
    "opt/venv/lib/python3.11/site-packages/",
)


def found(members: Members, called: str, **env: str) -> Installation:
    installed = installation(tree_of(members), called, env)
    assert installed is not None
    return installed


def test_debian_has_its_own_site_directories() -> None:
    installed = found(DEBIAN, "/usr/bin/python3")
    assert installed.program == "/usr/bin/python3.11"
    assert installed.version == (3, 11)
    assert installed.search_path(("/app",)) == (
        "/app",
        "/usr/lib/python311.zip",
        "/usr/lib/python3.11",
        "/usr/lib/python3.11/lib-dynload",
        "/usr/local/lib/python3.11/dist-packages",
        "/usr/lib/python3/dist-packages",
    )


def test_local_build_is_found_by_its_own_directory() -> None:
    installed = found((*DEBIAN, *LOCAL), "/usr/local/bin/python")
    assert installed.standard == "/usr/local/lib/python3.12"
    assert installed.sites == ("/usr/local/lib/python3.12/site-packages",)


def test_relocatable_build_has_its_library_beside_it() -> None:
    members = (file("x/y/bin/python3", "ELF", mode=0o755), "x/y/lib/python3.9/os.pyc")
    assert found(members, "/x/y/bin/python3").standard == "/x/y/lib/python3.9"


def test_environment_has_its_own_packages_and_the_base_library() -> None:
    installed = found((*DEBIAN, *VENV), "/opt/venv/bin/python")
    assert installed.prefix == "/opt/venv"
    assert installed.standard == "/usr/lib/python3.11"
    assert installed.sites == ("/opt/venv/lib/python3.11/site-packages",)
    assert installed.hidden == (
        "/usr/local/lib/python3.11/dist-packages",
        "/usr/lib/python3/dist-packages",
    )


def test_environment_may_see_the_packages_of_its_base() -> None:
    config = file("opt/venv/pyvenv.cfg", "home = /usr/bin\nInclude-System-Site-Packages = TRUE\n")
    installed = found((*DEBIAN, *VENV, config), "/opt/venv/bin/python")
    assert installed.sites[1:] == (
        "/usr/local/lib/python3.11/dist-packages",
        "/usr/lib/python3/dist-packages",
    )
    assert installed.hidden == ()


def test_path_files_add_directories_and_imports() -> None:
    site = "opt/venv/lib/python3.11/site-packages"
    text = "# a\n/src\n./inner\n/nowhere\nimport os; __import__('hook').install()\n"
    members = (*DEBIAN, *VENV, "src/", f"{site}/inner/", file(f"{site}/a.pth", text))
    (read,) = found(members, "/opt/venv/bin/python").path_files
    assert read.path == f"/{site}/a.pth"
    assert read.directories == ("/src", f"/{site}/inner")
    assert read.imports == ("os", "hook")


def test_variables_come_first() -> None:
    installed = found(DEBIAN, "/usr/bin/python3", PYTHONPATH="/srv/lib:rel")
    assert installed.search_path()[:2] == ("/srv/lib", "//rel")


def test_what_was_installed_into_a_directory_of_the_variable_is_a_site() -> None:
    target = (
        *DEBIAN,
        "deps/shop/__init__.py",
        "deps/one.py",
        "deps/bin/shop",
        file(
            "deps/shop-1.dist-info/RECORD", 'shop/__init__.py,,\n"one.py",,\nshop-1.dist-info/X,,'
        ),
    )
    installed = found(target, "/usr/bin/python3", PYTHONPATH="/deps")
    assert (installed.sites[0], installed.search_path()[0]) == ("/deps", "/deps")
    mixed = found((*target, "deps/own.py"), "/usr/bin/python3", PYTHONPATH="/deps")
    assert "/deps" not in mixed.sites


def test_path_file_adds_a_zip() -> None:
    site = "usr/local/lib/python3.11/dist-packages"
    members = (*DEBIAN, f"{site}/x.egg", file(f"{site}/easy-install.pth", "./x.egg\n"))
    (read,) = found(members, "/usr/bin/python3").path_files
    assert read.directories == (f"/{site}/x.egg",)


def test_packages_of_users_are_seen() -> None:
    members = (*DEBIAN, "home/ann/.local/lib/python3.11/site-packages/")
    assert found(members, "/usr/bin/python3").sites[0] == (
        "/home/ann/.local/lib/python3.11/site-packages"
    )


@pytest.mark.parametrize("members", [[], ["usr/bin/python3 -> python3"], ["usr/bin/python3"]])
def test_without_a_library_there_is_no_installation(members: Members) -> None:
    assert installation(tree_of(members), "/usr/bin/python3", {}) is None
