"""What holds of every decision, whatever the image: by an independent look at the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from filetree.kit import Member, character, directory, file, hardlink, symlink, tree_of, unhurried
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.kit import ACCOUNTS, keeping, runs_as, together, writes
from minify.closure import Grade, KeepSet, Written, places
from minify.errors import ClosureError
from minify.filetree import FileTree, ImagePath, Kind
from minify.filetree.path import ancestors
from minify.identity import Identity, Wishes, choose_user, given_paths
from minify.image import ImageConfig

DIRECTORIES = ("data", "data/deep", "etc", "etc/app", "root", "run", "var/lib/db")
NAMES = ("a", "b")
RULES = ("config.entrypoint", "elf.needed", "elf.needed", "config.operand")
SOFT_RULES = ("app.directory", "config-file", "package.data", "skeleton.special", "user.keep")

owners = st.sampled_from((0, 33, 110))
modes = st.sampled_from((0o755, 0o755, 0o755, 0o700, 0o750, 0o077, 0o777, 0o1777, 0o2750))
file_modes = st.sampled_from((0o644, 0o600, 0o660, 0o755, 0o700, 0o4755, 0o4600, 0o2640, 0o044))
paths = st.builds(
    lambda above, name: f"{above}/{name}", st.sampled_from(DIRECTORIES), st.sampled_from(NAMES)
)
contents = st.sampled_from((b"#!/bin/sh\n", b"\x7fELF", b"text"))
xattrs = st.sampled_from(({}, {}, {}, {"security.capability": "x"}))
files = st.builds(file, paths, contents, mode=file_modes, uid=owners, gid=owners, xattrs=xattrs)
others = st.one_of(
    st.builds(lambda name: character(name, 1, 3), paths),
    st.builds(symlink, paths, st.sampled_from(("/etc", "/data", "/root/a", "../b", "/gone"))),
)
written = st.one_of(paths, st.sampled_from(("/", "data/n/m", "gone", "proc/1", *DIRECTORIES)))
wishes = st.builds(
    Wishes,
    st.sampled_from((None, None, "web", "500", "keep", "0")),
    st.sampled_from(((), ("/data",), ("/run/new",))),
    st.booleans(),
)
arbitrary = st.builds(
    Wishes, st.sampled_from((None, "web", "500")), st.just(()), st.booleans(), st.just(value=True)
)


@st.composite
def images(draw: st.DrawFn) -> tuple[FileTree, KeepSet]:
    """A tree, and findings about some of it."""
    members: list[Member | str] = list(ACCOUNTS)
    members += (
        directory(name, mode=draw(modes), uid=draw(owners), gid=draw(owners))
        for name in DIRECTORIES
    )
    there = {member.name: member for member in draw(st.lists(st.one_of(files, others), max_size=9))}
    members += there.values()
    plain = [member.name for member in there.values() if member.type == b"0"]
    if plain:
        members.append(
            hardlink(f"{draw(st.sampled_from(DIRECTORIES))}/linked", draw(st.sampled_from(plain)))
        )
    tree = tree_of(members)
    known: list[str] = sorted(
        path for path in tree.entries if path.endswith(("/a", "/b", "/linked", "/app"))
    )
    some = st.lists(st.sampled_from(known), min_size=1, max_size=4, unique=True)
    soft = {path: draw(st.sampled_from(SOFT_RULES)) for path in draw(some)}
    keep = together(
        keeping(soft=soft),
        *(keeping(path, rule=draw(st.sampled_from(RULES))) for path in draw(some)),
        *(
            writes(f"/{path}", what=draw(st.sampled_from(Written)))
            for path in draw(st.lists(written, max_size=4))
        ),
        runs_as(*draw(st.sampled_from(((), ("web",), ("web", "500"), ("nobody",))))),
    )
    return tree, keep


def decide(tree: FileTree, keep: KeepSet, wishes: Wishes, user: str) -> Identity | None:
    """None where a requested user cannot run the program, or nobody with group 0 can."""
    config = ImageConfig.new({"config": {"User": user}}, "test")
    try:
        return choose_user(wishes, config, keep, tree)
    except ClosureError:
        return None


Owned = tuple[int, int, int]
"""Owner, group and mode."""


def result(tree: FileTree, keep: KeepSet, identity: Identity) -> Mapping[ImagePath, Owned]:
    """Owner, group and mode of each kept path and its parents, as the plan makes them."""
    theirs = given_paths(identity.given, keep.kept, tree)
    opened = {item.path: item for item in identity.opened}
    found = {}
    for path in {*keep.kept, *theirs}:
        entry = tree[path]
        uid, gid, mode = entry.uid, entry.gid, entry.mode
        if path in theirs and identity.uid:
            uid, gid = identity.uid, identity.gid
            if identity.is_arbitrary:
                mode |= (mode & 0o700) >> 3
        elif path in opened:
            gid, mode = opened[path].gid, opened[path].mode
        found[path] = (uid, gid, mode)
    return found


@dataclass(frozen=True)
class Process:
    """A process without capabilities in the result."""

    uid: int
    groups: frozenset[int]
    owned: Mapping[ImagePath, Owned]

    def may(self, path: ImagePath, bits: str) -> bool:
        """The kernel's rule: the first class that applies, and no other."""
        owner, group, mode = self.owned[path]
        triple = f"{mode & 0o777:09b}"
        start = 0 if owner == self.uid else 3 if group in self.groups else 6
        return all(triple[start + "rwx".index(bit)] == "1" for bit in bits)


