from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from minify.errors import ImageError, OutputError
from minify.image.blob import Blob, BytesBlob, FileBlob, HostFile, Spool, read_all, spooled

DATA = bytes(range(256))


def _host_file(tmp_path: Path) -> HostFile:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return HostFile.open(path, "the file")


@pytest.fixture(params=["bytes", "file", "spool"])
def blob(request: pytest.FixtureRequest, tmp_path: Path) -> Blob:
    """The bytes 16 to 240 of DATA."""
    if request.param == "bytes":
        return BytesBlob(DATA[16:240])
    if request.param == "file":
        return FileBlob(_host_file(tmp_path), 16, 224)
    return spooled([DATA[16:100], b"", DATA[100:240]], "the spool")


def test_every_stream_has_its_own_position(blob: Blob) -> None:
    one, other = blob.open(), blob.open()
    assert one.read(3) == DATA[16:19]
    assert other.read(2) == DATA[16:18]
    one.seek(200)
    assert one.read(100) == DATA[216:240]
    assert (one.read(1), one.tell(), other.tell()) == (b"", 224, 2)
    one.seek(1 << 62)
    assert one.read(1) == b""
    blob.check_unchanged()


def test_a_blob_keeps_its_file_open_and_the_last_one_closes_it(tmp_path: Path) -> None:
    file = _host_file(tmp_path)
    fd = file.fd
    blob = FileBlob.whole(file)
    (tmp_path / "file").unlink()
    del file
    assert blob.open().read(2) == DATA[:2]
    assert os.fstat(fd).st_nlink == 0
    del blob
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_a_file_that_changes_or_shrinks_is_noticed(tmp_path: Path) -> None:
    blob = FileBlob.whole(_host_file(tmp_path))
    blob.check_unchanged()
    (tmp_path / "file").write_bytes(DATA[:100])
    with pytest.raises(ImageError, match="the file was changed while it was read"):
        blob.check_unchanged()
    with pytest.raises(ImageError, match="the file was shortened while it was read"):
        blob.open().read(200)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "."):
        with pytest.raises(OSError, match="not a regular file"):
            HostFile.open(tmp_path / name, "it")
    with pytest.raises(FileNotFoundError):
        HostFile.open(tmp_path / "missing", "it")


def test_small_documents_have_a_bound() -> None:
    assert read_all(BytesBlob(DATA), limit=256, name="config") == DATA
    with pytest.raises(ImageError, match="config is larger than 255 bytes"):
        read_all(BytesBlob(DATA), limit=255, name="config")


def test_a_spool_is_read_while_it_grows_and_has_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spool = Spool("the layer")
    spool.write(DATA)
    assert spool.read_at(250, 10) == DATA[250:]
    spool.write(b"more")
    assert (spool.size, spool.read_at(254, 10)) == (260, DATA[254:] + b"more")
    assert list(tmp_path.iterdir()) == []
    blob = spool.blob()
    del spool
    assert blob.open().read(1) == DATA[:1]


def test_a_spool_without_a_place_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(OutputError, match=r"the temporary file for the layer cannot .* TMPDIR"):
        Spool("the layer")


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full")
def test_a_full_disk_says_what_to_do() -> None:
    spool = Spool("the layer")
    full = os.open("/dev/full", os.O_RDWR)
    os.dup2(full, spool._fd)  # the descriptor now leads to a device that is full
    os.close(full)
    assert stat.S_ISCHR(os.fstat(spool._fd).st_mode)
    with pytest.raises(OutputError, match="No space left on device; set TMPDIR"):
        spool.write(DATA)
