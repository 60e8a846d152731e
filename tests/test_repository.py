"""The shape of the house: imports point downwards, modules stay small, nothing names a machine."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
MINIFY = REPOSITORY / "minify"

FLOORS = (
    {"errors", "progress"},
    {"image"},
    {"filetree"},
    {"elf", "packages", "shell", "unread"},
    {"closure", "node", "python"},
    {"analyzers", "identity"},
    {"planning"},
    {"build", "selfcheck", "transports", "report"},
    {"pipeline"},
    {"platforms"},
    {"__init__"},
    {"cli"},
    {"__main__"},
)
"""A room may import from lower floors only: docs/design.md has the drawing."""

# Relations that the drawing does not have, though the floors would allow them.
NEVER = {
    "transports": {"filetree", "elf", "packages", "closure", "analyzers", "identity", "planning"},
    "report": {"analyzers"},
    "build": {"elf", "packages", "analyzers", "identity"},
}

CONFINED = {
    "elftools": "elf/reader.py",
    "docker": "transports/docker_daemon.py",
    "urllib3": "transports/registry/http.py",
}
"""Third-party packages that one module wraps."""

MAX_LINES = 400

MODULES = sorted(MINIFY.rglob("*.py"))


def _name(module: Path) -> str:
    return str(module.relative_to(MINIFY))


def _room(module: Path) -> str:
    return module.relative_to(MINIFY).with_suffix("").parts[0]


def _imports(module: Path) -> Iterator[str]:
    """The dotted names that a module imports, wherever it does so."""
    for node in ast.walk(ast.parse(module.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            source = node.module or ""
            yield from (f"{source}.{alias.name}" for alias in node.names)


def _rooms_imported(module: Path) -> set[str]:
    parts = [name.split(".") for name in _imports(module)]
    named = {part[1] if len(part) > 1 else "__init__" for part in parts if part[0] == "minify"}
    known = {room for floor in FLOORS for room in floor}
    return {room if room in known else "__init__" for room in named} - {_room(module)}


def _floor(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def test_every_room_has_a_floor() -> None:
    assert {_room(module) for module in MODULES} == {room for floor in FLOORS for room in floor}


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_imports_point_downwards(module: Path) -> None:
    room = _room(module)
    imported = _rooms_imported(module)
    assert {other for other in imported if _floor(other) >= _floor(room)} == set()
    assert imported & NEVER.get(room, set()) == set()


@pytest.mark.parametrize("package", CONFINED)
def test_third_party_library_stays_in_its_module(package: str) -> None:
    users = {
        _name(module)
        for module in MODULES
        if any(name.split(".")[0] == package for name in _imports(module))
    }
    assert users == {CONFINED[package]}


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_module_is_small(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


# Where this checkout lies, and where packages come from.
MACHINE = re.compile(
    rf"{re.escape(str(REPOSITORY))}\b|/Users/|files\.pythonhosted\.org|pypi\.org/simple|deb\.debian\.org|index-url|extra-index"
)


def _tracked() -> list[Path]:
    command = ["git", "-C", str(REPOSITORY), "ls-files", "-z"]
    names = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")
    paths = [REPOSITORY / name for name in names if name]
    return [path for path in paths if path.is_file() and path != Path(__file__)]


def test_no_file_names_a_machine_or_a_package_index() -> None:
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in _tracked()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert found == []


def test_no_image_is_committed() -> None:
    assert [path for path in _tracked() if path.stat().st_size > 300_000] == []
