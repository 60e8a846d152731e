from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from filetree.kit import file, layer_of, shown, symlink, tar_of
from minify.errors import ImageError
from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import ROOT

FORMATS = {
    "old GNU": ["--format=gnu"],
    "PAX 0.0": ["--format=posix", "--sparse-version=0.0"],
    "PAX 0.1": ["--format=posix", "--sparse-version=0.1"],
    "PAX 1.0": ["--format=posix", "--sparse-version=1.0"],
}

HOLE = 1 << 16
LONG_NAME = "long" * 30


def _write(path: Path, size: int, runs: Mapping[int, bytes]) -> None:
    with path.open("wb") as out:
        out.truncate(size)
        for offset, data in runs.items():
            out.seek(offset)
            out.write(data)


def _sparse_files(directory: Path) -> None:
    _write(directory / "empty", 10 * HOLE, {})
    _write(directory / "end", 3 * HOLE, {2 * HOLE: b"e" * HOLE})
    _write(directory / "start", 5 * HOLE + 1, {0: b"s"})
    _write(directory / LONG_NAME, 9 * HOLE, {HOLE: b"m" * 100, 4 * HOLE: b"n" * 5000})
    # More runs than one block of any format's map holds.
    _write(directory / "many", 200 * HOLE, {n * HOLE: b"%d" % n for n in range(0, 200, 2)})
    (directory / "whole").write_bytes(b"w" * 1000)


@pytest.fixture(params=list(FORMATS.values()), ids=list(FORMATS))
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[bytes, Path]:
    """An archive of sparse files as GNU tar writes it, and the directory they are in."""
    _sparse_files(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    command = ["tar", "--sparse", "--hole-detection=raw", *request.param, "-C", tmp_path, "-cf-"]
    data = subprocess.run([*command, *names], check=True, capture_output=True).stdout
    return data, tmp_path


def test_contents_are_those_of_the_files(archive: tuple[bytes, Path]) -> None:
    data, directory = archive
    assert len(data) < 1 << 20, "GNU tar found no holes"
    tree = FileTree.from_layers([layer_of(data)])
    found = {entry.path.removeprefix("/"): tree.read(entry) for entry in tree.below(ROOT)}
    assert found == {path.name: path.read_bytes() for path in directory.iterdir()}


def test_any_part_of_a_content_can_be_read(archive: tuple[bytes, Path]) -> None:
    data, directory = archive
    tree = FileTree.from_layers([layer_of(data)])
    entry = tree.file(f"/{LONG_NAME}")
    assert entry is not None
    whole = (directory / LONG_NAME).read_bytes()
    stream = tree.open(entry)
    for start in (0, 1, HOLE - 1, HOLE, HOLE + 99, HOLE + 100, 4 * HOLE + 4999, 9 * HOLE - 1):
        for size in (0, 1, 2, 101, 3 * HOLE, 20 * HOLE):
            stream.seek(start)
            assert stream.read(size) == whole[start : start + size]
            assert stream.tell() == min(start + size, len(whole))
    stream.seek(9 * HOLE + 1)
    assert stream.read(1) == b""


def test_an_archive_cut_anywhere_is_refused(archive: tuple[bytes, Path]) -> None:
    data, _ = archive
    end = len(data.rstrip(b"\0"))
    for cut in range(100, end, 487):
        with pytest.raises(ImageError, match="truncated"):
            FileTree.from_layers([layer_of(data[:cut])])


def test_damage_in_a_map_never_gives_a_wrong_length(archive: tuple[bytes, Path]) -> None:
    data, _ = archive
    start = data.index(b"many")
    for place in range(start, start + 8000, 29):
        damaged = bytearray(data)
        damaged[place] ^= 0x01
        try:
            tree = FileTree.from_layers([layer_of(bytes(damaged))])
        except ImageError:
            continue
        for entry in filter(_is_file, tree.below(ROOT)):
            assert len(tree.read(entry)) == entry.size


def _is_file(entry: Entry) -> bool:
    return entry.kind is Kind.FILE


def _described(records: Mapping[str, str], content: bytes = b"abcd") -> bytes:
    return tar_of([replace(file("a", content), records=records), "b"])


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ({"GNU.sparse.size": "9", "GNU.sparse.map": "0"}, "its map has an odd count of numbers"),
        ({"GNU.sparse.size": "9", "GNU.sparse.map": "0,x"}, "'x' is no number"),
        ({"GNU.sparse.size": "9", "GNU.sparse.map": "0,-4"}, "'-4' is no number"),
        ({"GNU.sparse.size": "9", "GNU.sparse.map": "0,3"}, "its runs have 3 bytes, 4 are stored"),
        ({"GNU.sparse.size": "9", "GNU.sparse.map": "6,4"}, "its runs overlap or leave the file"),
        ({"GNU.sparse.size": "9", "GNU.sparse.map": "1,2,2,2"}, "its runs overlap or leave"),
        ({"GNU.sparse.size": "9", "GNU.sparse.map": "4,2,0,2"}, "its runs overlap or leave"),
        ({"GNU.sparse.map": "0,4"}, "'' is no number"),
        ({"GNU.sparse.size": "9"}, "its runs have 0 bytes, 4 are stored"),
        ({"GNU.sparse.size": str(1 << 60), "GNU.sparse.map": "0,4"}, "its size is 1,152,921,50"),
        ({"GNU.sparse.major": "2", "GNU.sparse.realsize": "9"}, "its format is 2., which"),
        ({"GNU.sparse.major": "1", "GNU.sparse.minor": "1", "GNU.sparse.size": "9"}, "is 1.1"),
        ({"GNU.sparse.major": "1", "GNU.sparse.realsize": "9"}, "its format is 1., which"),
        (
            {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"},
            "its map has no lines",
        ),
    ],
)
def test_maps_that_make_no_sense_are_refused(records: dict[str, str], message: str) -> None:
    with pytest.raises(ImageError, match="member 'a' is a damaged sparse file: ") as caught:
        FileTree.from_layers([layer_of(_described(records))])
    assert message in str(caught.value)


def test_a_map_of_endless_runs_is_refused() -> None:
    records = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"}
    for content in (b"99999999\n" + b"0\n" * 5000, b"1" * 5000):
        with pytest.raises(ImageError, match="'a' is a damaged sparse file: "):
            FileTree.from_layers([layer_of(_described(records, content))])


def test_the_sparse_name_of_a_file_that_is_not_sparse_means_nothing() -> None:
    # Engines take the plain name; a file that we saw elsewhere would be another's.
    data = _described({"GNU.sparse.name": "etc/passwd"})
    assert shown(FileTree.from_layers([layer_of(data)])) == {
        "/a": "file 0644 'abcd'",
        "/b": "file 0644 ''",
    }


def test_a_hole_of_any_size_is_not_read_at_once() -> None:
    data = _described({"GNU.sparse.size": str(1 << 42), "GNU.sparse.map": "0,4"})
    tree = FileTree.from_layers([layer_of(data)])
    entry = tree[ImagePath("/a")]
    assert tree.read(entry, 10) == b"abcd" + bytes(6)
    assert next(tree.chunks(entry))[:10] == b"abcd" + bytes(6)
    with pytest.raises(ImageError, match="'/a' has 4,398,046,511,104 bytes; as a file of its kind"):
        tree.read(entry)


def test_only_files_can_be_sparse() -> None:
    link = replace(symlink("a", "b"), records={"GNU.sparse.size": "9", "GNU.sparse.map": "0,4"})
    with pytest.raises(ImageError, match="'a' is a sparse symlink"):
        FileTree.from_layers([layer_of(tar_of([link]))])
