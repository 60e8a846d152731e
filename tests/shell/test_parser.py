"""Small texts and their trees; hostile ones, each with one value that says what is wrong."""

from __future__ import annotations

import pytest

from minify.shell import Script, ShellError, parse, syntax
from minify.shell.syntax import (
    AndOr,
    Arithmetic,
    Assignment,
    Binary,
    Calculation,
    Case,
    Choice,
    Command,
    Declaration,
    For,
    Function,
    Group,
    If,
    Literal,
    Operand,
    Parameter,
    Pattern,
    Pipeline,
    ProcessSubstitution,
    Redirection,
    Simple,
    Statement,
    Subshell,
    Substitution,
    Unary,
    While,
    Word,
)


def word(text: str, line: int = 1) -> Word:
    return Word((Literal(text),), line)


def simple(text: str, line: int = 1) -> Statement:
    return Statement(Simple(tuple(word(one, line) for one in text.split())), line)


def commands(text: str) -> list[Command]:
    script = parse(text.encode())
    assert isinstance(script, Script), script
    return [statement.command for statement in script.statements]


def words(text: str) -> list[Word]:
    (command,) = commands(text)
    assert isinstance(command, Simple)
    return list(command.words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", Simple((word("a"), word("b")))),
        ("X=1 a", Simple((word("a"),), (Assignment("X", word("1")),))),
        ("X=", Simple((), (Assignment("X", Word((), 1)),))),
        ("X+=(a)", Simple((), (Assignment("X", None, (word("a"),), is_appended=True),))),
        ("X[1]=a", Simple((), (
            Assignment("X", word("a"), is_element=True, index=syntax.Operand(word("1"))),))),
        ("export -n X=1 Y", Declaration("export", (word("-n"),), (
            Assignment("X", word("1")), Assignment("Y")))),
        ("a | b |& c", Pipeline((simple("a"), simple("b"), simple("c")))),
        ("a && b || c", AndOr((simple("a"), simple("b"), simple("c")), ("&&", "||"))),
        ("{ a; }", Group((simple("a"),))),
        ("(a; b)", Subshell((simple("a"), simple("b")))),
        ("while a; do b; done", While((simple("a"),), (simple("b"),), is_until=False)),
        ("until a; do b; done", While((simple("a"),), (simple("b"),), is_until=True)),
        ("for x in a b; do c; done", For("x", (word("a"), word("b")), (simple("c"),))),
        ("for x; do c; done", For("x", None, (simple("c"),))),
        ("f() { a; }", Function("f", Statement(Group((simple("a"),)), 1))),
        ("time a", Group((simple("a"),))),
        ("case a in b|c) d ;; *) e ;& esac", Case(word("a"), (
            Choice((word("b"), word("c")), (simple("d"),)),
            Choice((Word((Pattern("*"),), 1),), (simple("e"),), falls_through=True)))),
        ("[[ ! a == b ]]", syntax.Test(
            Unary("!", Binary("==", Operand(word("a")), Operand(word("b")))))),
        ("(( a == 0 ))", Calculation((Binary("==", Operand(word("a")), Operand(word("0"))),))),
    ],
)  # fmt: skip
def test_commands(text: str, expected: Command) -> None:
    assert commands(text) == [expected]


