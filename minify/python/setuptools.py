"""What setuptools stands in for: distutils, and scripts that look up their entry points.

https://setuptools.pypa.io/en/latest/deprecated/distutils-legacy.html
https://setuptools.pypa.io/en/latest/deprecated/easy_install.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from minify.python import standard_library
from minify.python.distributions import Distribution, Distributions, normalized
from minify.python.finder import Finder
from minify.python.layout import Installation

_REQUIREMENT = re.compile(r"[=<>!~\[;]")


def stand_ins(name: str, finder: Finder, installed: Installation) -> Iterator[str]:
    """What setuptools has in the place of a module of distutils that Python lacks."""
    hook, top = standard_library.HOOK_OF_DISTUTILS, standard_library.DISTUTILS
    parts = name.split(".")
    if parts[0] != top or all(hook not in file.imports for file in installed.path_files):
        return
    names = (".".join(parts[: number + 1]) for number in range(len(parts)))
    lacking = next((one for one in names if finder.find(one) is None), "")
    copy = standard_library.COPY_OF_DISTUTILS
    if lacking and finder.find(copy + lacking.removeprefix(top)) is not None:
        yield from (hook, copy + name.removeprefix(top))


def started(
    texts: Sequence[tuple[str, int]], distributions: Distributions
) -> Iterator[tuple[Distribution, str]]:
    """What a script runs that has the texts `console_scripts` and `name==version`."""
    found = dict(texts)
    for text in found if "console_scripts" in found else ():
        name = normalized(_REQUIREMENT.split(text, maxsplit=1)[0])
        distribution = distributions.by_name.get(name)
        if distribution is not None:
            for group, reference in distribution.entry_points:
                if group == "console_scripts":
                    yield distribution, reference
