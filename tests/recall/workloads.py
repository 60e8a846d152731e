"""What each program is asked to do. A check is a pattern in what is printed, as with grep."""

# ruff: noqa: S108  # these are names in trees that nobody else has

from __future__ import annotations

import re
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from images.authority import HOST

from recall import converters, servers, tools
from recall.programs import PROGRAMS, SITE
from recall.room import Room

_URL = f"https://{HOST}:{SITE}/"


def curl(room: Room) -> None:
    get = ("/usr/bin/curl", "-sS")
    room.check("https", "hello", room.run(*get, _URL))
    local = f"https://localhost:{SITE}/"
    room.check("compressed", "hello", room.run(*get, "--compressed", "-L", local))
    room.check("nohost", "resolve host", room.run(*get, "https://does-not-exist.invalid/"))
    room.check("idn", "resolve host", room.run(*get, "https://bücher.invalid/"))
    room.check("file", "Debian", room.run(*get, "file:///etc/os-release"))


def wget(room: Room) -> None:
    room.check("https", "hello", room.run("/usr/bin/wget", "-qO-", _URL))
    distrust = ("-O-", "--ca-certificate=/dev/null", f"https://localhost:{SITE}/")
    room.check("badca", "cert|trust|issued", room.run("/usr/bin/wget", *distrust))


def nginx(room: Room) -> None:
    room.check("test", "successful", room.run("/usr/sbin/nginx", "-t"))
    room.serve(*PROGRAMS["nginx"].entrypoint, port=18080)
    site = "http://127.0.0.1:18080/"
    room.check("index", "hello-nginx", room.fetch(site))
    room.check("https", "hello-nginx", room.fetch("https://localhost:18444/"))
    room.check("autoindex", r"a\.css", room.fetch(f"{site}dir/"))
    room.check("mime", "text/css", room.fetch(f"{site}dir/a.css"))
    room.check("proxy", "hello-nginx", room.fetch(f"{site}up/"))


def redis(room: Room) -> None:
    room.serve(*PROGRAMS["redis"].entrypoint, port=16379)
    client = ("/usr/bin/redis-cli", "-p", "16379")
    room.check("ping", "PONG", room.run(*client, "ping"))
    lua = 'return cjson.decode("[42]")[1]'
    room.check("lua", "42", room.run(*client, "eval", lua, "0"))
    room.check("save", "OK", room.run(*client, "save"))
    room.check("host", "PONG", room.run(*client, "-h", "localhost", "ping"))


def postgres(room: Room) -> None:
    programs = Path(PROGRAMS["postgres"].entrypoint[0]).parent
    room.check("initdb", "Success", room.run(f"{programs}/initdb", "-D", "/tmp/pg"))
    room.serve(*PROGRAMS["postgres"].entrypoint, port=15432)
    time.sleep(1)  # it listens before it answers
    server = ("-h", "localhost", "-p", "15432", "-U", "postgres")

    def query(*statements: str) -> str:
        flags = [word for statement in statements for word in ("-c", statement)]
        return room.run(f"{programs}/psql", *server, "-At", *flags)

    room.check("select", "^1$", query("select 1"))
    paris = "select timestamptz '2020-01-01 00:00Z' at time zone 'Europe/Paris'"
    room.check("tz", "^2020-01-01 01:00", query(paris))
    stemmed = query("select to_tsvector('english','a running cats')")
    room.check("fts", "'cat':3 'run':2", stemmed)
    crypted = "select length(crypt('a',gen_salt('bf')))>10"
    room.check("ext", "^t$", query("create extension pgcrypto", crypted))
    room.check("icu", "^t$", query("select 'a' < 'B' collate \"en-x-icu\""))
    compiled = "explain analyze select sum(x) from generate_series(1,1000) x"
    room.check("jit", "JIT", query("set jit_above_cost=0", compiled))
    unix = ("-h", "/tmp", "-p", "15432", "-U", "postgres", "-d", "postgres")
    room.check("unix", "^2$", room.run(f"{programs}/psql", *unix, "-At", "-c", "select 2"))
    dump = room.run(f"{programs}/pg_dump", *server, "postgres")
    extension = re.search("CREATE EXTENSION", dump)  # only the end of an output is kept
    room.check("dump", "CREATE EXTENSION", extension[0] if extension else dump)


