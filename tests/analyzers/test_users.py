"""Who the program becomes, and what only root can do: by command line, configuration and units."""

import pytest
from closure.kit import planned
from filetree.kit import Member, directory, file

from analyzers.kit import calling, compiled, findings, libc, users
from minify.analyzers.drops import BECOMES, DROPS, MANAGES
from minify.image.jsontext import Json

CONFIG = "the image's configuration"


def program(name: str) -> Member:
    return file(name, "\x7f", mode=0o755)


def told(command: str, *members: Member | str, env: tuple[str, ...] = ()) -> list[str]:
    """What is said of the users of an image that runs `command`, a program of /usr/sbin."""
    words = command.split(" ")
    run: dict[str, Json] = {"Cmd": [*words], "Env": ["PATH=/usr/sbin", *env]}
    return users(findings(run, [program(f"usr/sbin/{words[0]}"), *members]))


NOBODY_ELSE = "{name} stops where it cannot do that"

CONFIGURED = [
    ("nginx", "etc/nginx/nginx.conf", "user www-data;", "www-data"),
    ("nginx", "etc/nginx/nginx.conf", "user www-data www-data;", "www-data"),
    ("nginx", "usr/local/nginx/conf/nginx.conf", "user 'app';", "app"),
    ("openresty", "usr/local/openresty/nginx/conf/nginx.conf", "user app;", "app"),
    ("apache2", "etc/apache2/apache2.conf", "User www-data", "www-data"),
    ("httpd", "etc/httpd/conf/httpd.conf", "User apache", "apache"),
    ("httpd-foreground", "usr/local/apache2/conf/httpd.conf", "User daemon", "daemon"),
    ("apache2ctl", "etc/apache2/conf-enabled/u.conf", "User www-data", "www-data"),
    ("apachectl", "etc/apache2/httpd.conf", "User www-data", "www-data"),
    ("apache2-foreground", "etc/apache2/apache2.conf", "User www-data", "www-data"),
    ("dnsmasq", "etc/dnsmasq.conf", "user=dnsmasq", "dnsmasq"),
    ("icecast2", "etc/icecast2/icecast.xml", "<user>icecast</user>", "icecast"),
    ("lighttpd", "etc/lighttpd/lighttpd.conf", 'server.username = "www-data"', "www-data"),
    ("mariadbd", "etc/mysql/mariadb.conf.d/50-server.cnf", "[mariadbd]\nuser = mysql", "mysql"),
    ("mysqld", "etc/my.cnf", "[client]\nuser=me\n[mysqld]\nuser=mysql", "mysql"),
    ("mysqld_safe", "etc/mysql/my.cnf", "[mysqld_safe]\nuser=mysql", "mysql"),
    ("memcached", "etc/memcached.conf", "-u memcache", "memcache"),
    ("mosquitto", "etc/mosquitto/mosquitto.conf", "user mqtt", "mqtt"),
    ("php-fpm8.2", "etc/php/8.2/fpm/pool.d/www.conf", "[www]\nuser = www-data", "www-data"),
    ("php-fpm", "usr/local/etc/php-fpm.d/www.conf", "[www]\nuser = www-data", "www-data"),
    ("rsync", "etc/rsyncd.conf", "uid = nobody", "nobody"),
    ("squid", "etc/squid/squid.conf", "cache_effective_user proxy", "proxy"),
    ("tinyproxy", "etc/tinyproxy/tinyproxy.conf", "User tinyproxy", "tinyproxy"),
]


@pytest.mark.parametrize(("name", "path", "text", "account"), CONFIGURED)
def test_a_program_becomes_the_account_of_its_configuration(
    name: str, path: str, text: str, account: str
) -> None:
    line = text.rpartition("\n")[2].rstrip(";")
    found = told(name, f"{path}: {text}\n")
    assert [one for one in found if one[0] in "!#"] == [f"!{account}: /{path} says {line!r}"]


