"""JSON documents of an image, read with bounds and written the same everywhere."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from minify.errors import ImageError

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

DOCUMENT_LIMIT = 4 << 20
"""The most bytes of a manifest, index or config; registries refuse manifests above 4 MiB."""

_DEEPEST = 100


def read_object(data: bytes, name: str) -> Mapping[str, Json]:
    """The JSON object in `data`; ImageError with `name` if it is none."""
    value = _read(data, name)
    if not isinstance(value, dict):
        raise ImageError(f"{name} is no JSON object but {kind(value)}")
    return value


def read_array(data: bytes, name: str) -> Sequence[Json]:
    """The JSON array in `data`; ImageError with `name` if it is none."""
    value = _read(data, name)
    if not isinstance(value, list):
        raise ImageError(f"{name} is no JSON array but {kind(value)}")
    return value


def _read(data: bytes, name: str) -> object:
    try:
        value = json.loads(data, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ImageError(f"{name} is no JSON document: {error}") from error
    _check_depth(value, name)
    return value


def _finite(text: str) -> float:
    """The number in `text`; ValueError for NaN and infinities, which JSON cannot write back."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number")
    return value


def _check_depth(value: object, name: str) -> None:
    """Python's own bound depends on its version and on how deep the caller's stack is."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return
    raise ImageError(f"{name} is nested more than {_DEEPEST} deep, which no such document is")


def _inner(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def write(value: Json) -> bytes:
    """Compact UTF-8, keys in their order; what cannot be UTF-8 stays an escape."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate that the source wrote as an escape
        return json.dumps(value, separators=(",", ":")).encode()


def kind(value: object) -> str:
    """What JSON calls the type of `value`, for messages."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    return names.get(type(value), "an array" if isinstance(value, list) else "an object")


class Fields:
    """Typed access to a JSON object's members; a wrong type is an ImageError that names it.

    A missing member and `null` are the same, and `null` among strings is an empty one, as in Go,
    whose encoder wrote most images.
    """

    def __init__(self, members: Mapping[str, Json], name: str) -> None:
        self._members = members
        self._name = name

    def text(self, key: str) -> str:
        """The string at `key`; empty if there is none."""
        value = self._members.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(key, "a string", value)
        return value

    def number(self, key: str) -> int | None:
        """The integer at `key`, None if there is none."""
        value = self._members.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(key, "an integer", value)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """The strings of the array at `key`; empty if there is none."""
        return tuple(self._text_in(key, item) for item in self.items(key))

    def objects(self, key: str) -> tuple[Fields, ...]:
        """The objects of the array at `key`; empty if there is none."""
        fields = []
        for index, item in enumerate(self.items(key)):
            if not isinstance(item, Mapping):
                raise self._wrong(f"{key}[{index}]", "an object", item)
            fields.append(Fields(item, f"{self._name}: {key}[{index}]"))
        return tuple(fields)

    def items(self, key: str) -> Sequence[Json]:
        """The array at `key`; empty if there is none."""
        value = self._members.get(key)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            raise self._wrong(key, "an array", value)
        return value

    def mapping(self, key: str) -> Mapping[str, Json]:
        """The object at `key`; empty if there is none."""
        value = self._members.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self._wrong(key, "an object", value)
        return value

    def child(self, key: str) -> Fields:
        """The object at `key` as fields; empty if there is none."""
        return Fields(self.mapping(key), f"{self._name}: {key}")

    def text_mapping(self, key: str) -> Mapping[str, str]:
        """The object of strings at `key`; empty if there is none."""
        return {name: self._text_in(key, value) for name, value in self.mapping(key).items()}

    def _text_in(self, key: str, item: Json) -> str:
        if item is None:
            return ""
        if not isinstance(item, str):
            raise self._wrong(key, "only strings", item)
        return item

    def _wrong(self, key: str, expected: str, found: object) -> ImageError:
        return ImageError(f"{self._name}: {key!r} is {kind(found)}; expected {expected}")
