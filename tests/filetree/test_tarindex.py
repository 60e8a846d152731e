from __future__ import annotations

import io
import tarfile
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filetree.kit import (
    Dialect,
    Member,
    block,
    character,
    described,
    directory,
    fifo,
    file,
    hardlink,
    layer_of,
    symlink,
    tar_of,
    unhurried,
)
from minify.errors import ImageError
from minify.filetree.entry import Entry, Kind
from minify.filetree.tarindex import read_entries

USTAR: Dialect = tarfile.USTAR_FORMAT
GNU: Dialect = tarfile.GNU_FORMAT
PAX: Dialect = tarfile.PAX_FORMAT


def entries_of(data: bytes) -> list[Entry]:
    return list(read_entries(layer_of(data).open(), 0, "layer 0"))


def listed(data: bytes) -> list[str]:
    return [f"{entry.path}: {described(entry)}" for entry in entries_of(data)]


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        entries_of(data)
    return str(caught.value)


def pax(payload: bytes, kind: bytes = tarfile.XHDTYPE, size: int | None = None) -> bytes:
    """An extended header as it stands in an archive; `size` is what it claims."""
    info = tarfile.TarInfo("extended")
    info.type, info.size = kind, len(payload) if size is None else size
    return info.tobuf(USTAR) + payload + bytes(-len(payload) % 512)


def record(keyword: str, value: str) -> bytes:
    body = f" {keyword}={value}\n".encode()
    length = len(body) + len(str(len(body)))
    return str(length if len(str(length)) + len(body) == length else length + 1).encode() + body


END = bytes(1024)


# What tarfile reads.

_components = st.builds(
    lambda piece, times: piece * times,
    st.binary(min_size=1, max_size=3).filter(lambda piece: not {0, ord("/"), ord(".")} & {*piece}),
    st.integers(1, 84),
)
_names = st.lists(_components, min_size=1, max_size=4).map(
    # Of all names, a first one must not begin as gzip or zstd do.
    lambda parts: "n" + b"/".join(parts).decode("utf-8", "surrogateescape")
)
_values = st.binary(max_size=9).map(lambda value: value.decode("utf-8", "surrogateescape"))
_owners = st.text("ab.-ä", max_size=4) | st.just("ö" * 30)
_kinds = st.sampled_from(
    [
        tarfile.REGTYPE,
        tarfile.AREGTYPE,
        tarfile.CONTTYPE,
        tarfile.DIRTYPE,
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
    ]
)
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_LINKS = (tarfile.SYMTYPE, tarfile.LNKTYPE)
_DEVICES = (tarfile.CHRTYPE, tarfile.BLKTYPE)


@st.composite
def _members(draw: st.DrawFn, dialect: Dialect) -> Member:
    kind = draw(_kinds)
    ids = st.integers(0, 2**21 - 1 if dialect == USTAR else 2**32 - 2)
    seconds = st.integers(0, 2**33 - 1) if dialect == USTAR else st.integers(-(2**40), 2**40)
    time = str(draw(seconds))
    xattrs: dict[str, str] = {}
    if dialect == PAX:
        time += draw(st.just("") | st.integers(0, 10**12).map(".{:06}".format))
        keys = st.sampled_from(["user.a", "user.b.c", "security.capability", "trusted.ä"])
        xattrs = draw(st.dictionaries(keys, _values, max_size=3))
    numbers = st.integers(0, 0o7777777)
    name = draw(_names)
    if kind == tarfile.AREGTYPE and len(name) >= 100:
        kind = tarfile.REGTYPE  # tarfile takes it for a directory if its 100th byte is a slash
    return Member(
        name,
        kind,
        b"x" * draw(st.integers(0, 1100)) if kind in _FILES else b"",
        draw(_names) if kind in _LINKS else "",
        draw(st.integers(0, 0o7777)),
        draw(ids),
        draw(ids),
        draw(_owners),
        draw(_owners),
        time,
        (draw(numbers), draw(numbers)) if kind in _DEVICES else (0, 0),
        {f"SCHILY.xattr.{key}": value for key, value in xattrs.items()},
    )


