"""What the application writes: by directives, units, tmpfiles.d and its program's strings."""

import pytest
from closure.kit import planned
from filetree.kit import Member, directory, file

from analyzers.kit import compiled, findings, libc, writes
from minify.analyzers.directives import Directive, assigned, directives, expanded
from minify.analyzers.units import TMPFILES, UNIT
from minify.analyzers.written import COMPILED, CONFIGURED
from minify.closure.finding import Written
from minify.image.jsontext import Json


def dpkg(paths: str, name: str = "serve") -> list[Member | str]:
    status = f"Package: {name}\nStatus: install ok installed\n\n"
    listed = file(f"var/lib/dpkg/info/{name}.list", paths.replace(" ", "\n"))
    return [file("var/lib/dpkg/status", status), listed]


def configured(text: str, *members: Member | str, env: tuple[str, ...] = ()) -> dict[str, str]:
    """What `text`, as the configuration of /usr/sbin/serve, says is written."""
    run: dict[str, Json] = {"Cmd": ["/usr/sbin/serve"], "Env": ["PATH=/usr/sbin", *env]}
    keep = findings(
        run,
        [
            file("usr/sbin/serve", "\x7f", mode=0o755),
            *dpkg("/usr/sbin/serve /etc/serve /etc/serve/conf"),
            file("etc/serve/conf", text),
            *members,
        ],
    )
    return writes(keep, CONFIGURED)


@pytest.mark.parametrize(
    ("line", "path", "kind"),
    [
        ("pid /run/nginx.pid;", "/run/nginx.pid", "file"),
        ("pid-file = /run/mysqld/mysqld.pid", "/run/mysqld/mysqld.pid", "file"),
        ("PidFile /run/tinyproxy.pid", "/run/tinyproxy.pid", "file"),
        ('pidfile: "/run/unbound.pid"', "/run/unbound.pid", "file"),
        ("pid file = /run/rsyncd.pid", "/run/rsyncd.pid", "file"),
        ('options { pid-file "/run/named/n.pid"; };', "/run/named/n.pid", "file"),
        ("error_log /var/log/nginx/error.log warn;", "/var/log/nginx/error.log", "file"),
        ('ErrorLog "/var/log/httpd/error_log"', "/var/log/httpd/error_log", "file"),
        ("CustomLog /var/log/a.log combined", "/var/log/a.log", "file"),
        ("access_log daemon:/var/log/squid/access.log squid", "/var/log/squid/access.log", "file"),
        ("log_dest file /var/log/m.log", "/var/log/m.log", "file"),
        ("php_admin_value[error_log] = /var/log/p.log", "/var/log/p.log", "file"),
        ("  listen unix:/run/x.sock;", "/run/x.sock", "file"),
        ("listen = /run/php/fpm.sock", "/run/php/fpm.sock", "file"),
        ("stats socket /run/haproxy/admin.sock mode 660", "/run/haproxy/admin.sock", "file"),
        ("unixsocket /run/redis/redis.sock", "/run/redis/redis.sock", "file"),
        ("lock_file = /run/lock/x", "/run/lock/x", "file"),
        ("<pidfile>/run/icecast.pid</pidfile>", "/run/icecast.pid", "file"),
        ('"pidfile": "/run/x.pid",', "/run/x.pid", "file"),
        ("dir /var/lib/redis", "/var/lib/redis", "tree"),
        ("datadir=/srv/mysql", "/srv/mysql", "tree"),
        ("data_directory = '/var/lib/pg'  # note", "/var/lib/pg", "tree"),
        ("path.data: /var/lib/es", "/var/lib/es", "tree"),
        ("  - dbPath: /data/db", "/data/db", "tree"),
        ("cache_dir ufs /var/spool/squid 100 16 256", "/var/spool/squid", "tree"),
        ("proxy_cache_path /var/cache/n levels=1:2;", "/var/cache/n", "tree"),
        ("client_body_temp_path /var/cache/body;", "/var/cache/body", "tree"),
        ('server.upload-dirs = ( "/var/cache/up" )', "/var/cache/up", "tree"),
        ("$WorkDirectory /var/spool/rsyslog", "/var/spool/rsyslog", "tree"),
        ("persistence_location /var/lib/m/", "/var/lib/m", "tree"),
    ],
)
def test_directives_of_many_dialects(line: str, path: str, kind: str) -> None:
    shown = line.strip().partition("  #")[0].rstrip(";")
    if line.startswith("options"):
        shown = 'pid-file "/run/named/n.pid"'
    assert configured(f"{line}\n") == {path: f"{kind}: says {shown!r}"}


