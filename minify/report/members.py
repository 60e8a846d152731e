"""Members that several JSON documents have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from minify.closure import Gap, Kept, Reason
from minify.image import Image
from minify.planning import Size
from minify.report.escape import printable

Json: TypeAlias = "str | int | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]

SCHEMA_VERSION = 1
"""It grows when a member goes or changes its meaning; new members may come at any time."""


def dump(value: JsonObject) -> str:
    """A whole document, of this version of the schema."""
    whole = {"schema_version": SCHEMA_VERSION, **value}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def source(image: Image) -> JsonObject:
    """What was read."""
    digest, index = image.manifest_digest, image.index_digest
    return {
        "name": printable(image.name),
        "image_id": str(image.config.digest),
        "manifest_digest": str(digest) if digest else None,
        "index_digest": str(index) if index else None,
        "platform": printable(str(image.config.platform)),
    }


def size(size: Size) -> JsonObject:
    return {"bytes": size.bytes, "files": size.files}


def gap(gap: Gap) -> JsonObject:
    return {**reason(gap.reason), "hint": printable(gap.hint)}


def reason(reason: Reason) -> JsonObject:
    by, detail = printable(reason.by), printable(reason.detail)
    return {"rule": reason.rule, "by": by, "detail": detail}


def kept(kept: Kept) -> JsonObject:
    """The grade and the reasons of a path."""
    return {"grade": kept.grade.name.lower(), "reasons": [reason(item) for item in kept.reasons]}
