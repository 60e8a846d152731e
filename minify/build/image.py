"""The one layer and the config of the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from minify.build import tarwriter
from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.image import Digest, Image, ImageConfig, Layer
from minify.image.blob import Spool
from minify.image.compression import Compression
from minify.image.compressor import compressor
from minify.planning import Plan, PlannedEntry
from minify.progress import SILENT, Progress


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What the plan does not decide about the image."""

    name: str
    """What messages call it."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """The manifest's."""
    compression: Compression = Compression.GZIP
    progress: Progress = SILENT


def build_image(plan: Plan, tree: FileTree, options: BuildOptions) -> Image:
    """The image that `plan` describes, its contents read from `tree`, in temporary files.

    OutputError if there is no room for them; ImageError if a source layer turns out damaged.
    """
    spool = Spool(f"the layer of {options.name}")
    diff_id = Digest.of(b"").hasher()
    stored_digest = Digest.of(b"").hasher()
    with (
        options.progress.step("writing the layer", plan.size.bytes) as advance,
        compressor(options.compression) as pack,
    ):
        for chunk in _layer(plan, tree):
            diff_id.update(chunk)
            stored = pack.compress(chunk)
            stored_digest.update(stored)
            spool.write(stored)
            advance(len(chunk))
        rest = pack.flush()
        stored_digest.update(rest)
        spool.write(rest)
    layer = Layer(
        spool.blob(),
        f"the layer of {options.name}",
        Digest("sha256", diff_id.hexdigest()),
        Digest("sha256", stored_digest.hexdigest()),
        spool.size,
    )
    return Image(options.name, _config(plan, layer), (layer,), options.annotations)


def _config(plan: Plan, layer: Layer) -> ImageConfig:
    rootfs = {"type": "layers", "diff_ids": [str(layer.diff_id)]}
    return plan.config.changed({"rootfs": rootfs})


def _layer(plan: Plan, tree: FileTree) -> Iterator[bytes]:
    first_names: dict[int, ImagePath] = {}
    for planned in plan.entries:
        entry = planned.entry
        group = entry.link_group
        first_name = first_names.get(group) if group is not None else None
        yield tarwriter.header(entry, first_name)
        if first_name is not None:
            continue
        if group is not None:
            first_names[group] = entry.path
        if entry.kind is Kind.FILE:
            yield from _content(planned, tree)
            yield tarwriter.padding(entry.size)
    yield tarwriter.END


def _content(planned: PlannedEntry, tree: FileTree) -> Iterator[bytes]:
    if planned.content is not None:
        yield planned.content
        return
    written = 0
    for chunk in tree.chunks(planned.entry):
        written += len(chunk)
        yield chunk
    entry: Entry = planned.entry
    assert written == entry.size, f"{entry.path}: {written} of {entry.size} bytes"
