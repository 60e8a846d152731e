"""Who slim images run as: the user, the accounts that stay, what becomes the user's."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from images.checks import CHECKS
from images.engines import Engine
from images.runner import Runner, user_of

from end_to_end.conftest import Pairs
from end_to_end.exported import content_of, exported, names_in
from end_to_end.kit import images

pytestmark = pytest.mark.engine

APPUSER = "appuser"

USERS: Mapping[str, tuple[str, bool]] = {
    "static-go": (APPUSER, True),
    "cpp": (APPUSER, True),
    "curl": (APPUSER, True),
    "nginx": ("www-data", True),
    "nginx-unprivileged": ("www-data", False),
    "nginx-entrypoint": ("www-data", True),
    "redis": ("redis", True),  # its unit file says so
    "redis-entrypoint": ("redis", True),
    "postgres-entrypoint": ("postgres", True),
    "planted": (APPUSER, True),
    "ping": (APPUSER, True),
    "musl": (APPUSER, True),
    "groups": ("worker", False),
    "bash-script": (APPUSER, True),
}
"""The account of each image, and whether it is another than the source's. By the order of the
issue: the image's own, the one that the program drops to, else a new one."""

assert USERS.keys() == CHECKS.keys() - {"login"}


def _numbers(docker: Engine, image: str) -> dict[str, int]:
    lines = content_of(docker, image, "/etc/passwd").splitlines()
    return {line.split(":")[0]: int(line.split(":")[2]) for line in lines}


@pytest.mark.parametrize("name", images(USERS))
def test_user_is_a_number_that_is_not_roots(docker: Engine, pair: Pairs, name: str) -> None:
    account, is_changed = USERS[name]
    number = 10001 if account == APPUSER else _numbers(docker, pair(name).fat)[account]
    user = pair(name).report["user"]
    found = (user_of(docker, pair(name).slim), user["uid"], user["changed"])
    assert found == (f"{number}", number, is_changed)
    assert number != 0
    assert _numbers(docker, pair(name).slim)[account] == number


LOOKED_UP: Mapping[str, set[str]] = {
    "nginx": {"nobody"},
    "nginx-unprivileged": {"nobody"},
    "nginx-entrypoint": {"nobody"},
}
"""Accounts that stay since a program looks them up: nginx has a user of its own accord."""


@pytest.mark.parametrize("name", images(USERS))
def test_accounts_are_those_of_the_user_the_files_and_the_program(
    docker: Engine, pair: Pairs, name: str
) -> None:
    slim = pair(name).slim
    names = {number: account for account, number in _numbers(docker, pair(name).fat).items()}
    owners = {names[file.uid] for file in exported(docker, slim).values() if file.uid in names}
    expected = {USERS[name][0], *owners} | LOOKED_UP.get(name, set())
    assert names_in(docker, slim, "/etc/passwd") == expected
    assert not {"/etc/shadow", "/etc/gshadow"} & exported(docker, slim).keys()


def test_second_group_of_the_images_own_user_stays(docker: Engine, pair: Pairs) -> None:
    slim = pair("groups").slim
    assert content_of(docker, slim, "/etc/group").splitlines() == [
        "root:x:0:",
        "worker:x:1000:",
        "team:x:2000:other,worker",
    ]
    assert names_in(docker, slim, "/etc/passwd") == {"root", "worker"}
    assert Runner(docker, slim)() == "to the team\n"


def test_program_that_lets_people_log_in_keeps_root_and_every_account(
    docker: Engine, pair: Pairs
) -> None:
    fat, slim = pair("login").fat, pair("login").slim
    assert user_of(docker, slim) == ""
    for file in ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"):
        assert content_of(docker, slim, file) == content_of(docker, fat, file)
    files = exported(docker, slim)
    shown = {path: str(files[path]) for path in ("/usr/bin/su", "/usr/bin/sudo", "/etc/shadow")}
    assert shown == {
        "/usr/bin/su": "4755 0:0",
        "/usr/bin/sudo": "4755 0:0",
        "/etc/shadow": "640 0:42",
    }


def test_closed_files_are_opened_to_the_user_alone(docker: Engine, pair: Pairs) -> None:
    slim = pair("nginx-entrypoint").slim
    files = exported(docker, slim)
    paths = ("/etc/nginx/ssl", "/etc/nginx/ssl/server.key", "/etc/nginx/secret.inc")
    assert {path: str(files[path]) for path in paths} == {
        "/etc/nginx/ssl": "750 0:33",  # it is in a directory that is kept whole
        "/etc/nginx/ssl/server.key": "640 0:33",
        "/etc/nginx/secret.inc": "640 0:33",
    }


def test_file_that_the_entrypoint_hands_over_is_the_users(docker: Engine, pair: Pairs) -> None:
    slim = pair("redis-entrypoint").slim
    conf = exported(docker, slim)["/usr/local/etc/redis/redis.conf"]
    assert (conf.mode, conf.uid) == (0o640, _numbers(docker, slim)["redis"])


PLANTED = {
    "/usr/local/bin/rootsh": ("4755 0:0", "755 0:0"),
    "/usr/local/bin/mailsh": ("2755 0:8", "755 0:8"),
    "/srv/app/rawsh": ("755 0:0 capability", "755 0:0"),
    "/srv/app/spool": ("777 0:0", "775 10001:10001"),
    "/srv/app/journal": ("666 0:0", "664 10001:10001"),
    "/etc/app/app.conf": ("600 0:0", "640 0:10001"),
}
"""What is planted: mode and owner before and after."""


def test_planted_faults_are_mended_and_listed(docker: Engine, pair: Pairs) -> None:
    fat, slim = exported(docker, pair("planted").fat), exported(docker, pair("planted").slim)
    found = {path: (str(fat[path]), str(slim[path])) for path in PLANTED}
    assert found == PLANTED
    changes = {entry["path"]: entry["change"] for entry in pair("planted").report["entries"]}
    assert {path for path in PLANTED if changes[path]} == PLANTED.keys()


def test_planted_root_shell_gives_no_root(docker: Engine, pair: Pairs) -> None:
    who = ("-p", "-c", "echo $EUID:${GROUPS[*]}")
    shell = ("--entrypoint", "/usr/local/bin/rootsh", "--user", "10001")
    assert Runner(docker, pair("planted").fat, shell)(*who).startswith("0:")
    assert Runner(docker, pair("planted").slim, shell)(*who) == "10001:10001\n"


def test_closed_home_is_left_and_told(docker: Engine, pair: Pairs) -> None:
    report = pair("planted").report
    told = [line for line in report["warnings"] if "/home/service" in line]
    assert len(told) == 1, report["warnings"]
    inspect = ("image", "inspect", "--format", "{{json .Config.Env}}", pair("planted").slim)
    environment = json.loads(docker(*inspect))
    assert not [text for text in environment if text.startswith("HOME=/home/service")]
    home = Runner(docker, pair("planted").slim)().splitlines()[1].removeprefix("home ")
    assert home
    assert home in told[0]
