"""What is given, opened and added, as whole results."""

# ruff: noqa: S108 (/tmp is the image's)

from __future__ import annotations

from dataclasses import replace

import pytest
from filetree.kit import Member, character, directory, file, hardlink, tree_of

from minify.closure import Reason
from minify.errors import ClosureError
from minify.filetree import ImagePath
from minify.identity import Opened
from planning.kit import (
    NET_RAW_P,
    ROOT_USER,
    decided,
    given,
    identity_of,
    keep_of,
    program,
    shown,
)

TMP = {"/tmp": "dir 1777"}
GIVEN = "given: owner 0:0 → 33:33: written to"
STATE: list[Member | str] = [
    directory("tmp", mode=0o1777),
    directory("data", mode=0o750),
    file("data/file", "content", mode=0o600),
    file("data/theirs", uid=33, gid=33),
    program("data/setuid", mode=0o4755),
    program("data/capable", capabilities=NET_RAW_P),
    "data/link -> file",
    character("data/null", 1, 3),
    file("data/a"),
    hardlink("data/b", "data/a"),
    file("data/inside"),
    hardlink("outside", "data/inside"),
    directory("other"),
]
LEFT = {
    "/data/capable": "file 0755 | capability: security.capability cap_net_raw=p dropped",
    "/data/inside": "file 0644 #2",
    "/data/link": "link -> file",
    "/data/null": "char 0644 1,3",
    "/data/setuid": "file 0755 | setuid: mode 4755 → 0755: setuid stripped",
    "/other": "dir 0755",
    "/outside": "file 0644 #2",
    **TMP,
}


def test_a_tree_becomes_the_users_but_for_what_is_not_its_alone() -> None:
    assert shown(decided(STATE, identity_of(33, given=[given("/data")]))) == {
        **LEFT,
        "/data": f"dir 0750 33:33 | {GIVEN}",
        "/data/a": f"file 0644 33:33 #1 | {GIVEN}",
        "/data/b": f"file 0644 33:33 #1 | {GIVEN}",
        "/data/file": f"file 0600 33:33 | {GIVEN}",
        "/data/theirs": "file 0644 33:33",
    }


def test_a_directory_alone_becomes_the_users() -> None:
    found = shown(decided(STATE, identity_of(33, given=[given("/data", is_tree=False)])))
    assert {path for path, text in found.items() if "33:33" in text} == {"/data", "/data/theirs"}


def test_of_an_arbitrary_user_group_0_may_do_what_the_owner_may() -> None:
    identity = identity_of(33, given=[given("/data")], is_arbitrary=True)
    assert shown(decided(STATE, identity)) == {
        **LEFT,
        "/data": "dir 0770 33:0 | given: owner 0:0 → 33:0, mode 0750 → 0770: written to",
        "/data/a": "file 0664 33:0 #1 | given: owner 0:0 → 33:0, mode 0644 → 0664: written to",
        "/data/b": "file 0664 33:0 #1 | given: owner 0:0 → 33:0, mode 0644 → 0664: written to",
        "/data/file": "file 0660 33:0 | given: owner 0:0 → 33:0, mode 0600 → 0660: written to",
        "/data/theirs": "file 0664 33:0 | given: group 33 → 0, mode 0644 → 0664: written to",
    }


def test_directories_are_made_with_those_above_them() -> None:
    identity = identity_of(33, given=[given("/run/app/sockets", is_new=True)])
    assert shown(decided([directory("tmp", mode=0o1777)], identity)) == {
        "/run": "dir 0755 | added: added: a directory",
        "/run/app": "dir 0755 | added: added: a directory",
        "/run/app/sockets": ("dir 0755 33:33 | added: added: a directory of 33:33: written to"),
        **TMP,
    }


def test_a_directory_that_is_given_is_in_the_result() -> None:
    members = [directory("tmp", mode=0o1777), directory("opt/cache"), directory("opt/other")]
    tree = tree_of(members)
    keep = keep_of(tree)
    keep = replace(keep, kept={p: k for p, k in keep.kept.items() if not p.startswith("/opt")})
    found = decided(members, identity_of(33, given=[given("/opt/cache")]), keep)
    assert shown(found) == {"/opt": "dir 0755", "/opt/cache": f"dir 0755 33:33 | {GIVEN}", **TMP}


