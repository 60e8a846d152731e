"""Scripts and the commands that they may run as root and as another user.

A command is one line: `5 exec gosu app $@`; before it `?` for perhaps, `~` for usually, `-` for
seldom, after it `(tolerated)` or `(stops)`. `id` is left out.
"""

from __future__ import annotations

import pytest

from minify.shell import (
    Called,
    Ending,
    Likelihood,
    Run,
    Script,
    Surroundings,
    Value,
    parse,
    survey,
    walk,
)

MARKS = {
    Likelihood.SURELY: "",
    Likelihood.USUALLY: "~",
    Likelihood.PERHAPS: "?",
    Likelihood.SELDOM: "-",
}


def shown(run: Run) -> str:
    ending = "" if run.ending in (Ending.NONE, Ending.EXIT) else f"{run.ending.value} "
    targets = "".join(f" {one.operator}{one.target.shown}" for one in run.redirections)
    end = " (tolerated)" if run.is_tolerated else " (stops)" if run.stops else ""
    return f"{MARKS[run.likelihood]}{ending}{run.shown}{targets}{end}"


def runs(
    text: str, args: str | None = None, *, is_root: bool = False, env: dict[str, str] | None = None
) -> list[str]:
    script = parse(text.encode())
    assert isinstance(script, Script), script
    arguments = None if args is None else tuple(args.split())
    around = Surroundings(is_root, environment=env or {}, arguments=arguments, path="/e.sh")
    walked = walk(script, around)
    assert walked.trouble == ""
    return [shown(run) for run in walked.runs if run.name not in ("id", "whoami")]


@pytest.mark.parametrize(
    "condition",
    [
        """[ "$(id -u)" = '0' ]""",
        '[ "`id -u`" == 0 ]',
        "[ $(id -u) -eq 0 ]",
        '! [ "$(id -u)" -ne 0 ]',
        '[ ! "$(id -u)" != "0" ]',
        '! test "$(id -u)" -gt 0',
        '[ "$(id -u)" -lt 1 ]',
        '[ "0" = "$(id -u)" ]',
        '[ "x$(id -u)" = x0 ]',
        '[ "$(whoami)" = root ]',
        '[ "$(id -un)" = "root" ]',
        '[ "$(/usr/bin/id -u)" = 0 ]',
        "[[ $(id -u) == 0 ]]",
        '[[ "$(id -u)" -eq 0 ]]',
        "[[ $EUID -eq 0 ]]",
        "[[ ! $UID != 0 ]]",
        "(( EUID == 0 ))",
        "(( $EUID == 0 ))",
        "(( ! EUID ))",
        "(( $(id -u) == 0 ))",
        'u="$(id -u)"; [ "$u" = 0 ]',
        "f() { [ $(id -u) = 0 ]; }; f",
        "f() { if [ $(id -u) = 0 ]; then return 0; else return 1; fi; }; f",
        "f() { local u; u=$(id -u); test $u -eq 0 || return 1; }; f",
        '[ "$(id -u)" = 0 -a 1 = 1 ]',
        '[ "$(id -u)" = 0 -o 1 = 2 ]',
        '[ \\( "$(id -u)" = 0 \\) ]',
        '[ "$(id -u)" = 0 ] && [ 1 = 1 ]',
        '[ "$(id -u)" = 0 ] || false',
        "case $(id -u) in 0) true;; *) false;; esac",
        "case $(id -u) in 1|2) false;; 0) true;; *) false;; esac",
    ],
)  # fmt: skip
def test_conditions_about_the_user(condition: str) -> None:
    text = f"#!/bin/bash\nif {condition}; then a; else b; fi"
    assert runs(text, is_root=True) == ["last a"]
    # What is not 0 may be 1 or 2, so only another user's own branch is sure to remain.
    others = runs(text)
    assert "last b" in others or others == ["?last b"]
    assert not any(" a" in one for one in others)


