"""The `docker run` line, the pod's YAML, the JSON object and the sentences, whole."""

# ruff: noqa: S108 (/tmp is the image's)

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
import yaml
from filetree.kit import Member, directory, file, tree_of
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

from minify.closure import Grade, RunsAs
from minify.filetree import ImagePath
from minify.planning import Mount, MountKind, Plan, PlanOptions
from minify.report import running
from minify.report.publishing import published, volumes

VOLUME = MountKind.VOLUME

MEMBERS: list[Member | str] = [
    directory("tmp", mode=0o1777),
    directory("run"),
    directory("var/cache/app", mode=0o750),
    file("var/lib/app/index"),
]


def service() -> Plan:
    places = [given("/run", is_tree=False), given("/var/cache/app"), given("/var/lib/app")]
    user = replace(identity_of(33, given=places), groups=frozenset((33, 110)))
    return decided(MEMBERS, user, run={"ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}}})


def test_a_service() -> None:
    plan = service()
    assert shlex.split(running.docker_run(plan, "my image")) == [
        "docker",
        "run",
        "--publish=80:80",
        "--volume=my-image-data:/data",
        "--read-only",
        "--tmpfs=/run:uid=33,gid=33,mode=0755",
        "--tmpfs=/tmp",
        "--tmpfs=/var/cache/app:uid=33,gid=33,mode=0750",
        "--mount=type=volume,dst=/var/lib/app",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "my image",
    ]
    assert yaml.safe_load(running.pod(plan)) == {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 33,
            "runAsGroup": 33,
            "supplementalGroups": [110],
            "fsGroup": 33,
            "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "app",
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "writable-0", "mountPath": "/data"},
                    {"name": "writable-1", "mountPath": "/run"},
                    {"name": "writable-2", "mountPath": "/tmp"},
                    {"name": "writable-3", "mountPath": "/var/cache/app"},
                    {"name": "writable-4", "mountPath": "/var/lib/app"},
                ],
            }
        ],
        "volumes": [{"name": f"writable-{number}", "emptyDir": {}} for number in range(5)],
    }
    assert "# hides 1 file of the image" in running.pod(plan)
    ports, owners = running.explanations(plan)
    assert ports.startswith("80/tcp: docker 20.10 and later lets every user bind ports below 1024")
    assert owners == (
        "uid, gid and mode stand there since a tmpfs without them belongs to root; podman writes"
        " them as --mount type=tmpfs,dst=PATH,U=true"
    )


def test_a_service_as_json() -> None:
    plan = service()
    cache = {"path": "/var/lib/app", "kind": "volume", "declared": False, "mode": "0755"}
    found = dict(running.document(plan))
    (mount,) = [m for m in plan.advice.mounts if m.path == "/var/lib/app"]
    assert {**cache, "uid": 33, "gid": 33, "files": 1} in list(found.pop("mounts"))  # type: ignore[arg-type]
    assert mount.files == 1
    assert found == {
        "user": {"uid": 33, "gid": 33, "groups": [110], "arbitrary_uid": False},
        "read_only": True,
        "written_elsewhere": [],
        "also_writable": [],
        "capabilities": [],
        "capabilities_known": True,
        "no_new_privileges": True,
        "ports_below_1024": ["80/tcp"],
        "explanations": list(running.explanations(plan)),
    }


def test_a_program_with_a_capability() -> None:
    members: list[Member | str] = [*MEMBERS, program("ping", capabilities=NET_RAW_EP)]
    plan = decided(members, identity_of(33), keep_of(tree_of(members), hard=["/ping"]))
    line = running.docker_run(plan, "ping")
    assert line == "docker run --read-only --tmpfs=/tmp --cap-drop=ALL --cap-add=NET_RAW ping"
    (container,) = yaml.safe_load(running.pod(plan))["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": True,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]},
    }
    assert running.explanations(plan) == (
        (
            "NET_RAW: a program of the image has it as a file capability; where the container may"
            " not have it the program does not start, and no-new-privileges would take it away"
        ),
    )


