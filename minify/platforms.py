"""The same job for every platform of an index: one image in is one out, an index in an index out.

    run("docker://host/app:1", "docker://host/app:1-slim", Options(), wanted=())

The images are minified one after the other, each read from its own manifest, and published
together as the last step. If one of them is refused, nothing is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from minify.errors import ImageError, MinifyError
from minify.image import Platform, Reference
from minify.pipeline import (
    Options,
    minify,
    open_options,
    output_reference,
    plan,
    plan_image,
    published,
    slim_image,
    write_options,
)
from minify.report import IndexResult, PlatformResult, Result
from minify.transports import (
    ImageIndex,
    PlatformImage,
    SourceImage,
    SourceIndex,
    Written,
    holds_index,
    open_images,
    write_index,
)

Wanted: TypeAlias = Sequence[Platform] | None
"""The platforms that are asked for; none: nothing is said; None: all of them."""


def run(
    source: str,
    output: str | None,
    options: Options,
    wanted: Wanted = (),
    *,
    dry_run: bool = False,
) -> Result | IndexResult:
    """Minifies what `source` names; only plans it in a dry run, and where there is no `output`.

    An index gives an index: all its platforms, or those that are `wanted`. One platform gives one
    image, and so does an index in which there is only one. Where `output` cannot hold an index, or
    `source` cannot be one, only one platform can be had, in a dry run too. Raises as
    `pipeline.minify` does.
    """
    reference = Reference.parse(source)
    target = None if output is None else Reference.parse(output)
    if wanted is not None and len(set(wanted)) == 1:
        options = replace(options, platform=wanted[0])
        return _one(source, None if dry_run else output, options)
    holds_several = holds_index(reference.transport) and (
        target is None or holds_index(target.transport)
    )
    if not holds_several and wanted is not None and not wanted:
        return _one(source, None if dry_run else output, options)
    target = _target(output, options, dry_run=dry_run)
    found = open_images(reference, open_options(options))
    chosen = _chosen(found, wanted, source)
    if len(chosen.images) == 1:
        return _only(chosen, reference, target, options)
    return _index(chosen, source, target, options)


def _target(output: str | None, options: Options, *, dry_run: bool) -> Reference | None:
    """Where an index goes; None for a dry run, which only says what could not be at all."""
    if output is None or (dry_run and holds_index(Reference.parse(output).transport)):
        return None
    return output_reference(output, options, is_index=True)


def _one(source: str, output: str | None, options: Options) -> Result:
    return plan(source, options) if output is None else minify(source, output, options)


def _only(
    found: SourceIndex, reference: Reference, target: Reference | None, options: Options
) -> Result:
    """The one image that there is, which needs no index."""
    (source,) = found.images
    image = replace(source.open(), name=str(reference))
    if target is None:
        return Result(image, plan_image(image, options), skipped=found.skipped)
    return replace(published(image, target, options), skipped=found.skipped)


def _chosen(found: SourceIndex, wanted: Wanted, source: str) -> SourceIndex:
    """The images of the wanted platforms, in the index's order; ImageError if one is not there."""
    if not wanted:
        return found
    for platform in wanted:
        if not any(image.platform.matches(platform) for image in found.images):
            there = ", ".join(str(image.platform) for image in found.images)
            raise ImageError(f"{source}: there is no image for {platform}; it has {there}")
    images = tuple(
        image
        for image in found.images
        if any(image.platform.matches(platform) for platform in wanted)
    )
    return replace(found, images=images)


def _index(
    found: SourceIndex, source: str, target: Reference | None, options: Options
) -> IndexResult:
    results = tuple(_of_platform(image, target, options) for image in found.images)
    made = IndexResult(source, found.digest, results, found.skipped)
    if target is None:
        return made
    images = tuple(_entries(found.images, results))
    index = ImageIndex(images, found.annotations)
    written = write_index(index, target, write_options(options))
    results = tuple(
        replace(one, result=_with_place(one.result, place))
        for one, place in zip(results, written.images, strict=True)
    )
    return replace(made, results=results, reference=written.reference, digest=written.digest)


def _with_place(result: Result, written: Written) -> Result:
    digest = written.manifest_digest
    return replace(result, reference=written.reference, manifest_digest=digest)


def _of_platform(source: SourceImage, target: Reference | None, options: Options) -> PlatformResult:
    """What becomes of one platform; an error names it."""
    try:
        image = source.open()
        if target is None:
            result = Result(image, plan_image(image, options))
        else:
            result = slim_image(image, f"{target} ({source.platform})", options)
    except MinifyError as error:
        lines = (f"{source.platform}: {line}" for line in error.lines)
        raise type(error)(*lines) from error
    # An index may have many platforms, and the disk little room.
    return PlatformResult(source.platform, replace(result, source=image.without_content()))


def _entries(
    sources: Iterable[SourceImage], results: Iterable[PlatformResult]
) -> Iterable[PlatformImage]:
    for source, made in zip(sources, results, strict=True):
        assert made.result.built is not None
        yield PlatformImage.of(made.result.built, source)
