"""argv → which command with which options; nothing is run."""

from __future__ import annotations

from typing import Any

import click
import pytest

from minify.cli import default, why
from minify.cli.headings import DefaultCommand, HeadedOption
from minify.cli.shaping import Shaping, shaped, wanted
from minify.closure import Level, Likelihood
from minify.errors import UsageError
from minify.image import Platform
from minify.pipeline import Options
from minify.transports import Pull


def parsed(argv: list[str]) -> tuple[str, dict[str, Any]]:
    """The name of the command and the parameters that are not as they are by default."""
    assert isinstance(default.command, DefaultCommand)
    command, name, rest = default.command.chosen(argv)
    with command.make_context(name, rest) as context:
        given = {
            key: value
            for key, value in context.params.items()
            if context.get_parameter_source(key) is click.core.ParameterSource.COMMANDLINE
        }
    return name, given


@pytest.mark.parametrize(
    ("argv", "name", "given"),
    [
        ("img -o x", "minify", {"image": "img", "output": "x"}),
        ("-o x img", "minify", {"image": "img", "output": "x"}),
        ("-ox img", "minify", {"image": "img", "output": "x"}),
        ("--output=x img", "minify", {"image": "img", "output": "x"}),
        ("--dry-run img", "minify", {"image": "img", "dry_run": True}),
        ("img --dry-run --user keep", "minify", {"image": "img", "dry_run": True, "user": "keep"}),
        ("docker-daemon:why --dry-run", "minify", {"image": "docker-daemon:why", "dry_run": True}),
        ("--dry-run why", "minify", {"image": "why", "dry_run": True}),
        ("-- why", "minify", {"image": "why"}),
        ("-o x -- -odd", "minify", {"image": "-odd", "output": "x"}),
        ("why:latest -o x", "minify", {"image": "why:latest", "output": "x"}),
        ("img -o why", "minify", {"image": "img", "output": "why"}),
        ("Why -o x", "minify", {"image": "Why", "output": "x"}),
        (
            (
                "img --keep /a --keep /b --drop /c --keep-dlopen guessed --level tight"
                " --keep-setuid --keep-shadow"
            ),
            "minify",
            {
                "image": "img",
                "keep": ("/a", "/b"),
                "drop": ("/c",),
                "keep_dlopen": "guessed",
                "level": "tight",
                "keep_setuid": True,
                "keep_shadow": True,
            },
        ),
        (
            "img --env A=1 --env B- --label a= --workdir /w --expose 80 --expose 1-2/udp",
            "minify",
            {
                "image": "img",
                "env": ("A=1", "B-"),
                "label": ("a=",),
                "workdir": "/w",
                "expose": ("80", "1-2/udp"),
            },
        ),
        (
            "--arbitrary-uid --no-healthcheck img",
            "minify",
            {"image": "img", "arbitrary_uid": True, "no_healthcheck": True},
        ),
        ("why img /a b", "minify why", {"image": "img", "paths": ("/a", "b")}),
        ("why img --user", "minify why", {"image": "img", "asks_user": True}),
        ("why --user img", "minify why", {"image": "img", "asks_user": True}),
        (
            "why --user img /a --as-user 1000 --keep /b",
            "minify why",
            {
                "image": "img",
                "paths": ("/a",),
                "asks_user": True,
                "as_user": "1000",
                "keep": ("/b",),
            },
        ),
        ("why why why", "minify why", {"image": "why", "paths": ("why",)}),
        ("why img -- --odd", "minify why", {"image": "img", "paths": ("--odd",)}),
    ],
)
def test_argv_says_which_command_with_what(argv: str, name: str, given: dict[str, Any]) -> None:
    assert parsed(argv.split()) == (name, given)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("", "Missing argument 'IMAGE'"),
        ("why", "Missing argument 'IMAGE'"),
        ("img /a", "Got unexpected extra argument (/a)"),
        ("img --as-user 1", "No such option"),
        ("why img /a -o x", "No such option"),
        ("why img --user=1000", "write --as-user 1000"),
    ],
)
def test_what_no_command_takes_is_refused(argv: str, said: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        parsed(argv.split())
    assert said in refused.value.format_message()


GIVEN = Shaping(
    platform=(),
    pull="missing",
    require_digest=False,
    tls_verify=True,
    keep=(),
    drop=(),
    keep_dlopen="likely",
    level="balanced",
    keep_setuid=False,
    writable=(),
    keep_shadow=False,
    arbitrary_uid=False,
    entrypoint=None,
    cmd=None,
    env=(),
    workdir=None,
    label=(),
    expose=(),
    no_healthcheck=False,
)


def test_nothing_said_gives_the_options_by_default() -> None:
    assert shaped(GIVEN, user=None, quiet=True) == Options()


def test_every_option_reaches_the_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    given = Shaping(
        platform=("linux/arm64",),
        pull="never",
        require_digest=True,
        tls_verify=False,
        keep=("/k",),
        drop=("/d",),
        keep_dlopen="certain",
        level="tight",
        keep_setuid=True,
        writable=("/w",),
        keep_shadow=True,
        arbitrary_uid=True,
        entrypoint='["/e", "a b"]',
        cmd="c 'd e'",
        env=("A=1",),
        workdir="/x",
        label=("a=b",),
        expose=("80",),
        no_healthcheck=True,
    )
    assert shaped(given, user="1000", quiet=True) == Options(
        entrypoint=("/e", "a b"),
        cmd=("c", "d e"),
        labels=("a=b",),
        env=("A=1",),
        workdir="/x",
        expose=("80",),
        healthcheck=False,
        keep=("/k",),
        drop=("/d",),
        keep_dlopen=Likelihood.CERTAIN,
        level=Level.TIGHT,
        user="1000",
        writable=("/w",),
        keep_setuid=True,
        keep_shadow=True,
        arbitrary_uid=True,
        pull=Pull.NEVER,
        require_digest=True,
        tls_verify=False,
        created="1970-01-02T00:00:00Z",
    )


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("entrypoint", "[1]", "--entrypoint '[1]': expected a JSON array of strings"),
        ("entrypoint", "[", "--entrypoint '[': this is no JSON array"),
        ("cmd", "'x", """--cmd ''"'"'x': No closing quotation"""),
    ],
)
def test_what_cannot_be_parsed_names_its_flag(key: str, text: str, said: str) -> None:
    given = GIVEN.copy()
    given[key] = text  # type: ignore[literal-required]
    with pytest.raises(UsageError) as refused:
        shaped(given, user=None)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("command", [default.command, why.command], ids=lambda c: c.name)
