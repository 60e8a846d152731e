"""What the result has and the source has not, or not so: account files, temporary directories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from minify.errors import ClosureError
from minify.filetree import Entry, FileTree, ImagePath, Kind
from minify.filetree.path import ROOT, ancestors, basename, child, encoded
from minify.identity import Identity
from minify.identity.accounts import GROUP, PASSWD
from minify.planning.plan import Change, ChangeKind, PlannedEntry

SHADOW, GSHADOW = "/etc/shadow", "/etc/gshadow"

_TMP = ImagePath("/tmp")  # noqa: S108 (of the image)
_VAR_TMP = ImagePath("/var/tmp")  # noqa: S108 (of the image)
_FOR_EVERYBODY = 0o1777
_SECRET = 0o640


def account_files(identity: Identity, tree: FileTree) -> Iterator[PlannedEntry]:
    """passwd, group, shadow and gshadow, as far as the identity has lines for them.

    An existing file keeps its owner, mode and extended attributes. ClosureError if something
    stands in the way of one.
    """
    files = (
        (PASSWD, identity.passwd, 0o644),
        (GROUP, identity.group, 0o644),
        (SHADOW, identity.shadow, _SECRET),
        (GSHADOW, identity.gshadow, _SECRET),
    )
    written: dict[ImagePath, str] = {}
    for name, lines, mode in files:
        if lines is None:
            continue
        path = _account_path(name, tree)
        if path in written:
            raise ClosureError(f"{written[path]} and {name} are one file, {path}; expected two")
        written[path] = name
        content = encoded("".join(f"{line}\n" for line in lines))
        yield _account_file(Entry(path, Kind.FILE, mode, size=len(content)), content, tree)


def _account_path(name: str, tree: FileTree) -> ImagePath:
    """The real path of an account file, be it there or not.

    ClosureError if something stands there that is no place for one: a directory, a program, a link
    that leads nowhere.
    """
    directory, _, last = name.rpartition("/")
    above = tree.resolve(directory)
    if above.entry is None:
        if above.hops or above.stopped_at in tree:
            raise ClosureError(f"{directory} is in the way of {name}: it leads to no directory")
        return ImagePath(name)
    path = child(above.entry.path, last)
    found = tree.resolve(path)
    if found.entry is None and not found.hops and above.entry.kind is Kind.DIRECTORY:
        return path
    # Account files of mode 0755 come from other systems; a link to an executable is no such file.
    is_odd = found.entry is not None and found.entry.is_executable and bool(found.hops)
    if found.entry is None or found.entry.kind is not Kind.FILE or is_odd:
        raise ClosureError(f"{path} is in the way of {name}: expected a regular file or nothing")
    return found.entry.path


def _account_file(new: Entry, content: bytes, tree: FileTree) -> PlannedEntry:
    existing = tree.get(new.path)
    if existing is None:
        change = Change(ChangeKind.ADDED, "added: the account of the user")
        return PlannedEntry(new, content, (change,))
    if tree.read(existing) == content:
        return PlannedEntry(existing)
    entry = replace(existing, size=len(content), link_group=None, sparse=None)
    change = Change(ChangeKind.ACCOUNTS, "only the accounts that are needed")
    return PlannedEntry(entry, content, (change,))


def temporary_directories(
    planned: Mapping[ImagePath, PlannedEntry], tree: FileTree, *, is_changed: bool
) -> Iterator[PlannedEntry]:
    """The directories for temporary files: /tmp, made where there is none; both of mode 1777.

    `is_changed` says that the user is another than the source's: then they are opened too where
    only root could write.
    """
    found = tree.resolve(_TMP)
    if found.entry is None and not found.hops and found.stopped_at == _TMP:
        change = Change(ChangeKind.ADDED, "added: a directory for temporary files")
        yield PlannedEntry(Entry(_TMP, Kind.DIRECTORY, _FOR_EVERYBODY), changes=(change,))
    for path in temporary_places(tree):
        entry = tree[path]
        mode = entry.mode
        if path not in planned:
            continue
        if mode & _FOR_EVERYBODY != _FOR_EVERYBODY and (is_changed or mode & 0o002):
            text = f"mode {mode:04o} → {_FOR_EVERYBODY:04o}: temporary files"
            opened = replace(entry, mode=_FOR_EVERYBODY)
            yield PlannedEntry(opened, changes=(Change(ChangeKind.TEMPORARY, text),))


def temporary_places(tree: FileTree) -> tuple[ImagePath, ...]:
    """The real directories behind /tmp and /var/tmp; never one that a hostile link calls so."""
    entries = (tree.directory(path) for path in (_TMP, _VAR_TMP))
    paths = (entry.path for entry in entries if entry is not None)
    return tuple(dict.fromkeys(path for path in paths if basename(path) == "tmp"))


def with_parents(
    additions: Iterable[PlannedEntry],
    planned: Mapping[ImagePath, PlannedEntry],
    tree: FileTree,
) -> dict[ImagePath, PlannedEntry]:
    """`additions` by path, with the directories above them that are not planned yet."""
    found = {item.entry.path: item for item in additions}
    for path in tuple(found):
        for above in ancestors(path):
            existing = tree.get(above)
            if above in planned or above in found:
                continue
            if existing is None:
                change = Change(ChangeKind.ADDED, "added: a directory")
                entry = Entry(above, Kind.DIRECTORY, 0o755)
                found[above] = PlannedEntry(entry, changes=(change,))
            elif is_written(existing):
                found[above] = PlannedEntry(existing)
    return found


def is_written(entry: Entry) -> bool:
    """The root has a header only where a layer gave it one."""
    return entry.path != ROOT or entry.layer >= 0
