"""What is written is right, appears whole or not at all, and replaces nothing unasked."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from minify.errors import ImageError, MinifyError, OutputError, UsageError
from minify.image import Digest, Image, Reference
from minify.image.blob import BytesBlob
from minify.transports import TRANSPORTS, WriteOptions, check_output, write_image
from transports import kit
from transports.kit import opened, sample, written

ONE, TWO = sample("one"), sample("two")

# How each kind of file is named as a source, and as an output, below a directory.
SOURCES = {
    "docker-archive, old": "docker-archive:{}/old.tar",
    "docker-archive, new": "docker-archive:{}/new.tar:app:1",
    "oci": "oci:{}/layout",
    "oci-archive": "oci-archive:{}/oci.tar",
}
OUTPUTS = {
    "docker-archive": "docker-archive:{}/out-docker.tar:slim:1",
    "oci": "oci:{}/out-layout:slim",
    "oci-archive": "oci-archive:{}/out-oci.tar:slim",
}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    kit.write_file(tmp_path / "old.tar", kit.old_docker_save([ONE.named("app:1")]))
    kit.write_file(tmp_path / "new.tar", kit.new_docker_save([ONE.named("app:1"), TWO]))
    kit.write_tree(tmp_path / "layout", kit.layout([ONE]))
    kit.write_file(tmp_path / "oci.tar", kit.tar(kit.layout([ONE])))
    return tmp_path


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return opened(f"oci:{kit.write_tree(tmp_path / 'layout', kit.layout([ONE]))}")


def check(reference: str, *, force: bool = False) -> None:
    check_output(Reference.parse(reference), WriteOptions(force=force))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("output", OUTPUTS)
def test_every_file_medium_goes_into_every_other(source: str, output: str, sources: Path) -> None:
    target = OUTPUTS[output].format(sources)
    check(target)
    result = written(opened(SOURCES[source].format(sources)), target)
    again = opened(target)
    assert kit.is_whole(again, ONE)
    assert result.reference == target
    assert result.image_id == again.config.digest == Digest.parse(ONE.id)
    if output != "docker-archive":  # there it is not looked at
        assert result.manifest_digest == again.manifest_digest


def test_every_transport_is_in_the_matrix() -> None:
    tested = {name.partition(",")[0] for name in (*SOURCES, *OUTPUTS)}
    others = {"", "docker-daemon", "docker", "rootfs"}
    assert tested | others == {str(transport) for transport in TRANSPORTS}


def test_both_archives_are_one_content(image: Image, tmp_path: Path) -> None:
    written(image, f"docker-archive:{tmp_path}/a.tar")
    written(image, f"oci-archive:{tmp_path}/b.tar")
    data = (tmp_path / "a.tar").read_bytes()
    assert data == (tmp_path / "b.tar").read_bytes()
    for reference in (f"docker-archive:{tmp_path}/b.tar", f"oci-archive:{tmp_path}/a.tar"):
        assert kit.is_whole(opened(reference), ONE)
    blobs = {f"blobs/sha256/{kit.hexdigest(data)}" for data, _ in ONE.stored()[:2]}
    with kit.repacked(data) as tar:
        members = list(tar)
    names = {one.name for one in members}
    assert names >= {"oci-layout", "index.json", "manifest.json", "blobs", "blobs/sha256", *blobs}
    assert {(one.mtime, one.uid, one.gid, one.uname) for one in members} == {(0, 0, 0, "")}


def test_the_name_goes_into_both_dialects(image: Image, tmp_path: Path) -> None:
    written(image, f"docker-archive:{tmp_path}/a.tar:docker.io/library/slim")
    with tarfile.open(tmp_path / "a.tar") as tar:
        texts = {name: tar.extractfile(name) for name in ("manifest.json", "index.json")}
        manifest, index = (json.load(file) for file in texts.values() if file)
    assert manifest[0]["RepoTags"] == ["slim:latest"]
    assert index["manifests"][0]["annotations"] == {
        "io.containerd.image.name": "docker.io/library/slim:latest",
        "org.opencontainers.image.ref.name": "latest",
    }
    assert index["manifests"][0]["platform"] == {"architecture": "amd64", "os": "linux"}
    for tag in ("latest", "slim", "slim:latest", "docker.io/library/slim:latest"):
        assert kit.is_whole(opened(f"oci-archive:{tmp_path}/a.tar:{tag}"), ONE)


def test_the_manifest_says_what_the_layers_are(image: Image, tmp_path: Path) -> None:
    result = written(image, f"oci:{tmp_path}/out")
    digest = result.manifest_digest
    assert digest
    manifest = json.loads((tmp_path / "out/blobs/sha256" / digest.hex).read_bytes())
    assert [layer["mediaType"].rpartition(".")[2] for layer in manifest["layers"]] == [
        "tar",
        "tar+gzip",
        "tar+zstd",
    ]
    assert manifest["config"]["mediaType"] == "application/vnd.oci.image.config.v1+json"
    assert manifest["annotations"] == {"com.example": "kept"}


def test_archives_have_no_zstd_which_docker_2010_cannot_load(image: Image, tmp_path: Path) -> None:
    results = [written(image, f"oci-archive:{tmp_path}/{number}.tar") for number in (1, 2)]
    again = opened(f"oci-archive:{tmp_path}/1.tar")
    starts = [layer.blob.open().read(2) for layer in again.layers]
    assert starts == [b"et", b"\x1f\x8b", b"\x1f\x8b"]
    assert results[0].manifest_digest == results[1].manifest_digest
    assert [layer.digest for layer in again.layers][:2] == [layer.digest for layer in image.layers][
        :2
    ]


def test_equal_layers_are_stored_once(tmp_path: Path) -> None:
    layers = (ONE.layers[0],) * 3
    document = json.loads(ONE.config)
    document["rootfs"]["diff_ids"] = [kit.digest(layer) for layer in layers]
    twin = kit.Sample(json.dumps(document).encode(), layers, "linux/amd64")
    source = kit.write_file(tmp_path / "old.tar", kit.old_docker_save([twin]))
    for output in OUTPUTS.values():
        written(opened(f"docker-archive:{source}"), output.format(tmp_path))
        assert kit.is_whole(opened(output.format(tmp_path)), twin)
    with tarfile.open(tmp_path / "out-oci.tar") as tar:
        assert len(tar.getnames()) == len(set(tar.getnames())) == 8


@pytest.mark.parametrize("output", OUTPUTS)
def test_damaged_layers_are_not_written(output: str, image: Image, tmp_path: Path) -> None:
    first, second, third = image.layers
    broken = replace(second, blob=BytesBlob(second.blob.open().read(99) + b"x"))
    damaged = replace(image, layers=(first, broken, third))
    before = kit.listing(tmp_path)
    with pytest.raises(ImageError, match=r"layer 2 of 3 .* is damaged"):
        written(damaged, OUTPUTS[output].format(tmp_path))
    assert kit.listing(tmp_path) == before


def test_layers_without_a_digest_are_held_to_their_diff_ids(tmp_path: Path) -> None:
    data = kit.old_docker_save([ONE]).replace(b"one 2\none 2", b"one 2\none 3")
    damaged = opened(f"docker-archive:{kit.write_file(tmp_path / 'a.tar', data)}")
    before = kit.listing(tmp_path)
    for output in OUTPUTS.values():
        with pytest.raises(ImageError, match=r"layer 3 of 3 .* its diff_id"):
            written(damaged, output.format(tmp_path))
    assert kit.listing(tmp_path) == before


FILES = ["docker-archive", "oci-archive"]


@pytest.mark.parametrize("transport", FILES)
def test_a_file_that_exists_needs_force(transport: str, image: Image, tmp_path: Path) -> None:
    path = kit.write_file(tmp_path / "a.tar", b"mine")
    reference = f"{transport}:{path}:slim"
    for attempt in (lambda: check(reference), lambda: written(image, reference)):
        with pytest.raises(OutputError, match="exists; say --force"):
            attempt()
    assert path.read_bytes() == b"mine"
    check(reference, force=True)
    assert path.read_bytes() == b"mine"
    written(image, reference, force=True)
    assert kit.is_whole(opened(reference), ONE)


def test_a_file_that_appears_meanwhile_is_kept(image: Image, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"

    class Blob(BytesBlob):
        def check_unchanged(self) -> None:
            path.write_bytes(b"theirs")

    layer = image.layers[0]
    late = replace(layer, blob=Blob(layer.blob.open().read(1 << 20)))
    before = kit.listing(tmp_path)
    with pytest.raises(OutputError, match="exists; say --force"):
        written(replace(image, layers=(late, *image.layers[1:])), f"oci-archive:{path}")
    assert path.read_bytes() == b"theirs"
    assert kit.listing(tmp_path) == before | {"a.tar"}


def test_the_source_itself_can_be_replaced(tmp_path: Path) -> None:
    path = kit.write_file(tmp_path / "a.tar", kit.old_docker_save([ONE.named("app:1")]))
    written(opened(f"docker-archive:{path}"), f"docker-archive:{path}:app:1", force=True)
    assert kit.is_whole(opened(f"docker-archive:{path}:app:1"), ONE)


def test_a_link_is_written_through(image: Image, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "a.tar").symlink_to("real/b.tar")
    written(image, f"oci-archive:{tmp_path}/a.tar")
    assert (tmp_path / "a.tar").is_symlink()
    assert kit.listing(tmp_path / "real") == {"b.tar"}


def test_the_umask_decides_the_mode(image: Image, tmp_path: Path) -> None:
    for mask, mode in ((0o077, 0o600), (0o002, 0o664)):
        old = os.umask(mask)
        try:
            written(image, f"oci-archive:{tmp_path}/{mask}.tar")
        finally:
            os.umask(old)
        assert (tmp_path / f"{mask}.tar").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("output", OUTPUTS)
def test_outputs_that_cannot_be_are_told_early(output: str, image: Image, tmp_path: Path) -> None:
    reference = OUTPUTS[output].format(tmp_path / "none")
    before = kit.listing(tmp_path)
    for attempt in (lambda: check(reference), lambda: written(image, reference)):
        with pytest.raises(OutputError, match=r"cannot be written: (there is no|No such)"):
            attempt()
    (tmp_path / "none").write_bytes(b"")
    for attempt in (lambda: check(reference), lambda: written(image, reference)):
        with pytest.raises(OutputError, match="cannot be written"):
            attempt()
    assert kit.listing(tmp_path) == before | {"none"}


@pytest.mark.parametrize("output", ["oci-archive:/proc/o.tar", "oci:/proc/o"])
def test_an_output_that_cannot_be_is_named_as_it_was_written(output: str) -> None:
    with pytest.raises(OutputError) as refused:
        check(output)
    said = f"{output} cannot be written: No such file or directory (/proc)"
    assert str(refused.value) == said


def test_a_check_leaves_nothing_behind(tmp_path: Path) -> None:
    for output in OUTPUTS.values():
        check(output.format(tmp_path))
    (tmp_path / "empty").mkdir()
    check(f"oci:{tmp_path}/empty:tag")
    check(f"oci:{kit.write_tree(tmp_path / 'l', kit.layout([ONE]))}:tag")
    assert kit.listing(tmp_path) == {"empty", "l"} | {f"l/{n}" for n in kit.listing(tmp_path / "l")}


@pytest.mark.parametrize("force", [False, True])
def test_only_regular_files_are_replaced(force: bool, image: Image, tmp_path: Path) -> None:  # noqa: FBT001
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, Path("/dev/null"), Path("/dev/stdout")):
        reference = f"oci-archive:{path}"
        with pytest.raises(OutputError, match=r"cannot be written: .* is (no regular|a dir)"):
            check(reference, force=force)
        with pytest.raises(OutputError, match="cannot be written"):
            written(image, reference, force=force)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("docker-archive:{}/a.tar:Name:1", "written in lower case"),
        ("docker-archive:{}/a.tar:app@sha256:" + "1" * 64, "has no digest in its name"),
        ("docker-archive:{}/a.tar:@0", "not a number"),
        ("oci-archive:{}/a.tar@sha256:" + "1" * 64, "has no digest"),
        ("oci:{}/a@sha256:" + "1" * 64, "has no digest"),
        ("docker-daemon:app@sha256:" + "1" * 64, "has no digest in its name"),
        ("rootfs:{}/a", "rootfs: is no output; expected docker-daemon:"),
        ("docker://host/app@sha256:" + "1" * 64, "say docker://docker.io/host/app:latest"),
        ("docker://Host/App:1", "written in lower case"),
    ],
)
def test_names_that_no_output_has(reference: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        check(reference.format(tmp_path))


def test_a_layout_is_added_to(image: Image, tmp_path: Path) -> None:
    target = kit.write_tree(tmp_path / "l", kit.layout([TWO.named("old"), TWO.named("slim")]))
    index = json.loads((target / "index.json").read_bytes())
    index["x-unknown"] = 1
    (target / "index.json").write_text(json.dumps(index))
    written(image, f"oci:{target}:slim")
    assert kit.is_whole(opened(f"oci:{target}:slim"), ONE)
    assert kit.is_whole(opened(f"oci:{target}:old"), TWO)
    after = json.loads((target / "index.json").read_bytes())
    assert after["x-unknown"] == 1
    assert len(after["manifests"]) == 2
    written(image, f"oci:{target}")
    written(image, f"oci:{target}")
    assert len(json.loads((target / "index.json").read_bytes())["manifests"]) == 3


def test_an_empty_directory_becomes_a_layout_in_its_place(image: Image, tmp_path: Path) -> None:
    target = tmp_path / "empty"
    target.mkdir(mode=0o700)
    inode = target.stat().st_ino
    written(image, f"oci:{target}:1")
    assert (target.stat().st_ino, target.stat().st_mode & 0o777) == (inode, 0o700)
    assert kit.is_whole(opened(f"oci:{target}:1"), ONE)


def test_a_directory_with_something_else_is_left_alone(image: Image, tmp_path: Path) -> None:
    target = kit.write_tree(tmp_path / "home", {"file": b""})
    for attempt in (lambda: check(f"oci:{target}"), lambda: written(image, f"oci:{target}")):
        with pytest.raises(OutputError, match=r"neither empty nor an OCI layout.* no oci-layout"):
            attempt()
    assert kit.listing(target) == {"file"}


def test_a_damaged_blob_of_a_layout_is_healed(image: Image, tmp_path: Path) -> None:
    target = kit.write_tree(tmp_path / "out", kit.layout([ONE.named("1")]))
    blob = target / "blobs/sha256" / kit.hexdigest(ONE.layers[0])
    blob.write_bytes(blob.read_bytes().replace(b"one", b"two"))
    written(image, f"oci:{target}:2")
    assert kit.is_whole(opened(f"oci:{target}:1"), ONE)


def test_an_interrupted_write_leaves_nothing(image: Image, tmp_path: Path) -> None:
    class Blob(BytesBlob):
        def check_unchanged(self) -> None:
            raise KeyboardInterrupt

    late = replace(image.layers[2], blob=Blob(image.layers[2].blob.open().read(1 << 20)))
    stopped = replace(image, layers=(*image.layers[:2], late))
    kit.write_tree(tmp_path / "out-layout-old", kit.layout([TWO.named("old")]))
    (tmp_path / "out-empty").mkdir()
    before = kit.listing(tmp_path)
    for output in (*OUTPUTS.values(), "oci:{}/out-layout-old:old", "oci:{}/out-empty"):
        with pytest.raises(KeyboardInterrupt):
            written(stopped, output.format(tmp_path))
        assert kit.listing(tmp_path) == before
    assert kit.is_whole(opened(f"oci:{tmp_path}/out-layout-old:old"), TWO)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    path = tmp_path / "tiny"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "minify-test", str(path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)


def big_image(tmp_path: Path) -> Image:
    """An image of 300 KB whose layers were not compressed."""
    layer = kit.tar({f"{number}": os.urandom(50_000) for number in range(6)})
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [kit.digest(layer)]}}
    one = kit.Sample(json.dumps(config).encode(), (layer,), "linux/amd64")
    return opened(
        f"docker-archive:{kit.write_file(tmp_path / 'b.tar', kit.old_docker_save([one]))}"
    )


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_full_disk_is_told_and_nothing_is_left(
    output: str, tmp_path: Path, tiny_disk: Path
) -> None:
    image = big_image(tmp_path)
    with pytest.raises(OutputError, match=os.strerror(errno.ENOSPC)):
        written(image, OUTPUTS[output].format(tiny_disk))
    assert kit.listing(tiny_disk) == set()
    kit.write_tree(tiny_disk / "l", kit.layout([ONE.named("1")]))
    before = kit.listing(tiny_disk)
    with pytest.raises(OutputError, match=os.strerror(errno.ENOSPC)):
        written(image, f"oci:{tiny_disk}/l:1")
    assert kit.listing(tiny_disk) == before
    assert kit.is_whole(opened(f"oci:{tiny_disk}/l:1"), ONE)


def test_a_read_only_disk_is_told(tiny_disk: Path, image: Image) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    for output in OUTPUTS.values():
        for attempt in (check, lambda reference: written(image, reference)):
            with pytest.raises(OutputError, match=os.strerror(errno.EROFS)):
                attempt(output.format(tiny_disk))


def test_a_full_temporary_directory_is_told(
    tmp_path: Path, tiny_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = kit.zipped(kit.tar({"x": os.urandom(200_000)}), "gzip")
    monkeypatch.setattr("tempfile.tempdir", str(tiny_disk))
    with pytest.raises(MinifyError, match="set TMPDIR"):
        opened(f"docker-archive:{kit.write_file(tmp_path / 'a.tar.gz', packed)}")
    assert kit.listing(tiny_disk) == set()


def test_two_writers_of_one_layout_do_not_break_it(image: Image, tmp_path: Path) -> None:
    target = kit.write_tree(tmp_path / "out", kit.layout([TWO.named("old")]))
    writers = [
        threading.Thread(target=written, args=(image, f"oci:{target}:{number}"))
        for number in range(8)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert kit.is_whole(opened(f"oci:{target}:old"), TWO)
    assert not [name for name in kit.listing(target) if ".minify" in name]


@pytest.mark.parametrize("medium", ["docker-archive", "oci", "oci-archive"])
def test_what_the_check_refuses_is_not_written(medium: str, tmp_path: Path) -> None:
    image = kit.opened(f"oci:{kit.write_tree(tmp_path / 'in', kit.layout([kit.sample('one')]))}")

    def check() -> None:
        raise OutputError("it is not what was planned")

    reference = Reference.parse(f"{medium}:{tmp_path / 'out'}")
    with pytest.raises(OutputError, match="not what was planned"):
        write_image(image, reference, WriteOptions(check=check))
    assert not (tmp_path / "out").exists()
