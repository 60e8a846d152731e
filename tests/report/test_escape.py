import pytest

from minify.report.escape import printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/usr/bin/app", "/usr/bin/app"),
        ("/über/日本", "/über/日本"),
        ("a\x1b[31mred", r"a\x1b[31mred"),
        ("a\nb\tc\r", r"a\x0ab\x09c\x0d"),
        ("a\\x1b", r"a\\x1b"),
        ("\udcff", r"\xff"),
        ("\ud800", r"\ud800"),
        ("\u202e", r"\u202e"),
        ("\U000e0001", r"\U000e0001"),
        ("\x9b", r"\x9b"),
        ("[/]", "[/]"),
    ],
)
def test_what_does_not_print_as_itself_is_escaped(text: str, expected: str) -> None:
    assert printable(text) == expected
