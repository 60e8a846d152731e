from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filetree.kit import (
    Member,
    Members,
    character,
    directory,
    fifo,
    file,
    layers_of,
    opaque,
    shown,
    symlink,
    tree_of,
    unhurried,
    whiteout,
)
from minify.errors import ImageError
from minify.filetree.entry import IMPLIED
from minify.image import Digest, Layer
from minify.image.blob import Blob
from minify.image.compression import Compression
from minify.image.jsontext import write
from minify.image.manifest import (
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
    REF_NAME,
    Descriptor,
    Index,
    Manifest,
)

Case = tuple[Sequence[Members], dict[str, str]]

FILE = "file 0644 ''"
DIR = "dir 0755"

MERGED: dict[str, Case] = {
    "layers add up": (
        [["a: 1"], ["b: 2"]],
        {"/a": "file 0644 '1'", "/b": "file 0644 '2'"},
    ),
    "a file is replaced with all it has": (
        [[file("a", "old", mode=0o4755, uid=1, xattrs={"user.x": "1"})], [file("a", "new", gid=2)]],
        {"/a": "file 0644 0:2 'new'"},
    ),
    "of one name twice in a layer the last counts": (
        [["a: 1", "a: 2"]],
        {"/a": "file 0644 '2'"},
    ),
    "a directory gets the upper one's metadata and keeps what it holds": (
        [[directory("d", mode=0o700, uid=1), "d/a"], [directory("d", mode=0o1777)]],
        {"/d": "dir 1777", "/d/a": FILE},
    ),
    "the root has metadata too": (
        [["a"], [directory("./", mode=0o711, uid=3)]],
        {"/": "dir 0711 3:0", "/a": FILE},
    ),
    "every kind of file can stand in an upper layer": (
        [["l", "p", "c"], [symlink("l", "x"), fifo("p"), character("c", 1, 3)]],
        {"/l": "link -> x", "/p": "fifo 0644", "/c": "char 0644 1,3"},
    ),
    # Replacement by another kind.
    "a file replaces a directory and all in it": (
        [["d/", "d/e/", "d/e/a"], ["d: x"]],
        {"/d": "file 0644 'x'"},
    ),
    "a directory replaces a file, and a file that one": (
        [["a: 1"], ["a/", "a/b"], ["a: 3"], ["a/", "a/c"]],
        {"/a": DIR, "/a/c": FILE},
    ),
    "a link replaces a directory and all in it": (
        [["d/", "d/a", "e/"], ["d -> e"]],
        {"/d": "link -> e", "/e": DIR},
    ),
    "a directory replaces a link and not what it points to": (
        [["e/", "e/a", "d -> e"], ["d/", "d/b"]],
        {"/d": DIR, "/d/b": FILE, "/e": DIR, "/e/a": FILE},
    ),
    "a file replaces a link and not what it points to": (
        [["e: 1", "d -> e"], ["d: 2"]],
        {"/d": "file 0644 '2'", "/e": "file 0644 '1'"},
    ),
    # Whiteouts.
    "a whiteout hides a file": (
        [["a", "b"], [whiteout("a")]],
        {"/b": FILE},
    ),
    "a whiteout hides a directory and all in it": (
        [["d/", "d/e/", "d/e/a", "b"], [whiteout("d")]],
        {"/b": FILE},
    ),
    "a whiteout hides a link and not what it points to": (
        [["a: x", "l -> a"], [whiteout("l")]],
        {"/a": "file 0644 'x'"},
    ),
    "what was hidden can come back": (
        [["a: 1"], [whiteout("a")], ["a: 3"]],
        {"/a": "file 0644 '3'"},
    ),
    "a whiteout in the lowest layer hides nothing": (
        [[whiteout("a"), "b"]],
        {"/b": FILE},
    ),
    "a whiteout of what is not there hides nothing": (
        [["a"], [whiteout("b")]],
        {"/a": FILE},
    ),
    "a whiteout does not hide its own layer's file, whether before": (
        [["a: 1"], [whiteout("a"), "a: 2"]],
        {"/a": "file 0644 '2'"},
    ),
    "a whiteout behind a link of directories hides the real file": (
        [["usr/", "usr/bin/", "usr/bin/a", "usr/bin/b", "bin -> usr/bin"], [whiteout("bin/a")]],
        {"/bin": "link -> usr/bin", "/usr": DIR, "/usr/bin": DIR, "/usr/bin/b": FILE},
    ),
    "an opaque directory hides what lower layers have in it": (
        [[directory("d", mode=0o700), "d/a", "d/e/", "d/e/b"], [opaque("d"), "d/c"]],
        {"/d": "dir 0700", "/d/c": FILE},
    ),
    "an opaque root hides everything": (
        [["a", "d/", "d/b"], [".wh..wh..opq", "c"]],
        {"/c": FILE},
    ),
    "an opaque directory that took a link's place leaves what that pointed to": (
        [["e/", "e/a", "d -> e"], ["d/", opaque("d"), "d/b"]],
        {"/d": DIR, "/d/b": FILE, "/e": DIR, "/e/a": FILE},
    ),
    "an opaque directory that took a file's place": (
        [["d: 1"], ["d/", opaque("d"), "d/b"]],
        {"/d": DIR, "/d/b": FILE},
    ),
    "whiteouts are carried out layer by layer": (
        [["a: 0", "d/", "d/x"], [whiteout("a"), opaque("d")], ["a: 2", "d/y"], [whiteout("d/y")]],
        {"/a": "file 0644 '2'", "/d": DIR},
    ),
    # Hard links.
    "names of one inode": (
        [["a: x", "b => a", "c => /b", "d: x"]],
        {
            "/a": "file 0644 'x' #1",
            "/b": "file 0644 'x' #1",
            "/c": "file 0644 'x' #1",
            "/d": "file 0644 'x'",
        },
    ),
    "a link's name outlives its target's": (
        [["a: x", "b => a", "c => a", "d => a"], [whiteout("a"), "c: new"]],
        {"/b": "file 0644 'x' #1", "/c": "file 0644 'new'", "/d": "file 0644 'x' #1"},
    ),
    "a replaced target leaves the link's content": (
        [["a: x", "b => a", "c => a"], ["a: y"]],
        {"/a": "file 0644 'y'", "/b": "file 0644 'x' #1", "/c": "file 0644 'x' #1"},
    ),
    "a hard link to a lower layer's file": (
        [[file("a", "x", mode=0o600, uid=4)], ["b => a"]],
        {"/a": "file 0600 4:0 'x' #1", "/b": "file 0600 4:0 'x' #1"},
    ),
    "a hard link to a symbolic link is another such": (
        [["l -> nowhere", "m => l"]],
        {"/l": "link -> nowhere #1", "/m": "link -> nowhere #1"},
    ),
    "a hard link whose path goes through a directory link": (
        [["usr/", "usr/a: x", "u -> usr", "b => u/a"]],
        {
            "/b": "file 0644 'x' #1",
            "/u": "link -> usr",
            "/usr": DIR,
            "/usr/a": "file 0644 'x' #1",
        },
    ),
    "two groups": (
        [["a", "b", "c => a", "d => b"]],
        {"/a": f"{FILE} #1", "/b": f"{FILE} #2", "/c": f"{FILE} #1", "/d": f"{FILE} #2"},
    ),
    # Parents.
    "a parent that no layer has is implied": (
        [["a/b/c"]],
        {"/a": DIR, "/a/b": DIR, "/a/b/c": FILE},
    ),
    "an implied parent may be told of later": (
        [["a/b", directory("a", mode=0o700)]],
        {"/a": "dir 0700", "/a/b": FILE},
    ),
    "a name below a directory link is put where that points": (
        [["usr/", "usr/lib/", "lib -> usr/lib"], ["lib/a", "lib/d/", "lib/d/b"]],
        {
            "/lib": "link -> usr/lib",
            "/usr": DIR,
            "/usr/lib": DIR,
            "/usr/lib/a": FILE,
            "/usr/lib/d": DIR,
            "/usr/lib/d/b": FILE,
        },
    ),
    "an absolute link as a parent stays in the image": (
        [["l -> /d", "m -> /../../../d"], ["l/a", "m/b"]],
        {
            "/d": DIR,
            "/d/a": FILE,
            "/d/b": FILE,
            "/l": "link -> /d",
            "/m": "link -> /../../../d",
        },
    ),
    "a chain of links as a parent": (
        [["a/", "a/x -> ../b", "b -> c/.", "c/"], ["a/x/f"]],
        {"/a": DIR, "/a/x": "link -> ../b", "/b": "link -> c/.", "/c": DIR, "/c/f": FILE},
    ),
}

