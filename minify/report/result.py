"""What came of one run."""

from __future__ import annotations

from dataclasses import dataclass

from minify.image import Digest, Image, Platform
from minify.planning import Plan


@dataclass(frozen=True, slots=True)
class Result:
    """What was decided and, unless only a plan was asked for, published."""

    source: Image
    plan: Plan
    built: Image | None = None
    """What was built; None for a plan."""
    reference: str | None = None
    """What was published, as it can be given to minify again."""
    manifest_digest: Digest | None = None
    """None where the medium keeps no manifest."""
    skipped: tuple[str, ...] = ()
    """What an index has beside its only image, in words: attestations, other systems' images."""


@dataclass(frozen=True, slots=True)
class PlatformResult:
    """What came of one image of an index."""

    platform: Platform
    """As the index has it."""
    result: Result


@dataclass(frozen=True, slots=True)
class IndexResult:
    """What came of an index: an image for each platform, published together or not at all."""

    source: str
    """The reference that was read."""
    source_digest: Digest | None
    results: tuple[PlatformResult, ...]
    """In the order of the index."""
    skipped: tuple[str, ...] = ()
    """What of the source is no image for Linux and was left out: attestations, artifacts."""
    reference: str | None = None
    """What was published; None for a plan."""
    digest: Digest | None = None
    """The published index's."""
