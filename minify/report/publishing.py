"""What of a container's the host shall have: the ports of EXPOSE, and VOLUMEs by name.

https://docs.docker.com/reference/cli/docker/container/run/#publish
https://docs.docker.com/reference/cli/docker/container/run/#volume
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from minify.filetree import ImagePath
from minify.planning import Mount

_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(tcp|udp|sctp))?")
UNNAMED = "IMAGE"
"""What stands in the place of an image's name."""

_LAST_PORT = 65535
_MOST_RANGES = 8
_NO_NAME = re.compile(r"[^A-Za-z0-9_.-]++")


def published(ports: Iterable[str]) -> tuple[str, ...]:
    """The options of `docker run` that give `ports`, as EXPOSE has them, the same number outside.

    Ports that follow each other are one option, and very many ranges are `--publish-all`.
    """
    found = tuple(_ranges(ports))
    if len(found) > _MOST_RANGES:
        return ("--publish-all",)
    return tuple(map(_option, found))


_Range = tuple[str, int, int]
"""The protocol, the first port and the last one."""


def _ranges(ports: Iterable[str]) -> Iterator[_Range]:
    """Ports that follow each other, as ranges."""
    merged: list[_Range] = []
    for protocol, first, last in sorted(set(_parsed(ports))):
        if merged and merged[-1][0] == protocol and first <= merged[-1][2] + 1:
            merged[-1] = (protocol, merged[-1][1], max(last, merged[-1][2]))
        else:
            merged.append((protocol, first, last))
    yield from merged


def _parsed(ports: Iterable[str]) -> Iterator[_Range]:
    """Each of `ports` that is one; a configuration may hold any text."""
    for text in ports:
        match = _PORTS.fullmatch(text)
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else 0
        if match and 1 <= first <= last <= _LAST_PORT:
            yield match[3] or "tcp", first, last


def _option(ports: _Range) -> str:
    protocol, first, last = ports
    numbers = str(first) if first == last else f"{first}-{last}"
    return f"--publish={numbers}:{numbers}{'' if protocol == 'tcp' else f'/{protocol}'}"


def volumes(mounts: Iterable[Mount], image: str) -> Iterator[str]:
    """An option for each VOLUME: with a name, it outlives the container and can be found again.

    The name is made of the image's and of the path. What has none of its own is left to the engine,
    which mounts a volume without a name.
    """
    named = "" if image == UNNAMED else image
    program = named.rpartition("/")[2].partition("@")[0].partition(":")[0]
    seen: set[str] = set()
    for mount in mounts:
        name = _volume_name(program, mount.path)
        if mount.is_declared and _can_be_written(mount.path) and name not in seen:
            seen.add(name)
            yield f"--volume={name}:{mount.path}"


def _volume_name(program: str, path: ImagePath) -> str:
    beginning = _NO_NAME.sub("-", program).strip("-_.").lower() or "app"
    return f"{beginning}-{_NO_NAME.sub('-', path).strip('-')}"


def _can_be_written(path: ImagePath) -> bool:
    return path.isascii() and path.isprintable() and not any(char in path for char in ':,"\\')
