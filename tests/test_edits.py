"""Edits of the configuration are made before it is decided what is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from closure.kit import planned, reasons
from filetree.kit import Members, file, image_of

import minify
from minify import Options, UsageError
from minify.build import BuildOptions, build_image
from minify.filetree import FileTree
from minify.image import Image
from minify.image.jsontext import Json
from minify.pipeline import explain_image

FILES: Members = [
    *(file(name, "\x7f", mode=0o755) for name in ("bin/app", "opt/bin/app", "bin/check")),
    "w/conf",
]
RUN: dict[str, Json] = {
    "Cmd": ["app"],
    "Env": ["PATH=/bin", "OLD=1", "HOME=/"],
    "Labels": {"a": "1"},
    "Healthcheck": {"Test": ["CMD", "check"]},
}


def hard(options: Options) -> list[str]:
    """The files that are surely needed."""
    kept = reasons(planned(RUN, FILES, options=options))
    return [path for path, text in kept.items() if text.startswith("!")]


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        (Options(), ["/bin/app", "/bin/check"]),
        (Options(healthcheck=False), ["/bin/app"]),
        (Options(healthcheck=False, env=("PATH=/opt/bin",)), ["/opt/bin/app"]),
        (Options(healthcheck=False, env=("PATH-",)), ["/bin/app"]),
        (Options(healthcheck=False, workdir="/w"), ["/bin/app", "/w"]),
        (Options(healthcheck=False, workdir="/opt", cmd=("bin/app",)), ["/opt", "/opt/bin/app"]),
    ],
)
def test_what_is_needed_follows_the_edits(options: Options, needed: list[str]) -> None:
    assert hard(options) == needed


def slim(image: Image, options: Options) -> Image:
    explained = explain_image(image, options)
    tree = FileTree.from_layers(image.layers)
    return build_image(explained.result.plan, tree, BuildOptions("slim"))


def test_the_result_has_the_edits_and_the_plan_lists_them() -> None:
    options = Options(
        env=("A=1", "OLD-"),
        labels=("a-", "b="),
        workdir="/w",
        expose=("53/udp",),
        healthcheck=False,
    )
    image = image_of(RUN, FILES)
    found: Any = slim(image, options).config.raw["config"]
    assert {key: value for key, value in found.items() if key != "User"} == {
        "Cmd": ["app"],
        "Env": ["PATH=/bin", "HOME=/", "A=1"],
        "Labels": {"b": ""},
        "WorkingDir": "/w",
        "ExposedPorts": {"53/udp": {}},
    }
    changes = explain_image(image, options).result.plan.config_changes
    assert sorted(change.name for change in changes if change.name != "USER") == [
        *("ENV A", "ENV OLD", "EXPOSE 53/udp", "HEALTHCHECK", "LABEL a", "LABEL b", "WORKDIR"),
    ]


def test_the_same_command_line_on_the_result_gives_the_same_image() -> None:
    options = Options(env=("A=1", "OLD-"), labels=("a-", "b="), expose=("8080-8082",))
    once = slim(image_of(RUN, FILES), options)
    again = slim(once, options)
    assert again.config.digest == once.config.digest
    assert again.layers[0].diff_id == once.layers[0].diff_id


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(env=("A",)), "--env A: expected NAME=VALUE"),
        (Options(labels=("=x",)), "--label =x: expected NAME=VALUE"),
        (Options(workdir="w"), "--workdir w: expected an absolute path"),
        (Options(expose=("http",)), "--expose http: expected PORT"),
        (Options(entrypoint=("\udcff",)), "--entrypoint '\udcff': this is no UTF-8"),
    ],
)
def test_what_cannot_be_parsed_is_said_before_an_image_is_looked_for(
    options: Options, said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as refused:
        minify.plan(f"oci:{tmp_path / 'nope'}", options)
    assert str(refused.value).startswith(said)
