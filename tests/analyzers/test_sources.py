"""What stays because a Python source names it: real trees, and what of their data is kept."""

from __future__ import annotations

import pytest
from closure.kit import planned, why
from filetree.kit import Member, file

from analyzers.test_python import CONFIG, PYTHON, SITE
from minify.closure import Level
from minify.image.jsontext import Json
from minify.pipeline import Options
from minify.planning import Plan

STATUS = "Package: {}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"
PACKAGES = (
    file("var/lib/dpkg/status", STATUS.format("base") + STATUS.format("words")),
    file("var/lib/dpkg/info/words.list", "/usr/share/dict\n/usr/share/dict/words\n/etc/words\n"),
    file("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n"),
)
DATA = (
    *("models/a.bin", "models/deep/b.bin", "models/.git/HEAD", "opt/prices/today.csv"),
    *("opt/prices/other.csv", "usr/share/dict/words", "etc/words/a", "usr/share/nltk_data/a"),
    *("usr/share/tool/bin/run", "usr/share/tool/a", "home/app/.cache/torch/model.pt"),
    *("home/app/.cache/pip/x", "home/app/nltk_data/b", "home/app/.netrc", "root/.cache/torch/c"),
    *("root/nltk_data/d", "srv/shop/data/e", "srv/shop/src/f", "srv/other/g"),
)


def kept(
    text: str,
    *more: Member | str,
    library: str = "",
    level: Level = Level.BALANCED,
    run: dict[str, Json] | None = None,
) -> set[str]:
    return {
        path
        for path in DATA
        if f"/{path}" in plan_of(text, *more, library=library, level=level, run=run).keep.kept
    }


def plan_of(
    text: str,
    *more: Member | str,
    library: str = "",
    level: Level = Level.BALANCED,
    run: dict[str, Json] | None = None,
) -> Plan:
    config: dict[str, Json] = {**CONFIG, "Cmd": ["python", "main.py"], **(run or {})}
    lib = file(f"{SITE}/lib/__init__.py", library)
    main = file("app/main.py", f"import lib\n{text}\n")
    members = (*PYTHON, *PACKAGES, *DATA, main, lib, *more)
    return planned(config, members, options=Options(level=level))


MODELS = {"models/a.bin", "models/deep/b.bin"}
PRICES = {"opt/prices/today.csv", "opt/prices/other.csv"}


def test_directory_and_file_that_the_application_names() -> None:
    assert kept("X = '/models'") == MODELS
    assert kept("open('/models/a.bin')") == {"models/a.bin"}
    assert kept("open(f'/opt/prices/{day}.csv')") == {
        "opt/prices/today.csv",
        "opt/prices/other.csv",
    }
    assert kept("os.path.join('/opt', 'prices', 'today.csv')") >= {"opt/prices/today.csv"}
    assert kept("X = '/opt', '/', '/home', '/gone', '/tmp'") == set()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("main.mjs", "readFileSync('/models/a.bin')"),
        ("main.js", "const file = `/models/${name}.bin`"),
        ("main.rb", "File.read('/models/a.bin')"),
        ("main.php", "<?php include '/models/a.bin';"),
        ("main.pl", "open(my $in, '<', '/models/a.bin');"),
    ],
)
def test_other_languages_name_them_too(name: str, text: str) -> None:
    assert "models/a.bin" in kept("", file(f"app/{name}", text))
    assert kept("", file(f"app/node_modules/x/{name}", text)) == set()


def test_settings_stay_with_what_is_beside_them() -> None:
    beside = ("etc/shop/log.ini", "etc/shop/plugins/x.py")
    plan = plan_of("C = Path('/etc/shop/shop.toml')", "etc/shop/shop.toml", *beside)
    assert {f"/{path}" for path in beside} <= set(plan.keep.kept)
    assert "/etc/passwd-" not in plan_of("open('/etc/passwd')", "etc/passwd-").keep.kept


def test_every_level_has_them() -> None:
    for level in Level:
        assert kept("X = '/models'", level=level) == MODELS


def test_interpreter_that_is_not_followed_has_them() -> None:
    assert kept("X = '/models'", run={"Cmd": ["python", "main.py", "/mounted/x.py"]}) == MODELS


def test_data_of_a_package_is_named_by_the_application_alone() -> None:
    assert kept("X = '/usr/share/dict'") == {"usr/share/dict/words"}
    assert kept("X = '/etc/words'") == set()
    assert kept("", library="X = '/usr/share/dict'") == set()
    assert kept("", library="X = '/usr/share/dict/words'") == {"usr/share/dict/words"}


def test_directory_that_a_library_names_and_nobody_packaged() -> None:
    library = "PATHS = ['/usr/share/nltk_data', '/usr/share/tool', '/gone']"
    assert kept("", library=library, run={"User": "app"}) == {
        "usr/share/nltk_data/a",
        "home/app/nltk_data/b",
    }


def test_home_of_the_user_has_what_sources_name() -> None:
    library = "join(expanduser('~'), '.cache', 'torch'), '~/nltk_data', '~/.netrc', 'pip'"
    assert kept("", library=library, run={"User": "app"}) == {
        "home/app/.cache/torch/model.pt",
        "home/app/nltk_data/b",
    }
    assert kept("", library=library) == {"root/.cache/torch/c", "root/nltk_data/d"}
    assert kept("", run={"User": "app"}) == set()


def test_directory_above_the_application_that_it_goes_up_to() -> None:
    text = "from pathlib import Path\nDATA = Path(__file__).parents[1] / 'data'\n"
    script = file("srv/shop/src/main.py", text)
    run: dict[str, Json] = {"Cmd": ["python", "/srv/shop/src/main.py"], "WorkingDir": "/"}
    assert kept("", script, run=run) == {"srv/shop/data/e", "srv/shop/src/f"}
    script = file("srv/shop/src/main.py", text.replace("[1]", "[2]"))
    assert kept("", script, run=run) == {"srv/shop/src/f"}


def test_application_that_was_installed_names_directories() -> None:
    shop = (
        file(f"{SITE}/shop/__init__.py", "MODELS = '/usr/share/dict'\n"),
        file(f"{SITE}/shop-1.dist-info/RECORD", "shop/__init__.py,,\n"),
        file(f"{SITE}/shop-1.dist-info/direct_url.json", '{"url": "file:///src", "dir_info": {}}'),
    )
    assert kept("import shop", *shop) == {"usr/share/dict/words"}
    assert kept("import shop", *shop[:2]) == set()


def test_why_says_the_source() -> None:
    plan = plan_of("X = '/models'")
    assert why(plan, "/models/a.bin")[0] == "/models/a.bin: source.path"
    assert why(plan, "/models/a.bin")[1] == "/models: source.path"
