"""What is given takes along, and what it leaves."""

from collections.abc import Sequence

import pytest
from filetree.kit import Member, character, file, hardlink, symlink, tree_of

from minify.closure import Reason
from minify.filetree import ImagePath
from minify.identity import Given, given_paths

INODE = [file("d/a", "x"), hardlink("d/b", "d/a"), hardlink("e/c", "d/a")]


@pytest.mark.parametrize(
    ("members", "given", "kept", "expected"),
    [
        (["d/x/y: z", "e/y: z"], "/d/**", "/d /d/x /d/x/y /e/y", "/d /d/x /d/x/y"),
        (["d/x/y: z"], "/d/**", "/d /d/x", "/d /d/x"),
        (["d/x/y: z"], "/d", "/d /d/x", "/d"),
        (["d/"], "/d /new", "", "/d"),
        (INODE, "/d/**", "/d /d/a /d/b /e/c", "/d"),
        (INODE, "/d/**", "/d /d/a /d/b", "/d /d/a /d/b"),
        (INODE, "/d/** /e/c", "/d /d/a /d/b /e/c", "/d /d/a /d/b /e/c"),
        ([file("d/s", mode=0o2755)], "/d/**", "/d /d/s", "/d"),
        ([file("d/c", xattrs={"security.capability": "x"})], "/d/**", "/d /d/c", "/d"),
        ([character("d/null", 1, 3), symlink("d/l", "/etc")], "/d/**", "/d /d/null /d/l", "/d"),
    ],
)
def test_a_tree_takes_what_is_kept_in_it_but_no_privilege_and_no_half_inode(
    members: Sequence[Member | str], given: str, kept: str, expected: str
) -> None:
    reason = Reason("test", "/entry", "test")
    items = [
        Given(ImagePath(word.removesuffix("/**")), reason, is_tree=word.endswith("/**"))
        for word in given.split()
    ]
    paths = {ImagePath(path): None for path in kept.split()}
    assert " ".join(sorted(given_paths(items, paths, tree_of(members)))) == expected
