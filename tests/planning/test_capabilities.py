"""The attribute `security.capability` against bytes that setcap(8) and the manual give."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from conftest import require
from hypothesis import given
from hypothesis import strategies as st

from minify.planning.capabilities import parsed


@pytest.mark.parametrize(
    ("attribute", "text", "names"),
    [
        ("0100000200200000 0000000000000000 00000000", "cap_net_raw=ep", ("NET_RAW",)),
        ("0000000200200000 0000000000000000 00000000", "cap_net_raw=p", ("NET_RAW",)),
        ("0000000200000000 0020000000000000 00000000", "cap_net_raw=i", ()),
        # The first revision has 32 bits of each.
        ("0100000100040000 00000000", "cap_net_bind_service=ep", ("NET_BIND_SERVICE",)),
        # The upper 32 bits: CAP_BPF is 39.
        ("0100000200000000 0000000080000000 00000000", "cap_bpf=ep", ("BPF",)),
        (
            "0100000200240000 0004000000000000 00000000",
            "cap_net_bind_service=eip cap_net_raw=ep",
            ("NET_BIND_SERVICE", "NET_RAW"),
        ),
        (
            "0100000300200000 0000000000000000 00000000 e8030000",
            "cap_net_raw=ep (user namespace of 1000)",
            ("NET_RAW",),
        ),
        # Bit 63 is no capability, and none to the kernel.
        ("0000000200000000 0000000000000080 00000000", "=", ()),
    ],
)
def test_capabilities_have_names(attribute: str, text: str, names: tuple[str, ...]) -> None:
    found = parsed(bytes.fromhex(attribute))
    assert (str(found), found.names) == (text, names)


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        ("", "0 bytes; expected 12, 20 or 24"),
        ("01000002", "4 bytes; expected 12, 20 or 24"),
        ("0100000200200000 00000000", "12 bytes; expected 20 in revision 2"),
        ("0100000400200000 0000000000000000 00000000", "revision 4; expected 1, 2 or 3"),
        ("0300000200200000 0000000000000000 00000000", "flags 0x3; expected 0 or 1"),
        ("0100000200200000 0000000000000000 00000000 00", "21 bytes; expected 12, 20 or 24"),
    ],
)
def test_malformed_attributes_are_told(attribute: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parsed(bytes.fromhex(attribute))


@given(st.binary(max_size=32))
def test_any_bytes_are_capabilities_or_a_value_error(value: bytes) -> None:
    try:
        found = parsed(value)
    except ValueError:
        return
    assert len(str(found)) < 2000


@pytest.mark.engine
@pytest.mark.parametrize(
    "text", ["cap_net_raw=ep", "cap_net_bind_service=eip cap_net_raw=ep", "cap_bpf,cap_chown=p"]
)
def test_what_setcap_writes_is_read(text: str, tmp_path: Path) -> None:
    require("setcap")
    if os.geteuid() != 0:
        pytest.skip("setcap needs root")
    file = tmp_path / "program"
    file.write_bytes(b"")
    subprocess.run(["setcap", text, file], check=True)
    expected = {"cap_bpf,cap_chown=p": "cap_chown,cap_bpf=p"}.get(text, text)
    assert str(parsed(os.getxattr(file, "security.capability"))) == expected