def test_if_with_its_lines() -> None:
    text = "if a\nthen b\nelif ! c\nthen d\nelse e >f 2>&1 &\nfi"
    (command,) = commands(text)
    assert isinstance(command, If)
    first, second = command.branches
    assert (first.condition, first.body) == ((simple("a"),), (simple("b", 2),))
    assert second.condition == (Statement(Simple((word("c", 3),)), 3, is_negated=True),)
    assert second.body == (simple("d", 4),)
    to_file = Redirection(">", word("f", 5), 5)
    to_other = Redirection(">&", word("1", 5), 5)
    (last,) = command.otherwise
    assert last == Statement(Simple((word("e", 5),)), 5, (to_file, to_other), is_background=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'a b'", [Literal("a b", is_quoted=True)]),
        (r'"a\"\$\x"', [Literal(r"a\"$\x".replace('\\"', '"'), is_quoted=True)]),
        (r"a\ b", [Literal("a"), Literal(" ", is_quoted=True), Literal("b")]),
        (r"$'a\n\x41\101'", [Literal("a\nAA", is_quoted=True)]),
        ('""', [Literal("", is_quoted=True)]),
        ("$a", [Parameter("a")]),
        ('"$@"', [Parameter("@", is_quoted=True)]),
        ("${a:-b}", [Parameter("a", operator=":-", word=word("b"))]),
        ("${a%/*}", [Parameter("a", operator="%", word=Word((Literal("/"), Pattern("*")), 1))]),
        ("${#a}", [Parameter("a", is_length=True)]),
        ('"${a[@]}"', [Parameter("a", is_quoted=True, index="@")]),
        ("${a/b/c}", [Parameter("a", operator="other", word=Word((Literal("b"), Literal("c"))))]),
        ("${!a}", [Parameter("a", operator="other")]),
        ("$(a)", [Substitution((simple("a"),))]),
        ('"`a`"', [Substitution((simple("a"),), is_quoted=True)]),
        ("<(a)", [ProcessSubstitution((simple("a"),))]),
        ("$((1))", [Arithmetic(Operand(word("1")))]),
        ("/a/*.[ch]", [Literal("/a/"), Pattern("*"), Literal("."), Pattern("[ch]")]),
        ("[", [Literal("[")]),
        ("@(a|b)", [Pattern("@(a|b)")]),
    ],
)
def test_words(text: str, expected: list[object]) -> None:
    assert list(words(f"x {text}")[1].parts) == expected


def test_here_documents() -> None:
    script = parse(b"cat <<E1 <<'E2'\na $b \\$c\nE1\n$d\nE2\n")
    assert isinstance(script, Script)
    first, second = script.statements[0].redirections
    assert first.word.parts == (
        Literal("a ", is_quoted=True),
        Parameter("b", is_quoted=True),
        Literal(" $c\n", is_quoted=True),
    )
    assert second.word.parts == (Literal("$d\n", is_quoted=True),)


@pytest.mark.parametrize(
    ("line", "is_bash", "options"),
    [
        ("#!/bin/sh -e", False, "e"),
        ("#!/bin/bash -eu", True, "eu"),
        ("#!/usr/bin/env bash", True, ""),
        ("#!/usr/bin/dumb-init /bin/sh", False, ""),
        ("#!/bin/busybox sh", False, ""),
        ("#!/bin/ksh", True, ""),
        ("", False, ""),
    ],
)
def test_the_first_line_names_the_shell(line: str, is_bash: bool, options: str) -> None:  # noqa: FBT001
    script = parse(f"{line}\na".encode())
    assert isinstance(script, Script)
    assert (script.is_bash, script.options) == (is_bash, options)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a\nif b", ShellError(2, "`if <cond>` must be followed by `then`")),
        (b"a\n'", ShellError(2, "reached EOF without closing quote `'`")),
        (b"a\n\0", ShellError(2, "it holds a NUL byte")),
        (b"a" * 300_000, ShellError(0, "it has 300,000 bytes; at most 262,144 are read")),
        (b"(" * 1000, ShellError(0, "its commands are nested too deeply")),
        (b"if a; then " * 1000, ShellError(0, "its commands are nested too deeply")),
        (b"$(" * 60 + b")" * 60, ShellError(0, "its commands are nested too deeply")),
        (b"a;" * 130_000, ShellError(0, "it has too many commands")),
        (b"a=" + b"$a" * 100_000, ShellError(0, "it has too many commands")),
    ],
    ids=range(9),
)
def test_what_is_no_script_has_one_value_that_says_why(text: bytes, expected: ShellError) -> None:
    assert parse(text) == expected


def test_bytes_that_are_no_utf8_are_no_fault() -> None:
    script = parse(b"#!/bin/sh\n# caf\xe9\na\n")
    assert isinstance(script, Script)
    assert script.statements == (simple("a", 3),)


def test_a_long_list_is_a_tree_or_a_fault_and_never_a_crash() -> None:
    for length in (100, 400, 1600):
        assert isinstance(parse(b"a || " * length + b"a"), Script | ShellError)
