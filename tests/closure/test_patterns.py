import re
from shlex import quote

import pytest
from filetree.kit import tree_of

from minify.closure.patterns import Dropped, Pattern
from minify.errors import UsageError
from minify.filetree import FileTree, ImagePath


@pytest.fixture
def tree() -> FileTree:
    return tree_of(
        ["lib -> usr/lib", "usr/lib/a.so", "usr/lib/b.so.1", "usr/lib/x/c.so", "etc/[odd]", "srv/"]
    )


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("/usr/lib/a.so", ["/usr/lib/a.so"]),
        ("/lib/a.so", ["/lib/a.so"]),
        ("/lib/*.so", ["/lib/a.so"]),
        ("/**/c.so", ["/usr/lib/x/c.so"]),
        ("/usr/lib/**", ["/usr/lib/a.so", "/usr/lib/b.so.1", "/usr/lib/x", "/usr/lib/x/c.so"]),
        ("/lib", ["/lib"]),
        ("/usr/lib/*.so", ["/usr/lib/a.so"]),
        ("/usr/lib/?.so*", ["/usr/lib/a.so", "/usr/lib/b.so.1"]),
        ("/usr/**/*.so", ["/usr/lib/a.so", "/usr/lib/x/c.so"]),
        ("/usr/lib/[ab].so*", ["/usr/lib/a.so", "/usr/lib/b.so.1"]),
        ("/usr/lib/[!a].so*", ["/usr/lib/b.so.1"]),
        ("/usr/lib/", ["/usr/lib"]),
        ("/etc/[[]odd]", ["/etc/[odd]"]),
        ("/srv", ["/srv"]),
    ],
)
def test_a_glob_matches_within_its_components(
    tree: FileTree, glob: str, expected: list[str]
) -> None:
    assert list(Pattern("--keep", glob).matches(tree)) == expected


@pytest.mark.parametrize("glob", ["/nope", "/usr/lib/*.a", "usr/lib/a.so", "/lib/nope"])
def test_a_glob_that_matches_nothing_is_an_error_that_names_it(tree: FileTree, glob: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"--drop {quote(glob)}")):
        Pattern("--drop", glob).matches(tree)


def test_what_is_below_a_dropped_directory_is_dropped(tree: FileTree) -> None:
    dropped = Dropped(["/usr/lib/x", "/usr/lib/a*"], tree)
    assert {path for path in tree.entries if dropped(path)} == {
        "/usr/lib/a.so",
        "/usr/lib/x",
        "/usr/lib/x/c.so",
    }
    assert not Dropped([], tree)(ImagePath("/usr/lib/x"))
