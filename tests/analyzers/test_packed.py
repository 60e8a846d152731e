"""Programs of PyInstaller in one file: a real program with a small archive behind it."""

from __future__ import annotations

import marshal
import struct
import zlib

import pytest
from closure.kit import gaps, planned, why
from filetree.kit import Member, file

from analyzers.kit import LIBRARIES, compiled, libc
from minify.planning import Plan

LINKED = ("-shared", "-fPIC", "-Wl,--no-as-needed", "-lm")


def archive(items: dict[str, tuple[str, bytes]]) -> bytes:
    """https://pyinstaller.org/en/stable/advanced-topics.html#carchive"""
    body, table = b"", b""
    for name, (kind, content) in items.items():
        data = zlib.compress(content)
        named = name.encode() + b"\0"
        row = (18 + len(named), len(body), len(data), len(content), 1, kind.encode())
        table += struct.pack("!IIIIBc", *row) + named
        body += data
    length = len(body) + len(table) + 88
    cookie = (b"MEI\014\013\012\013\016", length, len(body), len(table), 312, b"libpython3.12.so")
    return body + table + struct.pack("!8sIIII64s", *cookie)


def plan_of(packed: bytes) -> Plan:
    program = compiled("int main(){return 0;}") + packed + bytes(2000)  # section headers follow
    members: tuple[Member | str, ...] = (
        file("app/run", program, mode=0o755),
        *libc(),
        file(f"{LIBRARIES[1:]}/libm.so.6", compiled("", "-shared", "-fPIC", "-nostdlib")),
        "etc/ssl/certs/a.pem",
        "usr/share/zoneinfo/Test/Here",
    )
    return planned({"Cmd": ["/app/run"]}, members)


def test_libraries_that_are_packed_bring_what_they_need() -> None:
    plan = plan_of(archive({"lib/c.so": ("b", compiled("", *LINKED)), "x": ("x", b"data")}))
    assert why(plan, f"{LIBRARIES}/libm.so.6") == [
        f"{LIBRARIES}/libm.so.6: python.packed",
        "/app/run: config.cmd",
    ]
    assert any("/app/run unpacks a Python program" in gap for gap in gaps(plan))


def test_library_that_is_packed_itself_is_not_the_images() -> None:
    items = {"c.so": ("b", compiled("", *LINKED)), "libm.so.6": ("b", b"\x7fELF")}
    assert f"{LIBRARIES}/libm.so.6" not in plan_of(archive(items)).keep.kept


def test_modules_that_are_packed_bring_what_they_read() -> None:
    table = marshal.dumps([("ssl", (0, 1, 2)), ("shop.cli", (0, 1, 2))])
    modules = b"PYZ\0" + b"\xcb\r\r\n" + struct.pack("!I", 20) + b"codecode" + table
    kept = plan_of(archive({"PYZ.pyz": ("z", modules)})).keep.kept
    assert "/etc/ssl/certs/a.pem" in kept
    assert "/usr/share/zoneinfo/Test/Here" not in kept


@pytest.mark.parametrize(
    "packed",
    [
        b"MEI\014\013\012\013\016",
        struct.pack("!8sIIII64s", b"MEI\014\013\012\013\016", 1 << 31, 0, 9, 0, b""),
        struct.pack("!8sIIII64s", b"MEI\014\013\012\013\016", 88, 1 << 31, 9, 0, b""),
        struct.pack("!IIIIBc", 0, 0, 0, 0, 1, b"b")
        + struct.pack("!8sIIII64s", b"MEI\014\013\012\013\016", 106, 0, 18, 0, b""),
    ],
)
def test_damaged_archive_has_nothing(packed: bytes) -> None:
    assert not [gap for gap in gaps(plan_of(packed)) if "unpacks" in gap]
