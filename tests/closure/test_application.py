"""The application's own directories: what of them stays, and what is excluded."""

from __future__ import annotations

import pytest
from analyzers.test_interpreters import packages
from filetree.kit import Member, directory, file

from closure.kit import planned
from minify.filetree import ImagePath
from minify.image.jsontext import Json
from minify.pipeline import Options
from minify.planning import Plan


def program(name: str) -> Member:
    return file(name, "\x7f", mode=0o755)


def decided(run: dict[str, Json], *members: Member | str, **options: object) -> Plan:
    base = [program("usr/bin/app"), program("bin/sh")]
    chosen = Options(**options)  # type: ignore[arg-type]
    return planned(run, [*base, *members], options=chosen)


def kept(plan: Plan, *below: str) -> set[str]:
    """The files that are kept below some directories."""
    return {
        path
        for path in plan.keep.kept
        if path.startswith(below) and plan.keep.kept[path].reasons[0].rule != "parent"
    }


def excluded(plan: Plan) -> dict[str, str]:
    return {item.path: f"{item.files} {item.bytes}" for item in plan.keep.excluded}


CACHES = [
    "app/.git/config: abc",
    "app/vendor/lib/.git: gitdir",
    "app/vendor/lib/code.py: x",
    "app/sub/.hg/store: x",
    "app/.mypy_cache/3.11/a.json: x",
    "app/web/node_modules/.cache/babel-loader/a.json: x",
    "app/.bash_history: ls",
]
NEEDED = [
    "app/main.py: x",
    "app/__pycache__/main.cpython-311.pyc: x",
    "app/.env: x",
    "app/.cache/huggingface/model.bin: x",
    "app/.yarn/cache/left-pad.zip: x",
    "app/web/node_modules/.cache/prisma/engine: x",
    "app/web/node_modules/left-pad/index.js: x",
]


def test_version_control_caches_and_histories_stay_out_at_any_depth() -> None:
    plan = decided({"Cmd": ["app"], "WorkingDir": "/app"}, *CACHES, *NEEDED)
    wanted = {f"/{text.partition(':')[0]}" for text in (*NEEDED, "app/vendor/lib/code.py: x")}
    assert wanted <= kept(plan, "/app/")
    assert excluded(plan) == {
        "/app/.bash_history": "1 2",
        "/app/.git": "2 3",
        "/app/.mypy_cache": "3 1",
        "/app/sub/.hg": "2 1",
        "/app/vendor/lib/.git": "1 6",
        "/app/web/node_modules/.cache/babel-loader": "2 1",
    }
    assert not kept(plan, "/app/.git", "/app/vendor/lib/.git", "/app/.bash_history")


def test_what_is_excluded_stays_for_another_reason() -> None:
    run: dict[str, Json] = {"Cmd": ["app", ".git/HEAD"], "WorkingDir": "/app"}
    plan = decided(run, *CACHES, "app/.git/HEAD: ref")
    assert kept(plan, "/app/.git") == {"/app/.git/HEAD"}
    assert excluded(plan)["/app/.git"] == "1 3"
    again = decided({"Cmd": ["app"], "WorkingDir": "/app"}, *CACHES, keep=("/app/.git",))
    assert kept(again, "/app/.git") == {"/app/.git", "/app/.git/config"}
    assert "/app/.git" not in excluded(again)


@pytest.mark.parametrize(
    ("workdir", "stays"),
    [
        ("/home/app", {"/home/app", "/home/app/.bashrc", "/home/app/x"}),
        ("/home/node/app", {"/home/node/app", "/home/node/app/.bashrc", "/home/node/app/x"}),
        ("/home", set()),
        ("/root", {"/root/x"}),
        ("/usr/local/lib", set()),
        ("/", set()),
    ],
)
def test_which_working_directories_are_the_application(workdir: str, stays: set[str]) -> None:
    inside = [f"{workdir[1:]}/{name}: 1".lstrip("/") for name in (".bashrc", "x")]
    plan = decided({"Cmd": ["app"], "WorkingDir": workdir}, *inside)
    found = {
        path
        for path, why in plan.keep.kept.items()
        if any(r.rule == "config.workdir" for r in why.reasons)
    }
    assert found - {"/home", "/root", "/usr/local/lib"} == stays


