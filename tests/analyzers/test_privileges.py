"""Entrypoint scripts in the idioms of well-known images: who they become, what root is needed for.

A finding is one short string: `!as redis` is an account that the program goes on as, `as redis` one
that is named, `root` an obstacle for another user, the rest are paths that are written; `@5` is the
line, `@ENTRYPOINT` the configuration.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from filetree.kit import Member, file, image_of

from minify.analyzers import privileges
from minify.closure import Context, Finding, Gap, Grade, Need, NeedsRoot, RunsAs, Writes
from minify.closure.roots import find_roots
from minify.filetree import FileTree
from minify.packages import read_packages

SCRIPTS = Path(__file__).parent / "entrypoints"
ACCOUNTS = """
    app cassandra consul git influxdb mongodb mysql neo4j node postgres rabbitmq redis sonarqube
    vault www-data zookeeper
""".split()
PROGRAMS = "sh bash dash dumb-init gosu su-exec setpriv su tini env find chown server".split()


def system() -> list[Member]:
    passwd = "".join(f"{n}:x:{i}:{i}::/:/x\n" for i, n in enumerate(["root", *ACCOUNTS]))
    programs = [file(f"bin/{name}", "\x7fELF", mode=0o755) for name in PROGRAMS]
    return [file("etc/passwd", passwd), *programs]


def context_of(
    entrypoint: list[str], cmd: str = "", env: str = "", members: tuple[Member, ...] = ()
) -> Context:
    run = {"Entrypoint": entrypoint, "Cmd": cmd.split(), "Env": ["PATH=/bin", *env.split()]}
    image = image_of({**run, "WorkingDir": "/data"}, [*system(), *members])
    tree = FileTree.from_layers(image.layers)
    context = Context.of(tree, image.config, read_packages(tree))
    roots = find_roots(context, may_be_idle=True)
    return context.starting(roots.programs, roots.scripts)


def told(finding: Finding) -> str:
    """A finding in a few words."""
    match finding:
        case RunsAs(account, reason, grade):
            text = f"{'!' if grade else ''}as {account}"
        case NeedsRoot(reason, unless):
            text = f"root: {reason.detail.partition(' ')[2]}{f' unless {unless}' if unless else ''}"
        case Writes(path, reason, what):
            text = f"{what.value} {path}"
        case Gap(reason):
            text = f"gap: {reason.detail.partition(' ')[2]}"
        case _:
            raise AssertionError(finding)
    line = re.match(r"/\S*?:(\d+)", reason.detail)
    return f"{text} @{line[1] if line else 'ENTRYPOINT'}"


def found(text: str, cmd: str = "", env: str = "", *members: Member) -> list[str]:
    """All that is said of an image with this entrypoint script."""
    script = file("entrypoint.sh", text, mode=0o755)
    context = context_of(["/entrypoint.sh"], cmd, env, (script, *members))
    findings = list(privileges.find(context))
    for path in ("/entrypoint.sh", *(f"/{member.name}" for member in members)):
        entry = context.tree.file(path)
        assert entry is not None
        findings += privileges.analyze(entry, Grade.HARD, context)
    # What is written and there already stays too, which is said of it by the same reason.
    said = dict.fromkeys(told(f) for f in findings if not isinstance(f, Need))
    # An account that the program goes on as is named there as well.
    return sorted(one for one in said if f"!{one}" not in said)


IDIOMS: dict[str, tuple[str, str, list[str]]] = {
    "always-gosu": (
        "server",
        "",
        [
            "!as app @5",
            "as app @4",
            "root: runs chown to app:app, which is another's without root unless app:app @4",
            "root: runs gosu, which only root can @5",
            "tree /run/app @3",
            "tree /run/app @4",
        ],
    ),
    "background": ("server", "", ["!as app @6"]),
    "cassandra": (
        "cassandra -f",
        "CASSANDRA_CONF=/etc/cassandra",
        [
            "!as cassandra @9",
            "as cassandra @7",
            "file /etc/cassandra/cassandra.yaml @15",
            "tree /etc/cassandra @7",
            "tree /var/lib/cassandra @7",
            "tree /var/log/cassandra @7",
        ],
    ),
    "consul": (
        "agent -dev",
        "CONSUL_DATA_DIR=/consul/data",
        ["!as consul @13", "as consul @9", "tree /consul/data @9"],
    ),
    "drupal": (
        "apache2-foreground",
        "",
        [
            "as www-data @4",
            (
                "root: runs chown to www-data:www-data, which is another's without root"
                " unless www-data:www-data @4"
            ),
            "tree /data/sites/default/files @3",
            "tree /data/sites/default/files @4",
        ],
    ),
    "elasticsearch": (
        "eswrapper",
        "",
        [
            "!as 1000 @5",
            "tree /usr/share/elasticsearch/data @20",
            "tree /usr/share/elasticsearch/logs @20",
        ],
    ),
    "ghost": (
        "node current/index.js",
        "GHOST_CONTENT=/var/lib/ghost/content GHOST_INSTALL=/var/lib/ghost",
        [
            "!as node @5",
            "as node @4",
            "tree /var/lib/ghost/content @10",
            "tree /var/lib/ghost/content @4",
        ],
    ),
    "gitea": (
        "/bin/s6-svscan /etc/s6",
        "USER=git",
        [
            "replaced /etc/passwd @3",
            "tree /data/git @6",
            "tree /data/gitea/conf @6",
            "tree /data/gitea/log @6",
        ],
    ),
    "haproxy": ("haproxy -f /x", "", []),
    "httpd": ("", "", ["replaced /usr/local/apache2/logs/httpd.pid @4"]),
    "influxdb": (
        "influxd",
        "",
        [
            "!as influxdb @5",
            "as influxdb @15",
            "tree /etc/influxdb2 @12",
            "tree /etc/influxdb2 @13",
            "tree /var/lib/influxdb2 @12",
            "tree /var/lib/influxdb2 @13",
            "tree /var/lib/influxdb2 @15",
        ],
    ),
    "jenkins": ("", "", ["file /var/jenkins_home/copy_reference_file.log @3"]),
    "kafka": ("", "", []),
    "linuxserver": (
        "",
        "",
        [
            "!as app @6",
            "as app @3",
            "as app @4",
            "as app @5",
            "file /run/app.pid @6",
            "root: runs groupmod, which only root can @3",
            "root: runs s6-setuidgid, which only root can @6",
            "root: runs usermod, which only root can @4",
            "tree /config @5",
        ],
    ),
    "mariadb": (
        "mariadbd",
        "",
        [
            "!as mysql @9",
            "as mysql @8",
            "tree /run/mysqld @7",
            "tree /run/mysqld @8",
            "tree /var/lib/mysql @12",
            "tree /var/lib/mysql @7",
            "tree /var/lib/mysql @8",
        ],
    ),
    "memcached": ("memcached", "", []),
    "mongo": (
        "mongod",
        "",
        [
            "!as mongodb @9",
            "as mongodb @6",
            "as mongodb @8",
            "tree /data/configdb @6",
            "tree /data/db @6",
        ],
    ),
    "must-be-root": ("server", "", ["root: ends with exit 1 unless it is root @4"]),
    "mysql": (
        "mysqld",
        "",
        [
            "!as mysql @24",
            "as mysql @13",
            "as mysql @14",
            "tree /var/lib/mysql @11",
            "tree /var/lib/mysql @13",
            "tree /var/lib/mysql @27",
            "tree /var/run/mysqld @11",
            "tree /var/run/mysqld @14",
        ],
    ),
    "neo4j": (
        "neo4j",
        "NEO4J_HOME=/var/lib/neo4j",
        [
            "!as neo4j @19",
            "as neo4j @15",
            "as neo4j @21",
            "tree /var/lib/neo4j @15",
            "tree /var/lib/neo4j @16",
        ],
    ),
    "nextcloud": (
        "apache2-foreground",
        "",
        ["as www-data @25", "as www-data @5", "tree /var/www/html @25"],
    ),
    "nginx": ("nginx -g daemon", "", ["file /etc/nginx/conf.d/default.conf @18"]),
    "odoo": ("odoo", "", []),
    "only-as-root": (
        "server",
        "",
        [
            "!as app @4",
            "as app @3",
            "root: goes on to run 'setpriv --reuid=app --init-groups server' only as root @4",
            "tree /srv/state @3",
        ],
    ),
    "postgres": (
        "postgres",
        "PGDATA=/var/lib/postgresql/data",
        [
            "!as postgres @33",
            "as postgres @11",
            "as postgres @12",
            "file /var/lib/postgresql/data/pg_hba.conf @37",
            "tree /var/lib/postgresql/data @11",
            "tree /var/lib/postgresql/data @36",
            "tree /var/lib/postgresql/data @6",
            "tree /var/lib/postgresql/data @7",
            "tree /var/run/postgresql @12",
            "tree /var/run/postgresql @8",
            "tree /var/run/postgresql @9",
        ],
    ),
    "rabbitmq": (
        "rabbitmq-server",
        "",
        ["!as rabbitmq @7", "as rabbitmq @5", "tree /var/lib/rabbitmq @5"],
    ),
    "redis": ("redis-server", "", ["!as redis @9", "as redis @8", "tree /data @8"]),
    "registry": ("/etc/registry/config.yml", "", []),
    "setpriv": (
        "server",
        "",
        ["!as app @3", "file /run/app/app.sock @5", "file /srv/state/env @4", "tree /srv/state @3"],
    ),
    "sonarqube": (
        "",
        "SQ_DATA_DIR=/opt/sonarqube/data",
        [
            "!as sonarqube @6",
            "as sonarqube @5",
            "tree /opt/sonarqube/data @4",
            "tree /opt/sonarqube/data @5",
        ],
    ),
    "traefik": ("--x", "", []),
    "vault": (
        "server -dev",
        "",
        ["!as vault @21", "as vault @10", "as vault @11", "as vault @15", "tree /vault/logs @11"],
    ),
    "wordpress": ("apache2-foreground", "", ["as www-data @25", "tree /data @25"]),
    "zookeeper": (
        "zkServer.sh start-foreground",
        "ZOO_DATA_DIR=/data ZOO_LOG_DIR=/logs ZOO_CONF_DIR=/conf",
        [
            "!as zookeeper @5",
            "as zookeeper @4",
            "file /conf/zoo.cfg @9",
            "file /data/myid @15",
            "tree /data @4",
            "tree /logs @4",
        ],
    ),
}


@pytest.mark.parametrize("name", sorted(IDIOMS))
def test_entrypoint_of_a_well_known_kind(name: str) -> None:
    cmd, env, expected = IDIOMS[name]
    assert found((SCRIPTS / f"{name}.sh").read_text(), cmd, env) == expected


def test_every_script_is_in_the_table() -> None:
    assert sorted(path.stem for path in SCRIPTS.glob("*.sh")) == sorted(IDIOMS)


def about_users(findings: list[str]) -> list[str]:
    return [one for one in findings if one.startswith(("!as", "root", "gap"))]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["gosu", "app", "server"], ["!as app", "root unless app"]),
        (["tini", "--", "su-exec", "app:app", "server"], ["!as app", "root unless app"]),
        (["setpriv", "--reuid=app", "--regid=app", "server"], ["!as app", "root unless app"]),
        (["setpriv", "--reuid", "app", "server"], ["!as app", "root"]),
        (["su", "app", "-c", "server"], ["!as app", "root"]),
        (["su", "-s", "/bin/sh", "app", "-c", "server"], ["!as app", "root"]),
        (["env", "A=1", "gosu", "app", "server"], ["!as app", "root unless app"]),
        (["sh", "-c", "exec gosu app server"], ["!as app", "root"]),
        (["sh", "-c", "umask 027; gosu app server"], ["!as app", "root"]),
        (["sh", "-c", "test $(id -u) = 0 && exec gosu app server; exec server"], ["!as app"]),
        (["gosu", "root", "server"], []),
        (["server", "gosu", "app"], []),
    ],
)
def test_command_lines_of_the_configuration(argv: list[str], expected: list[str]) -> None:
    findings = map(told, privileges.find(context_of(argv)))
    assert [re.sub(r": command runs .* can| @ENTRYPOINT", "", one) for one in findings] == expected


def test_what_cannot_be_parsed_is_a_gap_and_needs_root_if_it_may_change_the_user() -> None:
    why = "reached EOF without closing quote `'`"
    gap = f"gap: cannot be read as a shell script: {why} @2"
    assert found("#!/bin/sh\nexec gosu app 'x\n") == [
        gap,
        f"root: cannot be read as a shell script ({why}) and has the word gosu @2",
    ]
    assert found("#!/bin/sh\nexec 'x\n") == [gap]


def test_scripts_that_the_entrypoint_starts_and_reads_count() -> None:
    library = file("lib.sh", 'become() { exec su-exec app "$@"; }\n')
    child = file("child.sh", "#!/bin/sh -e\nuseradd x\n", mode=0o755)
    text = "#!/bin/sh\n. /lib.sh\n/child.sh\nbecome server\n"
    assert about_users(found(text, "", "", library, child)) == [
        "!as app @1",
        "root: runs su-exec, which only root can @1",
        "root: runs useradd, which only root can @2",
    ]


def test_not_all_of_many_large_scripts_are_read() -> None:
    scripts = [
        file(f"{n}.sh", f"#!/bin/sh\n#{'x' * 200_000}\nexec gosu app {n}\n", mode=0o755)
        for n in range(12)
    ]
    lines = "".join(f"/{n}.sh\n" for n in range(12))
    said = about_users(found(f"#!/bin/sh\n{lines}", "", "", *scripts))
    assert "root: cannot be read as a shell script (it is one of scripts with more than" in (
        " ".join(said)
    )


def test_what_only_roots_branch_starts_is_no_obstacle() -> None:
    child = file("child.sh", "#!/bin/sh -e\nuseradd x\nchown app /data\n", mode=0o755)
    text = '#!/bin/sh\nif [ $(id -u) = 0 ]; then /child.sh; fi\nexec "$@"\n'
    assert about_users(found(text, "server", "", child)) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("chown app /data", "root: runs chown to app, which is another's without root unless app"),
        (
            "chown :www-data /data",
            "root: runs chown to :www-data, which is another's without root unless :www-data",
        ),
        (
            "chown app:root /data",
            "root: runs chown to app:root, which is another's without root unless app:root",
        ),
        (
            "chown app: /data",
            "root: runs chown to app:, which is another's without root unless app",
        ),
        (
            "chgrp www-data /data",
            "root: runs chgrp to :www-data, which is another's without root unless :www-data",
        ),
        ("chown app /data || true", ""),
        ("chown app /data || exit 1", "root: runs chown to app"),
        ("if chown app /data; then :; fi", ""),
        ("set +e; chown app /data", ""),
        ('chown "$(id -u):$(id -g)" /data', ""),
        ("chown $OWNER /data", "root: runs chown to $OWNER, which is another's without root @3"),
        ("install -d -o app /data/x", "root: runs install to app"),
        ("find /data -exec chown app {} +", "root: runs chown to app"),
        ("mount -a || true", ""),
        ("mount -a", "root: runs mount, which only root can"),
        ("sysctl -w vm.x=1", "root: runs sysctl, which only root can"),
        ("sysctl vm.x", ""),
        ("ip link set eth0 up", "root: runs ip, which only root can"),
        ("ip addr show", ""),
        ("nice -n 5 gosu app server", "root: runs gosu, which only root can"),
        ("grep -q x /y && exec gosu app server", ""),
        ('[ -z "$X" ] || usermod -u 1 app', ""),
        ('[ -n "$X" ] || usermod -u 1 app', "root: runs usermod"),
        ("f() { useradd x; }", ""),
        ("f() { useradd x; }; f", "root: runs useradd"),
        ("/usr/sbin/sshd", "root: runs sshd, which only root can"),
        ("cron -L 2", "root: runs cron, which only root can"),
        ("crond -f &", "root: runs crond, which only root can"),
        ("cron || true", ""),
        ('[ -z "$X" ] || cron', ""),
        ("service ssh start", "root: runs service, which only root can"),
        ("/etc/init.d/cron start", "root: runs /etc/init.d/cron, which only root can"),
        ("apk add curl", "root: runs apk, which only root can"),
        ("init; login; master", ""),
    ],
)
def test_obstacles(line: str, expected: str) -> None:
    obstacles = [x for x in found(f"#!/bin/sh\nset -e\n{line}\nexec server\n") if x[:4] == "root"]
    assert len(obstacles) == bool(expected)
    assert all(one.startswith(expected) for one in obstacles)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mkdir -p -m 700 /run/a b", ["tree /data/b", "tree /run/a"]),
        ("cd /srv; mkdir x; cd y; touch z", ["file /srv/y/z", "tree /srv/x"]),
        ('D=/var/lib/x; : > $D/a; echo >> "$D/$unknown"', ["file /var/lib/x/a", "tree /var/lib/x"]),
        ("echo > /dev/stderr; echo 2>&1; echo > /proc/1/fd/1; echo > /dev/null", []),
        (
            "cp a b /etc/app/; cp x /etc/y; mv p q",
            ["file /etc/y", "replaced /data/p", "replaced /data/q", "tree /etc/app"],
        ),
        ("cp -r /usr/src/app/. /srv/app", ["tree /srv/app"]),
        ("sed -i s/a/b/ /etc/x; sed s/a/b/ /etc/y", ["replaced /etc/x"]),
        ("sed -i -e s/a/b/ /etc/x", ["replaced /etc/x"]),
        ("rm -rf /run/x/*.pid /run/y.pid", ["replaced /run/y.pid", "tree /run/x"]),
        ("gosu app initdb -D /pg", ["tree /pg"]),
        (
            "mktemp -p /var/tmp/x; mktemp -d /scratch/a/b.XXXX",
            ["tree /scratch/a", "tree /var/tmp/x"],
        ),
        ('chown -R app /a/{b,c} "$HOME"', ["tree /a/{b,c}"]),
        (
            "server --pid-file=/run/x --datadir=/var/d --socket=s",
            ["file /data/s", "file /run/x", "tree /var/d"],
        ),
        ("for d in /a/b /c/d; do mkdir -p $d; done", ["tree /a/b", "tree /c/d"]),
        ("cat <<EOF > /etc/app.conf\nx\nEOF", ["file /etc/app.conf"]),
        ("cat > ${CONF:-/etc/d.conf}", ["file /etc/d.conf"]),
        ("mkdir $(cat /x) / .", ["tree /data"]),
        ("update-ca-certificates --fresh", ["tree /etc/ssl/certs"]),
        ("cp x /var/lib/app", ["file /var/lib/app"]),
    ],
)
def test_what_is_written(line: str, expected: list[str]) -> None:
    said = [one.partition(" @")[0] for one in found(f"#!/bin/sh\n{line}\n")]
    kinds = ("file", "tree", "replaced")
    assert sorted({one for one in said if one.startswith(kinds)}) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ln -sf /z /etc/localtime", ["/etc/localtime"]),
        ("echo x > /etc/a", ["/etc/a"]),
        ("update-ca-certificates", ["/etc/ssl/certs"]),
        ("mkdir -p /opt; rm -f /etc/x; find /etc -exec chown x {} +", []),
        ("echo x > /etc/a || true", []),
        ("if [ -n $X ]; then echo x > /etc/a; fi", []),
        ("set +e; echo x > /etc/a", []),
        ("server --pid-file=/etc/pid", []),
        ('if [ "$(id -u)" = 0 ]; then echo x > /etc/a; fi', []),
    ],
)
def test_what_a_script_ends_without(line: str, expected: list[str]) -> None:
    script = file("entrypoint.sh", f"#!/bin/sh\nset -e\n{line}\nexec server\n", mode=0o755)
    context = context_of(["/entrypoint.sh"], members=(script,))
    assert [
        one.path
        for one in privileges.find(context)
        if isinstance(one, Writes) and one.reason.rule == "script.writes-or-ends"
    ] == expected
