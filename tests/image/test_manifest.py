from __future__ import annotations

import json

import pytest

from minify.errors import ImageError
from minify.image import Digest, Platform, manifest
from minify.image.jsontext import Json, read_array
from minify.image.manifest import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    DOCKER_MANIFEST_V1,
    OCI_MANIFEST,
    Descriptor,
    Index,
    Manifest,
)

HEX = "ab" * 32
BLOB: dict[str, Json] = {"mediaType": "m", "digest": f"sha256:{HEX}", "size": 7}
DESCRIPTOR = Descriptor("m", Digest("sha256", HEX), 7)


def document(**members: Json) -> bytes:
    return json.dumps({"schemaVersion": 2, **members}).encode()


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        manifest.parse(data, "app: the manifest")
    return str(caught.value)


@pytest.mark.parametrize("media_type", ["", OCI_MANIFEST, DOCKER_MANIFEST])
def test_manifests_of_both_kinds_are_read(media_type: str) -> None:
    data = document(
        mediaType=media_type, config=BLOB, layers=[BLOB, BLOB], annotations={"a": "b"}, other=1
    )
    assert manifest.parse(data, "x") == Manifest(DESCRIPTOR, [DESCRIPTOR, DESCRIPTOR], {"a": "b"})


def test_an_index_is_read() -> None:
    platform: Json = {"os": "linux", "architecture": "arm", "variant": "v7", "os.version": "1"}
    entry: Json = {**BLOB, "platform": platform, "annotations": {"c": "d"}}
    found = manifest.parse(document(mediaType=DOCKER_INDEX, manifests=[entry, BLOB]), "x")
    first = Descriptor("m", Digest("sha256", HEX), 7, Platform("linux", "arm", "v7"), {"c": "d"})
    assert found == Index([first, DESCRIPTOR], {})


def test_what_is_written_is_read_again() -> None:
    platform = Platform("linux", "arm64", "v8")
    one = Descriptor("m", Digest("sha256", HEX), 7, platform, {"k": "ä"})
    index = Index([one, DESCRIPTOR], {"a": "b"})
    assert manifest.parse(index.write(), "x") == index
    image = Manifest(DESCRIPTOR, [DESCRIPTOR], {})
    assert manifest.parse(image.write(), "x") == image
    assert (
        image.write()
        == (
            f'{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}",'
            f'"config":{{"mediaType":"m","digest":"sha256:{HEX}","size":7}},'
            f'"layers":[{{"mediaType":"m","digest":"sha256:{HEX}","size":7}}]}}'
        ).encode()
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{}", "app: the manifest has schemaVersion None; expected 2"),
        (b'{"schemaVersion": 1, "fsLayers": []}', "has schemaVersion 1; expected 2: push the"),
        (document(mediaType=DOCKER_MANIFEST_V1 + "+json"), "has schemaVersion 2; expected 2"),
        (document(), "app: the manifest is neither an image manifest nor an index"),
        (document(config=BLOB), "is neither an image manifest nor an index"),
        (document(layers=[]), "is neither an image manifest nor an index"),
        (document(config=BLOB, layers=[], manifests=[]), "is both an image manifest and an index"),
        (document(layers=[], manifests=[BLOB]), "is both an image manifest and an index"),
        (document(config=[], layers=[]), "'config' is an array; expected an object"),
        (document(config=BLOB, layers={}), "'layers' is an object; expected an array"),
        (document(config=BLOB, layers=[1]), "'layers[0]' is a number; expected an object"),
        (document(manifests=["x"]), "'manifests[0]' is a string; expected an object"),
        (document(config={**BLOB, "size": -1}, layers=[]), "a descriptor has no valid size"),
        (document(config={**BLOB, "size": None}, layers=[]), "a descriptor has no valid size"),
        (document(config={**BLOB, "size": "7"}, layers=[]), "'size' is a string; expected an int"),
        (document(config={**BLOB, "size": True}, layers=[]), "'size' is a boolean; expected"),
        (document(config={**BLOB, "size": 7.0}, layers=[]), "'size' is a number; expected an int"),
        (document(config={**BLOB, "digest": "x"}, layers=[]), "app: the manifest: 'x' is no dig"),
        (document(config={**BLOB, "digest": None}, layers=[]), "app: the manifest: '' is no dig"),
        (document(manifests=[{**BLOB, "platform": 1}]), "'platform' is a number; expected an obj"),
        (document(manifests=[], annotations=[]), "'annotations' is an array; expected an object"),
        (b"[]", "app: the manifest is no JSON object but an array"),
    ],
)
def test_what_is_neither_is_refused_by_name(data: bytes, message: str) -> None:
    assert message in refusal(data)


def test_an_array_is_read_as_one() -> None:
    assert read_array(b"[1, null]", "manifest.json") == [1, None]
    with pytest.raises(ImageError, match=r"manifest\.json is no JSON array but an object"):
        read_array(b"{}", "manifest.json")
    with pytest.raises(ImageError, match=r"manifest\.json is no JSON document: "):
        read_array(b"[", "manifest.json")
