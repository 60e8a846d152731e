"""ld.so.cache, ld.so.preload and the default directories, in a root of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import require
from filetree.kit import tree_of

from elf.lab import GLIBC, Found, Lab, entry, listed, members_of
from minify.elf import LinkMap, Loader

pytestmark = pytest.mark.engine

_MULTIARCH = "lib/x86_64-linux-gnu"


class Root(Lab):
    """A lab that is a root filesystem: its programs are at the top, ld.so runs in a chroot."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        for path in GLIBC.files[:2]:
            self.copy(path, path.lstrip("/"))
        self.write("etc/passwd", "")

    def ldconfig(self, *options: str) -> None:
        subprocess.run(["ldconfig", *options, "-r", self.root], check=True, capture_output=True)

    def loaded(self, program: str = "t") -> LinkMap:
        tree = tree_of(members_of(self.root, at=""))
        return Loader(tree, {}).load(entry(tree, f"/{program}"))

    def agrees(self, expected: Found, program: str = "t") -> LinkMap:
        """Asserts that minify and ld.so find what is expected; gives what minify says."""
        links = self.loaded(program)
        command = ["chroot", str(self.root), GLIBC.interpreter, "--list", f"/{program}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert self.shown(links) == expected
        theirs = listed(done.stdout + done.stderr)
        assert {n: p for n, p in theirs.items() if n in expected} == expected
        return links


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root with glibc and /t, which needs libp.so; that is /made, for the tests to place."""
    require("gcc", "ldconfig", "chroot")
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    made = Root(tmp_path)
    made.library("libp.so")
    made.program("t", ["libp.so"])
    (made.root / "libp.so").rename(made.root / "made")
    return made


def _configured(root: Root) -> None:
    root.copy("made", "opt/x/libp.so")
    root.write("etc/ld.so.conf.d/x.conf", "# here\n/opt/x\n")
    root.write("etc/ld.so.conf", "include ld.so.conf.d/*.conf\n")


def test_configured_directory_without_a_cache_is_not_searched(root: Root) -> None:
    _configured(root)
    links = root.agrees({"libp.so": None})
    assert links.missing[0].looked == (
        "/etc/ld.so.cache",
        "/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu",
        "/lib",
        "/usr/lib",
    )
    assert links.missing[0].by == "/t"
    assert links.missing[0].hint == (
        "/opt/x, named in /etc/ld.so.conf.d/x.conf, has it, but /etc/ld.so.cache does not list"
        " it: run ldconfig in the image"
    )
    assert links.consulted == ()


@pytest.mark.parametrize("form", ["new", "compat", "old"])
def test_cache_of_every_format_is_read(root: Root, form: str) -> None:
    _configured(root)
    root.ldconfig("-c", form)
    links = root.agrees({"libp.so": "/opt/x/libp.so"})
    assert [one.requested for one in links.consulted] == ["/etc/ld.so.cache"]
    assert links.objects[0].how == "DT_NEEDED libp.so, ld.so.cache"


def test_cache_comes_before_default_directories(root: Root) -> None:
    _configured(root)
    root.ldconfig()
    root.copy("made", f"{_MULTIARCH}/libp.so")
    root.agrees({"libp.so": "/opt/x/libp.so"})


def test_stale_entry_of_the_cache_is_passed_over(root: Root) -> None:
    _configured(root)
    root.ldconfig()
    (root.root / "opt/x/libp.so").unlink()
    root.agrees({"libp.so": None})
    root.copy("made", f"{_MULTIARCH}/libp.so")
    links = root.agrees({"libp.so": f"/{_MULTIARCH}/libp.so"})
    assert links.objects[0].how == "DT_NEEDED libp.so, default path"


def test_local_directory_is_searched_by_the_cache_only(root: Root) -> None:
    root.copy("made", "usr/local/lib/libp.so")
    links = root.agrees({"libp.so": None})
    assert links.missing[0].hint == "/usr/local/lib/libp.so is not where it is looked for"


@pytest.mark.parametrize("directory", [_MULTIARCH, f"usr/{_MULTIARCH}", "lib", "usr/lib"])
def test_default_directories_need_no_cache(root: Root, directory: str) -> None:
    root.copy("made", f"{directory}/libp.so")
    root.agrees({"libp.so": f"/{directory}/libp.so"})


@pytest.mark.parametrize("is_cached", [False, True])
def test_levels_count_in_default_directories_and_in_the_cache(
    root: Root, *, is_cached: bool
) -> None:
    level = "glibc-hwcaps/x86-64-v2"
    root.copy("made", f"{_MULTIARCH}/libp.so")
    root.copy("made", f"{_MULTIARCH}/{level}/libp.so")
    if is_cached:
        root.ldconfig()
    found = [(one.path, one.level) for one in root.loaded().objects if one.name == "libp.so"]
    assert found == [
        (f"/{_MULTIARCH}/{level}/libp.so", level),
        (f"/{_MULTIARCH}/libp.so", ""),
    ]


def test_nodefaultlib_ignores_the_caches_entries_in_default_directories(root: Root) -> None:
    root.copy("made", f"{_MULTIARCH}/libp.so")
    root.library("opt/q/libq.so")
    root.write("etc/ld.so.conf", "/opt/q\n")
    flags = ["-Wl,-z,nodefaultlib", "-nostdlib"]
    root.program("q", ["opt/q/libq.so"], flags=flags)
    root.program("p", [f"{_MULTIARCH}/libp.so"], flags=flags)
    root.ldconfig()
    root.agrees({"libq.so": "/opt/q/libq.so"}, "q")
    root.agrees({"libp.so": None}, "p")


def test_preload_file_is_loaded_first_and_may_name_what_is_missing(root: Root) -> None:
    root.copy("made", f"{_MULTIARCH}/libp.so")
    root.library("opt/pre.so")
    root.write("etc/ld.so.preload", "/nope.so # /opt/no.so\n\t/opt/pre.so:/nope2.so\n")
    links = root.loaded()
    assert [one.name for one in links.objects] == ["/opt/pre.so", "libp.so", "libc.so.6"]
    assert links.objects[0].how == "/etc/ld.so.preload /opt/pre.so, as a path"
    assert links.missing == ()
    assert [one.requested for one in links.consulted] == ["/etc/ld.so.preload"]
    command = ["chroot", str(root.root), GLIBC.interpreter, "--list", "/t"]
    assert "/opt/pre.so" in listed(subprocess.check_output(command, text=True, stderr=-1))


def test_damaged_cache_is_no_cache(root: Root) -> None:
    _configured(root)
    root.ldconfig()
    cache = root.root / "etc/ld.so.cache"
    cache.write_bytes(b"x" + cache.read_bytes())
    root.agrees({"libp.so": None})


def test_library_for_another_machine_is_hinted_at(root: Root) -> None:
    data = bytearray((root.root / "made").read_bytes())
    data[18] = 183
    root.write(f"{_MULTIARCH}/libp.so", bytes(data))
    links = root.agrees({"libp.so": None})
    assert links.missing[0].hint == f"found /{_MULTIARCH}/libp.so but it is for aarch64"


def test_file_that_is_no_elf_is_hinted_at(root: Root) -> None:
    root.write(f"{_MULTIARCH}/libp.so", "GROUP ( libp.so.1 )" + " " * 100)
    links = root.loaded()
    assert links.missing[0].hint == (
        f"/{_MULTIARCH}/libp.so is no ELF file, and ld.so looks no further"
    )


def test_missing_interpreter_is_told_and_the_tree_decides_on_directories(root: Root) -> None:
    root.copy("made", f"{_MULTIARCH}/libp.so")
    (root.root / "lib64/ld-linux-x86-64.so.2").unlink()
    links = root.loaded()
    assert links.interpreter is not None
    assert links.interpreter.entry is None
    assert links.interpreter.requested == "/lib64/ld-linux-x86-64.so.2"
    assert root.shown(links) == {"libp.so": f"/{_MULTIARCH}/libp.so"}


def test_fedoras_directories_are_those_compiled_in(root: Root) -> None:
    """The interpreter's own bytes decide: Debian's, with its directories renamed in place."""
    loader = root.root / "lib64/ld-linux-x86-64.so.2"
    debian = b"/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0"
    fedora = b"/lib64/\0/usr/lib64/\0"
    data = loader.read_bytes()
    assert debian in data
    loader.write_bytes(data.replace(debian, fedora + bytes(len(debian) - len(fedora))))
    root.copy("made", "usr/lib64/libp.so")
    root.copy("made", f"{_MULTIARCH}/libp.so")
    links = root.loaded()
    assert root.shown(links) == {"libp.so": "/usr/lib64/libp.so"}
    looked = ("/etc/ld.so.cache", "/lib64", "/usr/lib64")
    assert [(one.name, one.by, one.looked) for one in links.missing] == [
        ("libc.so.6", "/t", looked),
        ("libc.so.6", "/usr/lib64/libp.so", looked),
    ]


def test_merged_usr_is_crossed(root: Root) -> None:
    root.copy("made", f"usr/{_MULTIARCH}/libp.so.1.2")
    root.link(f"usr/{_MULTIARCH}/libp.so", "libp.so.1.2")
    for name in ("lib", "lib64"):
        for path in list((root.root / name).rglob("*")):
            if path.is_file():
                target = root.root / "usr" / path.relative_to(root.root)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.rename(target)
        shutil.rmtree(root.root / name)
        root.link(name, f"usr/{name}")
    links = root.agrees({"libp.so": f"/{_MULTIARCH}/libp.so"})
    assert links.objects[0].real_path == f"/usr/{_MULTIARCH}/libp.so.1.2"
    assert [hop.path for hop in links.objects[0].resolution.hops] == [
        "/lib",
        f"/usr/{_MULTIARCH}/libp.so",
    ]
