"""The commands of a shell text, found by its words.

This is no parser of the shell's grammar: it finds the words that stand where a command stands, and
all others, which is enough to keep what a script surely or perhaps runs. What a variable or `eval`
makes up is not seen; the caller reports that as a gap.

https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Possessive throughout: hostile scripts must not make it backtrack.
_TOKEN = re.compile(
    r"""
    (?P<comment>(?:(?<=\s)|^)\#[^\n]*+)
  | (?P<separator>\n|;;|;|&&|\|\||\||&(?!>)|\$\((?![^()]*+\))|`|\(|\)|\{(?=\s)|\}(?=[\s;]|$))
  | (?P<redirection>\d*+(?:<<<|<<-?|<>|>>|>&|<&|&>>?|>\||>|<))
  | (?P<space>[ \t]++|\\\n)
  | (?P<word>(?>
        \\. | '[^']*+' | "(?>\\.|[^"\\])*+"
      | \$\{[^{}]*+\} | \$\([^()]*+\) | \$[\w@*\#?!-] | [^\s;&|()<>`'"\\\$]++ | \$(?!\()
    )++)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SUBSTITUTION = re.compile(r"\$\(([^()]*+)\)")
_HEREDOC = re.compile(r"(?<!<)<<-?[ \t]*+(['\"\\\\]?)([A-Za-z_]\w*+)")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(?:\[[^]]*\])?\+?=")

# Words after which a command stands.
_OPENERS = frozenset("if then else elif while until do ! { time".split())
# Builtins whose operand is a command again.
_PREFIXES = frozenset("exec command builtin".split())
_MOST_PREFIXES = 16
_KEYWORDS = frozenset("fi done esac in case function }".split())

BUILTINS = frozenset(
    """
    . : [ [[ alias bg bind break builtin caller cd command compgen complete continue declare dirs
    disown echo enable eval exec exit export false fc fg for getopts hash help history jobs kill let
    local logout mapfile popd printf pushd pwd read readarray readonly return select set shift shopt
    source suspend test times trap true type typeset ulimit umask unalias unset wait
    """.split()
)
"""Builtins of dash and bash, and the words that begin a loop over a list. Some of them also exist
as files, which a script does not run."""


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command: its name and operands, quotes removed; `line` counts from 1."""

    words: tuple[str, ...]
    line: int

    @property
    def name(self) -> str:
        return self.words[0]


def commands(text: str) -> Iterator[Command]:
    """The simple commands of `text` in order, those in `$( )` and quotes among them."""
    words: list[str] = []
    line = 1
    start = 1
    skip_next = False
    for match in _TOKEN.finditer(_without_heredocs(text)):
        kind, token = match.lastgroup, match[0]
        if kind == "word":
            if skip_next:
                skip_next = False
            else:
                start = start if words else line
                words.append(token)
            for inner in _substituted(token):
                yield from (Command(c.words, line) for c in commands(inner))
        elif kind == "redirection":
            skip_next = True
        elif kind == "separator":
            if match[0] != "(" or len(words) != 1:  # else the name of a function that begins here
                yield from _simple(words, start)
            words = []
            skip_next = False
        line += token.count("\n")
    yield from _simple(words, start)


def _substituted(word: str) -> Sequence[str]:
    """The texts of the substitutions in a word: `$( )`, nested ones, and backquotes."""
    if word.startswith("'"):
        return ()
    if '"' in word and ("`" in word or word.count("$(") > 1):
        # Without its quotes the tokenizer tells the levels apart.
        return (word.replace('"', " ")[min(_at(word, "$("), _at(word, "`")) :],)
    return _SUBSTITUTION.findall(word)


def _at(text: str, part: str) -> int:
    found = text.find(part)
    return len(text) if found < 0 else found


def _without_heredocs(text: str) -> str:
    """`text` with the bodies of here-documents blanked, but for what is substituted in them."""
    if "<<" not in text:
        return text
    lines = text.split("\n")
    ends: deque[tuple[str, bool]] = deque()
    for number, line in enumerate(lines):
        if not ends:
            ends.extend((match[2], not match[1]) for match in _HEREDOC.finditer(line))
            continue
        end, is_expanded = ends[0]
        substituted = _SUBSTITUTION.findall(line) if is_expanded else ()
        lines[number] = "; ".join(substituted)
        if line.strip("\t") == end:
            ends.popleft()
            lines[number] = ""
    return text if ends else "\n".join(lines)


def _simple(words: Sequence[str], line: int) -> Iterator[Command]:
    """The command that `words` are, and those that builtins among them run in turn."""
    at = _after(words, 0)
    for _ in range(_MOST_PREFIXES):
        if at >= len(words) or words[at] in _KEYWORDS:
            return
        plain = tuple(map(_unquoted, words[at:]))
        yield Command(plain, line)
        if plain[0] not in _PREFIXES:
            return
        at += 1
        while at < len(words) and words[at].startswith("-"):
            at += 2 if words[at] == "-a" else 1
        at = _after(words, at)


def _after(words: Sequence[str], at: int) -> int:
    """The first place from `at` on that holds neither an opening word nor an assignment."""
    while at < len(words) and (words[at] in _OPENERS or _ASSIGNMENT.match(words[at])):
        at += 1
    return at


def _unquoted(word: str) -> str:
    """`word` without its quotes; what is expanded stays as written."""
    return re.sub(r"\\(.)|\\\n|['\"]", lambda match: match[1] or "", word)


def may_be_command(word: str) -> bool:
    """Whether an operand may be a command's name: `find -exec rm`, `command -v curl`."""
    return len(word) > 1 and "/" not in word and is_literal(word) and word not in BUILTINS


def is_literal(word: str) -> bool:
    """Whether nothing in `word` is left to the shell to expand."""
    return not re.search(r"[$`*?\[~]", word)
