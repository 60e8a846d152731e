import pytest

from minify.python import entry_of
from minify.python.commands import interpreter_in, is_python, references

LINES = {
    "x.py --port 80": "script x.py [--port 80]",
    "-u -m gunicorn shop:app": "module gunicorn [shop:app]",
    "-um gunicorn x": "module gunicorn [x]",
    "-mhttp.server": "module http.server []",
    "-W ignore -X dev x.py": "script x.py []",
    "-Wignore -Xdev -OO x.py": "script x.py []",
    "-c import_os a": "text import_os [a]",
    "--check-hash-based-pycs always x.py": "script x.py []",
    "-- x.py -m": "script x.py [-m]",
    "--version": "",
    "-": "",
    "": "",
    "-m": "",
}


@pytest.mark.parametrize("line", LINES)
def test_what_an_interpreter_is_started_for(line: str) -> None:
    entry = entry_of(line.split())
    shown = f"{entry.kind.value} {entry.value} [{' '.join(entry.operands)}]" if entry else ""
    assert shown == LINES[line]


@pytest.mark.parametrize(
    ("start", "python"),
    [
        (b"#!/opt/venv/bin/python\n", "/opt/venv/bin/python"),
        (b"#! /usr/bin/env python3.11\nimport os", "python3.11"),
        (b"#!/usr/bin/env -S python3 -u\n", "python3"),
        (
            b"#!/bin/sh\n'''exec' /very/long/bin/python \"$0\" \"$@\"\n' '''\n",
            "/very/long/bin/python",
        ),
        (b"#!/bin/sh\nexec python x\n", ""),
        (b"#!/usr/bin/perl\n", ""),
        (b"\x7fELF", ""),
        (b"#!", ""),
    ],
)
def test_interpreter_of_a_script(start: bytes, python: str) -> None:
    assert interpreter_in(start) == python


def test_names_of_interpreters() -> None:
    names = "python python3 python3.12 python3.13t pypy3 /x/bin/python2 pythonista python3-config"
    assert [name for name in names.split() if is_python(name)] == names.split()[:6]


def test_modules_that_operands_name() -> None:
    words = ["shop.wsgi:app", "--app=shop.main", "-b", "0.0.0.0:80", "create:app()", "x.py", "a-b"]
    assert list(references(words)) == ["shop.wsgi", "shop.main", "create"]
