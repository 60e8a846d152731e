"""`minify why`: one path, or the user, explained."""

from __future__ import annotations

from typing import Unpack

import click

from minify.cli import headings
from minify.cli.headings import HeadedCommand, option
from minify.cli.shaping import Shaping, deciding, reading, shaped


@click.command(
    "why",
    cls=HeadedCommand,
    usage="IMAGE [PATH...] [--user] [OPTIONS]",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.argument("image")
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@option(headings.QUESTIONS, "--user", "asks_user", is_flag=True, help="Why it is this user.")
@reading
@deciding
def command(
    *, image: str, paths: tuple[str, ...], asks_user: bool, **given: Unpack[Shaping]
) -> None:
    """Say why a path of IMAGE stays or goes, or why the result has its user."""
    raise NotImplementedError(image, paths, asks_user, shaped(given, user=None))
