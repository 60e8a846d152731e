"""The rules in words, for documentation: those of the table, and those that are code."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from minify.analyzers.opened import private_scripts, siblings, strings, unterminated
from minify.analyzers.opened.rule import Calls, Contains, Library, Program, Rule, Scope
from minify.analyzers.opened.table import RULES
from minify.closure import Likelihood

_FUNCTIONS_SHOWN = 4
_KEEPS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Described:
    """One rule in words."""

    name: str
    trigger: str
    keeps: str
    likelihood: Likelihood
    evidence: str
    cost: str
    number: int = 1
    """Which of the rows of that name it is."""

    @property
    def row(self) -> str:
        """The name; with `#2` the second of that name."""
        return f"{self.name}#{self.number}" if self.number > 1 else self.name


_CODE = (
    Described(
        strings.FILES,
        "a path among the texts of an ELF file",
        "the file, unless it is a program",
        Likelihood.LIKELY,
        "a path that stands alone and is there",
        "4 MB over twenty programs",
    ),
    Described(
        strings.PROGRAMS,
        "a program's path among the texts of an ELF file",
        "the program: likely if the application's own file says so, else guessed",
        Likelihood.LIKELY,
        "a path that stands alone and is there",
        "0.8 MB a program; guesses 15 MB for ffmpeg",
    ),
    Described(
        strings.DIRECTORIES,
        "a directory's path among the texts of the application's own files",
        "what is in it, without documentation and headers: likely if it is its own, else guessed",
        Likelihood.LIKELY,
        "modules and data are compiled in by their directory",
        "50 MB over twenty programs if every directory counted",
    ),
    Described(
        strings.LIBRARIES,
        "a library's name in a file that calls `dlopen`",
        "the library: likely for the application's own files, and where the file's package depends"
        " on the library's; else guessed",
        Likelihood.LIKELY,
        "the name is found as `dlopen` would find it",
        "guesses 24 MB over twenty programs",
    ),
    Described(
        strings.COMMANDS,
        "`word -x` in the application's own files that call `popen` or `system`",
        "the command that the first word is",
        Likelihood.LIKELY,
        "it is run by a shell",
        "0.4 MB",
    ),
    Described(
        siblings.RULE,
        "the end of a path, as `/gpg-agent`, in the application's own program that starts others",
        "the program beside it of that name, of the same upstream or of what that depends on;"
        " by a bare name guessed, unless it looks names up in PATH and both are of the same"
        " sources",
        Likelihood.LIKELY,
        "a program puts together where others are",
        "0 in fourteen programs",
    ),
    Described(
        unterminated.RULE,
        "a path in the application's own program of Go or Rust",
        "the file whose path is longest; programs are guessed",
        Likelihood.LIKELY,
        "texts follow each other without an end",
        "20 KB",
    ),
    Described(
        private_scripts.RULE,
        "a shell script of the application's own that it may run",
        "the binaries that it runs; other scripts are guessed, and all that a library's script"
        " runs which nothing names that is followed",
        Likelihood.LIKELY,
        "helpers and hooks are found by their directory",
        "0.4 MB",
    ),
)


def described() -> Iterator[Described]:
    """All rules, those of the table first."""
    numbers: dict[str, int] = {}
    for rule in RULES:
        numbers[rule.name] = numbers.get(rule.name, 0) + 1
        keeps = [f"`{pattern}`" for pattern in rule.keeps[:_KEEPS_SHOWN]]
        rest = len(rule.keeps) - len(keeps)
        keeps += [f"{rest} more"] if rest else []
        keeps += [_first_sentence(rule)] if rule.finds.__doc__ else []
        yield Described(
            rule.name,
            _trigger(rule),
            ", ".join(keeps),
            rule.likelihood,
            rule.evidence,
            rule.cost,
            numbers[rule.name],
        )
    yield from _CODE


def _first_sentence(rule: Rule) -> str:
    sentence = (rule.finds.__doc__ or "").partition("\n")[0].rstrip(".")
    return sentence[:1].lower() + sentence[1:]


def _trigger(rule: Rule) -> str:
    match rule.trigger:
        case Calls():
            names = sorted(rule.trigger.functions)
            shown = ", ".join(f"`{name}`" for name in names[:_FUNCTIONS_SHOWN])
            rest = len(names) - _FUNCTIONS_SHOWN
            words = f"calls {shown}{f' and {rest} more' if rest > 0 else ''}"
        case Library():
            pattern = rule.trigger.name.pattern.partition("(?:-[0-9a-f]")[0].removesuffix("\\.so")
            words = f"library `{pattern.replace('(?:', '(').replace('|', ' or ')}`"
        case Program():
            words = f"program `{rule.trigger.name.pattern.replace('|', ' or ')}`"
        case Contains():
            words = f"contains `{rule.trigger.strings[0].decode().strip(chr(0))}`"
    return f"{words}{_WHOSE[rule.scope]}"


_WHOSE = {
    Scope.ANY: "",
    Scope.FIRST_PARTY: ", in the application's own files",
    Scope.OTHERS: ", in others' files",
}


def page(run: Collection[str]) -> str:
    """docs/rules.md, whole. `run` are the rows without which a program was seen to fail."""
    rows = "".join(
        f"| {rule.name} | {rule.trigger} | {rule.keeps} | {rule.likelihood.name.lower()}"
        f" | {rule.evidence} | {rule.cost} | {'run' if rule.row in run else 'table'} |\n"
        for rule in described()
    )
    return f"{_HEAD}{rows}"


_HEAD = """# What is opened by name

No table of an ELF file tells what a program opens while it runs. These rules do, each by its
evidence; a kept file's reason names the rule. `--keep-dlopen` says how likely it must be (`likely`
by default): *certain* is what configuration or the documented behaviour of a linked library says,
*likely* is usual and depends on use, *guessed* only looks like it. What is left out is in the
report with its cost. `.note.dlopen` of a file counts as well: required is certain, recommended
likely, suggested guessed.

`@/` stands for the directories of libraries, the triggering file's own first. The cost is the bytes
of what a rule names in trees of Debian 12 with some four hundred packages each; what those trees do
not have is not measured.

The last column says how a row is tested. *run*: a real program does its work in a tree that was
made with all rows, and fails in one that was made without this row alone. *table*: what the row
keeps is tested, and nothing was run.

| rule | shown by | keeps | likelihood | evidence | cost | tested |
| --- | --- | --- | --- | --- | --- | --- |
"""
