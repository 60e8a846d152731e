"""The targets of `exports` and `imports` that Node may choose.

https://nodejs.org/api/esm.html#resolution-algorithm-specification: the first condition that holds
decides. Some hold in one run and not in another (NODE_ENV, the version of Node); then what follows
them may be chosen too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from minify.node.manifest import Json
from minify.node.requires import Style

_ALWAYS = frozenset(("node", "node-addons", "default"))
_PERHAPS = frozenset(("module-sync", "development", "production"))
_DEEPEST = 16


def exported(exports: Json, subpath: str, style: Style, also: frozenset[str]) -> tuple[str, ...]:
    """The paths below its package that `subpath` (`.`, `./x`) may lead to, likely ones first.

    `also` are the conditions of the command line.
    """
    if isinstance(exports, dict) and any(key.startswith(".") for key in exports):
        return matched(exports, subpath, style, also)
    return tuple(_targets(exports, "", style, also)) if subpath == "." else ()


def matched(
    table: Mapping[str, Json], key: str, style: Style, also: frozenset[str]
) -> tuple[str, ...]:
    """The targets of `key` in `exports` with paths, or in `imports`."""
    if key in table and "*" not in key:
        return tuple(dict.fromkeys(_targets(table[key], "", style, also)))
    best, star = "", ""
    for pattern in table:
        before, found, after = pattern.partition("*")
        if not found and not pattern.endswith("/"):
            continue
        long_enough = len(key) >= len(before) + len(after)
        if key != before and key.startswith(before) and key.endswith(after) and long_enough:
            best_before = best.partition("*")[0]
            if (len(before), len(pattern)) > (len(best_before), len(best)) or not best:
                best, star = pattern, key[len(before) : len(key) - len(after)]
    if not best:
        return ()
    return tuple(dict.fromkeys(_targets(table[best], star, style, also)))


def _targets(
    target: Json, star: str, style: Style, also: frozenset[str], depth: int = 0
) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(target, str):
        is_directory = target.endswith("/")
        yield target + star if is_directory else target.replace("*", star)
    elif isinstance(target, list):
        for item in target:
            yield from _targets(item, star, style, also, depth + 1)
    elif isinstance(target, dict):
        for condition, value in target.items():
            if condition in _ALWAYS or condition == style.value:
                found = tuple(_targets(value, star, style, also, depth + 1))
                yield from found
                if found or value is None:
                    return
            elif condition in _PERHAPS or condition in also:
                yield from _targets(value, star, style, also, depth + 1)
