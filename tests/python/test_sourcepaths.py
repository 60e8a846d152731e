"""Paths among the constants of sources: a text in, all that may be opened out."""

from __future__ import annotations

import time

import pytest

from minify.python.sourcepaths import climbs, paths

PATHS = {
    'open("/srv/x.csv")': ["/srv/x.csv"],
    "MODELS = r'/models/'": ["/models"],
    'f"/data/{day}/x" "/data/%s.csv" "/logs/day-{}"': ["/data", "/logs"],
    'Path("/opt") / "models" / "a.bin"': ["/opt", "/opt/models", "/opt/models/a.bin"],
    'os.path.join("/opt", "models", f"{name}.bin")': ["/opt", "/opt/models"],
    'Path("/opt").joinpath(x)': ["/opt"],
    '("/a/b", "/c/d")': ["/a/b", "/a/b/c/d", "/c/d"],
    'expanduser("~/nltk_data")': ["~/nltk_data"],
    '"a/b" "//host/x y" "/a b" "https://h/x" "/x/../y" # /no/quotes': [],
    '"/static/<int:id>"': [],
}
CLIMBS = {
    "Path(__file__).parent / 'x'": 1,
    "Path(__file__).resolve().parent.parent": 2,
    "Path(__file__).parents[2]": 3,
    "dirname(dirname(abspath(__file__)))": 2,
    "join(dirname(__file__), '..', '..', 'data')": 3,
    "join(dirname(__file__), '../data')": 2,
    "here.parent.parent": 0,
    "__file__": 0,
}


@pytest.mark.parametrize("text", PATHS)
def test_paths(text: str) -> None:
    assert list(paths(text.encode())) == PATHS[text]


@pytest.mark.parametrize("text", CLIMBS)
def test_climbs(text: str) -> None:
    assert climbs(f"import os\nX = {text}\n".encode()) == CLIMBS[text]


@pytest.mark.parametrize(
    "text", ['"/', '"/a', "'/a'/", '"/a","b",', "__file__", ".parent", "\n", "~/"]
)
def test_time_is_linear(text: str) -> None:
    start = time.process_time()
    content = text.encode() * (1_000_000 // len(text))
    assert len(list(paths(content))) <= 70_000
    assert climbs(content) <= 6
    assert time.process_time() - start < 5
