"""What packages have for browsers' debuggers, compilers, people and other systems: data.

Node itself reads source maps where it is told to, and no TypeScript in `node_modules`:
https://nodejs.org/api/cli.html#--enable-source-maps,
https://nodejs.org/api/typescript.html#type-stripping-in-dependencies
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from minify.unread import COMPILERS, Kind

NODE = "node"
"""Node itself among those whose calls are looked for."""

MAPS = "--enable-source-maps"

KINDS = (
    Kind(
        tuple(f"{name}.map" for name in ".js .mjs .cjs .ts .mts .cts .jsx .min .css".split()),
        "a source map",
        packages=re.compile(
            r"(?:@cspotcode/)?source-map-support|c8|get-source|load-source-map|nyc|source-map-loader"
            r"|stackman|stacktracey|v8-to-istanbul|@datadog/.*|dd-trace|elastic-apm-node|newrelic"
        ),
        calls={
            NODE: (
                MAPS.encode(),
                b"setSourceMapsEnabled",
                b"setSourceMapsSupport",
                b"findSourceMap",
            )
        },
    ),
    Kind(
        (".ts", ".mts", ".cts", ".tsx", ".flow", ".tsbuildinfo"),
        "TypeScript",
        packages=re.compile(
            r"@babel/p.*-(?:typescript|flow.*)|@microsoft/api-extractor|@typescript/vfs|@volar/.*"
            r"|bundle-require|dts-bundle.*|flow-.*|jiti|monaco-editor(?:-core)?|prisma|sucrase|svelte2tsx"
            r"|ts-json-.*|ts-morph|tsoa|typedoc|typescript-.*|unbuild|vue-tsc"
        ),
        # Who only compiles texts reads no declarations; of what it compiles, imports tell.
        calls={
            "typescript": (
                b"createProgram",
                b"createLanguageService",
                b"createIncrementalProgram",
                b"createSolutionBuilder",
                b"createWatchCompilerHost",
                b"createCompilerHost",
            )
        },
    ),
    Kind(
        (".md", ".markdown", ".mkd"),
        "documentation",
        spared=re.compile(
            r"(?:un)?licen[cs]e|copying|copyright|notice|legal|patents|third.?party|authors",
            re.IGNORECASE,
        ),
    ),
    Kind(
        tuple(".c .cc .cpp .cxx .h .hh .hpp .hxx .a .o .lo .mk .gyp .gypi .vcxproj".split()),
        "for compilers",
        programs=COMPILERS,
        packages=re.compile(r"node-gyp|cmake-js|tcc.*"),
    ),
    Kind((".py", ".pyc", ".pyi"), "for Python", programs=re.compile(r"(?:python|pypy)[\d.]{0,6}")),
    Kind(
        (".exe", ".dll"), "for Windows", programs=re.compile(r"mono.*|wine.*|dotnet|libcoreclr\.so")
    ),
    Kind(
        (".bat", ".cmd", ".ps1", ".dylib"),
        "for another system",
        programs=re.compile(r"pwsh|wine.*"),
    ),
)

SETTINGS = re.compile(
    r"\.(?:all-contributorsrc|airtap\.ya?ml|appveyor\.ya?ml|codeclimate\.ya?ml|coveralls\.ya?ml"
    r"|dntrc|editorconfig|eslint(?:rc|ignore).*|git(?:attributes|ignore|modules)|jscs.*|jshint.*"
    r"|lintstagedrc.*|mocharc.*|npmignore|nycrc.*|prettier(?:rc|ignore).*|release-it.*|snyk"
    r"|stylelint.*|tap(?:rc|\.yml)|taprc|tonic_example\.js|travis\.ya?ml|zuul\.ya?ml|uglifyjs.*)"
)
"""Settings of editors, of checks and of services that build, in the directory of a package."""

DIRECTORIES = frozenset(
    """
    .changeset .circleci .github .husky .idea .nyc_output .storybook .vscode
    __mocks__ __tests__ bench benchmark benchmarks coverage cypress e2e test tests
    """.split()
)
"""Names of directories that only those open who work on a package. Many are words as well."""

DESCRIPTIONS = frozenset("doc docs example examples man spec specs storybook-static".split())
"""Names of directories of which that is less sure: a constant that is the name keeps them."""

_CALLS = tuple(
    (package, word) for kind in KINDS for package, words in kind.calls.items() for word in words
)


def called_in(content: bytes, package: str) -> Iterator[str]:
    """Those whose calls are in a module of another package; of no name is the application."""
    for called, word in _CALLS:
        if called != package and word in content:
            yield called
