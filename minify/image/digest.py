"""Content digests, `algorithm:hex`.

https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md#digests
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Protocol

_HEX_LENGTH = {"sha256": 64, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+")


class Hash(Protocol):
    """The part of a `hashlib` object that is used here."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A content digest; `str()` gives `sha256:9f2c…` in full."""

    algorithm: str
    hex: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"

    @property
    def short(self) -> str:
        """The first twelve hex digits with the algorithm, for messages."""
        return f"{self.algorithm}:{self.hex[:12]}"

    def hasher(self) -> Hash:
        """A fresh hash object of this digest's algorithm."""
        return hashlib.new(self.algorithm)

    @classmethod
    def parse(cls, text: str) -> Digest:
        """The digest written as `text`; ValueError says what is wrong with it."""
        algorithm, colon, hexdigits = text.partition(":")
        length = _HEX_LENGTH.get(algorithm)
        if not colon or length is None:
            raise ValueError(f"{text!r} is no digest: expected sha256:<hex> or sha512:<hex>")
        if len(hexdigits) != length or not _HEX.fullmatch(hexdigits):
            raise ValueError(f"{text!r} is no digest: expected {length} lower-case hex digits")
        return cls(algorithm, hexdigits)

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """The sha256 digest of `data`."""
        return cls("sha256", hashlib.sha256(data).hexdigest())
