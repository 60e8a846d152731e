"""What programs of packages go on to run."""

from __future__ import annotations

import shlex

import pytest

from minify.node.runners import Started, started

UNKNOWN = Started(is_known=False)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("cross-env A=1 B=2 node x.js", Started(("node", "x.js"))),
        ("cross-env-shell A=1 'node x.js && y'", Started(texts=("node x.js && y",))),
        ("dotenv -e .env -- node x.js", Started(("node", "x.js"))),
        ("env-cmd -f .env node x.js", Started(("node", "x.js"))),
        ("run-p serve 'work -- --x'", Started(scripts=("serve", "work"))),
        ("run-s 'build:*' -- --x", Started(scripts=("build:*",))),
        ("run-s '!(a)'", Started(scripts=("!(a)",), is_known=False)),
        (
            "concurrently -n a,b 'node a.js' npm:b",
            Started(texts=("node a.js",), scripts=("b",)),
        ),
        ("nodemon -w src -r dotenv/config x.js", Started(node=("-r", "dotenv/config", "x.js"))),
        ("nodemon", Started(node=(".",))),
        ("nodemon x.ts", UNKNOWN),
        ("nodemon --exec 'node -r a' x.js", Started(texts=("node -r a x.js",))),
        ("pm2-runtime start ecosystem.config.js --env a", Started(settings="ecosystem.config.js")),
        ("pm2-runtime -i max x.js -- y", Started(node=("x.js", "y"))),
        ("pm2 start npm -- start", Started(("npm", "start"))),
        ("pm2 start x.py", Started(("x.py",))),
        ("pm2 start x.js --interpreter bun", UNKNOWN),
        ("tsx src/a.ts --b", Started(node=("--import", "tsx", "src/a.ts", "--b"))),
        (
            "tsx watch --tsconfig x.json --env-file .env a.ts",
            Started(node=("--import", "tsx", "--env-file", ".env", "a.ts")),
        ),
        ("ts-node -P x.json a.ts", Started(node=("-r", "ts-node/register", "a.ts"))),
        (
            "ts-node -T -r tsconfig-paths/register a.ts",
            Started(
                node=(
                    "-r",
                    "ts-node/register/transpile-only",
                    "-r",
                    "tsconfig-paths/register",
                    "a.ts",
                )
            ),
        ),
        ("ts-node --esm a.ts", Started(node=("--import", "ts-node/esm", "a.ts"))),
        (
            "ts-node-transpile-only a.ts",
            Started(node=("-r", "ts-node/register/transpile-only", "a.ts")),
        ),
        ("ts-node -e 1", UNKNOWN),
        ("serve x", None),
    ],
)
def test_what_is_run(line: str, found: Started | None) -> None:
    name, *words = shlex.split(line)
    assert started(name, words) == found
