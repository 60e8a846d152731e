from __future__ import annotations

from filetree.kit import (
    character,
    directory,
    file,
    image_of,
    shown,
    symlink,
    tree_of,
    whiteout,
)


def test_a_tree_is_shown_in_few_words() -> None:
    tree = tree_of(
        [
            "bin -> usr/bin",
            "usr/bin/",
            file("usr/bin/sh", "#!", mode=0o4755, uid=5, gid=6, mtime="1.50"),
            directory("scratch", mode=0o1777),
            character("dev/null", 1, 3),
            "b => usr/bin/sh",
            "gone",
        ],
        [whiteout("gone"), file("x", "'", xattrs={"user.a": "ä"}), symlink("a b", "c -> d")],
    )
    assert shown(tree) == {
        "/a b": "link -> c -> d",
        "/b": "file 4755 5:6 '#!' @1.50 #1",
        "/bin": "link -> usr/bin",
        "/dev": "dir 0755",
        "/dev/null": "char 0644 1,3",
        "/scratch": "dir 1777",
        "/usr": "dir 0755",
        "/usr/bin": "dir 0755",
        "/usr/bin/sh": "file 4755 5:6 '#!' @1.50 #1",
        "/x": "file 0644 \"'\" user.a='ä'",
    }


def test_an_image_has_the_config_it_was_given() -> None:
    image = image_of({"Entrypoint": ["/app"]}, ["app: 1"], ["b: 2"])
    assert image.config.entrypoint == ("/app",)
    assert image.config.diff_ids == tuple(layer.diff_id for layer in image.layers)
