"""From an image to an image: what is written, byte for byte."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from closure.kit import planned
from filetree.kit import (
    Member,
    Members,
    character,
    directory,
    fifo,
    file,
    hardlink,
    image_of,
    shown,
    tree_of,
    whiteout,
)

import minify
from minify import ClosureError, Options, UsageError
from minify.build import BuildOptions, build_image
from minify.build.tarwriter import header
from minify.filetree import FileTree
from minify.image import Digest, Image, Layer, Reference
from minify.image.blob import BytesBlob, read_all
from minify.image.compression import Compression
from minify.image.jsontext import Json
from minify.pipeline import plan_image
from minify.planning import Plan
from minify.transports import OpenOptions, WriteOptions, open_image, write_image

RUN: dict[str, Json] = {"Cmd": ["/app"], "Labels": {"a": "b"}, "StopSignal": "SIGQUIT"}
EVERYTHING: Members = [
    file("app", "\x7f", mode=0o755, mtime="1700000000.123456789"),
    directory("k", mode=0o2775, uid=5, gid=6, mtime="-3"),
    file("k/plain", "text", mode=0o4711, uid=1000, gid=1001),
    file("k/caps", "x", xattrs={"security.capability": "\x01\x00\udcff\x02", "user.a": "b"}),
    file("k/a", "linked"),
    hardlink("k/b", "k/a"),
    hardlink("outside", "k/a"),
    "k/link -> ../nowhere/ü",
    character("k/null", 1, 3),
    fifo("k/fifo"),
    file("k/\udcff\udcfe", "not UTF-8"),
    file("k/" + "long" * 60, "long"),
    directory("k/empty", mode=0o1777),
]


def built(plan: Plan, tree: FileTree, compression: Compression = Compression.GZIP) -> Image:
    return build_image(plan, tree, BuildOptions("slim", compression=compression))


def slim_of(image: Image, options: Options) -> Image:
    return built(plan_image(image, options), FileTree.from_layers(image.layers))


def test_every_kept_entry_is_written_back_exactly() -> None:
    image = image_of(RUN, EVERYTHING)
    source = shown(FileTree.from_layers(image.layers))
    options = Options(keep=("/k",), user="keep", keep_setuid=True)
    slim = shown(FileTree.from_layers(slim_of(image, options).layers))
    del source["/outside"]
    # Malformed capabilities are no such thing; everything else is there.
    changed = {"/tmp": "dir 1777", "/k/caps": "file 0644 'x' user.a='b'"}  # noqa: S108 (of the image)
    assert slim == {**source, **changed}


def test_what_is_hidden_in_lower_layers_stays_hidden() -> None:
    image = image_of(
        RUN,
        [file("app", "\x7f", mode=0o755), directory("k"), "k/secret: hunter2", "k/other"],
        [whiteout("k/secret")],
    )
    slim = slim_of(image, Options(keep=("/k",)))
    tar = slim.layers[0].open().read(1 << 20)
    assert b"hunter2" not in tar
    assert b".wh." not in tar


def test_the_configuration_is_carried_over_but_for_what_must_change() -> None:
    plan = planned(RUN, [file("app", "\x7f", mode=0o755)])
    assert dict(plan.config.raw) == {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Cmd": ["/app"],
            "Labels": {"a": "b"},
            "StopSignal": "SIGQUIT",
            "User": "10001",
            "Env": ["HOME=/"],
        },
        "history": [{"created_by": "minify"}],
    }


@pytest.mark.parametrize("compression", list(Compression))
def test_the_stored_layer_unpacks_to_its_diff_id(compression: Compression) -> None:
    image = image_of(RUN, EVERYTHING)
    tree = FileTree.from_layers(image.layers)
    slim = built(plan_image(image, Options(keep=("/k",))), tree, compression)
    (layer,) = slim.layers
    assert slim.config.diff_ids == (layer.diff_id,)
    layer.open().verify()
    assert len(read_all(layer.blob, limit=1 << 20, name="it")) == layer.size


def test_order_of_members_does_not_matter() -> None:
    shuffled = list(EVERYTHING)
    links = [shuffled.pop(index) for index in (6, 5)]
    random.Random(7).shuffle(shuffled)  # noqa: S311
    one = slim_of(image_of(RUN, EVERYTHING), Options(keep=("/k",)))
    other = slim_of(image_of(RUN, [*shuffled, *links]), Options(keep=("/k",)))
    assert one.config.digest == other.config.digest


def test_how_a_layer_is_cut_from_its_source_does_not_matter() -> None:
    whole: list[Member | str] = list(EVERYTHING)
    one = slim_of(image_of(RUN, whole), Options(keep=("/k",)))
    other = slim_of(
        image_of(RUN, whole[:7], whole[7:], ["x"], [whiteout("x")]), Options(keep=("/k",))
    )
    assert one.config.digest == other.config.digest


@pytest.mark.parametrize("user", [None, "keep", "33"])
def test_minifying_a_minified_image_gives_the_same_image(tmp_path: Path, user: str | None) -> None:
    source = f"oci:{tmp_path / 'in'}"
    write_image(image_of(RUN, EVERYTHING), Reference.parse(source), WriteOptions())
    one, two = f"oci:{tmp_path / 'one'}", f"oci:{tmp_path / 'two'}"
    first = minify.minify(source, one, Options(keep=("/k",), user=user))
    second = minify.minify(one, two)
    assert first.built is not None
    assert second.built is not None
    assert first.built.config.data == second.built.config.data
    assert first.manifest_digest == second.manifest_digest
    assert second.plan.changes == ()


def test_a_layer_on_top_of_a_minified_image_is_decided_again(tmp_path: Path) -> None:
    source, slim = f"oci:{tmp_path / 'in'}", f"oci:{tmp_path / 'slim'}"
    write_image(image_of(RUN, EVERYTHING), Reference.parse(source), WriteOptions())
    minify.minify(source, slim, Options(keep=("/k",)))
    image = open_image(Reference.parse(slim), OpenOptions())
    more = image_of({}, ["more"])
    diff_ids = [*map(str, image.config.diff_ids), *map(str, more.config.diff_ids)]
    history: list[Json] = [{"created_by": "minify"}, {"created_by": "COPY more"}]
    top: dict[str, Json] = {"rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": history}
    stacked = Image("stacked", image.config.changed(top), (*image.layers, *more.layers))
    paths = {item.entry.path for item in plan_image(stacked).entries}
    assert "/app" in paths
    assert not paths & {"/more", "/k/plain"}


def test_a_sparse_file_is_written_whole() -> None:
    # The old GNU format: 512 bytes at 1024 of 2048.
    block = bytearray(header(tree_of([file("s", "x" * 512, mode=0o755)]).entries["/s"]))  # type: ignore[index]
    block[156:157] = b"S"
    block[257:265] = b"ustar  \0"
    block[386:410] = b"%011o\0%011o\0" % (1024, 512)
    block[483:495] = b"%011o\0" % 2048
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    member = bytes(block) + b"y" * 512
    image = image_of({"Cmd": ["/s"]}, [file("x")])
    data = member + bytes(1024)
    layer = Layer(BytesBlob(data), "layer", Digest.of(data), Digest.of(data), len(data))
    sparse = Image("sparse", image.config, (layer,))
    slim = slim_of(sparse, Options(user="keep", keep=("/s",), entrypoint=("/s",)))
    tree = FileTree.from_layers(slim.layers)
    content = tree.read(tree.entries["/s"])  # type: ignore[index]
    assert content == bytes(1024) + b"y" * 512 + bytes(512)


STATIC: list[Member | str] = [file("app", "\x7f", mode=0o755)]
SHOWN = "file 0644 'appuser:x:10001:10001::/nonexistent:/sbin/nologin\\n'"


@pytest.mark.parametrize(
    ("members", "directory_of_accounts"),
    [
        (STATIC, "/etc"),
        ([*STATIC, "etc -> config", directory("config")], "/config"),
        ([*STATIC, directory("etc")], "/etc"),
    ],
)
def test_account_files_are_where_they_belong(members: Members, directory_of_accounts: str) -> None:
    image = image_of(RUN, members)
    slim = shown(FileTree.from_layers(slim_of(image, Options()).layers))
    assert slim[f"{directory_of_accounts}/passwd"] == SHOWN
    assert slim[f"{directory_of_accounts}/group"] == "file 0644 'appuser:x:10001:\\n'"
    assert slim[directory_of_accounts] == "dir 0755"


@pytest.mark.parametrize(
    "members",
    [
        ["etc -> /nowhere"],
        ["etc: a file"],
        ["etc/passwd -> /nowhere"],
        ["etc/passwd/"],
        ["etc/passwd -> /app"],
        ["etc/passwd -> group", "etc/group"],
        ["etc/passwd -> passwd"],
    ],
)
def test_what_is_in_the_way_of_an_account_file_is_named(members: list[str]) -> None:
    with pytest.raises(ClosureError, match="/etc"):
        plan_image(image_of(RUN, [*STATIC, *members]))


@pytest.mark.parametrize(
    ("run", "members"),
    [
        ({"Cmd": ["/app"], "WorkingDir": "/tmp"}, STATIC),  # noqa: S108 (of the image)
        ({"Cmd": ["/app", "/etc/passwd", "--f=/etc/group"]}, STATIC),
        ({"Cmd": ["/app"], "Volumes": {"/d": {}}}, [*STATIC, "d/a", "e => d/a"]),
        ({"Cmd": ["/app"], "WorkingDir": "/d/e"}, STATIC),
        ({"Cmd": ["/app"]}, [*STATIC, "tmp -> /nowhere"]),
        ({"Cmd": ["/app"]}, [*STATIC, "tmp/"]),
    ],
)
def test_odd_images_are_minified_and_again(
    run: dict[str, Json], members: Members, tmp_path: Path
) -> None:
    source, one, two = (f"oci:{tmp_path / name}" for name in ("in", "one", "two"))
    write_image(image_of(run, members), Reference.parse(source), WriteOptions())
    first = minify.minify(source, one, Options(keep=("/app",)))
    second = minify.minify(one, two)
    assert first.manifest_digest == second.manifest_digest


def test_only_a_layout_takes_zstd(tmp_path: Path) -> None:
    source = f"oci:{tmp_path / 'in'}"
    write_image(image_of(RUN, STATIC), Reference.parse(source), WriteOptions())
    options = Options(compression=Compression.ZSTD)
    with pytest.raises(UsageError, match="--compression zstd"):
        minify.minify(source, f"oci-archive:{tmp_path / 'x.tar'}", options)
    assert minify.minify(source, f"oci:{tmp_path / 'out'}", options).built is not None


def test_a_vendor_package_named_in_configuration_is_no_fault_of_ours(tmp_path: Path) -> None:
    # The slim image has no package database, so /opt/tool looks like the application's own there.
    members: Members = [
        file("usr/bin/app", "\x7f", mode=0o755),
        file("opt/tool/bin/x", "\x7f", mode=0o755),
        file("srv/app/conf", "run = /opt/tool/bin/x\n"),
        file(
            "var/lib/dpkg/status",
            "".join(f"Package: {name}\nStatus: install ok installed\n\n" for name in "pq"),
        ),
        file("var/lib/dpkg/info/p.list", "/usr/bin/app\n"),
        file("var/lib/dpkg/info/q.list", "/opt/tool/bin/x\n"),
    ]
    run: dict[str, Json] = {"Cmd": ["app"], "WorkingDir": "/srv/app"}
    source, one, two = (f"oci:{tmp_path / name}" for name in ("in", "one", "two"))
    write_image(image_of(run, members), Reference.parse(source), WriteOptions())
    first = minify.minify(source, one)
    assert first.manifest_digest == minify.minify(one, two).manifest_digest


def test_another_user_of_a_minified_image_gets_its_entries(tmp_path: Path) -> None:
    source, one, two = (f"oci:{tmp_path / name}" for name in ("in", "one", "two"))
    write_image(image_of(RUN, STATIC), Reference.parse(source), WriteOptions())
    minify.minify(source, one)
    result = minify.minify(one, two, Options(user="5000"))
    assert result.built is not None
    slim = FileTree.from_layers(result.built.layers)
    assert "x:5000:5000:" in shown(slim)["/etc/passwd"]


@pytest.mark.parametrize(
    ("argv", "name", "mode"),
    [(["/data/app"], "data/app", 0o700), (["/app", "/data/c"], "data/c", 0o600)],
)
def test_what_the_program_needs_of_a_volume_is_given_with_it(
    argv: list[str], name: str, mode: int
) -> None:
    members = [*STATIC, directory("data", mode=0o700), file(name, "\x7f", mode=mode)]
    plan = planned({"Cmd": [*argv], "Volumes": {"/data": {}}}, members)
    owners = {item.entry.path: item.entry.uid for item in plan.entries}
    assert plan.identity.user == "10001"
    assert owners[f"/{name}"] == 10001  # type: ignore[index]
