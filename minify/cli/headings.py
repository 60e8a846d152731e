"""A help page whose options stand under headings, and a command beside which there are others.

click has neither: https://github.com/pallets/click/issues/373
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

import click

MEDIA = "The images"
STAYS = "What stays"
USER = "The user"
CONFIGURATION = "The configuration"
REPORTS = "Reports and checks"
QUESTIONS = "What is asked"
OTHER = "Other"

_ORDER = (QUESTIONS, MEDIA, STAYS, USER, CONFIGURATION, REPORTS, OTHER)

_Function = TypeVar("_Function", bound=Callable[..., Any])


class HeadedOption(click.Option):
    """An option and the heading that it stands under."""

    def __init__(self, *names: Any, heading: str = OTHER, **settings: Any) -> None:
        super().__init__(*names, **settings)
        self.heading = heading


def option(heading: str, *names: str, **settings: Any) -> Callable[[_Function], _Function]:
    """Click's decorator for an option below `heading`."""
    return click.option(*names, cls=HeadedOption, heading=heading, **settings)


class HeadedCommand(click.Command):
    """A command whose help has headings."""

    def __init__(self, *given: Any, usage: str, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self.usage = usage

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [self.usage]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            heading = parameter.heading if isinstance(parameter, HeadedOption) else OTHER
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                records.setdefault(heading, []).append(record)
        for heading in sorted(records, key=_ORDER.index):
            with formatter.section(heading):
                formatter.write_dl(records[heading], col_max=24)


class DefaultCommand(HeadedCommand):
    """The command that runs where argv does not begin with the name of one of `others`."""

    def __init__(self, *given: Any, others: Sequence[HeadedCommand], **settings: Any) -> None:
        super().__init__(*given, **settings)
        self.others = {str(other.name): other for other in others}

    def chosen(self, argv: Sequence[str]) -> tuple[click.Command, str, list[str]]:
        """The command that `argv` asks for, what to call it, and the arguments that are its own."""
        other = self.others.get(argv[0]) if argv else None
        if other is None:
            return self, "minify", list(argv)
        return other, f"minify {argv[0]}", list(argv[1:])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            hint = self._hint(given, error)
            if not hint:
                raise
            raise click.UsageError(f"{error.format_message()}; {hint}", ctx) from error

    def _hint(self, given: Sequence[str], error: click.UsageError) -> str:
        """What may have been meant by arguments that are refused; empty if that is not known."""
        near = get_close_matches(given[0], self.others, n=1) if given else []
        if near:
            return f"did you mean `{self.name} {near[0]} {self.others[near[0]].usage}`?"
        is_more = error.message.startswith("Got unexpected extra argument")
        return "expected one IMAGE, and the output behind -o" if is_more else ""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        lines = [
            (f"{ctx.info_name} {name} {other.usage}", other.get_short_help_str(limit=100))
            for name, other in self.others.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(lines, col_max=24)
        super().format_options(ctx, formatter)