@pytest.mark.parametrize(
    "line",
    [
        "# pid /run/x.pid",
        "; pid = /run/x.pid",
        "// pid /run/x.pid",
        "/* pid /run/x.pid */",
        "/*\npid /run/x.pid\n*/",
        "<!-- \n<pidfile>/run/x.pid</pidfile>\n-->",
        "DocumentRoot /var/www",
        "root /srv/www;",
        "listen 80;",
        "stats uri /haproxy?stats",
        "access_log off;",
        "error_log stderr;",
        "access_log /dev/stdout;",
        "error_log /proc/self/fd/2;",
        "log /dev/log local0",
        "log /log",
        "ErrorLog |/usr/bin/rotate",
        "access.log = /var/log/$pool.log",
        "log_directory = /var/log/%Y",
        "dir /usr/share/x",
        "directory /etc/serve/data",
        "tmpdir = /tmp",
        "dir /var/lib",
        "logfile relative.log",
        "pidfile ${UNKNOWN}/x.pid",
        "pidfile /run/../etc/x",
    ],
)
def test_what_is_not_written(line: str) -> None:
    members = [directory("tmp", mode=0o1777), directory("var/lib"), directory("etc/serve/data")]
    assert configured(f"{line}\n", *members) == {}


def test_what_is_there_decides_between_file_and_directory() -> None:
    text = "log /var/log/serve\ndatadir /srv/one.db\n"
    assert configured(text, directory("var/log/serve"), "srv/one.db") == {
        "/var/log/serve": "tree: says 'log /var/log/serve'",
        "/srv/one.db": "file: says 'datadir /srv/one.db'",
    }


def test_a_log_that_is_linked_to_a_device_is_no_file() -> None:
    text = "access_log /var/log/x/access.log;\nerror_log /var/log/x/error.log;\n"
    linked = [
        "var/log/x/access.log -> /dev/stdout",
        "var/log/x/error.log -> real",
        "var/log/x/real",
    ]
    shown = "file: says 'error_log /var/log/x/error.log'"
    assert configured(text, *linked) == {"/var/log/x/error.log": shown}


def test_relative_paths_are_below_the_server_root() -> None:
    text = 'ServerRoot "/srv/httpd"\nErrorLog logs/error_log\nPidFile run/x.pid\n'
    assert configured(text) == {
        "/srv/httpd/logs/error_log": "file: says 'ErrorLog logs/error_log'",
        "/srv/httpd/run/x.pid": "file: says 'PidFile run/x.pid'",
    }


def test_relative_paths_of_nginx_are_below_its_prefix() -> None:
    conf = "usr/local/nginx/conf/nginx.conf"
    run: dict[str, Json] = {"Cmd": ["/usr/local/nginx/sbin/nginx"]}
    nginx = file("usr/local/nginx/sbin/nginx", "\x7f", mode=0o755)
    keep = findings(run, [nginx, f"{conf}: pid logs/nginx.pid;"])
    assert writes(keep, CONFIGURED) == {
        "/usr/local/nginx/logs/nginx.pid": "file: says 'pid logs/nginx.pid'"
    }