OUR_OWN: dict[str, Case] = {
    # Every engine carries marks out when it comes to them; by the specification they mean lower
    # layers only, and so the place in the archive must not matter.
    "a whiteout does not hide its own layer's file, whether after": (
        [["a: 1"], ["a: 2", whiteout("a")]],
        {"/a": "file 0644 '2'"},
    ),
    "a whiteout hides lower names in a directory that the layer has too": (
        [[directory("d", mode=0o700), "d/a"], ["d/b", whiteout("d")]],
        {"/d": DIR, "/d/b": FILE},
    ),
    "a directory that the layer has stays as the layer has it": (
        [["d/", "d/a"], [directory("d", mode=0o700), whiteout("d")]],
        {"/d": "dir 0700"},
    ),
    "an opaque mark after a hard link to a lower file": (
        [["a: x", "d/", "d/old"], ["d/new => a", opaque("d")]],
        {"/a": "file 0644 'x' #1", "/d": DIR, "/d/new": "file 0644 'x' #1"},
    ),
    "an opaque mark below what is no directory hides nothing": (
        [["a: 1"], [opaque("a"), whiteout("a/b")]],
        {"/a": "file 0644 '1'"},
    ),
    "an opaque mark below a link loop hides nothing": (
        [["a -> a"], [opaque("a"), "a/", "a/b"]],
        {"/a": DIR, "/a/b": FILE},
    ),
    "aufs' own files are no part of the image": (
        [["a", ".wh..wh.aufs", ".wh..wh.orph/", ".wh..wh.plnk/", ".wh..wh.plnk/1.2"]],
        {"/a": FILE},
    ),
}


