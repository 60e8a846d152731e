"""A path and what is chosen in it: `file.tar:name:tag`, `dir:tag`, `dir@sha256:9f2c…`.

containers-transports(5) cuts at the first colon. A path with a colon in it is found all the same:
what exists wins.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from minify.errors import UsageError
from minify.image.digest import Digest
from minify.image.reference import Reference

_AT_DIGEST = re.compile(r"(?P<path>.+)@(?P<digest>sha(?:256|512):[0-9a-zA-Z]*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Location:
    """A path of the host and the text after its colon; empty if there is none."""

    path: Path
    selector: str


def split(location: str) -> Location:
    """The longest prefix that exists, else up to the first colon behind the last directory."""
    ends = [index for index, letter in enumerate(location) if letter == ":" and index]
    for end in (len(location), *reversed(ends)):
        if os.path.lexists(location[:end]):
            return Location(Path(location[:end]), location[end + 1 :])
    slashes = (index for index, letter in enumerate(location) if letter == "/")
    directories = [index for index in slashes if os.path.isdir(location[: index + 1])]  # noqa: PTH112 (a Path drops the slash)
    colon = location.find(":", max(directories, default=0) + 1)
    if colon < 0:
        return Location(Path(location), "")
    return Location(Path(location[:colon]), location[colon + 1 :])


@dataclass(frozen=True, slots=True)
class LayoutSelector:
    """Which image of an OCI layout is meant; nothing set means its only one."""

    tag: str = ""
    digest: Digest | None = None


def split_layout(reference: Reference) -> tuple[Path, LayoutSelector]:
    """The path of an OCI layout and what is chosen in it; UsageError for a wrong digest."""
    written = reference.location
    match = _AT_DIGEST.fullmatch(written)
    if match is None or os.path.lexists(written):
        location = split(written)
        return location.path, LayoutSelector(location.selector)
    location = split(match["path"])
    if location.selector:
        raise UsageError(f"{reference}: choose by tag or by digest, not by both")
    try:
        return location.path, LayoutSelector(digest=Digest.parse(match["digest"]))
    except ValueError as error:
        raise UsageError(f"{reference}: {error}") from error


def split_output(reference: Reference) -> tuple[Path, str]:
    """The path of an OCI layout to write and the tag in it, empty for none."""
    path, selector = split_layout(reference)
    if selector.digest is not None:
        raise UsageError(f"{reference}: an output has no digest, it follows from the content")
    return path, selector.tag
