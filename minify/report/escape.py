r"""Text of an image made safe to print.

Names in an image may hold terminal escapes, newlines and bytes that are no UTF-8. What a terminal
would not print as itself is written as `\\xNN` or `\\uNNNN`, and a backslash as two, so that two
different names never look the same.
"""

from __future__ import annotations

_FIRST_SURROGATE, _LAST_SURROGATE = 0xDC80, 0xDCFF


def printable(text: str) -> str:
    """`text` with everything escaped that does not print as itself."""
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_printable, text))


def _printable(char: str) -> str:
    code = ord(char)
    if char == "\\":
        return "\\\\"
    if _FIRST_SURROGATE <= code <= _LAST_SURROGATE:
        return f"\\x{code - 0xDC00:02x}"  # a byte that is no UTF-8
    if char.isprintable():
        return char
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
