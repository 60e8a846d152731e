"""Small images in every shape that the tools of the field give them.

one = sample("one")                       # a config and three layers
old_docker_save([one.named("app:1")])     # docker save before 25, as bytes of a tar
layout([one.named("1")])                  # path → bytes of an OCI layout
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filetree.kit import Member, file, symlink, tar_of

from minify.image import Image, Platform, Reference
from minify.image.compression import Compression
from minify.image.compressor import compressor
from minify.image.manifest import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST
from minify.transports import OpenOptions, WriteOptions, Written, open_image, write_image

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESSIONS = (Compression.NONE, Compression.GZIP, Compression.ZSTD)
Files = dict[str, bytes]
Json = dict[str, Any]


def hexdigest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def digest(data: bytes) -> str:
    return f"sha256:{hexdigest(data)}"


def pack(data: bytes, compression: Compression) -> bytes:
    with compressor(compression) as packer:
        return packer.compress(data) + packer.flush()


def tar(files: Mapping[str, bytes]) -> bytes:
    return tar_of([file(name, data) for name, data in files.items()])


@dataclass(frozen=True)
class Sample:
    config: bytes
    layers: tuple[bytes, ...]
    platform: str
    name: str = ""

    def named(self, name: str) -> Sample:
        return replace(self, name=name)

    @property
    def id(self) -> str:
        return digest(self.config)

    @property
    def diff_ids(self) -> list[str]:
        return [digest(layer) for layer in self.layers]

    def stored(self) -> list[tuple[bytes, Compression]]:
        """The layers as a registry has them, each compressed in another way."""
        ways = [COMPRESSIONS[number % 3] for number in range(len(self.layers))]
        return [(pack(data, way), way) for data, way in zip(self.layers, ways, strict=True)]


def sample(
    text: str, platform: str = "linux/amd64", *, layers: int = 3, **config: object
) -> Sample:
    """An image of layers that differ by `text` and by their number."""
    tars = tuple(
        tar_of(
            [
                "etc/",
                file(f"etc/{number}", f"{text} {number}\n" * 40),
                f"hard{number} => etc/{number}",
            ]
        )
        for number in range(layers)
    )
    system, architecture, *variant = platform.split("/")
    document = {
        "architecture": architecture,
        "os": system,
        **({"variant": variant[0]} if variant else {}),
        "config": {"Entrypoint": ["/etc/0"], "Labels": {"text": text}},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in tars]},
        "x-unknown": [1, None],
        **config,
    }
    return Sample(json.dumps(document, indent=1).encode(), tars, platform)


def old_docker_save(samples: Sequence[Sample]) -> bytes:
    """As engine 20.10 does it: a layer that an earlier image has too is a link to that one."""
    members: list[Member] = []
    manifest = []
    seen: dict[str, str] = {}
    for sample_ in samples:
        paths = []
        for number, layer in enumerate(sample_.layers):
            path = f"{hexdigest(sample_.config + bytes([number]))}/layer.tar"
            paths.append(path)
            if digest(layer) in seen:
                members.append(symlink(path, f"../{seen[digest(layer)]}"))
            else:
                members += [file(path.replace("layer.tar", "VERSION"), "1.0"), file(path, layer)]
                seen[digest(layer)] = path
        members.append(file(f"{hexdigest(sample_.config)}.json", sample_.config))
        tags = [sample_.name] if sample_.name else None
        manifest.append(
            {"Config": f"{hexdigest(sample_.config)}.json", "RepoTags": tags, "Layers": paths}
        )
    return tar_of([*members, file("manifest.json", json.dumps(manifest))])


def new_docker_save(samples: Sequence[Sample]) -> bytes:
    """As engine 25 and later do it: a layout, and a manifest.json that points into it."""
    manifest = [
        {
            "Config": f"blobs/sha256/{hexdigest(one.config)}",
            "RepoTags": [one.name] if one.name else None,
            "Layers": [f"blobs/sha256/{hexdigest(data)}" for data, _ in one.stored()],
        }
        for one in samples
    ]
    return tar({**layout(samples), "manifest.json": json.dumps(manifest).encode()})


def blob(files: Files, media_type: str, data: bytes) -> Json:
    """Puts `data` among the files of a layout; its descriptor."""
    files[f"blobs/sha256/{hexdigest(data)}"] = data
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def manifest_of(
    files: Files, one: Sample, *, config_type: str = OCI_CONFIG, layer_type: str = ""
) -> Json:
    """Puts an image among the files of a layout; its manifest's descriptor."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": blob(files, config_type, one.config),
        "layers": [blob(files, layer_type or OCI_LAYER[way], data) for data, way in one.stored()],
        "annotations": {"com.example": "kept"},
    }
    return blob(files, OCI_MANIFEST, json.dumps(document).encode())


