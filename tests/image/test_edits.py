from __future__ import annotations

from collections.abc import Callable, Mapping
from shlex import quote

import pytest

from minify.errors import UsageError
from minify.image import ImageConfig, edits
from minify.image.edits import Edits, assignments, edited
from minify.image.jsontext import Json


def config(run: Mapping[str, Json]) -> ImageConfig:
    return ImageConfig.new({"os": "linux", "config": run, "x": 1}, "test")


def changed(run: Mapping[str, Json], edits: Edits) -> Json:
    """The `config` object after `edits`."""
    raw = edited(config(run), edits).raw
    assert {key: raw[key] for key in ("os", "x")} == {"os": "linux", "x": 1}
    return raw["config"]


def test_no_edits_leave_the_document_byte_for_byte() -> None:
    before = ImageConfig.parse(b'{ "config": {"Env": ["A"]} }', "test")
    assert edited(before, Edits()) is before


@pytest.mark.parametrize(
    ("run", "edits", "expected"),
    [
        (
            {"Entrypoint": ["/a"], "Cmd": ["b"]},
            Edits(entrypoint=("/c", "d")),
            {"Entrypoint": ["/c", "d"]},
        ),
        (
            {"Entrypoint": ["/a"], "Cmd": ["b"]},
            Edits(entrypoint=("/c",), cmd=("e",)),
            {"Entrypoint": ["/c"], "Cmd": ["e"]},
        ),
        ({"Entrypoint": ["/a"], "Cmd": ["b"]}, Edits(cmd=()), {"Entrypoint": ["/a"]}),
        ({"Entrypoint": ["/a"]}, Edits(entrypoint=()), {}),
        (
            {"Env": ["A=1", "B=2", "odd", "A=3"]},
            Edits(env=(("A", "x=y"), ("C", ""), ("nope", None))),
            {"Env": ["A=x=y", "B=2", "odd", "C="]},
        ),
        ({"Env": ["A=1"]}, Edits(env=(("A", None),)), {}),
        ({}, Edits(env=(("A", "1"),)), {"Env": ["A=1"]}),
        (
            {"Labels": {"a": "1", "b": "2"}},
            Edits(labels=(("b", None), ("a", ""), ("c", "3"))),
            {"Labels": {"a": "", "c": "3"}},
        ),
        ({"Labels": {"a": "1"}}, Edits(labels=(("a", None),)), {}),
        ({"WorkingDir": "/a"}, Edits(workdir="/b c"), {"WorkingDir": "/b c"}),
        (
            {"ExposedPorts": {"80/tcp": {"y": 1}}},
            Edits(ports=("80/tcp", "81/tcp")),
            {"ExposedPorts": {"80/tcp": {"y": 1}, "81/tcp": {}}},
        ),
        ({"Healthcheck": {"Test": ["CMD", "/a"]}}, Edits(keeps_healthcheck=False), {}),
    ],
)
def test_edits_change_what_they_name_and_nothing_else(
    run: Mapping[str, Json], edits: Edits, expected: Json
) -> None:
    assert changed(run, edits) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["A=1"], (("A", "1"),)),
        (["A="], (("A", ""),)),
        (["A-"], (("A", None),)),
        (["A-=1"], (("A-", "1"),)),
        (["A=-"], (("A", "-"),)),
        (["A--"], (("A-", None),)),
        (["A=1", "B=2", "A=3"], (("A", "3"), ("B", "2"))),
        (["A=1", "A-"], (("A", None),)),
        (["a.b/c=ü\n"], (("a.b/c", "ü\n"),)),
    ],
)
def test_assignments(written: list[str], expected: object) -> None:
    assert assignments("--env", written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["8080"], ("8080/tcp",)),
        (["53/udp", "53"], ("53/udp", "53/tcp")),
        (["7000-7002/SCTP"], ("7000/sctp", "7001/sctp", "7002/sctp")),
        (["80", "79-81"], ("80/tcp", "79/tcp", "81/tcp")),
        (["65535", "1-1"], ("65535/tcp", "1/tcp")),
    ],
)
def test_ports(written: list[str], expected: tuple[str, ...]) -> None:
    assert edits.ports("--expose", written) == expected


Parser = Callable[[str], object]


def _env(text: str) -> object:
    return edits.assignments("--env", [text])


def _expose(text: str) -> object:
    return edits.ports("--expose", [text])


def _workdir(text: str) -> object:
    return edits.workdir("--workdir", text)


def _cmd(text: str) -> object:
    return edits.words("--cmd", [text])


FLAGS: dict[Parser, str] = {
    _env: "--env",
    _cmd: "--cmd",
    _workdir: "--workdir",
    _expose: "--expose",
}


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [
        (_env, "A", "expected NAME=VALUE (NAME= for an empty value), or NAME- to remove it"),
        (_env, "=1", "expected NAME=VALUE"),
        (_env, "-", "expected NAME=VALUE"),
        (_env, "", "expected NAME=VALUE"),
        (_env, "A=\udcff", "this is no UTF-8"),
        (_env, "A=\0", "holds a NUL"),
        (_cmd, "\udcff", "this is no UTF-8"),
        (_workdir, "app", "expected an absolute path"),
        (_workdir, "", "expected an absolute path"),
        (_workdir, "/a/../b", "expected an absolute path without '..'"),
        (_expose, "0", "expected PORT or FIRST-LAST, from 1 to 65535"),
        (_expose, "65536", "expected PORT"),
        (_expose, "9-8", "expected PORT"),
        (_expose, "80/http", "expected PORT"),
        (_expose, "80-", "expected PORT"),
        (_expose, "127.0.0.1:80", "expected PORT"),
        (_expose, "8080:80", "expected PORT"),
        (_expose, "٨", "expected PORT"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_flag(parse: Parser, text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert str(refused.value).startswith(f"{FLAGS[parse]} {quote(text)}: ")
    assert said in str(refused.value)
