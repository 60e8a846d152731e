import pytest

from minify.closure.shellwords import commands, is_literal


def shown(text: str) -> list[str]:
    """Each command as `line: word word`."""
    return [f"{command.line}: {' '.join(command.words)}" for command in commands(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx -g 'daemon off;'", ["1: nginx -g daemon off;"]),
        ("exec nginx", ["1: exec nginx", "1: nginx"]),
        ("A=1 B=2 run it", ["1: run it"]),
        ("a && b || c; d & e | f", ["1: a", "1: b", "1: c", "1: d", "1: e", "1: f"]),
        ("if test -f x; then a; else b; fi", ["1: test -f x", "1: a", "1: b"]),
        ("while ! ping h; do sleep 1; done", ["1: ping h", "1: sleep 1"]),
        ("for f in /a/*; do sed x; done", ["1: for f in /a/*", "1: sed x"]),
        ("x=$(id -u) && y", ["1: id -u", "1: y"]),
        ("echo `date`", ["1: echo", "1: date"]),
        ('echo "now $(date +%s)"', ["1: date +%s", "1: echo now $(date +%s)"]),
        ("a > /dev/null 2>&1 < in", ["1: a"]),
        ("# comment; rm\nls", ["2: ls"]),
        ("a#b c", ["1: a#b c"]),
        ("f() { awk x; }", ["1: awk x"]),
        ("env -i A=1 prog x", ["1: env -i A=1 prog x"]),
        ("nohup nice prog", ["1: nohup nice prog"]),
        ("a \\\n  b\nc", ["1: a b", "3: c"]),
        ("'/opt/my app' x", ["1: /opt/my app x"]),
        ("$CMD x", ["1: $CMD x"]),
        ("${CMD:-ls} x", ["1: ${CMD:-ls} x"]),
        ("", []),
        ("'unclosed", ["1: unclosed"]),
    ],
)
def test_commands_are_found_where_a_command_stands(text: str, expected: list[str]) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("ls", True), ("/a/b", True), ("$X", False), ("a*", False), ("`x`", False), ("~/x", False)],
)
def test_a_literal_word_is_one_the_shell_does_not_expand(word: str, *, expected: bool) -> None:
    assert is_literal(word) is expected
