"""File capabilities: the extended attribute `security.capability`, read into names.

https://man7.org/linux/man-pages/man7/capabilities.7.html and
https://github.com/torvalds/linux/blob/master/include/uapi/linux/capability.h
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from minify.filetree import Entry
from minify.filetree.path import encoded

XATTR = "security.capability"

NAMES = tuple(
    """
    chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable
    net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio
    sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time
    sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog
    wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore
    """.split()
)
"""Each capability at its number, without `cap_`."""

_EFFECTIVE = 0x000001
_FLAGS = 0xFFFFFF
# The revision, and how many bytes an attribute of it has: the magic number, one or two pairs of
# permitted and inheritable sets of 32 bits, and in the third the root user of its name space.
_SIZES = {0x01000000: 12, 0x02000000: 20, 0x03000000: 24}


@dataclass(frozen=True, slots=True)
class FileCapabilities:
    """What a program gains when its file is executed. Sets are bit masks."""

    permitted: int
    inheritable: int
    is_effective: bool
    """Whether the program has them from the start; then it does not even start without them."""
    root_id: int = 0
    """The host's number of the root user in whose user namespace they count; 0 everywhere."""

    @property
    def names(self) -> tuple[str, ...]:
        """The permitted ones as engines write them: `NET_RAW`, in the order of their numbers."""
        return tuple(name.upper() for bit, name in enumerate(NAMES) if self.permitted >> bit & 1)

    def __str__(self) -> str:
        """As cap_to_text(3) writes it: `cap_net_raw=ep`; `=` for none at all."""
        by_flags: dict[str, list[str]] = {}
        for bit, name in enumerate(NAMES):
            permitted, inheritable = self.permitted >> bit & 1, self.inheritable >> bit & 1
            if permitted or inheritable:
                flags = "e" * self.is_effective + "i" * inheritable + "p" * permitted
                by_flags.setdefault(flags, []).append(f"cap_{name}")
        found = " ".join(f"{','.join(names)}={flags}" for flags, names in by_flags.items())
        root = f" (user namespace of {self.root_id})" if self.root_id else ""
        return f"{found or '='}{root}"


def parsed(value: bytes) -> FileCapabilities:
    """The capabilities in the bytes of the attribute; ValueError says what is wrong with them.

    A bit that no capability has is none, as to the kernel.
    """
    if len(value) not in _SIZES.values():
        raise ValueError(f"{len(value)} bytes; expected 12, 20 or 24")
    (magic,) = struct.unpack_from("<I", value)
    revision, flags = magic & ~_FLAGS, magic & _FLAGS
    if revision not in _SIZES:
        raise ValueError(f"revision {revision >> 24}; expected 1, 2 or 3")
    if len(value) != _SIZES[revision]:
        raise ValueError(
            f"{len(value)} bytes; expected {_SIZES[revision]} in revision {revision >> 24}"
        )
    if flags & ~_EFFECTIVE:
        raise ValueError(f"flags {flags:#x}; expected 0 or 1")
    words = struct.unpack_from(f"<{(len(value) - 4) // 4}I", value, 4)
    upper = words[2:4] if len(words) >= 4 else (0, 0)
    known = (1 << len(NAMES)) - 1
    return FileCapabilities(
        (words[0] | upper[0] << 32) & known,
        (words[1] | upper[1] << 32) & known,
        bool(flags & _EFFECTIVE),
        words[4] if len(words) == 5 else 0,
    )


def attribute(entry: Entry) -> bytes | None:
    """The attribute's bytes; None where there is none."""
    found = (value for name, value in entry.xattrs if name == XATTR)
    value = next(found, None)
    return None if value is None else encoded(value)


def file_capabilities(entry: Entry) -> FileCapabilities | None:
    """The capabilities of an entry; None where it has none or they are malformed."""
    value = attribute(entry)
    try:
        return None if value is None else parsed(value)
    except ValueError:
        return None
