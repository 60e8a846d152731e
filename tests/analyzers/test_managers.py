"""Managers of processes: what they start is what the image is for."""

import pytest
from closure.kit import planned, reasons
from filetree.kit import Member, file

from analyzers.test_services import path_of
from minify.image.jsontext import Json

PROGRAMS = "sbin/one sbin/two bin/three bin/sh usr/bin/env bin/other usr/sbin/idle".split()


def script(name: str, text: str) -> Member:
    return file(name, text, mode=0o755)


def started(command: list[str], *members: Member | str) -> list[str]:
    """Which of `PROGRAMS` are surely run (`!`) or kept; the manager is a program of /sbin."""
    run: dict[str, Json] = {"Cmd": [*command], "Env": ["PATH=/sbin:/bin:/usr/sbin:/usr/bin"]}
    manager = script(command[0].lstrip("/") if "/" in command[0] else f"sbin/{command[0]}", "\x7f")
    there = [script(name, "\x7f") for name in PROGRAMS]
    names = {member.name for member in members if isinstance(member, Member)}
    every = [*(one for one in (manager, *there) if one.name not in names), *members]
    shown = reasons(planned(run, every))
    return [name for name in PROGRAMS if shown.get(f"/{name}", "")[:1] == "!"]


SUPERVISOR = """
[supervisord]
nodaemon=true
[program:a]
command=/sbin/one --x "a b" ; starts it
  %(ENV_NAME)s
[program:b]
command = bash -c "exec /bin/other"
[include]
files = conf.d/*.conf
"""

MAKEFILE = """
DIR ?= more
include $(DIR)/*.mk  # more
X ?= other
NAMES := $(shell one | sort)
define twice
two $(1)
two $(1)
endef
.PHONY: all
all: $(NAMES:%=%.x)
\t@$(call twice,a) && \\
\t  for x in $$HOME; do sh $(X) "exec three $$x"; done
# x: ; other
y = other
"""