INSISTING = [
    ("haproxy", "etc/haproxy/haproxy.cfg", "user haproxy", "haproxy"),
    ("rsyslogd", "etc/rsyslog.conf", "$PrivDropToUser syslog", "syslog"),
    ("snmpd", "etc/snmp/snmpd.conf", "agentuser snmp", "snmp"),
    ("stunnel4", "etc/stunnel/s.conf", "setuid = stunnel4", "stunnel4"),
    ("supervisord", "etc/supervisord.conf", "[supervisord]\nuser=app", "app"),
    ("unbound", "etc/unbound/unbound.conf", 'server:\n  username: "dns"', "dns"),
]


@pytest.mark.parametrize(("name", "path", "text", "account"), INSISTING)
def test_some_programs_run_as_that_account_or_as_root_only(
    name: str, path: str, text: str, account: str
) -> None:
    line = text.rpartition("\n")[2].strip()
    found = told(name, f"{path}: {text}\n")
    plain = name.removesuffix("4")
    assert [one for one in found if one[0] in "!#"] == [
        f"!{account}: /{path} says {line!r}",
        f"# unless {account}: /{path} says {line!r}, and {plain} stops where it cannot do that",
    ]


COMMANDED = [
    ("dnsmasq", "--user=dns", "dns", "--user dns"),
    ("dnsmasq", "-udns", "dns", "-u dns"),
    ("gunicorn", "--user app", "app", "--user app"),
    ("mysqld", "--user=mysql", "mysql", "--user mysql"),
    ("mysqld_safe", "-u mysql", "mysql", "-u mysql"),
    ("mariadbd", "-u mysql", "mysql", "-u mysql"),
    ("memcached", "-m 64 -u memcache", "memcache", "-u memcache"),
    ("named", "-g -u bind", "bind", "-u bind"),
    ("privoxy", "--user privoxy", "privoxy", "--user privoxy"),
    ("slapd", "-u openldap -g openldap", "openldap", "-u openldap"),
    ("snmpd", "-u Debian-snmp", "Debian-snmp", "-u Debian-snmp"),
    ("supervisord", "-n -u app", "app", "-u app"),
    ("uwsgi", "--uid www:www", "www", "--uid www:www"),
    ("varnishd", "-u varnish", "varnish", "-u varnish"),
    ("vinyld", "-u vinyl", "vinyl", "-u vinyl"),
]


@pytest.mark.parametrize(("name", "words", "account", "shown"), COMMANDED)
def test_a_program_becomes_the_account_of_its_command_line(
    name: str, words: str, account: str, shown: str
) -> None:
    found = told(f"{name} {words}")
    detail = f"{CONFIG} {name} is started with {shown}"
    root = f"# unless {account}: {detail}, and {name} stops where it cannot do that"
    assert found == [f"!{account}: {detail}", *([root] if DROPS[name].insists else [])]


def test_every_program_of_the_table_is_tested() -> None:
    tested = {name for name, *_ in (*CONFIGURED, *INSISTING, *COMMANDED)}
    assert {name.rstrip("0123456789.") for name in tested} | {"apache"} == {*DROPS, "apache"}


def test_the_command_line_overrules_configuration_and_the_last_line_the_first() -> None:
    conf = file("etc/dnsmasq.conf", "user=one\n# user=none\nuser=two\n")
    known = dpkg("/nothing")
    assert told("dnsmasq", conf, *known) == [
        "one: /etc/dnsmasq.conf says 'user=one'",
        "two: /etc/dnsmasq.conf says 'user=two'",
        "!two: /etc/dnsmasq.conf says 'user=two'",
    ]
    assert f"!three: {CONFIG} dnsmasq is started with -u three" in told("dnsmasq -u three", conf)


def test_another_file_of_the_command_line_counts_instead() -> None:
    usual = file("etc/haproxy/haproxy.cfg", "global\n user haproxy\n chroot /var/lib/haproxy\n")
    other = file("srv/h.cfg", "global\n  user app\nuserlist x\n  user admin password 123\n")
    assert told("haproxy -f /srv/h.cfg", usual, other) == [
        "admin: /srv/h.cfg says 'user admin password 123'",
        "app: /srv/h.cfg says 'user app'",
        "!app: /srv/h.cfg says 'user app'",
        "# unless app: /srv/h.cfg says 'user app', and haproxy stops where it cannot do that",
    ]
    said = "says 'chroot /var/lib/haproxy', which haproxy can only do as root"
    found = told("haproxy", usual, other)
    assert [one for one in found if one[:2] == "#:"] == [f"#: /etc/haproxy/haproxy.cfg {said}"]


