"""The job for every platform of an index: what comes out of which source, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cli.kit import document, run
from filetree.kit import Members, file, image_of, shown
from transports import kit
from transports.registries import distribution

from minify import platforms
from minify.errors import CheckError, ClosureError, ImageError, OutputError, UsageError
from minify.filetree import FileTree
from minify.image import Image, Platform, Reference
from minify.image.jsontext import Json
from minify.pipeline import Options
from minify.platforms import Wanted
from minify.report import FORMATS, IndexResult, Result
from minify.transports import (
    ImageIndex,
    OpenOptions,
    PlatformImage,
    WriteOptions,
    open_images,
    write_image,
    write_index,
)

RUN: dict[str, Json] = {"Cmd": ["/app"]}
SCRIPT = file("app", "#!/bin/none\n", mode=0o755)
EVIL = "a\x1b[31m\n[/]"
SAFE = r"a\x1b[31m\x0a[/]"
ARM = Platform("linux", "arm", "v7", "6.1", ("vfp",))


def image(architecture: str, members: Members = (), *, variant: str = "") -> Image:
    """An image whose program, which needs nothing, says which architecture it is for."""
    made = image_of(RUN, [file("app", f"\x7f {architecture}", mode=0o755), "unused", *members])
    platform = {"architecture": architecture, **({"variant": variant} if variant else {})}
    return replace(
        made, config=made.config.changed(platform), annotations={"com.example.image": architecture}
    )


def entry(made: Image, platform: Platform | str = "", **annotations: str) -> PlatformImage:
    if isinstance(platform, str):
        architecture = made.config.platform.architecture
        platform = Platform.parse(platform or f"linux/{architecture}")
    return PlatformImage(made, platform, annotations)


AMD = entry(image("amd64"), entry="the first")
ARM64 = entry(image("arm64", variant="v8"), "linux/arm64/v8")
ARM7 = entry(image("arm"), ARM, entry="the third")  # the config does not say that it is v7
WINDOWS = entry(image("amd64"), Platform("windows", "amd64", "", "10.0"))
PROOF = entry(
    image("amd64"), "unknown/unknown", **{"vnd.docker.reference.type": "attestation-manifest"}
)
BROKEN = entry(image("riscv64", [SCRIPT]))
ALL = (AMD, ARM64, ARM7)


def written(directory: Path, *entries: PlatformImage, name: str = "in") -> str:
    """A layout with an index of `entries`; its reference."""
    reference = f"oci:{directory / name}:1"
    index = ImageIndex(entries, {"com.example": "the index's"})
    write_index(index, Reference.parse(reference), WriteOptions())
    return reference


def done(
    source: str,
    target: str | None,
    wanted: Wanted = (),
    options: Options | None = None,
    *,
    dry_run: bool = False,
) -> Result | IndexResult:
    return platforms.run(source, target, options or Options(), wanted, dry_run=dry_run)


def index_of(reference: str) -> dict[str, Any]:
    """All of an index but its images' files, which are shown by `trees`."""
    found = open_images(Reference.parse(reference), OpenOptions())
    return {
        "annotations": found.annotations,
        "skipped": found.skipped,
        "images": [(one.platform.json(), one.annotations) for one in found.images],
        "manifests": [one.open().annotations for one in found.images],
        "configs": [str(one.open().config.platform) for one in found.images],
    }


def programs(reference: str) -> list[str]:
    """Of each image of an index what its program is, and that nothing is there that it is not."""
    found = []
    for one in open_images(Reference.parse(reference), OpenOptions()).images:
        tree = shown(FileTree.from_layers(one.open().layers))
        assert tree.keys() == {"/app", "/etc", "/etc/group", "/etc/passwd", "/tmp"}  # noqa: S108
        found.append(tree["/app"])
    return found


def chosen(*texts: str) -> tuple[Platform, ...]:
    return tuple(map(Platform.parse, texts))


EXPECTED: dict[str, Any] = {
    "annotations": {"com.example": "the index's"},
    "skipped": (),
    "images": [
        ({"architecture": "amd64", "os": "linux"}, {"entry": "the first"}),
        ({"architecture": "arm64", "os": "linux", "variant": "v8"}, {}),
        (
            {
                "architecture": "arm",
                "os": "linux",
                "os.version": "6.1",
                "os.features": ["vfp"],
                "variant": "v7",
            },
            {"entry": "the third"},
        ),
    ],
    "manifests": [{"com.example.image": name} for name in ("amd64", "arm64", "arm")],
    "configs": ["linux/amd64", "linux/arm64/v8", "linux/arm"],
}
PLATFORMS = "linux/amd64, linux/arm64/v8, linux/arm/v7"
PROGRAMS = [rf"file 0755 '\x7f {name}'" for name in ("amd64", "arm64", "arm")]