@pytest.mark.parametrize("name", [*MERGED, *OUR_OWN])
def test_layers_merge(name: str) -> None:
    layers, expected = (MERGED | OUR_OWN)[name]
    assert shown(tree_of(*layers)) == expected


def _loop() -> list[Member | str]:
    return ["x -> y", "y -> x"]


def _chain(length: int) -> list[Member | str]:
    """Links 1 → 2 → … → `length` → d."""
    return ["d/", *(f"{n} -> {n + 1}" for n in range(1, length)), f"{length} -> d"]


def _ever_deeper() -> list[Member | str]:
    """Each link leads 240 bytes further down than the one before."""
    names = [f"{number:03}" * 80 for number in range(21)]
    return ["l0 -> 000", *(f"l{n} -> l{n - 1}/{names[n]}" for n in range(1, 21))]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([["a"], ["b", "a/c"]], "layer 1: member '/a/c' is below '/a', which is a file"),
        ([["a -> b", "b"], ["a/c"]], "layer 1: member '/a/c' is below '/b', which is a file"),
        ([[*_loop(), "x/a"]], "layer 0: member '/x/a' is behind a loop of symbolic links at '/"),
        ([[*_chain(41), "1/a"]], "member '/1/a' is behind a loop of symbolic links at '/41'"),
        ([["a => b"]], "layer 0: member '/a' is a hard link to '/b', which does not exist"),
        ([["a => b", "b"]], "member '/a' is a hard link to '/b', which does not exist"),
        ([["b"], ["a"], [whiteout("b"), "c => b"]], "layer 2: member '/c' is a hard link to '/b'"),
        ([["a => d/b"]], "member '/a' is a hard link to '/d/b', which does not exist"),
        ([["d/", "a => d"]], "member '/a' is a hard link to '/d', which is a directory"),
        ([["a => /"]], "member '/a' is a hard link to '/', which is a directory"),
        ([["a", "a => a"]], "member '/a' is a hard link to '/a', which does not exist"),
        ([["d/", "d/a", "d => d/a"]], "is a hard link to '/d/a', which does not exist"),
        ([[file("/", "x")]], "member '/' makes the root a file"),
        ([["/ -> etc"]], "member '/' makes the root a symlink"),
        ([[".wh."]], "member '/.wh.' is a whiteout of no name"),
        ([["d/.wh..."]], "member '/d/.wh...' is a whiteout of no name"),
        ([[".wh.a/b"]], "member '/.wh.a/b' is below a whiteout, which is no directory"),
        ([[*_ever_deeper(), "l20/a"]], "is, behind links, longer than 4,095 bytes"),
    ],
)
def test_layers_that_cannot_be_laid_are_refused(layers: list[Members], message: str) -> None:
    with pytest.raises(ImageError) as caught:
        tree_of(*layers)
    assert message in str(caught.value)


def test_forty_links_are_followed() -> None:
    assert shown(tree_of([*_chain(40), "1/a"]))["/d/a"] == FILE


def test_implied_directories_are_known_as_such() -> None:
    tree = tree_of(["a/b", "c/"])
    assert {entry.path for entry in tree.entries.values() if entry.layer == IMPLIED} == {"/", "/a"}


