"""What stays of Node's packages: images of a few files, with a real ELF file as interpreter."""

from __future__ import annotations

import pytest
from closure.kit import gaps, planned, why
from filetree.kit import Member, file

from analyzers.kit import calling, libc
from minify.closure import Level
from minify.image.jsontext import Json
from minify.pipeline import Options
from minify.planning import Plan

MODULES = "app/node_modules"
NODE: tuple[Member | str, ...] = (
    calling("main", name="usr/bin/node"),
    *libc(),
    calling("main", name="bin/sh"),
    file("app/package.json", '{"dependencies": {"web": "1"}, "scripts": {"start": "serve x.js"}}'),
    file(f"{MODULES}/web/package.json", '{"version": "1.2.3"}'),
    file(f"{MODULES}/web/index.js", 'require("./used"); require("deep")'),
    f"{MODULES}/web/used.js",
    f"{MODULES}/web/unused.js",
    f"{MODULES}/web/page.html",
    f"{MODULES}/web/node_modules/deep/index.js",
    f"{MODULES}/web/node_modules/lost/index.js",
    f"{MODULES}/dev/index.js",
    f"{MODULES}/.package-lock.json",
    f"{MODULES}/.bin/serve -> ../serve/cli.js",
    file(f"{MODULES}/serve/cli.js", "#!/usr/bin/env node\n", mode=0o755),
    "usr/share/nodejs/system/index.js",
    "usr/share/nodejs/spare/index.js",
)
MAIN = file("app/main.js", 'require("web");\nrequire("system")')
CONFIG: dict[str, Json] = {"Env": ["PATH=/usr/bin:/bin"], "WorkingDir": "/app"}
NPM: tuple[Member | str, ...] = (
    "usr/bin/npm -> ../lib/node_modules/npm/cli.js",
    file("usr/lib/node_modules/npm/cli.js", "#!/usr/bin/node\nrequire('ini')", mode=0o755),
    "usr/lib/node_modules/npm/node_modules/ini/index.js",
    "usr/lib/node_modules/npm/node_modules/tar/index.js",
    calling("main", name="usr/bin/env"),
)


def plan_of(
    command: list[str],
    *members: Member | str,
    level: Level = Level.BALANCED,
    env: tuple[str, ...] = (),
) -> Plan:
    config = {**CONFIG, "Env": ["PATH=/usr/bin:/bin", *env], "Cmd": [*command]}
    return planned(config, (*NODE, *members), options=Options(level=level))


def packages(plan: Plan) -> set[str]:
    """The files that are kept of packages."""
    shown = {f"/{MODULES}/": "", "/usr/share/nodejs/": "system:", "/usr/lib/node_modules/": "lib:"}
    return {
        next(path.replace(k, v) for k, v in shown.items() if path.startswith(k))
        for path in plan.keep.kept
        if path.startswith(tuple(shown))
        and not any(other.startswith(f"{path}/") for other in plan.keep.kept)
    }


def spared(plan: Plan) -> list[str]:
    """What is said of packages that all stay."""
    return [one for one in plan.warnings if one.startswith("all of Node's")]


TIGHT = {
    "web/package.json",
    "web/index.js",
    "web/used.js",
    "web/page.html",
    "web/node_modules/deep/index.js",
    "system:system/index.js",
}
BALANCED = TIGHT | {"web/unused.js"}


def test_balanced_keeps_whole_packages_that_are_asked_for() -> None:
    assert packages(plan_of(["node", "main.js"], MAIN)) == BALANCED


def test_tight_keeps_the_modules_that_are_asked_for_and_the_data() -> None:
    assert packages(plan_of(["node", "main.js"], MAIN, level=Level.TIGHT)) == TIGHT


def test_safe_keeps_everything() -> None:
    kept = packages(plan_of(["node", "main.js"], MAIN, level=Level.SAFE))
    assert {"dev/index.js", "web/node_modules/lost/index.js", "system:spare/index.js"} <= kept


def test_why_is_the_chain_of_requests() -> None:
    plan = plan_of(["node", "main.js"], MAIN)
    assert why(plan, f"/{MODULES}/web/page.html") == [
        f"/{MODULES}/web/page.html: node.package",
        f"/{MODULES}/web: node.package",
        "/app/main.js: config.operand",
    ]


@pytest.mark.parametrize("command", ["node -r ./main.js x.js", "node --import ./main.js -e 1"])
def test_preloads_are_entries(command: str) -> None:
    assert packages(plan_of(command.split(), MAIN, "app/x.js")) == BALANCED