MANAGED: dict[str, tuple[list[str], list[Member | str], list[str]]] = {
    "supervisord": (
        ["supervisord", "-c", "/conf/s.conf"],
        [
            file("conf/s.conf", SUPERVISOR.replace("bash", "sh")),
            file("conf/conf.d/b.conf", "[eventlistener:x]\ncommand: two\n"),
            file("conf/other/b.conf", "[program:x]\ncommand=three\n"),
        ],
        ["sbin/one", "sbin/two", "bin/sh", "bin/other"],
    ),
    "runit": (
        ["runsvdir", "-P", "/etc/service"],
        [
            script("etc/sv/a/run", "#!/bin/sh\nexec chpst -u app one\n"),
            script("etc/sv/a/log/run", "#!/bin/sh\nexec two\n"),
            "etc/service/a -> ../sv/a",
            script("etc/sv/b/run", "#!/bin/sh\nexec three\n"),
        ],
        ["sbin/one", "sbin/two", "bin/sh"],
    ),
    "s6 with execline": (
        ["s6-svscan", "/srv/s"],
        [
            script("bin/execlineb", "\x7f"),
            script("srv/s/a/run", "#!/bin/execlineb -P\nfdmove -c 2 1\n# three\none -f\n"),
            script("srv/s/b/finish", "#!/bin/sh\ntwo\n"),
        ],
        ["sbin/one", "sbin/two", "bin/sh"],
    ),
    "s6-overlay": (
        ["/init"],
        [
            script("init", "#!/bin/sh\n"),
            script("command/with-contenv", "\x7f"),
            script("etc/services.d/a/run", "#!/command/with-contenv sh\nexec one\n"),
            script("etc/cont-init.d/10", "#!/usr/bin/env sh\ntwo\n"),
            file("etc/s6-overlay/s6-rc.d/z/up", "/bin/other now"),
        ],
        ["sbin/one", "sbin/two", "bin/sh", "usr/bin/env", "bin/other"],
    ),
    "cron": (
        ["cron", "-f"],
        [
            file(
                "etc/crontab",
                "SHELL=/bin/sh\n# 1 * * * * root three\n17 * * * * root cd / && one -v\n",
            ),
            file("etc/cron.d/x", "@daily app [ -x /sbin/two ] && two > /dev/null\n"),
            script("etc/cron.daily/y", "#!/usr/bin/env sh\nother\n"),
            file("etc/cron.daily/z", "#!/bin/sh\nidle\n"),
        ],
        ["sbin/one", "sbin/two", "bin/sh", "usr/bin/env", "bin/other"],
    ),
    "cron of a user": (
        ["crond", "-f", "-c", "/tables"],
        [file("tables/root", "*/5 * * * * one 50\\% %two\n")],
        ["sbin/one", "bin/sh"],
    ),
    "supercronic": (
        ["supercronic", "/app/tab"],
        [file("app/tab", "0 */5 * * * * * one\n*/5 * * * * two\n")],
        ["sbin/one", "sbin/two", "bin/sh"],
    ),
    "Procfile": (
        ["honcho", "start"],
        [file("Procfile", "web: one -p $PORT\nworker: exec two\n# x: three\n")],
        ["sbin/one", "sbin/two", "bin/sh"],
    ),
    "make": (
        ["make", "-C", "/app", "all", "X=-c"],
        [
            file("app/Makefile", MAKEFILE),
            file("app/more/a.mk", "%.x: %.y\n\t-idle $< $@\n"),
            file("app/other.mk", "x:\n\tother\n"),
        ],
        ["sbin/one", "sbin/two", "bin/three", "bin/sh", "usr/sbin/idle"],
    ),
    "another makefile, another shell": (
        ["make", "-f", "other.mk"],
        [
            file("other.mk", "SHELL = /bin/other\nSHELL := /bin/sh\nx: y ; @one\n"),
            file("Makefile", "all:\n\ttwo\n"),
        ],
        ["sbin/one", "bin/sh"],
    ),
    "xinetd": (
        ["xinetd", "-dontfork"],
        [
            file("etc/xinetd.conf", "includedir /etc/xinetd.d\n"),
            file(
                "etc/xinetd.d/a",
                "service a\n{\n server = /sbin/one\n server_args = -x /bin/other\n}\n",
            ),
        ],
        ["sbin/one", "bin/other"],
    ),
    "inetd": (
        ["inetd"],
        [
            file(
                "etc/inetd.conf",
                "# x stream tcp nowait root /bin/three three\n"
                "a stream tcp nowait root /sbin/one one -l\ntime dgram udp wait root internal\n",
            )
        ],
        ["sbin/one"],
    ),
    "monit": (
        ["monit", "-I", "-c", "/m.rc"],
        [
            file(
                "m.rc",
                'check process a\n start program = "/sbin/one x"\n'
                '# stop program = "/bin/three"\n if failed then exec "/sbin/two"\n',
            )
        ],
        ["sbin/one", "sbin/two"],
    ),
    "init scripts": (
        ["/start"],
        [
            script("start", "#!/bin/sh\nservice web start\n/etc/init.d/db start\nexec idle\n"),
            script("sbin/service", "#!/bin/sh\n"),
            script("sbin/start-stop-daemon", "\x7f"),
            script(
                "etc/init.d/web",
                "#!/bin/sh\nD=/sbin/one\ncase $1 in start) start-stop-daemon -S --exec $D;; esac\n",
            ),
            script("etc/init.d/db", "#!/bin/sh\ntwo\n"),
            script("etc/init.d/none", "#!/bin/sh\nthree\n"),
        ],
        ["sbin/one", "sbin/two", "bin/sh", "usr/sbin/idle"],
    ),
    "a manager that a manager starts": (
        ["supervisord", "-c", "/s.conf"],
        [
            file("s.conf", "[program:c]\ncommand=cron -f\n"),
            script("usr/sbin/cron", "\x7f"),
            file("var/spool/cron/crontabs/root", "@hourly one\n"),
        ],
        ["sbin/one", "bin/sh"],
    ),
}


