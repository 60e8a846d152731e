"""What a program reaches, as one dict: each module's file, and who asked first."""

from __future__ import annotations

from filetree.kit import Member, file, tree_of

from minify.filetree import ImagePath
from minify.packages import read_packages
from minify.python import (
    Distributions,
    Finder,
    Graph,
    Module,
    ModuleKind,
    Origin,
    installation,
)

LIBRARY = "usr/lib/python3.11"
SITE = f"{LIBRARY}/site-packages"
BASE = (file("usr/bin/python3.11", "ELF", mode=0o755), f"{LIBRARY}/os.py")


def graph_of(*members: Member | str, application: tuple[str, ...] = ("/app",)) -> Graph:
    tree = tree_of([*BASE, *members])
    installed = installation(tree, "/usr/bin/python3.11", {})
    assert installed is not None
    finder = Finder(tree, installed.search_path(application))
    owned = Distributions(tree, installed, read_packages(tree))
    graph = Graph(tree, finder, owned, installed, application)
    for directory in application:
        graph.below(directory, Origin("", "the application"))
    graph.follow()
    return graph


def reached(graph: Graph) -> dict[str, str]:
    return {
        path.removeprefix(f"/{SITE}/").removeprefix(f"/{LIBRARY}/"): one.origin.detail.replace(
            f"/{SITE}/", ""
        )
        for path, one in graph.reached.items()
    }


def test_imports_are_followed_from_file_to_file() -> None:
    graph = graph_of(
        file("app/main.py", "import json\ndef f():\n    from web import serve\n"),
        file(f"{LIBRARY}/json/__init__.py", "from . import decoder"),
        f"{LIBRARY}/json/decoder.py",
        f"{LIBRARY}/json/tool.py",
        f"{LIBRARY}/csv.py",
        file(f"{SITE}/web/__init__.py", "from .core import serve"),
        file(f"{SITE}/web/core.py", "try:\n    import fast\nexcept ImportError:\n    fast = 0\n"),
        f"{SITE}/web/unused.py",
        f"{SITE}/fast.so",
        f"{SITE}/other.py",
    )
    assert reached(graph) == {
        "/app/main.py": "the application",
        "json/__init__.py": "/app/main.py imports json at line 1",
        "web/__init__.py": "/app/main.py imports web at line 3",
        "json/decoder.py": "/usr/lib/python3.11/json/__init__.py imports json.decoder at line 1",
        "web/core.py": "web/__init__.py imports web.core at line 1",
        "fast.so": "web/core.py imports fast at line 2",
    }
    assert list(graph.whole) == ["web", "fast"]


def test_texts_of_the_application_name_packages_and_all_of_them() -> None:
    graph = graph_of(
        file("app/settings.py", "APPS = ['web.contrib', 'web.cache:Local', 'no module', 'gone.x']"),
        f"{SITE}/web/__init__.py",
        f"{SITE}/web/contrib/__init__.py",
        f"{SITE}/web/contrib/models.py",
        f"{SITE}/web/contrib/tests/test_models.py",
        f"{SITE}/web/cache.py",
        f"{SITE}/web/other.py",
    )
    assert [path for path in reached(graph) if path.startswith("web")] == [
        "web/__init__.py",
        "web/contrib/__init__.py",
        "web/contrib/models.py",
        "web/cache.py",
    ]


def test_texts_of_libraries_name_nothing() -> None:
    graph = graph_of(
        file("app/main.py", "import web"),
        file(f"{SITE}/web.py", "BACKENDS = ['other.x']"),
        f"{SITE}/other/x.py",
    )
    assert list(graph.whole) == ["web"]


def test_all_below_a_prefix_that_a_library_imports_from() -> None:
    graph = graph_of(
        file("app/main.py", "import sql"),
        file(
            f"{SITE}/sql/__init__.py", "def load(n):\n    return __import__('sql.dialects.%s' % n)"
        ),
        f"{SITE}/sql/dialects/__init__.py",
        file(f"{SITE}/sql/dialects/pg.py", "def f():\n    import driver\n"),
        f"{SITE}/sql/tests/test_pg.py",
        f"{SITE}/driver/__init__.py",
    )
    assert [path for path in reached(graph) if not path.startswith("/app")] == [
        "sql/__init__.py",
        "sql/dialects/__init__.py",
        "sql/dialects/pg.py",
        "driver/__init__.py",
    ]


