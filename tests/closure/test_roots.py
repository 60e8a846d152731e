"""What a configuration starts. Programs here are no ELF files, so they bring nothing more."""

import re

import pytest
from filetree.kit import Member, directory, file

from closure.kit import gaps, planned, reasons, why
from minify.closure import Grade
from minify.errors import ClosureError, ImageError
from minify.filetree import ImagePath
from minify.image.jsontext import Json
from minify.pipeline import Options

ALWAYS = ("parent", "skeleton.standard", "base.identity")


def program(name: str) -> Member:
    return file(name, "\x7f", mode=0o755)


BASE: list[Member | str] = [
    "bin -> usr/bin",
    directory("usr/bin"),
    program("usr/bin/app"),
    program("usr/bin/dash"),
    "usr/bin/sh -> dash",
    program("usr/bin/tini"),
    "etc/app.conf: x",
    directory("job"),
    "job/data: y",
]


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ({"Cmd": ["app"]}, {"/usr/bin/app": "!config.cmd"}),
        ({"Entrypoint": ["app"]}, {"/usr/bin/app": "!config.entrypoint"}),
        ({"Cmd": ["/bin/app"]}, {"/bin": "!link", "/usr/bin/app": "!config.cmd"}),
        ({"Cmd": ["bin/app"]}, {"/bin": "!link", "/usr/bin/app": "!config.cmd"}),
        (
            {"Cmd": ["app", "/etc/app.conf", "--f=/etc/app.conf", "/nope"]},
            {"/usr/bin/app": "!config.cmd", "/etc/app.conf": "!config.operand"},
        ),
        (
            {"Entrypoint": ["tini", "--"], "Cmd": ["app"]},
            {"/usr/bin/tini": "!config.entrypoint", "/usr/bin/app": "!config.entrypoint"},
        ),
        (
            {"Cmd": ["/bin/sh", "-c", "exec app -x"]},
            {
                "/bin": "!link",
                "/usr/bin/sh": "!link",
                "/usr/bin/dash": "!config.cmd",
                "/usr/bin/app": "!config.cmd",
            },
        ),
        (
            {"Cmd": ["app"], "Healthcheck": {"Test": ["CMD-SHELL", "tini || exit 1"]}},
            {
                "/bin": "!link",
                "/usr/bin/sh": "!link",
                "/usr/bin/dash": "!config.healthcheck",
                "/usr/bin/app": "!config.cmd",
                "/usr/bin/tini": "!config.healthcheck",
            },
        ),
        (
            {"Cmd": ["app"], "Healthcheck": {"Test": ["CMD", "tini"]}},
            {"/usr/bin/app": "!config.cmd", "/usr/bin/tini": "!config.healthcheck"},
        ),
        (
            {"Cmd": ["app"], "Healthcheck": {"Test": ["NONE"]}},
            {"/usr/bin/app": "!config.cmd"},
        ),
        (
            {"Cmd": ["app", "data"], "WorkingDir": "/job"},
            {
                "/usr/bin/app": "!config.cmd",
                "/job": "!app.directory config.workdir",
                "/job/data": "!app.directory config.operand config.workdir",
            },
        ),
        (
            {"Cmd": ["app"], "Volumes": {"/job": {}}},
            {
                "/usr/bin/app": "!config.cmd",
                "/job": "config.volume",
                "/job/data": "config.volume",
            },
        ),
        (
            {"Cmd": ["app"], "Env": ["CONF=/etc/app.conf", "PATH=/bin"]},
            {"/bin": "!link", "/usr/bin/app": "!config.cmd", "/etc/app.conf": "config.env"},
        ),
    ],
)
def test_what_the_configuration_names_is_kept(
    run: dict[str, Json], expected: dict[str, str]
) -> None:
    plan = planned(run, BASE)
    assert reasons(plan, without=ALWAYS) == expected
    assert gaps(plan) == []


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["sh"],
        ["/bin/sh", "-l"],
        ["bash"],
        ["/sbin/init"],
        ["/lib/systemd/systemd", "--user"],
        ["python3"],
        ["node", "-i"],
    ],
)
def test_an_image_without_an_application_is_refused(argv: list[str]) -> None:
    with pytest.raises(ClosureError, match=r"--entrypoint.*--keep"):
        planned({"Cmd": argv}, [*BASE, program("usr/bin/bash"), program("sbin/init")])