@settings(unhurried, max_examples=80)
@given(images(), st.one_of(wishes, arbitrary), st.sampled_from(("", "web")))
def test_a_new_user_can_use_every_hard_path(
    image: tuple[FileTree, KeepSet], wished: Wishes, user: str
) -> None:
    tree, keep = image
    identity = decide(tree, keep, wished, user)
    if identity is None or identity.uid == 0 or not (identity.is_changed or identity.is_arbitrary):
        return
    owned = result(tree, keep, identity)
    processes = [Process(identity.uid, identity.groups, owned)]
    if wished.arbitrary_uid:
        processes.append(Process(4242, frozenset((0,)), owned))
    for path, kept in keep.kept.items():
        if kept.grade is Grade.HARD:
            rules = {reason.rule for reason in kept.reasons}
            for process in processes:
                _check_usable(path, rules, process, tree)


def _check_usable(path: ImagePath, rules: set[str], process: Process, tree: FileTree) -> None:
    entry = tree[path]
    for above in ancestors(path):
        assert process.may(above, "x"), (path, above)
    if entry.kind is Kind.DIRECTORY:
        assert process.may(path, "x"), path
    elif entry.kind is Kind.FILE:
        is_run = bool(rules & {"config.entrypoint", "script.command"})
        is_program = is_run and tree.read(entry, 4) == b"\x7fELF"
        assert not is_run or process.may(path, "x"), path
        assert is_program or process.may(path, "r"), path


@settings(unhurried, max_examples=80)
@given(images(), st.one_of(wishes, arbitrary), st.sampled_from(("", "web")))
def test_nothing_is_given_or_opened_that_must_not_be(
    image: tuple[FileTree, KeepSet], wished: Wishes, user: str
) -> None:
    tree, keep = image
    identity = decide(tree, keep, wished, user)
    if identity is None:
        return
    evidence = [finding.path for finding in keep.writes] + ["/run", *wished.writable]
    for item in identity.given:
        assert item.is_new == (item.path not in tree)
        assert not (item.is_tree and places.is_shared_name(item.path)), item
        assert not item.path.startswith(("/proc", "/sys", "/dev")), item
        assert any(_leads_near(path, item.path, tree) for path in evidence), item
    for path in given_paths(identity.given, keep.kept, tree):
        entry = tree[path]
        assert entry.kind in (Kind.FILE, Kind.DIRECTORY)
        assert entry.kind is Kind.DIRECTORY or not entry.mode & 0o6000
        assert "security.capability" not in dict(entry.xattrs)
    for opened in identity.opened:
        entry = tree[opened.path]
        assert opened.mode & ~0o070 == entry.mode & ~0o070
        assert not opened.mode & 0o020 or (opened.gid == entry.gid and entry.mode & 0o020)
        assert entry.kind is Kind.DIRECTORY or not entry.mode & 0o6000
        assert opened.gid == identity.gid
    _check_inodes(tree, keep, identity)


def _leads_near(written: str, given_path: str, tree: FileTree) -> bool:
    """Whether what is given is where `written` leads, or the directory that it is in."""
    found = tree.resolve(written)
    reached = found.entry.path if found.entry is not None else found.stopped_at
    return (
        reached == given_path or given_path in ancestors(reached) or given_path.startswith(reached)
    )


def _check_inodes(tree: FileTree, keep: KeepSet, identity: Identity) -> None:
    """All kept names of an inode have one owner and one mode."""
    owned = result(tree, keep, identity)
    by_group: dict[int, set[Owned]] = {}
    for path in keep.kept:
        group = tree[path].link_group
        if group is not None:
            by_group.setdefault(group, set()).add(owned[path])
    assert all(len(found) == 1 for found in by_group.values())


@settings(unhurried, max_examples=25)
@given(images(), wishes, st.sampled_from(("", "web")))
def test_a_decision_does_not_change(
    image: tuple[FileTree, KeepSet], wished: Wishes, user: str
) -> None:
    tree, keep = image
    assert decide(tree, keep, wished, user) == decide(tree, keep, wished, user)
