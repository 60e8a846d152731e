"""The package managers that corepack has fetched: its commands are only fronts of them.

https://github.com/nodejs/corepack#environment-variables
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from minify.closure import Context, Finding, Gap, Need, Reason

_CACHE = ".cache/node/corepack"
_VARIABLE = "COREPACK_HOME"


def fetched(managers: Iterable[str], context: Context) -> Iterator[Finding]:
    """What it has fetched, if one of `managers` is its; a gap, if only root would look there."""
    commands = filter(None, map(context.command, managers))
    front = next((one for one in commands if "/corepack/" in one.entry.path), None)
    if front is None:
        return
    home = context.config.env.get(_VARIABLE, "")
    for place in [home] if home.startswith("/") else _places(context):
        entry = context.tree.directory(place)
        if entry is None:
            continue
        detail = f"{front.path} is corepack's, which runs what it has fetched"
        yield Need(place, Reason("node.corepack", front.entry.path, detail), whole_tree=True)
        if not home and place.startswith("/root/"):
            detail = f"{front.path} looks below its HOME for what it runs, and only root has it"
            step = f"fetch it for all with ENV {_VARIABLE}=/usr/local/share/corepack"
            yield Gap(Reason("node.corepack", front.entry.path, detail), step)


def _places(context: Context) -> Iterator[str]:
    homes = context.tree.directory("/home")
    names = context.tree.children(homes.path) if homes is not None else ()
    for home in ("/root", *(f"/home/{name}" for name in names)):
        yield f"{home}/{_CACHE}"