def test_variables_of_the_environment_and_of_envvars() -> None:
    assert configured("log ${LOGS}/x.log\n", env=("LOGS=/var/log/s",)) == {
        "/var/log/s/x.log": "file: says 'log ${LOGS}/x.log'"
    }
    run: dict[str, Json] = {"Cmd": ["/usr/sbin/apache2"]}
    envvars = (
        'if [ "$X" ] ; then\n\tSUFFIX="-${X##/etc/apache2-}"\nelse\n\tSUFFIX=\nfi\n'
        "export APACHE_LOG_DIR=/var/log/apache2$SUFFIX\n"
    )
    members: list[Member | str] = [
        file("usr/sbin/apache2", "\x7f", mode=0o755),
        *dpkg("/usr/sbin/apache2", "apache2"),
        file("etc/apache2/envvars", envvars),
        "etc/apache2/apache2.conf: ErrorLog ${APACHE_LOG_DIR}/error.log",
    ]
    assert writes(findings(run, members), CONFIGURED) == {
        "/var/log/apache2/error.log": "file: says 'ErrorLog ${APACHE_LOG_DIR}/error.log'"
    }


def test_configuration_beside_an_application_counts_and_that_of_its_libraries_does_not() -> None:
    run: dict[str, Json] = {"Cmd": ["/app/run"], "WorkingDir": "/app"}
    members: list[Member | str] = [
        file("app/run", "\x7f", mode=0o755),
        "app/settings.toml: datadir = '/data'\nlogdir = \"/var/log/app\"",
        "app/node_modules/x/y.yml: logdir: /var/log/other",
        "app/source.py: logdir = '/var/log/source'",
    ]
    assert writes(findings(run, members), CONFIGURED) == {
        "/var/log/app": "tree: says 'logdir = \"/var/log/app\"'"
    }


def service(path: str, text: str, paths: str = "") -> list[Member | str]:
    return [
        file("usr/sbin/served", "\x7f", mode=0o755),
        *dpkg(f"/usr/sbin/served /{path} {paths}".strip()),
        file(path, text),
    ]


RUN: dict[str, Json] = {"Cmd": ["/usr/sbin/served"]}


def test_what_a_unit_would_let_the_service_write() -> None:
    path = "lib/systemd/system/serve.service"
    text = (
        "[Service]\nExecStart=/usr/sbin/served -x\nRuntimeDirectory=serve serve/b:link\n"
        "StateDirectory=serve\nCacheDirectory=%i\nLogsDirectory=serve\nPIDFile=/run/serve/x.pid\n"
        "ReadWritePaths=-/var/spool/serve /etc/serve /run\n[Install]\nRuntimeDirectory=no\n"
    )
    assert writes(findings(RUN, service(path, text)), UNIT) == {
        "/run/serve": "tree: says 'RuntimeDirectory=serve serve/b:link'",
        "/run/serve/b": "tree: says 'RuntimeDirectory=serve serve/b:link'",
        "/run/serve/x.pid": "file: says 'PIDFile=/run/serve/x.pid'",
        "/var/lib/serve": "tree: says 'StateDirectory=serve'",
        "/var/log/serve": "tree: says 'LogsDirectory=serve'",
        "/var/spool/serve": "tree: says 'ReadWritePaths=-/var/spool/serve /etc/serve /run'",
    }


def test_units_are_read_and_not_kept_and_another_programs_unit_says_nothing() -> None:
    path = "lib/systemd/system/other.service"
    text = "[Service]\nExecStart=/usr/sbin/other\nStateDirectory=other\nUser=other\n"
    keep = findings(RUN, service(path, text))
    assert (writes(keep, UNIT), keep.runs_as, f"/{path}" in keep.kept) == ({}, (), False)


def test_directories_of_tmpfiles_are_made_since_nobody_runs_it_in_a_container() -> None:
    path = "usr/lib/tmpfiles.d/serve.conf"
    text = (
        "# d /run/no\nd /run/serve 0755 serve serve\nD! /var/cache/serve\nf+ /run/serve/x 0644\n"
        "x /run/other\nd /run\nd /dev/x\nd /etc/x\nd /run/%u\nd /run/../etc\nd\n"
    )
    assert writes(findings(RUN, service(path, text)), TMPFILES) == {
        "/run/serve": "tree: makes /run/serve",
        "/run/serve/x": "file: makes /run/serve/x",
        "/var/cache/serve": "tree: makes /var/cache/serve",
    }


