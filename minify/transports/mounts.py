"""Which directories of the host are windows into the kernel and no files.

https://www.kernel.org/doc/html/latest/filesystems/proc.html#proc-pid-mountinfo-information-about-mounts
"""

from __future__ import annotations

import os
from pathlib import Path

_MOUNTINFO = Path("/proc/self/mountinfo")

# Their "files" are made up as they are read, may hang, act on the machine, or have no end.
PSEUDO_TYPES = frozenset(
    {
        "autofs",
        "bdev",
        "binder",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "cpuset",
        "debugfs",
        "devfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "functionfs",
        "fusectl",
        "hugetlbfs",
        "ipathfs",
        "mqueue",
        "nfsd",
        "nsfs",
        "oprofilefs",
        "openpromfs",
        "pipefs",
        "proc",
        "pstore",
        "resctrl",
        "rpc_pipefs",
        "securityfs",
        "selinuxfs",
        "smackfs",
        "sockfs",
        "spufs",
        "sysfs",
        "tracefs",
        "usbfs",
        "xenfs",
        "zonefs",
    }
)


def pseudo_devices() -> frozenset[int]:
    """The `st_dev` of every pseudo file system that this process sees mounted."""
    lines = _MOUNTINFO.read_bytes().splitlines()
    return frozenset(device for line in lines if (device := _pseudo_device(line)) is not None)


def _pseudo_device(line: bytes) -> int | None:
    """Of `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`."""
    fields = line.split(b" ")
    if fields[fields.index(b"-") + 1].decode("ascii", "replace") not in PSEUDO_TYPES:
        return None
    major, _, minor = fields[2].partition(b":")
    return os.makedev(int(major), int(minor))
