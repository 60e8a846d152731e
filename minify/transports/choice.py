"""Which of several images is meant: never guessed, always said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from minify.errors import ImageError
from minify.image.digest import Digest
from minify.image.platform import Platform


@dataclass(frozen=True, slots=True)
class Candidate:
    """One image that may be meant."""

    label: str
    """How the medium's selector names it; images of one label differ by platform."""
    platform: Platform
    digest: Digest
    """Candidates of equal digests are one image."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to choose by: the platform asked for, and how messages write a selection."""

    platform: Platform | None
    name: str
    usage: str
    """`oci:dir:TAG`."""

    def of(self, candidates: Sequence[Candidate]) -> Candidate:
        """The one candidate that fits; ImageError lists what there is otherwise."""
        fitting = [one for one in candidates if self._fits(one)]
        if not fitting:
            raise ImageError(
                f"{self.name} has no image for {self.platform}; there is {_listed(candidates)}"
            )
        if len({one.digest for one in fitting}) == 1:
            return fitting[0]
        if len({one.label for one in fitting}) > 1:
            raise ImageError(
                f"{self.name} holds several images; choose one with {self.usage}:"
                f" {_listed(fitting)}"
            )
        platforms = sorted({str(one.platform) for one in fitting})
        if len(platforms) == len(fitting):
            raise ImageError(
                f"{self.name} holds images for several platforms; choose one with --platform:"
                f" {', '.join(platforms)}"
            )
        digests = ", ".join(f"{one.digest} ({one.platform})" for one in fitting)
        raise ImageError(f"{self.name} holds several images of one name and platform: {digests}")

    def _fits(self, candidate: Candidate) -> bool:
        return self.platform is None or candidate.platform.matches(self.platform)


def _listed(candidates: Sequence[Candidate]) -> str:
    return ", ".join(dict.fromkeys(f"{one.label} ({one.platform})" for one in candidates))
