"""Programs with more rights than their caller: ld.so trusts neither environment nor $ORIGIN."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import require
from filetree.kit import tree_of

from elf.lab import GLIBC, MUSL, NEW, OLD, Flavour, Lab, entry, members_of
from minify.elf import Loader

pytestmark = pytest.mark.engine

_MULTIARCH = "lib/x86_64-linux-gnu"
# Starts a program as nobody in another root; static, so that the environment is not for it.
_START = """
#define _GNU_SOURCE
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>
int main(int count, char **words) {
    // $ORIGIN is read from /proc.
    if (chdir(words[1]) || unshare(CLONE_NEWNS) || mount(0, "/", 0, MS_REC | MS_PRIVATE, 0)
        || mount("/proc", "proc", 0, MS_BIND | MS_REC, 0))
        return 97;
    if (chroot(words[1]) || chdir("/") || setgroups(0, 0) || setgid(65534) || setuid(65534))
        return 99;
    execv(words[2], words + 2);
    return 98;
}
"""
# Says what it has loaded.
_LOADED = """
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
static int say(struct dl_phdr_info *one, size_t size, void *data) {
    return puts(one->dlpi_name) < 0;
}
int main(void) { return dl_iterate_phdr(say, 0); }
"""
_AUDITOR = """
#include <unistd.h>
unsigned la_version(unsigned version) { write(1, "audited\\n", 8); return version; }
"""


class Root(Lab):
    """A root filesystem whose program /app/t is setuid and run by nobody."""

    def __init__(self, root: Path, flavour: Flavour = GLIBC) -> None:
        super().__init__(root, flavour)
        root.chmod(0o755)
        for path in flavour.files[:2] if flavour is GLIBC else flavour.files[:1]:
            self.copy(path, path.lstrip("/"))
            (root / path.lstrip("/")).chmod(0o755)
        (root / "proc").mkdir()
        Lab(root).program("start", flags=["-static"], code=_START)

    def made(self, needs: str = "", flags: tuple[str, ...] = ()) -> None:
        """/t; the library it needs is linked from the top."""
        self.program("app/t", [needs] if needs else [], flags=flags, code=_LOADED)

    def agrees(self, expected: set[str] | None, env: Mapping[str, str], *, mode: int) -> None:
        """Asserts what /app/t loads besides the C library; None if it does not start."""
        (self.root / "app/t").chmod(mode)
        tree = tree_of(members_of(self.root, at=""))
        links = Loader(tree, env).load(entry(tree, "/app/t"))
        ours = {os.path.normpath(one.path) for one in links.objects}
        ours |= {"audited" for _ in links.auditors}
        assert (None if links.missing else ours - {f"/{_MULTIARCH}/libc.so.6"}) == expected
        assert self._loaded(env) == expected

    def _loaded(self, env: Mapping[str, str]) -> set[str] | None:
        command = [str(self.root / "start"), str(self.root), "/app/t"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            assert "loading shared librar" in done.stderr, done
            return None
        own = {"", "linux-vdso.so.1", "libc.so", f"/{_MULTIARCH}/libc.so.6", "/app/t", *GLIBC.files}
        own |= {*MUSL.files}
        return {os.path.normpath(line) for line in done.stdout.splitlines() if line not in own}


def _root(path: Path, flavour: Flavour) -> Root:
    require("gcc", "musl-gcc")
    if os.geteuid() != 0 or os.statvfs(path).f_flag & os.ST_NOSUID:
        pytest.skip("needs root, and a file system with setuid programs")
    return Root(path, flavour)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return _root(tmp_path, GLIBC)


@pytest.fixture
def musl_root(tmp_path: Path) -> Root:
    return _root(tmp_path, MUSL)


PLAIN, SETUID, SETGID = 0o755, 0o4755, 0o2755


@pytest.mark.parametrize("mode", [PLAIN, SETUID, SETGID])
def test_library_path_is_for_plain_programs(root: Root, mode: int) -> None:
    root.library("opt/libp.so")
    root.made("opt/libp.so")
    expected = {"/opt/libp.so"} if mode == PLAIN else None
    root.agrees(expected, {"LD_LIBRARY_PATH": "/opt"}, mode=mode)


@pytest.mark.parametrize("mode", [PLAIN, SETUID])
def test_preload_by_path_is_for_plain_programs(root: Root, mode: int) -> None:
    root.library("opt/libp.so")
    (root.root / "opt/libp.so").chmod(SETUID)
    root.made()
    expected = {"/opt/libp.so"} if mode == PLAIN else set()
    root.agrees(expected, {"LD_PRELOAD": "/opt/libp.so"}, mode=mode)


@pytest.mark.parametrize("library_mode", [PLAIN, SETUID])
@pytest.mark.parametrize("by", ["LD_PRELOAD", "/etc/ld.so.preload"])
def test_preload_by_bare_name_is_a_setuid_library_in_a_default_directory(
    root: Root, library_mode: int, by: str
) -> None:
    root.library(f"{_MULTIARCH}/libp.so")
    (root.root / f"{_MULTIARCH}/libp.so").chmod(library_mode)
    root.made()
    env = {}
    if by == "LD_PRELOAD":
        env[by] = "libp.so"
    else:
        root.write("etc/ld.so.preload", "libp.so")
    found = {f"/{_MULTIARCH}/libp.so"}
    root.agrees(found if library_mode == SETUID else set(), env, mode=SETUID)
    root.agrees(found, env, mode=PLAIN)


def test_preload_file_may_name_paths_for_setuid_programs(root: Root) -> None:
    root.library("opt/libp.so")
    root.write("etc/ld.so.preload", "/opt/libp.so")
    root.made()
    root.agrees({"/opt/libp.so"}, {}, mode=SETUID)


def test_preload_by_bare_name_is_not_found_in_the_cache(root: Root) -> None:
    root.library("opt/libp.so")
    (root.root / "opt/libp.so").chmod(SETUID)
    root.write("etc/ld.so.conf", "/opt\n")
    root.made()
    subprocess.run(["ldconfig", "-r", root.root], check=True, capture_output=True)
    root.agrees(set(), {"LD_PRELOAD": "libp.so"}, mode=SETUID)
    root.agrees({"/opt/libp.so"}, {"LD_PRELOAD": "libp.so"}, mode=PLAIN)


def test_preload_by_bare_name_is_searched_by_the_programs_rpath(root: Root) -> None:
    root.library("opt/libp.so")
    (root.root / "opt/libp.so").chmod(SETUID)
    root.made(flags=(OLD, "-Wl,-rpath,/opt"))
    root.agrees({"/opt/libp.so"}, {"LD_PRELOAD": "libp.so"}, mode=SETUID)


@pytest.mark.parametrize("tags", [OLD, NEW])
@pytest.mark.parametrize(
    ("rpath", "where", "is_trusted"),
    [
        ("$ORIGIN/opt", "app/opt", False),
        ("/opt/$LIB", f"opt/{_MULTIARCH}", True),
        ("/opt", "opt", True),
        ("$ORIGIN/../usr/lib/private", "usr/lib/private", True),
        ("$ORIGIN/../usr/lib/../../opt", "opt", False),
        ("$ORIGIN/../library", "library", False),
    ],
)
def test_origin_must_lead_to_a_default_directory(
    root: Root, tags: str, rpath: str, where: str, *, is_trusted: bool
) -> None:
    (root.root / "usr/lib").mkdir(parents=True)
    root.library(f"{where}/libp.so")
    root.made(f"{where}/libp.so", flags=(tags, f"-Wl,-rpath,{rpath}"))
    root.agrees({f"/{where}/libp.so"}, {}, mode=PLAIN)
    root.agrees({f"/{where}/libp.so"} if is_trusted else None, {}, mode=SETUID)


def test_origin_of_a_library_is_trusted(root: Root) -> None:
    root.library("opt/x/libq.so")
    root.library("opt/libp.so", ["opt/x/libq.so"], flags=["-Wl,-rpath,$ORIGIN/x"])
    root.made("opt/libp.so", flags=("-Wl,-rpath,/opt",))
    root.agrees({"/opt/libp.so", "/opt/x/libq.so"}, {}, mode=SETUID)


@pytest.mark.parametrize("library_mode", [PLAIN, SETUID])
@pytest.mark.parametrize("by", ["LD_AUDIT", "DT_AUDIT"])
@pytest.mark.parametrize("name", ["audit.so", f"/{_MULTIARCH}/audit.so"])
def test_auditor_is_a_setuid_library_in_a_default_directory(
    root: Root, library_mode: int, by: str, name: str
) -> None:
    root.copy("lib64/ld-linux-x86-64.so.2", f"{_MULTIARCH}/ld-linux-x86-64.so.2")
    root.library(f"{_MULTIARCH}/audit.so", code=_AUDITOR)
    (root.root / f"{_MULTIARCH}/audit.so").chmod(library_mode)
    root.made(flags=(f"-Wl,--audit,{name}",) if by == "DT_AUDIT" else ())
    env = {"LD_AUDIT": name} if by == "LD_AUDIT" else {}
    is_loaded = library_mode == SETUID and "/" not in name
    root.agrees({"audited"} if is_loaded else set(), env, mode=SETUID)
    root.agrees({"audited"}, env, mode=PLAIN)


@pytest.mark.parametrize("variable", ["LD_LIBRARY_PATH", "LD_PRELOAD"])
def test_musl_ignores_the_environment_of_setuid_programs(musl_root: Root, variable: str) -> None:
    root = musl_root
    root.library("opt/libp.so")
    is_path = variable == "LD_LIBRARY_PATH"
    root.made("opt/libp.so" if is_path else "")
    env = {variable: "/opt" if is_path else "/opt/libp.so"}
    root.agrees({"/opt/libp.so"}, env, mode=PLAIN)
    root.agrees(None if is_path else set(), env, mode=SETUID)


@pytest.mark.parametrize("rpath", ["$ORIGIN/../opt", "$ORIGIN/lib/x:/opt"])
def test_musl_drops_an_rpath_with_origin_of_setuid_programs(musl_root: Root, rpath: str) -> None:
    root = musl_root
    root.library("opt/libp.so")
    root.made("opt/libp.so", flags=(f"-Wl,-rpath,{rpath}",))
    root.agrees({"/opt/libp.so"}, {}, mode=PLAIN)
    root.agrees(None, {}, mode=SETUID)
