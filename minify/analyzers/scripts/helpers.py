"""Programs that other programs run because an option or a file's name says so."""

from __future__ import annotations

from collections.abc import Iterator

from minify.closure.innercommands import name_of
from minify.shell import Value
from minify.shell.values import known

_TARS = frozenset("tar gtar bsdtar".split())
_COMPRESSORS = {
    "gzip": ("--gzip", "--gunzip", "--ungzip", "z", ".tar.gz", ".tgz"),
    "bzip2": ("--bzip2", "j", ".tar.bz2", ".tbz2"),
    "xz": ("--xz", "--lzma", "J", ".tar.xz", ".txz"),
    "zstd": ("--zstd", ".tar.zst"),
}
_NAMED_BY = {
    **dict.fromkeys(_TARS, ("-I", "--use-compress-program", "--to-command")),
    "rsync": ("-e", "--rsh"),
    "sort": ("--compress-program",),
}


def helpers(words: tuple[Value, ...]) -> Iterator[Value]:
    """The names of the programs that a command line's program runs besides."""
    name = name_of(words)
    if name in _TARS:
        yield from map(known, _compressors(words[1:]))
    options = _NAMED_BY.get(name, ())
    for at, word in enumerate(words[1:], 1):
        option, equals, value = (word.text or "").partition("=")
        if option in options and equals:
            yield from map(known, value.split()[:1])
        elif option in options and at + 1 < len(words):
            yield from map(known, (words[at + 1].text or "").split()[:1])


def _compressors(words: tuple[Value, ...]) -> Iterator[str]:
    letters = ""
    for number, word in enumerate(words):
        text = word.text or ""
        is_bunch = number == 0 and text.isalpha()
        if is_bunch or (text[:1] == "-" and text[1:2] != "-"):
            letters += text.lstrip("-")
    for program, signs in _COMPRESSORS.items():
        for word in words:
            has_sign = word.text in signs or word.end.endswith(
                tuple(sign for sign in signs if sign.startswith("."))
            )
            if has_sign or any(len(sign) == 1 and sign in letters for sign in signs):
                yield program
                break
