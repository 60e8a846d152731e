"""What stays of a package that is kept whole, as one set of paths in it."""

from __future__ import annotations

import pytest
from analyzers.kit import compiled
from filetree.kit import Member, file, tree_of

from minify.elf.reader import read_elf
from minify.filetree import ImagePath
from minify.image.blob import BytesBlob
from minify.node import Graph, Machine, Origin, Resolver
from minify.node.members import Members
from minify.node.texts import Texts

GLIBC = Machine("x64", "glibc")
PACKAGE = "app/node_modules/a"
CODE = {"index.js", "lib/unused.js", "package.json"}
FILES = {
    "index.js.map",
    "index.d.ts",
    "src/index.ts",
    "README.md",
    "docs/use.md",
    "examples/one.js",
    "test/one.js",
    ".eslintrc.json",
    "src/a.c",
    "gen.py",
    "run.exe",
}
LICENCES = {"LICENSE.md", "LICENSE", "notice.md"}


def stays(
    index: str = "",
    main: str = 'require("a")',
    *others: Member | str,
    programs: tuple[str, ...] = (),
    machine: Machine = GLIBC,
    only_reached: bool = False,
) -> set[str]:
    """The files of package `a`, whose main module is `index`, that stay beside its code."""
    files = (f"{PACKAGE}/{name}" for name in ("lib/unused.js", *FILES, *LICENCES))
    package = (file(f"{PACKAGE}/package.json", '{"name": "a"}'), file(f"{PACKAGE}/index.js", index))
    tree = tree_of((*files, *package, *others, file("app/main.js", main)))
    graph = Graph(tree, Resolver(tree), machine, (ImagePath("/app"),))
    assert graph.name("/app/main.js", "/app", Origin("", "CMD"))
    graph.follow()
    members = Members(tree, graph, Texts(graph), programs, only_reached=only_reached)
    paths = (entry.path for entry in tree.below(ImagePath(f"/{PACKAGE}")))
    start = len(f"/{PACKAGE}/")
    return {
        path[start:]
        for path in paths
        if tree.file(path) is not None and path[start:] not in CODE and not members.unread(path)
    }


def test_what_nobody_reads_goes_and_licences_stay() -> None:
    assert stays() == LICENCES
    assert stays(only_reached=True) == LICENCES


@pytest.mark.parametrize(
    ("index", "also"),
    [
        ("process.setSourceMapsEnabled(true)", {"index.js.map"}),
        ('spawn(node, ["--enable-source-maps"])', {"index.js.map"}),
        ('ts.createProgram(["x"])', {"index.d.ts", "src/index.ts"}),
        ('read(join(__dirname, "README.md"))', {"README.md"}),
        ("read(`${name}.md`)", {"README.md"}),
        ('list("*.md")', {"README.md"}),
        ('read("./docs/" + name)', {"docs/use.md"}),
        ('readdir(join(__dirname, "examples"))', {"examples/one.js"}),
        ('env === "test"', set()),
        ('read("../test/one.js")', {"test/one.js"}),
        ('require("./test/one")', {"test/one.js"}),
        ('require("./src/a.c")', {"src/a.c"}),
    ],
)
def test_what_the_package_itself_names_stays(index: str, also: set[str]) -> None:
    assert stays(index) == LICENCES | also


@pytest.mark.parametrize(
    "main",
    [
        'serve("node_modules/a"); require("a")',
        'serve(join(root, "node_modules")); require("a")',
        'dirname(require.resolve("a/package.json")); require("a")',
    ],
)
def test_what_the_application_may_serve_stays(main: str) -> None:
    assert stays("", main) == LICENCES | FILES


def test_a_file_that_the_application_names_stays() -> None:
    assert stays("", 'require("a"); open("gen.py")') == LICENCES | {"gen.py"}


@pytest.mark.parametrize(
    ("program", "also"),
    [("gcc-12", {"src/a.c"}), ("python3", {"gen.py"}), ("mono-sgen", {"run.exe"})],
)
def test_programs_that_stay_keep_what_they_read(program: str, also: set[str]) -> None:
    assert stays(programs=(program,)) == LICENCES | also


def test_a_program_of_linux_stays_whatever_it_is_called() -> None:
    bun = file(f"{PACKAGE}/bin/bun.exe", "\x7fELF", mode=0o755)
    assert stays("", 'require("a")', bun) == LICENCES | {"bin/bun.exe"}


def test_a_package_that_reads_maps_keeps_those_of_all() -> None:
    reader = file("app/node_modules/source-map-support/index.js", "")
    main = 'require("a"); require("source-map-support")'
    assert stays("", main, reader) == LICENCES | {"index.js.map"}


def test_maps_of_modules_that_nothing_reaches_go_though_others_are_read() -> None:
    maps = (f"{PACKAGE}/lib/unused.js.map", f"{PACKAGE}/lib/one.js.map", f"{PACKAGE}/lib/one.js")
    index = 'process.setSourceMapsEnabled(true); require("./lib/one")'
    assert stays(index, 'require("a")', *maps) == LICENCES | {
        "index.js.map",
        "lib/one.js",
        "lib/one.js.map",
    }


def test_libraries_that_cannot_be_loaded_go() -> None:
    here = compiled("int f(void){return 1;}", "-shared", "-fPIC")
    # e_machine of another processor
    elsewhere = here[:18] + b"\xb7\x00" + here[20:]
    place = f"{PACKAGE}/prebuilds"
    libraries = (
        file(f"{place}/linux-x64/a.node", here),
        file(f"{place}/linux-arm64/a.node", elsewhere),
        file(f"{place}/darwin-x64/a.node", b"\xcf\xfa\xed\xfe0123"),
        file(f"{place}/win32-x64/a.node", b"MZ0123"),
        file(f"{place}/x.node", b"no library"),
    )
    machine = Machine("x64", "glibc", read_elf(BytesBlob(here).open(), len(here)))
    # Any of them may be asked for by its path, as node-gyp-build does.
    index = "require(root + name)"
    prebuilt = {"prebuilds/linux-x64/a.node", "prebuilds/x.node"}
    also = {"examples/one.js", ".eslintrc.json"}
    found = stays(index, 'require("a")', *libraries, machine=machine)
    assert found == LICENCES | prebuilt | also
