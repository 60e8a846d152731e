"""What a caller may ask of a medium, and what it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from minify.image.digest import Digest
from minify.image.platform import Platform
from minify.progress import SILENT, Progress


class Pull(StrEnum):
    """When a registry is asked for an image that a plain name or the daemon's names."""

    MISSING = "missing"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """How an image is opened. `platform` None: there must be only one to choose from."""

    platform: Platform | None = None
    pull: Pull = Pull.MISSING
    progress: Progress = SILENT
    require_digest: bool = False
    """Whether a name whose tag could move is refused, in registries and daemons."""
    tls_verify: bool = True
    """Whether a registry must prove who it is; if not, it need not speak TLS either."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How an image is written. `force`: a file that exists may be replaced."""

    force: bool = False
    progress: Progress = SILENT
    tls_verify: bool = True
    """As in `OpenOptions`."""
    check: Callable[[], None] = lambda: None
    """Run once before an image is published, maybe while its bytes are on their way; what it raises
    ends that. Of an index nothing is checked: its images are."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was published, and where."""

    reference: str
    """As it can be given to minify again."""
    image_id: Digest
    """The config's digest."""
    manifest_digest: Digest | None
    """None where the medium keeps no manifest."""


@dataclass(frozen=True, slots=True)
class WrittenIndex:
    """An index that was published, and where."""

    reference: str
    """As it can be given to minify again."""
    digest: Digest
    """The index's."""
    images: tuple[Written, ...]
    """Its images, each by its digest."""
