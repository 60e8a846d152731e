"""Every platform of a reference, out of and into the media that hold an image index."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from minify.errors import ImageError, OutputError, UsageError
from minify.image import Image, Reference
from minify.image.blob import BytesBlob
from minify.image.manifest import OCI_INDEX
from minify.transports import (
    ImageIndex,
    OpenOptions,
    PlatformImage,
    SourceIndex,
    WriteOptions,
    WrittenIndex,
    check_index_output,
    open_images,
    write_index,
)
from transports import kit
from transports.kit import Files, sample
from transports.registries import Registry, distribution, fill, skopeo

ONE, ARM = sample("one"), sample("arm", "linux/arm64/v8")
V7 = sample("arm 7", "linux/arm")
WINDOWS = sample("windows", "windows/amd64", layers=1)


def source_files() -> Files:
    """An index with all that may be in one; its config does not say that V7 is of variant v7."""
    files: Files = {}
    entries = [
        {
            **kit.manifest_of(files, one),
            "platform": kit.platform_json(one.platform) | more,
            "annotations": {"com.example.entry": one.platform},
        }
        for one, more in (
            (ONE, {}),
            (ARM, {}),
            (V7, {"variant": "v7", "os.version": "6.1", "os.features": ["vfp"]}),
            (WINDOWS, {"os.version": "10"}),
        )
    ]
    proof = kit.attestation(files, ONE) | {
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
    }
    document = json.loads(kit.index_of([*entries, proof]))
    document["annotations"] = {"com.example": "the index's"}
    inner = kit.blob(files, OCI_INDEX, json.dumps(document).encode())
    return kit.as_layout(files, [kit.tagged(inner, "1")])


EXPECTED = [
    ({"architecture": "amd64", "os": "linux"}, "linux/amd64", ONE),
    ({"architecture": "arm64", "os": "linux", "variant": "v8"}, "linux/arm64/v8", ARM),
    (
        {
            "architecture": "arm",
            "os": "linux",
            "os.version": "6.1",
            "os.features": ["vfp"],
            "variant": "v7",
        },
        "linux/arm",
        V7,
    ),
]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with `all:1`."""
    directory = tmp_path_factory.mktemp("registry")
    with distribution(directory / "storage") as started:
        fill(started, directory / "all", source_files(), "all:1")
        yield started


MEDIA = ["oci", "oci-archive", pytest.param("docker", marks=pytest.mark.engine)]


def source(medium: str, directory: Path, request: pytest.FixtureRequest) -> str:
    if medium == "docker":
        return f"docker://{request.getfixturevalue('registry').address}/all:1"
    if medium == "oci":
        return f"oci:{kit.write_tree(directory / 'source', source_files())}:1"
    return f"oci-archive:{kit.write_file(directory / 'source.tar', kit.tar(source_files()))}:1"


def target(medium: str, directory: Path, request: pytest.FixtureRequest) -> str:
    if medium == "docker":
        return f"docker://{request.getfixturevalue('registry').address}/{directory.name.lower()}:2"
    return f"{medium}:{directory}/target{'.tar' if medium == 'oci-archive' else ''}:2"


def found(reference: str) -> SourceIndex:
    return open_images(Reference.parse(reference), OpenOptions())


def copied(index: SourceIndex) -> ImageIndex:
    images = tuple(PlatformImage.of(one.open(), one) for one in index.images)
    return ImageIndex(images, index.annotations)


def written(index: ImageIndex, reference: str) -> WrittenIndex:
    check_index_output(Reference.parse(reference), WriteOptions())
    return write_index(index, Reference.parse(reference), WriteOptions())


