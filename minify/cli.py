"""The command line: argv in, text and an exit code out. It decides nothing."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from minify import __version__, pipeline
from minify.errors import MinifyError, OutputError, UsageError
from minify.image import Platform
from minify.image.compression import Compression
from minify.pipeline import Options
from minify.progress import SILENT
from minify.report import FORMATS
from minify.report import json as json_report
from minify.report.escape import printable
from minify.report.progress import for_terminal
from minify.transports import Pull, publish

_INTERRUPTED = 130
_BROKEN_PIPE = 141
_TERMINATED = 143

_EPILOG = """\b
IMAGE and OUTPUT are written as skopeo and podman write them:
  name:tag, docker-daemon:name:tag   the docker daemon (or podman's, by DOCKER_HOST)
  docker-archive:file.tar[:name:tag] what `docker save` writes
  oci:directory[:tag]                an OCI layout
  oci-archive:file.tar[:tag]         the same in a tar
  rootfs:/path                       a root filesystem, with --entrypoint; only as IMAGE

\b
Exit codes: 0 done, 2 usage, 3 the program's needs are not all in the image, 4 the image cannot be
read, 5 the output cannot be written, 6 a check that was asked for did not pass, 130 interrupted.
After any of these but 0 nothing has been written.
"""


@click.command(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("image")
@click.option("-o", "--output", metavar="OUTPUT", help="Where the small image goes.")
@click.option("--dry-run", is_flag=True, help="Print the plan, every file and why; write nothing.")
@click.option("--entrypoint", metavar="CMD", help="ENTRYPOINT, as words or a JSON array.")
@click.option("--cmd", metavar="CMD", help="CMD, as words or a JSON array.")
@click.option("--keep", multiple=True, metavar="GLOB", help="Keep these too, with what they need.")
@click.option("--drop", multiple=True, metavar="GLOB", help="Leave these out, needed or not.")
@click.option("--user", metavar="USER", help="NAME, UID, either with :GROUP; or keep.")
@click.option("--platform", metavar="OS/ARCH", help="Which image of several, as linux/arm64.")
@click.option(
    "--pull",
    type=click.Choice([str(pull.value) for pull in Pull]),
    default="missing",
    show_default=True,
)
@click.option(
    "--compression",
    type=click.Choice([str(item.value) for item in Compression]),
    default="gzip",
    show_default=True,
    help="How the layer is compressed.",
)
@click.option("--force", is_flag=True, help="Replace an output file that exists.")
@click.option("--strict", is_flag=True, help="Refuse an image with gaps.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the JSON report to a file.")
@click.option("--iidfile", type=click.Path(path_type=Path), help="Write the image id to a file.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.version_option(__version__, prog_name="minify")
def command(  # noqa: PLR0913 (click hands over one parameter an option)
    *,
    image: str,
    output: str | None,
    dry_run: bool,
    entrypoint: str | None,
    cmd: str | None,
    keep: tuple[str, ...],
    drop: tuple[str, ...],
    user: str | None,
    platform: str | None,
    pull: str,
    compression: str,
    force: bool,
    strict: bool,
    as_json: bool,
    report: Path | None,
    iidfile: Path | None,
    quiet: bool,
) -> None:
    """Make a small, non-root, scratch-based image of IMAGE that still runs.

    minify reads IMAGE's layers, finds by static analysis what its command needs, and writes a new
    image that holds only that. Nothing is run, and no privilege is needed.
    """
    options = Options(
        entrypoint=_argv("--entrypoint", entrypoint),
        cmd=_argv("--cmd", cmd),
        keep=keep,
        drop=drop,
        user=user,
        platform=_platform(platform),
        pull=Pull(pull),
        force=force,
        strict=strict,
        compression=Compression(compression),
        created=_created(os.environ.get("SOURCE_DATE_EPOCH", "")),
        progress=SILENT if quiet else for_terminal(),
    )
    for path, flag in ((report, "--report"), (iidfile, "--iidfile")):
        if path is not None:
            _check_side_file(path, flag, (image, output or ""))
    if dry_run and iidfile is not None:
        raise click.UsageError("--iidfile: a dry run builds no image that could have an id")
    if dry_run:
        result = pipeline.plan(image, options)
    elif output is None:
        raise click.UsageError("say where the result goes with -o OUTPUT, or use --dry-run")
    else:
        result = pipeline.minify(image, output, options)
    what = "json" if as_json else "plan" if dry_run else "summary"
    try:
        _print("" if quiet and not as_json else FORMATS[what](result))
        if report is not None:
            _write_file(report, FORMATS["json"](result), f"--report {report}")
        if iidfile is not None and result.built is not None:
            _write_file(iidfile, str(result.built.config.digest), f"--iidfile {iidfile}")
    except OutputError as error:
        written = f"; the image itself was written: {result.reference}" if result.reference else ""
        raise OutputError(f"{error}{written}") from error


def _check_side_file(path: Path, flag: str, references: tuple[str, ...]) -> None:
    """Refuses a file that cannot be written, or that is the source or the output itself."""
    if str(path) == "-":
        raise click.UsageError(f"{flag} -: standard output takes the report with --json")
    if any(str(path) in reference.split(":") for reference in references):
        raise click.UsageError(f"{flag} {path}: this is the image itself; name another file")
    publish.check_file(path, f"{flag} {path}", force=True)


def _print(text: str) -> None:
    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is left in the buffer would be tried again on the way out.
        _silence_output()
        raise OutputError(f"standard output cannot be written: {error.strerror}") from error


def _silence_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _argv(flag: str, text: str | None) -> tuple[str, ...] | None:
    """The words that `text` writes, as a JSON array or as a shell would split them."""
    if text is None:
        return None
    if text.lstrip().startswith("["):
        try:
            words = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{flag}: this is no JSON array: {error}") from error
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise UsageError(f"{flag} {text}: expected a JSON array of strings")
        return tuple(words)
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"{flag} {text}: {error}") from error


def _platform(text: str | None) -> Platform | None:
    if text is None:
        return None
    try:
        return Platform.parse(text)
    except ValueError as error:
        raise UsageError(f"--platform: {error}") from error


def _created(epoch: str) -> str | None:
    """SOURCE_DATE_EPOCH as RFC 3339. https://reproducible-builds.org/specs/source-date-epoch/"""
    if not epoch:
        return None
    try:
        return datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"SOURCE_DATE_EPOCH is {epoch!r}; expected seconds since 1970") from error


def _write_file(path: Path, text: str, name: str) -> None:
    with publish.new_file(path, name, force=True) as fd:
        publish.write_at(fd, text.encode(), 0, name)


def main() -> NoReturn:
    """Runs the command and ends the process with the exit code of what happened."""
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
        _silence_output()
        code = _BROKEN_PIPE
    except KeyboardInterrupt:
        click.echo("minify: interrupted", err=True)
        code = _INTERRUPTED
    sys.exit(code)


def _run(argv: list[str]) -> int:
    try:
        # Not `command.main`, which turns a broken pipe into 1, our code for a bug.
        with command.make_context("minify", list(argv)) as context:
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
        click.echo(
            "\n".join(map(printable, (f"minify: {error.lines[0]}", *error.lines[1:]))), err=True
        )
        if "--json" in argv:
            click.echo(json_report.failure(error), nl=False)
        return error.exit_code
    return 0


def _terminated(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    """Ends by the exception that lets temporary files be removed on the way."""
    sys.exit(_TERMINATED)