def test_state_whose_path_is_compiled_in() -> None:
    strings = (
        "/var/lib/serve /var/lib/serve/new /var/log/serve.log /var/lib/other /var/lib/dpkg/x"
        " /var/log/wtmp /var/lib/serve/out /run/secrets/key /var/lib /run/nothing.pid"
        " /var/cache/absent/x /etc/serve"
    ).split()
    texts = ", ".join(f'"{one}"' for one in strings)
    app = compiled(f"char *s[] = {{{texts}}}; int main(){{return 0;}}")
    keep = findings(
        {"Cmd": ["/usr/sbin/x"]},
        [
            file("usr/sbin/x", app, mode=0o755),
            *libc(),
            file(
                "var/lib/dpkg/status",
                "".join(
                    f"Package: {name}\nStatus: install ok installed\n\n" for name in ("x", "other")
                ),
            ),
            file("var/lib/dpkg/info/x.list", "/usr/sbin/x"),
            file("var/lib/dpkg/info/other.list", "/var/lib/other"),
            directory("var/lib/serve"),
            directory("var/lib/other"),
            "var/log/serve.log",
            "var/log/wtmp",
            "var/lib/serve/out -> /dev/stdout",
            "run/secrets/key",
        ],
    )
    assert writes(keep, COMPILED) == {
        "/var/lib/serve": "tree: contains '/var/lib/serve'",
        "/var/lib/serve/new": "file: contains '/var/lib/serve/new'",
        "/var/log/serve.log": "file: contains '/var/log/serve.log'",
    }


def test_directives_as_they_are_read() -> None:
    text = "a = 1\n[S x]\nPid-File: '/x y' z # no\nb\n{ c 1; d \"\" 2; }\n"
    assert list(directives(text)) == [
        Directive("a", ("1",), "", "a = 1"),
        Directive("pidfile", ("/x y", "z"), "s x", "Pid-File: '/x y' z"),
        Directive("b", (), "s x", "b"),
        Directive("c", ("1",), "s x", "c 1"),
        Directive("d", ("", "2"), "s x", 'd "" 2'),
    ]


def test_variables_as_they_are_expanded() -> None:
    known = {"A": "1"}
    words = ["$A", "${A}x", "${B:-2}", "$B", "${A##x}", "x"]
    assert [expanded(word, known) for word in words] == ["1", "1x", "2", None, None, "x"]
    text = "B=$A\nexport C='$B/c'\nD=$E\n: ${A:=9} ${F:=8}\n"
    assert assigned(text, known) == {"A": "1", "B": "1", "C": "1/c", "F": "8"}


@pytest.mark.parametrize(
    "text",
    [
        "a" * 900_000,
        "a b\n" * 200_000,
        '"' * 900_000,
        "'\"" * 400_000,
        ("${A:-" * 700 + "\n") * 200,
        "<!--" * 200_000,
        "{;" * 400_000,
        ("pid " * 900 + "\n") * 200,
        ("{;" * 1900 + "\n") * 200,
        ("[" * 3000 + "\n") * 200,
        ("<a>" * 1000 + "\n") * 200,
        ("$" * 4000 + "\n") * 200,
        "export " * 100_000,
    ],
    ids=lambda text: text[:8],
)
def test_hostile_text_is_read_in_linear_time(text: str) -> None:
    # Were it not, this would not end; how long it takes is no matter.
    found = list(directives(text))
    assigned(text, {})
    for directive in found:
        for word in directive.words:
            expanded(word, {})
    assert len(found) <= len(text)


def test_what_is_touched_and_handed_over_is_a_file() -> None:
    script = "#!/bin/sh\nmkdir -p /var/log/x\ntouch /var/log/x/a.log\nchown 5 /var/log/x/a.log\n"
    members = [file("run", script, mode=0o755), file("bin/sh", "\x7f", mode=0o755)]
    members += [file(f"bin/{name}", "\x7f", mode=0o755) for name in ("mkdir", "touch", "chown")]
    keep = planned({"Cmd": ["/run"], "Env": ["PATH=/bin"]}, members).keep
    found = {one.what for one in keep.writes if one.path == "/var/log/x/a.log"}
    assert found == {Written.FILE}