def test_library_that_imports_by_unknown_names_is_followed_whole() -> None:
    graph = graph_of(
        file("app/main.py", "import web"),
        file(f"{SITE}/web/__init__.py", "def load(n):\n    return import_module(n)\n"),
        file(f"{SITE}/web/worker.py", "import events\nimport pytest\n"),
        file(f"{SITE}/web/testing.py", "import doubles\n"),
        f"{SITE}/events.py",
        f"{SITE}/pytest.py",
        f"{SITE}/doubles.py",
    )
    assert list(graph.whole) == ["web", "events"]


def test_application_that_imports_by_unknown_names_is_told() -> None:
    graph = graph_of(file("app/main.py", "import importlib\nimportlib.import_module(name)\n"))
    assert graph.unknown == {"/app/main.py": (2,)}


def test_entry_points_bring_who_offers_them() -> None:
    graph = graph_of(
        file("app/main.py", "entry_points(group='shop.formats')"),
        file(f"{SITE}/yaml_format.py", "import yaml"),
        file(f"{SITE}/yf-1.dist-info/RECORD", "yaml_format.py,,\n"),
        file(f"{SITE}/yf-1.dist-info/entry_points.txt", "[shop.formats]\ny = yaml_format:dump\n"),
        f"{SITE}/yaml.py",
    )
    assert list(graph.whole) == ["yf", "yaml"]


def test_texts_of_an_extension_are_no_members_of_what_it_does_not_mean() -> None:
    fast = "\x7fELF\0cython_runtime\0__main__\0PyInit_fast\0test\0json\0support\0decoder\0"
    graph = graph_of(
        file("app/main.py", "import fast"),
        file(f"{SITE}/fast.so", fast),
        *(f"{LIBRARY}/{name}/__init__.py" for name in ("json", "test", "test/support")),
        f"{LIBRARY}/json/decoder.py",
    )
    assert {"json/__init__.py", "json/decoder.py"} <= set(reached(graph))
    assert "test/support/__init__.py" not in reached(graph)


def test_what_a_library_has_for_building_is_not_meant_by_its_functions() -> None:
    lazy = (
        "def __getattr__(n):\n    import sums.f2py\n    import sums.testing\n    import sums.lib\n"
    )
    tree = (
        file(f"{SITE}/sums/__init__.py", lazy),
        file(f"{SITE}/sums/f2py/__init__.py", "def run():\n    import sums.distutils\n"),
        f"{SITE}/sums/distutils/__init__.py",
        f"{SITE}/sums/testing/__init__.py",
        f"{SITE}/sums/lib/__init__.py",
        file(f"{SITE}/sums-1.dist-info/RECORD", "sums/__init__.py,,\nsums/f2py/__init__.py,,\n"),
    )
    own = {"sums/__init__.py", "sums/testing/__init__.py", "sums/lib/__init__.py"}
    assert own == set(reached(graph_of(file("app/main.py", "import sums"), *tree))) - {
        "/app/main.py"
    }
    every = own | {"sums/f2py/__init__.py", "sums/distutils/__init__.py"}
    assert every == set(reached(graph_of(file("app/main.py", "import sums.f2py"), *tree))) - {
        "/app/main.py"
    }


def test_libraries_reserve_nothing_for_people_and_tools() -> None:
    text = "def test():\n    import pytest, doctest\ntry:\n    import setuptools\nexcept E: pass\n"
    graph = graph_of(
        file("app/main.py", "import web"),
        file(f"{SITE}/web.py", text),
        f"{SITE}/pytest.py",
        f"{SITE}/setuptools.py",
        f"{LIBRARY}/doctest.py",
    )
    assert list(reached(graph)) == ["/app/main.py", "web.py"]


def test_setuptools_stands_in_for_what_python_lacks_of_distutils() -> None:
    hook = "import os; os.environ.get('X') == 'local' and __import__('_distutils_hack').add_shim()"
    copy = "setuptools/_distutils"
    graph = graph_of(
        file("app/main.py", "from distutils.util import strtobool"),
        f"{LIBRARY}/distutils/__init__.py",
        file(f"{SITE}/distutils-precedence.pth", hook),
        f"{SITE}/_distutils_hack/__init__.py",
        f"{SITE}/setuptools/__init__.py",
        f"{SITE}/{copy}/__init__.py",
        f"{SITE}/{copy}/util.py",
        f"{SITE}/{copy}/version.py",
        file(
            f"{SITE}/setuptools-66.dist-info/RECORD",
            "_distutils_hack/__init__.py,,\nsetuptools/__init__.py,,\ndistutils-precedence.pth,,\n"
            f"{copy}/__init__.py,,\n{copy}/util.py,,\n{copy}/version.py,,\n",
        ),
    )
    asked = "/app/main.py imports distutils.util at line 1"
    stands_in = f"{asked}, which setuptools has"
    assert reached(graph) == {
        "/app/main.py": "the application",
        "distutils/__init__.py": asked,
        "_distutils_hack/__init__.py": stands_in,
        "setuptools/__init__.py": stands_in,
        f"{copy}/__init__.py": stands_in,
        f"{copy}/util.py": stands_in,
    }
    assert list(graph.whole) == ["setuptools"]


