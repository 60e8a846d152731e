"""How a result fits a hardened runtime: members and findings in, the whole advice as lines out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from filetree.kit import Member, directory, file, tree_of

from minify.closure import Grade, RunsAs, Writes, Written
from minify.identity import Given, Identity
from minify.image.jsontext import Json
from minify.planning import Plan, PlanOptions
from planning.kit import (
    NET_RAW_EP,
    REASON,
    ROOT_USER,
    decided,
    given,
    identity_of,
    keep_of,
    program,
)

BASE: list[Member | str] = [
    directory("tmp", mode=0o1777),
    directory("var/tmp", mode=0o1777),
    directory("run"),
    directory("run/lock", mode=0o1777),
]
RUN = given("/run", is_tree=False)
TEMPORARY = ["tmpfs /run 33:33 0755", "tmpfs /tmp 0:0 1777", "tmpfs /var/tmp 0:0 1777"]


def mounts(plan: Plan) -> list[str]:
    return [
        f"{mount.kind.value}{' declared' * mount.is_declared} {mount.path}"
        f" {mount.uid}:{mount.gid} {mount.mode:04o}{f' {mount.files} files' * bool(mount.files)}"
        for mount in plan.advice.mounts
    ]


def user_of(*given: Given) -> Identity:
    return identity_of(33, given=(RUN, *given))


def writes(path: str, what: Written = Written.TREE) -> Writes:
    return Writes(path, REASON, what)


@pytest.mark.parametrize(
    ("members", "places", "expected"),
    [
        # Empty places are in memory, each with its owner and mode.
        (
            [directory("var/cache/app", mode=0o700)],
            ["/var/cache/app"],
            ["tmpfs /var/cache/app 33:33 0700"],
        ),
        # Files stay seen in a volume only.
        (
            [file("var/cache/app/db")],
            ["/var/cache/app"],
            ["volume /var/cache/app 33:33 0755 1 files"],
        ),
        # So do directories that the program may expect; what is in them comes along.
        (
            ["var/cache/app/queue/"],
            ["/var/cache/app", "/var/cache/app/queue"],
            ["tmpfs /var/cache/app 33:33 0755", "tmpfs /var/cache/app/queue 33:33 0755"],
        ),
        (["var/cache/app/queue/"], ["/var/cache/app"], ["volume /var/cache/app 33:33 0755"]),
        # What is within a volume is in it.
        (
            ["var/cache/app/queue/", "var/cache/app/file"],
            ["/var/cache/app", "/var/cache/app/queue"],
            ["volume /var/cache/app 33:33 0755 1 files"],
        ),
        # Data is not lost with the container.
        (["var/lib/app/"], ["/var/lib/app"], ["volume /var/lib/app 33:33 0755"]),
        (["run/app/"], ["/run/app"], ["tmpfs /run/app 33:33 0755"]),
    ],
)
def test_places_that_are_written_to(
    members: list[Member | str], places: list[str], expected: list[str]
) -> None:
    plan = decided([*BASE, *members], user_of(*map(given, places)))
    assert mounts(plan) == sorted([*TEMPORARY, *expected], key=lambda line: line.split()[1])
    assert plan.advice.unmounted == ()


@pytest.mark.parametrize(
    ("path", "runs_code"),
    [
        ("usr/bin/x86_64-linux-gnu-gcc-12", True),
        ("usr/bin/cc", True),
        ("opt/java/lib/server/libjvm.so", True),
        ("usr/share/doc/gcc/", False),
        ("usr/bin/abacc", False),
        ("usr/bin/gcc-ar", False),
    ],
)
def test_code_that_is_made_in_tmp_can_be_run(path: str, *, runs_code: bool) -> None:
    plan = decided([*BASE, path], user_of())
    found = {mount.path for mount in plan.advice.mounts if mount.runs_code}
    assert found == ({"/tmp", "/var/tmp"} if runs_code else set())  # noqa: S108  # of the image


def test_what_a_user_of_the_image_could_write_it_still_can() -> None:
    members = [*BASE, directory("var/cache/app", uid=33, gid=33), directory("var/log/app")]
    keep = keep_of(tree_of(members), writes=[writes("/var/cache/app"), writes("/var/log/app")])
    plan = decided(members, identity_of(33, is_changed=False), keep)
    assert mounts(plan) == [
        "tmpfs /tmp 0:0 1777",
        "tmpfs /var/cache/app 33:33 0755",
        "tmpfs /var/tmp 0:0 1777",
    ]


def test_empty_directory_of_the_users_is_for_what_it_makes() -> None:
    names = ("app/uploads", "app", "home/app", "app/views")
    places = (directory(name, uid=33, gid=33) for name in names)
    members = [*BASE, *places, file("app/views/page.html", uid=33, gid=33)]
    plan = decided(members, identity_of(33, is_changed=False))
    assert mounts(plan) == ["volume /app/uploads 33:33 0755", *TEMPORARY[1:]]


def test_directory_of_sources_is_not_mounted_over() -> None:
    members = [*BASE, file("app/main.py")]
    keep = keep_of(tree_of(members), writes=[writes("/app/last.json", Written.FILE)])
    plan = decided(members, user_of(given("/app", is_tree=False)), keep)
    assert mounts(plan) == TEMPORARY
    assert plan.advice.unmounted == ("/app", "/app/last.json")


def test_what_was_writable_by_everybody_is_written_to() -> None:
    members = [*BASE, directory("srv/upload", mode=0o777), file("srv/list", mode=0o666)]
    plan = decided(members, user_of())
    assert mounts(plan) == [
        "tmpfs /run 33:33 0755",
        "volume /srv/upload 33:33 0775",
        *TEMPORARY[1:],
    ]
    # Of a file it is not known.
    assert plan.advice.also_writable == ("/srv/list",)


def test_volumes_are_mounted_by_the_engine() -> None:
    run: dict[str, Json] = {"Volumes": {"/data": {}, "/none": {}, "/": {}}}
    plan = decided([*BASE, "data/file"], user_of(given("/data")), run=run)
    assert mounts(plan) == [
        "volume declared /data 33:33 0755 1 files",
        "volume declared /none 0:0 0755",
        *TEMPORARY,
    ]


def test_a_file_is_written_in_its_directory() -> None:
    members = [*BASE, file("var/log/app.log"), directory("etc/app"), file("etc/app/conf")]
    keep = keep_of(
        tree_of(members),
        writes=[
            writes("/run/app.pid", Written.FILE),
            writes("/etc/app/conf", Written.REPLACED),
        ],
    )
    plan = decided(members, user_of(given("/var/log/app.log"), given("/etc/app")), keep)
    assert mounts(plan) == [
        "volume /etc/app 33:33 0755 1 files",
        "tmpfs /run 33:33 0755",
        "tmpfs /tmp 0:0 1777",
        "volume /var/log 0:0 0755 1 files",
        "tmpfs /var/tmp 0:0 1777",
    ]


@pytest.mark.parametrize("path", ["/etc/app.conf", "/opt/a:b", "/opt/ü", '/opt/"'])
def test_where_nothing_can_be_mounted_the_root_stays_writable(path: str) -> None:
    members: list[Member | str] = [*BASE, file("etc/app.conf"), path[1:] + "/x", "etc/"]
    if path == "/etc/app.conf":
        members = [*BASE, file("etc/app.conf")]
    plan = decided(members, user_of(given(path)))
    assert plan.advice.unmounted == (path,)
    assert not plan.advice.is_read_only


def test_what_the_user_cannot_write_is_no_obstacle() -> None:
    members = [*BASE, file("etc/app.conf")]
    keep = keep_of(tree_of(members), writes=[writes("/etc/app.conf", Written.FILE)])
    assert decided(members, user_of(), keep).advice.is_read_only
    # Root can.
    advice = decided(members, ROOT_USER, keep).advice
    assert (advice.unmounted, advice.is_read_only) == (("/etc/app.conf",), False)


def test_of_root_only_that_is_said_which_findings_show() -> None:
    members = [*BASE, program("ping", capabilities=NET_RAW_EP)]
    runs_as = [RunsAs("33", REASON, Grade.HARD)]
    keep = keep_of(tree_of(members), hard=["/ping"], runs_as=runs_as)
    advice = decided(members, ROOT_USER, keep).advice
    assert advice.capabilities == ("NET_RAW", "SETGID", "SETUID")
    assert not advice.knows_capabilities
    soft = keep_of(tree_of(members), runs_as=[RunsAs("33", REASON)])
    assert decided(members, ROOT_USER, soft).advice.capabilities == ()


def test_ports_below_1024() -> None:
    ports = ["80/tcp", "8080/tcp", "53/udp", "443", "1024/tcp", "0/tcp", "x/tcp", "99999999/tcp"]
    run: dict[str, Json] = {"ExposedPorts": {port: {} for port in ports}}
    assert decided(BASE, user_of(), run=run).advice.ports == ("80/tcp", "53/udp", "443")


def test_groups_are_the_supplementary_ones() -> None:
    identity = replace(user_of(), groups=frozenset((33, 110, 5)))
    assert decided(BASE, identity).advice.groups == (5, 110)


def test_kept_setuid_programs_need_new_privileges() -> None:
    members = [*BASE, program("su", mode=0o4755), directory("shared", mode=0o2755)]
    assert decided(members, user_of()).advice.no_new_privileges
    kept = decided(members, user_of(), options=PlanOptions(keep_setuid=True))
    assert not kept.advice.no_new_privileges
