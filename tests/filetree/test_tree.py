from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from filetree.kit import file, layer_of, layers_of, shown, tar_of, tree_of, whiteout
from minify.errors import ImageError
from minify.filetree import FileTree, ImagePath, image_path
from minify.image import Digest
from minify.progress import Advance

CONTENT = bytes(range(256)) * 3_000


def test_children_and_all_below_come_sorted_parents_first() -> None:
    tree = tree_of(["b/", "b/z", "b/a/", "b/a/y", "a -> b", "c"], ["b/m", whiteout("c")])
    assert tree.children(image_path("b")) == ("a", "m", "z")
    assert tree.children(image_path("a")) == ()
    assert tree.children(image_path("b/z")) == ()
    assert [entry.path for entry in tree.below(image_path("/"))] == [
        "/a",
        "/b",
        "/b/a",
        "/b/a/y",
        "/b/m",
        "/b/z",
    ]
    assert [entry.path for entry in tree.below(image_path("b/a"))] == ["/b/a/y"]
    assert (len(tree), "/b/m" in tree, "/c" in tree, tree.get("/c")) == (7, True, False, None)
    assert tree[image_path("b/m")].layer == 1


def test_no_layers_are_an_empty_root() -> None:
    tree = FileTree.from_layers([])
    assert (shown(tree), len(tree)) == ({}, 1)


def test_contents_are_read_from_whichever_layer_has_them() -> None:
    plain = [tar_of([file("a", CONTENT), "b: old"]), tar_of(["b: new", "c => a"])]
    tree = FileTree.from_layers(
        [layer_of(gzip.compress(data), number, plain=data) for number, data in enumerate(plain)]
    )
    a, b, c = (tree[image_path(name)] for name in "abc")
    assert tree.read(c) == CONTENT
    assert tree.read(b) == b"new"
    assert tree.read(a, 10) == CONTENT[:10]
    assert b"".join(tree.chunks(a)) == CONTENT
    one, other = tree.open(a), tree.open(c)
    one.seek(500_000)
    assert other.read(5) + one.read(5) == CONTENT[:5] + CONTENT[500_000:500_005]
    assert (one.tell(), other.tell()) == (500_005, 5)
    one.seek(len(CONTENT) - 1)
    assert one.read(10) == CONTENT[-1:]
    assert one.read(10) == b""


def test_a_layer_that_is_not_what_it_says_gives_no_tree() -> None:
    good, bad = layers_of(["a"], ["b"])
    with pytest.raises(ImageError, match="layer 1 is damaged: its diff_id is"):
        FileTree.from_layers([good, replace(bad, diff_id=Digest.of(b""), digest=None)])


def test_errors_name_layer_and_member() -> None:
    for layers, message in (
        ([["a"], ["../x"]], r"layer 1: member '\.\./x' climbs out of the image"),
        ([["a"], ["a/x"]], "layer 1: member '/a/x' is below '/a', which is a file"),
    ):
        with pytest.raises(ImageError, match=message):
            tree_of(*layers)


class _Recorder:
    """A `Progress` that keeps what it is told."""

    def __init__(self) -> None:
        self.steps: dict[str, list[int | None]] = {}

    @contextmanager
    def step(self, label: str, total: int | None) -> Iterator[Advance]:
        told: list[int | None] = [total]
        self.steps[label] = told
        yield told.append


def test_progress_is_told_in_stored_bytes_of_each_layer() -> None:
    layers = layers_of([file("a", CONTENT), "b"], ["c"])
    recorder = _Recorder()
    FileTree.from_layers(layers, recorder)
    assert list(recorder.steps) == ["reading layer 1 of 2", "reading layer 2 of 2"]
    for layer, (total, *advances) in zip(layers, recorder.steps.values(), strict=True):
        assert total == layer.size
        assert 0 < sum(filter(None, advances)) <= (layer.size or 0)


@pytest.mark.parametrize(
    ("name", "path"), [("", "/"), ("a", "/a"), ("./a//b/", "/a/b"), ("/a/.", "/a"), ("..a", "/..a")]
)
def test_image_paths_are_absolute_and_normal(name: str, path: str) -> None:
    assert image_path(name) == ImagePath(path)