APACHE = file("etc/apache2/apache2.conf", "User ${APACHE_RUN_USER}\n")


@pytest.mark.parametrize(
    ("envvars", "env", "account"),
    [
        ("export APACHE_RUN_USER=www-data\n", (), "www-data"),
        (": ${APACHE_RUN_USER:=www-data}\nexport APACHE_RUN_USER\n", (), "www-data"),
        (": ${APACHE_RUN_USER:=www-data}\n", ("APACHE_RUN_USER=app",), "app"),
        ("S=-x\nU=www\nexport APACHE_RUN_USER=$U$S\n", (), "www-x"),
        ("", ("APACHE_RUN_USER=app",), "app"),
        ("", (), ""),
        ("export APACHE_RUN_USER=$(whoami)\n", (), ""),
    ],
)
def test_a_variable_is_followed_to_where_it_is_given(
    envvars: str, env: tuple[str, ...], account: str
) -> None:
    found = told("apache2", APACHE, file("etc/apache2/envvars", envvars), env=env)
    detail = "/etc/apache2/apache2.conf says 'User ${APACHE_RUN_USER}'"
    assert [one for one in found if one[0] == "!"] == ([f"!{account}: {detail}"] if account else [])


@pytest.mark.parametrize(
    ("cmd", "account"),
    [
        (["nginx", "-g", "daemon off; user inline;"], "inline"),
        (["sh", "-c", "exec nginx -g 'daemon off; user inline;' && true"], "inline"),
        (["sh", "-c", "nginx -c /etc/o.conf; true"], "other"),
    ],
)
def test_programs_in_shell_texts_have_their_words(cmd: list[Json], account: str) -> None:
    run: dict[str, Json] = {"Cmd": cmd, "Env": ["PATH=/usr/sbin:/bin"]}
    conf = file("etc/nginx/nginx.conf", "user usual;\n")
    members: list[Member | str] = [
        program("usr/sbin/nginx"),
        program("bin/sh"),
        conf,
        "etc/o.conf: user other;",
    ]
    found = users(findings(run, members))
    assert [one.partition(":")[0] for one in found if one[0] == "!"] == [f"!{account}"]


def test_nobody_is_root_by_configuration() -> None:
    conf = file("etc/nginx/nginx.conf", "user root;\n#user www;\n")
    assert [one for one in told("nginx", conf) if one[0] in "!#"] == []


def test_the_configuration_of_another_programs_says_nothing() -> None:
    conf = file("etc/nginx/nginx.conf", "user www;\n")
    assert [one for one in told("app", conf, program("usr/sbin/nginx")) if one[0] in "!#"] == []
    run: dict[str, Json] = {
        "Cmd": ["/app"],
        "Healthcheck": {"Test": ["CMD", "/usr/sbin/nginx", "-u", "x"]},
    }
    assert users(findings(run, [program("app"), program("usr/sbin/nginx"), conf])) == []


def test_several_accounts_for_the_parts_of_the_work_need_root() -> None:
    pools = file("etc/php-fpm.d/p.conf", "[a]\nuser = one\n[b]\nuser = two\n")
    found = [one for one in told("php-fpm", pools) if one[0] in "!#"]
    assert found == ["#: /etc/php-fpm.d/p.conf php-fpm works as several users: one, two"]


SUPERVISED = "[supervisord]\nnodaemon=true\n{}[program:a]\nuser=one\n[program:b]\n{}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SUPERVISED.format("", "user=one"), ["# unless one: says 'user=one'"]),
        (SUPERVISED.format("", "user=two"), ["#: says 'user=one'", "#: says 'user=two'"]),
        (
            SUPERVISED.format("user=root\n", ""),
            [
                "# unless one: says 'user=one'",
                "# unless root: says 'user=root', and supervisord stops where it cannot do that",
            ],
        ),
    ],
)
def test_supervisord_starts_programs_as_their_users(text: str, expected: list[str]) -> None:
    path = "etc/supervisor/conf.d/x.conf"
    found = told("supervisord", file(path, text))
    assert [one.replace(f"/{path} ", "") for one in found if one[0] in "!#"] == expected