@pytest.mark.parametrize("name", MANAGED)
def test_what_a_manager_starts_is_surely_run(name: str) -> None:
    command, members, expected = MANAGED[name]
    assert started(command, *members) == expected


def test_what_a_manager_starts_brings_its_package_and_its_configuration() -> None:
    plan = planned(
        {"Cmd": ["supervisord", "-c", "/s.conf"], "Env": ["PATH=/usr/sbin"]},
        [
            script("usr/sbin/supervisord", "\x7f"),
            script("usr/sbin/nginx", "\x7f"),
            file("s.conf", "[program:n]\ncommand=nginx -c /srv/n.conf\n"),
            "srv/n.conf: root pages;",
            "srv/pages/index.html",
            "etc/nginx/mime.types",
            file("var/lib/dpkg/status", "Package: nginx\nStatus: install ok installed\n"),
            file("var/lib/dpkg/info/nginx.list", "/usr/sbin/nginx\n/etc/nginx\n"),
        ],
    )
    for path in ("/etc/nginx/mime.types", "/srv/n.conf", "/srv/pages/index.html"):
        assert path in plan.keep.kept


def test_a_job_that_is_not_there_is_a_gap() -> None:
    run: dict[str, Json] = {"Cmd": ["/sbin/supervisord", "-c", "/s.conf"]}
    members = [script("sbin/supervisord", ""), file("s.conf", "[program:x]\ncommand=/gone\n")]
    plan = planned(run, members)
    assert [gap.reason.detail for gap in plan.gaps] == [
        "/s.conf: starts /gone: /gone is missing in the source; looked in /gone"
    ]


def test_jobs_of_the_distribution_s_own_packages_are_not_run() -> None:
    members: list[Member | str] = [
        script("etc/cron.daily/apt-compat", "#!/bin/sh\none\n"),
        script("etc/cron.daily/rotate", "#!/bin/sh\ntwo\n"),
        file("var/lib/dpkg/status", "Package: apt\nStatus: install ok installed\n"),
        file("var/lib/dpkg/info/apt.list", path_of("+etc/cron.daily/apt-compat") + "\n"),
    ]
    assert started(["cron"], *members) == ["sbin/two", "bin/sh"]


@pytest.mark.parametrize(
    ("text", "is_root"),
    [
        ("#!/bin/sh\nexec one\n", False),
        ("#!/bin/sh\nexec setuidgid app one\n", True),
        ("#!/bin/sh\nexec crond -f\n", True),
    ],
)
def test_jobs_that_become_another_user_keep_root(text: str, is_root: bool) -> None:  # noqa: FBT001
    run: dict[str, Json] = {"Cmd": ["/sbin/runsvdir", "/srv"], "Env": ["PATH=/sbin:/bin"]}
    names = ("sbin/runsvdir", "sbin/one", "sbin/crond", "sbin/setuidgid", "bin/sh")
    members = [script("srv/a/run", text), *(script(name, "\x7f") for name in names)]
    rules = {need.reason.rule for need in planned(run, members).keep.needs_root}
    assert ("manager.root" in rules) is is_root


def test_a_manager_brings_who_watches_each_service() -> None:
    run: dict[str, Json] = {"Cmd": ["runsvdir", "/s"], "Env": ["PATH=/sbin"]}
    members = [script(f"sbin/{name}", "\x7f") for name in ("runsvdir", "runsv", "supervise", "sv")]
    shown = reasons(planned(run, [*members, script("s/a/run", "\x7f")]))
    assert shown["/sbin/runsv"] == "!manager.supervisor"
    assert "/sbin/supervise" not in shown
    assert shown["/sbin/sv"] == shown["/sbin/runsv"]
