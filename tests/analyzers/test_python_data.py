"""What data files, variables and words say that a Python program imports."""

from __future__ import annotations

from filetree.kit import Member, file

from analyzers.test_python import LIBRARY, SITE, plan_of
from minify.filetree import ImagePath
from minify.planning import Plan

MAIN = file("app/main.py", "print(1)\n")
LOGS = (
    f"{SITE}/logs/__init__.py",
    file(f"{SITE}/logs/json.py", "class Formatter: ...\n"),
    file(f"{SITE}/logs-1.dist-info/RECORD", "logs/__init__.py,,\nlogs/json.py,,\n"),
)
TEXT = '{"x": 1,\n "()": "logs.json.Formatter"}'


def details(plan: Plan, path: str) -> list[str]:
    kept = plan.keep.kept.get(ImagePath(path))
    return [reason.detail for reason in kept.reasons] if kept is not None else []


def is_kept(*members: Member | str, command: tuple[str, ...] = ("python", "main.py")) -> bool:
    plan = plan_of([*command], MAIN, *LOGS, *members)
    return ImagePath(f"/{SITE}/logs/json.py") in plan.keep.kept


def test_data_file_of_the_application_names_a_module() -> None:
    plan = plan_of(["python", "main.py"], MAIN, *LOGS, file("app/conf/logging.json", TEXT))
    name = "/app/conf/logging.json:2 names logs.json.Formatter"
    assert details(plan, f"/{SITE}/logs/json.py") == [f"part of logs: {name}", name]


def test_configuration_that_is_named_elsewhere_counts_too() -> None:
    text = file("etc/shop/logging.yaml", "class: logs.json.Formatter\n")
    status = "Package: base\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"
    packages = file("var/lib/dpkg/status", status)
    assert is_kept(text, packages, command=("python", "main.py", "/etc/shop/logging.yaml"))
    assert not is_kept(text, packages)
    assert is_kept(
        file("opt/shop/logging.ini", "class=logs.json.Formatter\n"),
        command=("python", "main.py", "/opt/shop/logging.ini"),
    )


def test_what_is_for_tools_and_what_lists_all_there_is_names_nothing() -> None:
    for path in (
        "app/pyproject.toml",
        "app/poetry.lock",
        "app/package-lock.json",
        "app/tests/logging.json",
        "app/.github/logging.json",
        "app/node_modules/x/logging.json",
        "app/logging.txt",
        f"{SITE}/logs/logging.json",
    ):
        assert not is_kept(file(path, TEXT)), path
    assert not is_kept(file("app/logging.json", f"\0{TEXT}"))
    assert not is_kept(file("app/logging.json", TEXT + " " * (1 << 20)))


def test_word_of_the_command_names_an_attribute_of_a_module() -> None:
    assert is_kept(command=("python", "main.py", "-k", "logs.json.Formatter"))
    assert is_kept(command=("python", "main.py", "--app=logs.json:Formatter"))
    assert not is_kept(command=("python", "main.py", "logs.internal"))


def test_all_of_the_standard_library_that_is_named_stays() -> None:
    plan = plan_of(
        ["python", "main.py"],
        MAIN,
        f"{LIBRARY}/concurrent/__init__.py",
        file(f"{LIBRARY}/concurrent/futures.py", "class ThreadPoolExecutor: ...\n"),
        file("app/jobs.ini", "[pool]\nclass = concurrent.futures.ThreadPoolExecutor\n"),
    )
    assert details(plan, f"/{LIBRARY}/concurrent/futures.py") == [
        "/app/jobs.ini:2 names concurrent.futures.ThreadPoolExecutor"
    ]


def test_directory_of_a_users_own_that_loses_something_is_told() -> None:
    site = "root/.local/lib/python3.11/site-packages"
    plan = plan_of(
        ["/usr/bin/python3", "main.py"],
        file("app/main.py", "import used\n"),
        f"{site}/used.py",
        file(f"{site}/used-1.dist-info/RECORD", "used.py,,\n"),
        f"{site}/unused.py",
        file(f"{site}/unused-1.dist-info/RECORD", "unused.py,,\n"),
    )
    assert [(item.path, item.files) for item in plan.keep.unreached if ".local" in item.path] == [
        (f"/{site}", 3)
    ]


SHOP = (
    file(f"{SITE}/shop/__init__.py"),
    file(f"{SITE}/shop/settings.py", "APPS = ['logs']\nWORKER = 'plug.work:Worker'\n"),
    file(f"{SITE}/shop-1.dist-info/RECORD", "shop/__init__.py,,\nshop/settings.py,,\n"),
    file(f"{SITE}/plug/__init__.py"),
    f"{SITE}/plug/work.py",
)
URL = f"{SITE}/shop-1.dist-info/direct_url.json"


def test_application_that_was_installed_names_packages() -> None:
    settings = file("app/main.py", "import shop.settings\n")
    directory = file(URL, '{"url": "file:///src", "dir_info": {}}')
    archive = file(URL, '{"url": "https://x/shop.whl", "archive_info": {}}')
    names = {f"/{SITE}/logs/json.py", f"/{SITE}/plug/work.py"}
    for url, found in ((directory, names), (archive, set())):
        plan = plan_of(["python", "main.py"], settings, *SHOP, url, *LOGS)
        assert names & set(plan.keep.kept) == found


def test_module_that_the_command_names_is_the_application_wherever_it_is() -> None:
    names = {f"/{SITE}/logs/json.py", f"/{SITE}/plug/work.py"}
    plan = plan_of(["python", "main.py", "shop.settings:APPS"], MAIN, *SHOP, *LOGS)
    assert names <= set(plan.keep.kept)
