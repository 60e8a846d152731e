"""The user's `--keep` and `--drop` globs.

`*` and `?` stay within one component, `**` crosses them, and a pattern that matches a directory
means all that is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from minify.closure.finding import USER, Finding, Grade, Need, Reason
from minify.errors import UsageError
from minify.filetree import FileTree, ImagePath
from minify.filetree.path import ancestors


@dataclass(frozen=True, slots=True)
class Pattern:
    """One glob and the flag that gave it, for messages."""

    flag: str
    glob: str

    def expression(self) -> re.Pattern[str]:
        """The glob as a regular expression over whole paths; UsageError if it is none."""
        if not self.glob.startswith("/"):
            raise UsageError(
                f"{self.flag} {self.glob}: a pattern is an absolute path in the image, with * ? []"
                " within a name and ** across directories"
            )
        glob = self.glob.rstrip("/") or "/"
        parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]/]+\])", glob)
        try:
            return re.compile("".join(map(_translated, parts)))
        except re.error as error:
            raise UsageError(f"{self.flag} {self.glob}: {error}") from error

    def matches(self, tree: FileTree) -> tuple[ImagePath, ...]:
        """The paths that match, sorted; UsageError if there is none."""
        if not re.search(r"[*?\[]", self.glob):
            # A plain path may cross links, as on the command line of any tool.
            expression = self.expression()
            entry = tree.resolve(self.glob, follow_last=False).entry
            found = [entry.path] if entry else []
        else:
            expression = self.expression()
            found = sorted(path for path in tree.entries if expression.fullmatch(path))
        if not found:
            raise UsageError(f"{self.flag} {self.glob}: nothing in the image matches")
        return tuple(found)


def _translated(part: str) -> str:
    special = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if part in special:
        return special[part]
    if part.startswith("[") and part.endswith("]"):
        body = part[1:-1].replace("\\", r"\\").replace("[", r"\[")
        return f"[^{body[1:]}]" if body.startswith(("!", "^")) else f"[{body}]"
    return re.escape(part)


def keep_findings(globs: Sequence[str], tree: FileTree) -> Iterator[Finding]:
    """A need for each match of the `--keep` globs; what is in a matched directory comes too."""
    for glob in globs:
        for path in Pattern("--keep", glob).matches(tree):
            reason = Reason("user.keep", USER, f"--keep {glob}")
            yield Need(path, reason, Grade.HARD, whole_tree=True)


class Dropped:
    """Whether a path is dropped by the user's `--drop` globs: matched, or below a match."""

    def __init__(self, globs: Sequence[str], tree: FileTree) -> None:
        """UsageError if a glob matches nothing."""
        self._paths = {path for glob in globs for path in Pattern("--drop", glob).matches(tree)}

    def __call__(self, path: ImagePath) -> bool:
        if not self._paths:
            return False
        return path in self._paths or any(above in self._paths for above in ancestors(path))