def test_an_entry_knows_its_layer() -> None:
    tree = tree_of(["a", "b"], ["b", "c => a"])
    assert {path: tree.entries[path].layer for path in tree.entries} == {
        "/": IMPLIED,
        "/a": 0,
        "/b": 1,
        "/c": 0,
    }


# The order in the archive.

_paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
_marks = st.builds(whiteout, _paths) | st.builds(opaque, _paths)


@st.composite
def _layers(draw: st.DrawFn) -> list[Member]:
    """Files and some of the directories that hold them, parents first."""
    paths = draw(st.sets(_paths, max_size=6))
    above = {path[:cut] for path in paths for cut in (1, 3) if len(path) > cut}
    told = draw(st.sets(st.sampled_from(sorted(above)))) if above else set()
    members = {path: file(path, path) for path in paths - above}
    members |= {path: directory(path, mode=0o700) for path in told}
    return [members[path] for path in sorted(members)]


@unhurried
@given(_layers(), _layers(), st.lists(_marks, max_size=3), st.randoms(use_true_random=False))
def test_marks_work_wherever_they_stand(
    lower: list[Member], upper: list[Member], marks: list[Member], random: Random
) -> None:
    mixed = [*upper]
    for mark in marks:
        mixed.insert(random.randint(0, len(mixed)), mark)
    found, expected = (_outcome([lower, order]) for order in (mixed, [*marks, *upper]))
    # A file may be in a directory's place until the mark comes that removes it.
    assert found == expected or None in (found, expected)


def _outcome(layers: Sequence[Members]) -> dict[str, str] | None:
    try:
        return shown(tree_of(*layers))
    except ImageError:
        return None


# What an engine makes of the same layers.


def _as_oci_layout(layers: Sequence[Layer], directory: Path) -> None:
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def stored(media_type: str, data: bytes) -> Descriptor:
        digest = Digest.of(data)
        (blobs / digest.hex).write_bytes(data)
        return Descriptor(media_type, digest, len(data))

    config = write(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in layers]},
            "history": [{} for _ in layers],
        }
    )
    described = [stored(OCI_LAYER[Compression.NONE], _whole(layer.blob)) for layer in layers]
    manifest = Manifest(stored(OCI_CONFIG, config), described, {})
    one = stored(OCI_MANIFEST, manifest.write())
    tagged = Descriptor(one.media_type, one.digest, one.size, annotations={REF_NAME: "t"})
    (directory / "index.json").write_bytes(Index([tagged], {}).write())
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def _whole(blob: Blob) -> bytes:
    return blob.open().read(1 << 30)


def _unpacked(root: Path) -> dict[str, str]:
    """What `shown` says, of a directory of the host."""
    found = {}
    groups: dict[int, int] = {}
    paths = [Path(top) / name for top, *names in os.walk(root) for name in (*names[0], *names[1])]
    for path in sorted([root, *paths], key=str):
        status = path.lstat()
        text = _kind_and_mode(path, status)
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            group = groups.setdefault(status.st_ino, len(groups) + 1)
            text += f" #{group}"
        found[f"/{path.relative_to(root)}" if path != root else "/"] = text
    if found["/"] == "dir 0755":
        del found["/"]
    return found


def _kind_and_mode(path: Path, status: os.stat_result) -> str:
    mode = status.st_mode
    owner = "" if not (status.st_uid or status.st_gid) else f" {status.st_uid}:{status.st_gid}"
    bits = f"{stat.S_IMODE(mode):04o}{owner}"
    if stat.S_ISLNK(mode):
        return f"link -> {os.readlink(path)}"  # noqa: PTH115 (a Path would normalise it)
    if stat.S_ISDIR(mode):
        return f"dir {bits}"
    if stat.S_ISREG(mode):
        return f"file {bits} {path.read_text()!r}"
    if stat.S_ISFIFO(mode):
        return f"fifo {bits}"
    return f"char {bits} {os.major(status.st_rdev)},{os.minor(status.st_rdev)}"


@pytest.mark.engine
@pytest.mark.parametrize("name", MERGED)
def test_umoci_unpacks_the_same(name: str, tmp_path: Path) -> None:
    if shutil.which("umoci") is None:
        pytest.skip("not installed: umoci (make setup, as root)")
    if os.geteuid() != 0:
        pytest.skip("owners and devices need root")
    layers, expected = MERGED[name]
    _as_oci_layout(layers_of(*layers), tmp_path / "oci")
    command = ["umoci", "raw", "unpack", "--image", f"{tmp_path}/oci:t", f"{tmp_path}/root"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert _unpacked(tmp_path / "root") == expected