@st.composite
def _archives(draw: st.DrawFn) -> bytes:
    dialect = draw(st.sampled_from((USTAR, GNU, PAX)))
    members = draw(st.lists(_members(dialect), max_size=5))
    if dialect == USTAR:
        members = [member for member in members if _fits_ustar(member)]
    return tar_of(members, dialect=dialect)


def _fits_ustar(member: Member) -> bool:
    try:
        tar_of([member], dialect=USTAR)
    except ValueError:  # a name or link too long
        return False
    return True


_KINDS = {
    tarfile.DIRTYPE: Kind.DIRECTORY,
    tarfile.SYMTYPE: Kind.SYMLINK,
    tarfile.LNKTYPE: Kind.HARDLINK,
    tarfile.CHRTYPE: Kind.CHARACTER,
    tarfile.BLKTYPE: Kind.BLOCK,
    tarfile.FIFOTYPE: Kind.FIFO,
}


def as_tarfile_reads(data: bytes) -> list[Entry]:
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8") as archive:
        return [_entry_of(info) for info in archive]


def _entry_of(info: tarfile.TarInfo) -> Entry:
    kind = _KINDS.get(info.type, Kind.FILE)
    path = "/" + "/".join(part for part in info.name.split("/") if part not in ("", "."))
    target = info.linkname if kind in (Kind.SYMLINK, Kind.HARDLINK) else ""
    if kind is Kind.HARDLINK:
        target = "/" + "/".join(part for part in target.split("/") if part not in ("", "."))
    xattrs = {
        key.removeprefix("SCHILY.xattr."): value
        for key, value in info.pax_headers.items()
        if key.startswith("SCHILY.xattr.")
    }
    return Entry(
        path,  # type: ignore[arg-type]
        kind,
        info.mode,
        info.uid,
        info.gid,
        info.uname,
        info.gname,
        info.pax_headers.get("mtime", str(info.mtime)),
        tuple(sorted(xattrs.items())),
        target,
        (info.devmajor, info.devminor) if info.ischr() or info.isblk() else (0, 0),
        size=info.size if kind is Kind.FILE else 0,
        layer=0,
        offset=info.offset_data if kind is Kind.FILE else 0,
    )


@unhurried
@given(_archives())
def test_every_archive_is_read_as_tarfile_reads_it(data: bytes) -> None:
    assert entries_of(data) == as_tarfile_reads(data)


# Dialects.


def test_all_that_a_member_says_is_read() -> None:
    members = [
        directory("./"),
        directory("/etc", mode=0o2700, uid=1, gid=2),
        file("etc/a", "12", mode=0o4755, uid=2**31, mtime="-3.125", xattrs={"user.x": "\udcff\0"}),
        replace(file("etc/b"), uname="root", gname="wheel", mtime="1234567890.123456789"),
        symlink("etc/c", "../x//y/."),
        hardlink("etc/d", "./etc/a"),
        character("dev/null", 1, 3),
        block("dev/sda", 8, 0),
        fifo("run/pipe"),
    ]
    assert listed(tar_of(members)) == [
        "/: dir 0755",
        "/etc: dir 2700 1:2",
        "/etc/a: file 4755 2147483648:0 @-3.125 user.x='\\udcff\\x00'",
        "/etc/b: file 0644 (root:wheel) @1234567890.123456789",
        "/etc/c: link -> ../x//y/.",
        "/etc/d: hard link 0644 -> /etc/a",
        "/dev/null: char 0644 1,3",
        "/dev/sda: block 0644 8,0",
        "/run/pipe: fifo 0644",
    ]


def test_empty_archive_has_no_entries() -> None:
    assert listed(END) == []
    assert listed(bytes(10240)) == []


def test_old_archives_write_directories_as_files_with_a_slash() -> None:
    members = [Member("old/", tarfile.AREGTYPE, mode=0o700), Member("old/a", tarfile.AREGTYPE)]
    data = bytearray(tar_of(members, dialect=USTAR))
    for start in (0, 512):
        data[start + 257 : start + 265] = bytes(8)  # no magic: Unix Version 7
        data[start + 148 : start + 156] = b" " * 8
        data[start + 148 : start + 155] = b"%06o\0" % sum(data[start : start + 512])
    assert listed(bytes(data)) == ["/old: dir 0700", "/old/a: file 0644"]


