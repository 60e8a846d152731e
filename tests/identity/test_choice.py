"""Which user the result gets, asserted as `USER | why | passwd | group`."""

from collections.abc import Sequence

import pytest
from filetree.kit import Member, directory, file, tree_of

from minify.closure import CONFIG, Grade, KeepSet, Kept, Reason, RunsAs
from minify.errors import ClosureError, UsageError
from minify.filetree import FileTree, ImagePath
from minify.identity import Identity, Wishes, choose_user
from minify.image import ImageConfig

USERS = "root:x:0:0:root:/root:/bin/bash\nweb:x:33:33::/var/www:/bin/sh\n"
GROUP = "root:x:0:\nweb:x:33:\nssl:x:110:web\ndocker:x:999:other\n"
ACCOUNTS = [file("etc/passwd", USERS), file("etc/group", GROUP)]


def keeping(*hard: str, rule: str = "config.entrypoint", accounts: Sequence[str] = ()) -> KeepSet:
    reason = Reason(rule, CONFIG, "test")
    kept = {ImagePath(path): Kept(Grade.HARD, (reason,)) for path in hard}
    return KeepSet(kept, (), (), tuple(RunsAs(name, reason) for name in accounts), (), {})


def chosen(
    user: str, members: Sequence[Member | str], keep: KeepSet, request: str | None = None
) -> Identity:
    tree: FileTree = tree_of(members)
    config = ImageConfig.new({"config": {"User": user}}, "test")
    return choose_user(Wishes(request), config, keep, tree)


def shown(identity: Identity) -> str:
    passwd = "as it is" if identity.passwd is None else " ".join(identity.passwd)
    group = "as it is" if identity.group is None else " ".join(identity.group)
    return f"{identity.user} | {identity.why} | {passwd} | {group}"


@pytest.mark.parametrize("user", ["", "root", "0", "0:0", "root:root"])
def test_root_becomes_appuser(user: str) -> None:
    identity = chosen(user, [*ACCOUNTS, file("app", mode=0o755)], keeping("/app"))
    assert shown(identity) == (
        "10001 | the default: not root | appuser:x:10001:10001::/nonexistent:/sbin/nologin"
        " | appuser:x:10001:"
    )
    assert identity.is_changed


@pytest.mark.parametrize("user", ["web", "33", "web:web", "33:33"])
def test_another_user_stays_with_exactly_its_entries(user: str) -> None:
    identity = chosen(user, [*ACCOUNTS, file("app", mode=0o700)], keeping("/app"))
    groups = "web:x:33:" if ":" in user else "web:x:33: ssl:x:110:web"
    assert shown(identity) == (
        f"{user} | the image's own | web:x:33:33::/var/www:/bin/sh | {groups}"
    )
    assert not identity.is_changed


def test_a_number_without_an_entry_stays() -> None:
    assert shown(chosen("1234", ACCOUNTS, keeping())) == "1234 | the image's own |  | "


def test_accounts_that_configuration_names_stay() -> None:
    identity = chosen("", ACCOUNTS, keeping(accounts=["web", "nobody"]))
    assert identity.passwd == (
        "web:x:33:33::/var/www:/bin/sh",
        "appuser:x:10001:10001::/nonexistent:/sbin/nologin",
    )
    assert identity.group == ("web:x:33:", "appuser:x:10001:")


@pytest.mark.parametrize(
    ("members", "rule", "why"),
    [
        ([file("app", mode=0o744)], "config.cmd", "/app cannot be executed (0:0 0744)"),
        ([file("app", mode=0o640)], "elf.needed", "/app cannot be read (0:0 0640)"),
        (
            [directory("opt", mode=0o700), file("opt/app", mode=0o755)],
            "config.cmd",
            "/opt cannot be entered (0:0 0700)",
        ),
    ],
)
def test_root_stays_where_appuser_could_not_run_the_program(
    members: list[Member], rule: str, why: str
) -> None:
    path = f"/{members[-1].name}"
    identity = chosen("", [*ACCOUNTS, *members], keeping(path, rule=rule))
    assert shown(identity) == (
        f" | kept: appuser could not run the program: {why} | as it is | as it is"
    )
    assert not identity.is_changed


def test_a_program_may_be_unreadable_but_a_script_may_not() -> None:
    identity = chosen("", [file("app", b"\x7fELF", mode=0o711)], keeping("/app"))
    assert identity.user == "10001"
    identity = chosen("", [*ACCOUNTS, file("app", "#!/bin/sh\n", mode=0o711)], keeping("/app"))
    assert identity.why.endswith("/app cannot be read (0:0 0711)")