@pytest.mark.parametrize("medium", ["oci", "oci-archive"])
@pytest.mark.parametrize("wanted", [(), None], ids=["default", "all"])
def test_an_index_gives_an_index_with_all_that_is_said_of_its_images(
    medium: str, wanted: Wanted, tmp_path: Path
) -> None:
    source = written(tmp_path, AMD, WINDOWS, ARM64, PROOF, ARM7)
    target = f"{medium}:{tmp_path / 'out'}:2"
    result = done(source, target, wanted)
    assert isinstance(result, IndexResult)
    assert index_of(target) == EXPECTED
    assert programs(target) == PROGRAMS
    found = open_images(Reference.parse(target), OpenOptions())
    assert found.digest is not None
    assert (result.reference, result.digest) == (target, found.digest)
    assert ", ".join(str(one.platform) for one in result.results) == PLATFORMS
    summary = FORMATS["summary"](result)
    assert [line for line in summary.splitlines() if line.startswith(("oci", "left", "wrote"))] == [
        f"{source} (linux/amd64)",
        f"{source} (linux/arm64/v8)",
        f"{source} (linux/arm/v7)",
        *(f"left out of {source}: {text}" for text in result.skipped),
        f"wrote {target} (index {found.digest.short}: {PLATFORMS})",
    ]
    assert [text.partition(": ")[2] for text in result.skipped] == [
        "an image for windows/amd64",
        "attestation-manifest",
    ]


@pytest.mark.engine
def test_the_same_in_a_registry(tmp_path: Path) -> None:
    with distribution(tmp_path / "registry") as registry:
        source = f"docker://{registry.address}/app:1"
        index = ImageIndex(ALL, {"com.example": "the index's"})
        write_index(index, Reference.parse(source), WriteOptions())
        result = done(source, f"{source}-slim")
        assert isinstance(result, IndexResult)
        assert index_of(f"{source}-slim") == EXPECTED
        assert programs(f"{source}-slim") == PROGRAMS
        tags = registry.tags("app")
        assert (str(result.source_digest), str(result.digest)) == (tags["1"], tags["1-slim"])
        assert done(f"{source}-slim", source).reference == source
        assert registry.tags("app") == {"1": tags["1-slim"], "1-slim": tags["1-slim"]}


def test_an_index_may_take_its_source_s_place(tmp_path: Path) -> None:
    source = written(tmp_path, *ALL)
    done(source, source)
    assert index_of(source) == EXPECTED
    assert programs(source) == PROGRAMS


@dataclass(frozen=True)
class Case:
    wanted: Wanted
    expected: Sequence[int]
    entries: Sequence[PlatformImage] = ALL
    is_one: bool = False
    skipped: Sequence[str] = field(default=())


