"""The outer tar is read strictly: what is not whole is refused, wherever it ends."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filetree.kit import Member, file, hardlink, symlink, tar_of

from minify.errors import ImageError
from minify.transports import archive
from minify.transports.archive import Archive, open_archive
from transports import kit

DIALECTS: dict[str, Callable[[], bytes]] = {
    "docker-archive": lambda: kit.old_docker_save([kit.sample("one").named("app:1")]),
    "docker-archive:new": lambda: kit.new_docker_save([kit.sample("one").named("app:1")]),
    "oci-archive": lambda: kit.tar(kit.layout([kit.sample("one")])),
}


def cuts(data: bytes) -> Iterator[tuple[int, str]]:
    """A cut at each header's start, within it, at its end, and within each member's content."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for info in tar:
            yield info.offset, f"at the header of {info.name}"
            yield info.offset + 100, f"in the header of {info.name}"
            yield info.offset_data, f"after the header of {info.name}"
            if info.size:
                yield info.offset_data + info.size // 2, f"in {info.name}"
                yield info.offset_data + info.size, f"after the content of {info.name}"
        end = info.offset_data + (info.size + 511) // 512 * 512
    yield end, "before the end marker"
    yield end + 512, "in the end marker"
    yield end + 1023, "in the last byte"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_cut_at_any_place_is_an_error(dialect: str, tmp_path: Path) -> None:
    data = DIALECTS[dialect]()
    path = tmp_path / "cut.tar"
    transport = dialect.partition(":")[0]
    assert kit.is_whole(kit.opened(f"{transport}:{kit.write_file(path, data)}"), kit.sample("one"))
    accepted = []
    for position, place in cuts(data):
        if data[position : position + 512].strip(b"\0") or position >= len(data) - 1024:
            path.write_bytes(data[:position])
            try:
                kit.opened(f"{transport}:{path}")
                accepted.append(place)
            except ImageError as error:
                assert str(path) in str(error)  # noqa: PT017 (all places are collected)
    assert accepted == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_corrupt_header_in_mid_archive_is_an_error(dialect: str, tmp_path: Path) -> None:
    data = DIALECTS[dialect]()
    with kit.repacked(data) as tar:
        offsets = [info.offset for info in tar]
    for offset in offsets:
        broken = bytearray(data)
        broken[offset + 1] ^= 0x20
        path = kit.write_file(tmp_path / "broken.tar", bytes(broken))
        with pytest.raises(ImageError, match=r"is no tar archive|is corrupt"):
            kit.opened(f"{dialect.partition(':')[0]}:{path}")


def read(tmp_path: Path, data: bytes) -> Archive:
    return open_archive(kit.write_file(tmp_path / "a.tar", data), "a.tar")


