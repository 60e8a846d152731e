"""What a command line of a package manager runs.

https://docs.npmjs.com/cli/commands/npm-run-script, https://classic.yarnpkg.com/en/docs/cli/run,
https://pnpm.io/cli/run
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ALL_WORKSPACES = "*"
_MOST_WORDS = 1 << 10
_RUN = frozenset(("run", "run-script", "rum", "urn"))
_SHORT = {"start": "start", "stop": "stop", "restart": "restart", "test": "test", "t": "test"}
_EXECUTE = frozenset(("exec", "x", "dlx"))
_PLACES = frozenset(("--prefix", "--cwd", "-C", "--dir"))
_SELECT = frozenset("-w --workspace --filter -F".split())
_SELECT_ALL = frozenset("--workspaces -ws -r --recursive".split())
_EXECUTERS = frozenset(("npx", "pnpx"))
_OF_EXECUTERS = frozenset("-p --package -c --call".split())
# What selects by more than a name or a path: by dependencies, by changes, by patterns.
_SELECTORS = (*"*[]{}!^", "...")


@dataclass(frozen=True, slots=True)
class Task:
    """What a package manager is told to run."""

    name: str = ""
    """A script of package.json; empty if it is a command."""
    command: tuple[str, ...] = ()
    """A command of an installed package, and its operands."""
    directory: str = ""
    """Where package.json is, if that is said."""
    workspaces: tuple[str, ...] = ()
    """The workspaces that it is run in, by their names or paths; or `ALL_WORKSPACES`."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A command line without the options that say where."""

    operands: tuple[str, ...]
    directory: str
    workspaces: tuple[str, ...]


def task_of(manager: str, words: Sequence[str]) -> Task | None:
    """What `npm`, `yarn`, `pnpm` or `npx`, called with `words`, runs; None if nobody knows."""
    line = _read(manager, words[:_MOST_WORDS])
    operands, workspaces = list(line.operands), line.workspaces
    if manager == "yarn" and operands[:1] == ["workspace"] and len(operands) > 1:
        workspaces, operands = (operands[1],), operands[2:]
    is_pattern = any(selector in one for one in workspaces for selector in _SELECTORS)
    if is_pattern and workspaces != (ALL_WORKSPACES,):
        return None
    if manager in _EXECUTERS:
        return Task("", tuple(operands), line.directory, workspaces) if operands else None
    found = _task(manager, operands)
    if found is None:
        return None
    return Task(found.name, found.command, line.directory, workspaces)


def _read(manager: str, words: Sequence[str]) -> _Line:
    rest, directory = list(words), ""
    operands: list[str] = []
    workspaces: list[str] = []
    while rest:
        word = rest.pop(0)
        option, has_value, value = word.partition("=")
        if word == "--":
            operands += rest
            break
        if _is_complete(manager, operands):
            operands.append(word)
        elif option in _PLACES:
            directory = value if has_value else rest.pop(0) if rest else ""
        elif option in _SELECT:
            workspaces.append(value if has_value else rest.pop(0) if rest else "")
        elif option in _SELECT_ALL:
            workspaces = [ALL_WORKSPACES]
        elif manager in _EXECUTERS and option in _OF_EXECUTERS:
            rest = rest if has_value else rest[1:]
        elif not word.startswith("-"):
            operands.append(word)
    return _Line(tuple(operands), directory, tuple(workspaces))


def _is_complete(manager: str, operands: Sequence[str]) -> bool:
    """Whether the options that follow are those of the command, not of its manager."""
    if not operands or manager in _EXECUTERS:
        return bool(operands)
    if manager == "npm" and operands[0] not in _EXECUTE:
        return False  # it reads its own wherever they stand
    return operands[0] not in _RUN | _EXECUTE or len(operands) > 1


def _task(manager: str, operands: Sequence[str]) -> Task | None:
    if not operands:
        return None
    verb, rest = operands[0], tuple(word for word in operands[1:] if word != "--")
    if verb in _RUN:
        return Task(name=rest[0]) if rest else None
    if verb in _SHORT:
        return Task(name=_SHORT[verb])
    if verb in _EXECUTE:
        return Task(command=rest) if rest else None
    if manager == "yarn" and verb == "node":
        return Task(command=("node", *rest))
    if manager in ("yarn", "yarnpkg", "pnpm"):
        return Task(name=verb, command=(verb, *rest))
    return None
