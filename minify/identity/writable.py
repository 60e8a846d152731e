"""What becomes the user's, since the program writes to it, and what does not and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from minify.closure import CONFIG, USER, KeepSet, Reason, Writes, Written, places
from minify.errors import UsageError, option
from minify.filetree import Entry, FileTree, ImagePath, Kind, image_path
from minify.filetree.links import MOST_LINKS
from minify.filetree.path import LONGEST_PATH, ROOT, ancestors, child, is_within, parent
from minify.identity.identity import Given, Withheld
from minify.identity.ownership import may_be_given
from minify.image import ImageConfig

MOUNTED = frozenset(("/etc/hosts", "/etc/hostname", "/etc/resolv.conf"))
"""Files in whose place engines put their own, which are root's."""

_RUN = Writes("/run", Reason("identity.run", "/run", "for pid files and sockets"))

# Everybody may write there, in the image or once it runs.
_ANYBODYS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 (of the image)
_DEVICES = ImagePath("/dev")
_OWN_PROCESS = re.compile(r"/proc/(self|thread-self|[0-9]++)(/|$)")
_KERNELS = tuple(ImagePath(path) for path in ("/proc", "/sys", "/dev"))
_SECRETS = tuple(ImagePath(path) for path in ("/run/secrets", "/var/run/secrets"))
_DATA = tuple(ImagePath(path) for path in ("/run", "/var", "/tmp"))  # noqa: S108 (of the image)
_ACCOUNTS = re.compile(r"/etc/(passwd|group|shadow|gshadow|subuid|subgid|sudoers)-?")
_LOADER = re.compile(r"/etc/ld\.so\.(preload|conf|cache)|/etc/ld-musl-[^/]+\.path")
_MOST_NEW = 1000


