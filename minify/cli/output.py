"""What is printed and written for the user, and when it cannot be."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

import click

from minify.errors import MinifyError, OutputError
from minify.report.escape import printable
from minify.transports import publish


def print_text(text: str) -> None:
    """Prints `text` as it is; OutputError if standard output cannot be written."""
    try:
        sys.stdout.flush()
        _write(sys.stdout.buffer, text.encode(sys.stdout.encoding, sys.stdout.errors or "strict"))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is left in the buffer would be tried again on the way out.
        silence()
        raise OutputError(f"standard output cannot be written: {error.strerror}") from error


def print_error(error: MinifyError) -> None:
    """Prints what went wrong on standard error, safe for a terminal."""
    lines = (f"minify: {error.lines[0]}", *error.lines[1:])
    click.echo("\n".join(map(printable, lines)), err=True)


def _write(stream: BinaryIO, data: bytes) -> None:
    """Writes all of `data`: with PYTHONUNBUFFERED the stream may take a part and say no more."""
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) :]


def silence() -> None:
    """Lets whatever is still printed go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check_side_file(path: Path, flag: str, references: tuple[str, ...]) -> None:
    """Refuses a file that cannot be written, or that is the source or the output itself."""
    if str(path) == "-":
        raise click.UsageError(f"{flag} -: standard output takes the report with --json")
    if any(str(path) in reference.split(":") for reference in references):
        raise click.UsageError(f"{flag} {path}: this is the image itself; name another file")
    publish.check_file(path, f"{flag} {path}", force=True)


def write_file(path: Path, text: str, name: str) -> None:
    """Puts `text` in the place of what `path` may hold; `name` is how errors call it."""
    with publish.new_file(path, name, force=True) as fd:
        publish.write_at(fd, text.encode(), 0, name)