@pytest.mark.parametrize(
    ("text", "as_root", "as_other"),
    [
        ("[ $(id -u) = 0 ] && exec a; exec b", ["exec a"], ["exec b"]),
        ("[ $(id -u) = 0 ] || exec b; exec a", ["exec a"], ["exec b"]),
        ('[ $(id -u) = 0 ] && [ -n "$X" ] && a; b', ["-a", "last b"], ["last b"]),
        ("if [ $(id -u) = 0 ] && c; then exec a; fi; b", ["c (tolerated)", "?exec a", "?last b"],
         ["last b"]),
        ("if [ -f /x ]; then a; fi; b", ["?a", "last b"], ["?a", "last b"]),
        ("if [ -f /x ]; then exit 1; fi; b", ["?exit 1", "~last b"], ["?exit 1", "~last b"]),
        ("if [ $(id -u) != 0 ]; then exit 1; fi; b", ["last b"], ["exit 1"]),
        ('set -- x "$@"; [ $(id -u) != 0 ] || set -- gosu app "$@"; exec "$@"',
         ["exec gosu app x $@"], ["exec x $@"]),
        ("p=; [ $(id -u) = 0 ] && p='gosu app'; exec $p x", ["exec gosu app x"], ["exec x"]),
        ('a=(x y); [ $(id -u) = 0 ] && a=(gosu app "${a[@]}"); exec "${a[@]}"',
         ["exec gosu app x y"], ["exec x y"]),
        ('f() { exec "$@"; }; if [ $(id -u) = 0 ]; then f gosu app; else f b; fi',
         ["exec gosu app"], ["exec b"]),
        ("(exec a); b", ["exec a", "last b"], ["exec a", "last b"]),
        ("a & b", ["background a", "last b"], ["background a", "last b"]),
        ("a | b", ["a (tolerated)", "last b"], ["a (tolerated)", "last b"]),
        ("set -e; a; b || true; c || exit 1; ! d; if e; then :; fi; set +e; f", *[[
            "a (stops)", "b (tolerated)", "c (stops)", "?exit 1 (stops)", "~d (tolerated)",
            "~e (tolerated)", "~last f"]] * 2),
        ("eval 'a b'; c", ["a b", "last c"], ["a b", "last c"]),
        ("echo $(a $(b)); x=$(c)", *[["b (tolerated)", "a $(b) (tolerated)", "echo $(a $(b))",
            "c (tolerated)"]] * 2),
        ("f() { return; a; }; f; b", *[["last b"]] * 2),
        ("f() { [ -e /x ] || return 0; a; }; f; b", *[["?a", "last b"]] * 2),
        ("while read x; do a $x; done; b", *[["?a $x", "last b"]] * 2),
        ("while true; do a; break; done; b", *[["a", "last b"]] * 2),
        ("while true; do a && break; exit 1; done; b", *[["a", "?exit 1", "?last b"]] * 2),
        ("for i in 1 2; do [ -e $i ] && x=$i && break; done; a $x", *[[
            "?last a 1", "?last a 2", "?last a $x", "?last a $x"]] * 2),
        ("for i in 1; do for j in 2; do x=$j; break 2; done; x=3; done; a $x", *[[
            "last a 3", "last a 2"]] * 2),
        ("for i in 1 2; do exec $i; done; b", *[["exec 1", "exec 2"]] * 2),
        ("for i in 1 2; do a $i; done; b", *[["a 1", "a 2", "last b"]] * 2),
        ("for i in *; do a $i; done", *[["?a *"]] * 2),
        ("exec > /x 2>&1; a", *[[" >/x >&1", "last a"]] * 2),
        ("{ a; } > /x", *[[" >/x", "last a"]] * 2),
        ("f() { a; f; }; f; b", *[["a", "last b"]] * 2),
    ],
)  # fmt: skip
def test_commands_that_may_run(text: str, as_root: list[str], as_other: list[str]) -> None:
    assert runs(f"#!/bin/bash\n{text}", is_root=True) == as_root
    assert runs(f"#!/bin/bash\n{text}") == as_other


@pytest.mark.parametrize(
    ("text", "args", "expected"),
    [
        ('[ "$1" = server ] && a; b', "server", ["~a", "last b"]),
        ('[ "$1" = server ] && a; b', "other", ["-a", "last b"]),
        ('[ "$1" = server ] && a; b', None, ["?a", "last b"]),
        ('[ "${1#-}" != "$1" ] && set -- s "$@"; exec "$@"', "-x", [
            "~exec s -x"]),
        ('case "$1" in ser*) exec a;; -*) exec b;; esac; exec c', "server", [
            "~exec a", "-exec b", "-exec c"]),
        ('shift; exec "$@"', "a b c", ["exec b c"]),
        ('f() { exec x "$2" "$#"; }; f 1 "$1"', "a", ["exec x a 2"]),
        ('exec a "${@:2}"', "x y", ["exec a y"]),
        ('exec a "${@:2}"', None, ["exec a $@"]),
        ('exec a "${@:1:1}"', "x y", ["exec a ${@…}"]),
    ],
)  # fmt: skip
def test_arguments(text: str, args: str | None, expected: list[str]) -> None:
    assert runs(text, args) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a $D/x", "a /data/x"),
        ("a ${D:-/y} ${E:-/y} ${D:+z}", "a /data /y z"),
        (': "${E:=/z}"; a $E', "a /z"),
        ("E=$D/b; a ${E%/*} ${E##*/} $(dirname $E) $(basename $E)", "a /data b /data b"),
        ("a ~/x ~other/x", "a /home/app/x ~other/x"),
        ('a "$D"/{b,c}', "a /data/b /data/c"),
        ("a $unset 'q r' \"$unset\"", "a $unset q r $unset"),
        ("E='x y'; a $E \"$E\"", "a x y x y"),
        ("cd /srv; cd b; a $(pwd)", "a /srv/b"),
        ("a $0 ${BASH_SOURCE[0]}", "a /e.sh /e.sh"),
        ("read E; a $E", "a $E"),
        ("E=1; E+=2; a $E", "a 12"),
        ("a $(cat /x)", "a $(cat /x)"),
    ],
)
def test_words_with_known_values(text: str, expected: str) -> None:
    env = {"D": "/data", "HOME": "/home/app"}
    assert runs(f"#!/bin/bash\n{text}", "", env=env)[-1].endswith(expected)


