"""What stays of Python's libraries: images of a few files, with a real ELF file as interpreter."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import pytest
from closure.kit import gaps, planned, why
from filetree.kit import Member, file

from analyzers.kit import calling, compiled, libc
from minify.closure import Level
from minify.filetree import ImagePath
from minify.image.jsontext import Json
from minify.pipeline import Options
from minify.planning import Plan

LIBRARY = "usr/lib/python3.11"
SITE = "opt/venv/lib/python3.11/site-packages"
PYTHON: tuple[Member | str, ...] = (
    calling("main", name="usr/bin/python3.11"),
    *libc(),
    "usr/bin/python3 -> python3.11",
    file(f"{LIBRARY}/os.py", "import stat"),
    f"{LIBRARY}/stat.py",
    f"{LIBRARY}/__pycache__/stat.cpython-311.pyc",
    f"{LIBRARY}/__pycache__/stat.cpython-310.pyc",
    f"{LIBRARY}/csv.py",
    f"{LIBRARY}/csv_reader.py",
    "usr/lib/python3/dist-packages/system.py",
    "opt/venv/bin/python -> /usr/bin/python3",
    "opt/venv/bin/activate",
    file("opt/venv/pyvenv.cfg", "home = /usr/bin\nexecutable = /usr/bin/python3.11\n"),
    file(f"{SITE}/web/__init__.py", "from .core import f"),
    f"{SITE}/web/core.py",
    f"{SITE}/web/unused.py",
    f"{SITE}/web/page.html",
    f"{SITE}/web/tests/test_core.py",
    f"{SITE}/web-1.dist-info/METADATA",
    file(
        f"{SITE}/web-1.dist-info/RECORD",
        "web/__init__.py,,\nweb/core.py,,\nweb/unused.py,,\nweb/page.html,,\n"
        "web/tests/test_core.py,,\n../../../bin/web,,\n",
    ),
    file("opt/venv/bin/web", "#!/opt/venv/bin/python\nfrom web import f\n", mode=0o755),
    file(f"{SITE}/pip/__init__.py", ""),
    file(f"{SITE}/pip-1.dist-info/RECORD", "pip/__init__.py,,\n../../../bin/pip,,\n"),
    file("opt/venv/bin/pip", "#!/opt/venv/bin/python\nimport pip\n", mode=0o755),
)
MAIN = file("app/main.py", "import csv\ndef f():\n    import web\n")
CONFIG: dict[str, Json] = {"Env": ["PATH=/opt/venv/bin:/usr/bin"], "WorkingDir": "/app"}


def plan_of(
    command: list[str],
    *members: Member | str,
    level: Level = Level.BALANCED,
    options: Options | None = None,
) -> Plan:
    given = options or Options(level=level)
    return planned({**CONFIG, "Cmd": [*command]}, (*PYTHON, *members), options=given)


def library(plan: Plan) -> set[str]:
    """What is kept of the library and the environment, without directories."""
    shown = {f"/{LIBRARY}/": "", f"/{SITE}/": "site:", "/opt/venv/": "venv:"}
    return {
        next((path.replace(k, v) for k, v in shown.items() if path.startswith(k)), path)
        for path in plan.keep.kept
        if path.startswith(("/usr/lib/python3.11/", "/opt/venv/"))
        and not any(other.startswith(f"{path}/") for other in plan.keep.kept)
    }


BASE = {
    "os.py",
    "stat.py",
    "__pycache__/stat.cpython-311.pyc",
    "venv:bin/python",
    "venv:pyvenv.cfg",
}
WEB = {
    "site:web/__init__.py",
    "site:web/core.py",
    "site:web/page.html",
    "site:web-1.dist-info/METADATA",
    "site:web-1.dist-info/RECORD",
    "venv:bin/web",
}


def test_balanced_keeps_whole_distributions_that_are_imported() -> None:
    plan = plan_of(["python", "main.py"], MAIN)
    assert library(plan) == BASE | {"csv.py"} | WEB | {"site:web/unused.py"}


def test_tight_keeps_the_modules_that_are_imported_and_the_data() -> None:
    plan = plan_of(["python", "main.py"], MAIN, level=Level.TIGHT)
    assert library(plan) == BASE | {"csv.py"} | WEB


def test_safe_keeps_everything() -> None:
    plan = plan_of(["python", "main.py"], MAIN, level=Level.SAFE)
    assert {"site:pip/__init__.py", "csv_reader.py", "venv:bin/pip"} <= library(plan)
    assert "/usr/lib/python3/dist-packages/system.py" in plan.keep.kept


def test_why_is_the_chain_of_imports() -> None:
    assert why(plan_of(["python", "main.py"], MAIN), f"/{SITE}/web/core.py") == [
        f"/{SITE}/web/core.py: python.distribution",
        "/app/main.py: config.operand",
    ]


def test_console_script_is_an_entry() -> None:
    assert library(plan_of(["web"])) >= WEB
    assert f"/{SITE}/pip/__init__.py" not in plan_of(["web"]).keep.kept


def test_module_of_a_shell_script_is_an_entry() -> None:
    script = file("app/run.sh", '#!/bin/sh\nset -e\nexec python -m web "$@"\n', mode=0o755)
    shell = calling("main", name="bin/sh")
    plan = plan_of(["/app/run.sh"], script, shell)
    assert library(plan) >= WEB
    assert f"/{SITE}/pip/__init__.py" not in plan.keep.kept


def test_what_is_not_in_the_image_keeps_everything() -> None:
    plan = plan_of(["python", "/mounted/main.py"])
    assert f"/{SITE}/pip/__init__.py" in plan.keep.kept


def test_interpreter_that_something_else_starts_keeps_everything() -> None:
    script = file("app/run.sh", "#!/bin/sh\npython main.py\npython $SCRIPT\n", mode=0o755)
    plan = plan_of(["/app/run.sh"], script, MAIN, calling("main", name="bin/sh"))
    assert f"/{SITE}/pip/__init__.py" in plan.keep.kept


def test_users_trees_are_whole() -> None:
    options = Options(keep=(f"/{SITE}/pip",))
    plan = plan_of(["python", "main.py"], MAIN, options=options)
    assert f"/{SITE}/pip/__init__.py" in plan.keep.kept
    whole = plan_of(["python", "main.py"], MAIN, options=Options(keep=("/opt/venv",)))
    assert f"/{SITE}/pip/__init__.py" in whole.keep.kept


def test_import_by_an_unknown_name_is_told() -> None:
    main = file("app/main.py", "import importlib\nimportlib.import_module(input())\n")
    detail = "/app/main.py imports by a name that is only known at run time (line 2)"
    assert f"/app/main.py: {detail}" in gaps(plan_of(["python", "main.py"], main))


def test_interpreter_that_a_services_configuration_starts_keeps_everything() -> None:
    text = "[supervisord]\nnodaemon=true\n[program:x]\ncommand=python -m web\n"
    plan = plan_of(
        ["supervisord"],
        file("usr/bin/supervisord", "#!/usr/bin/python3\n", mode=0o755),
        file("etc/supervisord.conf", text),
    )
    assert "/usr/lib/python3.11/csv_reader.py" in plan.keep.kept


def test_libpython_of_another_program_keeps_everything() -> None:
    library = compiled("int Py_Main;", "-shared", "-fPIC", "-Wl,-soname,libpython3.11.so.1.0")
    path = "usr/lib/libpython3.11.so.1.0"
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "libpython3.11.so.1.0").write_bytes(library)
        linked = str(Path(directory) / "libpython3.11.so.1.0")
        server = compiled("extern int Py_Main; int main(){return Py_Main;}", linked)
    script = file("app/run.sh", "#!/bin/sh\npython main.py\nexec /app/server\n", mode=0o755)
    plan = plan_of(
        ["/app/run.sh"],
        script,
        MAIN,
        calling("main", name="bin/sh"),
        file("app/server", server, mode=0o755),
        file(path, library),
    )
    assert "/usr/lib/python3.11/csv_reader.py" in plan.keep.kept


def test_library_that_find_library_is_given_stays() -> None:
    main = file("app/main.py", "from ctypes.util import find_library\nfind_library('shop')\n")
    content = compiled("int shop;", "-shared", "-fPIC")
    library = file("usr/lib/x86_64-linux-gnu/libshop.so.3", content)
    other = file("usr/lib/x86_64-linux-gnu/libshopping.so.1", content)
    plan = plan_of(["python", "main.py"], main, library, other)
    assert why(plan, "/usr/lib/x86_64-linux-gnu/libshop.so.3")[0].endswith(": python.library")
    assert ImagePath("/usr/lib/x86_64-linux-gnu/libshopping.so.1") not in plan.keep.kept


def test_followed_script_is_no_gap_but_for_the_programs_that_it_runs() -> None:
    script = file("app/run", "#!/opt/venv/bin/python\nimport web\n", mode=0o755)
    assert not [gap for gap in gaps(plan_of(["/app/run"], script)) if "/app/run" in gap]
    text = "#!/opt/venv/bin/python\nimport subprocess\nsubprocess.run(['x'])\n"
    script = file("app/run", text, mode=0o755)
    assert [gap for gap in gaps(plan_of(["/app/run"], script)) if "/app/run" in gap] == [
        "/app/run: /app/run runs other programs (line 3): they are not followed"
    ]


def test_extension_whose_imports_cannot_be_read_keeps_the_standard_library() -> None:
    opaque = file(f"{SITE}/fast.so", "\x7fELF\0cython_runtime\0PyInit_fast\0")
    main = file("app/main.py", "import fast\n")
    plan = plan_of(["python", "main.py"], main, opaque)
    reasons = plan.keep.kept[ImagePath(f"/{LIBRARY}/csv_reader.py")].reasons
    assert [reason.detail for reason in reasons] == [
        f"/{SITE}/fast.so is Cython's, and its imports are packed"
    ]


def test_extension_whose_source_is_beside_it_is_followed_by_that() -> None:
    record = file(
        f"{SITE}/fast-1.dist-info/RECORD",
        "fast/__init__.py,,\nfast/loop.so,,\nfast/loop.pyx,,\nfast/inner/names.pxi,,\n",
    )
    plan = plan_of(
        ["python", "main.py"],
        file("app/main.py", "import fast.loop\n"),
        f"{SITE}/fast/__init__.py",
        file(f"{SITE}/fast/loop.so", "\x7fELF\0cython_runtime\0PyInit_loop\0"),
        file(f"{SITE}/fast/loop.pyx", "cimport cython\ninclude 'inner/names.pxi'\n"),
        file(f"{SITE}/fast/inner/names.pxi", "import csv\n"),
        record,
    )
    kept = library(plan)
    assert "csv.py" in kept
    assert "csv_reader.py" not in kept


def built(*more: Member | str, main: str = "import sums") -> set[str]:
    """What stays of a distribution that has more than it runs with."""
    names = "__init__.py core.c core.h sums.pyi fast.pyx de.po de.mo fr.po testing/__init__.py"
    record = "".join(f"sums/{name},,\n" for name in names.split())
    members = [f"{SITE}/sums/{name}" for name in names.split()]
    listed = file(f"{SITE}/sums-1.dist-info/RECORD", record)
    plan = plan_of(["python", "main.py"], file("app/main.py", main), *members, listed, *more)
    above = "site:sums/"
    return {path.removeprefix(above) for path in library(plan) if path.startswith(above)}


def test_what_a_distribution_has_for_building_goes() -> None:
    assert built() == {"__init__.py", "de.mo", "fr.po"}
    assert built(f"{SITE}/msgpack/__init__.py") == {"__init__.py", "de.mo", "fr.po"}


def test_what_a_distribution_has_for_building_stays_for_who_reads_it() -> None:
    assert "core.h" in built(main="import sums\nopen('core.h')\n")
    lazy = file(f"{SITE}/lazy_loader/__init__.py")
    listed = file(f"{SITE}/lazy_loader-1.dist-info/RECORD", "lazy_loader/__init__.py,,\n")
    assert "sums.pyi" in built(lazy, listed, main="import sums, lazy_loader\n")
    assert "testing/__init__.py" in built(main="import sums.testing\n")


def test_compiler_that_stays_keeps_what_it_compiles() -> None:
    compiler = calling("main", name="usr/bin/gcc")
    script = file("app/run.sh", "#!/bin/sh\ngcc -v\nexec python main.py\n", mode=0o755)
    names = "core.c core.h __init__.py".split()
    listed = file(f"{SITE}/sums-1.dist-info/RECORD", "".join(f"sums/{name},,\n" for name in names))
    plan = plan_of(
        ["/app/run.sh"],
        script,
        calling("main", name="bin/sh"),
        compiler,
        file("app/main.py", "import sums\n"),
        *(f"{SITE}/sums/{name}" for name in names),
        listed,
    )
    assert "site:sums/core.h" in library(plan)


def test_ldconfig_stays_only_for_who_looks_for_libraries() -> None:
    util = file(f"{LIBRARY}/ctypes/util.py", "def find_library(name): ...\n")
    program = calling("main", name="sbin/ldconfig")
    for text, is_kept in (
        ("import ctypes.util\n", False),
        ("from ctypes.util import find_library\n", True),
    ):
        plan = plan_of(["python", "main.py"], file("app/main.py", text), util, program)
        assert (ImagePath("/sbin/ldconfig") in plan.keep.kept) == is_kept


def test_what_comes_with_an_interpreter_does_not_start_it() -> None:
    status = "Package: python3.11\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"
    plan = plan_of(
        ["python", "main.py"],
        MAIN,
        file("usr/lib/binfmt.d/python3.11.conf", ":python3.11:M::x::/usr/bin/python3.11:\n"),
        file("var/lib/dpkg/status", status),
        file(
            "var/lib/dpkg/info/python3.11.list",
            "/usr/bin/python3.11\n/usr/lib/binfmt.d/python3.11.conf\n",
        ),
        options=Options(keep=("/usr/lib/binfmt.d/*",)),
    )
    assert "site:pip/__init__.py" not in library(plan)


def test_program_that_the_application_runs_by_its_name_stays_and_is_told() -> None:
    text = "import subprocess\nsubprocess.run(['tool', '-x'])\nsubprocess.run(f'other {text}')\n"
    programs = [calling("main", name=f"usr/bin/{name}") for name in ("tool", "other", "third")]
    plan = plan_of(["python", "main.py"], file("app/main.py", text), *programs)
    assert why(plan, "/usr/bin/tool")[0].endswith(": python.program")
    kept = {path for path in plan.keep.kept if path.startswith("/usr/bin/")}
    assert kept & {"/usr/bin/tool", "/usr/bin/other", "/usr/bin/third"} == {
        "/usr/bin/tool",
        "/usr/bin/other",
    }
    assert any("runs other programs (line 2, 3)" in gap for gap in gaps(plan))


SCRIPT: tuple[Member | str, ...] = (
    file(f"{SITE}/web/release.sh", "#!/bin/bash\ngrep x\n", mode=0o755),
    calling("main", name="bin/bash"),
    calling("main", name="usr/bin/grep"),
)


def test_a_script_of_a_distribution_brings_its_commands_where_something_names_it() -> None:
    unnamed = plan_of(["python", "main.py"], MAIN, *SCRIPT)
    assert {"/bin/bash", "/usr/bin/grep"} & unnamed.keep.kept.keys() == set()
    record = "web/__init__.py,,\nweb/core.py,,\nweb/release.sh,,\n"
    named = (
        file(f"{SITE}/web/core.py", 'run(root / "release.sh")\n'),
        file(f"{SITE}/web-1.dist-info/RECORD", record),
    )
    plan = plan_of(["python", "main.py"], MAIN, *named, *SCRIPT)
    assert {"/bin/bash", "/usr/bin/grep"} <= plan.keep.kept.keys()


def test_strict_editable_installation_is_kept_by_its_links() -> None:
    links = "src/build/__editable__.shop/shop"
    plan = plan_of(
        ["python", "main.py"],
        file("app/main.py", "import shop.x\n"),
        file(f"{SITE}/shop.pth", "/src/build/__editable__.shop\n"),
        f"{SITE}/shop-1.dist-info/METADATA",
        file(f"{SITE}/shop-1.dist-info/RECORD", "shop.pth,,\n"),
        file(
            f"{SITE}/shop-1.dist-info/direct_url.json",
            '{"url": "file:///src", "dir_info": {"editable": true}}',
        ),
        "src/shop/__init__.py",
        "src/shop/x.py",
        "src/shop/x.json",
        *(f"{links}/{name} -> /src/shop/{name}" for name in ("__init__.py", "x.py", "x.json")),
    )
    expected = {f"/{links}/{name}" for name in ("__init__.py", "x.py", "x.json")}
    assert expected <= plan.keep.kept.keys()
    assert f"/{SITE}/shop-1.dist-info/METADATA" in plan.keep.kept


def test_program_in_a_zip_brings_all_that_is_in_it() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("__main__.py", "import unpack")
        archive.writestr(".deps/shop-1.whl/shop/x.py", "import csv")
        archive.writestr(
            ".deps/shop-1.whl/shop/c.so",
            compiled("", "-shared", "-fPIC", "-Wl,--no-as-needed", "-lm"),
        )
    math = file("lib/x86_64-linux-gnu/libm.so.6", compiled("", "-shared", "-fPIC"))
    script = file("opt/shop", b"#!/opt/venv/bin/python\n" + out.getvalue(), mode=0o755)
    plan = plan_of(["/opt/shop"], script, math)
    assert "csv.py" in library(plan)
    assert "/lib/x86_64-linux-gnu/libm.so.6" in plan.keep.kept
    assert not [gap for gap in gaps(plan) if gap.startswith("/opt/shop")]


PROJECT: tuple[Member | str, ...] = (
    calling("main", name="usr/bin/uv"),
    file("app/.venv/pyvenv.cfg", "home = /usr/bin\nuv = 0.9\n"),
    "app/.venv/bin/python -> /usr/bin/python3",
    file("app/.venv/bin/shop", "#!/app/.venv/bin/python\nimport shop\n", mode=0o755),
    *(f"app/.venv/lib/python3.11/site-packages/{n}/__init__.py" for n in ("shop", "other")),
    *(
        file(
            f"app/.venv/lib/python3.11/site-packages/{name}-1.dist-info/RECORD",
            f"{name}/__init__.py,,\n",
        )
        for name in ("shop", "other")
    ),
)


@pytest.mark.parametrize(
    "command", [["uv", "run", "--no-sync", "shop"], ["sh", "-c", "exec uv run shop"]]
)
def test_command_behind_uv_is_followed_in_the_projects_environment(command: list[str]) -> None:
    plan = plan_of(command, *PROJECT, calling("main", name="usr/bin/sh"))
    site = "/app/.venv/lib/python3.11/site-packages"
    kept = {path.removeprefix(f"{site}/") for path in plan.keep.kept if path.startswith(f"{site}/")}
    assert kept == {
        "shop",
        "shop/__init__.py",
        *(
            f"{name}-1.dist-info{inside}"
            for name in ("shop", "other")
            for inside in ("", "/RECORD")
        ),
    }
    assert [need.reason.by for need in plan.keep.needs_root] == ["/usr/bin/uv"]


def test_what_an_environment_has_beside_its_own_file_starts_nothing() -> None:
    told = file("opt/venv/pipx_metadata.json", '{"python": "/usr/bin/python3.11"}')
    options = Options(keep=("/opt/venv/pipx_metadata.json",))
    plan = plan_of(["python", "main.py"], MAIN, told, options=options)
    assert "site:pip/__init__.py" not in library(plan)


def test_zip_that_unpacks_itself_keeps_its_user_and_its_place_is_written_to() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("__main__.py", "import _bootstrap")
        archive.writestr("_bootstrap/__init__.py", "")
        archive.writestr("site-packages/shop.py", "")
    script = file("opt/shop", b"#!/opt/venv/bin/python\n" + out.getvalue(), mode=0o755)
    plan = plan_of(["/opt/shop"], script)
    assert [need.reason.by for need in plan.keep.needs_root] == ["/opt/shop"]
    assert [one.path for one in plan.keep.writes] == ["/root/.shiv"]


def test_packages_in_the_home_of_root_keep_root() -> None:
    site = "root/.local/lib/python3.11/site-packages"
    main = file("app/main.py", "import own\n")
    plan = plan_of(["/usr/bin/python3", "main.py"], main, f"{site}/own.py")
    assert [need.reason.by for need in plan.keep.needs_root] == [f"/{site}/own.py"]
    plan = plan_of(["/usr/bin/python3", "main.py"], MAIN, f"{site}/own.py")
    assert plan.keep.needs_root == ()


def test_file_that_makes_a_namespace_stays_with_its_package() -> None:
    record = "paste/deploy/__init__.py,,\nPaste-1-nspkg.pth,,\n"
    members = (
        file(f"{SITE}/paste/deploy/__init__.py"),
        file(f"{SITE}/Paste-1-nspkg.pth", "import sys, types; sys.modules.get('paste')\n"),
        file(f"{SITE}/Paste-1.dist-info/RECORD", record),
    )
    for text, is_kept in (("import web\n", False), ("import paste.deploy\n", True)):
        plan = plan_of(["python", "main.py"], file("app/main.py", text), *members)
        assert (f"/{SITE}/Paste-1-nspkg.pth" in plan.keep.kept) == is_kept
