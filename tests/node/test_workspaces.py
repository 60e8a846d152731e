"""The packages of its own that an application declares."""

from __future__ import annotations

import pytest
from filetree.kit import Member, file, tree_of

from minify.filetree import ImagePath
from minify.node import Resolver
from minify.node.workspaces import selected, workspaces

PACKAGES = tuple(
    file(f"app/{path}/package.json", f'{{"name": "@x/{path.rpartition("/")[2]}"}}')
    for path in ("apps/api", "apps/old/deep", "packages/a", "node_modules/b", "tools")
)


@pytest.mark.parametrize(
    ("declaration", "found"),
    [
        (file("app/package.json", '{"workspaces": ["./apps/*/", "packages/*"]}'), "api a"),
        (file("app/package.json", '{"workspaces": {"packages": ["apps/**"]}}'), "api deep"),
        (file("app/package.json", '{"workspaces": ["tools", "!apps/*", 1]}'), "tools"),
        (file("app/package.json", '{"workspaces": ["*****"]}'), ""),
        (file("app/package.json", "{}"), ""),
        (file("app/pnpm-workspace.yaml", 'packages:\n  - "apps/*"  # x\nx:\n  - tools\n'), "api"),
    ],
)
def test_declared_workspaces(declaration: Member, found: str) -> None:
    tree = tree_of((declaration, *PACKAGES))
    among = workspaces(ImagePath("/app"), tree, Resolver(tree))
    assert [one.manifest.name.removeprefix("@x/") for one in among] == found.split()


def test_one_is_selected_by_its_name_or_path() -> None:
    tree = tree_of((file("app/package.json", '{"workspaces": ["apps/*"]}'), *PACKAGES))
    among = workspaces(ImagePath("/app"), tree, Resolver(tree))
    assert selected("@x/api", among) == selected("./apps/api", among) == among[0]
    assert selected("api", among) is None
