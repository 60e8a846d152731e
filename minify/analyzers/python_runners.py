"""What `uv run` itself wants: a cache, and the metadata of all that its environment has.

Before it starts anything it compares the environment with the lock file, and installs what it does
not find; a distribution that it finds the metadata of is there.

https://docs.astral.sh/uv/concepts/projects/sync/
"""

from __future__ import annotations

from collections.abc import Iterator

from minify.analyzers.started import started
from minify.closure import Context, Finding, Need, NeedsRoot, Reason
from minify.closure.environments import PROJECT
from minify.closure.patterns import glob
from minify.filetree.path import joined

_CACHE = ("UV_CACHE_DIR", "UV_NO_CACHE", "XDG_CACHE_HOME")
_METADATA = "lib/python*/site-packages/*.dist-info"


def find(context: Context) -> Iterator[Finding]:
    """The needs of uv, where the image's command is behind it."""
    uv = next((one for one in started(context) if "uv" in one.names), None)
    if uv is None:
        return
    env = context.config.env
    if not any(env.get(variable) for variable in _CACHE):
        detail = "uv keeps a cache in its user's home, which no other user has"
        yield NeedsRoot(Reason("python.runner", uv.path, detail))
    project = PROJECT.partition("/")[0]
    place = joined(context.workdir, env.get("UV_PROJECT_ENVIRONMENT") or project)
    reason = Reason("python.runner", uv.path, "uv looks for what its environment has")
    for path in glob(context.tree, f"{place.rstrip('/')}/{_METADATA}"):
        yield Need(path, reason, whole_tree=True)
