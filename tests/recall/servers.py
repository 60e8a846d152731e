"""Workloads of servers; no rule was made for them.

Each was written before anybody looked at what minify keeps of its program: docs/recall.md.
"""

from __future__ import annotations

import imaplib
import poplib
import smtplib
import time
from collections.abc import Callable

from images.authority import authority

from recall.programs import PROGRAMS
from recall.room import Room

_PASSWORD = "secret"  # noqa: S105  # of accounts that end with the workload


def _get(room: Room, url: str, *flags: str) -> str:
    """What curl of this machine shows: headers and body."""
    return room.outside("curl", "-sS", "-i", "--cacert", str(authority().certificate), *flags, url)


def _web(room: Room, hello: str, site: str, secured: str) -> None:
    """What every web server is asked."""
    room.check("index", hello, _get(room, f"{site}/"))
    room.check("https", hello, _get(room, f"{secured}/"))
    room.check("http2", r"HTTP/2 200", _get(room, f"{secured}/", "--http2"))
    room.check("listing", r"a\.css", _get(room, f"{site}/dir/"))
    room.check("mime", "text/css", _get(room, f"{site}/dir/a.css"))
    room.check("rewrite", "text/css", _get(room, f"{site}/old/a.css"))
    room.check("nobody", " 401 ", _get(room, f"{site}/private/"))
    known = _get(room, f"{site}/private/", "-u", f"alice:{_PASSWORD}")
    room.check("auth", "hello-private", known)
    room.check("cgi", "cgi of GET", _get(room, f"{site}/cgi/a.sh"))
    room.check("nothing", " 404 ", _get(room, f"{site}/nothing"))


def lighttpd(room: Room) -> None:
    tested = room.run("/usr/sbin/lighttpd", "-tt", "-f", "/etc/lighttpd/lighttpd.conf")
    room.check("test", r"\A\s*\Z", tested)
    room.serve(*PROGRAMS["lighttpd"].entrypoint, port=18445)
    _web(room, "hello-lighttpd", "http://localhost:18081", "https://localhost:18445")


def apache(room: Room) -> None:
    room.check("test", "Syntax OK", room.run("/usr/sbin/apache2ctl", "configtest"))
    room.serve(*PROGRAMS["apache"].entrypoint, port=18446)
    _web(room, "hello-apache", "http://localhost:18082", "https://localhost:18446")
    css = "http://localhost:18082/dir/a.css"
    compressed = _get(room, css, "--compressed")
    room.check("deflate", "(?i)content-encoding: gzip", compressed)
    room.check("proxy", "hello-apache", _get(room, "http://localhost:18082/up/"))
    german = _get(room, "http://localhost:18082/nothing", "-H", "Accept-Language: de")
    room.check("negotiated", "nicht gefunden", german)
    room.check("icon", "image/gif", _get(room, "http://localhost:18082/icons/text.gif"))


def haproxy(room: Room) -> None:
    valid = room.run("/usr/sbin/haproxy", "-c", "-f", "/etc/haproxy/haproxy.cfg")
    room.check("test", "valid", valid)
    room.serve(*PROGRAMS["haproxy"].entrypoint, port=18447)
    site = "http://localhost:18083"
    room.check("lua", "hello from lua /lua/x", _get(room, f"{site}/lua/x"))
    room.check("text", r"text for 127\.", _get(room, f"{site}/text"))
    gzipped = _get(room, f"{site}/text", "--compressed")
    room.check("http", " 200 ", gzipped)
    room.check("deny", " 403 ", _get(room, f"{site}/secret"))
    room.check("https", "lua", _get(room, "https://localhost:18447/lua"))
    room.check("http2", "HTTP/2 200", _get(room, "https://localhost:18447/lua", "--http2"))
    room.check("down", "No server is available", _get(room, f"{site}/down"))
    time.sleep(3)  # it is checked before it is used
    room.check("backend", "hello over tls", _get(room, f"{site}/index.html"))


def mosquitto(room: Room) -> None:
    room.serve(*PROGRAMS["mosquitto"].entrypoint, port=11884)
    alice = ("-h", "localhost", "-p", "11883", "-u", "alice", "-P", _PASSWORD)
    room.run("/usr/bin/mosquitto_pub", *alice, "-t", "a/b", "-r", "-m", "kept")
    one = ("-C", "1", "-W", "5", "-v")
    room.check("kept", "^a/b kept", room.run("/usr/bin/mosquitto_sub", *alice, "-t", "a/#", *one))
    nobody = ("-h", "localhost", "-p", "11883", "-t", "a/b", "-m", "x")
    refused = room.run("/usr/bin/mosquitto_pub", *nobody)
    room.check("nobody", "not authori[sz]ed|refused", refused)
    tls = ("-h", "localhost", "-p", "18883", "--capath", "/etc/ssl/certs", "-t", "s")
    room.run("/usr/bin/mosquitto_pub", *tls, "-r", "-m", "sealed")
    room.check("tls", "^s sealed", room.run("/usr/bin/mosquitto_sub", *tls, *one))
    told = room.run("/usr/bin/mosquitto_sub", *alice, "-t", "a/#", "-C", "1", "-F", "%I %t %p")
    room.check("times", r"^\d{4}-\d\d-\d\dT.* a/b kept", told)
    control = ("-h", "localhost", "-p", "11884", "-u", "admin", "-P", _PASSWORD)
    roles = room.run("/usr/bin/mosquitto_ctrl", *control, "dynsec", "listRoles")
    room.check("plugin", "admin", roles)


