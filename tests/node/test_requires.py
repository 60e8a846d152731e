"""What a JavaScript text asks for: one line of strings a request."""

from __future__ import annotations

import pytest

from minify.node import Requests, requests_of


def shown(source: str) -> dict[str, tuple[str, ...]]:
    found = requests_of(source.encode())
    assert found.is_complete
    names = [f"{r.line} {r.style.value} {r.name}{'…' if r.is_prefix else ''}" for r in found.names]
    lines = [f"{line} ?" for line in found.unknown]
    return {"names": tuple(names), "unknown": tuple(lines)}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('require("a")', ["1 require a"]),
        ("const {b} = require('a/b'), c = require( `c` )", ["1 require a/b", "1 require c"]),
        ('\nmodule.require("a"); require.resolve("b")', ["2 require a", "2 require b"]),
        ('__require("a")', ["1 require a"]),
        ('import "a"', ["1 import a"]),
        ('import a from "a"', ["1 import a"]),
        ("import{a as b}from'a'", ["1 import a"]),
        ('import a, {\n  b,\n} from "x";\nexport * from "y"', ["3 import x", "4 import y"]),
        ('export {a} from "a"', ["1 import a"]),
        ('import data from "./x.json" with { type: "json" }', ["1 import ./x.json"]),
        ('await import("a")', ["1 import a"]),
        ("(await eval('import (\"a\")'))", ["1 import a"]),
        ("new Function('x', 'return require(\"a\")')", ["1 require a"]),
        ('import.meta.resolve("a")', ["1 import a"]),
        ('import type {A} from "a"; import {b} from "b"', ["1 import b"]),
        ("require(`./locale/${x}`)", ["1 require ./locale/…"]),
        ('require("./locale/" + x)', ["1 require ./locale/…"]),
        ("import(`@scope/thing-${x}/y.js`)", ["1 import @scope/thing-…"]),
        ('require(path.join(__dirname, "x"))', ["1 require ./x"]),
        ('require(path.join(__dirname, "x", y))', ["1 require ./x/…"]),
        ('require(__dirname + "/x/" + y)', ["1 require ./x/…"]),
        ('import { createRequire } from "module"; const q = createRequire(u); q("a")',
         ["1 require a", "1 import module"]),
        ('createRequire(import.meta.url)("a")', ["1 require a"]),
    ],
)  # fmt: skip
def test_names_are_found(source: str, names: list[str]) -> None:
    assert shown(source) == {"names": tuple(names), "unknown": ()}


@pytest.mark.parametrize(
    "source",
    [
        '// require("a")',
        '/* import a from "a" */',
        '/** @type {import("a").B} */ let x',
        "'require(\"a\")'",
        '`require("a")`',
        '/require("a")/.test(x)',
        'x.require("a")',
        'Array.from("a")',
        "function require(name) { return cache[name] }",
        "require()",
        '"it\'s"; x = "from"; y = "import"',
    ],
)  # fmt: skip
def test_what_only_looks_like_a_request_is_none(source: str) -> None:
    assert shown(source) == {"names": (), "unknown": ()}


@pytest.mark.parametrize(
    "before",
    [
        "x = /[\"'`]/;",
        "if (x) /[\"'`]/.test(y);",
        "x = a / b; y = c / d;",
        "x = (a) / b + '/';",
        "return /`/g;",
        "x = `a ${ {b: `c ${d}`} } e`;",
        "x = `a ${ '}' } e`;",
        "x = '\\'';",
        'x = "a\\\nb";',
        "<p>Don't</p>\n",
        "x = y /* ' */ / z;",
        "#!/usr/bin/env node\n",
    ],
)
def test_what_stands_before_does_not_hide_a_request(before: str) -> None:
    found = requests_of(f'{before} require("a")'.encode())
    assert [request.name for request in found.names] == ["a"]


def test_a_request_in_a_template_is_one() -> None:
    assert shown('`${require("a")} ${`${require("b")}`}`')["names"] == (
        "1 require a",
        "1 require b",
    )


@pytest.mark.parametrize(
    "source", ["require(name)", "import(name)", "require(x ? 'a' : b)", "require(`${x}/y`)"]
)
def test_a_name_that_only_a_run_knows_is_told(source: str) -> None:
    assert shown(f"\n\n{source}") == {"names": (), "unknown": ("3 ?",)}


def test_of_two_constants_both_are_asked_for() -> None:
    found = shown("module.exports = require(process.platform === 'win32' ? './a' : './b')")
    assert found == {"names": ("1 require ./a", "1 require ./b"), "unknown": ()}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('fork(path.join(__dirname, "child"))', ("1 require ./child",)),
        ('new Worker("./w")', ("1 require ./w",)),
        ("new Worker(file)", ()),
        ("fork()", ()),
    ],
)
def test_processes_and_threads_begin_with_modules(source: str, names: tuple[str, ...]) -> None:
    loaded = shown(f'const {{ fork, Worker }} = x["node:child_process"]; {source}')
    assert loaded == {"names": names, "unknown": ()}
    assert shown(source)["names"] == ()


def test_constants_that_a_variable_is_given_are_asked_for() -> None:
    found = shown('const YAML = env.YAML || "js-yaml";\nlet other = "b";\nload(require(YAML))')
    assert found == {"names": ("1 require js-yaml",), "unknown": ("3 ?",)}


def test_texts_are_those_that_are_no_requests() -> None:
    found = requests_of(b'require("a"); x = "pg";\ny = "./w.js"; z = "no name"; u = "pg"')
    assert found.texts == (("pg", 1), ("./w.js", 2))


def test_a_template_without_an_end_is_told() -> None:
    found = requests_of(b'require("a"); x = `${ y')
    assert (found.names[0].name, found.is_complete) == ("a", False)


@pytest.mark.parametrize("unit", [b"`${", b"'", b"/*", b"/", b"{", b"import(", b'require("', b"\\"])
def test_a_hostile_text_takes_no_more_than_its_length(unit: bytes) -> None:
    assert isinstance(requests_of(unit * 100_000), Requests)


def test_paths_of_several_constants_are_one() -> None:
    found = requests_of(
        b'require(path.join(__dirname, "..", "config"));\n'
        b'const run = join(__dirname, "lib", "worker.js"); require(join(__dirname, "a", "b-" + c));'
    )
    assert [(one.name, one.is_prefix) for one in found.names] == [
        ("./../config", False),
        ("./a/b-", True),
    ]
    assert ("./lib/worker.js", 2) in found.texts
