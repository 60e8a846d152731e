"""One image of one platform, whatever medium it lies in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from minify.errors import ImageError
from minify.image.blob import BytesBlob
from minify.image.config import ImageConfig
from minify.image.digest import Digest
from minify.image.layer import Layer


@dataclass(frozen=True, slots=True)
class Image:
    """A config and its layers. Media differ only in what their layers' blobs read from."""

    name: str
    """What messages call it: the reference it was opened by."""
    config: ImageConfig
    layers: tuple[Layer, ...]
    """Oldest first."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """The manifest's."""
    manifest_digest: Digest | None = None
    """None where the medium has no manifest."""
    index_digest: Digest | None = None
    """The digest of the index that led to the manifest; None if none did."""

    def without_content(self) -> Image:
        """This image for reports: its layers hold nothing any more, on no disk either."""
        nothing = BytesBlob(b"")
        return replace(self, layers=tuple(replace(layer, blob=nothing) for layer in self.layers))

    def check_unchanged(self) -> None:
        """Raises ImageError if a layer's bytes may have changed since the image was opened."""
        for layer in self.layers:
            layer.blob.check_unchanged()


def check_layer_count(config: ImageConfig, layers: int, name: str) -> None:
    """Raises ImageError if config and manifest disagree about the number of layers."""
    if len(config.diff_ids) != layers:
        raise ImageError(
            f"{name}: the config lists {len(config.diff_ids)} layers, the manifest {layers}"
        )