def test_a_bare_shell_may_be_the_program_if_the_user_says_what_stays() -> None:
    plan = planned({"Cmd": ["sh"]}, BASE, options=Options(keep=("/etc/app.conf",)))
    assert reasons(plan, without=ALWAYS) == {
        "/usr/bin/dash": "!config.cmd",
        "/usr/bin/sh": "!config.cmd",
        "/etc/app.conf": "!user.keep",
    }


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ({"Cmd": ["nope"]}, r"needs nope .*looked in /usr/local/sbin, .*/bin"),
        ({"Cmd": ["dahs"]}, r"needs dahs .*; close to it: .*/dash"),
        ({"Cmd": ["/opt/nope"]}, r"needs /opt/nope .*looked in /opt/nope"),
        ({"Cmd": ["/etc/app.conf"]}, r"app.conf is there, but its mode 0644 lets nobody run it"),
        ({"Cmd": ["/bin/sh", "-c", "nope -x"]}, "needs nope"),
        ({"Cmd": ["app"], "Healthcheck": {"Test": ["CMD", "nope"]}}, "needs nope .*HEALTHCHECK"),
    ],
)
def test_a_command_that_is_not_there_is_named_with_where_it_was_looked_for(
    run: dict[str, Json], message: str
) -> None:
    with pytest.raises(ClosureError, match=message):
        planned(run, BASE)


@pytest.mark.parametrize(
    ("options", "asker"),
    [
        (Options(entrypoint=("nope",)), "--entrypoint"),
        (Options(cmd=("nope",)), "--cmd"),
        (Options(cmd=("gone",)), "the image's configuration"),
    ],
)
def test_a_command_that_the_user_gave_is_told_from_the_images(options: Options, asker: str) -> None:
    with pytest.raises(ClosureError) as refused:
        planned({"Cmd": ["gone"]}, BASE, options=options)
    assert refused.value.lines[0].startswith(
        f"{asker} needs {'nope' if asker[0] == '-' else 'gone'} ("
    )


def test_healthcheck_in_shell_form_needs_the_shell() -> None:
    with pytest.raises(ClosureError, match=r"needs /bin/sh .*HEALTHCHECK"):
        planned({"Cmd": ["/app"], "Healthcheck": {"Test": ["CMD-SHELL", "true"]}}, [program("app")])


def test_a_shell_text_with_several_commands_may_lack_some() -> None:
    plan = planned({"Cmd": ["/bin/sh", "-c", "app || nope; $X y"]}, BASE)
    assert [re.sub(r"CMD .*?: ", "", gap) for gap in gaps(plan)] == [
        (
            "the image's configuration: nope is missing in the source; looked in /usr/local/sbin,"
            " /usr/local/bin, /usr/sbin, /usr/bin, /sbin, /bin"
        ),
        "the image's configuration: the command '$X' is only known at run time",
    ]


def test_a_loop_of_links_on_the_way_to_a_hard_need_is_hostile() -> None:
    script = file("app", "#!/a\n", mode=0o755)
    with pytest.raises(ImageError, match="loop of symbolic links"):
        planned({"Cmd": ["/app"]}, [script, "a -> b", "b -> a"])


def test_version_control_data_of_the_application_is_left_out() -> None:
    app: list[Member | str] = [
        directory("app"),
        directory("app/.git"),
        "app/.git/x",
        "app/main",
        program("run"),
    ]
    plan = planned({"Cmd": ["/run"], "WorkingDir": "/app"}, app)
    assert reasons(plan, without=ALWAYS) == {
        "/app": "!config.workdir",
        "/app/main": "config.workdir",
        "/run": "!config.cmd",
    }


def test_why_walks_back_to_the_configuration() -> None:
    script = file("app", "#!/bin/sh\n. /etc/app.conf\n", mode=0o755)
    plan = planned({"Cmd": ["/app"]}, [*BASE, script])
    assert why(plan, "/etc/app.conf") == ["/etc/app.conf: script.path", "/app: config.cmd"]


def test_created_and_history_say_that_the_image_was_minified() -> None:
    plan = planned({"Cmd": ["app"]}, BASE, options=Options(created="2024-01-01T00:00:00Z"))
    assert plan.config.raw["created"] == "2024-01-01T00:00:00Z"
    assert plan.config.raw["history"] == [
        {"created": "2024-01-01T00:00:00Z", "created_by": "minify"}
    ]