def git(room: Room) -> None:
    def run(*words: str) -> str:
        return room.run("/usr/bin/git", *words)

    cloned = run("clone", f"{_URL}repo.git", "/tmp/c1")
    room.check("clone", "Receiving|Checkout|done|Cloning", cloned)
    room.check("cloned", "c3", run("-C", "/tmp/c1", "--no-pager", "log", "--oneline"))
    room.check("init", "Initialized", run("init", "/tmp/n"))
    room.write("/tmp/n/a", "a\n")
    run("-C", "/tmp/n", "add", "a")
    me = ("-c", "user.name=a", "-c", "user.email=b@c")
    room.check("commit", "root-commit", run("-C", "/tmp/n", *me, "commit", "-m", "msg"))
    room.check("local", "done", run("clone", "/tmp/n", "/tmp/c2"))
    room.check("gc", "ok$", room.shell("/usr/bin/git -C /tmp/c1 gc && echo ok"))
    submodule = room.shell("git -C /tmp/c1 submodule status && echo ok")
    room.check("submodule", "ok$", submodule)
    stash = f"cd /tmp/n && echo b>a && git {' '.join(me)} stash && echo ok"
    room.check("stash", "ok$", room.shell(stash))


def pam(room: Room) -> None:
    room.serve(*PROGRAMS["pam"].entrypoint, port=12222)
    lax = ("-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
    key = (*lax, "-i", str(room.beside / "id"), "-o", "BatchMode=yes")
    ssh = ("-p", "12222", "alice@127.0.0.1")
    room.check("sshkey", "uid=.*alice", room.outside("ssh", *key, *ssh, "id"))
    with tempfile.TemporaryDirectory() as work:
        batch = Path(work, "batch")
        batch.write_text("ls /etc/os-release\n", encoding="ascii")
        sftp = ("sftp", *key, "-b", str(batch), "-P", "12222", "alice@127.0.0.1")
        room.check("sftp", "^/etc/os-release", room.outside(*sftp))
    room.check("sshsudo", "uid=0", room.outside("ssh", *key, *ssh, "sudo", "id"))
    room.check("su", "alice", room.run("/usr/bin/su", "-", "alice", "-c", "id -un"))
    room.check("sudo", "alice", room.run("/usr/bin/sudo", "-u", "alice", "id", "-un"))
    with tempfile.TemporaryDirectory() as work:
        asked = Path(work, "askpass")
        asked.write_text("#!/bin/sh\necho secret\n", encoding="ascii")
        asked.chmod(0o700)
        ask = {"DISPLAY": "x", "SSH_ASKPASS_REQUIRE": "force", "SSH_ASKPASS": str(asked)}
        password = ("-o", "PreferredAuthentications=password", "-o", "PubkeyAuthentication=no")
        said = room.outside("ssh", *lax, *password, *ssh, "id", environment=ask)
    room.check("sshpw", "uid=", said)


def magick(room: Room) -> None:
    convert = "/usr/bin/convert"
    for form in ("png", "jpg", "gif", "webp", "tiff", "bmp"):
        said = room.shell(f"{convert} rose: /tmp/r.{form} && echo {form}-ok")
        room.check(form, f"^{form}-ok", said)
    halved = f"{convert} /tmp/r.jpg -resize 50% /tmp/r2.png && identify /tmp/r2.png && echo ok"
    room.check("resize", "^ok", room.shell(halved))
    room.check("svg", "^ok", room.shell(f"{convert} /app/a.svg /tmp/s.png && echo ok"))
    room.check("label", "^ok", room.shell(f"{convert} label:Hello /tmp/l.png && echo ok"))
    formats = room.run(convert, "-list", "format")
    heic = re.search(r"HEIC\*? .*", formats)
    room.check("formats", "HEIC", heic[0] if heic else formats)


def ffmpeg(room: Room) -> None:
    make = "/usr/bin/ffmpeg -loglevel error -y"
    test = "-f lavfi -i testsrc=d=1:s=64x64 -f lavfi -i sine=d=1"
    coded = room.shell(f"{make} {test} -c:v libx264 -c:a aac /tmp/a.mp4 && echo ok")
    room.check("h264", "^ok", coded)
    probe = ("/usr/bin/ffprobe", "-loglevel", "error", "-select_streams", "v", "-show_streams")
    codec = re.search("codec_name=.*", room.run(*probe, "/tmp/a.mp4"))
    room.check("probe", "codec_name=h264", codec[0] if codec else "")
    webm = room.shell(f"{make} -i /tmp/a.mp4 -c:v libvpx -c:a libopus /tmp/a.webm && echo ok")
    room.check("webm", "^ok", webm)
    text = "-f lavfi -i testsrc=d=0.1:s=64x64 -vf drawtext=text=hi -frames:v 1 /tmp/t.png"
    room.check("text", "^ok", room.shell(f"{make} {text} && echo ok"))
    refused = room.run("/usr/bin/ffmpeg", "-loglevel", "error", "-i", "http://localhost:1/x")
    room.check("tcp", "refused", refused)


def dot(room: Room) -> None:
    for form in ("svg", "png", "pdf", "json", "gif", "jpg"):
        said = room.shell(f"/usr/bin/dot -T{form} /app/a.dot -o /tmp/o.{form} && echo {form}-ok")
        room.check(form, f"^{form}-ok", said)
    neato = room.shell("/usr/bin/neato -Tsvg /app/a.dot -o /tmp/n.svg && echo ok")
    room.check("neato", "^ok", neato)


def musl(room: Room) -> None:
    said = room.run("/app/a")
    for pattern in ("lib 7", "gai 0", "plug 1", "pw root", "iconv 1"):
        room.check(pattern.split()[0], f"^{pattern}", said)


def static(room: Room) -> None:
    for name in ("a", "pie", "dyn"):
        said = room.run(f"/app/{name}")
        for pattern in ("gai 0", "pw root", "iconv 1", "srv 1", "proto 1", r"loc C\.UTF-8"):
            room.check(f"{name}.{pattern.split()[0]}", f"^{pattern}", said)


def term(room: Room) -> None:
    def bash(text: str) -> str:
        return room.run("/bin/bash", "-c", text)

    room.check("tput", "80|2[0-9]", room.run("/usr/bin/tput", "cols"))
    room.check("bashi", "b-ok", room.run("/bin/bash", "-ic", "echo b-ok"))
    paged = room.terminal("/usr/bin/less", "-FX", "/etc/os-release", seconds=20)
    room.check("less", "PRETTY", paged)
    plain = {"TERM": "xterm"}
    edited = room.terminal("/usr/bin/nano", "/etc/os-release", seconds=4, environment=plain)
    room.check("nano", "GNU nano", edited[:4000] if "GNU nano" in edited[:4000] else edited)
    room.check("file", "ELF", room.run("/usr/bin/file", "-L", "/bin/bash"))
    room.check("envsubst", "x=root", bash("U=root; export U; echo 'x=$U' | envsubst"))
    sjis = "printf 'あ' | iconv -f UTF-8 -t SHIFT_JIS | od -An -tx1"
    room.check("iconv", "82", bash(sjis))
    room.check("date", "CET|01:00|1970", room.run("/bin/date", "-d", "@0"))
    room.check("datetz", "EST|1969", bash("TZ=America/New_York date -d @0"))
    room.check("sortl", r"\Aä", bash(r"printf 'b\nä\n' | sort"))
    found = "ls -l /etc >/dev/null && find /etc -name hosts >/dev/null"
    room.check("find", "ok", bash(f'{found} && grep -P "x|r" /etc/passwd >/dev/null && echo ok'))


def shell(room: Room) -> None:
    room.serve(*PROGRAMS["shell"].entrypoint, port=16380)
    _until_written(room, "/tmp/got", lines=3, seconds=40)
    try:
        with socket.create_connection(("127.0.0.1", 16380), timeout=5) as server:
            server.sendall(b"PING\r\n")
            answer = server.recv(64).decode("ascii")
    except OSError as error:
        answer = str(error)
    room.check("up", "PONG", answer)
    room.check("health", "healthy", room.read("/tmp/health"))
    got = room.read("/tmp/got")
    room.check("curlsed", "HI over tls", got)
    room.check("jq", "^1$", got)
    room.check("awk", "^t[0-9]+", got)


def _until_written(room: Room, path: str, *, lines: int, seconds: float) -> None:
    """Waits for what a server does beside its work; the checks say if it has not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and room.read(path).count("\n") < lines:
        time.sleep(0.5)


_FUNCTIONS = (
    *(curl, nginx, redis, postgres, git, pam, magick, ffmpeg, dot, musl, static, wget, term),
    *(shell, *servers.FUNCTIONS, *converters.FUNCTIONS, *tools.FUNCTIONS),
)

WORKLOADS: Mapping[str, Callable[[Room], None]] = {one.__name__: one for one in _FUNCTIONS}