def test_options_of_the_environment_are_entries() -> None:
    plan = plan_of(["node", "x.js"], MAIN, "app/x.js", env=("NODE_OPTIONS=-r ./main.js",))
    assert packages(plan) == BALANCED


def test_texts_of_eval_are_followed() -> None:
    assert packages(plan_of(["node", "-e", "require('./main')"], MAIN)) == BALANCED


def test_shell_scripts_are_followed() -> None:
    script = file("app/run.sh", '#!/bin/sh\nset -e\nexec node main.js "$@"\n', mode=0o755)
    assert packages(plan_of(["/app/run.sh"], MAIN, script)) == BALANCED


def test_package_managers_start_what_package_json_says() -> None:
    plan = plan_of(["npm", "start"], *NPM, file("app/x.js", 'require("dev")'))
    assert packages(plan) == {
        ".bin/serve",
        ".package-lock.json",
        "serve/cli.js",
        "dev/index.js",
        "lib:npm/cli.js",
        "lib:npm/node_modules/ini/index.js",
        "lib:npm/node_modules/tar/index.js",
        "system:spare/index.js",
        "system:system/index.js",
    }
    assert "/bin/sh" in plan.keep.kept


@pytest.mark.parametrize(
    "condition",
    [
        '[ "${1#-}" != "$1" ] || [ -z "$(command -v "$1")" ] || { [ -f "$1" ] && ! [ -x "$1" ]; }',
        '! command -v "$1" >/dev/null',
    ],
)
@pytest.mark.parametrize("command", ["node main.js", "main.js", "npm run main"])
def test_entrypoints_put_node_before_what_is_no_program(command: str, condition: str) -> None:
    text = f'#!/bin/sh\nset -e\nif {condition}; then set -- node "$@"; fi\nexec "$@"\n'
    script = file("usr/bin/entrypoint.sh", text, mode=0o755)
    manifest = file("app/package.json", '{"scripts": {"main": "node main.js"}}')
    plan = plan_of(["entrypoint.sh", *command.split()], MAIN, script, *NPM, manifest)
    found = packages(plan)
    assert found >= BALANCED
    assert "dev/index.js" not in found
    assert spared(plan) == []


MONOREPO: tuple[Member | str, ...] = (
    file(
        "app/package.json",
        '{"workspaces": ["apps/*"], "scripts": {"start": "run-p serve",'
        ' "dev": "pm2-runtime e.json", "serve": "npm run serve -w apps/api",'
        ' "all": "npm run serve -ws"}}',
    ),
    file(
        "app/apps/api/package.json", '{"name": "api", "scripts": {"serve": "node ../../main.js"}}'
    ),
    file("app/apps/b/package.json", '{"name": "b", "scripts": {"serve": "node x.js"}}'),
    "app/apps/b/x.js",
    f"{MODULES}/.bin/run-p -> ../run/cli.js",
    file(f"{MODULES}/run/cli.js", "#!/usr/bin/env node\n", mode=0o755),
    f"{MODULES}/.bin/pm2 -> ../pm2/cli.js",
    file(f"{MODULES}/pm2/cli.js", "#!/usr/bin/env node\n", mode=0o755),
    f"{MODULES}/.bin/pm2-runtime -> ../pm2/cli.js",
    file("app/e.json", '{"apps": [{"name": "a", "script": "./main.js", "args": "x"}]}'),
)


@pytest.mark.parametrize(
    "command", ["npm start", "npm run serve -w api", "npm run all", "npm run dev"]
)
def test_what_package_managers_run_elsewhere_is_followed(command: str) -> None:
    plan = plan_of(command.split(), *NPM, MAIN, *MONOREPO)
    assert packages(plan) >= BALANCED
    assert "dev/index.js" not in packages(plan)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("node /mounted/main.js", "/mounted/main.js, which is not in the image"),
        ("npm run gone", "/app/package.json has no script gone"),
        ("npm run start -w gone", "/app has no workspace gone"),
        ("npm install", "has npm run what nobody sees: npm install"),
        ("node --test", "starts Node for what only a run knows: node --test"),
        ("node -r gone main.js", "gone, which Node shall load before all"),
        ("npm exec other", "runs other, which is not installed"),
    ],
)
def test_what_is_not_all_known_keeps_everything(command: str, said: str) -> None:
    plan = plan_of(command.split(), *NPM, MAIN)
    assert "dev/index.js" in packages(plan)
    (sentence,) = spared(plan)
    assert said in sentence