def test_root_that_changes_to_another_user() -> None:
    keep = keep_of(tree_of(MEMBERS), runs_as=[RunsAs("33", REASON, Grade.HARD)])
    plan = decided(MEMBERS, ROOT_USER, keep, run={"ExposedPorts": {"80/tcp": {}}})
    line = running.docker_run(plan, "app")
    assert line == "docker run --publish=80:80 --security-opt=no-new-privileges app"
    found = yaml.safe_load(running.pod(plan))
    assert found["securityContext"] == {
        "runAsNonRoot": False,
        "runAsUser": 0,
        "runAsGroup": 0,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert "capabilities" not in found["containers"][0]["securityContext"]
    assert running.explanations(plan) == (
        (
            "the image runs as root: what it writes to and which capabilities it can do without is"
            " not worked out, so the root file system stays writable and none is dropped; it surely"
            " needs SETGID, SETUID"
        ),
    )


def test_an_arbitrary_user() -> None:
    plan = decided(MEMBERS, identity_of(33, is_arbitrary=True))
    assert yaml.safe_load(running.pod(plan))["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert running.explanations(plan) == (
        "any user id does, as long as its group is 0: docker run --user 12345:0",
    )


@pytest.mark.parametrize(
    ("ports", "options"),
    [
        ("", ""),
        ("8080/tcp", "--publish=8080:8080"),
        ("53/udp 53/tcp 9/sctp", "--publish=9:9/sctp --publish=53:53 --publish=53:53/udp"),
        ("7002/tcp 7000/tcp 7001/tcp 7004", "--publish=7000-7002:7000-7002 --publish=7004:7004"),
        ("7000-7009/tcp 7005-7020/tcp", "--publish=7000-7020:7000-7020"),
        ("0/tcp 70000/tcp 9-1/tcp x/tcp 1/icmp \x1b[31m", ""),
        (" ".join(map(str, range(1, 99, 2))), "--publish-all"),
    ],
)
def test_exposed_ports_are_published(ports: str, options: str) -> None:
    assert " ".join(published(ports.split())) == options


@pytest.mark.parametrize(
    ("image", "names"),
    [
        ("db", ["db-data", "db-var-lib-x"]),
        ("host:5000/a/db:1@sha256:0", ["db-data", "db-var-lib-x"]),
        ("IMAGE", ["app-data", "app-var-lib-x"]),
    ],
)
def test_a_declared_volume_has_the_name_of_the_image_and_its_path(
    image: str, names: list[str]
) -> None:
    paths = ("/data", "/var/lib/x", "/var/lib-x", "/a:b", "/e\x1b[31m")
    mounts = [Mount(ImagePath(path), VOLUME, 0, 0, 0o755, is_declared=True) for path in paths]
    mounts.append(Mount(ImagePath("/cache"), VOLUME, 0, 0, 0o755))
    assert list(volumes(mounts, image)) == [
        f"--volume={name}:{path}" for name, path in zip(names, paths, strict=False)
    ]


def test_a_tmpfs_is_told_to_allow_code() -> None:
    plan = decided([*MEMBERS, "usr/bin/cc"], identity_of(33))
    assert "--tmpfs=/tmp:exec " in running.docker_run(plan, "x")


@pytest.mark.parametrize("name", ["/etc/a\x1b[31m", "/etc/\udcff"])
def test_hostile_names_are_escaped(name: str) -> None:
    plan = decided([*MEMBERS, name[1:]], identity_of(33, given=[given(name)]))
    texts = [running.docker_run(plan, "x"), running.pod(plan), *running.explanations(plan)]
    assert all(text.replace("\n", "").isprintable() for text in texts)
    assert "--read-only" not in texts[0]
    assert "the root file system stays writable" in texts[2]


def test_what_the_user_may_write_without_evidence_is_told() -> None:
    members = list(MEMBERS)
    for name in "abcde":
        members += [directory(f"srv/{name}/data", uid=33), file(f"srv/{name}/data/file", uid=33)]
    plan = decided(members, identity_of(33))
    assert running.explanations(plan) == (
        (
            "the user may write to /srv/a/data, /srv/b/data, /srv/c/data, /srv/d/data and 1 more"
            " too; nothing shows that the program does"
        ),
    )


@pytest.mark.parametrize(
    ("uid", "workdir", "is_told"),
    [
        (33, "/app", True),
        (33, "/app/", True),
        (33, "/data", False),
        (33, "/new", False),
        (33, "/", False),
        (0, "/app", False),
    ],
)
def test_a_working_directory_that_only_root_could_write_to_is_told(
    uid: int, workdir: str, *, is_told: bool
) -> None:
    members = [*MEMBERS, "app/file: x", directory("data", uid=33)]
    plan = decided(members, identity_of(uid), run={"WorkingDir": workdir})
    sentence = (
        "root could write to the working directory /app, and 33 cannot: if the program makes files"
        " there, --writable /app"
    )
    assert (sentence in running.explanations(plan)) is is_told


def test_setuid_programs_are_told() -> None:
    members: list[Member | str] = [*MEMBERS, program("su", mode=0o4755)]
    plan = decided(members, identity_of(33), options=PlanOptions(keep_setuid=True))
    assert "no-new-privileges" not in running.docker_run(plan, "x")
    assert running.explanations(plan) == (
        "no-new-privileges would make the setuid and setgid programs of the image useless",
    )
