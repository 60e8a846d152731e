"""Commands behind `uv run` and the like, and where they are."""

import pytest
from filetree.kit import file, tree_of

from minify.closure import Context
from minify.closure.environments import run_command
from minify.image.config import ImageConfig
from minify.image.jsontext import Json
from minify.packages import read_packages

LINES = {
    "uv run shop --port 1": ".venv/bin/shop --port 1",
    "uv --offline run --python 3.12 --no-sync app.py x": ".venv/bin/python app.py x",
    "uv run -m shop --module": ".venv/bin/python -m shop --module",
    "uv run --with=rich -- python -m x": ".venv/bin/python -m x",
    "uv run /opt/start": "/opt/start",
    "uv run -p /usr/bin/python3 x": ".venv/bin/x",
    "uv run": "",
    "uv sync --frozen": None,
    "poetry -C /src run gunicorn a:b": ".venv/bin/gunicorn a:b",
    "pdm run -p /src start": ".venv/bin/start",
    "pipenv shell": None,
    "conda run -n app --no-capture-output python x.py": ".envs/app/python x.py",
    "conda run -p /envs/app/ python": "/envs/app/bin/python",
    "conda run -n ../x python": ".venv/bin/python",
}


@pytest.mark.parametrize("line", LINES)
def test_command_behind_a_runner(line: str) -> None:
    name, *words = line.split()
    found = run_command(name, words)
    assert (" ".join(found) if found is not None else None) == LINES[line]


def path_of(command: str, *members: str, **env: str) -> str | None:
    executables = [file(member, "x", mode=0o755) for member in members]
    tree = tree_of(executables)
    run: dict[str, Json] = {"Env": [f"{k}={v}" for k, v in env.items()], "WorkingDir": "/src"}
    config = ImageConfig.new({"config": run}, "test")
    found = Context.of(tree, config, read_packages(tree)).command(command)
    return found.path if found is not None else None


def test_command_is_the_environments_before_it_is_one_of_path() -> None:
    base = "usr/bin/shop"
    command, mark = ".venv/bin/shop", "src/.venv/bin/shop"
    assert path_of(command, base, mark) == "/src/.venv/bin/shop"
    assert path_of(command, base) == "/usr/bin/shop"
    assert path_of(command, base, "env/bin/shop", UV_PROJECT_ENVIRONMENT="/env") == "/env/bin/shop"
    elsewhere = "home/a/.cache/pypoetry/virtualenvs/src-x1-py3.12/bin/shop"
    assert path_of(command, base, elsewhere, HOME="/home/a") == f"/{elsewhere}"
    assert path_of(command) is None


def test_named_environment_is_below_the_prefix_of_its_manager() -> None:
    conda, inside = "opt/conda/bin/conda", "opt/conda/envs/app/bin/python"
    path = "/opt/conda/bin:/usr/bin"
    assert path_of(".envs/app/python", conda, inside, "usr/bin/python", PATH=path) == f"/{inside}"
    assert path_of(".envs/base/python", conda, "opt/conda/bin/python", PATH=path) == (
        "/opt/conda/bin/python"
    )
    assert path_of(".envs/app/python", inside, MAMBA_ROOT_PREFIX="/opt/conda") == f"/{inside}"
