"""ld.so.cache and ld.so.conf, as ldconfig writes and reads them."""

from __future__ import annotations

import re
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import require
from filetree.kit import file, tree_of

from elf.lab import Lab
from minify.elf.ldconfig import (
    Cache,
    CacheEntry,
    ConfiguredDirectory,
    configured_directories,
    parse_cache,
)


def _written(lab: Lab, form: str) -> Cache:
    subprocess.run(["ldconfig", "-c", form, "-r", lab.root], check=True, capture_output=True)
    cache = parse_cache((lab.root / "etc/ld.so.cache").read_bytes())
    assert cache is not None
    return cache


@pytest.mark.parametrize("form", ["old", "compat", "new"])
def test_what_ldconfig_writes_is_read(lab: Lab, form: str) -> None:
    require("ldconfig")
    lab.library("usr/lib/libone.so.1")
    lab.library("opt/x/libtwo.so.2")
    lab.library("opt/x/glibc-hwcaps/x86-64-v3/libtwo.so.2")
    lab.library("opt/x/glibc-hwcaps/x86-64-v2/libtwo.so.2")
    lab.write("etc/ld.so.conf", "/opt/x\n")
    two = [CacheEntry("libtwo.so.2", "/opt/x/libtwo.so.2", 0x303)]
    better = [
        CacheEntry(
            "libtwo.so.2",
            f"/opt/x/glibc-hwcaps/x86-64-v{level}/libtwo.so.2",
            0x303,
            f"glibc-hwcaps/x86-64-v{level}",
        )
        for level in (2, 3)
    ]
    one = CacheEntry("libone.so.1", "/usr/lib/libone.so.1", 0x303)
    cache = _written(lab, form)
    if form == "old":  # it has no room for levels
        better = [replace(one, level="") for one in better]
    assert cache.get("libtwo.so.2") == tuple(better + two)
    assert cache.get("libone.so.1") == (one,)
    assert cache.get("libthree.so") == ()


def test_this_systems_cache_is_read_as_ldconfig_prints_it() -> None:
    path = Path("/etc/ld.so.cache")
    require("ldconfig")
    if not path.exists():
        pytest.skip("this system has no ld.so.cache")
    cache = parse_cache(path.read_bytes())
    assert cache is not None
    printed = re.findall(
        r"^\t(\S+) \(.*\) => (\S+)$",
        subprocess.check_output(["ldconfig", "-p"], text=True),
        re.MULTILINE,
    )
    assert [(one.soname, one.path) for one in cache.entries] == printed
    assert len(printed) > 10


@pytest.mark.parametrize("states_order", [True, False])
def test_big_endian_cache_is_read(*, states_order: bool) -> None:
    """Until glibc 2.32 nothing in the file told the byte order."""
    strings = b"libx.so\0/usr/lib/libx.so\0"
    flags = bytes([3 if states_order else 0])
    data = b"glibc-ld.so.cache1.1" + struct.pack(">II", 1, len(strings)) + flags + bytes(19)
    data += struct.pack(">iIIIQ", 0x403, 72, 80, 0, 0) + strings
    assert parse_cache(data) == Cache((CacheEntry("libx.so", "/usr/lib/libx.so", 0x403),))


def test_older_level_is_told_by_its_bits() -> None:
    strings = b"libx.so\0/usr/lib/tls/libx.so\0"
    data = b"glibc-ld.so.cache1.1" + struct.pack("<II", 1, len(strings)) + bytes(20)
    data += struct.pack("<iIIIQ", 0x303, 72, 80, 0, 1 << 63) + strings
    cache = parse_cache(data)
    assert cache is not None
    assert cache.entries[0].level == "hwcap 0x8000000000000000"


@pytest.mark.parametrize("data", [b"", b"ld.so-1.7.0", b"glibc-ld.so.cache1.1", b"x" * 100])
def test_what_is_no_cache_is_none(data: bytes) -> None:
    assert parse_cache(data) is None


def test_configuration_is_followed_through_includes() -> None:
    tree = tree_of(
        [
            file(
                "etc/ld.so.conf", "/first # comment\ninclude ld.so.conf.d/*.conf more.conf\n/last"
            ),
            file("etc/ld.so.conf.d/b.conf", "hwcap 1 nosegneg\n/b/lib=libc6\n"),
            file("etc/ld.so.conf.d/a.conf", "/a/lib\n\n"),
            file("etc/ld.so.conf.d/.hidden.conf", "/hidden\n"),
            file("etc/ld.so.conf.d/other", "/other\n"),
            file("etc/more.conf", "include /etc/*.conf\nrelative\n/more\n"),
        ]
    )
    assert set(configured_directories(tree)) == {
        ConfiguredDirectory("/first", "/etc/ld.so.conf"),
        ConfiguredDirectory("/last", "/etc/ld.so.conf"),
        ConfiguredDirectory("/a/lib", "/etc/ld.so.conf.d/a.conf"),
        ConfiguredDirectory("/b/lib", "/etc/ld.so.conf.d/b.conf"),
        ConfiguredDirectory("/more", "/etc/more.conf"),
    }


def test_no_configuration_is_no_directory() -> None:
    assert configured_directories(tree_of(["etc/"])) == ()