def platform_json(platform: str) -> Json:
    parts = Platform.parse(platform)
    shown = {"os": parts.os, "architecture": parts.architecture}
    return shown | ({"variant": parts.variant} if parts.variant else {})


def index_of(descriptors: Sequence[Json]) -> bytes:
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(descriptors)}
    return json.dumps(document).encode()


def as_layout(files: Files, descriptors: Sequence[Json]) -> Files:
    start = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    return {**start, **files, "index.json": index_of(descriptors)}


def tagged(descriptor: Json, tag: str) -> Json:
    if not tag:
        return descriptor
    return {**descriptor, "annotations": {"org.opencontainers.image.ref.name": tag}}


def layout(samples: Sequence[Sample]) -> Files:
    """A layout with one entry a sample."""
    files: Files = {}
    return as_layout(files, [tagged(manifest_of(files, one), one.name) for one in samples])


def multi_platform(samples: Sequence[Sample], tag: str = "", *, attested: bool = True) -> Files:
    """A layout with one index of all samples, and an attestation beside each, as buildx writes."""
    files: Files = {}
    inner = []
    for one in samples:
        descriptor = manifest_of(files, one)
        inner.append({**descriptor, "platform": platform_json(one.platform)})
        if not attested:
            continue
        proof = attestation(files, one)
        inner.append(
            {
                **proof,
                "platform": {"os": "unknown", "architecture": "unknown"},
                "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
            }
        )
    return as_layout(files, [tagged(blob(files, OCI_INDEX, index_of(inner)), tag)])


def attestation(files: Files, one: Sample) -> Json:
    """Puts buildkit's statement about an image among the files; its manifest's descriptor."""
    config = {"architecture": "unknown", "os": "unknown", "rootfs": {"diff_ids": []}}
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": blob(files, OCI_CONFIG, json.dumps(config).encode()),
        "layers": [blob(files, "application/vnd.in-toto+json", b'{"of": "%b"}' % one.id.encode())],
    }
    return blob(files, OCI_MANIFEST, json.dumps(document).encode())


def write_tree(directory: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return directory


def write_file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def opened(reference: str, platform: str = "") -> Image:
    wanted = Platform.parse(platform) if platform else None
    return open_image(Reference.parse(reference), OpenOptions(platform=wanted))


def written(image: Image, reference: str, *, force: bool = False) -> Written:
    return write_image(image, Reference.parse(reference), WriteOptions(force=force))


def plain_layers(image: Image) -> list[str]:
    """The digests of the plain layers, read and verified."""
    found = []
    for layer in image.layers:
        stream = layer.open()
        hasher = hashlib.sha256()
        while data := stream.read(1 << 16):
            hasher.update(data)
        stream.verify()
        found.append(f"sha256:{hasher.hexdigest()}")
    return found


def is_whole(image: Image, one: Sample) -> bool:
    """Whether config and layers of `image` are those of `one`, to the byte."""
    return image.config.data == one.config and plain_layers(image) == one.diff_ids


def listing(directory: Path) -> set[str]:
    """The names below `directory`."""
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


def repacked(data: bytes) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(data))


def zipped(data: bytes, way: str) -> bytes:
    return gzip.compress(data) if way == "gzip" else zstd.compress(data)
