"""The report as JSON, for programs; docs/report.schema.json describes it."""

from __future__ import annotations

from minify.closure import Excluded, KeepSet, LeftOut
from minify.errors import MinifyError
from minify.planning import ConfigChange, LevelSize, Plan, PlannedEntry
from minify.report import running
from minify.report.escape import printable
from minify.report.members import JsonObject, dump, gap, kept, reason, size, source
from minify.report.result import IndexResult, Result
from minify.report.user import user


def document(result: Result | IndexResult) -> str:
    """The whole result: what was written, every entry with its reasons, the user, gaps.

    Of an index the same for each platform, and the index itself.
    """
    return dump(_index(result) if isinstance(result, IndexResult) else _whole(result))


def _index(index: IndexResult) -> JsonObject:
    source_digest, digest = index.source_digest, index.digest
    return {
        "source_index": {
            "name": printable(index.source),
            "digest": str(source_digest) if source_digest else None,
            "skipped": [printable(it) for it in index.skipped],
        },
        "output_index": None
        if index.reference is None
        else {"reference": printable(index.reference), "digest": str(digest) if digest else None},
        "images": [
            {"platform": printable(str(one.platform)), **_whole(one.result)}
            for one in index.results
        ],
    }


def _whole(result: Result) -> JsonObject:
    decided = result.plan
    keep = decided.keep
    return {
        "source": {
            **source(result.source),
            "skipped": [printable(text) for text in result.skipped],
        },
        "output": _output(result),
        "user": user(decided.identity),
        "command": _command(decided),
        "config_changes": [config_change(change) for change in decided.config_changes],
        "size": {"before": size(decided.source), "after": size(decided.size)},
        "layers": {"before": len(result.source.layers), "after": 1},
        "warnings": [printable(text) for text in decided.warnings],
        "gaps": [gap(item) for item in decided.gaps],
        "overruled": [
            {"path": printable(path), **kept(why)} for path, why in keep.overruled.items()
        ],
        "left_out": [_left_out(item) for item in keep.left_out],
        "excluded": [_excluded(item) for item in keep.excluded],
        "unreached": [_excluded(item) for item in keep.unreached],
        "levels": [_level(item) for item in decided.levels],
        "run": running.document(decided),
        "entries": [_entry(item, keep) for item in decided.entries],
    }


def failure(error: MinifyError) -> str:
    """The report of a run that was refused."""
    found: JsonObject = {
        "kind": type(error).__name__,
        "exit_code": error.exit_code,
        "lines": [printable(line) for line in error.lines],
    }
    return dump({"error": found})


def config_change(change: ConfigChange) -> JsonObject:
    """One value of the configuration, before and after; null where it is not there."""
    return {
        "name": printable(change.name),
        "old": None if change.old is None else printable(change.old),
        "new": None if change.new is None else printable(change.new),
        "why": printable(change.why),
    }


def _command(decided: Plan) -> JsonObject:
    return {
        "entrypoint": [printable(word) for word in decided.config.entrypoint],
        "cmd": [printable(word) for word in decided.config.cmd],
    }


def _output(result: Result) -> JsonObject | None:
    """What was written; an image of an index is named by its digest."""
    if result.built is None or result.reference is None:
        return None
    digest = result.manifest_digest
    return {
        "reference": printable(result.reference),
        "image_id": str(result.built.config.digest),
        "manifest_digest": str(digest) if digest else None,
        "diff_ids": [str(digest) for digest in result.built.config.diff_ids],
        "compressed_bytes": sum(layer.size or 0 for layer in result.built.layers),
    }


def _left_out(item: LeftOut) -> JsonObject:
    return {
        "path": printable(item.path),
        "likelihood": item.likelihood.name.lower(),
        "bytes": item.bytes,
        "files": item.files,
        "reasons": [reason(why) for why in item.reasons],
    }


def _excluded(item: Excluded) -> JsonObject:
    return {
        "path": printable(item.path),
        "bytes": item.bytes,
        "files": item.files,
        "reasons": [reason(why) for why in item.reasons],
    }


def _level(item: LevelSize) -> JsonObject:
    return {"level": item.level.value, "bytes": item.bytes, "chosen": item.is_chosen}


def _entry(item: PlannedEntry, keep: KeepSet) -> JsonObject:
    entry = item.entry
    why = keep.kept.get(entry.path)
    return {
        "path": printable(entry.path),
        "kind": entry.kind.value,
        "mode": f"{entry.mode:04o}",
        "uid": entry.uid,
        "gid": entry.gid,
        "size": entry.size,
        "target": printable(entry.target),
        "change": printable(item.change),
        "changes": [
            {"kind": change.kind.value, "text": printable(change.text)} for change in item.changes
        ],
        **(kept(why) if why else {"grade": "added", "reasons": []}),
    }
