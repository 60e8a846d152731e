"""Where an interpreter looks for modules, from its own path alone.

https://docs.python.org/3/library/sys_path_init.html
https://docs.python.org/3/library/site.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from minify.filetree import FileTree, ImagePath, Kind
from minify.filetree.path import ROOT, basename, decoded, is_within, joined, parent

PROGRAM = re.compile(r"(?:python|pypy)(?:\d(?:\.\d{1,3})?)?[tdm]?")
"""The names that interpreters have."""

_LIBRARY = re.compile(r"python(\d)\.(\d{1,3})t?")
_LANDMARKS = ("os.py", "os.pyc")
_TOP = re.compile(r'^"?+([^/,"\n]++)', re.MULTILINE)
_LARGEST_RECORD = 16 << 20
_LARGEST_TEXT = 1 << 18
_MOST_LINES = 1 << 12
_PTH_IMPORT = re.compile(r"import[ \t]")
_NAMED = re.compile(r"\bimport[ \t]++([A-Za-z_][\w.]*+)|__import__\(['\"]([\w.]++)['\"]\)")


@dataclass(frozen=True, slots=True)
class PathFile:
    """A `.pth` file: directories and zips that it adds, modules that it imports at every start."""

    path: ImagePath
    directories: tuple[str, ...]
    imports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Installation:
    """An interpreter with its library. All directories are real paths that exist."""

    program: ImagePath
    """The interpreter's own file, links followed."""
    prefix: str
    """`sys.prefix`: that of the virtual environment, if it is one."""
    version: tuple[int, int]
    standard: ImagePath
    """The standard library."""
    sites: tuple[ImagePath, ...]
    """Where distributions are, in the order of the search."""
    hidden: tuple[ImagePath, ...]
    """Site directories of the base interpreter that a virtual environment does not look into."""
    path_files: tuple[PathFile, ...]
    variables: tuple[str, ...]
    """The directories of PYTHONPATH."""

    @property
    def archive(self) -> str:
        """Where a standard library in a zip would be."""
        return f"{parent(self.standard)}/python{self.version[0]}{self.version[1]}.zip"

    @property
    def managed(self) -> tuple[ImagePath, ...]:
        """Every directory whose modules are found by their names only."""
        return tuple(dict.fromkeys((self.standard, *self.sites, *self.hidden)))

    def is_standard(self, path: str) -> bool:
        """Whether a file is the standard library's."""
        inside = is_within(ImagePath(path), self.standard) or path.startswith(self.archive)
        return inside and not any(is_within(ImagePath(path), site) for site in self.sites)

    def search_path(self, first: tuple[str, ...] = ()) -> tuple[str, ...]:
        """`sys.path` with `first` at its beginning."""
        added = (directory for file in self.path_files for directory in file.directories)
        loaded = f"{self.standard}/lib-dynload"
        path = (*first, *self.variables, self.archive, self.standard, loaded, *self.sites, *added)
        return tuple(dict.fromkeys(path))


def installation(
    tree: FileTree, called: str, env: Mapping[str, str], workdir: str = "/"
) -> Installation | None:
    """The interpreter that the absolute path `called` starts; None if its library is not found."""
    found = tree.resolve(called)
    if found.entry is None or found.entry.kind is not Kind.FILE:
        return None
    program = found.entry.path
    # The name by which it is called decides about a virtual environment, so links are not followed.
    names = [called, *(hop.path for hop in found.hops), program]
    environment = next(filter(None, (_environment(tree, name) for name in names)), None)
    homes = [_directory(name) for name in reversed(names)]
    if environment is not None:
        homes.insert(0, environment.home)
    if env.get("PYTHONHOME"):
        homes.insert(0, f"{env['PYTHONHOME'].partition(':')[0]}/bin")
    library = next(filter(None, (_library(tree, home, program) for home in homes)), None)
    if library is None:
        return None
    version = _version(basename(library))
    base = _base(library)
    own = tuple(_sites(tree, base, version))
    sites, hidden = own, tuple[ImagePath, ...]()
    prefix = base
    if environment is not None and environment.prefix != base:
        prefix = environment.prefix
        sites = tuple(_sites(tree, prefix, version, is_environment=True))
        sites, hidden = ((*sites, *own), ()) if environment.sees_base else (sites, own)
    # A user's own modules come before those of the system, and a service has no `-s`.
    users = () if env.get("PYTHONNOUSERSITE") else tuple(_user_sites(tree, version, env))
    sites = (*users, *(site for site in sites if site not in users))
    written = (part for part in env.get("PYTHONPATH", "").split(":") if part)
    variables = tuple(joined(workdir, part).rstrip("/") for part in written)
    path_files = tuple(file for site in sites for file in _path_files(tree, site))
    named = (e.path for e in map(tree.directory, variables) if e and _has_installed(tree, e.path))
    return Installation(
        program=program,
        prefix=prefix,
        version=version,
        standard=library,
        sites=tuple(dict.fromkeys((*named, *sites))),
        hidden=hidden,
        path_files=path_files,
        variables=variables,
    )


def _directory(path: str) -> str:
    return path.rpartition("/")[0] or "/"


@dataclass(frozen=True, slots=True)
class _Environment:
    """What a `pyvenv.cfg` says. https://docs.python.org/3/library/venv.html"""

    prefix: str
    home: str
    sees_base: bool


