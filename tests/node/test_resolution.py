"""Where names lead: the paths that Node tries, and the files behind links."""

from __future__ import annotations

import json

from filetree.kit import Member, file, tree_of

from minify.filetree import ImagePath
from minify.node import Resolver, Style


def manifest(directory: str, **said: object) -> Member:
    return file(f"{directory}/package.json", json.dumps(said))


def resolve(
    members: list[Member | str], *names: str, at: str = "/app", style: Style = Style.REQUIRE
) -> dict[str, str]:
    resolver = Resolver(tree_of(members))
    found = {name: resolver.resolve(name, ImagePath(at), style) for name in names}
    return {name: " ".join(one.entry.path for one in paths) for name, paths in found.items()}


def test_files_and_directories_are_tried_in_the_order_of_node() -> None:
    members: list[Member | str] = [
        "app/a.js",
        "app/a.json",
        "app/b/index.json",
        "app/c/lib/main.js",
        manifest("app/c", main="./lib/main"),
        "app/d/index.js",
        manifest("app/d", main="gone.js"),
        "app/e",
        "app/e.js",
    ]
    assert resolve(members, "./a", "./a.json", "./b", "./c", "./c/", "./d", "./e", "./f", "..") == {
        "./a": "/app/a.js",
        "./a.json": "/app/a.json",
        "./b": "/app/b/index.json",
        "./c": "/app/c/lib/main.js",
        "./c/": "/app/c/lib/main.js",
        "./d": "/app/d/index.js",
        "./e": "/app/e",
        "./f": "",
        "..": "",
    }


def test_packages_are_looked_for_upwards_then_in_the_system() -> None:
    members: list[Member | str] = [
        "app/node_modules/near/index.js",
        "node_modules/near/index.js",
        "node_modules/far/index.js",
        "node_modules/@scope/one/index.js",
        "node_modules/@scope/one/lib/two.js",
        "usr/share/nodejs/system/index.js",
        "usr/share/nodejs/single.js",
    ]
    names = "near far @scope/one @scope/one/lib/two system single gone fs node:fs".split()
    assert resolve(members, *names, at="/app/src") == {
        "near": "/app/node_modules/near/index.js",
        "far": "/node_modules/far/index.js",
        "@scope/one": "/node_modules/@scope/one/index.js",
        "@scope/one/lib/two": "/node_modules/@scope/one/lib/two.js",
        "system": "/usr/share/nodejs/system/index.js",
        "single": "/usr/share/nodejs/single.js",
        "gone": "",
        "fs": "",
        "node:fs": "",
    }


EXPORTS = {
    ".": {
        "types": "./t.d.ts",
        "browser": "./browser.js",
        "import": "./m.mjs",
        "require": "./c.cjs",
    },
    "./x": {"development": "./dev.js", "default": "./x.js"},
    "./f/*": "./features/*.js",
    "./f/inner/*": None,
    "./list": ["./gone.js", "./x.js"],
    "./nested": {"node": {"import": "./m.mjs"}, "default": "./x.js"},
}
PACKAGE: list[Member | str] = [
    manifest("app/node_modules/p", exports=EXPORTS, main="x.js"),
    *(f"app/node_modules/p/{name}" for name in "t.d.ts browser.js m.mjs c.cjs dev.js".split()),
    *(f"app/node_modules/p/{name}" for name in "x.js features/a.js features/inner/b.js".split()),
]


def test_exports_are_chosen_by_conditions() -> None:
    names = "p p/x p/f/a p/f/inner/b p/list p/nested p/x.js".split()
    found = resolve(PACKAGE, *names)
    assert {name: paths.replace("/app/node_modules/p/", "") for name, paths in found.items()} == {
        "p": "c.cjs",
        "p/x": "dev.js x.js",
        "p/f/a": "features/a.js",
        "p/f/inner/b": "",
        "p/list": "x.js",
        "p/nested": "x.js",
        "p/x.js": "",
    }
    found = resolve(PACKAGE, "p", "p/nested", style=Style.IMPORT)
    assert set(found.values()) == {"/app/node_modules/p/m.mjs"}


def test_a_package_asks_for_itself_and_by_its_imports() -> None:
    members: list[Member | str] = [
        manifest("app", name="own", exports="./main.js", imports={"#db/*": "./db/*.js", "#d": "d"}),
        "app/main.js",
        "app/db/pg.js",
        "app/node_modules/d/index.js",
    ]
    assert resolve(members, "own", "#db/pg", "#d", "#gone", at="/app/src") == {
        "own": "/app/main.js",
        "#db/pg": "/app/db/pg.js",
        "#d": "/app/node_modules/d/index.js",
        "#gone": "",
    }


def test_links_are_followed_and_the_real_place_counts() -> None:
    store = "app/node_modules/.pnpm"
    members: list[Member | str] = [
        "app/node_modules/a -> .pnpm/a@1/node_modules/a",
        f"{store}/a@1/node_modules/a/index.js",
        f"{store}/a@1/node_modules/b -> ../../b@2/node_modules/b",
        f"{store}/b@2/node_modules/b/index.js",
    ]
    resolver = Resolver(tree_of(members))
    (found,) = resolver.resolve("a", ImagePath("/app"), Style.REQUIRE)
    assert (found.via, found.entry.path) == (
        "/app/node_modules/a/index.js",
        f"/{store}/a@1/node_modules/a/index.js",
    )
    at = ImagePath(f"/{store}/a@1/node_modules/a")
    (inner,) = resolver.resolve("b", at, Style.REQUIRE)
    assert inner.entry.path == f"/{store}/b@2/node_modules/b/index.js"
    assert resolve(members, "b") == {"b": ""}


def test_names_that_no_file_has_lead_nowhere() -> None:
    strange = ["", "\0", "./\0", "a" * 5000, "@", "@a", "a//b", "#", "/", "../" * 400]
    assert set(resolve(["app/a.js"], *strange).values()) == {""}
