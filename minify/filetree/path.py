"""Paths inside an image. A host path is a `pathlib.Path`; mypy keeps the two apart.

Names that are no UTF-8 are carried with `surrogateescape`, so that their bytes survive.
"""

from __future__ import annotations

from typing import NewType

ImagePath = NewType("ImagePath", str)
"""Absolute and normalised: no empty, `.` or `..` component, no slash at the end."""

ROOT = ImagePath("/")

# The kernel's own bounds: PATH_MAX and NAME_MAX. No engine can unpack what is beyond them, and a
# name of a megabyte would imply half a million parent directories.
LONGEST_PATH = 4095
_LONGEST_NAME = 255


def image_path(name: str) -> ImagePath:
    """The path that a tar member's `name` stands for.

    A leading `/` or `./` means nothing, as to every engine. ValueError says why a name is refused:
    it climbs out by `..`, holds a NUL, or is longer than a kernel takes.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ValueError("climbs out of the image by '..'")
    if "\0" in name:
        raise ValueError("holds a NUL byte")
    path = "/" + "/".join(parts)
    # Only a long string can be long in bytes; a character has four at most.
    if len(path) * 4 > _LONGEST_NAME:
        _check_lengths(path, parts)
    return ImagePath(path)


def _check_lengths(path: str, parts: list[str]) -> None:
    if len(encoded(path)) > LONGEST_PATH:
        raise ValueError(f"is longer than {LONGEST_PATH:,} bytes")
    if any(len(part) * 4 > _LONGEST_NAME and len(encoded(part)) > _LONGEST_NAME for part in parts):
        raise ValueError(f"has a component longer than {_LONGEST_NAME} bytes")


def encoded(text: str) -> bytes:
    """The bytes that `text` was decoded from."""
    return text.encode("utf-8", "surrogateescape")


def decoded(data: bytes) -> str:
    """`data` as text, whatever its bytes."""
    return data.decode("utf-8", "surrogateescape")


def parent(path: ImagePath) -> ImagePath:
    """The directory that holds `path`; the root is its own."""
    return ImagePath(path.rpartition("/")[0] or "/")


def basename(path: ImagePath) -> str:
    """The last component; empty for the root."""
    return path.rpartition("/")[2]


def child(directory: ImagePath, name: str) -> ImagePath:
    """The path of `name`, one component, in `directory`."""
    return ImagePath(f"/{name}" if directory == "/" else f"{directory}/{name}")


def joined(directory: str, path: str) -> str:
    """`path` as seen from `directory`: itself if absolute.

    `..` stays, for links decide its meaning.
    """
    return path if path.startswith("/") else f"{directory}/{path}"


def ancestors(path: ImagePath) -> tuple[ImagePath, ...]:
    """The directories above `path`, nearest first, down to the root; none above the root."""
    found = []
    while path != ROOT:
        path = parent(path)
        found.append(path)
    return tuple(found)


def is_within(path: ImagePath, directory: ImagePath) -> bool:
    """Whether `path` is `directory` or below it."""
    return directory in (path, ROOT) or path.startswith(f"{directory}/")
