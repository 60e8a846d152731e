from filetree.kit import file, tree_of

from minify.filetree import ImagePath
from minify.packages import read_packages

STATUS = """\
Package: nginx
Status: install ok installed
Source: nginx (1.22-1)
Version: 1.22-1+b1
Architecture: amd64
Description: a
 Package: not a field

Package: nginx-common
Status: install ok installed
Source: nginx
Version: 1.22-1
Architecture: all

Package: libfoo
Status: install ok installed
Architecture: amd64
Version: 2

Package: gone
Status: deinstall ok config-files
Version: 1
"""
INFO = "var/lib/dpkg/info"


def test_dpkg_owners_are_real_paths_of_installed_packages() -> None:
    tree = tree_of(
        [
            "bin -> usr/bin",
            "usr/bin/x",
            file("var/lib/dpkg/status", STATUS),
            file(f"{INFO}/nginx.list", "/.\n/bin\n/bin/x\n/../evil\n"),
            file(f"{INFO}/nginx-common.list", "/.\n/etc\n/etc/nginx\n"),
            file(f"{INFO}/libfoo:amd64.list", "/.\n/etc\n"),
            file(f"{INFO}/gone.list", "/usr/bin/x\n"),
        ]
    )
    packages = read_packages(tree)
    assert packages.owners(ImagePath("/usr/bin/x")) == {"nginx"}
    assert packages.owners(ImagePath("/etc")) == {"nginx-common", "libfoo"}
    assert packages.owners(ImagePath("/etc/nginx")) == {"nginx-common"}
    assert packages.owners(ImagePath("/nobodys")) == frozenset()
    assert packages.siblings(["nginx"]) == {"nginx", "nginx-common"}
    assert packages["nginx"].version == "1.22-1+b1"
    assert packages["libfoo"].source == "libfoo"


def test_apk_owners() -> None:
    installed = (
        "P:redis\nV:7-r0\no:redis\nF:usr/bin\nR:redis-server\na:0:0:755\nF:etc\nR:redis.conf\n\n"
    )
    packages = read_packages(tree_of([file("lib/apk/db/installed", f"{installed}P:musl\nV:1\n\n")]))
    assert packages.owners(ImagePath("/usr/bin/redis-server")) == {"redis"}
    assert packages.owners(ImagePath("/etc/redis.conf")) == {"redis"}
    assert packages["musl"].source == "musl"


def test_an_image_without_a_database_has_no_packages() -> None:
    assert not read_packages(tree_of(["a"]))


def test_a_damaged_database_is_read_as_far_as_it_goes() -> None:
    status = b"\xff\xfe\n\nPackage\n\nPackage: a/../b\nStatus: x installed\n\nStatus: x installed\n"
    packages = read_packages(tree_of([file("var/lib/dpkg/status", status)]))
    assert packages.owners(ImagePath("/b")) == frozenset()
