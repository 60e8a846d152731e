"""Language runtimes, kept whole (rules 13 to 16): their modules are found at run time.

A program that is one by its name brings the trees where its modules are. What its own imports
reach is for the pruners of those languages to say, which see the whole of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from minify.closure import Context, Finding, Grade, Need, Reason
from minify.closure.patterns import glob
from minify.filetree import Entry
from minify.filetree.path import basename, parent
from minify.python.layout import user_libraries


@dataclass(frozen=True, slots=True)
class _Runtime:
    name: str
    program: re.Pattern[str]
    trees: tuple[str, ...]
    starts: tuple[str, ...] = ()
    """Commands that it is made of, whoever of them is started: scripts, mostly."""


_RUNTIMES = (
    _Runtime(
        "python",
        re.compile(r"(python|pypy)[\d.]*(t|d)?"),
        (
            "/usr/lib/python[23]*",
            "/usr/local/lib/python[23]*",
            "/usr/lib64/python[23]*",
            "/usr/lib/pypy*",
            "/etc/python[23]*",
        ),
    ),
    _Runtime(
        "node",
        re.compile(r"node(js)?"),
        (
            "/usr/share/nodejs",
            "/usr/lib/nodejs",
            "/usr/lib/*/nodejs",
            "/usr/lib/node_modules",
            "/usr/lib64/node_modules",
            "/usr/local/lib/node_modules",
        ),
    ),
    _Runtime(
        "perl",
        re.compile(r"perl[\d.]*"),
        (
            "/etc/perl",
            "/usr/lib/*/perl*",
            "/usr/lib/perl5",
            "/usr/lib64/perl*",
            "/usr/share/perl*",
            "/usr/local/lib/*/perl",
            "/usr/local/lib/perl5",
            "/usr/local/share/perl",
        ),
    ),
    _Runtime(
        "ruby",
        re.compile(r"[jm]?ruby[\d.]*"),
        (
            "/usr/lib/ruby",
            "/usr/lib/*/ruby",
            "/usr/lib/*/rubygems-integration",
            "/usr/lib64/gems",
            "/usr/lib64/ruby",
            "/usr/local/bundle",
            "/usr/local/lib/ruby",
            "/usr/share/ruby*",
            "/var/lib/gems",
        ),
    ),
    _Runtime(
        "php",
        re.compile(r"php(-fpm|-cgi)?[\d.]*"),
        (
            "/etc/php*",
            "/usr/lib/php*",
            "/usr/lib64/php*",
            "/usr/local/etc/php*",
            "/usr/local/lib/php",
            "/usr/share/php*",
        ),
    ),
    _Runtime(
        "java", re.compile(r"java"), ("/etc/java-*", "/etc/ssl/certs/java", "/usr/share/java")
    ),
    _Runtime(
        "lua",
        re.compile(r"lua(jit)?[\d.-]*"),
        (
            "/usr/share/lua",
            "/usr/share/luajit*",
            "/usr/lib/*/lua",
            "/usr/lib/lua",
            "/usr/lib64/lua",
            "/usr/local/lib/lua",
            "/usr/local/share/lua",
        ),
    ),
    _Runtime(
        "tcl",
        re.compile(r"(tclsh|wish)[\d.]*"),
        (
            "/usr/share/tcltk",
            "/usr/lib/tcltk",
            "/usr/lib/*/tcltk",
            "/usr/lib/tcl[0-9]*",
            "/usr/lib/tk[0-9]*",
            "/usr/lib64/tcl[0-9]*",
            "/usr/lib64/tk[0-9]*",
            "/usr/local/lib/tcl*",
            "/usr/local/lib/tk[0-9]*",
        ),
    ),
    _Runtime(
        "mono",
        re.compile(r"mono(-sgen|-boehm)?"),
        (
            "/etc/mono",
            "/usr/lib/cli",
            "/usr/lib/mono",
            "/usr/lib64/mono",
            "/usr/local/etc/mono",
            "/usr/local/lib/mono",
            # What its assemblies call of C, by the names that /etc/mono/config has for them.
            "/usr/lib/lib[mM]ono*.so*",
            "/usr/lib/*/lib[mM]ono*.so*",
            "/usr/lib64/lib[mM]ono*.so*",
            "/usr/local/lib/lib[mM]ono*.so*",
        ),
    ),
    _Runtime(
        "R",
        re.compile(r"R(script)?"),
        (
            "/etc/R",
            "/usr/lib/R",
            "/usr/lib64/R",
            "/usr/share/R",
            "/usr/local/lib/R",
            "/usr/local/share/R",
        ),
        # The package utils looks commands up with `which` when it is loaded.
        starts=("R", "which"),
    ),
    _Runtime(
        "erlang",
        re.compile(r"beam\.smp|erl|erlc|erlexec|escript"),
        ("/usr/lib/erlang", "/usr/lib64/erlang", "/usr/local/lib/erlang"),
        # os_mon's disksup and RabbitMQ's monitor ask df, and end where it is not there.
        starts=("erl", "df", "getconf"),
    ),
    _Runtime(
        "elixir",
        re.compile(r"elixirc?|iex|mix"),
        ("/usr/lib/elixir", "/usr/local/lib/elixir"),
        starts=("erl", "elixir"),
    ),
)


def is_runtime(name: str) -> bool:
    """Whether a program of that name is a language's runtime."""
    return any(runtime.program.fullmatch(name) for runtime in _RUNTIMES)


def analyze(entry: Entry, grade: Grade, context: Context) -> Iterator[Finding]:
    if grade is not Grade.HARD or not entry.is_executable:
        return
    name = basename(entry.path)
    for runtime in _RUNTIMES:
        # What is made of scripts begins with one, and some are scripts that run others.
        if runtime.program.fullmatch(name) and (runtime.starts or context.is_elf(entry)):
            detail = f"{name} is a {runtime.name} runtime, kept whole"
            reason = Reason(f"runtime.{runtime.name}", entry.path, detail)
            yield from _trees(runtime, reason, context)
            yield from _home(runtime, entry, reason, context)
            for command in filter(None, map(context.command, runtime.starts)):
                yield Need(command.path, reason, Grade.HARD)


def _trees(runtime: _Runtime, reason: Reason, context: Context) -> Iterator[Finding]:
    for pattern in runtime.trees:
        found = glob(context.tree, pattern)
        yield from (Need(path, reason, whole_tree=True) for path in found)


def _home(runtime: _Runtime, entry: Entry, reason: Reason, context: Context) -> Iterator[Finding]:
    """Runtimes that live in one directory with their libraries."""
    home = parent(parent(entry.path))
    if runtime.name == "java" and context.tree.directory(f"{home}/lib"):
        inside = ("lib", "conf", "jre")
        yield from (
            Need(f"{home}/{item}", reason, whole_tree=True)
            for item in inside
            if context.tree.directory(f"{home}/{item}")
        )
    if runtime.name == "python":
        environments = (path for path in context.tree.entries if path.endswith("/pyvenv.cfg"))
        yield from (Need(parent(path), reason, whole_tree=True) for path in environments)
        yield from (Need(path, reason, whole_tree=True) for path in _user_libraries(context))


def _user_libraries(context: Context) -> Iterator[str]:
    """What `pip install --user` made; the result may run as any of those that have it."""
    for lib in user_libraries(context.tree, context.config.env):
        names = context.tree.children(lib)
        yield from (f"{lib}/{name}" for name in names if name.startswith(("python2", "python3")))