def test_what_is_named_is_opened_to_the_users_group() -> None:
    why = Reason("config-file", "/etc/redis/redis.conf", "test")
    wanted = [
        Opened(ImagePath("/keys"), 10001, 0o710, why),
        Opened(ImagePath("/keys/tls"), 10001, 0o640, why),
    ]
    members = [
        directory("tmp", mode=0o1777),
        directory("keys", mode=0o700),
        file("keys/tls", mode=0o600),
        file("keys/other", mode=0o600),
    ]
    assert shown(decided(members, identity_of(10001, opened=wanted))) == {
        "/keys": (
            "dir 0710 0:10001 | opened: group 0 → 10001, mode 0700 → 0710:"
            " named by /etc/redis/redis.conf"
        ),
        "/keys/other": "file 0600",
        "/keys/tls": (
            "file 0640 0:10001 | opened: group 0 → 10001, mode 0600 → 0640:"
            " named by /etc/redis/redis.conf"
        ),
        **TMP,
    }


def test_account_files_keep_owner_mode_and_attributes() -> None:
    members = [
        directory("tmp", mode=0o1777),
        file("etc/passwd", "root:x:0:0::/:\nweb:x:33:33::/:\n", mode=0o664, gid=7),
        file("etc/shadow", "root:*:1::::::\nweb:*:1::::::\n", mode=0o640, gid=42),
        file("etc/gshadow", "web:*::\n", mode=0o640, gid=42),
    ]
    identity = replace(
        identity_of(33),
        passwd=("web:x:33:33::/:",),
        group=("web:x:33:",),
        shadow=("web:*:1::::::",),
        gshadow=("web:*::",),
    )
    plan = decided(members, identity)
    only = "accounts: only the accounts that are needed"
    assert shown(plan) == {
        "/etc": "dir 0755",
        "/etc/group": "file 0644 | added: added: the account of the user",
        "/etc/gshadow": "file 0640 0:42",
        "/etc/passwd": f"file 0664 0:7 | {only}",
        "/etc/shadow": f"file 0640 0:42 | {only}",
        **TMP,
    }
    contents = {item.entry.path: item.content for item in plan.entries if item.content}
    assert contents == {
        "/etc/group": b"web:x:33:\n",
        "/etc/passwd": b"web:x:33:33::/:\n",
        "/etc/shadow": b"web:*:1::::::\n",
    }


def test_two_account_files_in_one_are_refused() -> None:
    identity = replace(identity_of(33), shadow=("web:*:1::::::",), passwd=("web:x:33:33::/:",))
    with pytest.raises(ClosureError, match="/etc/passwd and /etc/shadow are one file"):
        decided(["etc/passwd", "etc/shadow -> passwd"], identity)


@pytest.mark.parametrize(
    ("members", "is_changed", "expected"),
    [
        ([], False, {"/tmp": "dir 1777 | added: added: a directory for temporary files"}),
        ([directory("tmp")], False, {"/tmp": "dir 0755"}),
        (
            [directory("tmp"), directory("var/tmp", mode=0o700)],
            True,
            {
                "/tmp": "dir 1777 | temporary: mode 0755 → 1777: temporary files",
                "/var": "dir 0755",
                "/var/tmp": "dir 1777 | temporary: mode 0700 → 1777: temporary files",
            },
        ),
        (
            [directory("tmp", mode=0o777)],
            False,
            {"/tmp": "dir 1777 | temporary: mode 0777 → 1777: temporary files"},
        ),
        (
            ["tmp -> var/tmp", "var/tmp/"],
            True,
            {
                "/tmp": "link -> var/tmp",
                "/var": "dir 0755",
                "/var/tmp": "dir 1777 | temporary: mode 0755 → 1777: temporary files",
            },
        ),
        # A hostile link does not open anything else.
        (["tmp -> etc", "etc/"], True, {"/tmp": "link -> etc", "/etc": "dir 0755"}),
    ],
)
def test_directories_for_temporary_files(
    members: list[Member | str],
    is_changed: bool,  # noqa: FBT001 (a column of the table)
    expected: dict[str, str],
) -> None:
    user = identity_of(33) if is_changed else ROOT_USER
    assert shown(decided(members, user)) == expected