def named(room: Room) -> None:
    room.check("test", r"\A\s*\Z", room.run("/usr/bin/named-checkconf", "-z", "-p", "/dev/null"))
    room.serve(*PROGRAMS["named"].entrypoint, port=53)
    dig = ("/usr/bin/dig", "@127.0.0.1", "+tries=2", "+time=2")

    def asked(*words: str) -> str:
        return room.run(*dig, *words)

    room.check("a", r"^192\.0\.2\.7$", asked("+short", "www.example.test"))
    room.check("wild", r"^192\.0\.2\.7$", asked("+short", "x.w.example.test"))
    room.check("plugin", "NOERROR", asked("www.example.test", "AAAA"))
    room.check("tcp", "^ns.*127", asked("+tcp", "+noall", "+answer", "ns.example.test"))
    room.check("transfer", r"\*\.w", asked("+noall", "+answer", "example.test", "AXFR"))
    room.check("localhost", r"localhost\.", asked("+short", "-x", "127.0.0.1"))
    room.check("version", "Debian", asked("+short", "version.bind", "CH", "TXT"))
    room.check("yaml", "type: MESSAGE", asked("+yaml", "www.example.test"))
    time.sleep(2)  # keys are made
    signed = asked("+dnssec", "+noall", "+answer", "www.signed.test")
    room.check("signed", "RRSIG", signed)
    status = room.run("/usr/sbin/rndc", "-p", "10953", "status")
    room.check("rndc", "server is up", status)
    room.check("reload", "successful", room.run("/usr/sbin/rndc", "-p", "10953", "reload"))
    room.check("statistics", "<statistics", _get(room, "http://127.0.0.1:18053/xml/v3/server"))
    room.check("style", "xsl:stylesheet", _get(room, "http://127.0.0.1:18053/bind9.xsl"))


def slapd(room: Room) -> None:
    room.serve(*PROGRAMS["slapd"].entrypoint, port=10389)
    url = ("-H", "ldap://localhost:10389/", "-x")
    admin = (*url, "-D", "cn=admin,dc=example,dc=test", "-w", _PASSWORD)
    added = room.run("/usr/bin/ldapadd", *admin, "-f", "/app/people.ldif")
    room.check("add", "adding new entry", added)
    base = ("-b", "dc=example,dc=test")
    room.check("search", "homeDirectory", room.run("/usr/bin/ldapsearch", *url, *base, "(uid=al*)"))
    member = room.run("/usr/bin/ldapsearch", *admin, *base, "(uid=alice)", "memberOf")
    room.check("overlay", "memberOf: cn=staff", member)
    alice = (*url, "-D", "uid=alice,dc=example,dc=test")
    changed = room.run("/usr/bin/ldappasswd", *alice, "-w", _PASSWORD, "-s", "other")
    room.check("password", r"\A\s*\Z", changed)
    room.check("bind", "uid=alice", room.run("/usr/bin/ldapwhoami", *alice, "-w", "other"))
    hashed = room.run("/usr/bin/ldapsearch", *admin, *base, "(uid=alice)", "userPassword")
    room.check("hash", "userPassword:: e1NTSEEyNTZ9", hashed)
    room.check("tls", "anonymous", room.run("/usr/bin/ldapwhoami", *url, "-ZZ"))
    digest = ("-H", "ldap://localhost:10389/", "-Y", "DIGEST-MD5", "-U", "x", "-w", "y")
    room.check("sasl", "SASL/DIGEST-MD5", room.run("/usr/bin/ldapwhoami", *digest))
    mechanisms = (*url, "-s", "base", "-b", "", "supportedSASLMechanisms")
    room.check("mechanisms", "SCRAM-SHA", room.run("/usr/bin/ldapsearch", *mechanisms))
    room.check(
        "monitor", "cn: Backends", room.run("/usr/bin/ldapsearch", *admin, "-b", "cn=monitor")
    )
    failed = room.run("/usr/bin/ldapadd", *alice, "-w", "wrong", "-f", "/app/people.ldif")
    room.check("wrong", "Invalid credentials", failed)


