"""What the application's own sources in Python and JavaScript write: data beside themselves.

    mkdirSync(path.join(__dirname, "..", "data"))     open("state/last.json", "w")
    LOGS = BASE_DIR / "logs"                          sqlite3.connect("shop.db")

Root could write anywhere; another user can where it is given the place. A call that writes says so
of the path that it is given. Of paths that are only named, those count that are not there and whose
names say data: whoever reads from a directory that nobody made makes it before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from posixpath import normpath

from minify.closure import Context, Finding, Grade, Reason, Writes, Written, places
from minify.closure.application import NOT_THE_APPLICATION
from minify.filetree import Entry, ImagePath, Kind
from minify.filetree.path import ROOT, ancestors, basename, decoded, is_within, joined, parent

RULE = "source.writes"

_LANGUAGES = {
    suffix: name
    for name, suffixes in {"python": "py pyw", "node": "js cjs mjs ts cts mts"}.items()
    for suffix in suffixes.split()
}
_LARGEST = 1 << 20
_MOST = 500
_MOST_BASES = 50
_LIBRARIES = frozenset("node_modules site-packages dist-packages".split())
_STANDARD = re.compile(r"/lib/python\d(?:\.\d{1,3}t?)?/")
# Directories in which programs keep what they make, by the last part of their names.
_FOR_DATA = frozenset(
    """
    cache caches data database databases db downloads exports generated instance log logs media out
    output pids reports run sessions spool state storage store temp tmp upload uploads userdata var
    """.split()
)
_DATABASES = (".db", ".db3", ".sqlite", ".sqlite3")

_PART = r"[\"'`](?:[\w.@ /-]{1,200}+)(?:[\"'`]|\$\{)"
_PARTS = re.compile(r"[\"']([\w.@ /-]{1,200}+)[\"']")
# `join(__dirname, "a", "b")`; what is put there after a comma is not known.
_JOINED = re.compile(
    rf"(?:join|resolve)\(\s*+(?P<base>__dirname|import\.meta\.dirname|process\.cwd\(\)|[\w.$]{{1,80}}+"
    rf"|os\.path\.dirname\([^\n]{{0,120}}?__file__[)\s]*+)\s*+"
    rf"(?P<parts>(?:,\s*+{_PART}\s*+){{1,8}}+)(?P<end>[,)])"
)
_ADDED = re.compile(
    r"(?:__dirname\s*+\+\s*+[\"']|\$\{__dirname\})(?P<parts>/[\w./@ -]{1,200}+)(?P<end>[\"'`$])"
)
# `BASE / "a" / "b"`, `Path(__file__).parent / "a"`.
_DIVIDED = re.compile(
    rf"(?P<base>Path\(\s*+__file__\s*+\)[\w.()\[\]]{{0,80}}+|[A-Za-z_][\w.]{{0,60}}+)\s*+"
    rf"(?P<parts>(?:/\s*+{_PART}\s*+){{1,8}}+)(?P<end>/?)"
)
_WRITERS = (
    r"(?:(?:write|append|output)(?:File|Json|JSON)|createWriteStream|mkdirp?|ensure(?:Dir|File)"
    r"|copyFile|makedirs|FileHandler|(?:Timed)?Rotating(?:Timed)?FileHandler|WatchedFileHandler"
    r"|sqlite3\.connect|new\s+(?:sqlite3\.)?Database|DatabaseSync)(?:Sync)?"
)
_CALL = re.compile(rf"(?<![\w]){_WRITERS}\(\s*+(?P<path>{_PART})")
_OPENED = re.compile(
    rf"(?<![\w.])open\(\s*+(?P<path>{_PART})\s*+,\s*+(?:mode\s*+=\s*+)?[\"'][rbt]*+[wax+]"
)
_METHOD = re.compile(rf"Path\(\s*+(?P<path>{_PART})\s*+\)\.(?:mkdir|write_(?:text|bytes)|touch)\(")
# multer's and winston's.
_OPTION = re.compile(rf"\b(?:dest|destination|dirname|filename)\s*+:\s*+(?P<path>{_PART})")
_DEFAULT = re.compile(
    r"(?:(?:environ\.get|getenv)\(\s*+[\"']\w{1,80}+[\"']\s*+,|process\.env\.\w{1,80}+\s*+(?:\|\||\?\?))"
    rf"\s*+(?P<path>{_PART})"
)
_URL = re.compile(r"[\"']sqlite(?:\+\w+)?:///(?P<path>[\w./@-]{1,200}+)[\"']")
_FILES_OF_OPTIONS = re.compile(r"\bmulter\(|\btransports\.|RotateFile")
# What a path joined from constants stands behind where it is written. The last are middlewares of
# Express, which compile styles into the directory that they serve.
_GIVEN_TO = re.compile(
    rf"(?:(?<![\w]){_WRITERS}\(|\b(?:dest|destination|dirname)\s*:"
    r"|(?:less|sass)-?[mM]iddleware(?:[\"']\))?\(|\bstylus\.middleware\()\s*\Z"
)
# Anything by which a source writes files, whatever path it is given.
_WRITES = re.compile(
    rf"(?<![\w]){_WRITERS}\(|\.(?:write_text|write_bytes|mkdir|touch)\(|\bopen\([^\n]{{1,200}}?,"
    r"\s*+(?:mode\s*+=\s*+)?[\"'][rbt]*+[wax+]|\bmulter\(|\brename(?:Sync)?\(|filename:|\brfs\b"
    r"|FileStore|sqlite:///"
)
_COMMENT = re.compile(r"^[ \t]*+(?:#|//|\*)[^\n]*+", re.MULTILINE)
_ASSIGNED = (
    r"^[ \t]*+(?:export\s+)?(?:const\s+|let\s+|var\s+)?{name}\s*+=\s*+(?P<value>[^\n]{{1,300}}+)"
)
_UP = re.compile(r"\bdirname\(|\.parent\b|\.parents\[(\d)\]|[\"']\.\.[\"'/]")
_HERE = ("__file__", "__dirname", "import.meta.dirname")


@dataclass(frozen=True, slots=True)
class _Named:
    path: str
    """Absolute."""
    is_written: bool
    """Whether a call is given it that writes."""


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:  # noqa: ARG001
    language = _LANGUAGES.get(entry.path.rpartition(".")[2])
    if language is None or entry.size > _LARGEST or not _is_applications(entry.path, context):
        return
    text = _COMMENT.sub("", decoded(context.tree.read(entry)))
    writes = _WRITES.search(text) is not None
    found = dict.fromkeys(islice(_named(text, entry.path, context), _MOST))
    for named in found:
        what = _written(named, context, writes=writes)
        if what is not None:
            path, kind = what
            yield Writes(path, Reason(RULE, entry.path, f"makes or changes {path}"), kind)


def _is_applications(path: ImagePath, context: Context) -> bool:
    above = path.split("/")[:-1]
    if not _LIBRARIES.isdisjoint(above) or _STANDARD.search(path):
        return False
    if any(f"{end}/" in f"{path}/" for end in NOT_THE_APPLICATION):
        return False
    return context.is_first_party(path)


def _named(text: str, path: ImagePath, context: Context) -> Iterator[_Named]:
    """The paths that stand in a source, joined from constants."""
    workdir = joined("/", context.config.workdir)
    bases: dict[str, str] = {}
    for pattern in (_JOINED, _DIVIDED):
        for match in islice(pattern.finditer(text), _MOST):
            written = match["base"]
            if written not in bases and len(bases) < _MOST_BASES:
                bases[written] = _base(written, text, path, workdir)
            if base := bases.get(written):
                parts = (part.strip("/") for part in _PARTS.findall(match["parts"]))
                yield _Named(joined(base, "/".join(parts)), _is_argument(text, match.start()))
    for match in islice(_ADDED.finditer(text), _MOST):
        written = match["parts"] if match["end"] != "$" else _before_value(match["parts"])
        yield _Named(joined(parent(path), written.lstrip("/")), _is_argument(text, match.start()))
    for written, is_written in _constants(text):
        yield _Named(joined(workdir, written), is_written)


def _constants(text: str) -> Iterator[tuple[str, bool]]:
    """Paths that stand alone, relative ones to the working directory; whether they are written."""
    has_options = _FILES_OF_OPTIONS.search(text) is not None
    for pattern in (_CALL, _OPENED, _METHOD, _URL, _DEFAULT, *([_OPTION] if has_options else [])):
        for match in islice(pattern.finditer(text), _MOST):
            written = match["path"].strip("\"'`")
            if written.endswith("${"):
                written = _before_value(written)
            yield written, pattern is not _DEFAULT


def _before_value(written: str) -> str:
    """Of `uploads/${name}` any file in the directory."""
    return f"{written.rpartition('/')[0]}/*"


def _is_argument(text: str, at: int) -> bool:
    """Whether what begins at `at` is the first argument of a call that writes."""
    before = text[max(0, at - 60) : at].rstrip()
    before = re.sub(r"(?:\w{1,20}\.)*\Z", "", before)  # `path.` of `path.join(`
    return _GIVEN_TO.search(before) is not None


def _base(written: str, text: str, path: ImagePath, workdir: str) -> str:
    """The directory that a path is joined to; empty if that may be any."""
    if "cwd()" in written:
        return workdir
    if not any(one in written for one in _HERE):
        name = re.escape(written)
        value = re.search(_ASSIGNED.format(name=name), text, re.MULTILINE)
        if value is None:
            return workdir if written.isupper() and is_within(path, ImagePath(workdir)) else ""
        written = value["value"]
        if "cwd()" in written:
            return workdir
        if not any(one in written for one in _HERE):
            return ""
    # `__dirname` is a directory already, `__file__` is in one.
    number = sum(int(up[1] or 0) + 1 for up in _UP.finditer(written))
    here: str = path if "__file__" in written else parent(path)
    for _ in range(min(number, 16)):
        here = parent(ImagePath(here))
    return here


def _written(named: _Named, context: Context, *, writes: bool) -> tuple[str, Written] | None:
    """What of a path is written, if anything is."""
    path = normpath(named.path)
    if not path.startswith("/") or path.startswith("//"):
        return None
    there = context.tree.resolve(path).entry
    name = basename(ImagePath(path))
    is_database = name.endswith(_DATABASES)
    if there is None:
        return _to_be_made(path, context, is_sure=named.is_written or (writes and is_database))
    if not context.is_first_party(there.path):
        return None
    if there.kind is Kind.DIRECTORY:
        is_data = named.is_written or (name in _FOR_DATA and writes)
        is_own = is_data and not places.is_shared(there.path, context.tree)
        return (path, Written.TREE) if is_own else None
    if is_database:
        return f"{path}-journal", Written.FILE
    return (path, Written.FILE) if named.is_written and there.kind is Kind.FILE else None


def _to_be_made(path: str, context: Context, *, is_sure: bool) -> tuple[str, Written] | None:
    """The uppermost directory that is not there, or what is made in one that is."""
    every = (ImagePath(path), *ancestors(ImagePath(path)))
    top = [one for one in every if context.tree.resolve(one).entry is None][-1]
    above = context.tree.directory(parent(top))
    if above is None:
        return None
    is_shared = places.is_shared(above.path, context.tree) and above.path != ROOT
    if basename(top) in _FOR_DATA and not is_shared:
        return top, Written.TREE
    return (top, Written.FILE) if is_sure else None
