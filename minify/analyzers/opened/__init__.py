"""What is opened by name while a program runs, and in no table of its ELF files.

Most of it is a row of a table (`table`): what shows it (a function that is called, a library that
is loaded), what that opens, how likely it is, and what it costs. `matching` goes from rows to
findings; `strings` looks for names in the files themselves. A likelihood is not a grade: what is
opened by name is never refused an image for, and `--keep-dlopen` says how much of it stays.
"""

from __future__ import annotations

from minify.analyzers.opened.table import RULES

__all__ = ["RULES"]
