"""From what strace wrote to the files that a workload needed."""

from __future__ import annotations

import os
import re
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

# strace -y: the answer is followed by what it stands for, as this machine names it.
_OPENED = re.compile(r"^(?:open|openat|openat2|creat)\(.* = [0-9]+<(.*)>$")
_WRITTEN = re.compile(r"^creat\(|\", (?:\{flags=)?O_(?:WRONLY|PATH)\b")
_EXECUTED = re.compile(r'^(?:execve\(|execveat\(.*?, )"((?:[^"\\]|\\.)*)".* = 0$')
_MOST_LINKS = 40
_MOST_INTERPRETERS = 5


def needed_files(traces: Path, run: Path, whole: Path) -> tuple[str, ...]:
    """The regular files of the tree `whole` that processes in its copy `run` read or executed.

    Names within the tree, sorted, each of the file itself and no link. What the kernel opens for
    an executed file is among them: `#!` interpreters and PT_INTERP. What was only written to (logs,
    state) is not, nor what the workload made.
    """
    found: set[str] = set()
    for file in sorted(traces.iterdir()):
        found.update(_of_process(file, run, whole))
    return tuple(sorted(name for name in found if _is_regular(whole, name)))


def _is_regular(root: Path, name: str) -> bool:
    path = root / name.lstrip("/")
    return os.path.lexists(path) and stat.S_ISREG(path.lstat().st_mode)


def _of_process(trace: Path, run: Path, whole: Path) -> Iterator[str]:
    lines = trace.read_text("utf-8", "surrogateescape").splitlines()
    enters = [number for number, line in enumerate(lines) if line.startswith(f'chroot("{run}"')]
    # Before it, what a process executes is of this machine.
    for line in lines[enters[0] + 1 if enters else 0 :]:
        executed = _EXECUTED.match(line)
        opened = _OPENED.match(line)
        if executed is not None:
            yield from _executed(whole, _unescaped(executed[1]))
        elif opened is not None and not _WRITTEN.search(line):
            path = _unescaped(opened[1])
            if path.startswith(f"{run}/"):
                yield path.removeprefix(str(run))


def _executed(whole: Path, path: str) -> Iterator[str]:
    """The file that is executed, and those that the kernel opens for it."""
    for _ in range(_MOST_INTERPRETERS):
        found = resolved(whole, path)
        if found is None:
            return
        yield found
        with (whole / found.lstrip("/")).open("rb") as file:
            head = file.read(256)
            if head.startswith(b"\x7fELF"):
                path = _interpreter(head, file.fileno())
            elif head.startswith(b"#!"):
                words = head[2:].partition(b"\n")[0].split()
                path = os.fsdecode(words[0]) if words else ""
            else:
                return
        if not path:
            return


def resolved(root: Path, path: str) -> str | None:
    """The regular file that `path` is in a root filesystem, links followed as in a chroot."""
    todo = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    done: list[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part == "..":
            done = done[:-1]
            continue
        here = root.joinpath(*done, part)
        if here.is_symlink():
            links += 1
            if links > _MOST_LINKS:
                return None
            target = str(here.readlink())
            done = [] if target.startswith("/") else done
            todo += [one for one in reversed(target.split("/")) if one not in ("", ".")]
        else:
            done.append(part)
    name = "/" + "/".join(done)
    return name if _is_regular(root, name) else None


def _interpreter(head: bytes, descriptor: int) -> str:
    """PT_INTERP of a 64-bit little-endian ELF file; empty if it has none.

    https://www.sco.com/developers/gabi/latest/ch5.pheader.html
    """
    (start,) = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    for number in range(count):
        header = os.pread(descriptor, size, start + number * size)
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", header)
        if kind == 3:
            return os.fsdecode(os.pread(descriptor, length, offset).rstrip(b"\0"))
    return ""


def _unescaped(text: str) -> str:
    r"""As it was before strace wrote what is no plain ASCII as `\303\251`, `\n`, `\"`."""
    if "\\" not in text:
        return text
    return os.fsdecode(text.encode("latin-1").decode("unicode_escape").encode("latin-1"))
