"""The report as JSON, for programs; docs/report.schema.json describes it.

`schema_version` grows when a member goes or changes its meaning; new members may come at any time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from minify.closure import Gap, KeepSet, Kept, Reason
from minify.errors import MinifyError
from minify.image import Digest
from minify.planning import Plan, PlannedEntry, Size
from minify.report.escape import printable
from minify.report.result import Result

SCHEMA_VERSION = 1

_Json: TypeAlias = "str | int | Sequence[_Json] | Mapping[str, _Json] | None"
_Object: TypeAlias = Mapping[str, _Json]


def document(result: Result) -> str:
    """The whole result: what was written, every entry with its reasons, gaps."""
    decided = result.plan
    command: _Object = {
        "entrypoint": [printable(word) for word in decided.config.entrypoint],
        "cmd": [printable(word) for word in decided.config.cmd],
    }
    size: _Object = {"before": _size(decided.source), "after": _size(decided.size)}
    keep = decided.keep
    return _dump(
        {
            "schema_version": SCHEMA_VERSION,
            "source": _source(result),
            "output": _output(result),
            "user": _user(decided),
            "command": command,
            "size": size,
            "layers": {"before": len(result.source.layers), "after": 1},
            "gaps": [_gap(gap) for gap in keep.gaps],
            "overruled": [_named(path, kept) for path, kept in keep.overruled.items()],
            "entries": [_entry(item, keep) for item in decided.entries],
        }
    )


def failure(error: MinifyError) -> str:
    """The report of a run that was refused."""
    found: _Object = {
        "kind": type(error).__name__,
        "exit_code": error.exit_code,
        "lines": [printable(line) for line in error.lines],
    }
    return _dump({"schema_version": SCHEMA_VERSION, "error": found})


def _dump(value: Mapping[str, _Json]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _source(result: Result) -> _Object:
    image = result.source
    return {
        "name": printable(image.name),
        "image_id": str(image.config.digest),
        "manifest_digest": _digest(image.manifest_digest),
        "platform": printable(str(image.config.platform)),
    }


def _output(result: Result) -> _Object | None:
    if result.built is None or result.reference is None:
        return None
    return {
        "reference": printable(result.reference),
        "image_id": str(result.built.config.digest),
        "manifest_digest": _digest(result.manifest_digest),
        "diff_ids": [str(digest) for digest in result.built.config.diff_ids],
        "compressed_bytes": sum(layer.size or 0 for layer in result.built.layers),
    }


def _digest(digest: Digest | None) -> str | None:
    return str(digest) if digest else None


def _user(decided: Plan) -> _Object:
    identity = decided.identity
    return {
        "user": printable(identity.user),
        "uid": identity.uid,
        "gid": identity.gid,
        "changed": identity.is_changed,
        "why": printable(identity.why),
    }


def _size(size: Size) -> _Object:
    return {"bytes": size.bytes, "files": size.files}


def _gap(gap: Gap) -> _Object:
    return {**_reason(gap.reason), "hint": printable(gap.hint)}


def _reason(reason: Reason) -> _Object:
    by, detail = printable(reason.by), printable(reason.detail)
    return {"rule": reason.rule, "by": by, "detail": detail}


def _named(path: str, kept: Kept) -> _Object:
    return {"path": printable(path), **_kept(kept)}


def _kept(kept: Kept) -> _Object:
    return {
        "grade": kept.grade.name.lower(),
        "reasons": [_reason(reason) for reason in kept.reasons],
    }


def _entry(item: PlannedEntry, keep: KeepSet) -> _Object:
    entry = item.entry
    kept = keep.kept.get(entry.path)
    why = _kept(kept) if kept else {"grade": "added", "reasons": []}
    return {
        "path": printable(entry.path),
        "kind": entry.kind.value,
        "mode": f"{entry.mode:04o}",
        "uid": entry.uid,
        "gid": entry.gid,
        "size": entry.size,
        "target": printable(entry.target),
        "change": printable(item.change),
        **why,
    }
