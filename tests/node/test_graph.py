"""What a program reaches, as one dict: each package, and who asked first."""

from __future__ import annotations

import json

from filetree.kit import Member, file, tree_of

from minify.filetree import ImagePath
from minify.node import Graph, Machine, Origin, Resolver

GLIBC = Machine("x64", "glibc")


def package(name: str, text: str = "", **said: object) -> tuple[Member, Member]:
    place = f"app/node_modules/{name}"
    manifest = json.dumps({"version": "1.0.0", **said})
    return file(f"{place}/package.json", manifest), file(f"{place}/index.js", text)


def graph_of(*members: Member | str, start: str = "/app/main.js") -> Graph:
    tree = tree_of(members)
    graph = Graph(tree, Resolver(tree), GLIBC, (ImagePath("/app"),))
    assert graph.name(start, "/app", Origin("", "CMD"))
    graph.follow()
    return graph


def packages(graph: Graph) -> dict[str, str]:
    found = graph.packages.values()
    return {one.name: origin.detail.replace("/app/", "") for one, origin in found}


def test_packages_are_followed_from_file_to_file() -> None:
    graph = graph_of(
        file("app/main.js", 'const a = require("a");\nrequire("./own")'),
        file("app/own.js", 'import("c")'),
        *package("a", 'require("b")'),
        *package("b"),
        *package("c"),
        *package("unused", 'require("b")'),
    )
    assert packages(graph) == {
        "a": "main.js asks for a at line 1",
        "c": "own.js asks for c at line 1",
        "b": "node_modules/a/index.js asks for b at line 1",
    }


def test_texts_name_packages_in_the_application() -> None:
    graph = graph_of(
        file("app/main.js", 'use({ client: "pg" });\nserve("node_modules/icons/dist"); "url"'),
        *package("pg"),
        *package("icons"),
        *package("url"),
    )
    assert packages(graph) == {
        "pg": "main.js:1 has the text pg",
        "icons": "main.js:2 has the text node_modules/icons/dist",
    }


def test_texts_of_a_package_name_what_its_manifest_says() -> None:
    graph = graph_of(
        file("app/main.js", 'require("orm")'),
        *package("orm", 'load("pg"); load("typescript")', peerDependencies={"pg": "*"}),
        *package("pg"),
        *package("typescript"),
    )
    assert list(packages(graph)) == ["orm", "pg"]


def test_what_a_run_decides_brings_what_production_has() -> None:
    graph = graph_of(
        file("app/package.json", '{"dependencies": {"views": "1"}, "devDependencies": {"m": "1"}}'),
        file("app/main.js", 'require("web")'),
        file("app/plugins/one.js", 'require("views"); require("m")'),
        file("app/test/one.js", 'require("views2")'),
        *package("web", "exports.engine = name => require(name)"),
        *package("views"),
        *package("views2"),
        *package("m"),
    )
    assert list(packages(graph)) == ["web", "views"]
    assert [str(path) for path in graph.expanded] == ["/app/node_modules/web"]


def test_a_directory_of_which_one_is_chosen_is_followed() -> None:
    graph = graph_of(
        file("app/main.js", "require(`./drivers/${name}`)"),
        file("app/drivers/pg.js", 'require("pg")'),
        file("app/other.js", 'require("other")'),
        *package("pg"),
        *package("other"),
    )
    assert packages(graph) == {"pg": "drivers/pg.js asks for pg at line 1"}
    assert graph.unknown == {}


def test_what_nobody_knows_in_the_application_is_told() -> None:
    graph = graph_of(
        file("app/main.js", "\nfor (const f of files) require(f)"),
        file("app/models/one.js", 'require("orm")'),
        *package("orm"),
    )
    assert graph.unknown == {"/app/main.js": (2,)}
    assert list(packages(graph)) == ["orm"]


def test_optional_packages_are_those_of_the_machine() -> None:
    names = ("p-linux-x64", "p-linux-arm64", "p-darwin", "p-linuxmusl-x64", "plain")
    optional = dict.fromkeys(names, "1")
    graph = graph_of(
        file("app/main.js", 'require("p")'),
        *package("p", "", optionalDependencies=optional),
        *package("p-linux-x64", os=["linux"], cpu=["x64"], libc=["glibc"]),
        *package("p-linux-arm64", os=["linux"], cpu=["arm64"]),
        *package("p-darwin", os=["darwin"]),
        *package("p-linuxmusl-x64", os=["linux"], cpu=["x64"], libc=["musl"]),
        *package("plain"),
    )
    assert packages(graph) == {
        "p": "main.js asks for p at line 1",
        "p-linux-x64": "p 1.0.0 has it for linux-x64-glibc",
    }


def test_workers_are_followed() -> None:
    graph = graph_of(
        file("app/main.js", 'new Worker(new URL("./worker.js", import.meta.url))'),
        file("app/worker.js", 'import "a"'),
        *package("a"),
    )
    assert list(packages(graph)) == ["a"]


