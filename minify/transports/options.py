"""What a caller may ask of a medium, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from minify.image.digest import Digest
from minify.image.platform import Platform
from minify.progress import SILENT, Progress


class Pull(StrEnum):
    """When the daemon asks its registry for an image."""

    MISSING = "missing"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """How an image is opened. `platform` None: there must be only one to choose from."""

    platform: Platform | None = None
    pull: Pull = Pull.MISSING
    progress: Progress = SILENT


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How an image is written. `force`: a file that exists may be replaced."""

    force: bool = False
    progress: Progress = SILENT


@dataclass(frozen=True, slots=True)
class Written:
    """What was published, and where."""

    reference: str
    """As it can be given to minify again."""
    image_id: Digest
    """The config's digest."""
    manifest_digest: Digest | None
    """None where the medium keeps no manifest."""