def test_a_working_directory_has_to_be_entered() -> None:
    identity = chosen("", [*ACCOUNTS, directory("root", mode=0o700)], keeping("/root"))
    assert identity.why.endswith("/root cannot be entered (0:0 0700)")


def test_what_only_the_user_keeps_decides_nothing() -> None:
    shadow = [*ACCOUNTS, file("etc/shadow", mode=0o600)]
    assert chosen("", shadow, keeping("/etc/shadow", rule="user.keep")).user == "10001"


def test_an_appuser_keeps_its_groups() -> None:
    members = [
        file("etc/passwd", "appuser:x:7:8::/:/x\n"),
        file("etc/group", "own:x:8:\naudio:x:29:appuser\n"),
        file("app", mode=0o750, gid=29),
    ]
    identity = chosen("", members, keeping("/app", rule="elf.needed"))
    assert shown(identity) == (
        "7 | the default: not root | appuser:x:7:8::/:/x | own:x:8: audio:x:29:appuser"
    )


def test_a_requested_number_is_checked_with_the_group_it_gets() -> None:
    members = [*ACCOUNTS, file("app", mode=0o750)]
    with pytest.raises(ClosureError, match="/app cannot be executed"):
        chosen("", members, keeping("/app"), "5000")


@pytest.mark.parametrize("user", ["9" * 5000, "4294967295", "2147483648"])
def test_a_number_out_of_bounds_is_no_user(user: str) -> None:
    with pytest.raises(ClosureError, match="no engine can start it"):
        chosen(user, ACCOUNTS, keeping())


def test_engines_read_numbers_with_zeros_and_short_lines() -> None:
    assert chosen("033", ACCOUNTS, keeping()).uid == 33
    assert chosen("short", [file("etc/passwd", "short:x:5:6:\n")], keeping()).gid == 6


def test_a_taken_number_is_not_used_again() -> None:
    members = [
        file("etc/passwd", "x:x:10001:10001::/:/bin/sh\n"),
        file("etc/group", "y:x:10002:\n"),
    ]
    identity = chosen("", members, keeping())
    assert identity.passwd == ("appuser:x:10003:10003::/nonexistent:/sbin/nologin",)
    assert identity.user == "10003"


def test_an_appuser_that_exists_is_the_one() -> None:
    members = [
        file("etc/passwd", "appuser:x:7:8::/home/a:/bin/sh\n"),
        file("etc/group", "g:x:8:\n"),
    ]
    identity = chosen("", members, keeping())
    assert shown(identity) == "7 | the default: not root | appuser:x:7:8::/home/a:/bin/sh | g:x:8:"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("keep", " | kept, as --user keep asks | as it is | as it is"),
        ("0", "0 | as --user asks | root:x:0:0:root:/root:/bin/bash | root:x:0:"),
        (
            "web",
            "33 | as --user asks | web:x:33:33::/var/www:/bin/sh | web:x:33: ssl:x:110:web",
        ),
        ("web:ssl", "33:110 | as --user asks | web:x:33:33::/var/www:/bin/sh | ssl:x:110:web"),
        (
            "500",
            "500 | as --user asks | appuser:x:500:500::/nonexistent:/sbin/nologin | appuser:x:500:",
        ),
        (
            "500:33",
            "500:33 | as --user asks | appuser:x:500:33::/nonexistent:/sbin/nologin | web:x:33:",
        ),
    ],
)
def test_a_requested_user_is_taken(request_: str, expected: str) -> None:
    assert shown(chosen("", ACCOUNTS, keeping(), request_)) == expected


def test_a_requested_user_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(UsageError, match=r"--user nope: .* no 'nope'; it has root, web"):
        chosen("", ACCOUNTS, keeping(), "nope")


def test_a_requested_user_that_cannot_run_the_program_is_refused() -> None:
    members = [*ACCOUNTS, file("app", mode=0o700)]
    with pytest.raises(ClosureError, match=r"--user web: .*/app cannot be executed"):
        chosen("", members, keeping("/app"), "web")


def test_an_image_whose_user_does_not_exist_is_refused() -> None:
    with pytest.raises(ClosureError, match="USER nope: /etc/passwd of the image has no 'nope'"):
        chosen("nope", ACCOUNTS, keeping())


def test_damaged_lines_are_skipped() -> None:
    damaged = "# c\n\nbroken\nneg:x:-1:0::/:/x\nbig:x:99999999999:0::/:/x\nok:x:5:5::/:/x\n"
    identity = chosen("ok", [file("etc/passwd", damaged)], keeping())
    assert identity.passwd == ("ok:x:5:5::/:/x",)
