"""`why` on a real image, whose package names and links are a distribution's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from images.build import BuiltImage

import minify
from minify import Explanation, Options
from minify.report import user_text
from minify.report.why import Fate

pytestmark = pytest.mark.engine

LIBRARIES = "/usr/lib/x86_64-linux-gnu"


@pytest.fixture(scope="module")
def curl(image: Callable[[str], BuiltImage]) -> Explanation:
    return minify.explain(f"docker-archive:{image('curl').archive}")


def test_a_library_is_found_by_its_soname_and_leads_back_to_the_program(
    curl: Explanation,
) -> None:
    (answer,) = minify.why(curl, "libz.so.1")
    assert answer.path.startswith(f"{LIBRARIES}/libz.so.1.")
    assert [link.path for link in answer.links] == [f"{LIBRARIES}/libz.so.1"]
    assert [package.split()[0] for package in answer.packages] == ["zlib1g"]
    assert [path for path, _ in answer.chain] == ["/usr/bin/curl", answer.path]


def test_a_merged_directory_is_a_link_on_the_way(curl: Explanation) -> None:
    loader, program = minify.why(curl, "/lib64/ld-linux-x86-64.so.2", "/bin/curl")
    assert next((link.path, link.is_kept) for link in loader.links) == ("/lib64", True)
    assert [(link.path, link.target) for link in program.links] == [("/bin", "usr/bin")]


def test_what_is_dropped_has_its_package_and_can_be_kept(curl: Explanation) -> None:
    (answer,) = minify.why(curl, "perl")
    assert (answer.fate, answer.packages[0].split()[0]) == (Fate.DROPPED, "perl-base")
    source = curl.result.source.name
    again = minify.explain(source, Options(keep=(answer.keep_with,)))
    (kept,) = minify.why(again, "perl")
    assert [(path, reason.rule) for path, reason in kept.chain] == [("/usr/bin/perl", "user.keep")]


def test_every_kept_path_has_a_chain_that_ends_in_no_path(curl: Explanation) -> None:
    keep = curl.result.plan.keep
    odd = [path for path in keep.kept if keep.why(path)[-1][1].by in keep.kept]
    assert odd == []


def test_every_path_of_the_image_has_an_answer(curl: Explanation) -> None:
    paths = sorted(curl.tree.entries)[::97]
    found = minify.why(curl, *paths)
    assert [answer.asked for answer in found] == paths


def test_the_answer_about_the_user_names_it_and_how_to_run_it(curl: Explanation) -> None:
    text = user_text.text(curl.result)
    assert text.startswith("user 10001 (appuser): ")
    assert "\n    docker run --read-only " in text
    assert "\n      runAsUser: 10001\n" in text
