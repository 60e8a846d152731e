"""Programs that run a command in the virtual environment of a project: `uv run`, `poetry run`.

The command is the environment's before it is one of PATH. Which environment it is, only the image
says; until it is looked up, the command's name stands behind a mark.

https://docs.astral.sh/uv/reference/cli/#uv-run
https://python-poetry.org/docs/cli/#run
https://docs.conda.io/projects/conda/en/stable/commands/run.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from minify.filetree import FileTree
from minify.filetree.path import joined

PROJECT = ".venv/bin/"
"""Stands before the name of a command of a project's environment."""

_NAMED = ".envs/"
_NAME = re.compile(r"[\w.+-]{1,100}")
_SCRIPT = re.compile(r".+\.pyw?")
_MODULE = frozenset(("-m", "--module"))
_CONDA_PREFIX, _CONDA_NAME = frozenset(("-p", "--prefix")), frozenset(("-n", "--name"))

# Those that take the next word as their value, before and behind `run`.
_WITH_VALUE: Mapping[str, frozenset[str]] = {
    name: frozenset(options.split())
    for name, options in {
        "uv": """
            --allow-insecure-host --cache-dir --color --config-file --config-setting
            --default-index --directory --env-file --exclude-newer --extra
            --find-links --fork-strategy --group --index --index-strategy
            --keyring-provider --link-mode --no-extra --no-group --only-group --package
            --prerelease --project --python --python-platform --refresh-package --resolution
            --upgrade-package --with --with-editable --with-requirements -C -P -f -i -p -w
        """,
        "poetry": "--directory --project -C -P",
        "pdm": "--config --project --venv -c -p",
        "pipenv": "--python --pypi-mirror",
        "rye": "--pyproject",
        "hatch": "--env -e --project -p --data-dir --cache-dir --config",
        "conda": "-n --name -p --prefix --cwd",
        "mamba": "-n --name -p --prefix --cwd",
        "micromamba": "-n --name -p --prefix --cwd -a --attach -e --env -r --root-prefix",
    }.items()
}
RUNNERS = frozenset(_WITH_VALUE)
_OF_CONDA = frozenset(("conda", "mamba", "micromamba"))

# Below HOME, the directories with environments that are not in the project's.
_ELSEWHERE = (".cache/pypoetry/virtualenvs", ".local/share/virtualenvs")
_VARIABLES = ("UV_PROJECT_ENVIRONMENT", "VIRTUAL_ENV")
_CONDAS = ("MAMBA_ROOT_PREFIX", "CONDA_DIR", "CONDA_ROOT")


def run_command(name: str, words: Sequence[str]) -> tuple[str, ...] | None:
    """What `uv run …` and the like start, with a mark; None if they are not called so."""
    before, rest = _options(name, words)
    if rest[:1] != ("run",):
        return None
    behind, rest = _options(name, rest[1:])
    options = (*before, *behind)
    module = next((value for option, value in options if option in _MODULE), "")
    if name == "uv" and any(option in _MODULE for option, _ in options):
        return (f"{PROJECT}python", "-m", *((module,) if module else ()), *rest)
    if not rest or "/" in rest[0]:
        return rest
    if name == "uv" and _SCRIPT.fullmatch(rest[0]):
        return (f"{PROJECT}python", *rest)
    return (f"{_directory(name, options)}{rest[0]}", *rest[1:])


def _options(name: str, words: Sequence[str]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """The options before the first operand, with their values, and the rest."""
    found: list[tuple[str, str]] = []
    rest = list(words)
    while rest and rest[0].startswith("-"):
        option, _, value = rest.pop(0).partition("=")
        if option == "--":
            break
        if not value and option in _WITH_VALUE[name] and rest:
            value = rest.pop(0)
        found.append((option, value))
        if name == "uv" and option in _MODULE:
            break  # the module is the first operand
    return found, tuple(rest)


def _directory(name: str, options: Sequence[tuple[str, str]]) -> str:
    for option, value in options if name in _OF_CONDA else ():
        if option in _CONDA_PREFIX and value.startswith("/"):
            return f"{value.rstrip('/')}/bin/"
        if option in _CONDA_NAME and _NAME.fullmatch(value):
            return f"{_NAMED}{value}/"
    return PROJECT


def is_marked(command: str) -> bool:
    """Whether a command's name has a mark before it."""
    return command.startswith((PROJECT, _NAMED))


def places(
    command: str, tree: FileTree, env: Mapping[str, str], workdir: str, roots: Sequence[str]
) -> Iterator[str]:
    """The paths at which a command with a mark may be; `roots` are those of conda's programs."""
    name = command.rpartition("/")[2]
    if command.startswith(_NAMED):
        which = command.removeprefix(_NAMED).partition("/")[0]
        bases = (*(env[one] for one in _CONDAS if env.get(one)), *roots)
        inside = "" if which == "base" else f"/envs/{which}"
        yield from (f"{base.rstrip('/')}{inside}/bin/{name}" for base in bases)
        return
    for variable in _VARIABLES:
        if env.get(variable):
            yield f"{joined(workdir, env[variable]).rstrip('/')}/bin/{name}"
    yield joined(workdir, f"{PROJECT}{name}")
    home = env.get("HOME") or "/root"
    for directory in _ELSEWHERE if home.startswith("/") else ():
        above = tree.directory(f"{home.rstrip('/')}/{directory}")
        for environment in tree.children(above.path) if above is not None else ():
            yield f"{home.rstrip('/')}/{directory}/{environment}/bin/{name}"


def root_of(program: str) -> str:
    """The prefix in which a program of conda's is: `/opt/conda` for `/opt/conda/bin/conda`."""
    directory = program.rpartition("/")[0]
    return directory.rpartition("/")[0] or "/"
