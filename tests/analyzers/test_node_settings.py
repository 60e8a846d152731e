"""Which programs the files of pm2 and nodemon declare."""

from __future__ import annotations

import pytest
from filetree.kit import file, tree_of

from minify.analyzers.node_settings import Declared, of_nodemon, of_pm2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"apps": [{"name": "a", "script": "./a.js"}]}', (Declared("./a.js"),)),
        (
            "apps: [{ script: 'a.js', cwd: '/srv', node_args: '-r x' }, { script: `dist/b.mjs` }]",
            (Declared("a.js", "/srv", ("-r", "x")), Declared("dist/b.mjs")),
        ),
        ("apps:\n  - script: ./a.js\n    interpreter: /usr/bin/node\n", (Declared("./a.js"),)),
        ("apps:\n  - script: ./a.py\n    interpreter: python3\n", ()),
        ("{ script: file }", ()),
        ("{ script: `${here}/a.js` }", ()),
        ("{ script: 'npm', args: 'start' }", ()),
        ("{}", ()),
        ("script: " * 30_000, ()),
    ],
)
def test_programs_of_pm2(text: str, found: tuple[Declared, ...]) -> None:
    assert of_pm2(text) == found


@pytest.mark.parametrize(
    ("text", "runs_operands"),
    [("{}", True), ('{"watch": ["src"]}', True), ('{"execMap": {"js": "x"}}', False)],
)
def test_settings_of_nodemon(text: str, *, runs_operands: bool) -> None:
    assert of_nodemon("/app", tree_of((file("app/nodemon.json", text),))) == runs_operands
    assert of_nodemon("/", tree_of((file("app/nodemon.json", text),)))
