"""How the result fits a hardened runtime: read-only root, no capability, no new privileges.

Only what the findings say. Where they do not suffice, which is so for most of what root does, the
advice says that it is not known, and promises nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from minify.closure import Grade, KeepSet, Writes, places
from minify.closure.finding import Written
from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import ROOT, ancestors, basename, is_within, joined, parent
from minify.identity import Identity
from minify.identity.access import Credentials
from minify.image import ImageConfig
from minify.planning.capabilities import file_capabilities

_WRITE = 2
_SETUID_OR_SETGID = 0o6000
_FIRST_UNPRIVILEGED_PORT = 1024

_TEMPORARY = tuple(map(ImagePath, ("/tmp", "/var/tmp", "/run")))  # noqa: S108 (of the image)
_TEMPORARY_OF_ALL = frozenset(map(ImagePath, ("/tmp", "/var/tmp")))  # noqa: S108 (of the image)
# Compilers, whose results varnishd and others load out of /tmp, and Java, whose libraries unpack
# there what they are made of in C.
_MAKES_CODE = re.compile(r"(?:[\w-]{1,40}-)?(?:g?cc|clang|tcc)(?:-[\d.]{1,8})?|libjvm\.so")
# Directories of everybody in which programs write; no other one is mounted over.
_VARIABLE = tuple(map(ImagePath, ("/run", "/tmp", "/var")))  # noqa: S108 (of the image)
_KERNELS = tuple(map(ImagePath, ("/dev", "/proc", "/sys")))
# Below these, nothing that is written outlives a restart by the standard, or need not.
# https://refspecs.linuxfoundation.org/FHS_3.0/fhs/ch05.html
_PASSING = tuple(
    map(
        ImagePath,
        ("/run", "/tmp", "/var/tmp", "/var/run", "/var/lock", "/var/cache", "/var/log"),  # noqa: S108
    )
)
# What keeps a directory that holds nothing anybody needs.
_SKELETON = frozenset("parent skeleton.standard skeleton.special".split())


_SOURCES = (".js", ".mjs", ".cjs", ".ts", ".py", ".rb", ".php", ".pl")


class MountKind(Enum):
    """What to mount on a writable place."""

    TMPFS = "tmpfs"
    """It is empty in the image, and what is written there need not outlive the container."""
    VOLUME = "volume"
    """It has content, which an engine copies into a new volume, or it may be where data is."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A place that the program writes to, and what it is in the image."""

    path: ImagePath
    kind: MountKind
    uid: int
    gid: int
    mode: int
    files: int = 0
    """How many files the image has in it, which an empty volume would hide."""
    is_declared: bool = False
    """Whether the image's VOLUME says so; then docker and podman make one themselves."""
    runs_code: bool = False
    """Whether what is written there may be code that is run: a tmpfs must be told to allow it."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What the result needs of the runtime, and what it can do without."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    """The supplementary groups."""
    is_arbitrary: bool
    """Whether any other uid with group 0 does as well."""
    mounts: tuple[Mount, ...]
    """Sorted by path, so what holds another one comes first."""
    unmounted: tuple[str, ...]
    """What is written where nothing can be mounted; the root file system stays writable for it."""
    also_writable: tuple[ImagePath, ...]
    """What else the user may write to, without evidence that it does; the uppermost paths."""
    capabilities: tuple[str, ...]
    """What must be added when all are dropped: `NET_RAW`."""
    knows_capabilities: bool
    """Whether these are all; of a program of root only those that findings show are known."""
    no_new_privileges: bool
    """Whether nothing in the image gains a privilege when it is executed."""
    ports: tuple[str, ...]
    """Exposed ones below 1024, as `80/tcp`."""
    closed_workdir: ImagePath | None
    """The working directory, where root could write and the user cannot."""

    @property
    def is_read_only(self) -> bool:
        """Whether the root file system can be read-only, with the mounts.

        What root writes is known as far as findings go, which is no promise.
        """
        return self.uid != 0 and not self.unmounted


def advice(
    entries: Iterable[Entry],
    config: ImageConfig,
    keep: KeepSet,
    identity: Identity,
    tree: FileTree,
) -> Advice:
    """The advice for a result of `entries` with the configuration `config`."""
    found = {entry.path: entry for entry in entries}
    written = _Written.of(found, keep, identity, tree)
    capabilities = {name for entry in found.values() for name in _gained(entry)}
    mounts = tuple(_mounts(written, config, keep))
    is_privileged = any(
        entry.kind is Kind.FILE and entry.mode & _SETUID_OR_SETGID for entry in found.values()
    )
    return Advice(
        uid=identity.uid,
        gid=identity.gid,
        groups=tuple(sorted(identity.groups - {identity.gid})),
        is_arbitrary=identity.is_arbitrary,
        mounts=mounts,
        unmounted=tuple(sorted(written.unmounted)),
        also_writable=tuple(_also_writable(found, mounts, identity)),
        capabilities=tuple(sorted(capabilities | _of_root(keep, identity))),
        knows_capabilities=identity.uid != 0,
        no_new_privileges=not capabilities and not is_privileged,
        ports=tuple(_low_ports(config)),
        closed_workdir=_closed_workdir(config, identity, found, tree),
    )


def _closed_workdir(
    config: ImageConfig, identity: Identity, entries: Mapping[ImagePath, Entry], tree: FileTree
) -> ImagePath | None:
    """Programs make files there by relative names, of which nothing is known."""
    found = tree.directory(joined("/", config.workdir))
    entry = entries.get(found.path) if found is not None and found.path != ROOT else None
    if entry is None or not identity.owns_state or _credentials(identity).may(entry, _WRITE):
        return None
    return entry.path


def _gained(entry: Entry) -> tuple[str, ...]:
    found = file_capabilities(entry)
    return found.names if found is not None else ()


def _of_root(keep: KeepSet, identity: Identity) -> set[str]:
    """What a program of root needs to change to another user, where it surely does so."""
    if identity.uid != 0:
        return set()
    changes = any(finding.grade is Grade.HARD for finding in keep.runs_as)
    return {"SETUID", "SETGID"} if changes else set()


def _low_ports(config: ImageConfig) -> Iterator[str]:
    for text in config.exposed_ports:
        number = text.partition("/")[0].partition("-")[0]
        is_number = number.isascii() and number.isdigit() and len(number) <= 5
        if is_number and 0 < int(number) < _FIRST_UNPRIVILEGED_PORT:
            yield text


@dataclass(frozen=True, slots=True)
class _Written:
    """Which directories of the result are written to, and what else is."""

    entries: Mapping[ImagePath, Entry]
    tree: FileTree
    directories: tuple[ImagePath, ...]
    """Sorted; each can be mounted over."""
    unmounted: frozenset[str]

    @classmethod
    def of(
        cls,
        entries: Mapping[ImagePath, Entry],
        keep: KeepSet,
        identity: Identity,
        tree: FileTree,
    ) -> _Written:
        user = _credentials(identity)
        wanted = [_place(finding, tree) for finding in keep.writes]
        wanted += [(item.path, item.path) for item in identity.given]
        wanted += [(path, path) for path in _TEMPORARY]
        wanted += [(path, path) for path in entries if _is_everybodys(tree.get(path))]
        wanted += [(path, path) for path in entries if _is_set_aside(tree.get(path), user, tree)]
        directories: set[ImagePath] = set()
        unmounted: set[str] = set()
        for path, holder in wanted:
            entry = entries.get(holder)
            if entry is None or not user.may(entries.get(ImagePath(path), entry), _WRITE):
                continue
            directory = holder if entry.kind is Kind.DIRECTORY else parent(holder)
            if _may_be_mounted(directory, tree) and not _holds_programs(directory, tree):
                directories.add(directory)
            elif not _is_everybodys(tree.get(path)):
                unmounted.add(path)
        return cls(entries, tree, tuple(sorted(directories)), frozenset(unmounted))


def _is_everybodys(entry: Entry | None) -> bool:
    """Whether it is a directory that the source made writable by all, which nobody does idly."""
    if entry is None or entry.kind is not Kind.DIRECTORY or entry.path in places.STANDARD:
        return False
    return bool(entry.mode & 0o002)


def _is_set_aside(entry: Entry | None, user: Credentials, tree: FileTree) -> bool:
    """Whether the source has an empty directory that it gave to this user: for what it makes."""
    if entry is None or entry.kind is not Kind.DIRECTORY or parent(entry.path) == "/home":
        return False
    is_given = entry.uid == user.uid != 0
    return is_given and not tree.children(entry.path) and entry.path not in places.STANDARD


def _place(finding: Writes, tree: FileTree) -> tuple[str, ImagePath]:
    """The real path of what is written, and of the directory that has to be writable for it."""
    found = tree.resolve(finding.path)
    if found.entry is not None and found.entry.kind is Kind.DIRECTORY:
        return found.entry.path, found.entry.path
    if found.entry is not None:
        return found.entry.path, parent(found.entry.path)
    if finding.what is Written.TREE:
        # One that is made is among what is given.
        return finding.path, ImagePath(finding.path)
    above = tree.directory(finding.path.rpartition("/")[0] or "/")
    return finding.path, above.path if above is not None else ImagePath(finding.path)


def _may_be_mounted(directory: ImagePath, tree: FileTree) -> bool:
    """Whether a mount there hides nothing of others, and can be written on a command line."""
    is_plain = directory.isascii() and directory.isprintable()
    if not is_plain or any(char in directory for char in ':,"\\'):
        return False
    if any(is_within(directory, place) for place in _VARIABLE):
        return directory != "/var"
    # One that the plan makes is nobody's yet.
    return directory not in tree or not places.is_shared(directory, tree)


def _holds_programs(directory: ImagePath, tree: FileTree) -> bool:
    """Whether sources of the application are there: a volume would keep those of an old image."""
    return any(name.endswith(_SOURCES) for name in tree.children(directory))


def _mounts(written: _Written, config: ImageConfig, keep: KeepSet) -> Iterator[Mount]:
    """A mount for each place, but for one within a volume, which has it already."""
    declared = {_declared(volume, written.tree) for volume in config.volumes} - {ROOT}
    below = _below({*written.directories, *declared}, written.entries)
    volumes: list[ImagePath] = []
    makes_code = any(
        entry.kind is Kind.FILE and _MAKES_CODE.fullmatch(basename(path))
        for path, entry in written.entries.items()
    )
    for path in sorted(below):
        is_declared = path in declared
        if not is_declared and any(is_within(path, volume) for volume in volumes):
            continue
        inside = below[path]
        is_data = is_declared or not any(is_within(path, place) for place in _PASSING)
        is_volume = is_data or any(_is_content(entry, keep) for entry in inside)
        if is_volume:
            volumes.append(path)
        kind = MountKind.VOLUME if is_volume else MountKind.TMPFS
        files = sum(entry.kind is not Kind.DIRECTORY for entry in inside)
        entry = written.entries.get(path, Entry(path, Kind.DIRECTORY, 0o755))
        runs_code = makes_code and path in _TEMPORARY_OF_ALL
        yield Mount(path, kind, entry.uid, entry.gid, entry.mode, files, is_declared, runs_code)


def _also_writable(
    entries: Mapping[ImagePath, Entry], mounts: Iterable[Mount], identity: Identity
) -> Iterator[ImagePath]:
    if identity.uid == 0:
        return
    user = _credentials(identity)
    covered = {mount.path for mount in mounts}
    for path in sorted(entries):
        entry = entries[path]
        if entry.kind not in (Kind.FILE, Kind.DIRECTORY) or not user.may(entry, _WRITE):
            continue
        if path in places.STANDARD or any(is_within(path, place) for place in _KERNELS):
            continue
        if covered.isdisjoint((path, *ancestors(path))):
            covered.add(path)
            yield path


def _credentials(identity: Identity) -> Credentials:
    return Credentials(identity.uid, identity.groups | {identity.gid})


def _declared(volume: str, tree: FileTree) -> ImagePath:
    entry = tree.directory(joined("/", volume))
    return entry.path if entry is not None else ImagePath(joined("/", volume).rstrip("/") or "/")


def _below(
    directories: Iterable[ImagePath], entries: Mapping[ImagePath, Entry]
) -> dict[ImagePath, list[Entry]]:
    """What is in each directory, but in no nested one; what leads to a nested one is no content."""
    found: dict[ImagePath, list[Entry]] = {path: [] for path in directories}
    leading = {above for path in found for above in ancestors(path)}
    for path, entry in entries.items():
        if path in found or path in leading:
            continue
        holder = next((above for above in ancestors(path) if above in found), None)
        if holder is not None:
            found[holder].append(entry)
    return found


def _is_content(entry: Entry, keep: KeepSet) -> bool:
    """Whether an entry is missed when a mount hides it."""
    if entry.kind is not Kind.DIRECTORY:
        return True
    kept = keep.kept.get(entry.path)
    rules = {reason.rule for reason in kept.reasons} if kept is not None else set()
    return entry.path not in places.STANDARD and not rules <= _SKELETON
