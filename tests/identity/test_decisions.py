"""Each decision once through the whole plan: the configuration, and what changed and how."""

from __future__ import annotations

from pathlib import Path

import pytest
from closure.kit import planned
from filetree.kit import Member, directory, file, image_of

import minify
from identity.kit import ACCOUNTS, APPUSER_LINE, ROOT_LINE, WEB_LINE
from minify.errors import CheckError, ClosureError, UsageError
from minify.filetree import ImagePath
from minify.image import Reference
from minify.image.jsontext import Json
from minify.pipeline import Options
from minify.planning import Plan
from minify.transports import WriteOptions, write_image

APP = file("app", "\x7f", mode=0o755)
RUN: dict[str, Json] = {"Cmd": ["/app"]}


def user_of(plan: Plan) -> str:
    return plan.config.user


def owner(plan: Plan, path: str) -> str:
    """`33:33 0755`; empty for what is not in the result."""
    found = (item.entry for item in plan.entries if item.entry.path == path)
    return next((f"{entry.uid}:{entry.gid} {entry.mode:04o}" for entry in found), "")


def content(plan: Plan, path: str) -> str:
    found = next(item for item in plan.entries if item.entry.path == path)
    assert found.content is not None
    return found.content.decode()


@pytest.mark.parametrize(
    ("argv", "user", "written"),
    [
        (["/app"], "", "10001"),
        (["/app"], "web", "33"),
        (["gosu", "web", "/app"], "", "33"),
    ],
)
def test_1_the_user_is_the_first_that_can_run_the_program(
    argv: list[str], user: str, written: str
) -> None:
    gosu = file("usr/bin/gosu", "\x7f", mode=0o755)
    plan = planned({"Cmd": [*argv], "User": user}, [*ACCOUNTS, APP, gosu])
    assert user_of(plan) == written


def test_1_root_stays_loudly_and_strict_refuses_it() -> None:
    members = [*ACCOUNTS, file("app", "\x7f", mode=0o700)]
    plan = planned(RUN, members)
    said = "appuser could not run the program: /app cannot be executed (0:0 0700)"
    assert user_of(plan) == ""
    assert [gap.reason.detail for gap in plan.gaps] == [f"the user stays root: {said}"]
    with pytest.raises(CheckError, match="the user stays root"):
        planned(RUN, members, options=Options(strict=True))
    planned(RUN, members, options=Options(strict=True, user="keep"))
    with pytest.raises(ClosureError, match="--user web"):
        planned(RUN, members, options=Options(user="web"))


def test_2_account_files_have_exactly_what_is_needed() -> None:
    members = [*ACCOUNTS, APP, file("etc/shadow", "root:*:1:\nweb:!:2:\n", mode=0o640)]
    plan = planned(RUN, members)
    assert content(plan, "/etc/passwd") == f"{ROOT_LINE}\n{APPUSER_LINE}\n"
    assert content(plan, "/etc/group") == "root:x:0:\nappuser:x:10001:\n"
    assert owner(plan, "/etc/shadow") == ""
    plan = planned({**RUN, "User": "web"}, members, options=Options(keep_shadow=True))
    assert plan.identity.passwd == (ROOT_LINE, WEB_LINE)
    assert owner(plan, "/etc/shadow") == "0:0 0640"


def test_3_what_is_written_becomes_the_users() -> None:
    members = [*ACCOUNTS, APP, "data/x: y", "run/", "new/"]
    run: dict[str, Json] = {**RUN, "Volumes": {"/data": {}, "/etc": {}}}
    plan = planned(run, members, options=Options(writable=("/made/here",)))
    paths = ("/data", "/data/x", "/run", "/etc", "/made", "/made/here")
    assert {path: owner(plan, path) for path in paths} == {
        "/data": "10001:10001 0755",
        "/data/x": "10001:10001 0644",
        "/run": "10001:10001 0755",
        "/etc": "0:0 0755",
        "/made": "0:0 0755",
        "/made/here": "10001:10001 0755",
    }
    assert [f"{item.path}: {item.why}" for item in plan.identity.withheld] == [
        "/etc: /etc is a directory of everybody"
    ]
    plan = planned({**run, "User": "web"}, members, options=Options(writable=("/made/here",)))
    assert (owner(plan, "/data"), owner(plan, "/made/here")) == ("0:0 0755", "33:33 0755")
    with pytest.raises(UsageError, match="--writable /proc"):
        planned(RUN, members, options=Options(writable=("/proc/x",)))