@pytest.mark.parametrize(
    "script", ["node main.js\nnode $SCRIPT", "node main.js\nnode /mounted/x.js"]
)
def test_scripts_that_start_what_nobody_sees_keep_everything(script: str) -> None:
    run = file("app/run.sh", f"#!/bin/sh\n{script}\n", mode=0o755)
    assert "dev/index.js" in packages(plan_of(["/app/run.sh"], run, MAIN))


def test_a_tool_that_loads_what_configuration_names_keeps_everything() -> None:
    tool = file(f"{MODULES}/@babel/register/index.js", "")
    plan = plan_of(["node", "-r", "@babel/register", "main.js"], MAIN, tool)
    assert "dev/index.js" in packages(plan)


TYPED: tuple[Member | str, ...] = (
    file("app/main.ts", 'import web from "web";\nimport "#lib/system.js"'),
    file("app/lib/system.ts", 'import "system"'),
    file(
        "app/package.json",
        '{"dependencies": {"web": "1"}, "imports": {"#lib/*": "./lib/*"},'
        ' "scripts": {"start": "tsx main.ts", "checked": "ts-node main.ts",'
        ' "quick": "ts-node --transpile-only main"}}',
    ),
    f"{MODULES}/.bin/tsx -> ../tsx/index.js",
    file(f"{MODULES}/tsx/index.js", "#!/usr/bin/env node\n", mode=0o755),
    f"{MODULES}/.bin/ts-node -> ../ts-node/bin.js",
    file(f"{MODULES}/ts-node/bin.js", "#!/usr/bin/env node\n", mode=0o755),
    f"{MODULES}/ts-node/register/index.js",
    f"{MODULES}/ts-node/register/transpile-only.js",
)


@pytest.mark.parametrize(
    ("command", "also"),
    [
        ("node main.ts", ()),
        ("node --import tsx main.ts", ("tsx",)),
        ("node_modules/.bin/tsx watch main", ("tsx",)),
        ("npm start", ("tsx",)),
        ("npm run quick", ("ts-node",)),
        ("node -r ts-node/register/transpile-only main.ts", ("ts-node",)),
    ],
)
def test_sources_in_typescript_are_followed(command: str, also: tuple[str, ...]) -> None:
    plan = plan_of(command.split(), *TYPED, *NPM)
    found = {path for path in packages(plan) if not path.startswith((".", "lib:", "system:spare"))}
    assert {path for path in found if not path.startswith(("tsx", "ts-node"))} == BALANCED
    assert {path.partition("/")[0] for path in found - BALANCED} == {*also}
    assert spared(plan) == []


@pytest.mark.parametrize(
    ("env", "is_checked"), [((), True), (("TS_NODE_TRANSPILE_ONLY=true",), False)]
)
@pytest.mark.parametrize("command", ["npm run checked", "node -r ts-node/register main.ts"])
def test_what_checks_types_keeps_everything(
    command: str, env: tuple[str, ...], *, is_checked: bool
) -> None:
    plan = plan_of(command.split(), *TYPED, *NPM, env=env)
    assert ("dev/index.js" in packages(plan)) == is_checked
    assert len(spared(plan)) == is_checked
    assert all("ts-node check types" in sentence for sentence in spared(plan))


def test_configuration_names_packages_of_production() -> None:
    config = file("app/config/default.json", '{"plugin": "web", "style": "dev"}')
    plan = plan_of(["node", "x.js"], "app/x.js", config)
    assert packages(plan) == BALANCED - {"system:system/index.js"}


def test_what_only_a_run_knows_keeps_what_production_has() -> None:
    main = file("app/main.js", "\nrequire(process.argv[2])")
    plan = plan_of(["node", "main.js"], main)
    lost = {"web/node_modules/lost/index.js"}
    assert packages(plan) == (BALANCED | lost) - {"system:system/index.js"}
    assert not any("main.js" in gap for gap in gaps(plan))
    tight = plan_of(["node", "main.js"], main, level=Level.TIGHT)
    detail = "/app/main.js loads a module that only a run knows (line 2)"
    assert f"/app/main.js: {detail}" in gaps(tight)