def refusal(tmp_path: Path, data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        read(tmp_path, data)
    return str(caught.value)


def test_one_block_of_zeros_is_no_end(tmp_path: Path) -> None:
    data = tar_of([file("a", b"1")])
    assert "end marker is not whole" in refusal(tmp_path, data[:-512])
    again = data[:-512] + data
    assert "bytes that are no tar follow" in refusal(tmp_path, again)


def test_bytes_after_the_end_are_refused_and_padding_is_not(tmp_path: Path) -> None:
    data = tar_of([file("a", b"1")])
    assert read(tmp_path, data + bytes(10_000)).find("a")
    assert "bytes that are no tar follow" in refusal(tmp_path, data + bytes(300_000) + b"x")


def test_a_size_beyond_the_file_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("big")
    info.size = 1 << 40
    assert "truncated" in refusal(tmp_path, info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    info.size = 5
    assert "truncated" in refusal(tmp_path, info.tobuf() + b"12345")


def test_a_negative_size_is_refused(tmp_path: Path) -> None:
    header = bytearray(tarfile.TarInfo("a").tobuf())
    header[124:136] = b"\xff" * 12
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * ord(" ") + sum(header[156:]))
    assert "negative size" in refusal(tmp_path, bytes(header) + bytes(1024))


def test_long_names_of_all_dialects_are_read(tmp_path: Path) -> None:
    name = "d/" * 150 + "é.json"
    for dialect in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        data = tar_of([file(name, b"here"), hardlink("l", name)], dialect=dialect)
        found = read(tmp_path, data).find("./l")
        assert found
        assert found.open().read(9) == b"here"


def test_links_are_followed_inside_only(tmp_path: Path) -> None:
    found = read(tmp_path, tar_of([file("a/b", b"x"), symlink("c/d", "../a/b")])).find("c/d")
    assert found
    assert found.size == 1
    assert "climbs out" in refusal(tmp_path, tar_of([symlink("c", "../../etc/passwd")]))
    assert "climbs out" in refusal(tmp_path, tar_of([file("../x", b"")]))
    loop = read(tmp_path, tar_of([symlink("a", "b"), symlink("b", "a")]))
    with pytest.raises(ImageError, match="leads in a circle"):
        loop.find("a")


@pytest.mark.parametrize(
    ("records", "said"),
    [
        (b"99 path=x\n", "malformed"),
        (b"0 path=x\n", "malformed"),
        (b"path=x\n", "malformed"),
        (b"11 size=-1\n\n", "malformed"),
        (b"11 size=-1\n", "its size is '-1'"),
        (b"22 GNU.sparse.major=1\n", "sparse"),
    ],
)
def test_bad_extended_headers_are_refused(records: bytes, said: str, tmp_path: Path) -> None:
    header = Member("x", tarfile.XHDTYPE, records)
    assert said in refusal(tmp_path, tar_of([header, file("a", b"1")]))


def test_extended_headers_are_bounded(tmp_path: Path) -> None:
    header = Member("x", tarfile.XHDTYPE, bytes(2 << 20))
    assert "2,097,152 bytes" in refusal(tmp_path, tar_of([header, file("a", b"1")]))


def test_an_extended_header_needs_its_member(tmp_path: Path) -> None:
    header = Member("x", tarfile.XHDTYPE, b"9 path=b\n")
    assert "not followed by a member" in refusal(tmp_path, tar_of([header]))


def test_devices_have_no_place_in_an_image_archive(tmp_path: Path) -> None:
    assert "member null: it is of type" in refusal(tmp_path, tar_of([Member("null", b"3")]))


def test_members_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MOST_MEMBERS", 3)
    assert read(tmp_path, tar_of(["a", "b", "c"]))
    assert "more than 3 members" in refusal(tmp_path, tar_of(["a", "b", "c", "d"]))


@pytest.mark.parametrize("way", ["gzip", "zstd"])
def test_a_compressed_archive_is_read(way: str, tmp_path: Path) -> None:
    one = kit.sample("one")
    packed = kit.zipped(kit.old_docker_save([one.named("app:1")]), way)
    path = kit.write_file(tmp_path / "a.tar.z", packed)
    assert kit.is_whole(kit.opened(f"docker-archive:{path}"), one)
    path.write_bytes(packed[:-9])
    with pytest.raises(ImageError, match="truncated"):
        kit.opened(f"docker-archive:{path}")


def test_what_is_no_tar_is_told(tmp_path: Path) -> None:
    assert "is no tar archive" in refusal(tmp_path, b"x" * 2000)
    assert refusal(tmp_path, b"#!/bin/sh\n") == "a.tar is no tar archive: it has only 10 bytes"
    assert refusal(tmp_path, b"") == "a.tar is no tar archive: it is empty"
    assert refusal(tmp_path, kit.zipped(b"", "gzip")) == "a.tar is no tar archive: it is empty"
    assert "compressed with xz" in refusal(tmp_path, b"\xfd7zXZ\x00" + bytes(600))
    with pytest.raises(ImageError, match=r"there is no file .*none\.tar"):
        kit.opened(f"docker-archive:{tmp_path}/none.tar")
    with pytest.raises(ImageError, match="is a directory"):
        kit.opened(f"docker-archive:{tmp_path}")
    with pytest.raises(ImageError, match="is no regular file"):
        kit.opened("docker-archive:/dev/null")