@pytest.mark.parametrize("dialect", [GNU, PAX])
def test_an_old_file_is_no_directory_by_a_slash_where_its_long_name_was_cut(
    dialect: Dialect,
) -> None:
    name = "n" * 99 + "/a"
    data = tar_of([Member(name, tarfile.AREGTYPE, b"content")], dialect=dialect)
    assert listed(data) == [f"/{name}: file 0644"]


@pytest.mark.parametrize("dialect", [USTAR, GNU, PAX])
def test_a_file_of_a_newer_archive_stays_one_whatever_its_name(dialect: Dialect) -> None:
    # GNU tar makes a directory of it; Go, and so every engine, a file.
    data = tar_of([file("a/", "content"), "b"], dialect=dialect)
    assert listed(data) == ["/a: file 0644", "/b: file 0644"]


def test_times_in_old_gnu_headers_are_no_prefix_of_the_name() -> None:
    info = tarfile.TarInfo("name")
    header = bytearray(info.tobuf(GNU))
    header[345:357] = b"14000000000\0"  # atime, as `tar --format=gnu --incremental` has it
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\0" % sum(header)
    assert listed(bytes(header) + END) == ["/name: file 0644"]


def test_global_headers_are_ignored_as_docker_ignores_them() -> None:
    data = pax(record("uid", "7") + record("path", "x"), tarfile.XGLTYPE) + tar_of(["a"])
    assert listed(data) == ["/a: file 0644"]


def test_empty_pax_value_takes_the_record_back() -> None:
    data = pax(record("path", "x") + record("path", "")) + tar_of(["a"])
    assert listed(data) == ["/a: file 0644"]


def test_empty_xattr_is_one() -> None:
    assert listed(tar_of([file("a", xattrs={"user.e": ""})])) == ["/a: file 0644 user.e=''"]


def test_pax_size_counts_and_not_the_header() -> None:
    data = pax(record("size", "600")) + tar_of(["a"])[:512] + bytes(1024) + tar_of(["b"])
    assert [(e.path, e.size, e.offset) for e in entries_of(data)] == [
        ("/a", 600, 1536),
        ("/b", 0, 3072),
    ]


def test_directories_and_links_have_no_content_whatever_size_they_state() -> None:
    info = tarfile.TarInfo("d")
    info.type, info.size = tarfile.DIRTYPE, 4096
    assert listed(info.tobuf(PAX) + tar_of(["d/a"])) == ["/d: dir 0644", "/d/a: file 0644"]


# Strictness.


def _small_archive() -> bytes:
    return b"".join(
        [
            tar_of(["etc/", file("etc/a", "x" * 600)], dialect=USTAR)[:-1024],
            tar_of(["l" * 120 + "/" + "n" * 120, "b -> " + "t" * 120], dialect=GNU)[:-1024],
            tar_of([file("ä" * 60, "y", mtime="1.5", xattrs={"user.a": "b"}), "secret"]),
        ]
    )


def test_an_archive_cut_anywhere_is_refused() -> None:
    data = _small_archive()
    whole = len(entries_of(data))
    assert whole == 6
    cuts = {place for start in range(0, len(data), 512) for place in range(start - 2, start + 3)}
    cuts |= set(range(0, len(data), 37))
    for cut in sorted(cuts & set(range(len(data)))):
        assert "truncated" in refusal(data[:cut]), cut


def test_a_damaged_header_is_refused_or_means_the_same() -> None:
    data = _small_archive()
    entries = entries_of(data)
    headers = [offset for offset in range(0, len(data) - 1024, 512) if _is_header(data, offset)]
    assert len(headers) == 9
    for header in headers:
        for place in range(header, header + 512):
            for mask in (0x01, 0x10, 0x80, 0xFF):
                damaged = bytearray(data)
                damaged[place] ^= mask
                try:
                    found = entries_of(bytes(damaged))
                except ImageError:
                    continue
                assert found == entries, (place, mask)


