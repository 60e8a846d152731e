"""`minify why`: one path, or the user, explained."""

from __future__ import annotations

from dataclasses import replace
from typing import Unpack

import click

from minify import pipeline
from minify.cli import headings
from minify.cli.headings import HeadedCommand, option
from minify.cli.output import print_error, print_text
from minify.cli.shaping import Shaping, deciding, reading, shaped, wanted
from minify.errors import UsageError
from minify.report import user_text, why, why_json, why_text

_EPILOG = """\b
Examples:
  minify why app:fat /usr/lib/libz.so.1     an absolute path in the image, links are followed
  minify why app:fat libz.so.1 redis-server a name: what PATH finds, else the only one of that name
  minify why app:fat '/usr/lib/*/libssl*'   all that a glob matches
  minify why app:fat --user                 the user: who was considered, what it may write
  minify why app:fat --user --as-user 1000  the same as if the image were made with --user 1000

The other options are those of `minify IMAGE -o OUTPUT`: give the same ones to ask about that run.
"""

_NO_VALUE = (
    "to `why`, --user is the question and takes no value; to ask about a run with --user {0},"
    " write --as-user {0}"
)


class _Command(HeadedCommand):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        value = next((word[7:] for word in args if word.startswith("--user=")), None)
        if value is not None:
            raise click.UsageError(_NO_VALUE.format(value), ctx)
        return super().parse_args(ctx, args)


@click.command(
    "why",
    cls=_Command,
    usage="IMAGE PATH... | --user [OPTIONS]",
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    short_help="Say why a path stays or goes, or why it is this user.",
)
@click.argument("image")
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@option(
    headings.QUESTIONS,
    "--user",
    "asks_user",
    is_flag=True,
    help="The user: who was considered, what becomes its own. Takes no value; see --as-user.",
)
@option(headings.QUESTIONS, "--all", "with_all", is_flag=True, help="Cut nothing off.")
@option(headings.QUESTIONS, "--json", "as_json", is_flag=True, help="Print the answers as JSON.")
@reading
@option(
    headings.USER,
    "--as-user",
    metavar="USER",
    help="Ask about a run with --user USER: NAME or UID, either with :GROUP; or keep.",
)
@deciding
def command(  # noqa: PLR0913 (click hands over one parameter an option)
    *,
    image: str,
    paths: tuple[str, ...],
    asks_user: bool,
    with_all: bool,
    as_json: bool,
    as_user: str | None,
    **given: Unpack[Shaping],
) -> None:
    """Say of each PATH why it stays or goes, or why the result has its user.

    PATH is an absolute path in the image, a name, or a glob of either. IMAGE is read as for a run,
    and nothing is written.
    """
    if not paths and not asks_user:
        raise click.UsageError(
            "say what is asked: `minify why IMAGE PATH...` or `minify why IMAGE --user`"
        )
    options = shaped(given, user=as_user)
    asked = wanted(given)
    if asked is None or len(asked) > 1:
        raise click.UsageError("--platform: to `why`, name the one platform that is asked about")
    platform = asked[0] if asked else None
    explanation = pipeline.explain(image, replace(options, platform=platform))
    answers, unanswered = why.answers(explanation, *paths)
    refused = tuple(why_text.refusals(unanswered, with_all=with_all))
    if refused and not answers:
        # `--user 1000` makes a PATH of 1000.
        names = [item.asked for item in unanswered if asks_user and not item.asked.startswith("/")]
        raise UsageError(*refused, *map(_NO_VALUE.format, names[:1]))
    if as_json:
        found = why_json.document(explanation.result, answers, unanswered, with_user=asks_user)
        print_text(found)
    else:
        parts = [why_text.text(answers, with_all=with_all)] if answers else []
        parts += [user_text.text(explanation.result)] if asks_user else []
        print_text("\n".join(parts))
    if refused:
        print_error(UsageError(*refused))
        raise click.exceptions.Exit(UsageError.exit_code)