@dataclass(frozen=True, slots=True)
class Writable:
    """What becomes the user's; `given` and `withheld` are sorted by path."""

    given: tuple[Given, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    warnings: tuple[str, ...] = ()


def writable(
    writes: Iterable[Writes], wished: Iterable[str], keep: KeepSet, tree: FileTree
) -> Writable:
    """What of `writes` can be given without harm, and all that is `wished` with `--writable`.

    A hostile image may call anything a VOLUME, and link its state directory anywhere. UsageError
    for a wish that cannot be met.
    """
    hand = _Hand(keep, tree)
    for finding in writes:
        why = hand.give(finding)
        if why and (finding.path not in hand.withheld or is_vital(finding.reason)):
            hand.withheld[finding.path] = Withheld(finding.path, finding.reason, why)
    warnings = [warning for path in wished for warning in _wish(path, hand)]
    given = tuple(hand.sparing())
    theirs = {item.path for item in given}
    withheld = (item for item in hand.withheld.values() if item.path not in theirs)
    by_path = tuple(sorted(withheld, key=lambda item: item.path))
    return Writable(given, by_path, tuple(warnings))


def is_vital(reason: Reason) -> bool:
    """Whether the program does not even start where it cannot write."""
    return reason.rule.endswith(".writes-or-ends")


def written_by_a_new_user(keep: KeepSet, config: ImageConfig, tree: FileTree) -> Iterator[Writes]:
    """What a user that the source did not have has to be able to write to.

    A VOLUME that the image does not have is made by the engine, as root.
    """
    yield from keep.writes
    for volume in config.volumes:
        reason = Reason("config.volume", CONFIG, f"VOLUME {volume}")
        yield Writes(f"/{volume.lstrip('/')}", reason)
    run = tree.get(_RUN.path)
    if run is not None and run.kind is Kind.DIRECTORY:
        yield _RUN


def _wish(path: str, hand: _Hand) -> Iterable[str]:
    """Gives what `--writable` names; a warning where that is less than it may seem."""
    finding = Writes(path, Reason("user.writable", USER, f"--writable {path}"))
    asked = option("--writable", path)
    if not path.startswith("/"):
        raise UsageError(f"{asked}: expected an absolute path in the image")
    spot = hand.spot(path)
    if isinstance(spot, str):
        raise UsageError(f"{asked}: {spot}")
    kernels = next((place for place in _KERNELS if is_within(spot.path, place)), None)
    if spot.path == ROOT or kernels is not None:
        which = "the root directory" if spot.path == ROOT else f"{kernels} is the kernel's"
        raise UsageError(f"{asked}: {which}; name a directory of the program's own")
    why = hand.give(finding, is_wished=True)
    if why:
        raise UsageError(f"{asked}: {why}")
    below = f"{spot.path}/"
    if places.is_shared_name(spot.path) and any(kept.startswith(below) for kept in hand.keep.kept):
        yield (
            f"--writable {path}: {spot.path} is a directory of everybody, so what is in it is not"
            " given; name what is to be written to"
        )


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a path leads, links crossed; `entry` is None where nothing is yet."""

    path: ImagePath
    entry: Entry | None


class _Hand:
    """Gives path by path; `given` and `withheld` grow as it does."""

    def __init__(self, keep: KeepSet, tree: FileTree) -> None:
        self.keep = keep
        self.withheld: dict[str, Withheld] = {}
        self._tree = tree
        self._given: dict[ImagePath, Given] = {}
        self._new = 0
        self._linked: dict[int, int] = {}

    def sparing(self) -> Iterable[Given]:
        """What is given, without what comes with a tree anyway."""
        trees = {path for path, item in self._given.items() if item.is_tree and not item.is_new}
        for path in sorted(self._given):
            item = self._given[path]
            comes_along = not item.is_new and path in self.keep.kept
            if not comes_along or trees.isdisjoint(ancestors(path)):
                yield item

    def spot(self, path: str) -> _Spot | str:
        """Where `path` leads, be it there or not; a text says what is in the way."""
        here, links = ROOT, 0
        stack = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        while stack:
            name = stack.pop()
            if name == "..":
                here = parent(here)
                continue
            here = child(here, name)
            if len(here) > LONGEST_PATH:
                return f"it is longer than {LONGEST_PATH:,} bytes"
            entry = self._tree.get(here)
            if entry is None:
                continue
            if entry.kind is Kind.SYMLINK:
                links += 1
                if links > MOST_LINKS:
                    return "it is a loop of links"
                here = ROOT if entry.target.startswith("/") else parent(here)
                stack += [p for p in reversed(entry.target.split("/")) if p not in ("", ".")]
            elif entry.kind is not Kind.DIRECTORY and stack:
                return f"{here} is in the way: it is no directory"
        try:
            image_path(here)
        except ValueError as error:
            return f"it {error}"
        return _Spot(here, self._tree.get(here))

    def give(self, finding: Writes, *, is_wished: bool = False) -> str:
        """Gives what `finding` needs, if that may be; else why not, as the end of a sentence."""
        spot = self.spot(finding.path)
        if isinstance(spot, str):
            return spot
        if spot.path in _ANYBODYS or is_within(spot.path, _DEVICES):
            return ""
        if _OWN_PROCESS.match(spot.path):
            return ""
        # By the path that was meant, and by the one that it leads to.
        why = self._never(ImagePath(finding.path)) or self._never(spot.path)
        if why:
            return why
        entry = spot.entry
        if entry is not None and entry.kind is Kind.DIRECTORY:
            return self._directory(entry, finding, is_wished=is_wished)
        is_there = entry is not None and entry.path in self.keep.kept
        if entry is not None and is_there and finding.what is not Written.REPLACED:
            return self._file(entry, finding.reason)
        if entry is None and finding.what is Written.TREE:
            return self._new_directory(spot.path, finding.reason, is_wished=is_wished)
        if is_wished:
            return "it is no directory, and the result does not have it; --keep it as well"
        return self._file_to_be(spot.path, finding.reason)

    def _never(self, path: ImagePath) -> str:
        if any(is_within(path, place) for place in _KERNELS):
            return "it is the kernel's"
        if any(is_within(path, place) for place in _SECRETS):
            return "engines mount secrets there"
        if path in MOUNTED:
            return "engines mount it, and it is root's"
        if _ACCOUNTS.fullmatch(path) or is_within(path, ImagePath("/etc/sudoers.d")):
            return "it says who may become root"
        if _LOADER.fullmatch(path) or is_within(path, ImagePath("/etc/ld.so.conf.d")):
            return "it says which libraries every program loads"
        if path in self.keep.overruled:
            return "--drop leaves it out"
        return ""

    def _directory(self, entry: Entry, finding: Writes, *, is_wished: bool) -> str:
        path = entry.path
        if not places.is_shared_name(path):
            self._add(Given(path, finding.reason, is_tree=True))
            return self._beside(path, finding)
        if entry.mode & 0o002:
            return ""
        if not is_wished and not _is_for_data(path):
            return f"{path} is a directory of everybody"
        self._add(Given(path, finding.reason, is_tree=False))
        return ""

    def _beside(self, path: ImagePath, finding: Writes) -> str:
        """What is replaced needs its directory too."""
        is_replaced = finding.what is Written.REPLACED
        return self._file_to_be(path, finding.reason) if is_replaced else ""

    def _file(self, entry: Entry, reason: Reason) -> str:
        if entry.kind is not Kind.FILE:
            return f"{entry.path} is a {entry.kind.value}"
        if not may_be_given(entry):
            return f"{entry.path} is setuid or setgid, or has a capability"
        if entry.link_group is not None and self._names(entry.link_group) > 1:
            return f"{entry.path} has other names, whose owner would change too"
        self._add(Given(entry.path, reason, is_tree=False))
        return ""

    def _names(self, link_group: int) -> int:
        """How many names of an inode are kept."""
        if not self._linked:
            for path in self.keep.kept:
                group = self._tree[path].link_group
                if group is not None:
                    self._linked[group] = self._linked.get(group, 0) + 1
        return self._linked.get(link_group, 0)

    def _new_directory(self, path: ImagePath, reason: Reason, *, is_wished: bool) -> str:
        if places.is_shared_name(path) and not is_wished and not _is_for_data(path):
            return f"{path} is a directory of everybody"
        if path not in self._given:
            self._new += 1
        if self._new > _MOST_NEW:
            return f"more than {_MOST_NEW:,} directories would be made"
        is_tree = not places.is_shared_name(path)
        self._add(Given(path, reason, is_tree, is_new=True))
        return ""

    def _file_to_be(self, path: ImagePath, reason: Reason) -> str:
        """Gives the directory in which something is made or replaced, without what is in it."""
        above = parent(path)
        entry = self._tree.get(above)
        if entry is None:
            if _is_for_data(above):
                return self._new_directory(above, reason, is_wished=False)
            return f"{above} does not exist"
        if entry.mode & 0o002:
            return ""
        if places.is_shared_name(above) and not _is_for_data(above):
            return f"it takes {above}, a directory of everybody"
        why = self._never(above)
        if not why:
            self._add(Given(above, reason, is_tree=False))
        return why

    def _add(self, item: Given) -> None:
        known = self._given.get(item.path)
        if known is None:
            self._given[item.path] = item
        elif item.is_tree and not known.is_tree:
            self._given[item.path] = replace(known, is_tree=True)


def _is_for_data(path: ImagePath) -> bool:
    """Whether programs write there, and nothing that runs is there."""
    return path == "/run" or any(is_within(path, place) and path != place for place in _DATA)
