"""An application's own directories: which one it is, and what in it is not the application.

What is left out must be something that no running program needs. A cache is that only if a tool
that builds or tests fills it: models, browsers and whole environments live in others
(`.cache/huggingface`, `.cache/ms-playwright`, `.yarn/cache`), so those stay.
"""

from __future__ import annotations

from collections.abc import Iterator

from minify.closure import places
from minify.closure.finding import Finding, Need, Reason
from minify.filetree import FileTree, ImagePath
from minify.filetree.path import basename, parent

_VERSION_CONTROL = ".git .hg .svn .bzr .jj _darcs CVS/Entries CVS/Repository CVS/Root"
_OF_TESTS = """
    .pytest_cache .mypy_cache .ruff_cache .pytype .hypothesis .tox .nox .nyc_output .eslintcache
    .stylelintcache .phpunit.result.cache .php-cs-fixer.cache .rspec_status
"""
_OF_BUILDS = """
    .sass-cache .parcel-cache .angular/cache .next/cache/webpack .next/cache/swc .npm/_cacache
    .npm/_logs .ccache
    .cache/pip .cache/uv .cache/pypoetry/cache .cache/pypoetry/artifacts .cache/pre-commit
    .cache/go-build .cache/node-gyp .cache/yarn .cache/composer .cache/bazel .cache/ccache
    .cache/golangci-lint .cache/mesa_shader_cache .composer/cache .cargo/registry/cache
    node_modules/.cache/babel-loader node_modules/.cache/terser-webpack-plugin
    node_modules/.cache/uglifyjs-webpack-plugin node_modules/.cache/css-minimizer-webpack-plugin
    node_modules/.cache/hard-source node_modules/.cache/webpack node_modules/.cache/nyc
    node_modules/.cache/prettier node_modules/.cache/eslint-loader node_modules/.cache/storybook
    node_modules/.cache/turbo node_modules/.cache/nx
"""
_HISTORIES = """
    .ash_history .bash_history .zsh_history .python_history .node_repl_history .irb_history
    .psql_history .mysql_history .sqlite_history .rediscli_history .lesshst .viminfo
"""

NOT_THE_APPLICATION = tuple(
    f"/{end}" for end in f"{_VERSION_CONTROL} {_OF_TESTS} {_OF_BUILDS} {_HISTORIES}".split()
)
"""Ends of paths in an application's directory that stay out at any depth."""

_PROGRAMS = frozenset("bin sbin libexec".split())


def application(directory: str, reason: Reason) -> Iterator[Finding]:
    """All of an application's directory but version control data, caches and histories."""
    yield Need(directory, reason, whole_tree=True, without=NOT_THE_APPLICATION)


def application_of(path: ImagePath, tree: FileTree) -> str:
    """The directory that a program came in with what it needs; empty if that is everybody's.

    `/opt/app` of `/opt/app/bin/app`, `/app` of `/app/server`.
    """
    directory = parent(path)
    home = parent(directory) if basename(directory) in _PROGRAMS else directory
    for found in (home, directory):
        if not places.is_distributions(found, tree) and not found.startswith("/etc/"):
            return "" if _is_excluded(found) else found
    return ""


def _is_excluded(directory: str) -> bool:
    return any(f"{end}/" in f"{directory}/" for end in NOT_THE_APPLICATION)