def _environment(tree: FileTree, called: str) -> _Environment | None:
    directory = _directory(called)
    for place in (directory, _directory(directory)):
        entry = tree.file(f"{place}/pyvenv.cfg")
        if entry is None or entry.size > _LARGEST_TEXT:
            continue
        pairs = (line.partition("=") for line in decoded(tree.read(entry)).splitlines())
        values = {key.strip().lower(): value.strip() for key, _, value in pairs}
        prefix = tree.directory(place)
        sees_base = values.get("include-system-site-packages", "").lower() == "true"
        home = values.get("home", "")
        if prefix is not None and home.startswith("/"):
            return _Environment(prefix.path, home.rstrip("/"), sees_base)
    return None


def _library(tree: FileTree, home: str, program: ImagePath) -> ImagePath | None:
    """The standard library nearest to the directory `home`, going upwards."""
    wanted = re.search(r"\d\.\d{1,3}", basename(program))
    place = tree.directory(home)
    here = place.path if place is not None else ImagePath(home)
    while True:
        for found in _libraries(tree, here):
            if wanted is None or basename(found).removesuffix("t").endswith(f"n{wanted[0]}"):
                return found
        if here == ROOT or "/" not in here:
            return None
        here = parent(here)


def _libraries(tree: FileTree, prefix: str) -> Iterator[ImagePath]:
    """The standard libraries below one prefix, the newest first."""
    found: dict[ImagePath, tuple[int, int]] = {}
    for lib in ("lib", "lib64"):
        above = tree.directory(f"{prefix.rstrip('/')}/{lib}")
        for name in tree.children(above.path) if above is not None else ():
            directory = f"{above.path if above is not None else ''}/{name}"
            if _LIBRARY.fullmatch(name) and any(
                tree.file(f"{directory}/{mark}") for mark in _LANDMARKS
            ):
                entry = tree.directory(directory)
                assert entry is not None
                found[entry.path] = _version(name)
    return iter(sorted(found, key=lambda path: found[path], reverse=True))


def _version(name: str) -> tuple[int, int]:
    found = _LIBRARY.fullmatch(name)
    return (int(found[1]), int(found[2])) if found else (3, 0)


def _base(library: ImagePath) -> str:
    """The prefix of a standard library."""
    return parent(parent(library))


def _sites(
    tree: FileTree, prefix: str, version: tuple[int, int], *, is_environment: bool = False
) -> Iterator[ImagePath]:
    """The site directories of a prefix, Debian's own names among them."""
    short = f"python{version[0]}.{version[1]}"
    above = prefix.rstrip("/")
    names = [f"{above}/{lib}/{short}/site-packages" for lib in ("lib", "lib64")]
    names.append(f"{above}/lib/{short}t/site-packages")
    if not is_environment:
        # https://wiki.debian.org/Python#Deviations_from_upstream
        names.append(f"{above}/lib/{short}/dist-packages")
        if above in ("", "/usr"):
            local = f"/usr/local/lib/{short}"
            names += [
                f"{local}/dist-packages",
                f"{local}/site-packages",
                f"/usr/lib/python{version[0]}/dist-packages",
            ]
    seen: set[ImagePath] = set()
    for name in names:
        entry = tree.directory(name)
        if entry is not None and entry.path not in seen:
            seen.add(entry.path)
            yield entry.path


def user_libraries(tree: FileTree, env: Mapping[str, str]) -> Iterator[ImagePath]:
    """The `lib` in which `pip install --user` puts what is for a user: any of those that have one.

    https://docs.python.org/3/library/site.html#site.USER_BASE
    """
    homes = [env.get("PYTHONUSERBASE", ""), f"{env.get('HOME') or '/root'}/.local", "/root/.local"]
    above = tree.directory("/home")
    names = tree.children(above.path) if above is not None else ()
    homes += [f"/home/{name}/.local" for name in names[:64]]
    there = (tree.directory(f"{home}/lib") for home in homes if home[:1] == "/")
    yield from dict.fromkeys(entry.path for entry in there if entry is not None)


def _user_sites(
    tree: FileTree, version: tuple[int, int], env: Mapping[str, str]
) -> Iterator[ImagePath]:
    """The user of the result may be any of those that have one."""
    short = f"python{version[0]}.{version[1]}"
    sites = (tree.directory(f"{lib}/{short}/site-packages") for lib in user_libraries(tree, env))
    yield from dict.fromkeys(entry.path for entry in sites if entry is not None)


def _has_installed(tree: FileTree, directory: ImagePath) -> bool:
    """Whether all in a directory of PYTHONPATH was installed: by `pip install --target`."""
    names = tree.children(directory)
    records = [f"{directory}/{name}/RECORD" for name in names if name.endswith(".dist-info")]
    if not records:
        return False
    known = {"bin", "__pycache__"}
    for path in records:
        entry = tree.file(path)
        if entry is not None and entry.size <= _LARGEST_RECORD:
            known |= set(_TOP.findall(decoded(tree.read(entry))))
    return known.issuperset(names)


def _path_files(tree: FileTree, site: ImagePath) -> Iterator[PathFile]:
    for name in tree.children(site):
        entry = tree.file(f"{site}/{name}") if name.endswith(".pth") else None
        if entry is None or entry.size > _LARGEST_TEXT:
            continue
        directories: list[str] = []
        imports: list[str] = []
        for line in decoded(tree.read(entry)).splitlines()[:_MOST_LINES]:
            if _PTH_IMPORT.match(line):
                imports += (first or second for first, second in _NAMED.findall(line))
            elif line.strip() and not line.startswith("#") and "\0" not in line:
                written = joined(site, line.strip())
                found = tree.directory(written) or tree.file(written)
                if found is not None:
                    directories.append(found.path)
        yield PathFile(ImagePath(f"{site}/{name}"), tuple(directories), tuple(imports))
