"""What command lines of Node and of its package managers start."""

from __future__ import annotations

import pytest

from minify.node import Entry, Task, entry_of, entry_of_options, is_node, task_of
from minify.node.commands import interpreter_in


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("server.js", Entry("server.js")),
        ("server.js -r x", Entry("server.js", operands=("-r", "x"))),
        ("-r dotenv/config .", Entry(".", ("dotenv/config",))),
        ("--import=./a.mjs --require b c.js", Entry("c.js", ("./a.mjs", "b"))),
        ("--max-old-space-size=64 --enable-source-maps a", Entry("a", reads_maps=True)),
        ("--env-file .env a.js", Entry("a.js")),
        ("-C node-x a.js", Entry("a.js", conditions=frozenset(("node-x",)))),
        ("-e 1+1", Entry(text="1+1")),
        ("--run start", Entry(task="start")),
        ("--test", Entry(is_known=False)),
        ("-- -a.js", Entry("-a.js")),
        ("", Entry()),
    ],
)
def test_command_lines_of_node(line: str, entry: Entry) -> None:
    assert entry_of(line.split()) == entry


def test_options_of_the_environment_name_no_script() -> None:
    assert entry_of_options('--require "./my file.js" --inspect') == Entry(
        preloads=("./my file.js",)
    )


@pytest.mark.parametrize(
    ("line", "task"),
    [
        ("npm start", Task("start")),
        ("npm run serve -- --port 1", Task("serve")),
        ("npm --prefix /app run serve", Task("serve", directory="/app")),
        ("npm run", None),
        ("npm ci", None),
        ("npm run x -w api", Task("x", workspaces=("api",))),
        ("npm run x --workspaces", Task("x", workspaces=("*",))),
        ("yarn workspace @a/b start", Task("start", workspaces=("@a/b",))),
        ("pnpm --filter ./apps/api run x", Task("x", workspaces=("./apps/api",))),
        ("pnpm --filter ...api run x", None),
        ("npx next start", Task(command=("next", "start"))),
        ("npx --no-install tsx a.ts", Task(command=("tsx", "a.ts"))),
        ("npx ts-node -r a/register a.ts", Task(command=("ts-node", "-r", "a/register", "a.ts"))),
        ("npx -p typescript --package=x tsc -w", Task(command=("tsc", "-w"))),
        ("npm exec -- serve -p 1", Task(command=("serve", "-p", "1"))),
        ("yarn serve", Task("serve", ("serve",))),
        ("yarn node a.js", Task(command=("node", "a.js"))),
        ("pnpm --dir /app start", Task("start", directory="/app")),
        ("yarn", None),
    ],
)
def test_command_lines_of_package_managers(line: str, task: Task | None) -> None:
    manager, *words = line.split()
    assert task_of(manager, words) == task


def test_names_of_node() -> None:
    names = "node nodejs node20 node-18.2 nodemon /usr/bin/node".split()
    assert [is_node(name) for name in names] == [True, True, True, True, False, True]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("#!/usr/bin/env node\nx", ("node",)),
        ("#!/usr/bin/env -S node --import tsx\n", ("node", "--import", "tsx")),
        ("#!/usr/local/bin/node", ("/usr/local/bin/node",)),
        ("#!/bin/sh\n", ()),
        ("node", ()),
    ],
)
def test_interpreter_lines(line: str, words: tuple[str, ...]) -> None:
    assert interpreter_in(line.encode()) == words
