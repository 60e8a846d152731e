"""What the result's configuration has otherwise, as lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from filetree.kit import file, tree_of

from minify.identity import Identity
from minify.image.edits import Edits, edited
from minify.image.jsontext import Json
from minify.planning import Plan, PlanOptions, make_plan
from planning.kit import ROOT_USER, config_of, decided, identity_of, keep_of


def lines(plan: Plan) -> list[str]:
    return [change.text for change in plan.config_changes]


def test_the_user_and_its_home_are_listed_with_their_reasons() -> None:
    identity = replace(identity_of(33), why="nginx.conf says so", home="/root")
    plan = decided([], identity, run={"Cmd": ["/app"], "Env": ["A=b"]})
    assert lines(plan) == [
        "USER root → 33: nginx.conf says so",
        "ENV HOME=/root added: what the program saw in the source",
    ]
    assert plan.config.env == {"A": "b", "HOME": "/root"}


def test_a_home_that_is_there_keeps_its_place() -> None:
    identity = replace(identity_of(33), home="/srv")
    plan = decided([], identity, run={"Env": ["HOME=/root", "A=b"], "User": "33"})
    assert lines(plan) == ["ENV HOME /root → /srv: 33 cannot use that of the source"]
    assert list(plan.config.env) == ["HOME", "A"]


def test_what_the_user_of_minify_edits_is_listed_too() -> None:
    source = config_of(
        {"Cmd": ["/app"], "Labels": {"a": "b", "c": "d"}, "Healthcheck": {"Test": ["NONE"]}}
    )
    edits = Edits(
        entrypoint=("/other",),
        labels=(("a", None), ("c", "e"), ("n", "")),
        env=(("X", "1"),),
        workdir="/srv",
        ports=("80/tcp",),
        keeps_healthcheck=False,
    )
    tree = tree_of([])
    options = PlanOptions(source=source)
    plan = make_plan(tree, edited(source, edits), keep_of(tree), ROOT_USER, options)
    assert lines(plan) == [
        'CMD ["/app"] removed',
        "LABEL a=b removed",
        "LABEL c d → e",
        'HEALTHCHECK {"Test": ["NONE"]} removed',
        "LABEL n= added",
        'ENTRYPOINT ["/other"] added',
        "ENV X=1 added",
        "WORKDIR /srv added",
        "EXPOSE 80/tcp added",
    ]


def test_nothing_is_listed_where_nothing_changes() -> None:
    assert lines(decided([], ROOT_USER, run={"Cmd": ["/app"], "User": "root"})) == []


PASSWD = file("etc/passwd", "root:x:0:0::/root:\nredis:x:999:999::/data:\n")
WHY = "it runs as redis already, and only root can switch"


@pytest.mark.parametrize(
    ("entrypoint", "cmd", "expected"),
    [
        (
            ["tini", "gosu", "redis", "run"],
            ["server"],
            [f'ENTRYPOINT ["tini", "gosu", "redis", "run"] → ["tini", "run"]: {WHY}'],
        ),
        (["tini"], ["gosu", "redis", "a"], [f'CMD ["gosu", "redis", "a"] → ["a"]: {WHY}']),
        (
            ["gosu"],
            ["redis", "server", "x"],
            [
                f'ENTRYPOINT ["gosu"] removed: {WHY}',
                f'CMD ["redis", "server", "x"] → ["server", "x"]: {WHY}',
            ],
        ),
        (["gosu", "nobody", "server"], [], []),
        (["server", "gosu", "redis"], [], []),
    ],
)
def test_a_command_line_does_not_switch_to_the_user_that_runs_it(
    entrypoint: list[str], cmd: list[str], expected: list[str]
) -> None:
    run: dict[str, Json] = {"Entrypoint": entrypoint, "Cmd": cmd or None}
    plan = decided([PASSWD], replace(identity_of(999), why="test"), run=run)
    assert lines(plan) == ["USER root → 999: test", *expected]


def test_a_switch_that_sets_home_leaves_it_to_passwd() -> None:
    run: dict[str, Json] = {"Cmd": ["gosu", "redis", "server"], "Env": ["HOME=/root"]}
    plan = decided([PASSWD], replace(identity_of(999), home="/root"), run=run)
    assert plan.config.env == {}
    assert "ENV HOME=/root removed: it is that of redis, as the switch set it" in lines(plan)


@pytest.mark.parametrize("user", [ROOT_USER, identity_of(999, is_changed=False), identity_of(5)])
def test_other_users_still_switch(user: Identity) -> None:
    plan = decided([PASSWD], user, run={"Cmd": ["gosu", "redis", "server"], "User": user.user})
    assert plan.config.cmd == ("gosu", "redis", "server")
