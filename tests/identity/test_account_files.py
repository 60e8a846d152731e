"""The lines of passwd, group and their shadows: exactly those that are needed."""

import pytest
from filetree.kit import Member, file

from identity.kit import (
    ACCOUNTS,
    APPUSER_LINE,
    ROOT_LINE,
    WEB_LINE,
    chosen,
    keeping,
    runs_as,
    together,
    writes,
)
from identity.kit import shown as whole
from minify.closure import EVERYBODY, Grade, KeepSet
from minify.identity import Identity, Wishes

SHADOWS: tuple[Member | str, ...] = (
    file("etc/shadow", "root:*:1::::::\nweb:!:2::::::\nother:$6$x:3::::::\n", mode=0o640),
    file("etc/gshadow", "root:*::\nweb:!::\nother:!::\n", mode=0o640),
)


def shown(identity: Identity) -> dict[str, str]:
    files = ("passwd", "group", "shadow", "gshadow")
    return {name: text for name, text in whole(identity).items() if name in files}


@pytest.mark.parametrize(
    ("keep", "passwd", "group"),
    [
        (keeping(), APPUSER_LINE, "appuser:x:10001:"),
        (keeping("/root's", rule="x"), f"{ROOT_LINE} {APPUSER_LINE}", "root:x:0: appuser:x:10001:"),
        (
            keeping("/webs", rule="x"),
            f"{ROOT_LINE} {WEB_LINE} {APPUSER_LINE}",
            "root:x:0: web:x:33: docker:x:999:other appuser:x:10001:",
        ),
        (
            runs_as("web", "nobody", "docker", grade=Grade.SOFT),
            f"{WEB_LINE} {APPUSER_LINE}",
            "web:x:33: docker:x:999:other appuser:x:10001:",
        ),
        (
            runs_as("33:ssl", grade=Grade.SOFT),
            f"{WEB_LINE} {APPUSER_LINE}",
            "web:x:33: ssl:x:110:web appuser:x:10001:",
        ),
        (
            runs_as(EVERYBODY),
            f"{ROOT_LINE} {WEB_LINE} {APPUSER_LINE}",
            "root:x:0: web:x:33: ssl:x:110:web docker:x:999:other appuser:x:10001:",
        ),
    ],
)
def test_the_user_owners_and_findings_need_accounts(keep: KeepSet, passwd: str, group: str) -> None:
    members = [*ACCOUNTS, file("root's"), file("webs", uid=33, gid=999)]
    assert shown(chosen("", members, keep)) == {"passwd": passwd, "group": group}


def test_what_becomes_the_users_needs_no_account_of_its_old_owner() -> None:
    members = [*ACCOUNTS, file("data/x", uid=33, gid=999)]
    identity = chosen("", members, together(keeping(soft={"/data/x": "app"}), writes("/data")))
    assert shown(identity) == {
        "passwd": f"{ROOT_LINE} {APPUSER_LINE}",
        "group": "root:x:0: appuser:x:10001:",
    }


def test_an_image_without_account_files_gets_those_of_a_new_user_only() -> None:
    assert shown(chosen("", [], keeping())) == {
        "passwd": APPUSER_LINE,
        "group": "appuser:x:10001:",
    }
    assert shown(chosen("1234", [], keeping())) == {"passwd": "as it is", "group": "as it is"}


def test_of_several_accounts_with_one_number_the_users_own_comes_first() -> None:
    members: list[Member | str] = [
        file("etc/passwd", "a:x:5:5::/:/x\nz:x:5:6::/home/z:/x\n"),
        "etc/group",
    ]
    identity = chosen("z", members, runs_as("a", grade=Grade.SOFT))
    assert (identity.user, identity.gid) == ("5", 6)
    assert identity.passwd == ("z:x:5:6::/home/z:/x", "a:x:5:5::/:/x")


def test_damaged_lines_are_skipped() -> None:
    damaged = "# c\n\nbroken\nneg:x:-1:0::/:/x\nbig:x:99999999999:0::/:/x\nok:x:5:5::/:/x\n"
    identity = chosen("ok", [file("etc/passwd", damaged)], keeping())
    assert identity.passwd == ("ok:x:5:5::/:/x",)


def test_short_lines_are_read_as_far_as_they_go() -> None:
    assert chosen("short", [file("etc/passwd", "short:x:5:6:\n")], keeping()).gid == 6


@pytest.mark.parametrize(
    ("user", "keep", "shadow", "gshadow"),
    [
        ("web", keeping(), "web:!:2::::::", "web:!::"),
        ("", keeping("/app"), "root:*:1::::::", "root:*::"),
        (
            "",
            runs_as(EVERYBODY),
            "root:*:1:::::: web:!:2:::::: other:$6$x:3::::::",
            "root:*:: web:!:: other:!::",
        ),
    ],
)
def test_shadows_keep_the_lines_of_kept_accounts(
    user: str, keep: KeepSet, shadow: str, gshadow: str
) -> None:
    members = [*ACCOUNTS, *SHADOWS, file("app", mode=0o755)]
    found = shown(chosen(user, members, keep, Wishes(keep_shadow=True)))
    assert (found["shadow"], found["gshadow"]) == (shadow, gshadow)
    assert chosen(user, members, keep).shadow is None


def test_shadows_stay_whole_for_root() -> None:
    identity = chosen("", [*ACCOUNTS, *SHADOWS], keeping(), Wishes("keep", keep_shadow=True))
    assert len(identity.shadow or ()) == 3
    assert chosen("", ACCOUNTS, keeping(), Wishes("keep", keep_shadow=True)).shadow is None


def test_who_cannot_log_in_any_more_is_told() -> None:
    passwd = file("etc/passwd", "root:x:0:0::/:/bin/sh\nother:x:9:9::/:/bin/sh\n")
    members = [passwd, *SHADOWS]
    (gap,) = chosen("", members, runs_as(EVERYBODY)).gaps
    assert "passwords of other in /etc/shadow are left out" in gap.reason.detail
    assert "--keep-shadow" in gap.hint
    assert not chosen("", members, runs_as(EVERYBODY), Wishes(keep_shadow=True)).gaps
    assert not chosen("", members, keeping()).gaps
    assert not chosen("", [passwd], runs_as(EVERYBODY)).gaps


def test_who_is_asked_about_by_pam_is_not_looked_for_in_a_shadow_that_is_not_there() -> None:
    passwd = file("etc/passwd", "root:x:0:0::/:/bin/sh\nother:!:9:9::/:/bin/sh\n")
    members = [passwd, *SHADOWS, file("lib/security/pam_unix.so")]
    keep = together(keeping("/lib/security/pam_unix.so"), runs_as(EVERYBODY))
    found = chosen("root", members, keep, Wishes("keep"))
    assert found.passwd == ("root:*:0:0::/:/bin/sh", "other:!:9:9::/:/bin/sh")
    for wishes, there in ((Wishes("keep", keep_shadow=True), members), (Wishes("keep"), [passwd])):
        assert (
            chosen("root", [*there, file("lib/security/pam_unix.so")], keep, wishes).passwd is None
        )
    assert chosen("root", members, runs_as(EVERYBODY), Wishes("keep")).passwd is None
