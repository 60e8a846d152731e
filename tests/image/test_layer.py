from __future__ import annotations

import gzip
import sys
from dataclasses import replace

import pytest

from minify.errors import ImageError
from minify.image import Digest, Layer
from minify.image.blob import BytesBlob
from minify.image.layer import SizeLimit

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PLAIN = bytes(range(256)) * 4_000

STORED = {"plain": PLAIN, "gzip": gzip.compress(PLAIN, mtime=0), "zstd": zstd.compress(PLAIN)}


def layer_of(stored: bytes) -> Layer:
    return Layer(
        BytesBlob(stored), "layer 3 of 7", Digest.of(PLAIN), Digest.of(stored), len(stored)
    )


@pytest.fixture(params=list(STORED))
def layer(request: pytest.FixtureRequest) -> Layer:
    return layer_of(STORED[request.param])


def refusal(layer: Layer, limit: SizeLimit | None = None) -> str:
    with pytest.raises(ImageError) as caught:
        layer.open(limit or SizeLimit()).verify()
    return str(caught.value)


def test_a_layer_that_is_what_it_says_is_verified(layer: Layer) -> None:
    stream = layer.open()
    stream.verify()
    stream.seek(1000)
    assert stream.read(500) == PLAIN[1000:1500]
    stream.verify()


def test_reads_before_verification_may_go_back(layer: Layer) -> None:
    stream = layer.open()
    for start, size in [(0, 5_000), (100, 10), (4_000, 3_000), (7_000, 1), (0, 1)]:
        stream.seek(start)
        assert stream.read(size) == PLAIN[start : start + size]
    stream.skip(600_000)
    assert stream.read(3) == PLAIN[600_001:600_004]
    stream.skip(1 << 40)
    assert stream.tell() == len(PLAIN)
    assert stream.read(1) == b""
    stream.verify()


def test_a_digest_of_other_stored_bytes_is_found(layer: Layer) -> None:
    other = Digest.of(b"other")
    assert refusal(replace(layer, digest=other)) == (
        f"layer 3 of 7 is damaged: its digest is {layer.digest}; the image says {other}"
    )


def test_a_diff_id_of_other_plain_bytes_is_found(layer: Layer) -> None:
    other = Digest.of(b"other")
    assert refusal(replace(layer, diff_id=other)) == (
        f"layer 3 of 7 is damaged: its diff_id is {layer.diff_id}; the image says {other}"
    )
    assert "its diff_id is" in refusal(replace(layer, diff_id=other, digest=None))


def test_another_size_is_found(layer: Layer) -> None:
    assert layer.size is not None
    assert refusal(replace(layer, size=layer.size + 1000)) == (
        f"layer 3 of 7 has {layer.size:,} bytes; its manifest says {layer.size + 1000:,}"
    )


def test_a_digest_of_another_algorithm_is_compared_too() -> None:
    hasher = Digest("sha512", "").hasher()
    hasher.update(PLAIN)
    stated = Digest("sha512", hasher.hexdigest())
    replace(layer_of(PLAIN), digest=stated).open().verify()
    wrong = Digest("sha512", "0" * 128)
    assert f"the image says {wrong}" in refusal(replace(layer_of(PLAIN), digest=wrong))
    assert f"the image says {wrong}" in refusal(replace(layer_of(PLAIN), diff_id=wrong))


def test_damage_that_still_decompresses_is_found() -> None:
    for place in range(0, len(PLAIN), 50_021):
        damaged = bytearray(PLAIN)
        damaged[place] ^= 1
        layer = replace(layer_of(PLAIN), blob=BytesBlob(bytes(damaged)))
        assert "layer 3 of 7 is damaged: its digest is" in refusal(layer)


def test_what_is_not_stated_is_not_compared(layer: Layer) -> None:
    unknown = replace(layer, diff_id=None, digest=None, size=None)
    assert not unknown.is_verifiable
    stream = unknown.open()
    stream.verify()
    stream.skip(70_000)
    assert stream.read(2) == PLAIN[70_000:70_002]


@pytest.mark.parametrize("stored", [gzip.compress, zstd.compress])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_decompression_bomb_is_refused_soon_after_its_bound(
    stored: object, *, is_known: bool
) -> None:
    assert callable(stored)
    layer = layer_of(stored(bytes(50_000_000)))
    if not is_known:
        layer = replace(layer, diff_id=None, digest=None, size=None)
    stream = layer.open(SizeLimit(free=1 << 20, ratio=100))
    with pytest.raises(ImageError, match=r"layer 3 of 7 unpacks to more than .* bomb is refused"):
        stream.skip(40_000_000)
    assert stream.tell() < 6 << 20


def test_the_first_bytes_are_free_and_a_plain_layer_always() -> None:
    limit = SizeLimit(free=len(PLAIN), ratio=1)
    layer_of(STORED["gzip"]).open(limit).verify()
    assert "a decompression bomb" in refusal(
        layer_of(STORED["gzip"]), SizeLimit(free=len(PLAIN) - 1, ratio=1)
    )
    layer_of(PLAIN).open(SizeLimit(free=1, ratio=1)).verify()


@pytest.mark.parametrize(
    ("limit", "stored", "expected"),
    [
        (SizeLimit(), 0, 4 << 30),
        (SizeLimit(), 1 << 30, 100 << 30),
        (SizeLimit(), 1 << 40, 256 << 30),
        (SizeLimit(free=10, ratio=2, most=50), 3, 10),
        (SizeLimit(free=10, ratio=2, most=50), 20, 40),
        (SizeLimit(free=10, ratio=2, most=50), 30, 50),
    ],
)
def test_the_bound_grows_with_the_stored_size(limit: SizeLimit, stored: int, expected: int) -> None:
    assert limit.of(stored) == expected


def test_progress_counts_stored_bytes(layer: Layer) -> None:
    stream = layer.open()
    stream.verify()
    assert stream.stored_reached == layer.size