def test_what_compilers_left_goes() -> None:
    addon = f"{MODULES}/web"
    plan = plan_of(
        ["node", "main.js"],
        MAIN,
        f"{addon}/binding.gyp",
        f"{addon}/deps/sqlite3.c",
        f"{addon}/build/Release/addon.node",
        f"{addon}/build/Release/obj.target/addon.node",
    )
    assert packages(plan) == BALANCED | {"web/build/Release/addon.node"}


def test_linked_packages_are_kept_with_their_links() -> None:
    plan = plan_of(
        ["node", "x.js"],
        file("app/x.js", 'require("@org/shared"); require("a")'),
        f"{MODULES}/@org/shared -> ../../packages/shared",
        file("app/packages/shared/index.js", 'require("web")'),
        f"{MODULES}/a -> .pnpm/a@1/node_modules/a",
        f"{MODULES}/.pnpm/a@1/node_modules/a/index.js",
        f"{MODULES}/.pnpm/b@1/node_modules/b/index.js",
    )
    assert packages(plan) == {
        *(BALANCED - {"system:system/index.js"}),
        "@org/shared",
        "a",
        ".pnpm/a@1/node_modules/a/index.js",
    }


def test_addons_of_the_distribution_are_followed() -> None:
    place = "usr/lib/x86_64-linux-gnu/nodejs/addon"
    addon = file(f"{place}/index.js", 'require("spare")')
    plan = plan_of(["node", "x.js"], file("app/x.js", 'require("addon")'), addon)
    assert "system:spare/index.js" in packages(plan)


def test_version_control_data_beside_the_modules_goes() -> None:
    plan = plan_of(["node", "main.js"], MAIN, "app/.git/HEAD")
    assert "/app/.git/HEAD" not in plan.keep.kept


def test_archives_of_packages_are_left_alone() -> None:
    assert "dev/index.js" in packages(plan_of(["node", "main.js"], MAIN, "app/.pnp.cjs"))


def test_where_pm2_writes_is_asked_for() -> None:
    members = (*MONOREPO, "tmp/x")
    (gap,) = (
        gap for gap in gaps(plan_of(["npm", "run", "dev"], *NPM, MAIN, *members)) if "pm2" in gap
    )
    assert gap == "/app/package.json: pm2 writes below its HOME, and only root's is known"
    plan = plan_of(["npm", "run", "dev"], *NPM, MAIN, *members, env=("PM2_HOME=/srv/pm2",))
    assert not any("HOME" in gap for gap in gaps(plan))


SHOP: tuple[Member | str, ...] = (
    file("app/package.json", '{"workspaces": ["apps/*", "packages/*"]}'),
    file("app/apps/api/package.json", '{"name": "api", "dependencies": {"shared": "*"}}'),
    "app/apps/admin/index.js",
    file("app/apps/admin/package.json", '{"name": "@x/admin"}'),
    file("app/packages/lib/package.json", '{"name": "shared"}'),
    f"{MODULES}/@x/admin -> ../../apps/admin",
)


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("", False),
        ("x = 'admin.html'", False),
        ("x = '../admin/dist'", True),
        ("fs.readdirSync('apps')", True),
        ("require('@x/admin')", True),
        ("require(process.argv[2])", True),
    ],
)
def test_workspaces_that_nothing_has_to_do_with_go(text: str, *, stays: bool) -> None:
    plan = plan_of(["node", "apps/api/x.js"], *SHOP, file("app/apps/api/x.js", text))
    assert ("/app/apps/admin/index.js" in plan.keep.kept) == stays
    assert "/app/packages/lib/package.json" in plan.keep.kept


def test_what_an_installation_writes_down_names_nothing() -> None:
    lock = file("srv/shop/package-lock.json", '{"node_modules/dev": {}}')
    members = ("srv/shop/x.js", "srv/shop/node_modules/dev/index.js", lock)
    plan = plan_of(["node", "/srv/shop/x.js"], *members)
    assert "/srv/shop/node_modules/dev/index.js" not in plan.keep.kept


def test_bun_beside_node_is_told() -> None:
    bun = calling("main", name="usr/bin/bun")
    plan = plan_of(["sh", "-c", "node main.js; bun x.js"], MAIN, bun, "app/x.js")
    (sentence,) = spared(plan)
    assert "/usr/bin/bun runs JavaScript too" in sentence
    assert "dev/index.js" in packages(plan)


