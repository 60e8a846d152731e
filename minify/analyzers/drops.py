"""How programs are told which account to become: a table, an entry a program.

`DROPS` has those that start as root and go on as an account, by their own configuration; run as
that account directly they do the same. `BECOMES` and `MANAGES` have those that only root can run,
each with the sentence that says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drop:
    """How one program is told its account. Names of directives are folded."""

    directives: str = "user"
    options: str = ""
    """Command-line options whose value is the account."""
    texts: str = ""
    """Command-line options whose value is configuration."""
    sections: tuple[str, ...] = ()
    """How the sections begin that count; all where it is empty."""
    default: str = ""
    """The account that is compiled in, where that is known."""
    insists: bool = False
    """Whether it ends with an error where it cannot become the account, as any other user."""
    spawning: tuple[str, ...] = ()
    """Sections of programs that it starts, each as an account of its own, else as its own."""
    is_each: bool = False
    """Whether its configuration may name several accounts, each for a part of its work."""
    rooted: str = ""
    """Directives that end it with an error where it is not root."""
    rooted_options: tuple[tuple[str, str], ...] = ()
    """Options, and how their values begin, that end it with an error where it is not root."""


_MYSQL = Drop(
    options="-u --user",
    sections=("mysqld", "server", "mariadb", "mariadbd", "mysqld_safe"),
)
_APACHE = Drop(
    texts="-c -C",
    # mod_unixd: "Cannot chroot when not started as root".
    rooted="chrootdir",
)
# They refuse or ignore what they are told as anybody but root; the latter where nothing is said.
DROPS: Mapping[str, Drop] = {
    "apache": _APACHE,
    "apachectl": _APACHE,
    "apache2ctl": _APACHE,
    "apache2-foreground": _APACHE,
    "httpd": _APACHE,
    "httpd-foreground": _APACHE,
    "dnsmasq": Drop(options="-u --user"),
    # set_owner_process() is skipped for the process's own account, and else fails.
    "gunicorn": Drop("", options="-u --user", insists=True),
    # haproxy.c: "Cannot chroot", "Cannot set uid", and exit(1).
    "haproxy": Drop(
        insists=True,
        rooted="chroot",
    ),
    "icecast": Drop(),
    "lighttpd": Drop(
        "serverusername",
    ),
    "mariadbd": _MYSQL,
    "mysqld": _MYSQL,
    "mysqld_safe": _MYSQL,
    # Debian's wrapper turns the lines of the file into options.
    "memcached": Drop("-u --user", options="-u --user"),
    "mosquitto": Drop(
        default="mosquitto",
    ),
    "named": Drop("", options="-u", insists=True),
    "nginx": Drop(
        texts="-g",
    ),
    "openresty": Drop(texts="-g"),
    "php-fpm": Drop(
        is_each=True,
    ),
    "privoxy": Drop("", options="--user", insists=True),
    "rsync": Drop("uid", is_each=True),
    # rsconf.c: "could not remove supplemental group IDs" ends it.
    "rsyslogd": Drop(
        "privdroptouser",
        insists=True,
        rooted="privdroptogroup",
    ),
    "slapd": Drop("", options="-u", insists=True),
    "snmpd": Drop("agentuser", options="-u", insists=True),
    "squid": Drop(
        "cacheeffectiveuser",
    ),
    "stunnel": Drop("setuid", insists=True, rooted="chroot"),
    # options.py: "Can't drop privilege as nonroot user"; the same account is no obstacle.
    "supervisord": Drop(
        options="-u --user",
        sections=("supervisord",),
        insists=True,
        spawning=("program:", "eventlistener:", "fcgi-program:"),
    ),
    "tinyproxy": Drop(),
    # daemon/unbound.c: "unable to set group id of" ends it, whoever it is told to become.
    "unbound": Drop(
        "username",
        default="unbound",
        insists=True,
        rooted="chroot",
    ),
    "uwsgi": Drop("uid", options="--uid"),
    # mgt_jail_unix.c: "Unix Jail: Must be root."
    "varnishd": Drop("", options="-u -j", rooted_options=(("-j", "unix"),)),
    "vinyld": Drop("", options="-u -j", rooted_options=(("-j", "unix"),)),
}

BECOMES: Mapping[str, str] = {
    "anacron": "anacron runs jobs as their owners",
    "atd": "atd runs each job as its owner",
    "cron": "cron runs each job as its owner",
    "crond": "crond runs each job as its owner",
    "doas": "doas becomes another user",
    "dovecot": "dovecot becomes the user whose mail it reads",
    "dropbear": "dropbear becomes the user who logs in",
    "exim": "exim becomes the user to whom it delivers",
    "fcron": "fcron runs each job as its owner",
    "inetd": "inetd starts each service as its user",
    "init": "init starts services as their users",
    "login": "login becomes the user who logs in",
    # "fatal: the Postfix mail system must be run as root"
    "master": "postfix's master starts services as their users, and stops where it is not root",
    "postfix": "postfix starts services as their users, and stops where it is not root",
    "proftpd": "proftpd becomes the user who logs in",
    "pure-ftpd": "pure-ftpd becomes the user who logs in",
    "smbd": "smbd becomes the user who connects",
    "sshd": "sshd becomes the user who logs in",
    "systemd": "systemd starts services as their users",
    # "vsftpd: must be started as root (see run_as_launching_user option)"
    "vsftpd": "vsftpd becomes the user who logs in, and stops where it is not root",
    "xinetd": "xinetd starts each service as its user",
}
"""Programs whose work is to become other users; su and its like are commands within commands."""

MANAGES: Mapping[str, str] = {
    "charon": "charon changes the machine's network",
    # main.c: "Not superuser"
    "chronyd": "chronyd sets the clock, and stops where it is not root",
    "dhclient": "dhclient sets the machine's addresses",
    "dhcpcd": "dhcpcd sets the machine's addresses",
    "dhcpd": "dhcpd reads and writes raw packets",
    "dockerd": "dockerd manages namespaces and networks",
    "hostapd": "hostapd manages network cards",
    "iptables": "iptables changes the machine's packet filter",
    "keepalived": "keepalived gives and takes the machine's addresses",
    "mount": "mount changes what is mounted",
    "nft": "nft changes the machine's packet filter",
    # "must be run as root, not uid"
    "ntpd": "ntpd sets the clock, and stops where it is not root",
    "openvpn": "openvpn makes a network device",
    "rpc.mountd": "rpc.mountd serves for the kernel's NFS server",
    "rpc.nfsd": "rpc.nfsd starts the kernel's NFS server",
    "udhcpc": "udhcpc sets the machine's addresses",
    "wg-quick": "wg-quick makes a network device",
    "wpa_supplicant": "wpa_supplicant manages network cards",
}
"""Programs that manage the machine, which no other user may."""