def _is_header(data: bytes, offset: int) -> bool:
    return data[offset + 257 : offset + 262] == b"ustar"


def test_damage_in_an_extended_header_loses_no_member() -> None:
    data = _small_archive()
    entries = entries_of(data)
    start = data.index(b"SCHILY.xattr") - 20
    for place in range(start, start + 60):
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        try:
            found = entries_of(bytes(damaged))
        except ImageError:
            continue
        assert (found[:4], found[5:]) == (entries[:4], entries[5:]), place


def test_the_error_names_layer_place_and_last_member() -> None:
    data = tar_of(["a", "b"])
    damaged = data[:600] + b"!" + data[601:]
    assert refusal(damaged) == (
        "layer 0: the tar is damaged: byte 512 starts no valid header (bad checksum),"
        " after member 'a'"
    )
    assert refusal(data[:1024]) == (
        "layer 0: the tar is truncated: it ends without its end marker, after member 'b'"
    )


@pytest.mark.parametrize(
    ("end", "message"),
    [
        (b"", "it ends without its end marker"),
        (bytes(512), "its end marker is one block, not two"),
        (bytes(512) + b"x" * 512, "its end marker is one block, not two"),
        (bytes(600), "its end marker is one block, not two"),
        (bytes(1024) + b"\n", "bytes follow its end marker"),
        (bytes(400_000) + b"\n", "bytes follow its end marker"),
        (bytes(1024) + tar_of(["b"]), "bytes follow its end marker"),
    ],
)
def test_an_archive_ends_with_two_zero_blocks_and_nothing_else(end: bytes, message: str) -> None:
    assert message in refusal(tar_of(["a"])[:-1024] + end)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"path=x\n", "a PAX header has a record without a length"),
        (b"0 path=x\n", "a PAX header has a record without a length"),
        (b"9999999999 path=x\n", "a PAX header has a record without a length"),
        (b"99 path=x\n", "a PAX header has a record whose length is wrong"),
        (b"8 path=x\n", "a PAX header has a record whose length is wrong"),
        (b"3 \n", "a PAX header has a record that is no keyword=value"),
        (b"2 \n", "a PAX header has a record whose length is wrong"),
        (b"9 path x\n", "a PAX header has a record that is no keyword=value"),
        (b"5 =x\n", "a PAX header has a record that is no keyword=value"),
        (b"9 p\0th=x\n", "a PAX header has a record that is no keyword=value"),
        (record("path", "x") + b"\0", "a PAX header has a record without a length"),
        (record("mtime", "nan"), "member 'a' has 'nan' as its time"),
        (record("mtime", "inf"), "member 'a' has 'inf' as its time"),
        (record("mtime", "1e3"), "member 'a' has '1e3' as its time"),
        (record("mtime", "9223372036854775808"), "as its time"),
        (record("uid", "-1"), "member 'a' has '-1' as its user id"),
        (record("uid", "4294967295"), "has a user id of 4294967295, which is out of bounds"),
        (record("gid", "x"), "member 'a' has 'x' as its group id"),
        (record("size", "-1"), "member 'a' has '-1' as its size"),
        (record("size", "9" * 30), "as its size"),
        (record("size", "٣"), "member 'a' has '٣' as its size"),
        (record("uname", "a\0b"), "has an owner's name with a NUL byte"),
        (
            record("size", "99999999"),
            "member 'a' is truncated: not all of its 99,999,999 bytes are there",
        ),
        (record("size", str(2**63 - 1)), "is truncated: not all of its 9,223,372"),
    ],
)
def test_malformed_pax_records_are_refused(payload: bytes, message: str) -> None:
    found = refusal(pax(payload) + tar_of(["a"]))
    assert message in found
    assert len(found) < 300


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("..", "climbs out of the image by '..'"),
        ("a/../b", "climbs out of the image by '..'"),
        ("/../b", "climbs out of the image by '..'"),
        ("a\0b", "holds a NUL byte"),
        ("n" * 256, "has a component longer than 255 bytes"),
        ("ä" * 128, "has a component longer than 255 bytes"),
        ("/".join(["n" * 200] * 21), "is longer than 4,095 bytes"),
    ],
)
def test_names_no_system_can_have_are_refused(name: str, message: str) -> None:
    assert message in refusal(pax(record("path", name)) + tar_of(["a"]))
    link = pax(record("linkpath", name)) + tar_of(["a => b"])
    assert "member 'a' is a hard link to" in refusal(link)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("/etc/a", "/etc/a"),
        ("//etc///a/", "/etc/a"),
        ("./././a", "/a"),
        ("...", "/..."),
        ("a\nb\x1b[1m", "/a\nb\x1b[1m"),
        ("n" * 255, "/" + "n" * 255),
        (".", "/"),
        ("/", "/"),
    ],
)
def test_names_are_read_as_below_the_root(name: str, path: str) -> None:
    assert [e.path for e in entries_of(pax(record("path", name)) + tar_of(["a/"]))] == [path]