def test_4_a_key_that_the_command_line_names_is_opened() -> None:
    members: list[Member | str] = [
        *ACCOUNTS,
        APP,
        directory("root", mode=0o700),
        file("root/app.conf", mode=0o600),
        file("root/other", mode=0o600),
    ]
    plan = planned({"Cmd": ["/app", "--config=/root/app.conf"]}, members)
    assert (user_of(plan), owner(plan, "/root"), owner(plan, "/root/app.conf")) == (
        "10001",
        "0:10001 0710",
        "0:10001 0640",
    )
    assert [item.path for item in plan.identity.opened] == ["/root", "/root/app.conf"]


def test_6_home_stays_or_is_told() -> None:
    plan = planned(RUN, [*ACCOUNTS, APP, directory("root", mode=0o755)])
    assert plan.config.env["HOME"] == "/root"
    plan = planned(RUN, [*ACCOUNTS, APP, directory("root", mode=0o700)])
    assert "HOME" not in plan.config.env
    why = "which 10001 cannot enter and read (0:0 0700)"
    said = f"HOME was /root, {why}: it is /nonexistent, which does not exist"
    assert plan.identity.warnings == (said,)


def test_7_a_volume_of_another_owner_is_told() -> None:
    run: dict[str, Json] = {**RUN, "Volumes": {"/data": {}}}
    plan = planned(run, [*ACCOUNTS, APP, directory("data", uid=33)])
    then = "the user is 10001 (appuser): files in existing volumes may need another owner"
    assert plan.identity.warnings == (f"VOLUME /data belonged to 33 (web), and {then}",)


def test_8_an_arbitrary_user_shares_group_0() -> None:
    members = [*ACCOUNTS, APP, directory("data", mode=0o700), file("data/x", mode=0o600)]
    run: dict[str, Json] = {"Cmd": ["/app", "/key"], "Volumes": {"/data": {}}}
    members.append(file("key", mode=0o600, gid=33))
    plan = planned(run, members, options=Options(arbitrary_uid=True))
    assert (user_of(plan), *(owner(plan, path) for path in ("/data", "/data/x", "/key"))) == (
        "10001",
        "10001:0 0770",
        "10001:0 0660",
        "0:0 0640",
    )
    assert "appuser:x:10001:0:" in content(plan, "/etc/passwd")


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(user="keep"),
        Options(user="web"),
        Options(writable=("/data", "/made")),
        Options(arbitrary_uid=True),
        Options(keep_shadow=True),
    ],
    ids=["default", "keep", "web", "writable", "arbitrary", "shadow"],
)
@pytest.mark.parametrize("user", ["", "web", "web:ssl"])
def test_a_minified_image_is_not_decided_again(tmp_path: Path, options: Options, user: str) -> None:
    shadow = file("etc/shadow", "root:*:1:\nweb:!:2:\n", mode=0o640)
    members = [*ACCOUNTS, shadow, APP, directory("root", mode=0o700), "data/x: y", "run/"]
    run: dict[str, Json] = {**RUN, "User": user, "Volumes": {"/data": {}}}
    source, one, two, three = (f"oci:{tmp_path / name}" for name in ("in", "1", "2", "3"))
    write_image(image_of(run, members), Reference.parse(source), WriteOptions())
    first = minify.minify(source, one, options)
    assert minify.minify(one, two).manifest_digest == first.manifest_digest
    assert minify.minify(one, three, options).manifest_digest == first.manifest_digest


def test_a_minified_image_can_be_made_writable_and_get_another_user(tmp_path: Path) -> None:
    source, one = (f"oci:{tmp_path / name}" for name in ("in", "1"))
    write_image(image_of(RUN, [*ACCOUNTS, APP, "srv/x/"]), Reference.parse(source), WriteOptions())
    minify.minify(source, one, Options(keep=("/srv/x",)))
    plan = minify.plan(one, Options(writable=("/srv/x", "/new"))).plan
    assert (user_of(plan), owner(plan, "/srv/x"), owner(plan, "/new")) == (
        "10001",
        "10001:10001 0755",
        "10001:10001 0755",
    )
    plan = minify.plan(one, Options(user="500")).plan
    assert user_of(plan) == "500"
    assert plan.identity.passwd == (
        ROOT_LINE,
        "appuser1:x:500:500::/nonexistent:/sbin/nologin",
    )
    assert plan.keep.kept.get(ImagePath("/srv/x")) is not None
