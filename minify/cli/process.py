"""One command as a process: what it is called with, and the exit code of what happened."""

from __future__ import annotations

import gc
import io
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from minify.cli import default
from minify.cli.headings import DefaultCommand
from minify.cli.output import print_error, silence
from minify.errors import MinifyError, UsageError
from minify.report import json as json_report

# Nearly all that is made lives to the end: to look for cycles in it as often as Python would takes
# a tenth of the time.
_OBJECTS = 50_000
_INTERRUPTED = 130
_BROKEN_PIPE = 141
_TERMINATED = 143


def main() -> NoReturn:
    """Runs the command and ends the process with the exit code of what happened."""
    gc.set_threshold(_OBJECTS)
    signal.signal(signal.SIGTERM, _terminated)
    for stream in (sys.stdout, sys.stderr):
        # An arrow in the summary must not be an error where the locale has none.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter would flush again on its way out, and complain.
        silence()
        code = _BROKEN_PIPE
    except KeyboardInterrupt:
        click.echo("minify: interrupted", err=True)
        code = _INTERRUPTED
    gc.freeze()  # nor once more at the end
    sys.exit(code)


def _run(argv: list[str]) -> int:
    assert isinstance(default.command, DefaultCommand)
    command, name, arguments = default.command.chosen(argv)
    try:
        # Not `command.main`, which turns a broken pipe into 1, our code for a bug.
        with command.make_context(name, arguments) as context:
            command.invoke(context)
    except click.exceptions.Exit as error:  # --help, --version
        return error.exit_code
    except click.ClickException as error:
        error.show()
        if "--json" in argv:
            click.echo(json_report.failure(UsageError(error.format_message())), nl=False)
        return UsageError.exit_code
    except click.Abort as error:
        # click turns Ctrl-C into this.
        raise KeyboardInterrupt from error
    except MinifyError as error:
        print_error(error)
        if "--json" in argv:
            click.echo(json_report.failure(error), nl=False)
        return error.exit_code
    return 0


def _terminated(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    """Ends by the exception that lets temporary files be removed on the way."""
    sys.exit(_TERMINATED)
