"""The platform of an image: operating system, architecture and variant.

https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md#image-index-property-descriptions
"""

from __future__ import annotations

import platform as _host
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# uname's names → GOARCH, and the variant that the containers world assumes when none is written.
_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm/v7",
    "armv6l": "arm/v6",
    "i386": "386",
    "i686": "386",
    "ppc64le": "ppc64le",
    "riscv64": "riscv64",
    "s390x": "s390x",
}
_DEFAULT_VARIANT = {"arm64": "v8", "arm": "v7", "amd64": "v1"}


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """`os/architecture[/variant]`, as `--platform` writes it."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = field(default="", compare=False)
    """`os.version`; nothing is chosen by it, but it is carried over."""
    os_features: tuple[str, ...] = field(default=(), compare=False)
    """`os.features`, likewise."""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @classmethod
    def parse(cls, text: str) -> Platform:
        """The platform written as `text`; ValueError if it is none."""
        parts = text.split("/")
        if len(parts) not in (2, 3) or not all(parts):
            raise ValueError(f"{text!r} is no platform: expected os/architecture[/variant]")
        return cls(parts[0], parts[1], parts[2] if len(parts) == 3 else "")

    @classmethod
    def of(cls, fields: Mapping[str, object]) -> Platform:
        """The platform that an image config or a descriptor's `platform` object states."""

        def text(key: str) -> str:
            value = fields.get(key)
            return value if isinstance(value, str) else ""

        features = fields.get("os.features")
        items = features if isinstance(features, list | tuple) else ()
        return cls(
            text("os"),
            text("architecture"),
            text("variant"),
            text("os.version"),
            tuple(item for item in items if isinstance(item, str)),
        )

    def json(self) -> Mapping[str, str | Sequence[str]]:
        """The `platform` object of a descriptor."""
        parts: dict[str, str | Sequence[str]] = {
            "architecture": self.architecture,
            "os": self.os,
            "os.version": self.os_version,
            "os.features": list(self.os_features),
            "variant": self.variant,
        }
        return {
            key: value for key, value in parts.items() if value or key in ("architecture", "os")
        }

    @classmethod
    def host(cls) -> Platform:
        """The platform of this machine."""
        machine = _host.machine().lower()
        return cls.parse(f"linux/{_ARCHITECTURES.get(machine, machine)}")

    def matches(self, wanted: Platform) -> bool:
        """Whether an image of this platform answers a request for `wanted`.

        A request without a variant takes every variant; `arm64` and `arm64/v8` are one, likewise
        `arm` and `arm/v7`, as in containerd's normalisation.
        """
        if (self.os, self.architecture) != (wanted.os, wanted.architecture):
            return False
        default = _DEFAULT_VARIANT.get(self.architecture, "")
        return not wanted.variant or (self.variant or default) == wanted.variant
