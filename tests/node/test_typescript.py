"""Programs in TypeScript that are compiled as they are loaded: what they reach."""

from __future__ import annotations

import json

import pytest
from filetree.kit import Member, file, tree_of

from minify.filetree import ImagePath
from minify.node.typescript import TypeScript, is_typed, parsed, sources
from node.test_graph import graph_of, package, packages

CONFIG = """{
  // of everybody
  "extends": ["@tsconfig/node20/tsconfig.json", "./other",],
  "compilerOptions": {
    "baseUrl": ".", /* "paths": {} */
    "paths": {"@lib/*": ["src/lib/*"], "~": ["./src/config.ts"], "url//x": ["y"]},
    "jsxImportSource": "preact", "importHelpers": true,
  },
  "ts-node": {"require": ["tsconfig-paths/register"], "swc": true},
}"""
BASE: tuple[Member | str, ...] = (
    file("app/tsconfig.json", CONFIG),
    file("app/other.json", '{"compilerOptions": {"paths": {"#/*.js": ["./gen/*"]}}}'),
    file("app/node_modules/@tsconfig/node20/tsconfig.json", "{}"),
    "app/src/x.ts",
)


def test_settings_are_read_with_what_they_extend() -> None:
    settings = TypeScript(tree_of(BASE)).settings(ImagePath("/app/src"))
    found = {
        name: [path for alias in settings.aliases for path in alias.paths(name)]
        for name in ("@lib/a", "~", "#/b.js", "~x")
    }
    assert found == {
        "@lib/a": ["/app/./src/lib/a", "/app/./@lib/a"],
        "~": ["/app/././src/config.ts", "/app/./~"],
        "#/b.js": ["/app/./#/b.js", "/app/./gen/b"],
        "~x": ["/app/./~x"],
    }
    assert settings.files == ("/app/node_modules/@tsconfig/node20/tsconfig.json",)
    assert settings.modules == ("tslib", "@swc/helpers", "tsconfig-paths/register")
    assert settings.jsx == ("preact", "react")
    assert settings.transpiles


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": "// no, /* no */", "b": [1,],}', {"a": "// no, /* no */", "b": [1]}),
        ("\ufeff{}", {}),
        ("{", None),
        ("[" * 100_000, None),
        ('{"a": "\\", // x"}', {"a": '", // x'}),
    ],
)
def test_json_with_comments(text: str, found: object) -> None:
    assert parsed(text) == found


@pytest.mark.parametrize(
    ("path", "typed"),
    [("a.ts", True), ("a.d.ts", False), ("a.d.mts", False), ("a.tsx", True), ("a.js", False)],
)
def test_declarations_are_no_modules(path: str, *, typed: bool) -> None:
    assert is_typed(path) == typed


def test_sources_of_what_is_asked_for() -> None:
    assert [*sources("/a.js")][:4] == ["/a.ts", "/a.tsx", "/a.jsx", "/a.js.ts"]
    assert [*sources("/a")][:2] == ["/a.ts", "/a.tsx"]
    assert next(sources("/a.mjs")) == "/a.mts"


def test_sources_are_followed_by_all_names_for_them() -> None:
    graph = graph_of(
        file(
            "app/src/main.ts",
            'import { a } from "./a.js";\nimport { b } from "@lib/b";\nimport "./c";\n'
            'import type { T } from "types-only";\nnew Worker(new URL("./work.js", here));',
        ),
        file("app/src/a.ts", 'import "of-a"'),
        file("app/src/lib/b.ts", 'import "of-b"'),
        file("app/src/c/index.ts", 'import "of-c"'),
        file("app/src/work.ts", 'import "of-work"'),
        file("app/src/unused.ts", 'import "unused"'),
        *BASE,
        *(m for name in ("of-a", "of-b", "of-c", "of-work") for m in package(name)),
        *(m for name in ("unused", "types-only", "tslib") for m in package(name)),
        start="/app/src/main.ts",
    )
    found = ["@tsconfig/node20", "of-a", "of-b", "of-c", "of-work", "tslib"]
    assert sorted(packages(graph)) == found


def test_jsx_stands_for_calls_of_a_package() -> None:
    exports = {"./jsx-runtime": "./index.js"}
    graph = graph_of(
        file("app/main.tsx", "/** @jsxImportSource hono/jsx */\nexport default () => <p/>;"),
        *package("react", exports=exports),
        *package("hono", exports={"./jsx/jsx-runtime": "./index.js"}),
        start="/app/main.tsx",
    )
    assert sorted(packages(graph)) == ["hono", "react"]


def test_names_of_types_alone_are_no_aliases() -> None:
    members = (
        file("app/main.ts", 'import { Node } from "estree"'),
        file("app/other.ts", 'import "other"'),
        *package("other"),
    )
    types = "app/node_modules/@types/estree/index.d.ts"
    assert packages(graph_of(*members, types, start="/app/main.ts")) == {}
    assert list(packages(graph_of(*members, start="/app/main.ts"))) == ["other"]


def test_all_of_an_application_are_its_sources_too() -> None:
    graph = graph_of(
        file("app/main.js", 'for (const f of all) require(f); require("./typed")'),
        file("app/typed.ts", ""),
        file("app/models/one.ts", 'import "orm"'),
        file("app/models/one.spec.ts", 'import "vitest"'),
        file("app/models/one.d.ts", 'import "declared"'),
        *(m for name in ("orm", "vitest", "declared") for m in package(name)),
    )
    assert list(packages(graph)) == ["orm"]


def test_what_checks_types_needs_all_that_is_installed() -> None:
    manifest = {"peerDependencies": {"typescript": "*", "@swc/core": "*"}}
    members = (
        file("app/package.json", json.dumps({"devDependencies": {"ts-node": "1"}})),
        file("app/main.js", 'require("ts-node").register()'),
        *package("ts-node", "load(compiler)", **manifest),
        *package("typescript"),
    )
    graph = graph_of(*members)
    assert graph.tool is not None
    assert graph.tool[0].name == "ts-node"
    assert sorted(packages(graph)) == ["ts-node", "typescript"]
