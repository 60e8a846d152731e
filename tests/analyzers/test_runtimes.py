"""Runtimes that are made of scripts: each brings the commands and the library of the whole."""

from __future__ import annotations

import pytest
from closure.kit import planned
from filetree.kit import Member, file

from minify.filetree import ImagePath

_SCRIPT = "#!/bin/sh\nexec $(something)\n"
MEMBERS: list[Member | str] = [
    file("bin/sh", "\x7f", mode=0o755),
    file("usr/lib/erlang/bin/erl", _SCRIPT, mode=0o755),
    file("usr/lib/elixir/bin/elixir", _SCRIPT, mode=0o755),
    file("usr/lib/R/bin/R", _SCRIPT, mode=0o755),
    file("usr/bin/Rscript", "\x7f", mode=0o755),
    "usr/bin/erl -> ../lib/erlang/bin/erl",
    "usr/bin/elixir -> ../lib/elixir/bin/elixir",
    "usr/bin/R -> ../lib/R/bin/R",
    "usr/lib/erlang/lib/stdlib.beam: x",
    "usr/lib/elixir/lib/elixir.beam: x",
    "usr/lib/R/library/base: x",
]


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        ("erl", ("/usr/lib/erlang/lib/stdlib.beam", "/bin/sh")),
        ("elixir", ("/usr/bin/erl", "/usr/lib/erlang/lib/stdlib.beam", "/usr/lib/elixir/lib")),
        ("Rscript", ("/usr/bin/R", "/usr/lib/R/library/base", "/bin/sh")),
    ],
)
def test_what_is_made_of_scripts_stays_whole(command: str, needed: tuple[str, ...]) -> None:
    kept = planned({"Cmd": [command, "/app/x"], "Env": ["PATH=/usr/bin"]}, MEMBERS).keep.kept
    assert set(needed) - set(kept) == set()
    assert command != "erl" or ImagePath("/usr/lib/elixir/lib") not in kept
