"""What is minified already is left alone, unless something is wished for."""

from __future__ import annotations

from pathlib import Path

import pytest
from filetree.kit import Member, directory, file, image_of

import minify
from minify import Options
from minify.image import Reference
from minify.report.result import Result
from minify.transports import WriteOptions, write_image
from planning.kit import NET_RAW_EP, program, shown

MEMBERS: list[Member | str] = [
    program("app", mode=0o4755, capabilities=NET_RAW_EP),
    directory("data", mode=0o777),
    file("data/list", mode=0o666),
    program("tool", mode=0o4755),
]
KEEP = ("/tool",)


@pytest.fixture
def source(tmp_path: Path) -> str:
    reference = f"oci:{tmp_path / 'source'}"
    image = image_of({"Cmd": ["/app"], "Volumes": {"/data": {}}}, MEMBERS)
    write_image(image, Reference.parse(reference), WriteOptions())
    return reference


def run(source: str, name: str, options: Options) -> tuple[str, Result]:
    target = f"{source.removesuffix('source')}{name}" if "source" in source else f"{source}-{name}"
    return target, minify.minify(source, target, options)


@pytest.mark.parametrize("keep_setuid", [Options(keep=KEEP), Options(keep=KEEP, keep_setuid=True)])
@pytest.mark.parametrize("again", [Options(), Options(keep_setuid=True)])
def test_the_digest_is_the_same(source: str, keep_setuid: Options, again: Options) -> None:
    one, first = run(source, "one", keep_setuid)
    _, second = run(one, "two", again)
    assert first.manifest_digest == second.manifest_digest
    assert (second.plan.changes, second.plan.config_changes) == ((), ())
    assert second.plan.advice == first.plan.advice


def test_setuid_bits_that_were_kept_stay_for_another_user(source: str) -> None:
    one, _ = run(source, "one", Options(keep=KEEP, keep_setuid=True))
    _, second = run(one, "two", Options(user="5000"))
    found = shown(second.plan)
    assert found["/tool"] == "file 4755"
    assert found["/data"] == (
        "dir 0775 5000:5000 | given: owner 10001:10001 → 5000:5000: written to"
    )
    assert [change.name for change in second.plan.config_changes] == ["USER"]


def test_a_path_can_be_made_writable(source: str) -> None:
    one, _ = run(source, "one", Options())
    _, second = run(one, "two", Options(writable=("/cache",)))
    changed = {item.entry.path: item.change for item in second.plan.changes}
    assert changed == {"/cache": "added: a directory of 10001:10001: written to"}
