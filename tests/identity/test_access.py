"""What is opened to the user's group, what is a gap, and what refuses a user."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from filetree.kit import Member, directory, file, hardlink

from identity.kit import (
    ACCOUNTS,
    chosen,
    keeping,
    opened,
    runs_as,
    shown,
    together,
    writes,
)
from minify.closure import Grade, KeepSet, Kept, Reason
from minify.filetree import ImagePath
from minify.identity import Wishes

KEY = file("etc/app/key", mode=0o600)
PRIVATE = (
    directory("etc/ssl/private", mode=0o710, gid=110),
    file("etc/ssl/private/k", mode=0o640, gid=110),
)


@pytest.mark.parametrize(
    ("members", "keep", "expected"),
    [
        ([KEY], keeping("/etc/app/key", rule="elf.needed"), "/etc/app/key=10001:0640"),
        ([KEY], keeping(soft={"/etc/app/key": "config-file"}), "/etc/app/key=10001:0640"),
        ([KEY], keeping(soft={"/etc/app/key": "config.operand"}), "/etc/app/key=10001:0640"),
        ([KEY], keeping(soft={"/etc/app/key": "config.env"}), "/etc/app/key=10001:0640"),
        ([KEY], keeping(soft={"/etc/app/key": "app.directory"}), "/etc/app/key=10001:0640"),
        ([KEY], keeping(soft={"/etc/app/key": "package.data"}), "/etc/app/key=10001:0640"),
        ([file("etc/key", mode=0o666)], keeping("/etc/key", rule="s"), ""),
        # Of another group's bits nothing is left to the user's.
        ([file("k", mode=0o660, gid=110)], keeping("/k", rule="script"), "/k=10001:0640"),
        (
            [directory("root", mode=0o700), file("root/app.conf")],
            keeping("/root/app.conf", rule="config.operand"),
            "/root=10001:0710",
        ),
        (
            [directory("root", mode=0o700), file("root/main.py", mode=0o600)],
            keeping("/root", "/root/main.py", rule="config.workdir"),
            "/root=10001:0750 /root/main.py=10001:0640",
        ),
        (
            PRIVATE,
            keeping(soft={"/etc/ssl/private/k": "config-file"}),
            "/etc/ssl/private=10001:0710 /etc/ssl/private/k=10001:0640",
        ),
        (
            [file("a", mode=0o600), hardlink("b", "a"), hardlink("c", "a")],
            keeping("/a", soft={"/b": "x"}, rule="script"),
            "/a=10001:0640 /b=10001:0640",
        ),
        # What is given suffices.
        (
            [directory("data", mode=0o700), file("data/key", mode=0o600)],
            together(keeping("/data/key", rule="script"), writes("/data")),
            "",
        ),
    ],
)  # fmt: skip
def test_what_the_program_reads_is_opened_to_the_users_group(
    members: Sequence[Member], keep: KeepSet, expected: str
) -> None:
    identity = chosen("", [*ACCOUNTS, *members], keep)
    assert (identity.user, identity.gaps, opened(identity)) == ("10001", (), expected)


def test_a_user_of_the_right_group_needs_nothing_opened() -> None:
    keep = together(keeping("/etc/ssl/private/k", rule="config-file"), runs_as("web"))
    assert opened(chosen("", [*ACCOUNTS, *PRIVATE], keep)) == ""
    assert (
        opened(chosen("", [*ACCOUNTS, *PRIVATE], keep, Wishes("web:web")))
        == "/etc/ssl/private=33:0710 /etc/ssl/private/k=33:0640"
    )


@pytest.mark.parametrize(
    ("members", "keep", "refusal"),
    [
        ([file("k", mode=0o2600)], keeping("/k", rule="s"), "/k cannot be read (0:0 2600)"),
        (
            [file("k", mode=0o600, xattrs={"security.capability": "x"})],
            keeping("/k", rule="s"),
            "/k cannot be read (0:0 0600)",
        ),
        (
            [file("etc/sudoers.d/x", mode=0o440)],
            keeping("/etc/sudoers.d/x", rule="s"),
            "/etc/sudoers.d/x cannot be read (0:0 0440)",
        ),
        (
            [file("etc/shadow", mode=0o640, gid=42)],
            keeping("/etc/shadow", rule="s"),
            "/etc/shadow cannot be read (0:42 0640)",
        ),
        (
            [file("k", mode=0o040, uid=33)],
            together(keeping("/k", rule="s")),
            "/k cannot be read (33:0 0040)",
        ),
        (
            [directory("data", mode=0o000, uid=33), file("data/k")],
            together(keeping("/data/k", rule="s"), writes("/data")),
            "/data cannot be entered (33:0 0000)",
        ),
        (
            [directory("opt", mode=0o700), file("opt/x", mode=0o755)],
            keeping(soft={"/opt/x": "app.directory"}),
            "/opt cannot be entered (0:0 0700)",
        ),
    ],
)
def test_what_has_a_privilege_or_is_the_users_already_is_not_opened(
    members: Sequence[Member], keep: KeepSet, refusal: str
) -> None:
    identity = chosen("", [*ACCOUNTS, *members], together(keep, runs_as("web")))
    assert (identity.rejected[0].user, identity.rejected[0].refusals) == ("web", (refusal,))


@pytest.mark.parametrize(
    ("members", "soft", "gaps"),
    [
        (
            [file("etc/k", mode=0o600)],
            {"/etc/k": "skeleton.special"},
            "identity.unreadable /etc/k is kept, but 10001 cannot read it (0:0 0600)",
        ),
        (
            [file("srv/k", mode=0o640, gid=33)],
            {"/srv/k": "package.data"},
            "identity.unreadable /srv/k is kept, but 10001 cannot read it (0:33 0640)",
        ),
        (
            [directory("r", mode=0o700), file("r/a"), file("r/b")],
            {"/r/a": "base", "/r/b": "base"},
            "identity.unreadable /r has files that are kept, but 10001 cannot enter it (0:0 0700)",
        ),
        ([directory("root", mode=0o700)], {"/root": "skeleton.standard"}, ""),
        ([file("etc/shadow", mode=0o600)], {"/etc/shadow": "config-file"}, ""),
        ([file("x", mode=0o700)], {"/x": "package.data"}, ""),
    ],
)
def test_what_else_stays_unreadable_is_a_gap(
    members: Sequence[Member], soft: dict[str, str], gaps: str
) -> None:
    identity = chosen("", [*ACCOUNTS, *members], keeping(soft=soft))
    found = shown(identity)
    assert (found["user"], found.get("opened", "")) == (
        "10001 = appuser 10001:10001, changed",
        "",
    )
    assert found.get("gaps", "") == gaps


def mentioning(path: str, by: str) -> KeepSet:
    """`path` is kept since `by` has it among its texts."""
    kept = {ImagePath(path): Kept(Grade.SOFT, (Reason("strings.file", by, f"contains {path}"),))}
    return replace(keeping(), kept=kept)


@pytest.mark.parametrize(
    ("keep", "gaps"),
    [
        # What a library mentions may be for another program: /var/log/btmp is root's to write.
        (together(mentioning("/k", "/lib/pam.so"), keeping(soft={"/lib/pam.so": "pam"})), ""),
        (
            together(mentioning("/k", "/app"), keeping("/app")),
            "identity.unreadable /k is kept, but 10001 cannot read it (0:0 0600)",
        ),
        (keeping(soft={"/k": "shell.home"}), ""),
    ],
)
def test_only_what_the_program_reads_is_missed(keep: KeepSet, gaps: str) -> None:
    members = [*ACCOUNTS, file("k", mode=0o600), file("app", mode=0o755), file("lib/pam.so")]
    assert shown(chosen("", members, keep)).get("gaps", "") == gaps


@pytest.mark.parametrize(
    ("rule", "is_gap"), [("service.configuration", False), ("script.path", True)]
)
def test_what_a_program_could_not_read_before_is_not_missed(rule: str, *, is_gap: bool) -> None:
    # The entrypoint becomes `web` before it starts the program, in the source too.
    keep = together(keeping(soft={"/k": rule}), runs_as("web"))
    gaps = chosen("", [*ACCOUNTS, file("k", mode=0o600)], keep).gaps
    assert bool(gaps) == is_gap


def test_an_arbitrary_user_reads_by_group_0() -> None:
    members = [*ACCOUNTS, KEY, directory("data", mode=0o700), file("data/x", mode=0o600)]
    keep = together(keeping("/etc/app/key", "/data/x", rule="script"), writes("/data"))
    identity = chosen("web", members, keep, Wishes(arbitrary_uid=True))
    assert shown(identity, "passwd", "group") == {
        "user": "33:0 = web 33:0, arbitrary",
        "why": "the image's own",
        "given": "/data/**",
        "opened": "/etc/app/key=0:0640",
    }