def test_distutils_that_python_has_is_its_own() -> None:
    graph = graph_of(
        file("app/main.py", "from distutils.version import LooseVersion"),
        f"{LIBRARY}/distutils/__init__.py",
        f"{LIBRARY}/distutils/version.py",
        file(f"{SITE}/distutils-precedence.pth", "import _distutils_hack"),
        f"{SITE}/_distutils_hack.py",
        f"{SITE}/setuptools/_distutils/version.py",
        file(
            f"{SITE}/setuptools-66.dist-info/RECORD",
            "_distutils_hack.py,,\ndistutils-precedence.pth,,\nsetuptools/_distutils/version.py,,\n",
        ),
    )
    assert list(graph.whole) == []


def test_the_applications_tests_are_not_the_application() -> None:
    graph = graph_of(
        "app/main.py",
        file("app/tests/test_main.py", "import pytest"),
        file("app/conftest.py", "import pytest"),
        file("app/setup.py", "import setuptools"),
        "app/.venv/lib/x.py",
        "app/node_modules/x.py",
        f"{SITE}/pytest.py",
        f"{SITE}/setuptools.py",
    )
    assert list(reached(graph)) == ["/app/main.py"]


def test_metadata_that_is_asked_for_by_name() -> None:
    graph = graph_of(
        file("app/main.py", "version('Other_Thing')"),
        file(f"{SITE}/other_thing-1.dist-info/RECORD", "other.py,,\n"),
        f"{SITE}/other.py",
    )
    assert (list(graph.named), list(graph.whole)) == (["other-thing"], [])


def test_visiting_order_does_not_matter() -> None:
    members = (
        file("app/b.py", "import y"),
        file("app/a.py", "import x"),
        file(f"{SITE}/x.py", "import y"),
        file(f"{SITE}/y.py", "import x"),
    )
    assert graph_of(*members).reached == graph_of(*reversed(members)).reached


def test_packages_of_the_standard_library_that_import_by_names_are_whole() -> None:
    graph = graph_of(
        file("app/main.py", "import logging"),
        f"{LIBRARY}/logging/__init__.py",
        file(f"{LIBRARY}/logging/handlers.py", "import socket"),
        f"{LIBRARY}/socket.py",
    )
    assert list(reached(graph))[1:] == ["logging/__init__.py", "logging/handlers.py", "socket.py"]


def test_script_of_easy_install_runs_an_entry_point() -> None:
    text = "__requires__ = 'web==1.0'\nload_entry_point('web==1.0', 'console_scripts', 'web')()\n"
    graph = graph_of(
        file("usr/bin/web", text),
        file(f"{SITE}/web/cli.py", "import other"),
        f"{SITE}/other.py",
        file(
            f"{SITE}/web-1.0.egg-info/entry_points.txt", "[console_scripts]\nweb = web.cli:main\n"
        ),
        application=(),
    )
    script = Module("__main__", ModuleKind.SOURCE, ImagePath("/usr/bin/web"))
    graph.module(script, Origin("", "CMD"), is_main=True)
    graph.follow()
    assert list(reached(graph)) == ["/usr/bin/web", "web/cli.py", "other.py"]


def test_source_beside_an_extension_says_what_that_imports() -> None:
    graph = graph_of(
        file("app/main.py", "import tidy"),
        file(f"{SITE}/tidy/__init__.cpython-311-x86_64-linux-gnu.so", b"\x7fELF"),
        file(f"{SITE}/tidy/__init__.py", "import click\nfrom .lines import Line\n"),
        f"{SITE}/tidy/lines.py",
        f"{SITE}/click.py",
        f"{SITE}/other.py",
    )
    assert [path for path in reached(graph) if not path.startswith("/")] == [
        "tidy/__init__.cpython-311-x86_64-linux-gnu.so",
        "click.py",
        "tidy/lines.py",
    ]
