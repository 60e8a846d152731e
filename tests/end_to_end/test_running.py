"""The `docker run` line that is printed, run; and what it relies on, as the engine has it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from conftest import require
from filetree.kit import Member, directory, file, image_of
from images.engines import Engine
from images.runner import load
from planning.kit import NET_RAW_EP

import minify
from minify import Options
from minify.image import Reference
from minify.planning import Plan
from minify.report import running
from minify.transports import WriteOptions, write_image

pytestmark = pytest.mark.engine

TAG = "minify-test/running:slim"
SCRIPT = """\
#!/bin/sh
set -eu
echo 1 >/run/app.pid
echo 1 >/run/app/socket
echo 1 >/var/lib/app/data
cat /var/cache/app/index
echo 1 >/var/cache/app/sub/entry
busybox httpd -p 127.0.0.1:80 -h /tmp
echo bound
"""
WRITABLE = ("/run/app", "/var/lib/app", "/var/cache/app")


@pytest.fixture(scope="module")
def plan(docker: Engine, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The plan of the image that the engine has as `TAG`."""
    require("busybox")
    work = tmp_path_factory.mktemp("running")
    busybox = Path("/bin/busybox").read_bytes()
    members: list[Member | str] = [
        file("bin/busybox", busybox, mode=0o755),
        *(f"bin/{name} -> busybox" for name in ("sh", "cat", "echo", "ls")),
        file("app", SCRIPT, mode=0o755),
        directory("run"),
        directory("var/lib/app", mode=0o700),
        file("var/cache/app/index", "an index\n"),
        directory("var/cache/app/sub"),
    ]
    image = image_of({"Cmd": ["/app"], "ExposedPorts": {"80/tcp": {}}}, members)
    write_image(image, Reference.parse(f"oci:{work}/fat"), WriteOptions())
    target = f"docker-archive:{work}/slim.tar:{TAG}"
    result = minify.minify(f"oci:{work}/fat", target, Options(writable=WRITABLE, keep=("/bin/ls",)))
    load(docker, work / "slim.tar")
    return result.plan


def test_the_printed_line_starts_the_program(docker: Engine, plan: Plan) -> None:
    words = shlex.split(running.docker_run(plan, TAG))
    assert words == [
        "docker",
        "run",
        "--publish=80:80",
        "--read-only",
        "--tmpfs=/run:uid=10001,gid=10001,mode=0755",
        "--tmpfs=/run/app:uid=10001,gid=10001,mode=0755",
        "--tmpfs=/tmp",
        "--mount=type=volume,dst=/var/cache/app",
        "--mount=type=volume,dst=/var/lib/app",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        TAG,
    ]
    assert docker("run", "--rm", "--network=none", *words[2:]) == "an index\nbound"


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ("/run:", "Read-only file system"),
        # The mount on /run hides it.
        ("/run/app", "/run/app/socket: nonexistent directory"),
        ("/var/cache/app", "Read-only file system"),
        ("/var/lib/app", "Read-only file system"),
    ],
)
def test_each_mount_is_needed(docker: Engine, plan: Plan, left_out: str, message: str) -> None:
    words = [word for word in shlex.split(running.docker_run(plan, TAG)) if left_out not in word]
    done = docker.try_run("run", "--rm", "--network=none", *words[2:])
    assert (done.returncode, message in done.stderr) == (1, True), done.stderr


def test_a_tmpfs_without_an_owner_belongs_to_root(docker: Engine, plan: Plan) -> None:
    command = ("--tmpfs=/run", TAG, "ls", "-dn", "/run")
    shown = docker("run", "--rm", "--network=none", "--read-only", *command)
    assert shown.split()[:4] == ["drwxr-xr-x", "2", "0", "0"]
    assert "a tmpfs without them belongs to root" in running.explanations(plan)[1]


def test_ports_below_1024_are_every_users_but_in_the_hosts_network(
    docker: Engine, plan: Plan
) -> None:
    command = (TAG, "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start")
    assert docker("run", "--rm", "--network=none", *command) == "0"
    assert docker("run", "--rm", "--network=host", *command) == _of_this_host()
    assert "80/tcp" in running.explanations(plan)[0]


def _of_this_host() -> str:
    return Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text().strip()


def test_a_capability_that_the_container_may_not_have_keeps_the_program_from_starting(
    docker: Engine, tmp_path: Path
) -> None:
    tag = "minify-test/capable:slim"
    members = [
        file(
            "capable",
            Path("/bin/busybox").read_bytes(),
            mode=0o755,
            xattrs={"security.capability": NET_RAW_EP.decode("utf-8", "surrogateescape")},
        )
    ]
    image = image_of({"Cmd": ["/capable", "true"]}, members)
    write_image(image, Reference.parse(f"oci:{tmp_path}/fat"), WriteOptions())
    result = minify.minify(f"oci:{tmp_path}/fat", f"docker-archive:{tmp_path}/slim.tar:{tag}")
    load(docker, tmp_path / "slim.tar")
    words = shlex.split(running.docker_run(result.plan, tag))[2:]
    assert words[-3:] == ["--cap-drop=ALL", "--cap-add=NET_RAW", tag]
    without = docker.try_run("run", "--rm", "--network=none", "--cap-drop=ALL", tag)
    assert "operation not permitted" in without.stderr.lower()