STARTING = "[program:a]\ncommand={}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (STARTING.format("nginx -g x"), "#: starts nginx as root, for [program:a] has no user="),
        (
            STARTING.format("/usr/sbin/cron"),
            "#: starts cron as root, for [program:a] has no user=",
        ),
        (STARTING.format("nginx") + "user=www", "# unless www: says 'user=www'"),
        (
            "[supervisord]\nuser=app\n" + STARTING.format("nginx"),
            "# unless app: starts nginx as root, for [program:a] has no user=",
        ),
        (STARTING.format("worker"), ""),
        (STARTING.format("%(ENV_X)s"), ""),
    ],
)
def test_what_supervisord_starts_as_root(text: str, expected: str) -> None:
    programs = [program(f"usr/sbin/{name}") for name in ("nginx", "cron", "worker")]
    found = told("supervisord", file("etc/supervisord.conf", text), *programs)
    said = [one.replace("/etc/supervisord.conf ", "") for one in found if one[0] == "#"]
    assert [one for one in said if "stops" not in one] == [one for one in [expected] if one]


def test_what_supervisord_starts_and_includes_is_kept() -> None:
    run: dict[str, Json] = {"Cmd": ["supervisord"], "Env": ["PATH=/usr/sbin"]}
    members = [
        file("etc/supervisord.conf", "[include]\nfiles = more/*.ini /opt/x.ini\n"),
        file("etc/more/a.ini", "[program:a]\ncommand=worker\nuser=one\n"),
        file("opt/x.ini", "[program:b]\ncommand=/usr/sbin/other\nuser=two\n"),
        *(program(f"usr/sbin/{name}") for name in ("supervisord", "worker", "other", "idle")),
    ]
    keep = findings(run, members)
    assert users(keep) == [
        "two: /opt/x.ini says 'user=two'",
        "#: /etc/more/a.ini says 'user=one'",
        "#: /opt/x.ini says 'user=two'",
    ]
    kept = [path for path in keep.kept if keep.kept[path].grade and path.startswith("/usr/sbin/")]
    assert kept == ["/usr/sbin/other", "/usr/sbin/supervisord", "/usr/sbin/worker"]


def test_defaults_that_are_compiled_in() -> None:
    said = "/usr/sbin/unbound unbound becomes unbound unless it is told otherwise"
    assert told("unbound") == [
        f"!unbound: {said}",
        f"# unless unbound: {said}, and unbound stops where it cannot do that",
    ]
    said = "/usr/sbin/mosquitto mosquitto becomes mosquitto unless it is told otherwise"
    assert told("mosquitto") == [f"!mosquitto: {said}"]


@pytest.mark.parametrize(
    ("command", "members", "expected"),
    [
        (
            "varnishd -j unix,user=vcache",
            [],
            f"{CONFIG} varnishd is started with -j unix,user=vcache, which only root can do",
        ),
        (
            "rsyslogd",
            ["etc/rsyslog.conf: $PrivDropToGroup syslog"],
            "/etc/rsyslog.conf says '$PrivDropToGroup syslog', which rsyslogd can only do as root",
        ),
        (
            "apache2",
            ["etc/apache2/apache2.conf: ChrootDir /srv"],
            "/etc/apache2/apache2.conf says 'ChrootDir /srv', which apache can only do as root",
        ),
    ],
)
def test_what_only_root_is_told_to_do(command: str, members: list[str], expected: str) -> None:
    assert [one for one in told(command, *members) if one[0] == "#"] == [f"#: {expected}"]


@pytest.mark.parametrize("name", sorted(BECOMES))
def test_programs_that_become_other_users_need_root_and_everybody(name: str) -> None:
    assert told(f"{name} -x") == [
        f"*: /usr/sbin/{name} {BECOMES[name]}",
        f"#: /usr/sbin/{name} {BECOMES[name]}",
    ]


@pytest.mark.parametrize("name", sorted(MANAGES))
def test_programs_that_manage_the_machine_need_root(name: str) -> None:
    assert told(f"{name} -x") == [f"#: /usr/sbin/{name} {MANAGES[name]}"]