@pytest.mark.parametrize("medium", MEDIA)
def test_every_platform_is_found(
    medium: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    reference = source(medium, tmp_path, request)
    index = found(reference)
    assert [
        (one.platform.json(), one.annotations["com.example.entry"]) for one in index.images
    ] == [(platform, entry) for platform, entry, _ in EXPECTED]
    assert index.annotations == {"com.example": "the index's"}
    assert [text.partition(": ")[2] for text in index.skipped] == [
        "an image for windows/amd64",
        "attestation-manifest",
    ]
    for one, (_, _, expected) in zip(index.images, EXPECTED, strict=True):
        image = one.open()
        assert kit.is_whole(image, expected)
        assert image.name == f"{reference} ({one.platform})"
        assert (image.manifest_digest, image.index_digest) == (one.digest, index.digest)


@pytest.mark.parametrize("output", MEDIA)
@pytest.mark.parametrize("medium", MEDIA)
def test_an_index_goes_through_every_medium(
    medium: str, output: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    index = found(source(medium, tmp_path, request))
    reference = target(output, tmp_path, request)
    result = written(copied(index), reference)
    again = found(reference)
    assert (result.reference, result.digest) == (reference, again.digest)
    assert again.annotations == index.annotations
    assert [(one.platform.json(), one.annotations) for one in again.images] == [
        (one.platform.json(), one.annotations) for one in index.images
    ]
    assert again.skipped == ()
    for one, told, (_, _, expected) in zip(again.images, result.images, EXPECTED, strict=True):
        assert kit.is_whole(one.open(), expected)
        assert (str(told.image_id), told.manifest_digest) == (expected.id, one.digest)
        assert kit.is_whole(kit.opened(told.reference), expected)


def test_one_image_is_an_index_of_one(tmp_path: Path) -> None:
    reference = f"oci:{kit.write_tree(tmp_path / 'layout', kit.layout([ARM.named('1')]))}:1"
    index = found(reference)
    (only,) = index.images
    assert (index.digest, index.annotations, index.skipped) == (None, {}, ())
    assert (only.platform.json(), only.annotations) == (EXPECTED[1][0], {})
    assert kit.is_whole(only.open(), ARM)


def test_one_reference_is_one_name(tmp_path: Path) -> None:
    layout = kit.write_tree(tmp_path / "l", kit.layout([ONE.named("1"), ARM.named("2")]))
    with pytest.raises(ImageError, match=r"several images; choose one with oci:.*: 1, 2$"):
        found(f"oci:{layout}")
    assert [str(one.platform) for one in found(f"oci:{layout}:2").images] == ["linux/arm64/v8"]


def test_an_index_without_an_image_is_refused(tmp_path: Path) -> None:
    files: Files = {}
    proof = kit.attestation(files, ONE) | {
        "platform": {"os": "unknown", "architecture": "unknown"},
    }
    inner = kit.blob(files, OCI_INDEX, kit.index_of([proof]))
    reference = f"oci:{kit.write_tree(tmp_path / 'l', kit.as_layout(files, [inner]))}"
    with pytest.raises(ImageError, match=r"no Linux image; there is sha256:.*: an attestation"):
        found(reference)
    with pytest.raises(ImageError, match="holds no image: there are attestations only"):
        kit.opened(reference)


@pytest.mark.engine
def test_others_read_the_index(registry: Registry, tmp_path: Path) -> None:
    index = copied(found(f"docker://{registry.address}/all:1"))
    name = f"docker://{registry.address}/others:1"
    result = written(index, name)
    assert registry.tags("others") == {"1": str(result.digest)}
    skopeo("copy", "--all", "--src-tls-verify=false", name, f"oci:{tmp_path}/copied:1")
    for one, (_, _, expected) in zip(index.images, EXPECTED, strict=True):
        again = kit.opened(f"oci:{tmp_path}/copied:1", str(one.platform))
        assert kit.is_whole(again, expected)
    written(index, f"oci-archive:{tmp_path}/all.tar:1")
    skopeo("copy", "--all", f"oci-archive:{tmp_path}/all.tar:1", f"oci:{tmp_path}/again:1")
    assert kit.is_whole(kit.opened(f"oci:{tmp_path}/again:1", "linux/arm64"), ARM)


@pytest.mark.parametrize("medium", MEDIA)
def test_one_damaged_image_and_nothing_is_written(
    medium: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    index = copied(found(source("oci", tmp_path, request)))
    last = index.images[-1]
    broken = replace(last.image.layers[2], blob=BytesBlob(b"x"))
    image: Image = replace(last.image, layers=(*last.image.layers[:2], broken))
    damaged = replace(index, images=(*index.images[:-1], replace(last, image=image)))
    reference = target(medium, tmp_path, request)
    before = kit.listing(tmp_path)
    with pytest.raises(ImageError, match=r"layer 3 of 3 .* (is damaged|shorter)"):
        written(damaged, reference)
    assert kit.listing(tmp_path) == before
    if medium == "docker":
        registry = request.getfixturevalue("registry")
        assert registry.tags(tmp_path.name.lower()) == {}


def test_media_without_an_index_say_what_has_one(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    index = copied(found(source("oci", tmp_path, request)))
    for reference, said in (
        (
            "app:1",
            "a daemon holds .* name docker://docker.io/library/app:1, or one of docker://",
        ),
        ("docker-daemon:app", "docker-daemon: holds an image for one platform; .*/app:latest, or"),
        (
            f"docker-archive:{tmp_path}/a.tar",
            "docker-archive: holds .* name one of docker://, oci:",
        ),
    ):
        for attempt in (
            lambda: found(reference),  # noqa: B023
            lambda: check_index_output(Reference.parse(reference), WriteOptions()),  # noqa: B023
            lambda: write_index(index, Reference.parse(reference), WriteOptions()),  # noqa: B023
        ):
            with pytest.raises(UsageError, match=said):
                attempt()
    with pytest.raises(UsageError, match="rootfs: holds an image for one platform"):
        found(f"rootfs:{tmp_path}")
    with pytest.raises(UsageError, match="rootfs: is no output"):
        check_index_output(Reference.parse(f"rootfs:{tmp_path}"), WriteOptions())


def test_an_index_replaces_no_file_unasked(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    index = copied(found(source("oci", tmp_path, request)))
    path = kit.write_file(tmp_path / "mine.tar", b"mine")
    with pytest.raises(OutputError, match="exists; say --force"):
        written(index, f"oci-archive:{path}:1")
    assert path.read_bytes() == b"mine"


def test_an_index_is_the_same_each_time(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    index = copied(found(source("oci", tmp_path, request)))
    results = [written(index, f"oci-archive:{tmp_path}/{number}.tar:1") for number in (1, 2)]
    assert results[0].digest == results[1].digest
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()
    assert os.path.getsize(tmp_path / "1.tar") > 0  # noqa: PTH202
