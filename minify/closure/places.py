"""Directories whose meaning the Filesystem Hierarchy Standard fixes.

https://refspecs.linuxfoundation.org/FHS_3.0/fhs/index.html
"""

from __future__ import annotations

from minify.filetree import FileTree, ImagePath

# Directories of everybody: nobody's application is the whole of one of them.
_SHARED = frozenset(
    """
    / /bin /boot /dev /etc /home /lib /lib32 /lib64 /libx32 /media /mnt /opt /proc /root /run /sbin
    /srv /sys /tmp /usr /var
    /usr/bin /usr/games /usr/include /usr/lib /usr/lib32 /usr/lib64 /usr/libexec /usr/libx32
    /usr/local /usr/sbin /usr/share /usr/src
    /usr/local/bin /usr/local/etc /usr/local/games /usr/local/include /usr/local/lib
    /usr/local/lib64 /usr/local/libexec /usr/local/man /usr/local/sbin /usr/local/share
    /usr/local/src
    /usr/share/doc /usr/share/locale /usr/share/man /usr/share/info
    /etc/default /etc/init.d /etc/ssl /etc/ssl/certs /etc/ssl/private /etc/opt /etc/pki
    /var/backups /var/cache /var/lib /var/local /var/lock /var/log /var/mail /var/opt /var/run
    /var/spool /var/tmp
    """.split()
)

# Kept, empty, where the source has them: programs write there, and engines mount there.
STANDARD = tuple(
    ImagePath(path)
    for path in """
    /dev /etc /home /mnt /opt /proc /root /run /srv /sys /tmp /usr /var /run/lock /var/cache
    /var/lib /var/lock /var/log /var/run /var/spool /var/tmp
    """.split()
)

STATE = ("/var/lib", "/var/log", "/var/cache", "/var/spool", "/run", "/var/run")
"""Below these a service keeps what it writes."""

PACKAGE_MANAGERS_STATE = frozenset(
    """
    /var/lib/apt /var/lib/dpkg /var/lib/pam /var/lib/systemd /var/lib/ucf /var/lib/polkit-1
    /var/lib/misc /var/lib/shells.state /var/lib/apk /var/lib/rpm /var/lib/dnf /var/lib/yum
    /var/cache/apt /var/cache/debconf /var/cache/ldconfig /var/cache/man /var/cache/dnf
    /var/cache/apk /var/log/apt /var/log/alternatives /run/lock /run/mount /run/systemd
    /var/cache/fontconfig /var/lib/dbus /var/lib/private /var/lib/logrotate /var/lib/vim
    /var/lib/python /var/lib/gems /var/spool/cron /var/spool/mail
    """.split()
)
"""State of the distribution's own tools, which no service of the image writes."""


def is_shared_name(path: str) -> bool:
    """Whether a directory of that path is one of everybody's, be it there or not.

    The multiarch directories (`/usr/lib/x86_64-linux-gnu`) are among them.
    """
    if path in _SHARED:
        return True
    above, _, name = path.rpartition("/")
    is_multiarch = name.count("-") >= 2 and "-linux-" in name
    if above in ("/lib", "/usr/lib", "/usr/local/lib") and is_multiarch:
        return True
    return path.startswith(("/proc/", "/sys/", "/dev/"))


def is_shared(path: str, tree: FileTree) -> bool:
    """Whether the directory is one of everybody's, of which no application is the whole.

    What is no directory is nobody's alone either.
    """
    return is_shared_name(path) or tree.directory(path) is None


def is_distributions(path: str, tree: FileTree) -> bool:
    """Whether the directory is shared and distributions put files into it.

    They put none into /srv: what is there is served by a service, and the application's.
    """
    return path != "/srv" and is_shared(path, tree)