@pytest.mark.parametrize(
    ("line", "is_sure"),
    [
        ("exec /usr/sbin/sshd -D -e", True),
        ("exec sshd \\\n -D", True),
        ("exec nice -n 5 sshd -D", True),
        ("exec -a name sshd", True),
        ("if x; then\n  exec sshd\nfi", False),
        ("exec gosu app sshd", False),
        ('exec "$@"', False),
        # One command, though what it is given has two values; not if there is another end.
        ("test -r /x && X=-e\nexec sshd $X", True),
        ("test -r /x && X=-e\nif x; then\n  exec sshd $X\nfi\nexec nice x", False),
        ("exec 2>&1", False),
        ("exec nothing", False),
        ("# exec sshd", False),
    ],
)
def test_what_a_script_ends_with_counts(line: str, *, is_sure: bool) -> None:
    start = file("start", f"#!/bin/sh\n{line}\n", mode=0o755)
    run: dict[str, Json] = {"Cmd": ["/start"], "Env": ["PATH=/usr/sbin:/bin"]}
    programs = [program(f"usr/sbin/{name}") for name in ("sshd", "gosu", "nice")]
    found = findings(run, [start, program("bin/sh"), *programs])
    said = ["#: /usr/sbin/sshd sshd becomes the user who logs in"]
    assert [one for one in users(found) if "sshd becomes" in one and one[0] == "#"] == (
        said if is_sure else []
    )


def test_an_applet_counts_by_the_name_it_is_called() -> None:
    run: dict[str, Json] = {"Cmd": ["crond", "-f"], "Env": ["PATH=/bin"]}
    members: list[Member | str] = [program("bin/busybox"), "bin/crond -> busybox"]
    assert users(findings(run, members)) == [
        "*: /bin/busybox crond runs each job as its owner",
        "#: /bin/busybox crond runs each job as its owner",
    ]


def test_a_program_that_asks_pam_and_becomes_others_keeps_everybody() -> None:
    source = "int pam_start(){return 0;}"
    pam = file(
        "lib/x86_64-linux-gnu/libpam.so.0", compiled(source, "-shared", "-Wl,-soname,libpam.so.0")
    )
    linked = ("-Wl,--no-as-needed", "-Wl,-l:libpam.so.0", "-L/lib/x86_64-linux-gnu")
    becomes = calling("setuid", name="app", flags=linked)
    asks = calling("getuid", name="app", flags=linked)
    said = ["*: /app authenticates with PAM and can become another user"]
    for app, expected in ((becomes, said), (asks, [])):
        assert users(findings({"Cmd": ["/app"]}, [app, pam, *libc()])) == expected


def test_homes_of_those_who_log_in_stay() -> None:
    text = 'extern int getpwnam(); void *p = getpwnam; char *n[] = {"ftp", "daemon", "x"};'
    members: list[Member | str] = [
        file("usr/sbin/vsftpd", compiled(f"{text} int main(){{return 0;}}"), mode=0o755),
        file(
            "etc/passwd",
            "ftp:x:101:65534::/srv/ftp:/usr/sbin/nologin\nann:x:1000:1000::/home/ann:/bin/sh\n"
            "bob:x:102:102::/srv/bob:/bin/sh\nall:x:1001:1001::/home:/bin/sh\n",
        ),
        "srv/ftp/pub/a: x",
        "srv/bob/b: x",
        "home/ann/.profile: x",
        "home/ann/.bash_history: x",
        *libc(),
    ]
    run: dict[str, Json] = {"Cmd": ["vsftpd"], "Env": ["PATH=/usr/sbin"]}
    kept = findings(run, members).kept
    files = {path for path in kept if path.startswith(("/srv/", "/home/")) and path.count("/") > 2}
    assert files == {"/srv/ftp/pub", "/srv/ftp/pub/a", "/home/ann/.profile"}


def test_names_that_are_words_of_any_program_are_no_accounts() -> None:
    text = 'extern int getpwnam(); void *p = getpwnam; char *n[] = {"nobody", "daemon", "x"};'
    app = file("app", compiled(f"{text} int main(){{return 0;}}"), mode=0o755)
    passwd = file("etc/passwd", "nobody:x:9:9::/:\ndaemon:x:1:1::/:\ny:x:2:2::/:\n")
    assert users(findings({"Cmd": ["/app"]}, [app, *libc(), passwd])) == [
        "nobody: /app contains 'nobody' and looks accounts up"
    ]