@pytest.mark.parametrize(
    "text",
    [
        "x=a;" + "x=$x$x;" * 200 + "b $x",
        "".join(f"if [ -e /{n} ]; then v{n}=1; else v{n}=2; fi;" for n in range(300)),
        "f0() { a; };" + "".join(f"f{n}() {{ f{n-1}; f{n-1}; }};" for n in range(1, 40)) + "f39",
        "f() { f; f; }; f",
        "".join(f"[ -e /{n} ] && x{n}=1;" for n in range(20)) + "a $x1$x2$x3$x4$x5$x6$x7$x8$x9",
        "case " + "a" * 5000 + " in " + "*a" * 200 + "*b) c;; esac",
        "[ " + "! " * 100 + "a ]",
        "[ " + "\\( " * 60 + "a ]",
        "for i in " + "a " * 5000 + "; do b $i; done",
        "set -- " + "a " * 5000 + '; while shift; do b; done; exec "$@"',
        "eval 'eval \"eval a\"'",
    ],
    ids=range(11),
)  # fmt: skip
def test_hostile_scripts_end(text: str) -> None:
    script = parse(text.encode())
    assert isinstance(script, Script), script
    # Without its bounds the walk of each of these has no end.
    assert len(walk(script, Surroundings(is_root=True)).runs) <= 5_000


@pytest.mark.parametrize(
    "text",
    [
        "f() { case $1 in a) return 1;; b) return 0;; esac; b; }\nexit 1\nf a",
        "exec a\nf() { [ x ] && return 0; return 1; }\nif f; then b; fi",
    ],
)
def test_functions_are_looked_into_behind_the_end_of_a_script(text: str) -> None:
    script = parse(text.encode())
    assert isinstance(script, Script)
    found = survey(script, Surroundings(is_root=True))
    assert "b" in {run.name for run in found.runs}


def test_a_walk_that_does_not_come_to_the_end_says_so() -> None:
    script = parse(b"a\n" * 6000)
    assert isinstance(script, Script)
    walked = walk(script, Surroundings(is_root=True))
    assert walked.trouble == "it runs too many commands to follow them all"
    assert len(walked.runs) == 5000


def test_each_text_takes_a_process_so_not_all_are_parsed() -> None:
    script = parse("".join(f"eval 'a {number}'\n" for number in range(201)).encode())
    assert isinstance(script, Script)
    walked = walk(script, Surroundings(is_root=True))
    assert walked.trouble == "it runs too many commands to follow them all"
    assert len(walked.runs) == 200


class _Installer:
    """Every command called `install` is a script of 1,000 commands."""

    def __init__(self) -> None:
        script = parse(b"a\n" * 1000)
        assert isinstance(script, Script)
        self._script = script

    def started(self, words: tuple[Value, ...], _: str | None, /) -> tuple[Called, ...]:
        is_one = words[0].text == "install"
        return (Called("/install", self._script, words[1:]),) if is_one else ()

    def reads_text(self, _: tuple[Value, ...], /) -> bool:
        return False

    def sourced(self, _: str, /) -> None:
        return None


def test_a_script_that_is_started_often_is_not_walked_each_time() -> None:
    text = "for i in 1 2 3 4 5 6 7 8; do install --to=$(date) all; done\n" * 8 + "last"
    script = parse(text.encode())
    assert isinstance(script, Script)
    walked = walk(script, Surroundings(is_root=True, finder=_Installer()))
    assert (walked.trouble, walked.runs[-1].name) == ("", "last")