@pytest.mark.parametrize(
    ("command", "home"),
    [
        ("/srv/server", "/srv/x"),
        ("/app/server", "/app/templates/x"),
        ("/opt/foo/bin/server", "/opt/foo/share/x"),
        ("/opt/bin/server", "/opt/bin/x"),
        ("/home/app/server", "/home/app/static/x"),
        ("/usr/local/foo/sbin/server", "/usr/local/foo/x"),
    ],
)
def test_a_program_brings_the_directory_that_it_came_in(command: str, home: str) -> None:
    files: list[Member | str] = [program(command[1:]), f"{home[1:]}: x"]
    plan = decided({"Entrypoint": [command]}, *files)
    assert home in plan.keep.kept
    script = file("run.sh", f"#!/bin/sh\nexec {command}\n", mode=0o755)
    assert home in decided({"Entrypoint": ["/run.sh"]}, *files, script).keep.kept


def test_a_program_of_a_package_or_of_a_check_brings_no_directory() -> None:
    files: list[Member | str] = [program("opt/foo/bin/server"), "opt/foo/x: 1"]
    owned = packages(
        foo="/opt /opt/foo /opt/foo/bin /opt/foo/bin/server", more="/opt /opt/foo /opt/foo/x"
    )
    run: dict[str, Json] = {"Entrypoint": ["/opt/foo/bin/server"]}
    assert "/opt/foo/x" not in decided(run, *files, *owned).keep.kept
    check: dict[str, Json] = {"Test": ["CMD", "/opt/foo/bin/server"]}
    plan = decided({"Cmd": ["app"], "Healthcheck": check}, *files)
    assert kept(plan, "/opt") == {"/opt", "/opt/foo/bin/server"}
    script = file("opt/foo/check.sh", "#!/bin/sh\n", mode=0o755)
    by_shell: dict[str, Json] = {"Test": ["CMD", "/bin/sh", "/opt/foo/check.sh"]}
    plan = decided({"Cmd": ["app"], "Healthcheck": by_shell}, *files, script)
    assert kept(plan, "/opt") == {"/opt", "/opt/foo/check.sh"}


@pytest.mark.parametrize(
    ("variable", "stays"),
    [
        ("APP_CONFIG=config/prod.yml", "/srv/x/config/prod.yml"),
        ("APP_CONFIG=prod.yml", "/srv/x/prod.yml"),
        ("DATABASE_URL=sqlite:file:///data/x.db?mode=ro", "/data/x.db"),
        ("JAVA_OPTS=-Xmx1g -javaagent:/data/agent.jar -Dlog=/data/log.xml", "/data/agent.jar"),
        ("APP_HOME=/data", "/data/x.db"),
        ("SEARCH=/nothing:/data", "/data/x.db"),
    ],
)
def test_what_variables_name_stays(variable: str, stays: str) -> None:
    names = ("srv/x/config/prod.yml", "srv/x/prod.yml", "data/x.db", "data/agent.jar")
    files: list[Member | str] = [*(f"{name}: 1" for name in names), directory("srv/x")]
    run: dict[str, Json] = {"Cmd": ["app"], "Env": ["PATH=/usr/bin", variable]}
    plan = decided(run | {"WorkingDir": "/srv/x"}, *files)
    rules = {reason.rule for reason in plan.keep.kept[ImagePath(stays)].reasons}
    assert "config.env" in rules


@pytest.mark.parametrize("variable", ["GOPATH=/go", "PATH=/go:/usr/bin", "HOME=/go"])
def test_variables_of_tools_name_no_application(variable: str) -> None:
    run: dict[str, Json] = {"Cmd": ["/usr/bin/app"], "Env": [variable]}
    assert "/go/x" not in decided(run, "go/x: 1").keep.kept