CASES = {
    "one": Case(chosen("linux/arm64"), [1], is_one=True),
    "one, twice": Case(chosen("linux/arm64", "linux/arm64"), [1], is_one=True),
    "one, in two ways": Case(chosen("linux/arm64", "linux/arm64/v8"), [1], is_one=True),
    "one whose config has no variant": Case(chosen("linux/arm/v7"), [2], is_one=True),
    "two, in the index's order": Case(chosen("linux/arm/v7", "linux/amd64"), [0, 2]),
    "a variant that is the default": Case(chosen("linux/amd64/v1", "linux/arm"), [0, 2]),
    "all of one": Case(None, [0], [AMD, PROOF], is_one=True, skipped=["attestation-manifest"]),
    "one of one": Case(
        (), [0], [AMD, WINDOWS], is_one=True, skipped=["an image for windows/amd64"]
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_asked_for_is_what_comes_out(case: Case, tmp_path: Path) -> None:
    source, target = written(tmp_path, *case.entries), f"oci:{tmp_path / 'out'}:2"
    result = done(source, target, case.wanted)
    assert index_of(target)["images"] == (
        # One image has a platform of its own and no index that would say it.
        [(case.entries[number].image.config.platform.json(), {}) for number in case.expected]
        if case.is_one
        else [EXPECTED["images"][number] for number in case.expected]
    )
    assert programs(target) == [PROGRAMS[number] for number in case.expected]
    assert [text.partition(": ")[2] for text in result.skipped] == list(case.skipped)
    found = open_images(Reference.parse(target), OpenOptions())
    assert (found.digest is None) == case.is_one == isinstance(result, Result)
    said = FORMATS["summary"](result).splitlines()
    assert [line for line in said if line.startswith("left out")] == [
        f"left out of {source}: {text}" for text in result.skipped
    ]
    assert said[-1].startswith(f"wrote {target} ({'image id' if case.is_one else 'index'} ")


@pytest.mark.parametrize("wanted", [(), None], ids=["default", "all"])
def test_an_image_that_is_in_no_index_gives_an_image(wanted: Wanted, tmp_path: Path) -> None:
    source, target = f"oci:{tmp_path / 'in'}:1", f"oci:{tmp_path / 'out'}:1"
    write_image(AMD.image, Reference.parse(source), WriteOptions())
    result = done(source, target, wanted)
    assert isinstance(result, Result)
    assert open_images(Reference.parse(target), OpenOptions()).digest is None


def test_several_variants_of_an_architecture_are_several_platforms(tmp_path: Path) -> None:
    six = entry(image("arm", ["etc/six"]), "linux/arm/v6")
    source = written(tmp_path, six, ARM7)
    both = done(source, f"oci:{tmp_path / 'both'}", chosen("linux/arm/v7", "linux/arm/v6"))
    assert isinstance(both, IndexResult)
    assert [str(one.platform) for one in both.results] == ["linux/arm/v6", "linux/arm/v7"]
    one = done(source, f"oci:{tmp_path / 'one'}", chosen("linux/arm/v6"))
    assert isinstance(one, Result)
    assert one.source.manifest_digest == both.results[0].result.source.manifest_digest
    with pytest.raises(
        ImageError, match=r"choose one with --platform: linux/arm/v6, linux/arm/v7$"
    ):
        done(source, f"oci:{tmp_path / 'two'}", chosen("linux/arm"))


def test_two_images_for_one_platform_are_both_there(tmp_path: Path) -> None:
    newer = entry(image("arm"), replace(ARM, os_version="6.2"))
    source, target = written(tmp_path, ARM7, newer), f"oci:{tmp_path / 'out'}"
    result = done(source, target)
    assert isinstance(result, IndexResult)
    versions = [platform["os.version"] for platform, _ in index_of(target)["images"]]
    assert versions == ["6.1", "6.2"]


def test_the_same_index_gives_the_same_digest_and_so_does_its_result(tmp_path: Path) -> None:
    source = written(tmp_path, *ALL)
    results = [
        done(source, f"oci:{tmp_path / 'one'}:1"),
        done(source, f"oci-archive:{tmp_path / 'two.tar'}:2"),
        done(f"oci:{tmp_path / 'one'}:1", f"oci:{tmp_path / 'three'}:3"),
    ]
    digests = {one.digest for one in results if isinstance(one, IndexResult)}
    assert len(digests) == 1
    assert len(results) == 3


@pytest.mark.parametrize(
    ("source", "target", "wanted", "said"),
    [
        (
            "{index}",
            "docker-archive:{here}/out.tar",
            None,
            "docker-archive: holds an image for one platform; for several name one of docker://,",
        ),
        (
            "{index}",
            "app:slim",
            chosen("linux/amd64", "linux/arm64"),
            "a daemon holds an image for one platform; for several name docker://docker.io/library/app:",
        ),
        (
            "docker-archive:{here}/in.tar",
            "oci:{here}/out",
            None,
            "in.tar: docker-archive: holds an image for one platform; for all of them name one of",
        ),
        (
            "app:1",
            "oci:{here}/out",
            None,
            "a daemon holds an image for one platform; for all of them name docker://docker.io/library/",
        ),
        ("{index}", "rootfs:{here}/out", None, "rootfs: is no output"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_medium_for_one_platform_says_what_holds_several(
    source: str, target: str, wanted: Wanted, *, said: str, dry_run: bool, tmp_path: Path
) -> None:
    index = written(tmp_path, *ALL)
    places = {"index": index, "here": tmp_path}
    with pytest.raises(UsageError) as refused:
        done(source.format(**places), target.format(**places), wanted, dry_run=dry_run)
    assert said in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("target", ["docker-archive:{}/out.tar", "docker-archive:{}/out.tar:a:1"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_where_one_can_be_kept_no_platform_is_assumed(
    target: str, *, dry_run: bool, tmp_path: Path
) -> None:
    source = written(tmp_path, *ALL)
    target = target.format(tmp_path)
    listed = "--platform: linux/amd64, linux/arm/v7, linux/arm64/v8"
    with pytest.raises(ImageError, match=listed):
        done(source, target, dry_run=dry_run)
    assert not (tmp_path / "out.tar").exists()
    result = done(source, target, chosen("linux/arm64"), dry_run=dry_run)
    assert isinstance(result, Result)
    assert str(result.source.config.platform) == "linux/arm64/v8"
    assert (tmp_path / "out.tar").exists() != dry_run


@pytest.mark.parametrize(
    "texts", [["linux/s390x"], ["linux/amd64", "linux/s390x"], ["windows/amd64", "linux/amd64"]]
)
def test_a_platform_that_is_not_there_is_told_with_those_that_are(
    texts: list[str], tmp_path: Path
) -> None:
    source = written(tmp_path, *ALL, WINDOWS)
    with pytest.raises(ImageError) as refused:
        done(source, f"oci:{tmp_path / 'out'}", chosen(*texts))
    absent = next(text for text in texts if text != "linux/amd64")
    assert absent in str(refused.value)
    for there in ("linux/amd64", "linux/arm64/v8", "linux/arm/v7"):
        assert there in str(refused.value).partition(absent)[2]
    assert not (tmp_path / "out").exists()


def test_an_entry_that_names_another_platform_than_its_image_is_refused(tmp_path: Path) -> None:
    source = written(tmp_path, AMD, entry(image("amd64"), "linux/s390x"))
    with pytest.raises(ImageError, match=r"linux/s390x: .* for linux/s390x; there is linux/amd64"):
        done(source, f"oci:{tmp_path / 'out'}")


@pytest.mark.parametrize("medium", ["oci", "oci-archive"])
@pytest.mark.parametrize(
    ("entries", "options", "error", "said"),
    [
        ([AMD, BROKEN, ARM64], Options(), ClosureError, r"linux/riscv64: .*/bin/none"),
        (
            [entry(image("amd64", ["d/gap -> /nowhere"])), ARM64],
            Options(keep=("/d/*",), strict=True),
            CheckError,
            "linux/amd64: --strict: 1 gap: what may be missing or not work",
        ),
        (
            [entry(image("amd64", ["d/gap"])), entry(image("arm64", ["d/gap -> /nowhere"]))],
            Options(keep=("/d/*",), strict=True),
            CheckError,
            "linux/arm64: --strict: 1 gap: what may be missing or not work",
        ),
    ],
)
def test_one_platform_that_fails_fails_them_all_by_name(
    medium: str,
    entries: list[PlatformImage],
    options: Options,
    *,
    error: type[Exception],
    said: str,
    tmp_path: Path,
) -> None:
    source = written(tmp_path, *entries)
    before = kit.listing(tmp_path)
    with pytest.raises(error, match=said) as refused:
        done(source, f"{medium}:{tmp_path / 'out'}", options=options)
    name = said.partition(":")[0]
    assert all(line.startswith(f"{name}: ") for line in str(refused.value).splitlines())
    assert kit.listing(tmp_path) == before


def test_an_output_that_cannot_be_is_told_before_the_work(tmp_path: Path) -> None:
    out = kit.write_file(tmp_path / "out.tar", b"mine")
    # A source that cannot be read shows that nobody has tried.
    with pytest.raises(OutputError, match="exists; say --force"):
        done(f"oci:{tmp_path / 'none'}", f"oci-archive:{out}")
    source = written(tmp_path, *ALL)
    assert done(source, f"oci-archive:{out}", options=Options(force=True)).reference


def test_a_damaged_platform_fails_them_all(tmp_path: Path) -> None:
    source = written(tmp_path, *ALL)
    layer = ARM7.image.layers[0].digest
    assert layer is not None
    (tmp_path / "in/blobs/sha256" / layer.hex).write_bytes(b"no tar")
    with pytest.raises(ImageError, match=r"^linux/arm/v7: .*damaged|^linux/arm/v7: .*expected"):
        done(source, f"oci:{tmp_path / 'out'}")
    assert not (tmp_path / "out").exists()


# -- the command --------------------------------------------------------------------------------


def test_the_command_writes_an_index_and_tells_of_it(tmp_path: Path) -> None:
    source = written(tmp_path, AMD, ARM64, PROOF)
    target, report, identity = f"oci:{tmp_path / 'out'}:1", tmp_path / "report", tmp_path / "id"
    code, out, err = run(source, "-o", target, "--json", "--report", report, "--iidfile", identity)
    assert (code, err) == (0, "")
    found = document(out)
    assert document(report.read_text()) == found
    index = open_images(Reference.parse(target), OpenOptions())
    start = open_images(Reference.parse(source), OpenOptions())
    assert identity.read_text() == str(index.digest)
    assert found["source_index"] == {
        "name": source,
        "digest": str(start.digest),
        "skipped": list(start.skipped),
    }
    assert found["output_index"] == {"reference": target, "digest": str(index.digest)}
    assert [
        (one["platform"], one["source"]["manifest_digest"], one["source"]["index_digest"])
        for one in found["images"]
    ] == [(str(one.platform), str(one.digest), str(start.digest)) for one in start.images]
    assert [
        (one["output"]["reference"], one["output"]["manifest_digest"]) for one in found["images"]
    ] == [(f"oci:{tmp_path / 'out'}@{one.digest}", str(one.digest)) for one in index.images]


def test_a_dry_run_of_an_index_shows_the_plan_of_each_platform(tmp_path: Path) -> None:
    source = written(tmp_path, AMD, ARM64)
    code, out, err = run(source, "--dry-run", "--report", tmp_path / "report")
    assert (code, err) == (0, "")
    why = "config.cmd: CMD /app, by the image's configuration"
    assert [line for line in out.splitlines() if " /app " in line or "oci:" in line] == [
        f"-0755         0:0            7  /app  # {why}",
        f"{source} (linux/amd64)",
        f"-0755         0:0            7  /app  # {why}",
        f"{source} (linux/arm64/v8)",
    ]
    last = "nothing was written; it would be an index of linux/amd64, linux/arm64/v8"
    assert out.splitlines()[-1] == last
    found = document((tmp_path / "report").read_text())
    assert found["output_index"] is None
    assert [one["output"] for one in found["images"]] == [None, None]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "report"]


def test_a_dry_run_is_refused_what_the_run_would_be(tmp_path: Path) -> None:
    source = written(tmp_path, *ALL)
    code, out, err = run(source, "--dry-run", "-o", f"docker-archive:{tmp_path / 'a.tar'}")
    assert (code, out, err.count("\n")) == (4, "", 1)
    assert "choose one with --platform: linux/amd64, linux/arm/v7, linux/arm64/v8" in err


def test_the_platforms_of_the_command_line_are_those_of_the_index(tmp_path: Path) -> None:
    source, target = written(tmp_path, *ALL), f"oci:{tmp_path / 'out'}:1"
    code, out, _ = run(
        source, "-o", target, "--platform", "linux/arm64", "--platform", "linux/amd64"
    )
    assert code == 0
    assert out.splitlines()[-1].endswith(": linux/amd64, linux/arm64/v8)")
    assert programs(target) == PROGRAMS[:2]


def test_one_platform_that_cannot_be_closed_is_exit_3(tmp_path: Path) -> None:
    source = written(tmp_path, AMD, BROKEN)
    code, out, err = run(source, "-o", f"oci:{tmp_path / 'out'}", "--json")
    assert code == 3
    failure = document(out)["error"]
    assert (failure["kind"], failure["exit_code"]) == ("ClosureError", 3)
    assert all(line.startswith("linux/riscv64: ") for line in failure["lines"])
    assert "linux/riscv64: " in err
    assert not (tmp_path / "out").exists()


def hostile(directory: Path) -> str:
    """An index whose platforms and annotations say more to a terminal than they should."""
    strange = replace(
        AMD.image, config=AMD.image.config.changed({"architecture": EVIL}), annotations={}
    )
    return written(directory, entry(strange, Platform("linux", EVIL, EVIL)), AMD, PROOF)


@pytest.mark.parametrize("more", [[], ["--json"], ["--dry-run"]], ids=["", "json", "dry-run"])
def test_what_an_index_says_is_escaped(more: list[str], tmp_path: Path) -> None:
    source, target = hostile(tmp_path), f"oci:{tmp_path / 'out'}:1"
    code, out, err = run(source, "-o", target, *more)
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    if more == ["--json"]:
        assert document(out)["images"][0]["platform"] == f"linux/{SAFE}/{SAFE}"
        assert index_of(target)["images"][0][0]["variant"] == EVIL
    else:
        assert f"{source} (linux/{SAFE}/{SAFE})\n" in out


def test_what_an_index_says_is_escaped_in_errors(tmp_path: Path) -> None:
    code, out, err = run(
        hostile(tmp_path), *("-o", f"oci:{tmp_path / 'out'}"), "--platform", "linux/none"
    )
    assert (code, out, err.count("\n"), "\x1b" in err) == (4, "", 1, False)
    assert f"linux/{SAFE}/{SAFE}" in err
