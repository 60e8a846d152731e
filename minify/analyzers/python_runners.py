"""What starts a program and wants something itself: `uv run`, and a zip that unpacks itself.

Before uv starts anything it compares the environment with the lock file, and installs what it does
not find; a distribution that it finds the metadata of is there.

https://docs.astral.sh/uv/concepts/projects/sync/
https://docs.pex-tool.org/ and https://shiv.readthedocs.io/ say where a zip is unpacked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from minify.analyzers.started import started
from minify.closure import Context, Finding, Need, NeedsRoot, Reason, Writes
from minify.closure.environments import PROJECT
from minify.closure.patterns import glob
from minify.filetree import ImagePath
from minify.filetree.path import is_within, joined
from minify.python import Finder
from minify.python.layout import user_libraries

_METADATA = "lib/python*/site-packages/*.dist-info"
_RUNNER, _UNPACKED, _USERS = "python.runner", "python.unpacked", "python.user"

# By a member of the zip: the variable that says where it is unpacked, and the place below HOME.
_PLACES: Mapping[str, tuple[str, str]] = {
    "_bootstrap/__init__.py": ("SHIV_ROOT", ".shiv"),
    ".bootstrap/pex/__init__.py": ("PEX_ROOT", ".cache/pex"),
}


def find(context: Context) -> Iterator[Finding]:
    """The needs of uv, where the image's command is behind it."""
    uv = next((one for one in started(context) if "uv" in one.names), None)
    if uv is None:
        return
    env = context.config.env
    if not env.get("UV_NO_CACHE"):
        caches = env.get("XDG_CACHE_HOME", "")
        place = env.get("UV_CACHE_DIR") or (f"{caches}/uv" if caches else "")
        reason = Reason(_RUNNER, uv.path, "uv keeps a cache in its user's home")
        yield from _written(place, ".cache/uv", reason, context)
    project = PROJECT.partition("/")[0]
    place = joined(context.workdir, env.get("UV_PROJECT_ENVIRONMENT") or project)
    reason = Reason(_RUNNER, uv.path, "uv looks for what its environment has")
    for path in glob(context.tree, f"{place.rstrip('/')}/{_METADATA}"):
        yield Need(path, reason, whole_tree=True)


def unpacked(finder: Finder, context: Context) -> Iterator[Finding]:
    """What programs in a zip want that unpack themselves."""
    for path in filter(finder.is_unpacked, finder.programs):
        members = {module.member for module in finder.archived(path)}
        known = next((place for member, place in _PLACES.items() if member in members), ("", ""))
        reason = Reason(_UNPACKED, path, f"{path} unpacks itself in its user's home")
        yield from _written(context.config.env.get(known[0], ""), known[1], reason, context)


def of_users(reached: Iterable[ImagePath], context: Context) -> Iterator[Finding]:
    """What `pip install --user` made for root is found by nobody else: another has another home."""
    env = context.config.env
    if env.get("HOME") or env.get("PYTHONUSERBASE") or not _is_root(context):
        return
    libraries = tuple(user_libraries(context.tree, {}))
    for path in reached:
        if path.startswith("/root/") and any(is_within(path, one) for one in libraries):
            yield NeedsRoot(Reason(_USERS, path, f"{path} is in the user's home"))
            return


def _is_root(context: Context) -> bool:
    return context.config.user.partition(":")[0] in ("", "0", "root")


def _written(place: str, inside: str, reason: Reason, context: Context) -> Iterator[Finding]:
    """A place that is written to: that of a variable, else one in the home of its user alone."""
    home = context.config.env.get("HOME", "")
    if not place:
        yield NeedsRoot(reason)
        home = home or ("/root" if _is_root(context) else "")
        place = f"{home.rstrip('/')}/{inside}" if home and inside else ""
    if place.startswith("/") and "\0" not in place:
        yield Writes(place, reason)
