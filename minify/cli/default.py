"""The command without a name: an image in, a small image out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

import click

from minify import __version__, platforms
from minify.cli import headings, why
from minify.cli.headings import DefaultCommand, option
from minify.cli.output import check_side_file, print_text, write_file
from minify.cli.shaping import Shaping, deciding, reading, shaped, wanted
from minify.errors import OutputError
from minify.image.compression import Compression
from minify.report import FORMATS, IndexResult, Result

_EPILOG = """\b
Examples:
  minify app:fat -o app:slim
  minify app:fat --dry-run
  minify docker-archive:fat.tar -o docker-archive:slim.tar:app:slim
  minify docker://host/app:1 -o docker://host/app:1-slim --strict

--keep, --drop, --writable, --env, --label, --expose and --platform can be given several times.

\b
IMAGE and OUTPUT are written as skopeo and podman write them:
  name:tag, docker-daemon:name:tag   the docker daemon (or podman's, by DOCKER_HOST)
  docker-archive:file.tar[:name:tag] what `docker save` writes
  docker://host/name:tag             a registry, without a daemon
  oci:directory[:tag]                an OCI layout
  oci-archive:file.tar[:tag]         the same in a tar
  rootfs:/path                       a root filesystem, with --entrypoint; only as IMAGE
An image that is called as a command is (`why`) is written docker-daemon:why.

\b
Exit codes: 0 done, 2 usage, 3 the program's needs are not all in the image, 4 the image cannot be
read, 5 the output cannot be written, 6 a check that was asked for did not pass, 130 interrupted.
After any of these but 0 nothing has been written.
"""


@dataclass(frozen=True, slots=True)
class _Reporting:
    """What is said of a result, and where."""

    what: str
    """A key of FORMATS; empty to print nothing."""
    report: Path | None
    iidfile: Path | None


@click.command(
    "minify",
    cls=DefaultCommand,
    usage="IMAGE -o OUTPUT [OPTIONS]",
    others=(why.command,),
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.argument("image")
@option(headings.MEDIA, "-o", "--output", metavar="OUTPUT", help="Where the small image goes.")
@option(
    headings.MEDIA,
    "--dry-run",
    is_flag=True,
    help="Print the plan, every file and why; write nothing.",
)
@reading
@option(headings.MEDIA, "--force", is_flag=True, help="Replace an output file that exists.")
@option(
    headings.MEDIA,
    "--compression",
    type=click.Choice([str(item.value) for item in Compression]),
    default="gzip",
    show_default=True,
    help="How the layer is compressed.",
)
@option(headings.USER, "--user", metavar="USER", help="NAME or UID, either with :GROUP; or keep.")
@deciding
@option(headings.REPORTS, "--strict", is_flag=True, help="Refuse an image with gaps: exit code 6.")
@option(headings.REPORTS, "--json", "as_json", is_flag=True, help="Print the report as JSON.")
@option(
    headings.REPORTS,
    "--report",
    type=click.Path(path_type=Path),
    help="Write the JSON report to a file.",
)
@option(
    headings.REPORTS,
    "--iidfile",
    type=click.Path(path_type=Path),
    help="Write the image id to a file.",
)
@option(headings.REPORTS, "-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.version_option(__version__, prog_name="minify")
def command(  # noqa: PLR0913 (click hands over one parameter an option)
    *,
    image: str,
    output: str | None,
    dry_run: bool,
    force: bool,
    compression: str,
    user: str | None,
    strict: bool,
    as_json: bool,
    report: Path | None,
    iidfile: Path | None,
    quiet: bool,
    **given: Unpack[Shaping],
) -> None:
    """Make a small, non-root, scratch-based image of IMAGE that still runs.

    minify reads IMAGE's layers, finds by static analysis what its command needs, and writes a new
    image that holds only that. Nothing is run, and no privilege is needed.
    """
    options = replace(
        shaped(given, user=user, quiet=quiet),
        force=force,
        strict=strict,
        compression=Compression(compression),
    )
    for path, flag in ((report, "--report"), (iidfile, "--iidfile")):
        if path is not None:
            check_side_file(path, flag, (image, output or ""))
    if dry_run and iidfile is not None:
        raise click.UsageError("--iidfile: a dry run builds no image that could have an id")
    if output is None and not dry_run:
        raise click.UsageError("say where the result goes with -o OUTPUT, or use --dry-run")
    result = platforms.run(image, output, options, wanted(given), dry_run=dry_run)
    printed = "json" if as_json else "" if quiet else "plan" if dry_run else "summary"
    _tell(result, _Reporting(printed, report, iidfile))


def _tell(result: Result | IndexResult, reporting: _Reporting) -> None:
    """Prints and writes what was asked for; an error says that the image itself is there."""
    report, iidfile = reporting.report, reporting.iidfile
    try:
        print_text(FORMATS[reporting.what](result) if reporting.what else "")
        if report is not None:
            write_file(report, FORMATS["json"](result), f"--report {report}")
        if iidfile is not None and (identity := _identity(result)):
            write_file(iidfile, identity, f"--iidfile {iidfile}")
    except OutputError as error:
        written = f"; the image itself was written: {result.reference}" if result.reference else ""
        raise OutputError(f"{error}{written}") from error


def _identity(result: Result | IndexResult) -> str:
    """The image id, or the index's digest, as builders write it; empty for a plan."""
    if isinstance(result, IndexResult):
        return str(result.digest or "")
    return "" if result.built is None else str(result.built.config.digest)
