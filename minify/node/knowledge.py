"""What is known of Node's packages by their names and of files by theirs."""

from __future__ import annotations

import re

# They load what configuration names, in forms of their own: presets, plug-ins, transforms,
# loaders. A program that runs one of them may load any installed package.
_TOOLS = frozenset(
    """
    @angular/cli @babel/core @babel/node @babel/register @nestjs/cli @nrwl/cli @rspack/core
    @sveltejs/kit astro browserify egg-bin eslint gatsby gulp jest jest-cli karma
    lerna meteor mocha moleculer-cli next nuxt nx parcel postcss-cli prettier react-scripts
    remix rollup snowpack strapi @strapi/strapi ts-node-dev turbo vite vite-node vitest
    webpack webpack-cli webpack-dev-server
    """.split()
)

CHECKER = "ts-node"
"""It compiles modules, and reads the declarations of all that they name, unless it is told."""

LOADERS = frozenset(
    """
    broadway bulk-require include-all require-all require-dir require-directory require-glob
    require-index requireindex utile
    """.split()
)
"""Packages that load all of a directory for the package that names it."""

PACKAGE_MANAGERS = frozenset("npm npx yarn yarnpkg pnpm pnpx corepack".split())
"""Programs that start what package.json says, and any package of their own."""

BUILT_IN = frozenset(
    """
    assert async_hooks buffer child_process cluster console constants crypto dgram
    diagnostics_channel dns domain events fs http http2 https inspector module net os path
    perf_hooks process punycode querystring readline repl stream string_decoder sys timers tls
    trace_events tty url util v8 vm wasi worker_threads zlib
    """.split()
)
"""Modules that Node has in itself and that are asked for without `node:` too."""

WORDS = frozenset("assert buffer constants events path process string_decoder url util".split())
"""Names of packages that are words of every program as well."""

# Files that only those who work on a program load.
_ASIDE_DIRECTORIES = frozenset(
    """
    test tests __tests__ __mocks__ spec specs e2e cypress coverage benchmark benchmarks bench
    example examples docs doc .github .storybook fixtures __fixtures__ storybook-static
    """.split()
)
_ASIDE_FILE = re.compile(
    r"[^/]+\.(?:test|tests|spec|bench|stories|e2e|e2e-spec)\.[cm]?[jt]sx?"
    r"|(?:gulpfile|gruntfile|karma\.conf|jakefile|test)\.[cm]?[jt]s"
    r"|\.[\w.-]+\.[cm]?[jt]s"
    r"|(?:babel|cypress|eslint|jest|karma|lint-staged|commitlint|next|nuxt|playwright|postcss"
    r"|prettier|release|rollup|stylelint|svelte|tailwind|tsup|vite|vitest|vue|webpack)"
    r"(?:\.\w+)*\.config(?:\.\w+)*\.[cm]?[jt]s",
    re.IGNORECASE,
)


def is_tool(package: str) -> bool:
    """Whether a package of that name loads what configuration names."""
    return package in _TOOLS


def is_aside(path: str, directory: str) -> bool:
    """Whether a module below `directory` is no part of what runs: a test, a tool's settings."""
    parts = path[len(directory) :].strip("/").split("/")
    return not _ASIDE_DIRECTORIES.isdisjoint(parts[:-1]) or bool(_ASIDE_FILE.fullmatch(parts[-1]))


def is_managers(path: str) -> bool:
    """Whether a module is a package manager's, which stays whole and loads nothing of others."""
    return any(f"/node_modules/{name}/" in path for name in PACKAGE_MANAGERS)
