from __future__ import annotations

import ctypes
import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filetree.kit import Member, directory, file, symlink, tree_of, unhurried
from minify.filetree import FileTree

TREE = [
    "usr/bin/sh -> dash",
    "usr/bin/dash",
    "bin -> usr/bin",
    "sbin -> /usr/bin",
    "up/and -> ../bin",
    "out -> ../../../usr",
    "here -> .",
    "top -> /",
    "slash -> usr/bin/dash/",
    "dot -> usr/bin/dash/.",
    "dir -> usr//./bin/",
    "dangling -> nowhere/x",
    "loop -> loop",
    "ping -> pong",
    "pong -> ping",
    "inside -> inside/x",
    "empty/",
]


def led(tree: FileTree, path: str, *, follow_last: bool = True) -> str:
    """The links crossed and where that ended: `/bin > /usr/bin/dash`, `! /missing`."""
    found = tree.resolve(path, follow_last=follow_last)
    assert found.requested == path
    if found.entry is not None:
        assert found.stopped_at == found.entry.path
        assert not found.is_loop
    end = found.stopped_at if found.entry else f"! {found.stopped_at}"
    return " > ".join([*(hop.path for hop in found.hops), "loop" if found.is_loop else end])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "/"),
        ("/usr/bin/dash", "/usr/bin/dash"),
        ("/bin/sh", "/bin > /usr/bin/sh > /usr/bin/dash"),
        ("/sbin/sh", "/sbin > /usr/bin/sh > /usr/bin/dash"),
        ("//bin/./dash", "/bin > /usr/bin/dash"),
        ("/up/and", "/up/and > /bin > /usr/bin"),
        ("/out/bin", "/out > /usr/bin"),
        ("/here/here/empty", "/here > /here > /empty"),
        ("/top/bin", "/top > /bin > /usr/bin"),
        ("/top", "/top > /"),
        # `..` is taken after the link, not out of the text.
        ("/bin/../bin/dash", "/bin > /usr/bin/dash"),
        ("/bin/..", "/bin > /usr"),
        ("/../../empty", "/empty"),
        ("/empty/..", "/"),
        # Nothing, and how far.
        ("/missing", "! /missing"),
        ("/missing/../empty", "! /missing"),
        ("/usr/missing/x/y", "! /usr/missing"),
        ("/dangling", "/dangling > ! /nowhere"),
        ("/bin/dash/x", "/bin > ! /usr/bin/dash"),
        ("/bin/dash/..", "/bin > ! /usr/bin/dash"),
        # What ends in a slash is a directory or nothing.
        ("/empty/", "/empty"),
        ("/dir", "/dir > /usr/bin"),
        ("/bin/", "/bin > /usr/bin"),
        ("/bin/dash/", "/bin > ! /usr/bin/dash"),
        ("/usr/bin/dash/.", "! /usr/bin/dash"),
        ("/slash", "/slash > ! /usr/bin/dash"),
        ("/dot", "/dot > ! /usr/bin/dash"),
        # Loops.
        ("/loop", " > ".join(["/loop"] * 41 + ["loop"])),
        ("/ping/x", " > ".join(["/ping", "/pong"] * 20 + ["/ping", "loop"])),
        ("/inside", " > ".join(["/inside"] * 41 + ["loop"])),
    ],
)
def test_a_path_leads_where_the_kernel_goes(path: str, expected: str) -> None:
    assert led(tree_of(TREE), path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/bin", "/bin"),
        ("/loop", "/loop"),
        ("/bin/sh", "/bin > /usr/bin/sh"),
        ("/bin/", "/bin > /usr/bin"),
        ("/bin/.", "/bin > /usr/bin"),
        ("/usr/bin/sh/", "/usr/bin/sh > ! /usr/bin/dash"),
        ("/empty", "/empty"),
    ],
)
def test_the_last_link_is_not_followed_unless_the_path_goes_on(path: str, expected: str) -> None:
    assert led(tree_of(TREE), path, follow_last=False) == expected


def test_forty_links_are_followed_and_not_one_more() -> None:
    tree = tree_of(["41", *(f"{number} -> {number + 1}" for number in range(41))])
    assert tree.resolve("/1").entry == tree.get("/41")
    assert len(tree.resolve("/1").hops) == 40
    assert tree.resolve("/0").entry is None
    assert tree.resolve("/0").is_loop


def test_file_and_directory_say_what_a_path_leads_to() -> None:
    tree = tree_of(TREE)
    asked = ("/bin", "/bin/sh", "/missing", "/loop")
    assert {path: (bool(tree.file(path)), bool(tree.directory(path))) for path in asked} == {
        "/bin": (False, True),
        "/bin/sh": (True, False),
        "/missing": (False, False),
        "/loop": (False, False),
    }


# The kernel, which resolves a path within a directory: openat2(2) with RESOLVE_IN_ROOT.

_SYSCALL_OPENAT2 = 437
_RESOLVE_IN_ROOT = 0x10
_O_PATH = 0o10000000


class _How(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


_syscall: Callable[..., int] = ctypes.CDLL(None, use_errno=True).syscall


def by_the_kernel(root: Path, path: str, *, follow_last: bool) -> str:
    """The real path within `root`, or `!`."""
    flags = _O_PATH | os.O_CLOEXEC | (0 if follow_last else os.O_NOFOLLOW)
    how = _How(flags, 0, _RESOLVE_IN_ROOT)
    top = os.open(root, os.O_PATH | os.O_DIRECTORY)
    try:
        fd = _syscall(_SYSCALL_OPENAT2, top, path.encode(), ctypes.byref(how), ctypes.sizeof(how))
        if fd < 0:
            if ctypes.get_errno() in (errno.ENOSYS, errno.EPERM):
                pytest.skip("this kernel has no openat2, or the sandbox forbids it")
            return "!"
        try:
            real = Path(f"/proc/self/fd/{fd}").readlink()
        finally:
            os.close(fd)
    finally:
        os.close(top)
    return "/" if real == root else f"/{real.relative_to(root)}"


_steps = st.sampled_from(["a", "b", "c", "..", ".", ""])
_targets = st.lists(_steps, min_size=1, max_size=4).map("/".join).filter(bool)
_places = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
_what = st.sampled_from(["directory", "directory", "file"]) | _targets.map("link ".__add__)


@st.composite
def _members(draw: st.DrawFn) -> list[Member]:
    """Directories, files and links, each below directories only, parents first."""
    drawn = draw(st.dictionaries(_places, _what, max_size=9))
    made: dict[str, Member] = {}
    directories = {""}
    for path, what in sorted(drawn.items()):
        if path.rpartition("/")[0] not in directories:
            continue
        if what == "directory":
            directories.add(path)
            made[path] = directory(path)
        else:
            made[path] = file(path) if what == "file" else symlink(path, what.removeprefix("link "))
    return list(made.values())


def _make(root: Path, members: list[Member]) -> None:
    for member in members:
        path = root / member.name
        if member.target:
            path.symlink_to(member.target)
        elif member.mode == 0o755:
            path.mkdir()
        else:
            path.touch()


@unhurried
@given(_members(), st.lists(_targets, min_size=1, max_size=5), st.booleans())
def test_every_path_resolves_as_in_the_kernel(
    members: list[Member],
    paths: list[str],
    follow_last: bool,  # noqa: FBT001 (hypothesis passes it by position)
) -> None:
    tree = tree_of(members)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary).resolve()
        _make(root, members)
        for path in (f"/{path}" for path in paths):
            entry = tree.resolve(path, follow_last=follow_last).entry
            found = entry.path if entry else "!"
            assert found == by_the_kernel(root, path, follow_last=follow_last), path