def dovecot(room: Room) -> None:
    room.serve(*PROGRAMS["dovecot"].entrypoint, port=143)
    user = room.run("/usr/bin/doveadm", "user", "alice")
    room.check("user", "/home/alice", user)
    room.check("lmtp", "^delivered", _tried(_deliver))
    time.sleep(1)
    said = _tried(_imap)
    room.check("sieve", "Junk", said)
    room.check("search", r"SEARCH OK \[1\]", said)
    for pattern in ("Hello there", "STARTTLS ok", "QUOTA ok"):
        room.check(pattern.split()[0].lower(), pattern, said)
    room.check("pop3", "^pop3 2", _tried(_pop3))
    counted = room.run("/usr/bin/doveadm", "mailbox", "status", "-u", "alice", "messages", "*")
    room.check("doveadm", "Junk messages=1", counted)
    room.check("quota", "STORAGE", room.run("/usr/bin/doveadm", "quota", "get", "-u", "alice"))
    room.check("password", r"\{CRYPT\}", room.run("/usr/bin/doveadm", "pw", "-p", "x"))
    wrong = room.run("/usr/bin/doveadm", "auth", "test", "alice", "wrong")
    room.check("wrong", "auth failed", wrong)


def _tried(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (OSError, EOFError, imaplib.IMAP4.error, poplib.error_proto) as error:
        return f"{type(error).__name__}: {error}"


def _deliver() -> str:
    with smtplib.LMTP("127.0.0.1", 10024, timeout=20) as client:
        for subject in ("hello", "spam"):
            text = f"Subject: {subject}\r\nFrom: b@example.test\r\n\r\nHello there\r\n"
            client.sendmail("b@example.test", ["alice"], text)
    return "delivered"


def _imap() -> str:
    with imaplib.IMAP4("localhost", 143, timeout=20) as client:
        client.starttls()
        told = ["STARTTLS ok"]
        client.login("alice", _PASSWORD)
        told.append(str(client.list()))
        client.append("INBOX", "", imaplib.Time2Internaldate(time.time()), b"Subject: x\r\n\r\ny")
        client.select()
        told.append(f"UID SEARCH {' '.join(map(str, client.uid('SEARCH', 'SUBJECT', 'hello')))}")
        told.append(str(client.fetch("1", "(BODY[TEXT])")))
        told.append(f"QUOTA {'ok' if client.getquotaroot('INBOX')[0] == 'OK' else 'none'}")
    return "\n".join(told).replace("b'", "").replace("'", "")


def _pop3() -> str:
    client = poplib.POP3("127.0.0.1", 110, timeout=20)
    client.stls()
    client.user("alice")
    client.pass_(_PASSWORD)
    count, _ = client.stat()
    client.quit()
    return f"pop3 {count}"


def mariadb(room: Room) -> None:
    method = "--auth-root-authentication-method=normal"
    installed = room.run("/usr/bin/mariadb-install-db", "--datadir=/tmp/my", method)
    room.check("install", "OK", installed)
    room.serve(*PROGRAMS["mariadb"].entrypoint, port=13306)
    client = "/usr/bin/mariadb -S /tmp/my.sock"

    def query(*statements: str, flags: str = "-u root") -> str:
        return room.run(*client.split(), *flags.split(), "-N", "-e", "; ".join(statements))

    room.check("select", "^1$", query("select 1"))
    german = query("set lc_messages=de_DE", "select * from mysql.nope")
    room.check("german", "existiert nicht", german)
    room.check("charset", "^82A0", query("select hex(convert(_utf8mb4'あ' using sjis))"))
    same = "select _utf8mb4'ä' = _utf8mb4'a' collate utf8mb4_unicode_ci"
    room.check("collation", "^1", query(same))
    engines = "select engine from information_schema.engines where support='DEFAULT'"
    room.check("innodb", "^InnoDB", query(engines))
    plugins = ("install soname 'auth_ed25519'", "install soname 'ha_archive'", "select 'ok'")
    room.check("plugin", "^ok", query(*plugins))
    zone = "mariadb-tzinfo-to-sql /usr/share/zoneinfo/Europe/Paris Europe/Paris"
    room.check("zones", "ok", room.shell(f"{zone} | {client} -u root mysql && echo ok"))
    paris = "select convert_tz('2020-07-01 00:00:00','+00:00','Europe/Paris')"
    room.check("paris", "^2020-07-01 02:00", query(paris))
    room.run(*client.split(), "-u", "root", "-e", "create database d")
    made = "create table d.t (a text, fulltext(a)) charset utf8mb4"
    filled = "insert into d.t values ('running cats'),('ä')"
    found = "select count(*) from d.t where match(a) against ('cats')"
    room.check("fulltext", "^1$", query(made, filled, found))
    tcp = "-u root -h localhost --protocol=tcp -P 13306"
    room.check("tcp", "^2$", query("select 2", flags=tcp))
    dump = room.shell("mariadb-dump -u root -S /tmp/my.sock d | grep -c 'INSERT INTO'")
    room.check("dump", "^1", dump)
    user = "create user e@localhost identified via ed25519 using password('x')"
    room.check("user", "^made", query(user, "select 'made'"))
    room.check("login", "^3$", query("select 3", flags="-u e -px"))
    room.check("help", "(?i)nothing found|made", query("help 'nothing'", "select 'made'"))


FUNCTIONS: tuple[Callable[[Room], None], ...] = (
    *(lighttpd, apache, haproxy, mosquitto, named, slapd, dovecot, mariadb),
)
