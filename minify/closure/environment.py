"""Files and directories that ENV names: `APP_CONFIG=config/prod.yml`, `DB=file:///srv/x.db`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from minify.closure import places
from minify.closure.analyzer import Context
from minify.closure.application import application
from minify.closure.finding import CONFIG, Finding, Need, Reason
from minify.filetree.path import joined

# Variables that name directories, or lists of them, in which a runtime finds what it loads.
_OF_RUNTIMES = frozenset(
    """
    FONTCONFIG_PATH GCONV_PATH GEM_HOME GEM_PATH JAVA_HOME LOCPATH LUA_PATH MAGIC NODE_PATH
    OPENSSL_ENGINES OPENSSL_MODULES PERL5LIB PHP_INI_SCAN_DIR PYTHONHOME PYTHONPATH RUBYLIB
    SSL_CERT_DIR TERMINFO TZDIR VIRTUAL_ENV
    """.split()
)

# Variables that shells, loaders and tools that build read; what is there is not the application.
_OF_TOOLS = frozenset(
    """
    ANDROID_HOME ANDROID_SDK_ROOT CARGO_HOME CMAKE_PREFIX_PATH CPATH CPLUS_INCLUDE_PATH CUDA_HOME
    CUDA_PATH CUDA_ROOT C_INCLUDE_PATH GOBIN GOCACHE GOMODCACHE GOPATH GOROOT GRADLE_HOME
    GRADLE_USER_HOME HOME INFOPATH LD_LIBRARY_PATH LIBRARY_PATH MANPATH MAVEN_CONFIG MAVEN_HOME
    M2_HOME OLDPWD PATH PIP_CACHE_DIR PKG_CONFIG_PATH POETRY_CACHE_DIR PWD RUSTUP_HOME TEMP TMP
    TMPDIR UV_CACHE_DIR YARN_CACHE_FOLDER npm_config_cache
    """.split()
)
_PATH = re.compile(r"(?<![\w.}/-])(?:file://)?(/[\w.@+~/-]{1,1024}+)")
_RELATIVE = re.compile(r"[\w.@+~-]++(?:/[\w.@+~-]++)*+")
_MOST = 200


def environment(context: Context) -> Iterator[Finding]:
    """The files that values name, and the directories that are the application's."""
    for name, value in context.config.env.items():
        reason = Reason("config.env", CONFIG, f"ENV {name}={value}")
        for path in dict.fromkeys(islice(_paths(value, context), _MOST)):
            if context.tree.file(path):
                yield Need(path, reason)
            else:
                yield from _directory(name, path, reason, context)


def _paths(value: str, context: Context) -> Iterator[str]:
    """What may be paths in a value: all of it, and the absolute ones in it."""
    if value.startswith("/"):
        yield value
    elif len(value) <= 1024 and _RELATIVE.fullmatch(value):
        yield joined(context.workdir, value)
    yield from (match[1] for match in _PATH.finditer(value))


def _directory(name: str, path: str, reason: Reason, context: Context) -> Iterator[Finding]:
    entry = context.tree.directory(path)
    if entry is None or name in _OF_TOOLS or places.is_distributions(entry.path, context.tree):
        return
    if name in _OF_RUNTIMES:
        yield Need(path, reason, whole_tree=True)
    elif context.is_first_party(entry.path):
        yield from application(path, reason)
