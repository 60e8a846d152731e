"""What a question about a path is answered from."""

from __future__ import annotations

from dataclasses import dataclass

from minify.filetree import FileTree
from minify.packages import Packages
from minify.report.result import Result


@dataclass(frozen=True, slots=True)
class Explanation:
    """A plan and what it was made of, so that what is dropped can be named too."""

    result: Result
    tree: FileTree
    """The source, whole."""
    packages: Packages
    dropped: tuple[str, ...] = ()
    """The globs of `--drop`."""
