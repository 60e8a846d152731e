"""Which images there are: a table. Each is a Debian root filesystem, its packages, its application.

To add one: a recipe here, its sources in `fixtures/NAME/`, a check in `checks.CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from images import programs
from images.layers import LayerWriter

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Recipe:
    """An image: three layers (base, packages, application), or the application's alone."""

    process: Mapping[str, object]
    """The `config` object of the image config."""
    application: Callable[[LayerWriter], None] | None = None
    """Writes the uppermost layer; None: there is none."""
    packages: tuple[str, ...] = ()
    """Debian packages on top of minbase."""
    hooks: tuple[str, ...] = ()
    """Shell commands run when the packages are installed, the root filesystem in `$1`."""
    debian: bool = True
    """Whether there is a Debian base at all."""
    test_ca: bool = False
    """Whether the tests' certificate authority is installed, as an administrator would do it."""
    runs: bool = True
    """Whether it holds an application, so that it has a check and can be minified."""


def _static_go(layer: LayerWriter) -> None:
    layer.directory("/app")
    layer.file("/app/server", programs.go_program(FIXTURES / "static-go/main.go"), mode=0o755)
    _secret(layer)


def _cpp(layer: LayerWriter) -> None:
    program = programs.cxx_program(FIXTURES / "cpp/main.cc")
    layer.file("/usr/local/bin/report", program, mode=0o755)
    _secret(layer)


def _secret(layer: LayerWriter) -> None:
    """Deletes a file of the base, as `RUN rm` does; it must not come back."""
    layer.whiteout("/etc/debian_version")


def _pages(layer: LayerWriter) -> None:
    layer.file("/etc/nginx/sites-available/default", FIXTURES / "nginx/default")
    layer.whiteout("/var/www/html/index.nginx-debian.html")
    layer.file("/var/www/html/index.html", b"<h1>hello from nginx</h1>\n")
    layer.file("/var/www/html/missing.html", b"<h1>nothing here</h1>\n")
    layer.file("/var/www/html/style.css", b"body { color: black }\n" * 100)


def _unprivileged_pages(layer: LayerWriter) -> None:
    _pages(layer)
    layer.file("/etc/nginx/nginx.conf", FIXTURES / "nginx-unprivileged/nginx.conf")


def _redis(layer: LayerWriter) -> None:
    layer.directory("/data", mode=0o1777)


def _bash_script(layer: LayerWriter) -> None:
    script = FIXTURES / "bash-script/entrypoint.sh"
    layer.file("/usr/local/bin/entrypoint.sh", script, mode=0o755)


def _musl(layer: LayerWriter) -> None:
    """The shape of a small Alpine image: busybox, musl's loader and libc, an application."""
    for path in ("/bin", "/etc", "/lib", "/opt", "/opt/app", "/opt/app/bin", "/opt/app/lib"):
        layer.directory(path)
    for path in ("/usr", "/usr/share", "/usr/share/doc", "/var", "/var/log"):
        layer.directory(path)
    layer.directory("/tmp", mode=0o1777)  # noqa: S108  # a path of the image
    layer.file("/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    layer.file("/etc/group", b"root:x:0:\n")
    layer.file("/bin/busybox", Path("/bin/busybox"), mode=0o755)
    for applet in ("sh", "ls", "cat"):
        layer.symlink(f"/bin/{applet}", "busybox")
    loader = programs.musl_loader()
    layer.file(f"/lib/{loader.name}", loader, mode=0o755)
    layer.symlink(f"/lib/{loader.name.replace('ld-', 'libc.')}", loader.name)
    layer.file("/usr/share/doc/manual.txt", b"Nobody reads this.\n" * 50_000)
    program, library = programs.musl_program(FIXTURES / "musl")
    layer.file("/opt/app/bin/greet", program, mode=0o755)
    layer.file("/opt/app/lib/libgreeting.so", library, mode=0o755)


_NGINX = {"Env": [PATH], "Cmd": ["nginx", "-g", "daemon off;"]}

RECIPES: Mapping[str, Recipe] = {
    "static-go": Recipe(
        process={"Env": [PATH], "Entrypoint": ["/app/server"], "ExposedPorts": {"18080/tcp": {}}},
        packages=("ca-certificates", "netbase", "tzdata"),
        application=_static_go,
    ),
    "cpp": Recipe(
        process={
            "Env": [PATH, "LANG=de_DE.UTF-8", "TZ=Europe/Berlin"],
            "Cmd": ["report"],
            "WorkingDir": "/srv",
        },
        packages=("libstdc++6", "locales", "netbase", "tzdata"),
        hooks=('echo "de_DE.UTF-8 UTF-8" > "$1/etc/locale.gen"', 'chroot "$1" locale-gen'),
        application=_cpp,
    ),
    "curl": Recipe(
        process={"Env": [PATH], "Entrypoint": ["curl"]},
        packages=("ca-certificates", "curl"),
        test_ca=True,
    ),
    "nginx": Recipe(
        process=_NGINX | {"StopSignal": "SIGQUIT", "ExposedPorts": {"18080/tcp": {}}},
        packages=("nginx",),
        application=_pages,
    ),
    "nginx-unprivileged": Recipe(
        process=_NGINX | {"User": "www-data"},
        packages=("nginx",),
        application=_unprivileged_pages,
    ),
    "redis": Recipe(
        process={
            "Env": [PATH],
            "Cmd": ["redis-server"],
            "WorkingDir": "/data",
            "Volumes": {"/data": {}},
        },
        packages=("redis-server",),
        application=_redis,
    ),
    "musl": Recipe(
        process={"Env": ["PATH=/opt/app/bin:/bin"], "Cmd": ["greet"]},
        application=_musl,
        debian=False,
    ),
    "bash-script": Recipe(
        process={
            "Env": [PATH],
            "Entrypoint": ["/usr/local/bin/entrypoint.sh"],
            "Cmd": ["uname", "-s"],
        },
        application=_bash_script,
    ),
    "bare": Recipe(process={"Env": [PATH], "Cmd": ["bash"]}, runs=False),
    "go-builder": Recipe(
        process={"Env": [PATH, "GOFLAGS=-buildvcs=false", "GOCACHE=/tmp/go"], "Cmd": ["bash"]},
        packages=("ca-certificates", "golang-go", "netbase", "tzdata"),
        runs=False,
    ),
}