@pytest.mark.parametrize("kind", [b"V", b"M", b"D", b"N", b"X", b"z", b"8", b"\xff"])
def test_unknown_kinds_of_members_are_refused(kind: bytes) -> None:
    assert f"'a' is of the unknown type {kind!r}" in refusal(tar_of([Member("a", kind)]))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_to_nothing_are_refused(kind: bytes) -> None:
    assert "to nothing that can be a path" in refusal(tar_of([Member("a", kind)]))


def test_device_numbers_out_of_bounds_are_refused() -> None:
    data = tar_of([character("a", 2**40, 0)], dialect=GNU)
    assert "device number of 1099511627776, which is out of bounds" in refusal(data)


def test_negative_size_is_refused() -> None:
    info = tarfile.TarInfo("a")
    info.size = -512
    assert "'a' has a size of -512" in refusal(info.tobuf(GNU) + END)


def test_extended_header_without_a_member_is_refused() -> None:
    assert "an extended header has no member" in refusal(pax(record("path", "x")) + END)


# What readers read differently is refused, for the engine may run another image than we see.


@pytest.mark.parametrize(
    "kinds",
    ["xx", "LL", "KK", "xLx", "xg", "Lgx", "ggggggggg"],
)
def test_extended_headers_that_no_tool_writes_are_refused(kinds: str) -> None:
    payloads = {"x": record("path", "b"), "g": record("path", "b"), "L": b"b\0", "K": b"b\0"}
    headers = b"".join(pax(payloads[kind], kind.encode()) for kind in kinds)
    assert "the tar is refused: " in refusal(headers + tar_of(["a"]))


@pytest.mark.parametrize("kinds", ["x", "gx", "ggx", "LK", "KL", "xLK"])
def test_extended_headers_that_tools_write_are_read(kinds: str) -> None:
    payloads = {"x": record("mtime", "5"), "g": record("mtime", "6"), "L": b"n\0", "K": b"t\0"}
    headers = b"".join(pax(payloads[kind], kind.encode()) for kind in kinds)
    entry = entries_of(headers + tar_of(["a -> b"]))[0]
    assert (entry.path, entry.target, entry.mtime) == (
        "/n" if "L" in kinds else "/a",
        "t" if "K" in kinds else "b",
        "5" if "x" in kinds else "0",
    )


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, b"L", b"K"])
@pytest.mark.parametrize("size", [(1 << 20) + 1, 1 << 32])
def test_extended_header_bombs_are_refused_before_they_are_read(kind: bytes, size: int) -> None:
    data = pax(b"", kind, size) + bytes(4 << 20)
    stream = layer_of(data).open()
    tracemalloc.start()
    try:
        with pytest.raises(ImageError, match="an extended header of"):
            list(read_entries(stream, 0, "layer 0"))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_many_large_extended_headers_do_not_add_up() -> None:
    one = pax(record("user.x", "x" * 900_000)) + tar_of(["a"])[:512]
    stream = layer_of(one * 40 + END).open()
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_entries(stream, 0, "layer 0")) == 40
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
