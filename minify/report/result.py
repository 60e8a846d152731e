"""What came of one run."""

from __future__ import annotations

from dataclasses import dataclass

from minify.image import Digest, Image
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