def test_links_of_a_store_and_of_workspaces_are_on_the_way() -> None:
    store = "app/node_modules/.pnpm"
    graph = graph_of(
        file("app/apps/api/main.js", 'require("a"); require("@org/shared")'),
        "app/node_modules/a -> .pnpm/a@1/node_modules/a",
        file(f"{store}/a@1/node_modules/a/index.js", 'require("b")'),
        f"{store}/a@1/node_modules/b -> ../../b@2/node_modules/b",
        f"{store}/b@2/node_modules/b/index.js",
        f"{store}/c@2/node_modules/c/index.js",
        "app/node_modules/@org/shared -> ../../packages/shared",
        "app/packages/shared/index.js",
        start="/app/apps/api/main.js",
    )
    assert sorted(graph.packages) == [
        f"/{store}/a@1/node_modules/a",
        f"/{store}/b@2/node_modules/b",
    ]
    assert "/app/packages/shared/index.js" in graph.modules
    assert sorted(graph.links) == [
        f"/{store}/a@1/node_modules/b/index.js",
        "/app/node_modules/@org/shared/index.js",
        "/app/node_modules/a/index.js",
    ]


def test_a_tool_that_loads_what_configuration_names_is_told() -> None:
    graph = graph_of(file("app/main.js", 'require("@babel/register")'), *package("@babel/register"))
    assert graph.tool is not None
    assert graph.tool[0].shown == "@babel/register 1.0.0"


def test_circles_end() -> None:
    graph = graph_of(
        file("app/main.js", 'require("a")'),
        *package("a", 'require("b")'),
        *package("b", 'require("a"); require("../../main.js")'),
    )
    assert list(packages(graph)) == ["a", "b"]


def test_generated_packages_have_hidden_names() -> None:
    graph = graph_of(
        file("app/package.json", '{"dependencies": {"@prisma/client": "1"}}'),
        file("app/main.js", 'require("@prisma/client")'),
        *package("@prisma/client", 'require(".prisma/client")'),
        "app/node_modules/.prisma/client/index.js",
        "app/node_modules/.prisma/client/libquery_engine.so.node",
        "app/node_modules/.cache/x/index.js",
    )
    assert list(graph.packages) == [
        "/app/node_modules/@prisma/client",
        "/app/node_modules/.prisma",
    ]


def test_modules_of_package_managers_load_nothing_of_others() -> None:
    graph = graph_of(
        file("app/main.js", "require('npm')"),
        *package("npm", "require(name); require('a')"),
        *package("a"),
        file("app/other.js", "require('a')"),
    )
    assert list(packages(graph)) == ["npm"]


def test_what_a_package_for_development_needs_comes_with_it() -> None:
    graph = graph_of(
        file("app/package.json", '{"dependencies": {"web": "1"}, "devDependencies": {"f": "1"}}'),
        file("app/main.js", 'require("f")'),
        *package("web"),
        *package("f", "lazy(name => require(name), 'director')", dependencies={"director": "1"}),
        *package("director"),
        *package("typescript"),
    )
    assert list(packages(graph)) == ["f", "director"]


def test_modules_of_a_directory_of_the_application_are_asked_for_surely() -> None:
    graph = graph_of(
        file("app/package.json", '{"dependencies": {"web": "1"}}'),
        file("app/main.js", "import(`./locales/${l}.js`)"),
        file("app/locales/de.js", 'import "./shared.js"'),
        file("app/locales/shared.js", 'import "plural"'),
        *package("web"),
        *package("plural"),
    )
    assert list(packages(graph)) == ["plural"]


def test_a_package_may_have_another_load_its_directory() -> None:
    lazy = "app/node_modules/flat/plugins/cli.js"
    graph = graph_of(
        file("app/main.js", 'require("flat")'),
        *package("flat", 'require("broadway").requireDirLazy(__dirname)'),
        file(lazy, 'require("director")'),
        *package("broadway"),
        *package("director"),
    )
    assert list(packages(graph)) == ["flat", "broadway", "director"]


def test_a_package_that_may_start_package_managers_does_not_reach_them() -> None:
    graph = graph_of(
        file("app/main.js", 'require("a")'),
        *package("a", 'require(process.argv[2]); spawn("npm"); load("b")'),
        *package("npm"),
        *package("b"),
    )
    assert list(packages(graph)) == ["a", "b"]


def test_links_of_dependencies_that_are_kept_stay() -> None:
    graph = graph_of(
        file("app/main.js", 'require("log")'),
        "app/node_modules/log -> .pnpm/log@1/node_modules/log",
        file("app/node_modules/.pnpm/log@1/node_modules/log/index.js", 'require("real")'),
        file(
            "app/node_modules/.pnpm/log@1/node_modules/log/package.json",
            '{"dependencies": {"real": "1", "stream": "1"}}',
        ),
        "app/node_modules/.pnpm/log@1/node_modules/real -> ../../real@1/node_modules/real",
        "app/node_modules/.pnpm/log@1/node_modules/stream -> ../../stream@1/node_modules/stream",
        "app/node_modules/.pnpm/real@1/node_modules/real/index.js",
        file(
            "app/node_modules/.pnpm/real@1/node_modules/real/package.json",
            '{"dependencies": {"log": "1", "gone": "1"}}',
        ),
        "app/node_modules/.pnpm/real@1/node_modules/log -> ../../log@1/node_modules/log",
        "app/node_modules/.pnpm/stream@1/node_modules/stream/index.js",
    )
    found = {path.replace("/app/node_modules/", "") for path in graph.links}
    assert {path for path in found if not path.endswith(".js")} == {
        ".pnpm/log@1/node_modules/real",
        ".pnpm/real@1/node_modules/log",
    }
