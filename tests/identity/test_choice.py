"""Which user the result gets, and who was considered before: the whole identity."""

import re
from collections.abc import Sequence

import pytest
from filetree.kit import Member, directory, file

from identity.kit import (
    ACCOUNTS,
    APPUSER_LINE,
    ROOT_LINE,
    USERS,
    WEB_LINE,
    chosen,
    keeping,
    needs_root,
    runs_as,
    shown,
    together,
    writes,
)
from minify.closure import EVERYBODY, Grade, KeepSet, Written
from minify.errors import ClosureError, UsageError
from minify.identity import Wishes

APP = file("app", mode=0o755)
DB = file("etc/passwd", f"{USERS}db:x:44:44::/var/db:/bin/sh\n")
APPUSER = {
    "user": "10001 = appuser 10001:10001, changed",
    "why": "the default: not root",
    "passwd": f"{ROOT_LINE} {APPUSER_LINE}",
    "group": "root:x:0: appuser:x:10001:",
}
WEB = "33 = web 33:33+110, changed"
KEPT_ROOT = {"user": "as it is = root 0:0", "passwd": "as it is", "group": "as it is"}
SEVERAL = "it is one of several that the program changes to"
REFUSED = "/app cannot be executed (0:0 0744)"
NEVER_ROOT = "the user stays root: appuser could not run the program:"


@pytest.mark.parametrize("user", ["", "root", "0", "0:0", "root:root"])
def test_root_becomes_appuser(user: str) -> None:
    assert shown(chosen(user, [*ACCOUNTS, APP], keeping("/app"))) == APPUSER


@pytest.mark.parametrize(
    ("user", "expected", "groups"),
    [
        ("web", "33 = web 33:33+110", "web:x:33: ssl:x:110:web"),
        ("33", "33 = web 33:33+110", "web:x:33: ssl:x:110:web"),
        ("033", "33 = web 33:33+110", "web:x:33: ssl:x:110:web"),
        ("web:web", "33:33 = web 33:33", "web:x:33:"),
        ("33:33", "33:33 = web 33:33", "web:x:33:"),
        ("web:ssl", "33:110 = web 33:110", "web:x:33: ssl:x:110:web"),
    ],
)
def test_the_images_own_user_is_written_as_a_number_and_not_checked(
    user: str, expected: str, groups: str
) -> None:
    keep = together(keeping("/app"), runs_as("root"), writes("/data"), needs_root("chown"))
    identity = chosen(user, [*ACCOUNTS, file("app", mode=0o700), "data/"], keep)
    assert shown(identity) == {
        "user": expected,
        "why": "the image's own",
        "passwd": f"{ROOT_LINE} {WEB_LINE}",
        "group": f"root:x:0: {groups}",
    }


def test_a_number_without_an_entry_stays_as_it_is() -> None:
    identity = chosen("1234", [], keeping())
    assert shown(identity) == {
        "user": "1234 =  1234:0",
        "why": "the image's own",
        "passwd": "as it is",
        "group": "as it is",
    }


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        (runs_as("web"), WEB),
        (runs_as("33"), WEB),
        (runs_as("web", "33"), WEB),
        (runs_as("web:ssl", "web"), WEB),
        (runs_as("web", "root", "0"), WEB),
        (runs_as("web", rule="program.account"), WEB),
        (together(runs_as("db", rule="program.account"), runs_as("web")), WEB),
        (together(runs_as("db", rule="unit"), runs_as("web", rule="program.account")), WEB),
        (together(runs_as("db", rule="unit"), runs_as("web")), WEB),
        (runs_as("web:ssl"), "33:110 = web 33:110, changed"),
        (runs_as("500"), "500 = appuser 500:500, changed"),
        (runs_as("root"), "10001 = appuser 10001:10001, changed"),
        (runs_as("web", grade=Grade.SOFT), "10001 = appuser 10001:10001, changed"),
        (runs_as(EVERYBODY), "10001 = appuser 10001:10001, changed"),
    ],
)
def test_the_account_that_the_program_drops_to_comes_first(
    findings: KeepSet, expected: str
) -> None:
    identity = chosen("", [*ACCOUNTS, DB, APP], together(keeping("/app"), findings))
    by_itself = "the program changes to it by itself (/entry: test)"
    assert shown(identity)["user"] == expected
    assert identity.why == ("the default: not root" if "10001" in expected else by_itself)
    assert identity.rejected == ()


