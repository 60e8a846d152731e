"""What configuration names: each text, and what of it may be the name of something to import."""

from __future__ import annotations

import time

import pytest
from filetree.kit import file

from minify.python import Mentioned, Origin
from minify.python.mentions import eggs, mentions
from python.test_graph import SITE, graph_of, reached

TEXTS = {
    '{"()": "a.json.Formatter", "x": 1}': ["a.json.Formatter:1"],
    "handlers:\n  main:\n    class: a.b.C  # why\n": ["a.b.C:3"],
    "'()': !!python/name:a.b.C\n": ["a.b.C:1"],
    "steps:\n- a.b\n- 'c.d'\n- {class: e.f}\n": ["a.b:2", "c.d:3", "e.f:4"],
    "[server]\napp = a.wsgi:make_app\n": ["a.wsgi:make_app:2"],
    "command=gunicorn a.wsgi:app -k b.workers.Worker --x=c.d:f('y')": [
        "a.wsgi:app:1",
        "b.workers.Worker:1",
        "c.d:f:1",
    ],
    "stream: ext://a.log.errors": ["a.log.errors:1"],
    "use = call:a.web:factory": ["a.web:factory:1"],
    "qualname = a.b\n# a.c\n; a.d\n  // a.e\n": [],
    'loggers:\n  a.b:\n    level: 1\n{"c.d":2}\n[x]\ne.f = 3\n': ["a.b:2=", "c.d:4=", "e.f:6="],
    "https://a.b/c.d/e.f?g.h=1 c/a.b a.b/c a.b-c x@a.b $a.b 1.5 a.b@c a.py": ["a.py:1"],
    "one two _three four_ FIVE=6": [],
    '["rest_framework", "one"]': ["rest_framework:1"],
}


@pytest.mark.parametrize("text", TEXTS)
def test_names_with_a_dot_or_an_attribute(text: str) -> None:
    shown = [
        f"{m.name}{f':{m.attribute}' if m.attribute else ''}:{m.line}{'=' if m.is_key else ''}"
        for m in mentions(text)
    ]
    assert shown == TEXTS[text]


def test_eggs() -> None:
    text = "[app:main]\nuse = egg:Shop-Web#main\n# use = egg:other\npipeline = egg:Paste\n"
    assert list(eggs(text)) == [("Shop-Web", 2), ("Paste", 4)]


@pytest.mark.parametrize(
    "text", ["a.", "a:", '"a.b":', "a.b ", "a", "x" * 99 + ".", "egg:", "#", "\n", "a.b\n", "(a.b"]
)
def test_time_is_linear(text: str) -> None:
    start = time.process_time()
    whole = text * (1_000_000 // len(text))
    assert len([*eggs(whole)]) <= 50_000
    assert len([*mentions(whole)]) <= 50_000
    assert time.process_time() - start < 5


INSTALLED = (
    file(f"{SITE}/logs/__init__.py"),
    file(f"{SITE}/logs/json.py", "class Formatter: ...\n"),
    file(f"{SITE}/redis/__init__.py", "def connect(): ...\n"),
    file(f"{SITE}/steps/__init__.py", "from ._all import *\n"),
    f"{SITE}/steps/cut.py",
    f"{SITE}/steps/tests/test_cut.py",
    file(f"{SITE}/pytest/__init__.py", "main = 1\n"),
    file(f"{SITE}/engine.py", "start = 1\n"),
    f"{SITE}/rest_steps/__init__.py",
    f"{SITE}/one_file.py",
    file(f"{SITE}/offers.py"),
    file(f"{SITE}/Offers-1.dist-info/RECORD", "offers.py,,\n"),
    file(f"{SITE}/Offers-1.dist-info/entry_points.txt", "[paste.app_factory]\nmain=offers:make\n"),
)
NAMED = {
    "class: logs.json.Formatter": ["logs/__init__.py", "logs/json.py"],
    "class: logs.json.Former": [],
    "logs.json: {level: INFO}": [],
    "logs.json.Formatter: {}": ["logs/__init__.py", "logs/json.py"],
    "step: logs.json": ["logs/__init__.py", "logs/json.py"],
    "host: redis.internal\nfile: redis.log\nname: redis\n": [],
    "make: redis.connect": ["redis/__init__.py"],
    "make: redis:connect": ["redis/__init__.py"],
    "image: redis:alpine": [],
    "use: engine:start": ["engine.py"],
    "step: steps.anything": ["steps/__init__.py"],
    "runner: pytest.main": [],
    "use = egg:offers#main": ["offers.py"],
    "use = egg:gone": [],
    "apps: [rest_steps, rest_step, one_file]": ["rest_steps/__init__.py"],
    "rest_steps: 1": [],
}


@pytest.mark.parametrize("text", NAMED)
def test_name_counts_if_the_module_has_the_rest_of_it(text: str) -> None:
    graph = graph_of(*INSTALLED)
    Mentioned(graph).text(text, lambda name, line: Origin("", f"{line} {name}"))
    graph.follow()
    assert sorted(reached(graph)) == NAMED[text]


def test_package_that_is_named_is_meant_whole() -> None:
    graph = graph_of(*INSTALLED, f"{SITE}/steps/more/__init__.py", f"{SITE}/steps/more/one.py")
    Mentioned(graph).text("apps: [steps.more]", lambda name, line: Origin("", f"{line} {name}"))
    assert reached(graph) == {
        "steps/__init__.py": "1 steps.more",
        "steps/more/__init__.py": "1 steps.more",
        "steps/more/one.py": "1 steps.more",
    }
