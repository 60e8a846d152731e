"""Privileges in, what is left of them and what is said about it out."""

# ruff: noqa: S108 (/tmp is the image's)

from __future__ import annotations

import pytest
from filetree.kit import (
    Member,
    character,
    directory,
    file,
    hardlink,
    tree_of,
    unhurried,
)
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from minify.closure import EVERYBODY, RunsAs
from minify.image.jsontext import Json
from minify.planning import ChangeKind, Plan, PlanOptions
from planning.kit import (
    NET_RAW_EP,
    NET_RAW_P,
    REASON,
    ROOT_USER,
    config_of,
    decided,
    identity_of,
    keep_of,
    program,
    shown,
)

TMP = {"/tmp": "dir 1777"}
APPUSER = identity_of(10001)
PASSWD = file("etc/passwd", "root:x:0:0::/:/bin/sh\nweb:x:33:34::/:/bin/sh\ndb:x:5:5::/:\n")
KEPT_ACCOUNTS = {"/etc": "dir 0755", "/etc/passwd": "file 0644"}


def members_of(*members: Member | str) -> list[Member | str]:
    return [directory("tmp", mode=0o1777), *members]


def gaps(plan: Plan) -> list[str]:
    return [f"{gap.reason.rule} {gap.reason.detail} ({gap.hint})" for gap in plan.gaps]


def test_setuid_and_setgid_bits_are_stripped_and_listed() -> None:
    members = members_of(
        program("su", mode=0o4755),
        program("wall", mode=0o2755),
        program("both", mode=0o6711),
        hardlink("sudo", "su"),
        directory("shared", mode=0o2775),
    )
    plan = decided(members, APPUSER)
    setuid = "setuid: mode 4755 → 0755: setuid stripped"
    assert shown(plan) == {
        "/both": "file 0711 | setuid: mode 6711 → 0711: setuid and setgid stripped",
        "/shared": "dir 2775",
        "/su": f"file 0755 #1 | {setuid}",
        "/sudo": f"file 0755 #1 | {setuid}",
        "/wall": "file 0755 | setuid: mode 2755 → 0755: setgid stripped",
        **TMP,
    }
    assert plan.gaps == ()
    assert plan.advice.no_new_privileges


def test_keep_setuid_keeps_them() -> None:
    members = members_of(program("su", mode=0o4755))
    plan = decided(members, APPUSER, options=PlanOptions(keep_setuid=True))
    assert shown(plan) == {"/su": "file 4755", **TMP}
    assert not plan.advice.no_new_privileges


def test_a_command_that_loses_its_setuid_bit_is_a_gap() -> None:
    members = members_of(program("su", mode=0o4755), program("other", mode=0o4755))
    keep = keep_of(tree_of(members), hard=["/su"])
    assert gaps(decided(members, APPUSER, keep)) == [
        (
            "hardening.setuid /su has lost its setuid bit: whoever runs it stays who he is"
            " (keep it with --keep-setuid)"
        )
    ]


def test_root_does_not_miss_roots_setuid_bit() -> None:
    members = members_of(program("su", mode=0o4755))
    keep = keep_of(tree_of(members), hard=["/su"])
    plan = decided(members, ROOT_USER, keep)
    assert shown(plan)["/su"] == "file 0755 | setuid: mode 4755 → 0755: setuid stripped"
    assert plan.gaps == ()


def test_root_that_changes_to_others_misses_it() -> None:
    members = members_of(program("su", mode=0o4755))
    keep = keep_of(tree_of(members), hard=["/su"], runs_as=[RunsAs(EVERYBODY, REASON)])
    assert len(decided(members, ROOT_USER, keep).gaps) == 1


def test_capabilities_stay_where_a_user_surely_runs_the_file() -> None:
    members = members_of(
        program("ping", capabilities=NET_RAW_EP),
        program("plugin", capabilities=NET_RAW_EP),
        program("broken", capabilities=NET_RAW_EP[:-1]),
    )
    keep = keep_of(tree_of(members), hard=["/ping", "/broken"])
    plan = decided(members, APPUSER, keep)
    assert shown(plan) == {
        "/broken": "file 0755 | capability: security.capability dropped: malformed: 19 bytes;"
        " expected 12, 20 or 24",
        "/ping": "file 0755 cap_net_raw=ep",
        "/plugin": "file 0755 | capability: security.capability cap_net_raw=ep dropped",
        **TMP,
    }
    assert gaps(plan) == [
        (
            "hardening.capability /broken has lost its capabilities, which are malformed"
            " (set them again with setcap)"
        )
    ]
    assert (plan.advice.capabilities, plan.advice.no_new_privileges) == (("NET_RAW",), False)


def test_roots_file_needs_no_capability() -> None:
    members = members_of(program("ping", capabilities=NET_RAW_P))
    keep = keep_of(tree_of(members), hard=["/ping"])
    plan = decided(members, ROOT_USER, keep)
    assert shown(plan)["/ping"] == (
        "file 0755 | capability: security.capability cap_net_raw=p dropped"
    )
    assert plan.gaps == ()


def test_one_name_that_is_surely_run_keeps_the_capabilities_of_its_inode() -> None:
    members = members_of(program("ping", capabilities=NET_RAW_P), hardlink("ping6", "ping"))
    keep = keep_of(tree_of(members), hard=["/ping6"])
    assert shown(decided(members, APPUSER, keep)) == {
        "/ping": "file 0755 #1 cap_net_raw=p",
        "/ping6": "file 0755 #1 cap_net_raw=p",
        **TMP,
    }


