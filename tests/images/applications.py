"""The uppermost layer of each image: its application, out of `fixtures/` or written here."""

from __future__ import annotations

from pathlib import Path

from images import programs
from images.authority import authority
from images.layers import LayerWriter

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def static_go(layer: LayerWriter) -> None:
    layer.directory("/app")
    layer.file("/app/server", programs.go_program(FIXTURES / "static-go/main.go"), mode=0o755)
    _secret(layer)


def cpp(layer: LayerWriter) -> None:
    program = programs.cxx_program(FIXTURES / "cpp/main.cc")
    layer.file("/usr/local/bin/report", program, mode=0o755)
    _secret(layer)


def _secret(layer: LayerWriter) -> None:
    """Deletes a file of the base, as `RUN rm` does; it must not come back."""
    layer.whiteout("/etc/debian_version")


def nginx(layer: LayerWriter) -> None:
    layer.file("/etc/nginx/sites-available/default", FIXTURES / "nginx/default")
    layer.whiteout("/var/www/html/index.nginx-debian.html")
    _pages(layer, "/var/www/html")


def nginx_unprivileged(layer: LayerWriter) -> None:
    nginx(layer)
    layer.file("/etc/nginx/nginx.conf", FIXTURES / "nginx-unprivileged/nginx.conf")


def nginx_entrypoint(layer: LayerWriter) -> None:
    """What docker-library's image adds to nginx, and a site with a key that root alone reads."""
    sources = FIXTURES / "nginx-entrypoint"
    _executable(layer, "/docker-entrypoint.sh", sources / "docker-entrypoint.sh")
    layer.directory("/docker-entrypoint.d")
    for script in sorted((sources / "docker-entrypoint.d").iterdir()):
        _executable(layer, f"/docker-entrypoint.d/{script.name}", script)
    layer.file("/etc/nginx/nginx.conf", sources / "nginx.conf")
    layer.file("/etc/nginx/conf.d/default.conf", sources / "site.conf")
    layer.file("/etc/nginx/secret.inc", sources / "secret.inc", mode=0o600)
    layer.directory("/etc/nginx/templates")
    template = sources / "greeting.conf.template"
    layer.file("/etc/nginx/templates/greeting.conf.template", template)
    layer.directory("/etc/nginx/ssl", mode=0o700)
    layer.file("/etc/nginx/ssl/server.crt", authority().server_certificate)
    layer.file("/etc/nginx/ssl/server.key", authority().server_key, mode=0o600)
    for log, stream in (("access", "stdout"), ("error", "stderr")):
        layer.symlink(f"/var/log/nginx/{log}.log", f"/dev/{stream}")
    layer.directory("/usr/share/nginx/pages")
    _pages(layer, "/usr/share/nginx/pages")


def _pages(layer: LayerWriter, root: str) -> None:
    layer.file(f"{root}/index.html", b"<h1>hello from nginx</h1>\n")
    layer.file(f"{root}/missing.html", b"<h1>nothing here</h1>\n")
    layer.file(f"{root}/style.css", b"body { color: black }\n" * 100)


def redis(layer: LayerWriter) -> None:
    layer.directory("/data", mode=0o1777)


def redis_entrypoint(layer: LayerWriter) -> None:
    sources = FIXTURES / "redis-entrypoint"
    script = "/usr/local/bin/docker-entrypoint.sh"
    _executable(layer, script, sources / "docker-entrypoint.sh")
    layer.directory("/usr/local/etc/redis")
    layer.file("/usr/local/etc/redis/redis.conf", sources / "redis.conf", mode=0o640)


def postgres_entrypoint(layer: LayerWriter) -> None:
    script = FIXTURES / "postgres-entrypoint/docker-entrypoint.sh"
    _executable(layer, "/usr/local/bin/docker-entrypoint.sh", script)
    layer.directory("/docker-entrypoint-initdb.d")


def login(layer: LayerWriter) -> None:
    _executable(layer, "/entrypoint.sh", FIXTURES / "login/entrypoint.sh")
    layer.file("/etc/sudoers.d/alice", FIXTURES / "login/alice.sudoers", mode=0o440)


def planted(layer: LayerWriter) -> None:
    """Faults of access as they are found in images; those of programs are in the recipe's hooks."""
    _executable(layer, "/srv/app/run.sh", FIXTURES / "planted/run.sh")
    layer.directory("/srv/app/spool", mode=0o777)
    layer.file("/srv/app/journal", b"", mode=0o666)
    layer.directory("/etc/app")
    layer.file("/etc/app/app.conf", FIXTURES / "planted/app.conf", mode=0o600)


def musl(layer: LayerWriter) -> None:
    """The shape of a small Alpine image: busybox, musl's loader and libc, an application."""
    for path in ("/bin", "/etc", "/lib", "/opt", "/opt/app", "/opt/app/bin", "/opt/app/lib"):
        layer.directory(path)
    for path in ("/usr", "/usr/share", "/usr/share/doc", "/var", "/var/log"):
        layer.directory(path)
    layer.directory("/tmp", mode=0o1777)  # noqa: S108  # a path of the image
    layer.file("/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    layer.file("/etc/group", b"root:x:0:\n")
    _busybox(layer, "sh", "ls", "cat")
    loader = programs.musl_loader()
    layer.file(f"/lib/{loader.name}", loader, mode=0o755)
    layer.symlink(f"/lib/{loader.name.replace('ld-', 'libc.')}", loader.name)
    layer.file("/usr/share/doc/manual.txt", b"Nobody reads this.\n" * 50_000)
    program, library = programs.musl_program(FIXTURES / "musl")
    layer.file("/opt/app/bin/greet", program, mode=0o755)
    layer.file("/opt/app/lib/libgreeting.so", library, mode=0o755)


def groups(layer: LayerWriter) -> None:
    """An account whose second group owns what it reads."""
    for path in ("/bin", "/etc", "/srv", "/usr", "/usr/share", "/usr/share/doc"):
        layer.directory(path)
    accounts = b"root:x:0:0:root:/root:/bin/sh\nother:x:1001:1001::/:/bin/sh\n"
    layer.file("/etc/passwd", accounts + b"worker:x:1000:1000:,,,:/srv:/bin/sh\n")
    names = b"root:x:0:\nother:x:1001:\nworker:x:1000:\nteam:x:2000:other,worker\n"
    layer.file("/etc/group", names)
    _busybox(layer, "sh", "cat")
    layer.file("/srv/letter", b"to the team\n", mode=0o640, owner=(0, 2000))
    layer.file("/usr/share/doc/manual.txt", b"Nobody reads this.\n" * 50_000)


def bash_script(layer: LayerWriter) -> None:
    script = FIXTURES / "bash-script/entrypoint.sh"
    _executable(layer, "/usr/local/bin/entrypoint.sh", script)


def _busybox(layer: LayerWriter, *applets: str) -> None:
    layer.file("/bin/busybox", Path("/bin/busybox"), mode=0o755)
    for applet in applets:
        layer.symlink(f"/bin/{applet}", "busybox")


def _executable(layer: LayerWriter, path: str, source: Path) -> None:
    layer.file(path, source, mode=0o755)