SERVER: list[Member | str] = [
    *BASE,
    program("usr/bin/server"),
    program("usr/bin/node"),
    program("usr/bin/npm"),
    program("usr/bin/gosu"),
    program("usr/bin/su"),
    file("start", "server -x\n"),
    program("usr/bin/env"),
    program("usr/bin/nice"),
    program("usr/bin/timeout"),
    "usr/bin/bash -> dash",
    program("usr/bin/busybox"),
    file("run", '#!/bin/sh\nexec "$@"\n', mode=0o755),
    file("opt/app/serve", "\x7f", mode=0o755),
]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["tini", "--", "/bin/sh", "-c", "server -x"], "server"),
        (["tini", "-p", "SIGTERM", "-g", "server"], "server"),
        (["/bin/bash", "-o", "pipefail", "-c", "server -x"], "server"),
        (["bash", "-euo", "pipefail", "-c", "server -x"], "server"),
        (["sh", "-exc", "server"], "server"),
        (["/run", "sh", "-c", "server -x"], "server"),
        (["gosu", "node", "npm", "start"], "npm"),
        (["tini", "--", "gosu", "app", "server"], "server"),
        (["env", "-u", "X", "A=1", "server"], "server"),
        (["timeout", "-k", "5", "10", "server"], "server"),
        (["busybox", "env", "server"], "server"),
        (["busybox", "sh", "-c", "server"], "server"),
        (["sh", "-c", "exec gosu node server"], "server"),
        (["sh", "-c", "set -e; exec nice -n 5 server"], "server"),
        (["sh", "-c", "exec -a name server"], "server"),
        (["su", "app", "-c", "server -x"], "server"),
        (["sh", "/start"], "server"),
    ],
)
def test_commands_within_commands_are_followed(argv: list[str], expected: str) -> None:
    plan = planned({"Cmd": argv}, SERVER)
    assert plan.keep.kept[ImagePath(f"/usr/bin/{expected}")].grade is Grade.HARD
    # su needs root, which is another matter.
    assert [gap for gap in plan.gaps if gap.reason.rule != "identity.root"] == []


@pytest.mark.parametrize(
    "argv",
    [
        ["tini", "--"],
        ["tini", "--", "bash"],
        ["env", "bash"],
        ["sh", "-c", "bash"],
        ["sh", "-c", "exec /bin/bash"],
        ["busybox", "sh"],
        ["busybox"],
    ],
)
def test_a_head_before_a_bare_shell_makes_no_application(argv: list[str]) -> None:
    with pytest.raises(ClosureError, match="--entrypoint"):
        planned({"Cmd": argv}, SERVER)


@pytest.mark.parametrize(
    "text", ["cd /opt/app && ./serve", "PATH=/opt/app:$PATH serve", "export PATH=/x; . y; nope2"]
)
def test_a_text_that_moves_is_not_refused(text: str) -> None:
    planned({"Cmd": ["sh", "-c", f"{text}; app"]}, SERVER)


def test_an_environment_that_is_sourced_may_bring_the_command() -> None:
    plan = planned({"Cmd": ["sh", "-c", ". /opt/venv/bin/activate && exec gunicorn app"]}, SERVER)
    assert "gunicorn is missing" in gaps(plan)[0]


def test_a_class_path_names_its_items() -> None:
    jars = ["app2/libs/a.jar", "app2/classes/B.class", "app2/other"]
    argv: list[Json] = ["app", "-cp", "/app2/classes:/app2/libs/*", "Main"]
    plan = planned({"Cmd": argv}, [*SERVER, *jars])
    kept = [path for path in plan.keep.kept if path.startswith("/app2/")]
    assert kept == ["/app2/classes", "/app2/classes/B.class", "/app2/libs", "/app2/libs/a.jar"]


def test_a_directory_change_is_followed() -> None:
    plan = planned({"Cmd": ["sh", "-c", "cd /opt/app && ./serve"]}, SERVER)
    assert plan.keep.kept[ImagePath("/opt/app/serve")].grade is Grade.HARD


@pytest.mark.parametrize("argv", [["tini", "--", "nope"], ["sh", "-c", "nope; nope2"]])
def test_a_command_behind_a_head_has_to_be_there(argv: list[str]) -> None:
    with pytest.raises(ClosureError, match="needs nope "):
        planned({"Cmd": argv}, SERVER)


def test_a_wrapper_that_nobody_knows_keeps_the_commands_it_is_given() -> None:
    plan = planned({"Cmd": ["app", "-w", "tcp://db", "server"]}, SERVER)
    assert ImagePath("/usr/bin/server") in plan.keep.kept


def test_a_script_may_be_the_application_whatever_it_is_given() -> None:
    plan = planned({"Entrypoint": ["/run"], "Cmd": ["bash"]}, SERVER)
    assert ImagePath("/usr/bin/bash") in plan.keep.kept