SCRIPT: tuple[Member | str, ...] = (
    file(f"{MODULES}/web/test/run.sh", "#!/bin/bash\ngrep x\n", mode=0o755),
    calling("main", name="bin/bash"),
    calling("main", name="usr/bin/grep"),
)


def test_a_script_of_a_package_brings_its_commands_where_something_names_it() -> None:
    unnamed = plan_of(["node", "main.js"], MAIN, *SCRIPT)
    assert {"/bin/bash", "/usr/bin/grep"} & unnamed.keep.kept.keys() == set()
    named = file(f"{MODULES}/web/used.js", 'run(join(root, "test/run.sh"))')
    plan = plan_of(["node", "main.js"], MAIN, named, *SCRIPT)
    assert {"/bin/bash", "/usr/bin/grep"} <= plan.keep.kept.keys()


def test_what_nobody_reads_of_a_package_is_told_with_its_reason() -> None:
    files = ("README.md", "used.js.map", "test/x.js", "LICENSE.md")
    members = [file(f"{MODULES}/web/{name}", "") for name in files]
    unread = plan_of(["node", "main.js"], MAIN, *members).keep.unread
    assert {path: why.detail for path, why in unread.items()} == {
        f"/{MODULES}/web/README.md": "documentation",
        f"/{MODULES}/web/used.js.map": "a source map",
        f"/{MODULES}/web/test/x.js": "in test, of which nothing is reached",
    }
    assert plan_of(["node", "main.js"], MAIN, *members, level=Level.SAFE).keep.unread == {}


@pytest.mark.parametrize(
    "start",
    [
        ("node", "--enable-source-maps", "main.js"),
        ("env", "NODE_OPTIONS=--enable-source-maps", "node", "main.js"),
        ("npm", "start"),
    ],
)
def test_source_maps_stay_where_they_are_asked_for(start: tuple[str, ...]) -> None:
    manifest = '{"scripts": {"start": "NODE_OPTIONS=--enable-source-maps node main.js"}}'
    plan = plan_of(
        list(start), MAIN, *NPM, file("app/package.json", manifest), f"{MODULES}/web/used.js.map"
    )
    assert f"/{MODULES}/web/used.js.map" in plan.keep.kept


def test_package_managers_keep_what_they_load() -> None:
    members = [
        file(f"usr/lib/node_modules/npm/{name}", "")
        for name in ("docs/x.html", "man/man1/npm.1", "lib/x.js", "node_modules/ini/README.md")
    ]
    manifest = file("app/package.json", '{"scripts": {"start": "node main.js"}}')
    plan = plan_of(["npm", "start"], MAIN, *NPM, *members, manifest)
    assert {one for one in packages(plan) if one.startswith("lib:")} == {
        "lib:npm/cli.js",
        "lib:npm/lib/x.js",
        "lib:npm/node_modules/ini/index.js",
        "lib:npm/node_modules/tar/index.js",
    }


COREPACK: tuple[Member | str, ...] = (
    "usr/bin/yarn -> ../lib/node_modules/corepack/dist/yarn.js",
    "usr/bin/corepack -> ../lib/node_modules/corepack/dist/corepack.js",
    file("usr/lib/node_modules/corepack/dist/yarn.js", "#!/usr/bin/env node\n", mode=0o755),
    file("usr/lib/node_modules/corepack/dist/corepack.js", "#!/usr/bin/env node\n", mode=0o755),
    file("usr/lib/node_modules/corepack/package.json", '{"name": "corepack"}'),
    file("app/package.json", '{"scripts": {"start": "node main.js"}}'),
    calling("main", name="usr/bin/env"),
)


@pytest.mark.parametrize("command", ["yarn start", "corepack yarn@4.1.0 start"])
@pytest.mark.parametrize(
    ("place", "env", "is_gap"),
    [
        ("opt/corepack", ("COREPACK_HOME=/opt/corepack",), False),
        ("home/node/.cache/node/corepack", (), False),
        ("root/.cache/node/corepack", (), True),
    ],
)
def test_what_corepack_has_fetched_stays(
    command: str, place: str, env: tuple[str, ...], *, is_gap: bool
) -> None:
    path = f"{place}/v1/yarn/4.1.0/yarn.js"
    plan = plan_of(command.split(), *COREPACK, MAIN, path, env=env)
    assert f"/{path}" in plan.keep.kept
    assert packages(plan) >= BALANCED
    assert "dev/index.js" not in packages(plan)
    assert any("only root has it" in gap for gap in gaps(plan)) == is_gap