@pytest.mark.parametrize(
    ("findings", "rejected"),
    [
        (
            runs_as("nobody"),
            "nobody: /entry changes to nobody (test), but /etc/passwd of the image has no 'nobody'",
        ),
        (
            runs_as("web:no"),
            "web:no: /entry changes to web:no (test), but /etc/group of the image has no 'no'",
        ),
        (
            together(runs_as("web", "db"), runs_as("web", rule="program.account")),
            f"db: {SEVERAL}, web too (/entry: test) | web: {SEVERAL}, db too (/entry: test)",
        ),
        (
            together(keeping("/other"), runs_as("db")),
            "db: /other cannot be executed (44:0 0611)",
        ),
        (runs_as("nobody", grade=Grade.SOFT), ""),
    ],
)
def test_appuser_comes_next_and_says_who_was_rejected(findings: KeepSet, rejected: str) -> None:
    other = file("other", b"\x7fELF", mode=0o611, uid=44)
    identity = chosen("", [*ACCOUNTS, DB, APP, other], together(keeping("/app"), findings))
    assert identity.user == "10001"
    assert shown(identity).get("rejected", "") == rejected


def test_what_needs_root_is_no_obstacle_for_the_account_it_is_done_for() -> None:
    findings = together(
        keeping("/app"), runs_as("web"), needs_root("chown 33 /data", "33"), needs_root("x", "web")
    )
    assert chosen("", [*ACCOUNTS, APP], findings).user == "33"


@pytest.mark.parametrize(
    ("unless", "user"),
    [("web:web", "33"), ("web:ssl", "33"), (":110", "33"), ("web:root", ""), (":docker", "")],
)
def test_files_can_be_handed_to_the_groups_of_the_account_alone(unless: str, user: str) -> None:
    findings = together(keeping("/app"), runs_as("web"), needs_root("chown", unless))
    assert chosen("", [*ACCOUNTS, APP], findings).user == user


@pytest.mark.parametrize(
    ("path", "etc", "user"),
    [
        ("/etc/localtime", directory("etc"), ""),
        ("/etc/hosts", directory("etc"), ""),
        ("/etc/localtime", directory("etc", uid=33), "33"),
        ("/var/lib/x/y", directory("etc"), "33"),
    ],
)
def test_who_cannot_write_what_a_script_ends_without_is_rejected(
    path: str, etc: Member, user: str
) -> None:
    findings = together(
        keeping("/app"),
        runs_as("web"),
        writes(path, what=Written.FILE, rule="script.writes-or-ends"),
    )
    members = [etc, *ACCOUNTS, file("etc/hosts"), "var/lib/x/", APP]
    assert chosen("", members, findings).user == user


def test_what_is_wished_can_be_written() -> None:
    must = together(
        writes("/etc/localtime", what=Written.FILE, rule="config-file.writes"),
        writes("/etc/localtime", what=Written.REPLACED, rule="script.writes-or-ends"),
    )
    members = [*ACCOUNTS, APP]
    identity = chosen("", members, together(keeping("/app"), must))
    assert shown(identity)["rejected"] == (
        "appuser: /entry needs root (test: it takes /etc, a directory of everybody)"
    )
    wishes = Wishes(writable=("/etc",))
    assert chosen("", members, together(keeping("/app"), must), wishes).user == "10001"


@pytest.mark.parametrize(
    ("members", "keep", "why"),
    [
        ([file("app", mode=0o744)], keeping("/app"), "/app cannot be executed (0:0 0744)"),
        ([file("app", "#!/x", mode=0o711)], keeping("/app"), "/app cannot be read (0:0 0711)"),
        (
            [directory("opt", mode=0o700), file("opt/app", mode=0o755)],
            keeping("/opt/app"),
            "/opt cannot be entered (0:0 0700)",
        ),
        (
            [file("a", mode=0o700), file("b", mode=0o700), file("c", mode=0o700), file("d")],
            keeping("/a", "/b", "/c", "/d"),
            "; ".join(f"/{name} cannot be executed (0:0 0700)" for name in "abc"),
        ),
        (
            [file("app/x.sh", mode=0o700)],
            keeping(soft={"/app/x.sh": "app.directory"}),
            "/app/x.sh cannot be executed (0:0 0700)",
        ),
        ([], needs_root("mount /proc"), "/entry needs root (mount /proc)"),
    ],
)
def test_root_stays_loudly_where_nobody_else_can_run_the_program(
    members: Sequence[Member], keep: KeepSet, why: str
) -> None:
    assert shown(chosen("", [*ACCOUNTS, *members], keep)) == {
        **KEPT_ROOT,
        "why": f"kept: appuser could not run the program: {why}",
        "rejected": f"appuser: {why.replace('; ', ', ')}",
        "gaps": f"identity.root {NEVER_ROOT} {why}",
    }


