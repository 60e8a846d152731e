"""Managers of processes: what their configuration starts is kept, and what that starts in turn."""

from __future__ import annotations

import pytest
from filetree.kit import Member, file

from analyzers.kit import findings
from minify.closure import Grade
from minify.filetree import ImagePath
from minify.image.jsontext import Json

COMMANDS = tuple("sh server helper worker date curl python3 dpkg".split())
SERVER = "#!/bin/sh\nhelper --once\nexec server\n"


def image(manager: str, *members: Member | str) -> list[Member | str]:
    """A manager, commands, and the package database of a base that has a job of its own."""
    programs = [file(f"bin/{name}", "\x7f", mode=0o755) for name in (*COMMANDS, manager)]
    status = "".join(
        f"Package: {name}\nStatus: install ok installed\n\n" for name in (manager, "dpkg")
    )
    return [
        *programs,
        file("var/lib/dpkg/status", status),
        file(f"var/lib/dpkg/info/{manager}.list", f"/.\n/bin\n/bin/{manager}\n/etc/crontab\n"),
        file("var/lib/dpkg/info/dpkg.list", "/.\n/etc/cron.daily/dpkg\n"),
        *members,
    ]


def kept(command: str, *members: Member | str) -> set[str]:
    """The names of the commands that stay, the manager's aside."""
    words = command.split()
    manager = words[0].rpartition("/")[2]
    run: dict[str, Json] = {"Cmd": [*words], "Env": ["PATH=/bin", "HOME_OF=/srv/app"]}
    found = findings(run, image(manager, *members)).kept
    there = ((name, found.get(ImagePath(f"/bin/{name}"))) for name in COMMANDS)
    return {name for name, one in there if one is not None and one.grade is Grade.HARD}


def script(path: str, text: str) -> Member:
    return file(path, text, mode=0o755)


SUPERVISOR = """\
[supervisord]
nodaemon=true
[program:web]
command = /bin/server --port=80   ; the web
    --home=%(ENV_HOME_OF)s
user=root
[program:job]
command=sh -c "while sleep 1; do date; done"
[eventlistener:watch]
command=worker
directory=/srv
[include]
files = conf.d/*.ini
"""


@pytest.mark.parametrize(
    ("command", "members", "expected"),
    [
        (
            "supervisord -n -c /etc/s/s.conf",
            (
                file("etc/s/s.conf", SUPERVISOR),
                file("etc/s/conf.d/a.ini", "[program:a]\ncommand=curl -s x\n"),
                "etc/supervisord.conf: [program:b]\ncommand=helper\n",
            ),
            "server sh date worker curl",
        ),
        (
            "supervisord",
            ("etc/supervisord.conf: [x]\ncommand=/run.sh", script("run.sh", SERVER)),
            "sh server helper",
        ),
        (
            "cron -f",
            (
                file("etc/crontab", "PATH=/bin\n17 * * * * root run-parts /etc/cron.daily\n"),
                file("etc/cron.d/app", "# daily\n@daily app curl -s x | helper  # why\n"),
                file("var/spool/cron/crontabs/root", "*/5 1-3 * * mon worker 2>&1 %input\n"),
                script("etc/cron.daily/dpkg", "#!/bin/sh\ndpkg --audit\n"),
                script("etc/cron.daily/app", "#!/bin/sh\ndate\n"),
            ),
            "sh date curl helper worker",
        ),
        (
            "runsvdir -P /etc/service",
            (
                "etc/service/web -> ../sv/web",
                script("etc/sv/web/run", SERVER),
                script("etc/sv/web/log/run", "#!/bin/sh\nexec worker\n"),
                script("etc/sv/off/run", "#!/bin/sh\nexec curl\n"),
            ),
            "sh server helper worker",
        ),
        ("s6-svscan /s", (script("s/a/run", SERVER),), "sh server helper"),
        ("s6-supervise /s/a", (script("s/a/run", SERVER),), "sh server helper"),
        (
            "/bin/init",
            (
                file("etc/s6-overlay/s6-rc.d/web/up", "/bin/worker\n"),
                script("etc/cont-init.d/1", SERVER),
            ),
            "sh server helper worker",
        ),
        (
            "my_init",
            (script("etc/my_init.d/1", "#!/bin/sh\ndate\n"), script("etc/service/a/run", SERVER)),
            "sh date server helper",
        ),
        (
            "inetd",
            (file("etc/inetd.conf", "ftp stream tcp nowait root /bin/server server -x\n"),),
            "server",
        ),
        (
            "xinetd",
            (
                file("etc/xinetd.d/a", "service a\n{\n  server = /bin/sh\n  server_args = /x\n}\n"),
                file("x", "helper\n"),
            ),
            "sh helper",
        ),
        (
            "monit -I",
            (file("etc/monitrc", 'check process a\n  start program = "/bin/server -d"\n'),),
            "server",
        ),
        ("foreman start", (file("Procfile", "web: exec server\nx: curl $Y\n"),), "server curl"),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_what_a_manager_starts_is_kept(
    command: str, members: tuple[Member | str, ...], expected: str
) -> None:
    assert kept(command, *members) == set(expected.split())


def test_a_manager_that_a_script_becomes_is_one() -> None:
    start = script("start.sh", "#!/bin/sh\nexec supervisord -c /app/s.conf\n")
    conf = file("app/s.conf", "[program:a]\ncommand=worker\n")
    run: dict[str, Json] = {"Cmd": ["/start.sh"], "Env": ["PATH=/bin"]}
    found = findings(run, image("supervisord", start, conf))
    (reason,) = (
        r for r in found.kept[ImagePath("/bin/worker")].reasons if r.rule == "script.command"
    )
    assert (reason.by, reason.detail) == ("/app/s.conf", "/app/s.conf:2 runs worker")


def test_who_is_no_manager_starts_nothing() -> None:
    conf = file("etc/supervisord.conf", "[program:b]\ncommand=curl\n")
    assert kept("server -c /etc/supervisord.conf", conf) == {"server"}


def test_commands_that_are_no_shell_text_are_told() -> None:
    conf = file("etc/supervisord.conf", "[program:b]\ncommand=curl 'x\n")
    found = findings({"Cmd": ["supervisord"], "Env": ["PATH=/bin"]}, image("supervisord", conf))
    (gap,) = (one for one in found.gaps if one.reason.rule == "manager.configuration")
    assert gap.reason.detail.startswith("/etc/supervisord.conf:2 names commands")