OPEN = members_of(
    directory("srv/cache", mode=0o777),
    directory("srv/sticky", mode=0o1777),
    directory("usr", mode=0o777),
    file("srv/list", mode=0o666),
    program("srv/tool", mode=0o4777),
    "srv/link -> list",
    character("null", 1, 3),
    PASSWD,
)
UNTOUCHED = {
    **KEPT_ACCOUNTS,
    "/null": "char 0644 1,3",
    "/srv": "dir 0755",
    "/srv/link": "link -> list",
    "/srv/sticky": "dir 1777",
    **TMP,
}
CLOSED = "was writable by everybody"
STRIPPED = "setuid: mode 4777 → 0777: setuid stripped | world-writable:"


def test_what_everybody_can_write_becomes_the_users() -> None:
    assert shown(decided(OPEN, APPUSER)) == {
        **UNTOUCHED,
        "/srv/cache": "dir 0775 10001:10001 | world-writable: owner 0:0 → 10001:10001,"
        f" mode 0777 → 0775: {CLOSED}",
        "/srv/list": "file 0664 10001:10001 | world-writable: owner 0:0 → 10001:10001,"
        f" mode 0666 → 0664: {CLOSED}",
        "/srv/tool": f"file 0775 10001:10001 | {STRIPPED} owner 0:0 → 10001:10001,"
        f" mode 0777 → 0775: {CLOSED}",
        # A directory of everybody is nobody's own.
        "/usr": f"dir 0775 | world-writable: mode 0777 → 0775: {CLOSED}",
    }


def test_root_writes_anyway() -> None:
    assert shown(decided(OPEN, ROOT_USER)) == {
        **UNTOUCHED,
        "/srv/cache": f"dir 0775 | world-writable: mode 0777 → 0775: {CLOSED}",
        "/srv/list": f"file 0664 | world-writable: mode 0666 → 0664: {CLOSED}",
        "/srv/tool": f"file 0775 | {STRIPPED} mode 0777 → 0775: {CLOSED}",
        "/usr": f"dir 0775 | world-writable: mode 0777 → 0775: {CLOSED}",
    }


def test_the_one_account_that_root_changes_to_can_still_write() -> None:
    keep = keep_of(tree_of(OPEN), runs_as=[RunsAs("web", REASON), RunsAs("root", REASON)])
    found = shown(decided(OPEN, ROOT_USER, keep))
    assert found["/srv/cache"] == (
        f"dir 0775 33:34 | world-writable: owner 0:0 → 33:34, mode 0777 → 0775: {CLOSED}"
    )


@pytest.mark.parametrize("names", [["web", "db"], ["nobody-knows"], [EVERYBODY]])
def test_what_several_may_have_to_write_stays_open_with_a_warning(names: list[str]) -> None:
    keep = keep_of(tree_of(OPEN), runs_as=[RunsAs(name, REASON) for name in names])
    plan = decided(OPEN, ROOT_USER, keep)
    found = shown(plan)
    assert [found["/srv/cache"], found["/srv/list"]] == ["dir 0777", "file 0666"]
    assert [warning.partition(" is ")[0] for warning in plan.warnings] == [
        "/srv/cache (0777)",
        "/srv/list (0666)",
        "/srv/tool (0777)",
        "/usr (0777)",
    ]


def test_what_is_minified_is_not_hardened_again() -> None:
    members = members_of(program("su", mode=0o4755), file("open", mode=0o666))
    once = config_of().changed(
        {
            "history": [{"created_by": "minify"}],
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]},
        }
    )
    run: dict[str, Json] = dict(once.raw)
    plan = decided(members, ROOT_USER, top=run)
    assert shown(plan) == {"/open": "file 0666", "/su": "file 4755", **TMP}
    assert plan.changes == ()


_MODES = st.integers(0, 0o7777)


@unhurried
@hypothesis_given(
    st.lists(st.tuples(_MODES, st.booleans(), st.booleans(), st.booleans()), max_size=6),
    st.sampled_from([0, 33, 10001]),
    st.sampled_from([PlanOptions(), PlanOptions(keep_setuid=True)]),
    st.booleans(),
)
def test_nothing_gains_a_privilege(
    files: list[tuple[int, bool, bool, bool]],
    uid: int,
    options: PlanOptions,
    is_arbitrary: bool,  # noqa: FBT001 (hypothesis hands it over)
) -> None:
    members: list[Member | str] = []
    hard = []
    for number, (mode, is_directory, is_hard, has_capabilities) in enumerate(files):
        name = f"n{number}"
        capabilities = NET_RAW_EP if has_capabilities else b""
        one = program(name, mode=mode, capabilities=capabilities)
        members.append(directory(name, mode=mode) if is_directory else one)
        hard += [f"/{name}"] if is_hard else []
    tree = tree_of(members)
    identity = identity_of(uid, is_arbitrary=is_arbitrary)
    plan = decided(members, identity, keep_of(tree, hard=hard), options=options)
    for item in plan.entries:
        old, kinds = tree.get(item.entry.path), {change.kind for change in item.changes}
        if old is None:
            assert kinds == {ChangeKind.ADDED}
            continue
        assert not item.entry.mode & ~old.mode & 0o7002
        assert set(item.entry.xattrs) <= set(old.xattrs)
        if item.entry.mode & 0o6000 and old.kind is old.kind.FILE:
            assert options.keep_setuid
            # A privileged file never becomes another owner's.
            assert (item.entry.uid, item.entry.gid) == (old.uid, old.gid)