def test_the_accounts_own_refusal_decides_what_is_said_of_root() -> None:
    keep = together(keeping("/app"), runs_as("web", "nobody"))
    identity = chosen("", [*ACCOUNTS, file("app", mode=0o744)], keep)
    assert [rejected.user for rejected in identity.rejected] == ["nobody", "web", "appuser"]
    assert identity.why == f"kept: web could not run the program: {REFUSED}"


def test_root_that_is_asked_for_is_no_gap() -> None:
    identity = chosen("", [*ACCOUNTS, file("app", mode=0o744)], keeping("/app"), Wishes("keep"))
    assert shown(identity) == {**KEPT_ROOT, "why": "kept, as --user keep asks"}


@pytest.mark.parametrize(
    ("user", "request_", "expected"),
    [
        ("", "keep", "as it is = root 0:0 | kept, as --user keep asks"),
        ("web", "keep", "web = web 33:33+110 | kept, as --user keep asks"),
        ("", "0", "0 = root 0:0 | as --user asks"),
        ("web", "root", "0 = root 0:0, changed | as --user asks"),
        ("", "web", "33 = web 33:33+110, changed | as --user asks"),
        ("web", "web", "33 = web 33:33+110 | as --user asks"),
        ("", "web:ssl", "33:110 = web 33:110, changed | as --user asks"),
        ("", "500", "500 = appuser 500:500, changed | as --user asks"),
        ("", "500:33", "500:33 = appuser 500:33, changed | as --user asks"),
        ("gone", "web", "33 = web 33:33+110, changed | as --user asks"),
    ],
)
def test_a_requested_user_is_taken(user: str, request_: str, expected: str) -> None:
    found = shown(chosen(user, ACCOUNTS, keeping(), Wishes(request_)))
    assert f"{found['user']} | {found['why']}" == expected


