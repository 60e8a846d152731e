from __future__ import annotations

import random
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from filetree.kit import file, layer_of, tar_of

from minify.errors import ImageError, OutputError
from minify.filetree import FileTree
from minify.image import Layer
from minify.image.arriving import Arrival, ArrivingBlob
from minify.image.blob import BytesBlob, read_all

DATA = bytes(range(256)) * 40


@contextmanager
def sent(data: bytes, arrival: Arrival, last: object = None) -> Iterator[None]:
    """Writes `data` by and by in another thread, and ends with `last`, an error if it is one."""

    def send() -> None:
        for start in range(0, len(data), 99):
            arrival.write(data[start : start + 99])
        if isinstance(last, Exception):
            arrival.fail(last)
        else:
            arrival.end()

    thread = threading.Thread(target=send)
    thread.start()
    yield
    thread.join()


def test_reads_wait_for_their_bytes() -> None:
    arrival = Arrival(len(DATA), "it")
    blob = ArrivingBlob(arrival)
    one, other = blob.open(), blob.open()
    with sent(DATA, arrival):
        other.seek(9_000)
        assert other.read(10) == DATA[9_000:9_010]
        assert one.read(len(DATA) - 1) == DATA[:-1]
        assert (one.read(99), one.read(1), one.tell()) == (DATA[-1:], b"", len(DATA))
    assert read_all(blob, limit=len(DATA), name="it") == DATA
    assert blob.size == len(DATA)


def test_the_last_byte_is_given_when_all_are_known_to_be_right() -> None:
    arrival = Arrival(3, "it")
    stream = ArrivingBlob(arrival).open()
    arrival.write(b"abc")
    assert stream.read(2) == b"ab"
    arrival.fail(ImageError("it is damaged"))
    with pytest.raises(ImageError, match="it is damaged"):
        stream.read(1)
    with pytest.raises(ImageError, match="it is damaged"):
        ArrivingBlob(arrival).check_unchanged()


def test_nothing_of_a_blob_without_bytes_is_read_before_it_is_known_to_be_right() -> None:
    arrival = Arrival(0, "it")
    arrival.fail(OutputError("no room"))
    with pytest.raises(OutputError, match="no room"):
        ArrivingBlob(arrival).open().read(1)


def test_what_is_whole_does_not_fail_any_more() -> None:
    arrival = Arrival(1, "it")
    arrival.write(b"x")
    arrival.end()
    arrival.fail(ImageError("too late"))
    assert (ArrivingBlob(arrival).open().read(9), arrival.has_failed) == (b"x", False)


def test_an_error_that_is_no_users_reaches_the_reader_as_it_is() -> None:
    arrival = Arrival(1, "it")
    error = ZeroDivisionError()
    arrival.fail(error)
    with pytest.raises(ZeroDivisionError) as caught:
        ArrivingBlob(arrival).open().read(1)
    assert caught.value is error


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_layer_is_indexed_while_it_arrives(*, is_damaged: bool) -> None:
    content = random.Random(3).randbytes(300_000)  # noqa: S311 (no secret)
    plain = layer_of(tar_of([file("a", content), file("b", b"2")]))
    packed = zlib.compress(read_all(plain.blob, limit=1 << 20, name="it"), 6, 31)
    whole = Layer(BytesBlob(packed), "layer 1", plain.diff_id)
    arrival = Arrival(len(packed), "layer 1")
    layer = replace(whole, blob=ArrivingBlob(arrival))
    if not is_damaged:
        with sent(packed, arrival):
            tree = FileTree.from_layers([layer])
        assert tree.entries == FileTree.from_layers([whole]).entries
        return
    # What is told is not what the damage made of the archive, but what the blob's bringer found.
    middle = len(packed) // 2
    damaged = packed[:middle] + bytes(9) + packed[middle + 9 :]
    error = ImageError("layer 1 is damaged: its digest is another")
    with sent(damaged, arrival, error), pytest.raises(ImageError, match=r"digest is another$"):
        FileTree.from_layers([layer])
