"""The texts in a `.pyc` of any version of Python, without unmarshalling it.

`marshal.loads` trusts what it reads, and knows its own version only. The texts stand in the file as
a letter, a length and their bytes, so they are found without the objects around them; what is found
beside them by chance names no module.

https://docs.python.org/3/library/marshal.html; the letters are those of Python/marshal.c.
"""

from __future__ import annotations

import re

# z and Z: short ASCII, interned or not; a, A, u, t, s: with four bytes of length. The upper bit
# says that others refer to the object.
_SHORT = re.compile(rb"[zZ\xda\xfa](?=([\x02-\xc8]))")
_LONG = re.compile(rb"[aAuts\xe1\xc1\xf5\xf4\xf3](?=([\x02-\xc8])\0\0\0)")
_PRINTABLE = re.compile(rb"[\x21-\x7e]++")
_MOST = 50_000


def texts(content: bytes) -> tuple[str, ...]:
    """The texts without a space in a `.pyc`'s content, in their order and once each."""
    found: dict[bytes, int] = {}
    for pattern, width in ((_SHORT, 2), (_LONG, 5)):
        for match in pattern.finditer(content):
            start = match.start() + width
            text = content[start : start + match[1][0]]
            if len(text) == match[1][0] and _PRINTABLE.fullmatch(text):
                found.setdefault(text, start)
                if len(found) >= _MOST:
                    break
    return tuple(text.decode("ascii") for text in sorted(found, key=found.__getitem__))
