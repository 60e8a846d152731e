"""The chain from a kept path back to what was asked for."""

from __future__ import annotations

import pytest

from minify.closure import CONFIG, Grade, KeepSet, Kept, Reason
from minify.filetree import ImagePath


def keep_set(described: dict[str, str]) -> KeepSet:
    """`!` is hard; the words are who asks: a path, or a word for the configuration."""
    kept = {}
    for path, text in described.items():
        askers = text.removeprefix("!").split()
        found = (Reason("r", by if by.startswith("/") else CONFIG, f"{by}?") for by in askers)
        grade = Grade.HARD if text.startswith("!") else Grade.SOFT
        kept[ImagePath(path)] = Kept(grade, tuple(sorted(found)))
    return KeepSet(kept, (), (), (), (), {})


@pytest.mark.parametrize(
    ("described", "chain"),
    [
        ({}, []),
        ({"/a": "cmd"}, ["/a cmd?"]),
        ({"/a": "/b", "/b": "/c", "/c": "cmd"}, ["/a /b?", "/b /c?", "/c cmd?"]),
        # The first reason leads further round than the second.
        (
            {"/a": "/b /d", "/b": "/c", "/c": "/d", "/d": "cmd"},
            ["/a /d?", "/d cmd?"],
        ),
        # A circle is left, and one that leads nowhere is shown as it is.
        ({"/a": "/a /b", "/b": "/a /c", "/c": "/b cmd"}, ["/a /b?", "/b /c?", "/c cmd?"]),
        ({"/a": "/b", "/b": "/a"}, ["/a /b?"]),
        # What is surely used is so because of what is.
        (
            {"/a": "!/b /c", "/b": "cmd", "/c": "!/d", "/d": "!cmd"},
            ["/a /c?", "/c /d?", "/d cmd?"],
        ),
        # Who asks need not be kept: then it is a root.
        ({"/a": "/gone"}, ["/a /gone?"]),
    ],
)
def test_the_chain_is_the_shortest_that_leads_to_a_root(
    described: dict[str, str], chain: list[str]
) -> None:
    found = keep_set(described).why(ImagePath("/a"))
    assert [f"{path} {reason.detail}" for path, reason in found] == chain


def test_a_long_chain_takes_linear_time() -> None:
    described = {f"/{number}": f"/{number + 1}" for number in range(50_000)}
    chain = keep_set({**described, "/50000": "cmd"}).why(ImagePath("/0"))
    assert len(chain) == 50_001
