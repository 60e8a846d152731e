"""HOME and VOLUME of a new user."""

from collections.abc import Sequence

import pytest
from filetree.kit import Member, directory, file, symlink

from identity.kit import ACCOUNTS, chosen, keeping, runs_as, together, writes
from minify.closure import KeepSet
from minify.identity import Wishes
from minify.image.jsontext import Json

CLOSED = directory("root", mode=0o700)
NOWHERE = "it is /nonexistent, which does not exist"


def kept(*paths: str) -> KeepSet:
    return keeping(soft=dict.fromkeys(paths, "test"))


@pytest.mark.parametrize(
    ("members", "keep", "env", "home", "warning"),
    [
        # What the program saw is there and open.
        (["root/"], kept("/root"), None, "/root", ""),
        (["srv/app/"], kept("/srv/app"), "/srv/app", None, ""),
        (
            [symlink("root", "data"), "data/"],
            kept("/root", "/data"),
            None,
            "/root",
            "",
        ),
        ([CLOSED], together(kept("/root"), writes("/root/x", "/srv/x")), "/", None, ""),
        # It is closed, or left out.
        (
            [CLOSED],
            kept("/root"),
            None,
            None,
            f"HOME was /root, which 10001 cannot enter and read (0:0 0700): {NOWHERE}",
        ),
        (
            [CLOSED],
            kept("/root"),
            "/root",
            "/nonexistent",
            f"HOME was /root, which 10001 cannot enter and read (0:0 0700): {NOWHERE}",
        ),
        (
            [directory("srv", mode=0o700), "srv/app/"],
            kept("/srv/app"),
            "/srv/app",
            "/nonexistent",
            f"HOME was /srv/app, which 10001 cannot enter and read (/srv 0:0 0700): {NOWHERE}",
        ),
        (["root/"], kept(), None, None, f"HOME was /root, which is not in the result: {NOWHERE}"),
        (
            [symlink("root", "data"), "data/"],
            kept("/data"),
            None,
            None,
            f"HOME was /root, which is not in the result: {NOWHERE}",
        ),
        # It was nothing that could be used.
        ([], kept(), None, None, ""),
        ([], kept(), "/gone", None, ""),
        (["file: x"], kept("/file"), "/file", None, ""),
        ([], kept(), "relative", None, ""),
    ],
)
def test_home_stays_where_the_new_user_can_use_it(
    members: Sequence[Member], keep: KeepSet, env: str | None, home: str | None, warning: str
) -> None:
    run: dict[str, Json] = {"Env": [f"HOME={env}"]} if env else {}
    identity = chosen("", [*ACCOUNTS, *members], keep, Wishes(), **run)
    assert (identity.home, " ".join(identity.warnings)) == (home, warning)


def test_home_without_passwd_is_the_root_directory() -> None:
    assert chosen("", [], keeping()).home == "/"


@pytest.mark.parametrize(
    ("rule", "warnings"),
    [
        ("script.user", ()),
        ("unit", ("HOME was /root, which 33 cannot enter and read (0:0 0700): it is /var/www",)),
    ],
)
def test_an_entrypoint_sets_the_home_of_the_account_that_it_changes_to(
    rule: str, warnings: tuple[str, ...]
) -> None:
    members = [*ACCOUNTS, CLOSED, "var/www/"]
    keep = together(kept("/root", "/var/www"), runs_as("web", rule=rule))
    identity = chosen("", members, keep)
    assert (identity.home, identity.warnings) == (None, warnings)


def test_a_home_that_is_given_can_be_used() -> None:
    members = [*ACCOUNTS, directory("home/app", mode=0o700)]
    keep = together(kept("/home/app"), writes("/home/app"))
    assert chosen("", members, keep, Env=["HOME=/home/app"]).warnings == ()


@pytest.mark.parametrize("wishes", [Wishes(), Wishes("keep")])
def test_the_images_own_user_keeps_its_home(wishes: Wishes) -> None:
    identity = chosen("web", [*ACCOUNTS, CLOSED], keeping(), wishes, Env=["HOME=/root"])
    assert (identity.home, identity.warnings) == (None, ())


def test_an_arbitrary_user_has_no_home_in_passwd() -> None:
    members = [*ACCOUNTS, "var/www/", CLOSED]
    arbitrary = Wishes(arbitrary_uid=True)
    assert chosen("web", members, kept("/var/www"), arbitrary).home == "/var/www"
    identity = chosen("", members, kept("/root"), arbitrary)
    assert (identity.home, identity.warnings) == (
        None,
        (f"HOME was /root, which a user with group 0 cannot enter and read (0:0 0700): {NOWHERE}",),
    )


def test_volumes_of_another_owner_are_told() -> None:
    members = [
        *ACCOUNTS,
        directory("data", uid=33),
        directory("own", uid=10001),
        directory("old", uid=7),
        file("app", mode=0o755),
    ]
    volumes: Json = {"/data": {}, "/own": {}, "/old": {}, "/gone": {}, "/etc": {}}
    identity = chosen("", members, keeping("/app"), Volumes=volumes)
    then = "the user is 10001 (appuser): files in existing volumes may need another owner"
    assert identity.warnings == (
        f"VOLUME /data belonged to 33 (web), and {then}",
        f"VOLUME /old belonged to 7, and {then}",
        f"VOLUME /gone belonged to 0 (root), and {then}",
    )
    assert chosen("web", members, keeping("/app"), Volumes=volumes).warnings == ()
    assert chosen("", members, keeping("/app"), Wishes("keep"), Volumes=volumes).warnings == ()
