from __future__ import annotations

import hashlib

import pytest

from minify.image import Digest, Platform

HEX = "0123456789abcdef" * 4


def test_a_digest_is_written_as_it_is_parsed() -> None:
    for text in (f"sha256:{HEX}", f"sha512:{HEX}{HEX}"):
        assert str(Digest.parse(text)) == text
    assert Digest.parse(f"sha256:{HEX}").short == "sha256:0123456789ab"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected sha256:<hex> or sha512:<hex>"),
        (HEX, "expected sha256:<hex> or sha512:<hex>"),
        (f"md5:{HEX}", "expected sha256:<hex> or sha512:<hex>"),
        (f"SHA256:{HEX}", "expected sha256:<hex> or sha512:<hex>"),
        ("sha256:", "expected 64 lower-case hex digits"),
        (f"sha256:{HEX[1:]}", "expected 64 lower-case hex digits"),
        (f"sha256:{HEX}\n", "expected 64 lower-case hex digits"),
        (f"sha256:{HEX.upper()}", "expected 64 lower-case hex digits"),
        (f"sha512:{HEX}", "expected 128 lower-case hex digits"),
        ("sha256:../../../../etc/passwd" + "0" * 38, "expected 64 lower-case hex digits"),
        ("sha256:" + "\u0660" * 64, "expected 64 lower-case hex digits"),
    ],
)
def test_what_is_no_digest_is_named(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match="is no digest") as caught:
        Digest.parse(text)
    assert str(caught.value) == f"{text!r} is no digest: {expected}"


def test_a_digest_of_bytes_is_their_sha256() -> None:
    assert Digest.of(b"x").hex == hashlib.sha256(b"x").hexdigest()
    hasher = Digest.parse(f"sha512:{HEX}{HEX}").hasher()
    hasher.update(b"x")
    assert hasher.hexdigest() == hashlib.sha512(b"x").hexdigest()


@pytest.mark.parametrize("text", ["linux/amd64", "linux/arm/v7", "windows/amd64"])
def test_a_platform_is_written_as_it_is_parsed(text: str) -> None:
    assert str(Platform.parse(text)) == text


@pytest.mark.parametrize("text", ["", "linux", "linux/", "/amd64", "linux//v8", "a/b/c/d"])
def test_what_is_no_platform_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no platform") as caught:
        Platform.parse(text)
    assert str(caught.value) == (f"{text!r} is no platform: expected os/architecture[/variant]")


def test_a_platform_of_a_document_takes_strings_only() -> None:
    fields = {"os": "linux", "architecture": "arm", "variant": 7, "os.version": "1"}
    assert str(Platform.of(fields)) == "linux/arm"
    assert str(Platform.of({})) == ""


def test_the_host_has_a_platform() -> None:
    assert Platform.host().os == "linux"
    assert Platform.host().matches(Platform.host())


@pytest.mark.parametrize(
    ("image", "wanted", "does_match"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/amd64", "linux/arm64", False),
        ("windows/amd64", "linux/amd64", False),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm64/v9", "linux/arm64/v8", False),
        ("linux/arm", "linux/arm/v7", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/arm/v6", "linux/arm", True),
        ("linux/amd64/v3", "linux/amd64", True),
        ("linux/amd64", "linux/amd64/v3", False),
        ("linux/riscv64", "linux/riscv64", True),
    ],
)
def test_an_image_answers_a_request(image: str, wanted: str, *, does_match: bool) -> None:
    assert Platform.parse(image).matches(Platform.parse(wanted)) is does_match