def dpkg(paths: str, name: str = "redis") -> list[Member | str]:
    status = f"Package: {name}\nStatus: install ok installed\n\n"
    listed = file(f"var/lib/dpkg/info/{name}.list", paths.replace(" ", "\n"))
    return [file("var/lib/dpkg/status", status), listed]


UNIT = "usr/lib/systemd/system/redis-server.service"


@pytest.mark.parametrize(
    ("start", "sign"),
    [
        ("/usr/sbin/redis-server /x", "!"),
        ("-/usr/sbin/redis-server", "!"),
        ("!/usr/sbin/redis-server", ""),
        ("+/usr/sbin/redis-server", ""),
        ('/bin/sh -c "x \\\n exec /usr/sbin/redis-server $Y"', "!"),
        ("/usr/bin/wrapper", ""),
    ],
)
def test_a_unit_says_who_the_service_is(start: str, sign: str) -> None:
    text = f"[Service]\nUser=redis\nExecStart={start}\n"
    members = [*dpkg(f"/usr/sbin/redis-server /{UNIT}"), file(UNIT, text)]
    assert told("redis-server", *members) == [f"{sign}redis: /{UNIT} says 'User=redis'"]


def test_configuration_overrules_a_unit() -> None:
    unit = "usr/lib/systemd/system/squid.service"
    text = "[Service]\nUser=one\nExecStart=/usr/sbin/squid\n"
    members = [*dpkg(f"/usr/sbin/squid /{unit}", "squid"), file(unit, text)]
    conf = "etc/squid/squid.conf: cache_effective_user two"
    assert told("squid -N", *members, conf) == [
        f"one: /{unit} says 'User=one'",
        "two: /etc/squid/squid.conf says 'cache_effective_user two'",
        "!two: /etc/squid/squid.conf says 'cache_effective_user two'",
    ]


def test_the_directories_of_tmpfiles_name_their_accounts() -> None:
    path = "usr/lib/tmpfiles.d/redis.conf"
    text = "# no\nd /run/redis 0755 redis redis -\nd /run/y 0755 root root\nd /run/z - - -\n"
    members = [*dpkg(f"/usr/sbin/redis-server /{path}"), file(path, text)]
    assert told("redis-server", *members) == [f"redis: /{path} makes /run/redis for redis"]


def test_a_packaged_nginx_runs_as_its_account_and_writes_its_own() -> None:
    unit = "usr/lib/systemd/system/nginx.service"
    paths = f"/usr/sbin/nginx /etc/nginx /etc/nginx/nginx.conf /var/log/nginx /{unit}"
    plan = planned(
        {"Cmd": ["nginx"], "Env": ["PATH=/usr/sbin"]},
        [
            program("usr/sbin/nginx"),
            *dpkg(paths, "nginx"),
            file("etc/passwd", "root:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n"),
            file("etc/group", "root:x:0:\nwww-data:x:33:\nadm:x:4:\n"),
            file("etc/nginx/nginx.conf", "user www-data;\nerror_log /var/log/nginx/error.log;\n"),
            directory("var/log/nginx", uid=33, gid=4),
            file("var/log/nginx/error.log"),
            file(unit, "[Service]\nPIDFile=/run/nginx.pid\n"),
            directory("run"),
        ],
    )
    assert (plan.identity.user, plan.identity.name) == ("33", "www-data")
    owners = {item.entry.path: item.entry.uid for item in plan.entries if item.entry.uid}
    assert owners == {"/run": 33, "/var/log/nginx": 33, "/var/log/nginx/error.log": 33}
    assert f"/{unit}" not in plan.keep.kept


def test_a_program_that_needs_root_keeps_it() -> None:
    passwd = file("etc/passwd", "root:x:0:0::/:/bin/sh\nsshd:x:33:33::/:/bin/sh\n")
    plan = planned({"Cmd": ["/usr/sbin/sshd", "-D"]}, [program("usr/sbin/sshd"), passwd])
    assert (plan.identity.user, plan.identity.passwd) == ("", None)
    assert "sshd becomes the user who logs in" in plan.identity.why
