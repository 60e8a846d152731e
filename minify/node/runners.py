"""What programs that are installed as packages go on to run: other scripts, commands, Node itself.

https://www.npmjs.com/package/cross-env, …/dotenv-cli, …/env-cmd, …/npm-run-all, …/concurrently,
…/nodemon, …/tsx, …/ts-node; https://pm2.keymetrics.io/docs/usage/application-declaration/
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*+=.*", re.DOTALL)
_SETTINGS = (".json", ".yml", ".yaml", ".config.js", ".config.cjs", ".config.mjs")
_SOURCES = (".ts", ".mts", ".cts", ".tsx", ".coffee")
_MOST_WORDS = 1 << 10
_NODES_VALUES = frozenset("-r --require --import --loader --env-file --conditions -C".split())


@dataclass(frozen=True, slots=True)
class Started:
    """What one of them runs."""

    command: tuple[str, ...] = ()
    """Words of a command line."""
    texts: tuple[str, ...] = ()
    """Texts that a shell runs."""
    scripts: tuple[str, ...] = ()
    """Names of scripts of package.json; `*` stands for a part of a name without colons."""
    node: tuple[str, ...] = ()
    """Words for Node."""
    settings: str = ""
    """A file that says what is run."""
    is_known: bool = True


def started(name: str, words: Sequence[str]) -> Started | None:
    """What the program `name`, called with `words`, runs; None if it is none of them."""
    reader = _READERS.get(name)
    return reader(tuple(words[:_MOST_WORDS])) if reader is not None else None


def _operands(words: Sequence[str], with_value: frozenset[str]) -> list[str]:
    """What follows the options; it keeps its own."""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        if option in with_value and rest:
            rest.pop(0)
    return rest


def _command_after(with_value: str = "", *, assigns: bool = False) -> _Reader:
    options = frozenset(with_value.split())

    def read(words: Sequence[str]) -> Started:
        rest = _operands(words, options)
        while assigns and rest and _ASSIGNMENT.fullmatch(rest[0]):
            rest.pop(0)
        return Started(command=tuple(rest[1:] if rest[:1] == ["--"] else rest))

    return read


def _cross_env_shell(words: Sequence[str]) -> Started:
    command = _command_after(assigns=True)(words).command
    return Started(texts=(" ".join(command),))


_RUN_ALL_VALUES = frozenset("--max-parallel --npm-path".split())


def _run_all(words: Sequence[str]) -> Started:
    scripts: list[str] = []
    rest = list(words)
    while rest and rest[0] != "--":
        word = rest.pop(0)
        if word in _RUN_ALL_VALUES and rest:
            rest.pop(0)
        elif not word.startswith("-"):
            scripts.append(word.partition(" ")[0])
    is_known = not any(sign in one for one in scripts for sign in ("{", "!", "("))
    return Started(scripts=tuple(scripts), is_known=is_known)


_CONCURRENTLY_VALUES = frozenset(
    """
    -n --names -c --prefix-colors -p --prefix -l --prefix-length -t --timestamp-format -m
    --max-processes -s --success --restart-tries --restart-after --hide --kill-signal
    --name-separator --default-input-target --handle-input-target --kill-timeout --teardown
    """.split()
)
_SHORTHAND = re.compile(r"(?:npm|yarn|pnpm|bun|node):(\S+).*", re.DOTALL)


def _concurrently(words: Sequence[str]) -> Started:
    rest, texts, scripts = list(words), [], []
    while rest:
        word = rest.pop(0)
        if word == "--teardown":
            texts += rest[:1]
        if word in _CONCURRENTLY_VALUES and rest:
            rest.pop(0)
        elif found := _SHORTHAND.fullmatch(word):
            scripts.append(found[1])
        elif not word.startswith("-"):
            texts.append(word)
    return Started(texts=tuple(texts), scripts=tuple(scripts))


_NODEMON_VALUES = frozenset("-w --watch -e --ext -d --delay --signal -s -i --ignore".split())


def _nodemon(words: Sequence[str]) -> Started:
    rest = list(words)
    node: list[str] = []
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in ("-x", "--exec"):
            return Started(texts=(" ".join(rest),))
        if option in ("--config", "--cwd"):
            return Started(is_known=False)
        if option in _NODEMON_VALUES and rest:
            rest.pop(0)
        elif option in ("-r", "--require", "--import") and rest:
            node += [option, rest.pop(0)]
    if rest and rest[0].endswith(_SOURCES):
        return Started(is_known=False)  # by another program that it chooses
    return Started(node=(*node, *(rest or (".",))))


_TSX_VALUES = frozenset("--tsconfig --include --exclude".split())
_TSX_FLAGS = frozenset("--no-cache --clear-screen --no-clear-screen".split())


def _tsx(words: Sequence[str]) -> Started:
    node, rest = ["--import", "tsx"], list(words)
    while rest and (rest[0].startswith("-") or rest[0] == "watch"):
        word = rest.pop(0)
        if word in _TSX_VALUES:
            rest = rest[1:]
        elif word not in _TSX_FLAGS and word != "watch":
            node.append(word)
            if word in _NODES_VALUES and rest:
                node.append(rest.pop(0))
    return Started(node=(*node, *rest))


_TS_NODE_VALUES = frozenset(
    """
    -P --project -C --compiler -I --ignore -O --compilerOptions --compiler-options -D
    --ignoreDiagnostics --ignore-diagnostics --cwd --scope-dir --transpiler
    --experimentalSpecifierResolution --experimental-specifier-resolution
    """.split()
)
_TRANSPILES = frozenset("-T --transpileOnly --transpile-only --swc --transpiler".split())
_TS_NODE_TEXTS = frozenset("-e --eval -p --print -pe".split())


def _ts_node(words: Sequence[str], *, transpiles: bool, module: str) -> Started:
    node: list[str] = []
    rest = list(words)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0).partition("=")[0]
        transpiles |= option in _TRANSPILES
        module = "esm" if option == "--esm" else module
        if option in _TS_NODE_TEXTS:
            return Started(is_known=False)
        value = rest.pop(0) if option in _TS_NODE_VALUES | {"-r", "--require"} and rest else ""
        if option in ("-r", "--require"):
            node += ["-r", value]
    preload = f"ts-node/{module}/transpile-only" if transpiles else f"ts-node/{module}"
    return Started(node=("--import" if module == "esm" else "-r", preload, *node, *rest))


def _ts_node_with(*, transpiles: bool = False, module: str = "register") -> _Reader:
    def read(words: Sequence[str]) -> Started:
        return _ts_node(words, transpiles=transpiles, module=module)

    return read


_PM2_VALUES = frozenset(
    """
    -i --instances -n --name -l --log -o --output -e --error -p --pid -k --kill-timeout
    --log-date-format --max-memory-restart --max-restarts --restart-delay --env --cron --format
    --secret --public --machine-name --listen-timeout --exp-backoff-restart-delay --only --user -u
    --uid --gid --namespace --ignore-watch --node-args --cwd --interpreter
    """.split()
)
_PM2_STARTS = frozenset("start restart reload startOrRestart startOrReload".split())


def _pm2(words: Sequence[str]) -> Started:
    rest, operands = list(words), []
    node: list[str] = []
    while rest and rest[0] != "--":
        word = rest.pop(0)
        option, has_value, value = word.partition("=")
        if option in _PM2_VALUES and not has_value and rest:
            value = rest.pop(0)
        if option == "--cwd" or (option == "--interpreter" and value != "node"):
            return Started(is_known=False)
        if option == "--node-args":
            node += _split(value)
        elif not word.startswith("-"):
            operands.append(word)
    if operands[:1] and operands[0] in _PM2_STARTS:
        operands.pop(0)
    known = len(operands) == 1 and not operands[0].endswith(_SOURCES)
    return _of_pm2(operands[0], node, rest[1:]) if known else Started(is_known=False)


def _of_pm2(word: str, node: Sequence[str], arguments: Sequence[str]) -> Started:
    if word.endswith(_SETTINGS):
        return Started(settings=word)
    if word.endswith((".js", ".mjs", ".cjs")) or "/" in word:
        return Started(node=(*node, word, *arguments))
    return Started(command=(word, *arguments))


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


_Reader = Callable[[Sequence[str]], Started]

_READERS: Mapping[str, _Reader] = {
    "cross-env": _command_after(assigns=True),
    "cross-env-shell": _cross_env_shell,
    "dotenv": _command_after("-e -v -p -c -o"),
    "env-cmd": _command_after("-f --file -e --environments -r --rc-file"),
    "npm-run-all": _run_all,
    "run-p": _run_all,
    "run-s": _run_all,
    "concurrently": _concurrently,
    "conc": _concurrently,
    "nodemon": _nodemon,
    "tsx": _tsx,
    "ts-node": _ts_node_with(),
    "ts-node-esm": _ts_node_with(module="esm"),
    "ts-node-transpile-only": _ts_node_with(transpiles=True),
    "pm2": _pm2,
    "pm2-runtime": _pm2,
    "pm2-docker": _pm2,
}
