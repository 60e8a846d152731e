"""Which image is meant, and what is refused in it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from minify.errors import ImageError, MinifyError, UsageError
from minify.image.manifest import DOCKER_CONFIG, OCI_INDEX
from minify.transports.location import split
from transports import kit
from transports.kit import Files, multi_platform, sample

ONE, TWO = sample("one"), sample("two")
ARM = sample("arm", "linux/arm64/v8")


def archived(tmp_path: Path, data: bytes, transport: str = "docker-archive") -> str:
    return f"{transport}:{kit.write_file(tmp_path / 'image.tar', data)}"


def directory(tmp_path: Path, files: Files) -> str:
    return f"oci:{kit.write_tree(tmp_path / 'layout', files)}"


def refusal(reference: str, platform: str = "") -> str:
    with pytest.raises(ImageError) as caught:
        kit.opened(reference, platform)
    return str(caught.value)


SAVES: list[Callable[..., bytes]] = [kit.old_docker_save, kit.new_docker_save]


@pytest.mark.parametrize("save", SAVES)
def test_docker_archives_of_both_dialects(save: Callable[..., bytes], tmp_path: Path) -> None:
    image = kit.opened(archived(tmp_path, save([ONE.named("app:1")])))
    assert kit.is_whole(image, ONE)
    is_new = save is kit.new_docker_save
    assert [layer.digest is not None for layer in image.layers] == [is_new] * 3
    assert image.layers[1].name.startswith(
        f"docker-archive:{tmp_path}/image.tar: layer 2 of 3 (sha"
    )


def test_an_image_is_called_as_it_was_asked_for(tmp_path: Path) -> None:
    layout = kit.layout([ONE.named("1"), TWO.named("2")])
    kit.write_tree(tmp_path / "layout", layout)
    kit.write_file(tmp_path / "oci.tar", kit.tar(layout))
    kit.write_file(tmp_path / "docker.tar", kit.old_docker_save([ONE.named("app:1"), TWO]))
    for reference in (
        f"oci:{tmp_path}/layout:2",
        f"oci:{tmp_path}/layout@{json.loads(layout['index.json'])['manifests'][1]['digest']}",
        f"oci-archive:{tmp_path}/oci.tar:2",
        f"docker-archive:{tmp_path}/docker.tar:app:1",
        f"docker-archive:{tmp_path}/docker.tar:@1",
        f"rootfs:{tmp_path}",
    ):
        assert kit.opened(reference).name == reference


@pytest.mark.parametrize("save", SAVES)
def test_the_name_of_a_config_is_short(save: Callable[..., bytes], tmp_path: Path) -> None:
    image = kit.opened(archived(tmp_path, save([ONE])))
    assert image.config.name == f"docker-archive:{tmp_path}/image.tar: config {ONE.id[:19]}"


@pytest.mark.parametrize("save", SAVES)
def test_one_of_several_images_is_chosen(save: Callable[..., bytes], tmp_path: Path) -> None:
    names = ["app:1", "host:5000/lib/app:2"]
    data = save([ONE.named(names[0]), TWO.named(names[1]), sample("three")])
    reference = archived(tmp_path, data)
    assert refusal(reference).endswith(
        f"holds several images; choose one with {reference}:NAME:TAG or {reference}:@NUMBER:"
        " app:1 (linux/amd64), host:5000/lib/app:2 (linux/amd64), @2 (linux/amd64)"
    )
    chosen = {
        "app:1": ONE,
        "docker.io/library/app:1": ONE,
        "host:5000/lib/app:2": TWO,
        "@1": TWO,
        "@2": sample("three"),
    }
    for selector, expected in chosen.items():
        assert kit.is_whole(kit.opened(f"{reference}:{selector}"), expected)
    assert "holds no image app; there is app:1" in refusal(f"{reference}:app")
    assert "holds no image @7" in refusal(f"{reference}:@7")
    with pytest.raises(UsageError, match="expected a number"):
        kit.opened(f"{reference}:@x")


def test_a_shared_layer_is_a_link_in_old_archives(tmp_path: Path) -> None:
    second = kit.Sample(sample("one", created="now").config, ONE.layers, "linux/amd64", "app:2")
    reference = archived(tmp_path, kit.old_docker_save([ONE.named("app:1"), second]))
    assert kit.is_whole(kit.opened(f"{reference}:app:2"), second)


def test_a_file_with_a_colon_in_its_name_wins(tmp_path: Path) -> None:
    path = kit.write_file(tmp_path / "a:b.tar", kit.old_docker_save([ONE.named("app:1")]))
    assert kit.is_whole(kit.opened(f"docker-archive:{path}:app:1"), ONE)
    assert kit.is_whole(kit.opened(f"docker-archive:{path}"), ONE)


def test_paths_that_do_not_exist_yet_end_at_the_first_colon(tmp_path: Path) -> None:
    (tmp_path / "x:y").mkdir()
    found = split(f"{tmp_path}/x:y/out.tar:host/app:1")
    assert (str(found.path), found.selector) == (f"{tmp_path}/x:y/out.tar", "host/app:1")
    assert split("new").selector == ""


def test_the_config_of_an_archive_is_checked(tmp_path: Path) -> None:
    files = {"manifest.json": b'[{"Config": "x.json", "RepoTags": null, "Layers": []}]'}
    assert "config x.json is not in the archive" in refusal(archived(tmp_path, kit.tar(files)))
    data = kit.old_docker_save([ONE])
    broken = data.replace(b'"text": "one"', b'"text": "two"')
    assert re.search(r"config sha256:[0-9a-f]{12} is damaged", refusal(archived(tmp_path, broken)))


def test_a_layer_that_is_missing_is_named(tmp_path: Path) -> None:
    name = f"{kit.hexdigest(ONE.config)}.json"
    manifest = [{"Config": name, "Layers": ["a/layer.tar"] * 3}]
    files = {name: ONE.config, "manifest.json": json.dumps(manifest).encode()}
    assert "layer a/layer.tar is listed but" in refusal(archived(tmp_path, kit.tar(files)))
    files["a/layer.tar"] = b""
    manifest[0]["Layers"] = ["a/layer.tar"]
    files["manifest.json"] = json.dumps(manifest).encode()
    assert "lists 3 layers, the manifest 1" in refusal(archived(tmp_path, kit.tar(files)))


def test_archives_under_the_wrong_transport_are_told(tmp_path: Path) -> None:
    oci = archived(tmp_path, kit.tar(kit.layout([ONE])))
    assert "say oci-archive:/" in refusal(oci)
    docker = archived(tmp_path, kit.old_docker_save([ONE]), "oci-archive")
    assert "say docker-archive:/" in refusal(docker)
    assert "Say oci-archive:/" in refusal(docker.replace("oci-archive", "oci"))
    assert "docker export" in refusal(archived(tmp_path, kit.tar({"etc/passwd": b""})))


@pytest.mark.parametrize("config", [b"[]", b"{", b"{}", b'{"a":' * 9000])
def test_documents_that_are_no_config_are_refused(config: bytes, tmp_path: Path) -> None:
    broken = kit.Sample(config, ONE.layers, "linux/amd64")
    refusal(archived(tmp_path, kit.old_docker_save([broken])))
    refusal(directory(tmp_path, kit.layout([broken])))


@pytest.mark.parametrize("files", [{"manifest.json": b"{}"}, {"manifest.json": b"[]"}])
def test_a_manifest_without_images_is_refused(files: Files, tmp_path: Path) -> None:
    assert "manifest.json" in refusal(archived(tmp_path, kit.tar(files)))


def both(tmp_path: Path, files: Files) -> list[str]:
    """References to a layout as a directory and as an archive."""
    return [directory(tmp_path, files), archived(tmp_path, kit.tar(files), "oci-archive")]


def test_layouts_by_tag_and_digest(tmp_path: Path) -> None:
    for reference in both(tmp_path, kit.layout([ONE.named("1"), TWO.named("app:2")])):
        image = kit.opened(f"{reference}:1")
        assert kit.is_whole(image, ONE)
        assert image.annotations == {"com.example": "kept"}
        assert kit.is_whole(kit.opened(f"{reference}@{image.manifest_digest}"), ONE)
        assert kit.is_whole(kit.opened(f"{reference}:app:2"), TWO)
        assert kit.is_whole(kit.opened(f"{reference}:2"), TWO)
        assert "holds several images" in refusal(reference)
        assert "holds no 3; there is 1, app:2" in refusal(f"{reference}:3")
        assert "holds no sha256:" in refusal(f"{reference}@{kit.digest(b'')}")
        with pytest.raises(UsageError, match="not by both"):
            kit.opened(f"{reference}:1@{image.manifest_digest}")
        with pytest.raises(UsageError, match="64 lower-case"):
            kit.opened(f"{reference}@sha256:12")


def test_the_platform_is_never_assumed(tmp_path: Path) -> None:
    files = multi_platform([ONE, ARM, sample("arm 7", "linux/arm/v7")], "1")
    for reference in both(tmp_path, files):
        for asked in (reference, f"{reference}:1"):
            assert refusal(asked).endswith(
                "choose one with --platform: linux/amd64, linux/arm/v7, linux/arm64/v8"
            )
        assert kit.is_whole(kit.opened(reference, "linux/arm64"), ARM)
        assert kit.is_whole(kit.opened(f"{reference}:1", "linux/amd64"), ONE)
        assert "no image for linux/s390x; there is 1 (linux/amd64), 1 (" in refusal(
            reference, "linux/s390x"
        )


def test_one_image_needs_no_platform_and_must_match_one(tmp_path: Path) -> None:
    references = [
        *both(tmp_path, multi_platform([ARM])),
        f"docker-archive:{kit.write_file(tmp_path / 'd.tar', kit.old_docker_save([ARM]))}",
    ]
    for reference in references:
        assert kit.is_whole(kit.opened(reference), ARM)
        assert kit.is_whole(kit.opened(reference, "linux/arm64"), ARM)
        assert "no image for linux/amd64; there is" in refusal(reference, "linux/amd64")


def test_platforms_come_from_the_configs_where_the_index_has_none(tmp_path: Path) -> None:
    for reference in both(tmp_path, kit.layout([ONE.named("1"), ARM.named("1")])):
        assert kit.is_whole(kit.opened(f"{reference}:1", "linux/arm64"), ARM)
        assert "--platform: linux/amd64, linux/arm64/v8" in refusal(reference)


def test_an_image_tagged_twice_is_one(tmp_path: Path) -> None:
    for reference in both(tmp_path, kit.layout([ONE.named("1"), ONE.named("2")])):
        assert kit.is_whole(kit.opened(reference), ONE)


def test_platforms_that_were_not_saved_are_not_offered(tmp_path: Path) -> None:
    files = multi_platform([ONE, ARM])
    gone = json.loads(
        files[f"blobs/sha256/{json.loads(files['index.json'])['manifests'][0]['digest'][7:]}"]
    )
    del files[f"blobs/sha256/{gone['manifests'][2]['digest'][7:]}"]
    for reference in both(tmp_path, files):
        assert kit.is_whole(kit.opened(reference), ONE)
        assert "no image for linux/arm64" in refusal(reference, "linux/arm64")


def damaged(files: Files, what: str, *, short: bool) -> Files:
    """`files` with the blob that begins with `what` changed, or one byte shorter."""
    return {
        name: (data[:-1] if short else data[:-2] + b" }")
        if name.startswith("blobs") and data.startswith(what.encode())
        else data
        for name, data in files.items()
    }


@pytest.mark.parametrize(
    ("what", "said"),
    [('{"schemaVersion"', "manifest sha256:"), ('{\n "architecture"', "config sha256:")],
)
def test_damaged_documents_are_named(what: str, said: str, tmp_path: Path) -> None:
    for reference in both(tmp_path, damaged(kit.layout([ONE]), what, short=False)):
        assert f"{said}" in refusal(reference)
        assert "is damaged" in refusal(reference)
    for reference in both(tmp_path, damaged(kit.layout([ONE]), what, short=True)):
        assert re.search(r"has [\d,]+ bytes; expected [\d,]+;", refusal(reference))


def test_damaged_layers_are_named(tmp_path: Path) -> None:
    files = kit.layout([ONE])
    layer = f"blobs/sha256/{kit.hexdigest(ONE.stored()[1][0])}"
    short = {**files, layer: files[layer][:-1]}
    for reference in both(tmp_path, short):
        assert re.search(
            r"layer 2 of 3 \(sha256:.*\) has [\d,]+ bytes; expected", refusal(reference)
        )
    gone = {name: data for name, data in files.items() if name != layer}
    (tmp_path / "layout" / layer).unlink()
    for reference in both(tmp_path, gone):
        assert "layer 2 of 3 is not there: blobs/sha256/" in refusal(reference)
    plain = f"blobs/sha256/{kit.hexdigest(ONE.layers[0])}"
    changed = {**files, plain: files[plain].replace(b"one 0", b"one 1")}
    for reference in both(tmp_path, changed):
        image = kit.opened(reference)
        with pytest.raises(ImageError, match=r"layer 1 of 3 .* is damaged: its digest"):
            kit.plain_layers(image)


def test_what_is_no_layout_is_told(tmp_path: Path) -> None:
    assert "it has no oci-layout" in refusal(directory(tmp_path, {"x": b""}))
    assert "it has no index.json" in refusal(directory(tmp_path, {"oci-layout": b"{}"}))
    assert "there is no directory" in refusal(f"oci:{tmp_path}/none:1")
    for version in (b'{"imageLayoutVersion": "2.0.0"}', b"{}"):
        files = {**kit.layout([ONE]), "oci-layout": version}
        assert "imageLayoutVersion" in refusal(directory(tmp_path, files))
    empty = kit.as_layout({}, [])
    assert "its index is empty" in refusal(directory(tmp_path, empty))


def test_a_layout_leads_nowhere_else(tmp_path: Path) -> None:
    reference = directory(tmp_path, kit.layout([ONE]))
    blob = tmp_path / "layout/blobs/sha256" / kit.hexdigest(ONE.layers[0])
    elsewhere = blob.rename(tmp_path / "elsewhere")
    blob.symlink_to(elsewhere)
    assert "is no regular file" in refusal(reference)
    blob.unlink()
    os.mkfifo(blob)
    assert "is no regular file" in refusal(reference)
    blob.unlink()
    blob.mkdir()
    assert "is no regular file" in refusal(reference)


@pytest.mark.parametrize(
    ("types", "said"),
    [
        ({"config_type": "application/vnd.cncf.helm.config.v1+json"}, "is an artifact"),
        ({"layer_type": "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"}, "is encrypted"),
        (
            {"layer_type": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"},
            "lies elsewhere",
        ),
        (
            {"layer_type": "application/vnd.oci.image.layer.nondistributable.v1.tar"},
            "lies elsewhere",
        ),
    ],
)
def test_content_that_is_no_linux_image_is_refused(
    types: dict[str, str], said: str, tmp_path: Path
) -> None:
    files: Files = {}
    descriptor = kit.manifest_of(files, ONE, **types)
    for reference in both(tmp_path, kit.as_layout(files, [descriptor])):
        assert said in refusal(reference)


def test_dockers_media_types_and_unknown_ones_are_read(tmp_path: Path) -> None:
    files: Files = {}
    descriptor = kit.manifest_of(
        files, ONE, config_type=DOCKER_CONFIG, layer_type="application/x-unheard-of"
    )
    for reference in both(tmp_path, kit.as_layout(files, [descriptor])):
        assert kit.is_whole(kit.opened(reference), ONE)


def test_windows_images_are_refused(tmp_path: Path) -> None:
    windows = sample("one", "windows/amd64")
    assert "reads Linux images only" in refusal(archived(tmp_path, kit.new_docker_save([windows])))
    for reference in both(tmp_path, kit.layout([windows])):
        assert "is an image for windows/amd64" in refusal(reference)


def test_an_artifact_beside_the_image_is_no_choice(tmp_path: Path) -> None:
    files: Files = {}
    chart = kit.manifest_of(files, TWO, config_type="application/vnd.cncf.helm.config.v1+json")
    image = kit.manifest_of(files, ONE)
    for reference in both(tmp_path, kit.as_layout(files, [chart, image])):
        assert kit.is_whole(kit.opened(reference), ONE)


def test_indexes_are_not_followed_for_ever(tmp_path: Path) -> None:
    files: Files = {}
    descriptor = kit.manifest_of(files, ONE)
    for _ in range(6):
        descriptor = kit.blob(files, OCI_INDEX, kit.index_of([descriptor]))
    for reference in both(tmp_path, kit.as_layout(files, [descriptor])):
        assert "nested more than" in refusal(reference)


def test_every_error_of_a_source_is_a_minify_error(tmp_path: Path) -> None:
    """Bytes changed at random places never end in anything but an error of ours, or the image."""
    data = bytearray(kit.tar(kit.layout([ONE])))
    for position in range(0, len(data), 97):
        broken = bytearray(data)
        broken[position] ^= 0xFF
        try:
            kit.plain_layers(kit.opened(archived(tmp_path, bytes(broken), "oci-archive")))
        except MinifyError as error:
            assert "image.tar" in str(error)  # noqa: PT017 (both outcomes are right)
