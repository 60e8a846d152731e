"""Where in a script something stands."""

from __future__ import annotations

from dataclasses import dataclass

from minify.closure import CONFIG, Context, Reason
from minify.filetree.path import joined
from minify.shell import Named, Run


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a script, or of a text in it."""

    path: str
    """The script; CONFIG for the configuration's own command line."""
    line: int
    directory: str | None
    """The working directory; None if it is not known."""

    @classmethod
    def of(cls, found: Run | Named) -> Place:
        return cls(found.path, found.line, found.directory)

    @property
    def beside(self) -> str:
        """The directory that the script is in."""
        return self.path.rpartition("/")[0] or "/"

    def reason(self, rule: str, what: str) -> Reason:
        """`/entrypoint.sh:12 runs sed`."""
        if self.path == CONFIG:
            return Reason(rule, CONFIG, what)
        return Reason(rule, self.path, f"{self.path}:{self.line} {what}")

    def absolute(self, path: str, context: Context) -> str:
        return joined(self.directory or context.workdir, path)
