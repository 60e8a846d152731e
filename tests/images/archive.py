"""Images written as files, without any engine: docker archives and OCI layouts."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from images.layers import EPOCH

CREATED = "2023-11-14T22:13:20Z"
"""EPOCH, as a config writes it."""

Config = dict[str, Any]


def image_config(
    architecture: str, process: Mapping[str, object], layers: Sequence[Path]
) -> Config:
    """The image config of plain layers; `process` is its `config` object."""
    return {
        "architecture": architecture,
        "os": "linux",
        "created": CREATED,
        "config": dict(process),
        "rootfs": {"type": "layers", "diff_ids": [sha256(layer) for layer in layers]},
        "history": [
            {"created": CREATED, "created_by": f"fixture layer {layer.name}"} for layer in layers
        ],
    }


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def write_docker_archive(out: Path, tag: str, config: Config, layers: Sequence[Path]) -> None:
    """What `docker save` of engine 20.10 writes, without the parts for engines before 1.10."""
    text = json.dumps(config, sort_keys=True).encode()
    config_name = f"{hashlib.sha256(text).hexdigest()}.json"
    diff_ids = config["rootfs"]["diff_ids"]
    layer_names = [f"{diff_id.removeprefix('sha256:')}/layer.tar" for diff_id in diff_ids]
    manifest = [{"Config": config_name, "RepoTags": [tag], "Layers": layer_names}]
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar:
        for name, layer in zip(layer_names, layers, strict=True):
            with layer.open("rb") as file:
                _add(tar, name, file.seek(0, os.SEEK_END), file)
        _add(tar, config_name, len(text), io.BytesIO(text))
        body = json.dumps(manifest).encode()
        _add(tar, "manifest.json", len(body), io.BytesIO(body))


def _add(tar: tarfile.TarFile, name: str, size: int, file: io.BufferedIOBase) -> None:
    file.seek(0)
    member = tarfile.TarInfo(name)
    member.size = size
    member.mtime = EPOCH
    tar.addfile(member, file)


def write_oci_layout(out: Path, config: Config, layers: Sequence[Path]) -> None:
    """An OCI layout tagged `latest`; layers are linked, so a variant of an image costs little."""
    blobs = out / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    text = json.dumps(config, sort_keys=True).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _put(blobs, "application/vnd.oci.image.config.v1+json", text),
        "layers": [
            _link(blobs, diff_id, layer)
            for diff_id, layer in zip(config["rootfs"]["diff_ids"], layers, strict=True)
        ],
    }
    media_type = "application/vnd.oci.image.manifest.v1+json"
    entry = _put(blobs, media_type, json.dumps(manifest).encode())
    entry["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    index = {"schemaVersion": 2, "manifests": [entry]}
    (out / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (out / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")


def _put(blobs: Path, media_type: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _link(blobs: Path, digest: str, layer: Path) -> dict[str, Any]:
    target = blobs / digest.removeprefix("sha256:")
    try:
        os.link(layer, target)
    except OSError:  # another file system
        shutil.copyfile(layer, target)
    media_type = "application/vnd.oci.image.layer.v1.tar"
    return {"mediaType": media_type, "digest": digest, "size": layer.stat().st_size}
