"""Which images there are: a table. Each is a Debian root filesystem, its packages, its application.

To add one: a recipe here, its uppermost layer in `applications`, its sources in `fixtures/NAME/`, a
check in `checks.CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from images import applications
from images.layers import LayerWriter

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

LOGIN = "alice"
LOGIN_PASSWORD = "correct horse battery"  # noqa: S105  # of a container that has no network


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


_NGINX = {"Env": [PATH], "Cmd": ["nginx", "-g", "daemon off;"]}

RECIPES: Mapping[str, Recipe] = {
    "static-go": Recipe(
        process={"Env": [PATH], "Entrypoint": ["/app/server"], "ExposedPorts": {"18080/tcp": {}}},
        packages=("ca-certificates", "netbase", "tzdata"),
        application=applications.static_go,
    ),
    "cpp": Recipe(
        process={
            "Env": [PATH, "LANG=de_DE.UTF-8", "TZ=Europe/Berlin"],
            "Cmd": ["report"],
            "WorkingDir": "/srv",
        },
        packages=("libstdc++6", "locales", "netbase", "tzdata"),
        hooks=('echo "de_DE.UTF-8 UTF-8" > "$1/etc/locale.gen"', 'chroot "$1" locale-gen'),
        application=applications.cpp,
    ),
    "curl": Recipe(
        process={"Env": [PATH], "Entrypoint": ["curl"]},
        packages=("ca-certificates", "curl"),
        test_ca=True,
    ),
    "nginx": Recipe(
        process=_NGINX | {"StopSignal": "SIGQUIT", "ExposedPorts": {"18080/tcp": {}}},
        packages=("nginx",),
        application=applications.nginx,
    ),
    "nginx-unprivileged": Recipe(
        process=_NGINX | {"User": "www-data"},
        packages=("nginx",),
        application=applications.nginx_unprivileged,
    ),
    "nginx-entrypoint": Recipe(
        process=_NGINX
        | {
            "Env": [PATH, "GREETING=hello"],
            "Entrypoint": ["/docker-entrypoint.sh"],
            "ExposedPorts": {"80/tcp": {}, "443/tcp": {}, "18080/tcp": {}},
            "StopSignal": "SIGQUIT",
        },
        packages=("gettext-base", "nginx"),
        application=applications.nginx_entrypoint,
    ),
    "redis": Recipe(
        process={
            "Env": [PATH],
            "Cmd": ["redis-server"],
            "WorkingDir": "/data",
            "Volumes": {"/data": {}},
        },
        packages=("redis-server",),
        application=applications.redis,
    ),
    "redis-entrypoint": Recipe(
        process={
            "Env": [PATH],
            "Entrypoint": ["docker-entrypoint.sh"],
            "Cmd": ["redis-server", "/usr/local/etc/redis/redis.conf"],
            "WorkingDir": "/data",
            "Volumes": {"/data": {}},
            "ExposedPorts": {"6379/tcp": {}},
        },
        packages=("gosu", "redis-server"),
        hooks=('chroot "$1" install --directory --owner=redis --group=redis /data',),
        application=applications.redis_entrypoint,
    ),
    "postgres-entrypoint": Recipe(
        process={
            "Env": [
                f"{PATH}:/usr/lib/postgresql/15/bin",
                "PGDATA=/var/lib/postgresql/data",
                "POSTGRES_USER=postgres",
                "POSTGRES_PASSWORD=open sesame",
            ],
            "Entrypoint": ["docker-entrypoint.sh"],
            "Cmd": ["postgres"],
            "Volumes": {"/var/lib/postgresql/data": {}},
            "ExposedPorts": {"5432/tcp": {}},
            "StopSignal": "SIGINT",
        },
        packages=("gosu", "postgresql-15"),
        # The cluster that the package makes when it is installed is no part of such an image.
        hooks=('rm -rf "$1/var/lib/postgresql/15" "$1/etc/postgresql/15"',),
        application=applications.postgres_entrypoint,
    ),
    "login": Recipe(
        process={
            "Env": [PATH],
            "Entrypoint": ["/entrypoint.sh"],
            "ExposedPorts": {"2222/tcp": {}},
        },
        packages=("openssh-server", "sudo"),
        hooks=(
            f'chroot "$1" useradd --create-home --shell /bin/bash {LOGIN}',
            f'echo "{LOGIN}:{LOGIN_PASSWORD}" | chroot "$1" chpasswd',
        ),
        application=applications.login,
    ),
    "planted": Recipe(
        process={
            "Env": [PATH, "HOME=/home/service"],
            "Entrypoint": ["/srv/app/run.sh", "/etc/app/app.conf"],
            "WorkingDir": "/srv/app",
        },
        packages=("libcap2-bin",),
        hooks=(
            'chroot "$1" useradd --system --create-home --home-dir /home/service service',
            'chroot "$1" chmod 0700 /home/service',
            'chroot "$1" install --mode=4755 /bin/bash /usr/local/bin/rootsh',
            'chroot "$1" install --mode=2755 --group=mail /bin/bash /usr/local/bin/mailsh',
            'chroot "$1" install --directory /srv/app',
            'chroot "$1" install --mode=0755 /bin/bash /srv/app/rawsh',
            'chroot "$1" setcap cap_net_raw+ep /srv/app/rawsh',
        ),
        application=applications.planted,
    ),
    "ping": Recipe(
        process={"Env": [PATH], "Entrypoint": ["ping"], "Cmd": ["-c1", "127.0.0.1"]},
        packages=("iputils-ping", "libcap2-bin"),
        hooks=('chroot "$1" setcap cap_net_raw+ep /bin/ping',),
    ),
    "musl": Recipe(
        process={"Env": ["PATH=/opt/app/bin:/bin"], "Cmd": ["greet"]},
        application=applications.musl,
        debian=False,
    ),
    "groups": Recipe(
        process={"Env": ["PATH=/bin"], "Cmd": ["cat", "/srv/letter"], "User": "worker"},
        application=applications.groups,
        debian=False,
    ),
    "bash-script": Recipe(
        process={
            "Env": [PATH],
            "Entrypoint": ["/usr/local/bin/entrypoint.sh"],
            "Cmd": ["uname", "-s"],
        },
        application=applications.bash_script,
    ),
    "bare": Recipe(process={"Env": [PATH], "Cmd": ["bash"]}, runs=False),
    "go-builder": Recipe(
        process={"Env": [PATH, "GOFLAGS=-buildvcs=false", "GOCACHE=/tmp/go"], "Cmd": ["bash"]},
        packages=("ca-certificates", "golang-go", "netbase", "tzdata"),
        runs=False,
    ),
}
