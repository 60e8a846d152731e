"""Text that was written to keep minify busy: each is read in a time that grows with its length."""

import time

import pytest
from filetree.kit import Member, file

from closure.kit import planned
from minify.errors import ImageError
from minify.filetree import ImagePath
from minify.image.jsontext import Json
from minify.shell import Script, Surroundings, parse, survey

SIZE = 60_000
SCRIPTS = {
    "unclosed quote with substitutions": '"' + "$(a)" * SIZE,
    "unclosed expansions": "${" * SIZE,
    "assignments": "A=1 " * SIZE + "x",
    "exec of exec": "exec " * SIZE + "x",
    "open parentheses": "(" * SIZE,
    "backquotes": "`" * SIZE,
    "backslashes": "\\" * SIZE,
    "dollars": "$" * SIZE,
    "nested substitutions": "$(" * SIZE,
    "one word": "a" * SIZE * 4,
    "digits": "1" * SIZE,
    "spaces": " " * SIZE,
    "distinct words": "x " + " ".join(map(str, range(SIZE))),
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_is_read_in_linear_time(text: str) -> None:
    # No bound in seconds would hold on every machine; ten times the text in ten times the time,
    # with much to spare, is what tells linear from quadratic.
    def seconds(script: str) -> float:
        start = time.process_time()
        found = parse(script.encode())
        if isinstance(found, Script):
            survey(found, Surroundings(is_root=True))
        return time.process_time() - start

    small = max(seconds(text[: len(text) // 10]), 0.02)
    assert seconds(text) < 60 * small


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 200_000,
        "user" + " " * 500_000,
        "_" * 200_000,
        "/" * 300_000,
        "/a" * 150_000,
        "include /****************/x;\n",
        "include /*/*/*/*;\n" * 1000,
        "user\n" * 100_000,
    ],
    ids=["newlines", "spaces", "underscores", "slashes", "path", "stars", "globs", "directives"],
)
def test_configuration_is_read_without_backtracking(text: str) -> None:
    members: list[Member | str] = [
        file("app", "\x7f", mode=0o755),
        file("etc/app.conf", text),
        file("var/lib/dpkg/status", "Package: x\nStatus: install ok installed\n"),
        *(f"usr/share/d{number}/f" for number in range(200)),
    ]
    start = time.process_time()
    plan = planned({"Cmd": ["/app", "/etc/app.conf"]}, members)
    assert time.process_time() - start < 20  # the slow ones took minutes
    assert not any(path.startswith("/usr/share") for path in plan.keep.kept)


def test_a_chain_of_links_is_followed_without_recursion() -> None:
    number = 3000
    links = [f"v/l{i} -> ../d{i + 1}" for i in range(1)]
    chain = [f"d{i}/next -> ../d{i + 1}" for i in range(1, number)]
    plan = planned(
        {"Cmd": ["/app"], "Volumes": {"/v": {}}},
        [file("app", "\x7f", mode=0o755), *links, *chain, f"d{number}/end"],
    )
    assert ImagePath(f"/d{number}/end") in plan.keep.kept


def test_trees_within_trees_are_walked_once() -> None:
    deep = "/".join(["v", *(["d"] * 300)])
    members: list[Member | str] = [file("app", "\x7f", mode=0o755), f"{deep}/end"]
    members += [f"v/l{depth} -> {'/'.join(['d'] * depth)}" for depth in range(1, 300)]
    plan = planned({"Cmd": ["/app"], "Volumes": {"/v": {}}}, members)
    kept = plan.keep.kept[ImagePath(f"/{deep}/end")]
    assert [reason.rule for reason in kept.reasons] == ["config.volume"]


@pytest.mark.parametrize(
    "argv",
    [
        ["nice"] * 5000 + ["app"],
        ["sh", "-c", "eval " * 5000 + "app"],
        ["sh", "-c", "nice " * 5000 + "app"],
    ],
    ids=["heads", "evals", "heads in a text"],
)
def test_commands_within_commands_without_end_are_refused_or_read(argv: list[Json]) -> None:
    members = [file(f"usr/bin/{name}", "\x7f", mode=0o755) for name in ("nice", "sh", "app")]
    try:
        plan = planned({"Cmd": argv}, members)
    except ImageError as error:
        assert "commands within commands" in str(error)  # noqa: PT017 (either may happen)
    else:
        assert ImagePath("/usr/bin/app") in plan.keep.kept


def test_globs_through_links_to_themselves_end() -> None:
    links = [f"opt/a/l{number} -> ." for number in range(20)]
    configuration = file("opt/a/conf", "include /opt/a/*/*/*/*/*/*/*/q")
    plan = planned(
        {"Cmd": ["/app"], "WorkingDir": "/opt/a"},
        [file("app", "\x7f", mode=0o755), configuration, "opt/a/q", *links],
    )
    assert ImagePath("/opt/a/q") in plan.keep.kept


def test_many_files_that_name_one_tree_make_no_square() -> None:
    number = 1500
    packages = [file(f"opt/app/p{i}/package.json", '"_where": "/opt/app"') for i in range(number)]
    plan = planned(
        {"Cmd": ["/app"], "WorkingDir": "/opt/app"}, [file("app", "\x7f", mode=0o755), *packages]
    )
    assert sum(len(kept.reasons) for kept in plan.keep.kept.values()) < 10 * number