def test_every_option_has_a_heading_and_a_text(command: click.Command) -> None:
    own = [p for p in command.params if p.name not in ("image", "paths", "version")]
    assert [p.name for p in own if not isinstance(p, HeadedOption) or not p.help] == []


def test_commands_that_shape_a_decision_have_the_same_options() -> None:
    names = [
        {p.name for p in command.params} & set(Shaping.__annotations__)
        for command in (default.command, why.command)
    ]
    assert names == [set(Shaping.__annotations__)] * 2


@pytest.mark.parametrize(
    ("texts", "platforms"),
    [
        ((), ()),
        (("linux/arm64",), (Platform("linux", "arm64"),)),
        (
            ("linux/amd64", "linux/arm/v7"),
            (Platform("linux", "amd64"), Platform("linux", "arm", "v7")),
        ),
        (("all",), None),
        (("linux/arm64", "all"), None),
    ],
)
def test_platforms_are_none_some_or_all(
    texts: tuple[str, ...], platforms: tuple[Platform, ...] | None
) -> None:
    given = GIVEN.copy()
    given["platform"] = texts
    assert wanted(given) == platforms


def test_a_platform_that_is_none_names_its_flag() -> None:
    given = GIVEN.copy()
    given["platform"] = ("x",)
    with pytest.raises(UsageError, match="--platform: 'x' is no platform"):
        wanted(given)