@pytest.mark.parametrize("request_", ["", ":web"])
def test_a_request_without_a_user_is_refused(request_: str) -> None:
    with pytest.raises(UsageError, match="expected NAME, UID, either with :GROUP, or keep"):
        chosen("", ACCOUNTS, keeping(), Wishes(request_))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ("nope", "--user nope: /etc/passwd of the image has no 'nope'; it has root, web, and"),
        ("web:x", "--user web:x: /etc/group of the image has no 'x'; it has root, web, ssl, d"),
    ],
)
def test_a_requested_user_that_does_not_exist_is_named_with_those_that_do(
    request_: str, message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        chosen("", ACCOUNTS, keeping(), Wishes(request_))


@pytest.mark.parametrize(
    ("user", "mode", "keep", "message"),
    [
        ("web", 0o700, keeping("/app"), "--user web: .*: /app cannot be executed"),
        ("5000", 0o750, keeping("/app"), "--user 5000: .*: /app cannot be executed"),
        ("web", 0o755, needs_root("mount"), r"--user web: .*: /entry needs root \(mount\)"),
    ],
)
def test_a_requested_user_that_cannot_run_the_program_is_refused(
    user: str, mode: int, keep: KeepSet, message: str
) -> None:
    with pytest.raises(ClosureError, match=message):
        chosen("", [*ACCOUNTS, file("app", mode=mode)], keep, Wishes(user))


@pytest.mark.parametrize("user", ["nope", "9" * 5000, "4294967295", "2147483648", "web:nope"])
def test_an_image_whose_user_does_not_exist_is_refused(user: str) -> None:
    with pytest.raises(ClosureError, match=r"of the image has no .*no engine can start it"):
        chosen(user, ACCOUNTS, keeping())


def test_a_program_may_be_unreadable_but_a_script_may_not() -> None:
    identity = chosen("", [file("app", b"\x7fELF", mode=0o711)], keeping("/app"))
    assert identity.user == "10001"


def test_what_only_the_user_keeps_decides_nothing() -> None:
    members = [*ACCOUNTS, file("secret", mode=0o700)]
    identity = chosen("", members, keeping("/secret", rule="user.keep"))
    assert (identity.user, identity.opened, identity.gaps) == ("10001", (), ())


def test_an_appuser_keeps_its_groups() -> None:
    members = [
        file("etc/passwd", "appuser:x:7:8::/:/x\n"),
        file("etc/group", "own:x:8:\naudio:x:29:appuser\n"),
        file("app", mode=0o750, gid=29),
    ]
    assert shown(chosen("", members, keeping("/app"))) == {
        "user": "7 = appuser 7:8+29, changed",
        "why": "the default: not root",
        "passwd": "appuser:x:7:8::/:/x",
        "group": "own:x:8: audio:x:29:appuser",
    }


def test_an_appuser_that_the_program_drops_to_is_tried_once() -> None:
    members = [file("etc/passwd", "appuser:x:7:8::/:/x\n"), file("app", mode=0o744)]
    identity = chosen("", members, together(keeping("/app"), runs_as("appuser")))
    assert shown(identity)["rejected"] == f"appuser: {REFUSED}"


def test_an_appuser_that_is_root_is_not_the_one() -> None:
    members = [file("etc/passwd", "appuser:x:0:0::/:/x\n")]
    assert shown(chosen("", members, keeping()), "home") == {
        "user": "10001 = appuser1 10001:10001, changed",
        "why": "the default: not root",
        "passwd": "appuser1:x:10001:10001::/nonexistent:/sbin/nologin",
        "group": "appuser1:x:10001:",
    }


def test_a_taken_number_is_not_used_again() -> None:
    members = [
        file("etc/passwd", "x:x:10001:10001::/:/bin/sh\n"),
        file("etc/group", "y:x:10002:\n"),
    ]
    identity = chosen("", members, keeping())
    assert identity.passwd == ("appuser:x:10003:10003::/nonexistent:/sbin/nologin",)
    assert identity.user == "10003"


@pytest.mark.parametrize(
    ("user", "wishes", "expected"),
    [
        ("", Wishes(), "10001 = appuser 10001:0, changed, arbitrary"),
        ("", Wishes("web"), "33:0 = web 33:0, changed, arbitrary"),
        ("", Wishes("web:root"), "33:0 = web 33:0, changed, arbitrary"),
        ("", Wishes("500"), "500:0 = appuser 500:0, changed, arbitrary"),
        ("web:ssl", Wishes(), "33:0 = web 33:0, arbitrary"),
        ("1234", Wishes(), "1234 =  1234:0, arbitrary"),
    ],
)
def test_an_arbitrary_user_has_group_0(user: str, wishes: Wishes, expected: str) -> None:
    asked = Wishes(wishes.user, arbitrary_uid=True)
    members = [*ACCOUNTS, file("app", mode=0o750)]
    identity = chosen(user, members, keeping("/app"), asked)
    assert shown(identity)["user"] == expected
    assert identity.groups == {0}


def test_appusers_line_says_group_0_where_the_number_is_arbitrary() -> None:
    identity = chosen("", ACCOUNTS, keeping(), Wishes(arbitrary_uid=True))
    assert identity.passwd == ("appuser:x:10001:0::/nonexistent:/sbin/nologin",)
    assert identity.group == ("root:x:0:",)
    assert chosen("", [], keeping(), Wishes(arbitrary_uid=True)).group == ("root:x:0:",)


@pytest.mark.parametrize(
    ("user", "members", "keep"),
    [
        ("", [file("app", mode=0o744)], keeping("/app")),
        ("web", [file("app", mode=0o700, uid=33)], keeping("/app")),
        ("", [], together(runs_as("web"), needs_root("chown web", "web"))),
    ],
)
def test_an_arbitrary_user_that_cannot_run_the_program_is_refused(
    user: str, members: Sequence[Member], keep: KeepSet
) -> None:
    with pytest.raises(ClosureError, match="--arbitrary-uid: a user with group 0 could not run"):
        chosen(user, [*ACCOUNTS, *members], keep, Wishes(arbitrary_uid=True))


@pytest.mark.parametrize("user", ["keep", "0", "root", "web:ssl"])
def test_an_arbitrary_user_is_neither_root_nor_of_another_group(user: str) -> None:
    with pytest.raises(UsageError, match=f"--user {user} and --arbitrary-uid"):
        chosen("", ACCOUNTS, keeping(), Wishes(user, arbitrary_uid=True))
