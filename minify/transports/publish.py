"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from minify.errors import OutputError

_TEMPORARY = ".minify-"
_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS)


def temporary_name(path: Path) -> Path:
    """A free name beside `path`, hidden, by which a left-over could be told."""
    return path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"


def failure(name: str, error: OSError) -> OutputError:
    """What is said when the system refuses to write `name`."""
    where = ""
    if isinstance(error.filename, str | bytes):
        path = Path(os.fsdecode(error.filename))
        where = f" ({path.parent if path.name.startswith(_TEMPORARY) else path})"
    return OutputError(f"{name} cannot be written: {error.strerror or error}{where}")


def write_at(fd: int, data: bytes, offset: int, name: str) -> None:
    """Writes all of `data` at `offset` of a file; OutputError if there is no room."""
    view = memoryview(data)
    while view:
        try:
            written = os.pwrite(fd, view, offset)
        except OSError as error:
            raise failure(name, error) from error
        offset += written
        view = view[written:]


def check_file(path: Path, name: str, *, force: bool) -> None:
    """OutputError if a file cannot be put at `path`; leaves nothing behind."""
    target = _target(path, name, force=force)
    temporary = temporary_name(target)
    try:
        os.close(_create(temporary))
        temporary.unlink()
    except OSError as error:
        raise failure(name, error) from error


@contextmanager
def new_file(path: Path, name: str, *, force: bool) -> Iterator[int]:
    """A descriptor of a file that is at `path` once the block has ended without an error."""
    target = _target(path, name, force=force)
    temporary = temporary_name(target)
    try:
        fd = _create(temporary)
    except OSError as error:
        raise failure(name, error) from error
    try:
        try:
            yield fd
            _sync(fd, name)
        finally:
            os.close(fd)
        _publish(temporary, target, name, force=force)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


def _target(path: Path, name: str, *, force: bool) -> Path:
    """The path to replace, behind links; OutputError if it must not be."""
    try:
        target = Path(os.path.realpath(path))
        parent = target.parent.stat()
        found = path.stat() if path.exists() else None
        # /dev/stdout is a link to a path that need not be there, or not lead to what is open.
        is_named = found is None or (target.exists() and target.samefile(path))
    except FileNotFoundError as error:
        raise OutputError(
            f"{name} cannot be written: there is no directory {path.parent}; create it first"
        ) from error
    except OSError as error:
        raise failure(name, error) from error
    if not stat.S_ISDIR(parent.st_mode):
        raise OutputError(f"{name} cannot be written: {path.parent} is no directory")
    if found is None:
        return target
    if not stat.S_ISREG(found.st_mode) or not is_named:
        kind = "a directory" if stat.S_ISDIR(found.st_mode) else "no regular file"
        raise OutputError(f"{name} cannot be written: {path} is {kind}; expected a new file's path")
    if not force:
        raise _exists(path, name)
    return target


def _exists(path: Path, name: str) -> OutputError:
    return OutputError(f"{name} cannot be written: {path} exists; say --force to replace it")


def _create(path: Path) -> int:
    # 0o666: the umask decides, as for any file that a program makes.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


def _sync(fd: int, name: str) -> None:
    """Some file systems find out here only that there is no room."""
    try:
        os.fsync(fd)
    except OSError as error:
        raise failure(name, error) from error


def _publish(temporary: Path, target: Path, name: str, *, force: bool) -> None:
    try:
        if force or not _link(temporary, target):
            temporary.replace(target)
    except FileExistsError as error:
        raise _exists(target, name) from error
    except OSError as error:
        raise failure(name, error) from error


def _link(temporary: Path, target: Path) -> bool:
    """Moves without replacing a file that appeared meanwhile, which rename would do."""
    try:
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from error
        return False
    temporary.unlink()
    return True
